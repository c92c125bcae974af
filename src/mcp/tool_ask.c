/* SPDX-License-Identifier: MIT */
/* Answers for what a tool asks its client, and for what it remembers from one round of questions to the next. */
#include <string.h>

#include "base/buf.h"
#include "base/json.h"
#include "base/log.h"
#include "base/text.h"
#include "mcp/ask.h"
#include "mcp/ask_params.h"
#include "mcp/describe.h"
#include "mcp/era.h"
#include "mcp/rpc.h"
#include "mcp/tool.h"

#define KEY_MAX 128		/* bytes of the name of a question */

/* MCP_OK: the client can be asked. */
static enum mcp_err
check_capability(struct rpc *x, struct tool_call *call, const char *method, const struct json_object *params)
{
	enum mcp_err err = ask_capable(x->capabilities, method, params, &call->missing);
	struct buf text;

	if (err != MCP_ENOTSUP)
		return err;
	buf_init(&text, 128);
	json_render(call->missing, &text);
	err = ask_fault(call, err, "Missing required client capability: %s", text.data);
	buf_clear(&text);
	return err;
}

enum mcp_err
tool_ask(struct tool_call *call, const char *key, const char *method, struct json_object *params,
    const struct json_object **result)
{
	const char *why = "its key is 1 to 128 bytes of UTF-8";
	struct rpc *x = call->rpc;
	size_t key_len = strlen(key);
	enum mcp_err err = MCP_ENOTSUP;

	*result = NULL;
	if (key_len < 1 || key_len > KEY_MAX || !text_is_utf8(key, key_len) ||
	    !ask_params_are_good(method, params, &why)) {
		log_error("request %s: a question %s cannot be asked: %s", call->request_id, method, why);
		err = MCP_EINVAL;
	} else if (x && ask_during(x->in.method, x->in.method_len))
		err = check_capability(x, call, method, params);
	if (!err)
		return x->era->asking->ask(x, call, key, method, params, result);
	json_free(params);
	return err;
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
