/* SPDX-License-Identifier: MIT */
#include "mcp/prompts.h"

#include <string.h>

#include "base/json.h"
#include "mcp/call.h"
#include "mcp/denied.h"
#include "mcp/registry.h"
#include "mcp/rpc.h"

/* Copy the arguments that the prompt knows. Returns 0, or -1 after an answer. */
static int
read_arguments(struct rpc *x, const struct prompt *prompt, struct json_object **out)
{
	struct json_object *given = NULL, *value;
	const char *text;
	size_t len;

	if (json_get_object(x->in.params, "arguments", &given) == MCP_ETYPE)
		return rpc_error(x, JSONRPC_INVALID_PARAMS, "Invalid params: \"arguments\" must be an object");
	*out = json_new_object();
	if (!*out)
		return rpc_error(x, JSONRPC_INTERNAL_ERROR, "Internal error: out of memory");
	for (const struct prompt_argument *a = prompt->arguments; a && a->name; a++) {
		if (!given || json_get(given, a->name, &value) != MCP_OK) {
			if (a->required)
				return rpc_error(x, JSONRPC_INVALID_PARAMS, "Invalid params: the argument \"%s\" is "
				    "required", a->name);
			continue;
		}
		if (json_as_string(value, &text, &len) != MCP_OK)
			return rpc_error(x, JSONRPC_INVALID_PARAMS, "Invalid params: the argument \"%s\" must be a "
			    "string", a->name);
		if (json_set_new(*out, a->name, json_new_string(text, len)))
			return rpc_error(x, JSONRPC_INTERNAL_ERROR, "Internal error: out of memory");
	}
	return 0;
}

static int
answer(struct rpc *x, const struct prompt *prompt, const struct tool_call *call)
{
	struct buf *out = &x->reply->body;

	rpc_result_begin(x);
	if (prompt->description) {
		buf_puts(out, "\"description\":");
		json_render_string(prompt->description, strlen(prompt->description), out);
		buf_putc(out, ',');
	}
	buf_puts(out, "\"messages\":");
	call_render_content(call, out);
	return rpc_result_end(x);
}

int
prompts_get(struct rpc *x)
{
	const struct registry_entry *e = call_find_named(x, REGISTRY_PROMPT, "prompt");
	struct json_object *arguments = NULL;
	struct tool_call call;

	if (!e)
		return -1;
	x->reply->outcome = registry_judge(e, x->message->principal);
	if (x->reply->outcome)
		return denied(x, e);
	if (read_arguments(x, e->prompt, &arguments) == 0) {
		if (call_begin(x, arguments, e->prompt->context, &call) == 0) {
			call.role = TOOL_USER;
			if (call_end(x, &call, e->prompt->get(&call), "prompt", e->name) == 0)
				answer(x, e->prompt, &call);
		}
		call_clear(&call);
	}
	json_free(arguments);
	return -1;
}
