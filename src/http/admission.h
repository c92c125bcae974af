/* SPDX-License-Identifier: MIT */
#ifndef MCP_HTTP_ADMISSION_H
#define MCP_HTTP_ADMISSION_H

#include <stdbool.h>

#include "base/err.h"
#include "base/strlist.h"
#include "http/request.h"
#include "http/response.h"

/*
 * From where a request may come: Origin and Host (DNS rebinding), and what CORS tells browsers. Prepared once a
 * configuration.
 */
struct admission {
	/* of the public URL, "https://host[:port]", default port left out, lower case; owned */
	char *origin;
	bool loopback;			/* the public URL's host is loopback: loopback origins pass, Host is checked */
	bool any_origin;		/* ALLOWED_ORIGINS=* */
	struct strlist origins;		/* ALLOWED_ORIGINS */
	struct strlist hosts;		/* ALLOWED_HOSTS */
};

/* Prepare from the public URL and the two lists (copied). MCP_OK, MCP_ESYNTAX (public_url), MCP_ENOMEM. */
enum mcp_err admission_init(struct admission *a, const char *public_url, const struct strlist *origins,
    const struct strlist *hosts) MCP_MUST_CHECK;

/* Free what it holds; all zero afterwards. */
void admission_clear(struct admission *a);

/* Whether the request's Origin (absent is fine) may talk to us. Source: MCP basic/transports, Security Warning. */
bool admission_origin_allowed(const struct admission *a, const struct http_request *req);

/* Whether the request's Host may be meant for us; always true when the public URL is not loopback. */
bool admission_host_allowed(const struct admission *a, const struct http_request *req);

/*
 * Add the CORS fields to an answer. "public_document" allows any origin; else an allowed origin is reflected, with
 * Vary, and a forbidden one gets none. With "preflight" the methods, header fields and max age are added. Source: Fetch
 * standard, CORS protocol.
 */
void admission_cors(const struct admission *a, const struct http_request *req, bool public_document, bool preflight,
    struct http_response *res);

#endif
