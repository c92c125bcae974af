/* SPDX-License-Identifier: MIT */
#ifndef MCP_OAUTH_UPSTREAM_H
#define MCP_OAUTH_UPSTREAM_H

#include <stddef.h>
#include <stdint.h>

#include "base/buf.h"
#include "base/err.h"
#include "net/fetch.h"
#include "oauth/discovery.h"

/*
 * What the authorization server says of itself, fetched and kept for a short time (metadata: RFC 8414), and dynamic
 * client registration passed on to it (RFC 7591). Answers are the authorization server's, byte for byte, or one of our
 * own:
 *   502 {"error": ...}  it answered, and with nothing that can be passed on (HTML, a redirect, too much, another
 * issuer's document)
 *   503 {"error": ...}  it cannot be reached or is in trouble, or too many wait for it; with a Retry-After
 */
#define UPSTREAM_REGISTRATION_MAX (64 * 1024)

struct upstream;

struct upstream_answer {
	int status;		/* as the authorization server said; 400, 404, 413, 502 or 503 of our own */
	char *content_type;	/* owned, NULL: application/json */
	struct buf body;	/* unchanged bytes, or {"error": ...} of our own */
	int64_t retry_after_s;	/* for 503 and 429, -1: none */
	char fault[96];		/* for the log, "" if none */
};

/*
 * "discovery" has the authorization server's metadata; "registration" is the operator's URL to register at when that
 * names none (NULL: none), and is copied. "discovery" and "fetch" are borrowed for the life of "out". Nothing is
 * fetched yet. Returns MCP_OK or MCP_ENOMEM.
 */
enum mcp_err upstream_new(struct discovery *discovery, const char *registration, const struct fetch_policy *fetch,
    struct upstream **out) MCP_MUST_CHECK;

/* Release; NULL is fine. */
void upstream_free(struct upstream *u);

/*
 * The metadata document, unchanged, as discovery_get() has it. "a" is initialised here; upstream_answer_clear()
 * releases it. Returns MCP_OK or MCP_ENOMEM. Thread-safe.
 */
enum mcp_err upstream_metadata(struct upstream *u, int64_t now_s, struct upstream_answer *a) MCP_MUST_CHECK;

/*
 * Pass a registration request on: to the metadata's registration_endpoint, else to "registration"; the body unchanged,
 * no cookies, no Authorization. A body that is no JSON object is answered with 400, an over-long one with 413, neither
 * place with 404, and nothing is sent. The metadata's URL counts as learnt (see fetch.h). As above.
 */
enum mcp_err upstream_register(struct upstream *u, const char *body, size_t len, int64_t now_s,
    struct upstream_answer *a) MCP_MUST_CHECK;

/* Release what is in "a"; the body, which may hold secrets, is overwritten. NULL is fine. */
void upstream_answer_clear(struct upstream_answer *a);

#endif
