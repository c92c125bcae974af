/* SPDX-License-Identifier: MIT */
/*
 * The legacy era: 2025-11-25, 2025-06-18, 2025-03-26. A client says initialize first, and may bring the session that it
 * gets with every request after it (session.h); without one each request names its version in a header. JSON-RPC errors
 * travel with status 200, because clients of this era do not read the body of any other. Source: MCP 2025-11-25
 * basic/lifecycle, basic/transports, basic/utilities/ping.
 */
#include <string.h>

#include "base/json.h"
#include "mcp/completion.h"
#include "mcp/era.h"
#include "mcp/legacy_ask.h"
#include "mcp/list.h"
#include "mcp/listen.h"
#include "mcp/prompts.h"
#include "mcp/resources.h"
#include "mcp/service.h"
#include "mcp/tools_call.h"

static int
initialize(struct rpc *x)
{
	struct json_object *value, *capabilities;
	const char *requested;
	size_t len;

	if (json_get_string(x->in.params, "protocolVersion", &requested, &len) != MCP_OK)
		return rpc_error(x, JSONRPC_INVALID_PARAMS, "Invalid params: \"protocolVersion\" must be a string");
	if (json_get_object(x->in.params, "capabilities", &capabilities) != MCP_OK)
		return rpc_error(x, JSONRPC_INVALID_PARAMS, "Invalid params: \"capabilities\" must be an object");
	if (json_get_object(x->in.params, "clientInfo", &value) != MCP_OK)
		return rpc_error(x, JSONRPC_INVALID_PARAMS, "Invalid params: \"clientInfo\" must be an object");
	/* The version asked for if we speak it, else our newest: the client decides whether it goes on. */
	x->version = era_version(&era_legacy, requested, len);
	if (!x->version)
		x->version = era_legacy.versions[0];
	session_begin(x, capabilities);
	rpc_result_begin(x);
	buf_printf(&x->reply->body, "\"protocolVersion\":\"%s\"", x->version);
	/* Changes are told on a stream of the session's own. */
	service_render_offer(x->service, x->reply->session_id[0] && listen_has_place(x), &x->reply->body);
	buf_puts(&x->reply->body, ",\"serverInfo\":");
	service_render_info(x->service, &x->reply->body);
	return rpc_result_end(x);
}

/* The session of every message but the one that begins one. */
static int
open_session(struct rpc *x)
{
	static const char begins[] = "initialize";

	if (x->in.kind == JSONRPC_REQUEST && x->in.method_len == sizeof begins - 1 &&
	    memcmp(x->in.method, begins, sizeof begins - 1) == 0)
		return 0;
	return session_open(x);
}

static int
ping(struct rpc *x)
{
	rpc_result_begin(x);
	return rpc_result_end(x);
}

static void
result_members(struct rpc *x)
{
	if (x->meta)
		buf_printf(&x->reply->body, ",\"_meta\":{%s}", x->meta);
}

static const char *const versions[] = { "2025-11-25", "2025-06-18", "2025-03-26", NULL };

static const struct method methods[] = {
	{ "completion/complete", completion_complete, NULL, service_has_completions },
	{ "initialize", initialize, NULL, NULL },
	{ "logging/setLevel", session_set_level, NULL, NULL },
	{ "ping", ping, NULL, NULL },
	{ "prompts/get", prompts_get, NULL, service_has_prompts },
	{ "prompts/list", prompts_list, NULL, service_has_prompts },
	{ "resources/list", resources_list, NULL, service_has_resources },
	{ "resources/read", resources_read, NULL, service_has_resources },
	{ "resources/subscribe", resources_subscribe, NULL, service_has_resources },
	{ "resources/templates/list", resource_templates_list, NULL, service_has_resources },
	{ "resources/unsubscribe", resources_unsubscribe, NULL, service_has_resources },
	{ "tools/call", tools_call, NULL, NULL },
	{ "tools/list", tools_list, NULL, NULL },
	{ NULL, NULL, NULL, NULL }
};

static const struct method notifications[] = {
	{ "notifications/cancelled", inflight_cancelled, NULL, NULL },
	{ "notifications/initialized", NULL, NULL, NULL },
	{ "notifications/progress", NULL, NULL, NULL },
	{ "notifications/roots/list_changed", NULL, NULL, NULL },
	{ NULL, NULL, NULL, NULL }
};

static const struct era_status statuses[] = {
	{ JSONRPC_PARSE_ERROR, 400 },
	{ JSONRPC_INVALID_REQUEST, 400 },
	{ 0, 0 }
};

static const struct era_asking asking = {
	.begin = legacy_ask_begin, .ask = legacy_ask, .failed = legacy_ask_failed
};

const struct era era_legacy = {
	.versions = versions,
	.methods = methods,
	.notifications = notifications,
	.statuses = statuses,
	.open = open_session,
	.response = legacy_ask_response,
	.resource_not_found = JSONRPC_RESOURCE_NOT_FOUND,
	.form = REGISTRY_OBJECTS,
	.asking = &asking,
	.result_members = result_members
};
