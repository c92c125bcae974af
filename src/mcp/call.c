/* SPDX-License-Identifier: MIT */
#include "mcp/call.h"

#include <stdio.h>
#include <string.h>

#include "base/clock.h"
#include "base/json.h"
#include "base/log.h"
#include "mcp/era.h"
#include "mcp/rpc.h"
#include "mcp/tool.h"
#include "mcp/trace.h"

int
call_begin(struct rpc *x, const struct json_object *arguments, void *context, struct tool_call *call)
{
	memset(call, 0, sizeof *call);
	call->rpc = x;
	call->principal = x->message->principal;
	call->arguments = arguments;
	call->request_id = x->message->request_id;
	call->now_s = x->message->now_s;
	call->deadline_ms = clock_monotonic_ms() + x->service->tool_timeout_ms;
	call->context = context;
	trace_read(x->in.params, &call->trace);
	if (!x->era->leaving_cancels)
		inflight_add(x);
	if (notify_begin(x) < 0)
		return -1;
	return x->era->asking->begin(x, call);
}

void
call_clear(struct tool_call *call)
{
	inflight_remove(call->rpc);
	json_free(call->content);
	json_free(call->structured);
	json_free(call->asked);
	json_free(call->state);
	json_free(call->answered);
	json_free(call->missing);
}

void
call_render_content(const struct tool_call *call, struct buf *out)
{
	if (call->content)
		json_render(call->content, out);
	else
		buf_puts(out, "[]");
}

bool
call_sees(const struct rpc *x, const struct registry_entry *e)
{
	return !x->service->filter_lists || registry_judge(e, x->message->principal) == OAUTH_OK;
}

const struct registry_entry *
call_find(struct rpc *x, enum registry_kind kind, const char *name)
{
	const struct registry_entry *e = registry_find(x->service->registry, kind, name);

	if (!e || !call_sees(x, e))
		return NULL;
	snprintf(x->reply->tool, sizeof x->reply->tool, "%s", e->name);
	return e;
}

const struct registry_entry *
call_find_named(struct rpc *x, enum registry_kind kind, const char *word)
{
	const struct registry_entry *e;
	char shown[RPC_SHOWN];
	const char *name;
	size_t len;

	if (json_get_string(x->in.params, "name", &name, &len) != MCP_OK) {
		rpc_error(x, JSONRPC_INVALID_PARAMS, "Invalid params: \"name\" must be a string");
		return NULL;
	}
	e = call_find(x, kind, name);
	if (!e)
		rpc_error(x, JSONRPC_INVALID_PARAMS, "Unknown %s: %s", word, rpc_shown(name, len, shown));
	return e;
}

int
call_end(struct rpc *x, struct tool_call *call, enum mcp_err err, const char *kind, const char *name)
{
	/* Who has cancelled it waits for no answer. */
	if (atomic_load(&x->inflight.cancelled))
		return rpc_accepted(x);
	if (call->asked && (!err || err == MCP_EAGAIN))
		return x->era->asking->end(x, call);
	if (!err)
		return 0;
	if (call->ask_fault[0] && err == call->ask_err)
		return x->era->asking->failed(x, call);
	log_error("request %s: %s %s failed: %s", x->message->request_id, kind, name, mcp_strerror(err));
	return rpc_error(x, JSONRPC_INTERNAL_ERROR, "Internal error: the %s %s failed", kind, name);
}
