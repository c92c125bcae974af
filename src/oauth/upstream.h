/* SPDX-License-Identifier: MIT */
#ifndef MCP_OAUTH_UPSTREAM_H
#define MCP_OAUTH_UPSTREAM_H

#include <stddef.h>
#include <stdint.h>

#include "base/buf.h"
#include "base/err.h"
#include "net/fetch.h"

/*
 * What the authorization server says of itself, fetched and kept for a short time (metadata: RFC 8414), and dynamic
 * client registration passed on to it (RFC 7591).
 */
#define UPSTREAM_METADATA_MAX (256 * 1024)
#define UPSTREAM_REGISTRATION_MAX (64 * 1024)

struct upstream;

struct upstream_answer {
	int status;		/* as the authorization server said; 503 (unreachable) or 502 (rubbish) of our own */
	char *content_type;	/* owned, NULL: application/json */
	struct buf body;	/* unchanged bytes, or {"error": ...} of our own */
	int64_t retry_after_s;	/* for 503 and 429, -1: none */
	char fault[96];		/* for the log, "" if none */
};

/*
 * "issuer" is the authorization server's issuer identifier (e.g. https://env/resources/res_1); "registration" a URL to
 * register at when the metadata names none (NULL: none). Strings are copied; "fetch" is borrowed. MCP_OK or MCP_ENOMEM.
 */
enum mcp_err upstream_new(const char *issuer, const char *registration, const struct fetch_policy *fetch,
    struct upstream **out) MCP_MUST_CHECK;
void upstream_free(struct upstream *u);

/*
 * The metadata document, unchanged: RFC 8414's inserted form first, then the appended one, then OpenID Connect's; kept
 * for 5 minutes. "a" is initialised here; upstream_answer_clear() releases it. MCP_OK, MCP_ENOMEM.
 */
enum mcp_err upstream_metadata(struct upstream *u, int64_t now_s, struct upstream_answer *a) MCP_MUST_CHECK;

/* Pass a registration request on: fixed target, JSON only, no cookies, no Authorization. As above. */
enum mcp_err upstream_register(struct upstream *u, const char *body, size_t len, int64_t now_s,
    struct upstream_answer *a) MCP_MUST_CHECK;
void upstream_answer_clear(struct upstream_answer *a);

#endif
