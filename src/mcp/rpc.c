/* SPDX-License-Identifier: MIT */
#include "mcp/rpc.h"

#include <stdarg.h>
#include <stdio.h>

#include "base/json.h"
#include "base/text.h"
#include "mcp/era.h"

#define MESSAGE_MAX 1024		/* bytes of an error message; one quoted piece fits */
#define SHOWN_INPUT 128		/* bytes of input in a quoted piece; escaped four times as long, and dots */

static int
status_of(const struct rpc *x, int code)
{
	const struct era_status *row;

	if (!x->era)
		return code == JSONRPC_INTERNAL_ERROR ? 200 : 400;
	for (row = x->era->statuses; row->code; row++)
		if (row->code == code)
			return row->status;
	return 200;
}

int
rpc_error_as(struct rpc *x, int status, int code, const char *message, struct json_object *data)
{
	buf_reset(&x->reply->body);
	x->reply->status = status;
	x->reply->error_code = code;
	jsonrpc_render_error(x->in.id, code, message, data, &x->reply->body);
	json_free(data);
	return -1;
}

int
rpc_error(struct rpc *x, int code, const char *fmt, ...)
{
	char message[MESSAGE_MAX];
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(message, sizeof(message), fmt, ap);
	va_end(ap);
	return rpc_error_as(x, status_of(x, code), code, message, NULL);
}

int
rpc_accepted(struct rpc *x)
{
	buf_reset(&x->reply->body);
	x->reply->status = 202;
	return -1;
}

void
rpc_result_begin(struct rpc *x)
{
	jsonrpc_render_head(x->in.id, &x->reply->body);
	buf_puts(&x->reply->body, "\"result\":{");
}

int
rpc_result_end(struct rpc *x)
{
	struct buf *out = &x->reply->body;

	if (x->era->result_members)
		x->era->result_members(x);
	buf_puts(out, "}}");
	switch (buf_status(out)) {
	case MCP_OK:
		x->reply->status = 200;
		return -1;
	case MCP_ELIMIT:
		return rpc_error(x, JSONRPC_INTERNAL_ERROR, "Internal error: the result is too large");
	default:
		return rpc_error(x, JSONRPC_INTERNAL_ERROR, "Internal error: out of memory");
	}
}

void
rpc_cache_hints(struct rpc *x, int64_t ttl_ms, bool varies)
{
	if (x->era->cache_hints)
		x->era->cache_hints(x, ttl_ms, varies);
}

const char *
rpc_shown(const char *text, size_t len, char out[RPC_SHOWN])
{
	struct buf b;

	/* What does not fit is dropped by the bound of the buffer; what did fit stays. */
	buf_init(&b, RPC_SHOWN - 1);
	text_escape(text, len, SHOWN_INPUT, &b);
	snprintf(out, RPC_SHOWN, "%s", b.data);
	buf_clear(&b);
	return out;
}
