/* SPDX-License-Identifier: MIT */
/*
 * Answers for one call of a tool: read the request, find the tool, judge the caller, validate the arguments, run it,
 * render the result. Nothing of the arguments is logged.
 */
#include "mcp/tools_call.h"

#include <stdlib.h>
#include <string.h>

#include "base/json.h"
#include "base/log.h"
#include "mcp/call.h"
#include "mcp/denied.h"
#include "mcp/era.h"
#include "mcp/registry.h"
#include "mcp/rpc.h"
#include "schema/schema.h"

#define FAULTS_MAX (8 * 1024)		/* bytes of the text that tells what is wrong with arguments */

/* Render a CallToolResult of what is in "call". */
static int
answer(struct rpc *x, const struct tool_call *call)
{
	struct buf *out = &x->reply->body;

	x->reply->tool_error = call->is_error;
	rpc_result_begin(x);
	buf_puts(out, "\"content\":");
	call_render_content(call, out);
	if (call->has_structured && (x->era->form == REGISTRY_FULL || json_kind(call->structured) == JSON_OBJECT)) {
		buf_puts(out, ",\"structuredContent\":");
		json_render(call->structured, out);
	}
	buf_puts(out, call->is_error ? ",\"isError\":true" : ",\"isError\":false");
	return rpc_result_end(x);
}

static int
out_of_memory(struct rpc *x)
{
	return rpc_error(x, JSONRPC_INTERNAL_ERROR, "Internal error: out of memory");
}

/* Returns 0 when the arguments are good, else -1 with the answer. */
static int
check_arguments(struct rpc *x, const struct registry_entry *e, struct tool_call *call)
{
	struct buf text;
	int rc = 0;

	buf_init(&text, FAULTS_MAX);
	buf_printf(&text, "Invalid arguments for %s:", e->tool->name);
	if (!schema_validate(e->input, call->arguments, &text)) {
		call->is_error = true;
		rc = buf_status(&text) != MCP_ENOMEM && tool_text(call, text.data, text.len) == MCP_OK ?
		    answer(x, call) : out_of_memory(x);
	}
	buf_clear(&text);
	return rc;
}

/*
 * Whether the tool kept the promise of its output schema; a caller's client would refuse anything else with a worse
 * message.
 */
static bool
keeps_promise(const struct rpc *x, const struct registry_entry *e, const struct tool_call *call)
{
	struct buf faults;
	bool good;

	if (!e->output || call->is_error)
		return true;
	buf_init(&faults, FAULTS_MAX);
	good = schema_validate(e->output, call->structured, &faults);
	if (!good)
		log_error("request %s: tool %s: its result does not fit its output schema: %s", x->message->request_id,
		    e->tool->name, faults.data);
	buf_clear(&faults);
	return good;
}

static int
run(struct rpc *x, const struct registry_entry *e, struct tool_call *call)
{
	const char *name = e->tool->name;

	if (check_arguments(x, e, call) < 0 || call_end(x, call, e->tool->call(call), "tool", name) < 0)
		return -1;
	if (keeps_promise(x, e, call))
		return answer(x, call);
	return rpc_error(x, JSONRPC_INTERNAL_ERROR, "Internal error: the tool %s failed", name);
}

int
tools_call(struct rpc *x)
{
	struct json_object *empty = NULL, *arguments;
	const struct registry_entry *e = call_find_named(x, REGISTRY_TOOL, "tool");
	char *organisation = NULL;
	struct tool_call call;

	if (!e)
		return -1;
	switch (json_get_object(x->in.params, "arguments", &arguments)) {
	case MCP_OK:
		break;
	case MCP_ENOENT:
		arguments = empty = json_new_object();
		if (!empty)
			return out_of_memory(x);
		break;
	default:
		return rpc_error(x, JSONRPC_INVALID_PARAMS, "Invalid params: \"arguments\" must be an object");
	}
	x->reply->outcome = registry_judge(e, x->message->principal);
	if (x->era->check_arguments && x->era->check_arguments(x, e, arguments) < 0) {
		x->reply->outcome = OAUTH_OK;	/* not told: the request has to come again anyway */
	} else if (x->reply->outcome) {
		denied(x, e);
	} else if (org_rule_choose(e->organisation, x->message->principal, &organisation)) {
		out_of_memory(x);
	} else {
		if (call_begin(x, arguments, e->tool->context, &call) == 0) {
			call.organisation = organisation;
			run(x, e, &call);
		}
		call_clear(&call);
	}
	json_free(empty);
	free(organisation);
	return -1;
}
