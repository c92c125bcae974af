/* SPDX-License-Identifier: MIT */
/* Reading a request's body under its bounds. Deadlines are kept by the source. */
#include "server/body.h"

#include "server/answer.h"

#define CHUNK_BYTES 16384

static bool
answer_read_fault(struct exchange *x, enum mcp_err err)
{
	switch (err) {
	case MCP_ETIMEOUT:
		return answer_error(x, 408, "The body took too long to arrive");
	case MCP_ENOMEM:
		answer_error(x, 503, "The server is out of resources");
		http_response_header(x->res, "Retry-After", "5");
		return true;
	default:
		return answer_error(x, 400, "The body was cut short");
	}
}

bool
body_read(struct exchange *x, size_t max)
{
	struct buf *b = &x->message;
	enum mcp_err err = MCP_OK;
	size_t room;
	ssize_t n;

	if (x->req->content_length > 0 && (uint64_t)x->req->content_length > max)
		return answer_error(x, 413, "The body is too large");
	b->max = max;
	do {
		/* One byte past the bound is asked for, so that "exactly the bound" and "more" are told apart. */
		room = max - b->len < CHUNK_BYTES ? max - b->len : CHUNK_BYTES;
		if (room == 0) {
			char extra;

			n = x->body->read(x->body->ctx, &extra, 1, &err);
			if (n > 0)
				return answer_error(x, 413, "The body is too large");
		} else {
			if (buf_reserve(b, room))
				return answer_read_fault(x, MCP_ENOMEM);
			n = x->body->read(x->body->ctx, b->data + b->len, room, &err);
			if (n > 0)
				b->len += (size_t)n;
			b->data[b->len] = '\0';
		}
	} while (n > 0);
	if (n < 0)
		return answer_read_fault(x, err);
	if (x->req->content_length >= 0 && (uint64_t)x->req->content_length != b->len)
		return answer_read_fault(x, MCP_ECLOSED);
	return false;
}
