/* SPDX-License-Identifier: MIT */
/* Answers for questions to clients of the legacy era. */
#include "mcp/legacy_ask.h"

#include <string.h>

#include "base/json.h"
#include "mcp/rpc.h"
#include "mcp/tool.h"

int
legacy_ask_begin(struct rpc *x, struct tool_call *call)
{
	(void)x;
	(void)call;
	return 0;
}

/* Without a session there is nobody whose answer it could be. */
enum mcp_err
legacy_ask(struct rpc *x, struct tool_call *call, const char *key, const char *method, struct json_object *params,
    const struct json_object **result)
{
	(void)x;
	(void)call;
	(void)key;
	(void)method;
	(void)result;
	json_free(params);
	return MCP_ENOTSUP;
}

/* Of the three methods that may ask only a tool's result can be an error that the model reads. */
int
legacy_ask_failed(struct rpc *x, struct tool_call *call)
{
	if (strcmp(x->reply->method, "tools/call") != 0)
		return rpc_error(x, JSONRPC_INTERNAL_ERROR, "%s", call->ask_fault);
	json_free(call->content);
	call->content = NULL;
	json_free(call->structured);
	call->structured = NULL;
	call->has_structured = false;
	if (tool_error(call, "%s", call->ask_fault))
		return rpc_error(x, JSONRPC_INTERNAL_ERROR, "Internal error: out of memory");
	return 0;
}
