/* SPDX-License-Identifier: MIT */
/* Answers for what a tool asks its client, and for what it remembers from one round of questions to the next. */
#include "base/json.h"
#include "mcp/describe.h"
#include "mcp/tool.h"

enum mcp_err
tool_ask(struct tool_call *call, const char *key, const char *method, struct json_object *params,
    const struct json_object **result)
{
	(void)call;
	(void)key;
	(void)method;
	json_free(params);
	*result = NULL;
	return MCP_ENOTSUP;
}

/* Ask with the params that were described. */
static enum mcp_err
ask(struct tool_call *call, const char *key, const char *method, struct describe *params,
    const struct json_object **result)
{
	*result = NULL;
	if (params->err) {
		json_free(params->object);
		return params->err;
	}
	return tool_ask(call, key, method, params->object, result);
}

enum mcp_err
tool_elicit(struct tool_call *call, const char *key, const char *message, struct json_object *schema,
    const struct json_object **result)
{
	struct describe params = { 0 };

	describe_string(&params, "mode", "form");
	describe_string(&params, "message", message);
	describe_value(&params, "requestedSchema", schema);
	return ask(call, key, "elicitation/create", &params, result);
}

enum mcp_err
tool_elicit_url(struct tool_call *call, const char *key, const char *message, const char *id, const char *url,
    const struct json_object **result)
{
	struct describe params = { 0 };

	describe_string(&params, "mode", "url");
	describe_string(&params, "message", message);
	describe_string(&params, "elicitationId", id);
	describe_string(&params, "url", url);
	return ask(call, key, "elicitation/create", &params, result);
}

enum mcp_err
tool_sample(struct tool_call *call, const char *key, struct json_object *params, const struct json_object **result)
{
	return tool_ask(call, key, "sampling/createMessage", params, result);
}

enum mcp_err
tool_roots(struct tool_call *call, const char *key, const struct json_object **result)
{
	return tool_ask(call, key, "roots/list", NULL, result);
}

const struct json_object *
tool_state(const struct tool_call *call)
{
	return call->state;
}

enum mcp_err
tool_set_state(struct tool_call *call, struct json_object *state)
{
	json_free(call->state);
	call->state = state;
	return state ? MCP_OK : MCP_ENOMEM;
}
