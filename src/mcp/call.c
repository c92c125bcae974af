/* SPDX-License-Identifier: MIT */
#include "mcp/call.h"

#include <string.h>

#include "base/clock.h"
#include "base/json.h"
#include "base/log.h"
#include "mcp/rpc.h"
#include "mcp/tool.h"

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
	return 0;
}

void
call_clear(struct tool_call *call)
{
	json_free(call->content);
	json_free(call->structured);
	json_free(call->asked);
	json_free(call->state);
	json_free(call->missing);
}

int
call_end(struct rpc *x, struct tool_call *call, enum mcp_err err, const char *kind, const char *name)
{
	(void)call;
	if (!err)
		return 0;
	log_error("request %s: %s %s failed: %s", x->message->request_id, kind, name, mcp_strerror(err));
	return rpc_error(x, JSONRPC_INTERNAL_ERROR, "Internal error: the %s %s failed", kind, name);
}
