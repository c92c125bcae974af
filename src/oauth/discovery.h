/* SPDX-License-Identifier: MIT */
#ifndef MCP_OAUTH_DISCOVERY_H
#define MCP_OAUTH_DISCOVERY_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/err.h"

struct fetch_policy;

/*
 * What one authorization server says of itself (RFC 8414, OpenID Connect Discovery), fetched when somebody asks and
 * kept for 5 minutes, a failure for 10 s. A thread asks while at most three others wait for it, and whoever fetches
 * keys, so that a server that hangs cannot hold all of ours.
 */
#define DISCOVERY_BYTES_MAX (256 * 1024)
#define DISCOVERY_FAULT_MAX 96

struct discovery;

/* The URLs in a document that we use ourselves. */
enum discovery_url { DISCOVERY_JWKS, DISCOVERY_REGISTRATION, DISCOVERY_INTROSPECTION, DISCOVERY_URLS };

/* What asking came to; immutable and counted, discovery_release() gives it back. */
struct discovery_document {
	int status;		/* 200; 502: it answered with nothing of use; 503: not to be reached or in trouble */
	int64_t at_s;
	char *text;		/* with 200: the document's bytes, unchanged */
	size_t len;
	char *content_type;	/* may be NULL */
	char *url[DISCOVERY_URLS];	/* with 200; NULL: it names none, or none that may be used */
	bool is_bad[DISCOVERY_URLS];	/* it names one that may not be used */
	int64_t retry_after_s;	/* with 503; -1: not told */
	char fault[DISCOVERY_FAULT_MAX];	/* with 502 and 503, for the log */
};

/*
 * "issuer" is the issuer identifier, chosen by the operator. It is copied, "fetch" is borrowed. Nothing is fetched yet;
 * an issuer that is no URL to fetch from gives 502 later. Returns MCP_OK or MCP_ENOMEM. Release with discovery_free().
 */
enum mcp_err discovery_new(const char *issuer, const struct fetch_policy *fetch, struct discovery **out) MCP_MUST_CHECK;

/* Release; references to its document stay good. NULL is fine. */
void discovery_free(struct discovery *d);

/* The issuer identifier. Borrowed. */
const char *discovery_issuer(const struct discovery *d);

/* The host of its URL as fetch_request.origin_host wants it, "" if it has none. Borrowed. */
const char *discovery_host(const struct discovery *d);

/*
 * The document: from RFC 8414's inserted place first, then the appended one, then both of OpenID Connect; all in 5 s.
 * Only one whose "issuer" is ours, byte for byte, counts (RFC 8414 section 3.3), of a JSON type and at most
 * DISCOVERY_BYTES_MAX. A URL in it may be used if fetch_url_allowed() says so, its host is no numeric address (but for
 * the issuer's own and those of FETCH_ALLOW), and it is https where the issuer is; it still counts as learnt (see
 * fetch.h). "patient": not refused because others wait; for callers of whom there is one at a time. Returns MCP_OK with
 * *out, a reference; MCP_ELIMIT when too many wait already; MCP_ECLOSED: the process ends; MCP_ENOMEM. Thread-safe.
 */
enum mcp_err discovery_get(struct discovery *d, int64_t now_s, bool patient,
    const struct discovery_document **out) MCP_MUST_CHECK;

/* Give a reference of discovery_get() back; NULL is fine. */
void discovery_release(const struct discovery_document *document);

#endif
