/* SPDX-License-Identifier: MIT */
/*
 * The modern era: 2026-07-28. Each request stands for itself. The order of the checks is that of the answers: shape of
 * _meta, header against _meta, version, Mcp-Method, the method, Mcp-Name, Mcp-Param-*. Source: MCP 2026-07-28 basic
 * "_meta", basic/transports/streamable-http "Request Metadata", server/discover.
 */
#include <stdio.h>
#include <string.h>

#include "base/json.h"
#include "mcp/completion.h"
#include "mcp/era.h"
#include "mcp/list.h"
#include "mcp/listen.h"
#include "mcp/mirror.h"
#include "mcp/prompts.h"
#include "mcp/registry.h"
#include "mcp/resources.h"
#include "mcp/rounds.h"
#include "mcp/service.h"
#include "mcp/tools_call.h"

static int
refuse_meta(struct rpc *x, const char *message)
{
	return rpc_error_as(x, 400, JSONRPC_INVALID_PARAMS, message, NULL);
}

/* The members of params._meta that every request has. Sets the version that is claimed. */
static int
check_meta(struct rpc *x, const char **version, size_t *len)
{
	struct json_object *meta, *value;

	if (json_get_object(x->in.params, "_meta", &meta) != MCP_OK)
		return refuse_meta(x, "Invalid params: \"_meta\" must be an object in \"params\"");
	if (json_get_string(meta, META_PROTOCOL_VERSION, version, len) != MCP_OK)
		return refuse_meta(x, "Invalid params: _meta must have a string \"" META_PROTOCOL_VERSION "\"");
	if (json_get_object(meta, META_CLIENT_CAPABILITIES, &value) != MCP_OK)
		return refuse_meta(x, "Invalid params: _meta must have an object \"" META_CLIENT_CAPABILITIES "\"");
	x->capabilities = value;
	if (json_get_object(meta, META_CLIENT_INFO, &value) == MCP_ETYPE)
		return refuse_meta(x, "Invalid params: \"" META_CLIENT_INFO "\" must be an object");
	return 0;
}

/* Which log messages the request wants. Source: server/utilities/logging. */
static int
check_log_level(struct rpc *x)
{
	struct json_object *meta, *value;
	const char *name;
	int level = -1;
	size_t len;

	if (json_get_object(x->in.params, "_meta", &meta) != MCP_OK || json_get(meta, META_LOG_LEVEL, &value) != MCP_OK)
		return 0;
	if (json_as_string(value, &name, &len) == MCP_OK)
		level = notify_level(name, len);
	if (level < 0)
		return refuse_meta(x, "Invalid params: \"" META_LOG_LEVEL "\" is no log level");
	x->notify.log_from = 1 + level;
	return 0;
}

/* Whether a header's value is the body's, byte for byte. */
static bool
mirrors(const char *header, const char *value, size_t len)
{
	return strlen(header) == len && memcmp(header, value, len) == 0;
}

static int
mismatch(struct rpc *x, const char *field, const char *header)
{
	char shown[RPC_SHOWN];

	if (!header)
		return rpc_error(x, JSONRPC_HEADER_MISMATCH, "Header mismatch: %s is missing", field);
	return rpc_error(x, JSONRPC_HEADER_MISMATCH, "Header mismatch: %s '%s' is not what the body says", field,
	    rpc_shown(header, strlen(header), shown));
}

static int
check(struct rpc *x)
{
	const struct mcp_message *m = x->message;
	const char *version;
	size_t len;

	if (check_meta(x, &version, &len) < 0)
		return -1;
	if (!m->protocol_version || !mirrors(m->protocol_version, version, len))
		return mismatch(x, "MCP-Protocol-Version", m->protocol_version);
	x->version = era_version(&era_modern, version, len);
	if (!x->version)
		return era_refuse_version(x, version, len);
	if (!m->method || !mirrors(m->method, x->in.method, x->in.method_len))
		return mismatch(x, "Mcp-Method", m->method);
	return check_log_level(x);
}

/* What a header that should say "value" means. */
static int
judge_mirror(struct rpc *x, enum mcp_err err, const char *field, const char *header)
{
	switch (err) {
	case MCP_OK:
		return 0;
	case MCP_ENOMEM:
		return rpc_error(x, JSONRPC_INTERNAL_ERROR, "Internal error: out of memory");
	default:
		return mismatch(x, field, header);
	}
}

