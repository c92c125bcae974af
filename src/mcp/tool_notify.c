/* SPDX-License-Identifier: MIT */
/* Answers for what a tool tells its client while it works, and for whether the client still wants it. */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/json.h"
#include "mcp/era.h"
#include "mcp/notify.h"
#include "mcp/rpc.h"
#include "mcp/stream.h"
#include "mcp/tool.h"

#define NOTIFICATION_MAX (1024 * 1024)	/* bytes of one; what is longer is left out */

static void
begin(struct buf *out, const char *method)
{
	buf_init(out, NOTIFICATION_MAX);
	buf_printf(out, "{\"jsonrpc\":\"2.0\",\"method\":\"%s\",\"params\":{", method);
}

/* Close the notification and send it; "out" is released. Only memory is an error of the tool's. */
static enum mcp_err
finish(struct rpc *x, struct buf *out)
{
	struct mcp_event event;
	enum mcp_err err;

	buf_puts(out, "}}");
	event = (struct mcp_event){ .json = out->data, .len = out->len };
	err = buf_status(out) ? buf_status(out) : x->message->stream->send(x->message->stream->ctx, &event);
	buf_clear(out);
	return err == MCP_ENOMEM ? MCP_ENOMEM : MCP_OK;
}

static void
put_number(struct buf *out, double number)
{
	/* The shortest form that reads back as the same number. */
	for (int digits = 15; digits <= 17; digits++) {
		char text[40];

		snprintf(text, sizeof(text), "%.*g", digits, number);
		if (digits == 17 || strtod(text, NULL) == number) {
			buf_puts(out, text);
			return;
		}
	}
}

enum mcp_err
tool_progress(struct tool_call *call, double progress, double total, const char *message)
{
	struct rpc *x = call->rpc;
	struct notify *n = x ? &x->notify : NULL;
	struct buf out;

	if (!n || !n->token || !x->message->stream || !isfinite(progress) || (n->progressed && progress <= n->progress))
		return MCP_OK;
	/* The last one of a total is always told. */
	if (!notify_allows(n, clock_monotonic_ms()) && !(total > 0 && progress >= total))
		return MCP_OK;
	n->progressed = true;
	n->progress = progress;
	begin(&out, "notifications/progress");
	buf_puts(&out, "\"progressToken\":");
	json_render(n->token, &out);
	buf_puts(&out, ",\"progress\":");
	put_number(&out, progress);
	if (total > 0 && isfinite(total)) {
		buf_puts(&out, ",\"total\":");
		put_number(&out, total);
	}
	if (message) {
		buf_puts(&out, ",\"message\":");
		json_render_string(message, strlen(message), &out);
	}
	return finish(x, &out);
}

enum mcp_err
tool_log(struct tool_call *call, enum tool_log_level level, const char *logger, struct json_object *data)
{
	struct rpc *x = call->rpc;
	enum mcp_err err = MCP_OK;
	struct buf out;

	if (x && x->message->stream && x->notify.log_from > 0 && 1 + (int)level >= x->notify.log_from &&
	    notify_allows(&x->notify, clock_monotonic_ms())) {
		begin(&out, "notifications/message");
		buf_printf(&out, "\"level\":\"%s\"", notify_level_name((int)level));
		if (logger) {
			buf_puts(&out, ",\"logger\":");
			json_render_string(logger, strlen(logger), &out);
		}
		buf_puts(&out, ",\"data\":");
		json_render(data, &out);
		err = finish(x, &out);
	}
	json_free(data);
	return err;
}

bool
tool_cancelled(const struct tool_call *call)
{
	struct rpc *x = call->rpc;
	const struct mcp_watch *watch = x ? x->message->watch : NULL;

	if (call->deadline_ms && clock_monotonic_ms() >= call->deadline_ms)
		return true;
	if (!x)
		return false;
	if (x->era->leaving_cancels)
		return watch && watch->is_gone(watch->ctx);
	return inflight_is_cancelled(x);
}

enum mcp_err
tool_end_stream(struct tool_call *call, int64_t retry_ms)
{
	return call->rpc ? resume_release(call->rpc, retry_ms) : MCP_ENOTSUP;
}
