/* SPDX-License-Identifier: MIT */
#ifndef MCP_NET_FETCH_H
#define MCP_NET_FETCH_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/buf.h"
#include "base/err.h"
#include "base/settings.h"
#include "base/strlist.h"

/*
 * HTTP requests of our own; the only user of libcurl, which is initialised at the first call (SIGPIPE is ignored from
 * then on). HTTPS with TLS 1.2 or later, plain HTTP to loopback only; no redirects; no ambient proxy variables; no
 * .netrc, no cookies, no Accept-Encoding; the peer's certificate and name are verified; the address that is really
 * connected to is judged, not the name. Connections are kept and reused, a few a process. Safe from many threads; a
 * child made by fork() shares no connection with its parent.
 */

/* The settings of fetch_setting_rows; all zero is a good policy. */
struct fetch_policy {
	/* CA_FILE: PEM file of the certificate authorities to trust instead of the system's; NULL: the system's */
	char *ca_file;
	char *proxy;		/* FETCH_PROXY; NULL: none. Loopback hosts are never asked for through it */
	/* FETCH_ALLOW: hosts that may resolve to private addresses although learnt from metadata */
	struct strlist allow;
};

extern const struct setting fetch_setting_rows[];
extern const size_t fetch_setting_count;

struct fetch_request {
	const char *method;		/* GET or POST */
	const char *url;
	/*
	 * The URL came from a document, not from the operator: private, link-local and loopback addresses are refused
	 * unless the host is in policy.allow or equals "origin_host". Behind a proxy only what the URL spells out can
	 * be judged.
	 */
	bool learnt;
	const char *origin_host;	/* host of the document it came from, as fetch_url_host() tells it, or NULL */
	const char *const *headers;	/* "Name: value", NULL-terminated; NULL: none. Values may be secret */
	const char *body;		/* POST */
	size_t body_len;
	long connect_timeout_ms;	/* 1 to 60000 */
	/* 1 to 600000; the whole transfer, look-up of the name, slow drips and a second try included */
	long total_timeout_ms;
	size_t max_bytes;		/* of the answer's body */
	/* Asked ten times a second and oftener: true stops the request. NULL: never. */
	bool (*is_cancelled)(const void *ctx);
	const void *cancel_ctx;
};

struct fetch_response {
	int status;
	char *content_type;		/* owned, NULL if absent */
	struct buf body;
	/* max-age of Cache-Control, 0 for no-store and no-cache; -1 if not told or garbage */
	int64_t max_age_s;
	int64_t retry_after_s;		/* of Retry-After in seconds, -1 if not told */
	int64_t date_s;			/* of Date, -1 if not told */
	char fault[96];			/* on failure: what went wrong, for the log; no secret, no body */
};

/*
 * Do one request. Any status is MCP_OK. Otherwise MCP_ENET (name, connection, TLS), MCP_ETIMEOUT, MCP_ELIMIT (answer
 * over max_bytes), MCP_EREMOTE (not HTTP, cut short, of two lengths), MCP_EPERM (the URL or the address is not
 * allowed), MCP_EINVAL (method, a line end in a header), MCP_ECLOSED (cancelled, or the process ends: base/ending.h),
 * MCP_ENOMEM. "res" is always
 * initialised; fetch_response_clear() releases it. A GET whose connection broke is tried once more, within the same
 * deadline.
 */
enum mcp_err fetch(const struct fetch_policy *policy, const struct fetch_request *req,
    struct fetch_response *res) MCP_MUST_CHECK;

/* Release what fetch() has put into "res"; the body, which may hold secrets, is overwritten. NULL is fine. */
void fetch_response_clear(struct fetch_response *res);

/*
 * Whether the media type of the answer is JSON: application/json or application/NAME+json; parameters do not count.
 * Source: RFC 8259 section 11, RFC 6839 section 3.1.
 */
bool fetch_response_is_json(const struct fetch_response *res);

/*
 * Whether "url" is absolute http(s) with a host, without userinfo and fragment, and https unless the host is loopback
 * ("localhost", 127.0.0.0/8, ::1).
 */
bool fetch_url_allowed(const char *url);

/*
 * The host of "url", lower case, without brackets. Owned by the caller; NULL when the URL is not readable or memory is
 * short.
 */
char *fetch_url_host(const char *url);

#endif