/* A body without the member is the method's to refuse. */
static int
check_name(struct rpc *x, const struct method *method)
{
	const char *header = x->message->name;
	struct json_object *value;

	if (!method->mirrored || json_get(x->in.params, method->mirrored, &value) != MCP_OK ||
	    json_kind(value) != JSON_STRING)
		return 0;
	if (!header)
		return mismatch(x, "Mcp-Name", NULL);
	return judge_mirror(x, mirror_says(header, value), "Mcp-Name", header);
}

static int
check_arguments(struct rpc *x, const struct registry_entry *tool, const struct json_object *arguments)
{
	char field[sizeof "Mcp-Param-" + MIRROR_NAME_MAX];
	const struct mcp_message *m = x->message;
	const char *name = "";
	bool missing = false;
	enum mcp_err err;

	if (!tool->mirror || !m->param)
		return 0;
	err = mirror_check(tool->mirror, arguments, m->param, m->param_ctx, &name, &missing);
	snprintf(field, sizeof field, "Mcp-Param-%s", name);
	return judge_mirror(x, err, field, missing ? NULL : m->param(m->param_ctx, name));
}

static int
response(struct rpc *x)
{
	return rpc_error(x, JSONRPC_INVALID_REQUEST, "Invalid Request: clients do not send responses in this version");
}

static int
discover(struct rpc *x)
{
	struct buf *out = &x->reply->body;

	rpc_result_begin(x);
	buf_puts(out, "\"supportedVersions\":[");
	era_render_versions(out);
	buf_putc(out, ']');
	service_render_offer(x->service, true, out);
	rpc_cache_hints(x, x->service->list_ttl_ms, false);
	return rpc_result_end(x);
}

static void
result_members(struct rpc *x)
{
	struct buf *out = &x->reply->body;

	/* The result of a stream has nothing else. */
	if (out->len && out->data[out->len - 1] != '{')
		buf_putc(out, ',');
	buf_printf(out, "\"resultType\":\"%s\",\"_meta\":{\"" META_SERVER_INFO "\":",
	    x->result_type ? x->result_type : "complete");
	service_render_info(x->service, out);
	if (x->meta)
		buf_printf(out, ",%s", x->meta);
	buf_putc(out, '}');
}

/* Source: server/utilities/caching. */
static void
cache_hints(struct rpc *x, int64_t ttl_ms, bool varies)
{
	buf_printf(&x->reply->body, ",\"ttlMs\":%lld,\"cacheScope\":\"%s\"", (long long)ttl_ms,
	    varies ? "private" : "public");
}

static const char *const versions[] = { "2026-07-28", NULL };

static const struct method methods[] = {
	{ "completion/complete", completion_complete, NULL, service_has_completions },
	{ "prompts/get", prompts_get, "name", service_has_prompts },
	{ "prompts/list", prompts_list, NULL, service_has_prompts },
	{ "resources/list", resources_list, NULL, service_has_resources },
	{ "resources/read", resources_read, "uri", service_has_resources },
	{ "resources/templates/list", resource_templates_list, NULL, service_has_resources },
	{ "server/discover", discover, NULL, NULL },
	{ "subscriptions/listen", listen_request, NULL, service_has_streams },
	{ "tools/call", tools_call, "name", NULL },
	{ "tools/list", tools_list, NULL, NULL },
	{ NULL, NULL, NULL, NULL }
};

static const struct method notifications[] = {
	{ "notifications/cancelled", NULL, NULL, NULL },
	{ NULL, NULL, NULL, NULL }
};

static const struct era_status statuses[] = {
	{ JSONRPC_PARSE_ERROR, 400 },
	{ JSONRPC_INVALID_REQUEST, 400 },
	{ JSONRPC_METHOD_NOT_FOUND, 404 },
	{ JSONRPC_HEADER_MISMATCH, 400 },
	{ JSONRPC_MISSING_CAPABILITY, 400 },
	{ JSONRPC_UNSUPPORTED_VERSION, 400 },
	{ 0, 0 }
};

static const struct era_asking asking = {
	.begin = rounds_begin, .ask = rounds_ask, .end = rounds_end, .failed = rounds_failed
};

const struct era era_modern = {
	.versions = versions,
	.methods = methods,
	.notifications = notifications,
	.statuses = statuses,
	.check = check,
	.check_name = check_name,
	.check_arguments = check_arguments,
	.response = response,
	.leaving_cancels = true,
	.resource_not_found = JSONRPC_INVALID_PARAMS,
	.form = REGISTRY_FULL,
	.asking = &asking,
	.result_members = result_members,
	.cache_hints = cache_hints
};
