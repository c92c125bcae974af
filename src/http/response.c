/* SPDX-License-Identifier: MIT */
/* Answers for: composing one answer whole, in the form a CGI response has. */
#include "http/response.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#define FIELD_VALUE_MAX (16 * 1024)	/* of http_response_headerf(); challenge fields are the longest */

void
http_response_init(struct http_response *res)
{
	res->status = 0;
	res->no_body = false;
	res->channel = NULL;
	buf_init(&res->headers, HTTP_RESPONSE_HEADERS_MAX);
	buf_init(&res->body, HTTP_RESPONSE_BODY_MAX);
}

void
http_response_clear(struct http_response *res)
{
	if (!res)
		return;
	res->status = 0;
	res->no_body = false;
	res->channel = NULL;
	buf_clear(&res->headers);
	buf_clear(&res->body);
}

void
http_response_reset(struct http_response *res)
{
	res->status = 0;
	res->no_body = false;
	buf_reset(&res->headers);
	buf_reset(&res->body);
}

void
http_response_header(struct http_response *res, const char *name, const char *value)
{
	struct buf *b = &res->headers;

	buf_puts(b, name);
	buf_puts(b, ": ");
	while (*value) {
		size_t run = strcspn(value, "\r\n");

		buf_put(b, value, run);
		value += run;
		if (*value) {
			buf_putc(b, ' ');
			value++;
		}
	}
	buf_puts(b, "\r\n");
}

void
http_response_headerf(struct http_response *res, const char *name, const char *fmt, ...)
{
	struct buf value;
	va_list ap;

	buf_init(&value, FIELD_VALUE_MAX);
	va_start(ap, fmt);
	buf_vprintf(&value, fmt, ap);
	va_end(ap);
	if (buf_status(&value) == MCP_OK)
		http_response_header(res, name, value.data);
	else if (res->headers.status == MCP_OK)
		/* The whole answer fails then, rather than going out without the field. */
		res->headers.status = buf_status(&value);
	buf_clear(&value);
}

void
http_response_json(struct http_response *res, int status, const char *text)
{
	res->status = status;
	http_response_header(res, "Content-Type", "application/json");
	buf_reset(&res->body);
	buf_puts(&res->body, text);
}

enum mcp_err
http_response_head(const struct http_response *res, bool in_pieces, struct buf *out)
{
	const char *reason = http_reason(res->status);

	if (buf_status(&res->headers) != MCP_OK)
		return buf_status(&res->headers);
	if (buf_status(&res->body) != MCP_OK)
		return buf_status(&res->body);
	buf_printf(out, "Status: %d%s%s\r\n", res->status, *reason ? " " : "", reason);
	buf_put(out, res->headers.data, res->headers.len);
	/* Some fronts pass a length of these two on, which clients then wait for. */
	if (res->status != 204 && res->status != 304 && !in_pieces)
		buf_printf(out, "Content-Length: %zu\r\n", res->body.len);
	buf_puts(out, "\r\n");
	return buf_status(out);
}

void
http_response_settle(struct http_response *res)
{
	if (buf_status(&res->headers) != MCP_OK || buf_status(&res->body) != MCP_OK) {
		/* What memory the buffers have is kept, so this fits even now, unless they had none at all. */
		http_response_reset(res);
		http_response_json(res, 503, "{\"error\": \"server out of resources\"}");
		http_response_header(res, "Retry-After", "5");
		http_response_header(res, "Cache-Control", "no-store");
	} else if (res->status == 0) {
		http_response_reset(res);
		http_response_json(res, 500, "{\"error\": \"internal server error\"}");
	}
}

const char *
http_reason(int status)
{
	static const struct {
		int status;
		const char *reason;
	} reasons[] = {
		{ 200, "OK" },
		{ 201, "Created" },
		{ 202, "Accepted" },
		{ 204, "No Content" },
		{ 302, "Found" },
		{ 303, "See Other" },
		{ 304, "Not Modified" },
		{ 400, "Bad Request" },
		{ 401, "Unauthorized" },
		{ 403, "Forbidden" },
		{ 404, "Not Found" },
		{ 405, "Method Not Allowed" },
		{ 406, "Not Acceptable" },
		{ 408, "Request Timeout" },
		{ 409, "Conflict" },
		{ 410, "Gone" },
		{ 411, "Length Required" },
		{ 413, "Content Too Large" },
		{ 414, "URI Too Long" },
		{ 415, "Unsupported Media Type" },
		{ 421, "Misdirected Request" },
		{ 422, "Unprocessable Content" },
		{ 429, "Too Many Requests" },
		{ 431, "Request Header Fields Too Large" },
		{ 500, "Internal Server Error" },
		{ 501, "Not Implemented" },
		{ 502, "Bad Gateway" },
		{ 503, "Service Unavailable" },
		{ 504, "Gateway Timeout" },
	};

	for (size_t i = 0; i < sizeof(reasons) / sizeof(reasons[0]); i++)
		if (reasons[i].status == status)
			return reasons[i].reason;
	return "";
}
