/* SPDX-License-Identifier: MIT */
#ifndef MCP_HTTP_RESPONSE_H
#define MCP_HTTP_RESPONSE_H

#include <stdbool.h>
#include <stddef.h>

#include "base/buf.h"
#include "base/err.h"

#define HTTP_RESPONSE_HEADERS_MAX (32 * 1024)
#define HTTP_RESPONSE_BODY_MAX (16 * 1024 * 1024)

struct http_channel;	/* channel.h */

/* One answer, composed whole before the first byte leaves, or sent in pieces through its channel. */
struct http_response {
	int status;		/* three digits; 0 while nothing was decided */
	struct buf headers;	/* "Name: value\r\n" lines, without Status and Content-Length */
	struct buf body;
	bool no_body;		/* 204, 304 and answers to HEAD: the length is told, the bytes are not sent */
	/*
	 * Set by the front before the request is handled; NULL: this answer leaves whole. After begin() what is
	 * composed here is not sent.
	 */
	struct http_channel *channel;
};

/* Make an answer without status, fields and body; release it with http_response_clear(). */
void http_response_init(struct http_response *res);

/* Release what was composed; NULL is fine. It is an answer without anything afterwards. */
void http_response_clear(struct http_response *res);

/* Forget what was composed; for a later step that has to answer otherwise. */
void http_response_reset(struct http_response *res);

/*
 * Append a header field. The caller vouches for "name"; CR, LF and NUL in the value become blanks, so no value can
 * end its line.
 */
void http_response_header(struct http_response *res, const char *name, const char *value);

/* The same with a value composed as by printf(). */
void http_response_headerf(struct http_response *res, const char *name, const char *fmt, ...) MCP_PRINTF(3, 4);

/* Set the status and a JSON body given as text, with Content-Type: application/json. */
void http_response_json(struct http_response *res, int status, const char *text);

/*
 * Append the head as a CGI response to "out": "Status: 401 Unauthorized", the fields, Content-Length (left out for 204
 * and 304, and when the answer leaves "in_pieces"), an empty line. Returns MCP_OK, or the failure of a buffer. Source:
 * RFC 3875 section 6.
 */
enum mcp_err http_response_head(const struct http_response *res, bool in_pieces, struct buf *out) MCP_MUST_CHECK;

/*
 * Make the answer one that can be sent: a status of 0 becomes 500, and an answer of which a part could not be composed
 * (memory, a bound) becomes a
 * small 503. Called by whoever sends it.
 */
void http_response_settle(struct http_response *res);

/* The reason phrase of a status, "" when unknown. Source: RFC 9110 section 15. */
const char *http_reason(int status);

#endif
