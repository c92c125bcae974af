/* SPDX-License-Identifier: MIT */
#include "mcp/resources.h"

#include <string.h>

#include "base/json.h"
#include "base/log.h"
#include "mcp/call.h"
#include "mcp/denied.h"
#include "mcp/era.h"
#include "mcp/registry.h"
#include "mcp/rpc.h"
#include "mcp/uri_template.h"

static int
not_found(struct rpc *x, const char *uri, size_t len)
{
	struct json_object *data = json_new_object();

	if (!data || len > URI_MAX || json_set_new(data, "uri", json_new_string(uri, len))) {
		json_free(data);
		data = NULL;
	}
	return rpc_error_as(x, 200, x->era->resource_not_found, "Resource not found", data);
}

static int
out_of_memory(struct rpc *x)
{
	return rpc_error(x, JSONRPC_INTERNAL_ERROR, "Internal error: out of memory");
}

/* The first template that matches and that the caller may see. MCP_ENOENT: none; MCP_ENOMEM. */
static enum mcp_err
find_template(const struct rpc *x, const char *uri, const struct registry_entry **out, struct json_object **values)
{
	const struct registry *registry = x->service->registry;
	enum mcp_err err = MCP_ENOENT;

	for (size_t i = 0; i < registry_count(registry, REGISTRY_TEMPLATE) && err == MCP_ENOENT; i++) {
		*out = registry_at(registry, REGISTRY_TEMPLATE, i);
		if (call_sees(x, *out))
			err = uri_template_match((*out)->pattern, uri, values);
	}
	return err;
}

/* Contents that answers of the client went into are not to be kept: these are not in a cache's key. */
static int
answer(struct rpc *x, const struct registry_entry *e, const struct tool_call *call)
{
	int64_t ttl_s = e->kind == REGISTRY_TEMPLATE ? e->template->ttl_s : e->resource->ttl_s;

	if (call->answers || call->answered || call->state || ttl_s < 0)
		ttl_s = 0;
	if (!call->content) {
		log_error("request %s: resource %s has no contents", x->message->request_id, e->name);
		return rpc_error(x, JSONRPC_INTERNAL_ERROR, "Internal error: the resource has no contents");
	}
	rpc_result_begin(x);
	buf_puts(&x->reply->body, "\"contents\":");
	call_render_content(call, &x->reply->body);
	/* What a function reads may depend on who asks. */
	rpc_cache_hints(x, ttl_s * 1000, true);
	return rpc_result_end(x);
}

static int
read_entry(struct rpc *x, const struct registry_entry *e, const char *uri, const struct json_object *values)
{
	bool is_template = e->kind == REGISTRY_TEMPLATE;
	struct tool_call call;
	enum mcp_err err;

	if (call_begin(x, values, is_template ? e->template->context : e->resource->context, &call) == 0) {
		call.uri = uri;
		err = is_template ? e->template->read(&call) : e->resource->read(&call);
		if (err == MCP_ENOENT)
			not_found(x, uri, strlen(uri));
		else if (call_end(x, &call, err, "resource", e->name) == 0)
			answer(x, e, &call);
	}
	call_clear(&call);
	return -1;
}

/*
 * The resource or template that params names, which the caller may read. Returns 0, or -1 with the answer. *values is
 * for json_free() in both cases.
 */
static int
find(struct rpc *x, const char **uri, const struct registry_entry **e, struct json_object **values)
{
	enum mcp_err err = MCP_OK;
	size_t len;

	*values = NULL;
	if (json_get_string(x->in.params, "uri", uri, &len) != MCP_OK)
		return rpc_error(x, JSONRPC_INVALID_PARAMS, "Invalid params: \"uri\" must be a string");
	*e = call_find(x, REGISTRY_RESOURCE, *uri);
	if (!*e)
		err = find_template(x, *uri, e, values);
	else if (!(*values = json_new_object()))
		err = MCP_ENOMEM;
	if (err)
		return err == MCP_ENOENT ? not_found(x, *uri, len) : out_of_memory(x);
	x->reply->outcome = registry_judge(*e, x->message->principal);
	return x->reply->outcome ? denied(x, *e) : 0;
}

int
resources_read(struct rpc *x)
{
	const struct registry_entry *e;
	struct json_object *values;
	const char *uri;

	if (find(x, &uri, &e, &values) == 0)
		read_entry(x, e, uri, values);
	json_free(values);
	return -1;
}

int
resources_subscribe(struct rpc *x)
{
	const struct registry_entry *e;
	struct json_object *values;
	const char *uri;

	if (find(x, &uri, &e, &values) == 0)
		session_subscribe(x, uri, true);
	json_free(values);
	return -1;
}

/* One that was not there is fine, and so is one whose resource is gone. */
int
resources_unsubscribe(struct rpc *x)
{
	const char *uri;

	if (json_get_string(x->in.params, "uri", &uri, NULL) != MCP_OK)
		return rpc_error(x, JSONRPC_INVALID_PARAMS, "Invalid params: \"uri\" must be a string");
	return session_subscribe(x, uri, false);
}
