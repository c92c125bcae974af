/* SPDX-License-Identifier: MIT */
#include "mcp/listen_filter.h"

#include <string.h>

#include "base/json.h"
#include "mcp/call.h"
#include "mcp/rpc.h"
#include "mcp/service.h"
#include "mcp/uri_template.h"

static const char *const members[] = {
	[BUS_TOOLS_CHANGED] = "toolsListChanged",
	[BUS_PROMPTS_CHANGED] = "promptsListChanged",
	[BUS_RESOURCES_CHANGED] = "resourcesListChanged"
};

#define URIS "resourceSubscriptions"

static bool
is_served(const struct mcp_service *service, enum bus_kind kind)
{
	switch (kind) {
	case BUS_PROMPTS_CHANGED:
		return service_has_prompts(service);
	case BUS_RESOURCES_CHANGED:
		return service_has_resources(service);
	default:
		return true;
	}
}

/* Whether the caller may read what "uri" names: who may not read it does not learn of its changes either. */
static enum mcp_err
may_read(struct rpc *x, const char *uri, bool *may)
{
	const struct registry *registry = x->service->registry;
	const struct registry_entry *e = registry_find(registry, REGISTRY_RESOURCE, uri);
	enum mcp_err err = e ? MCP_OK : MCP_ENOENT;
	struct json_object *values;

	for (size_t i = 0; i < registry_count(registry, REGISTRY_TEMPLATE) && err == MCP_ENOENT; i++) {
		e = registry_at(registry, REGISTRY_TEMPLATE, i);
		err = uri_template_match(e->pattern, uri, &values);
		json_free(values);
	}
	*may = !err && registry_judge(e, x->message->principal) == OAUTH_OK;
	return err == MCP_ENOENT ? MCP_OK : err;
}

static int
refuse(struct rpc *x, const char *why)
{
	return rpc_error(x, JSONRPC_INVALID_PARAMS, "Invalid params: %s", why);
}

static int
read_uris(struct rpc *x, const struct json_object *uris, struct strlist *out)
{
	for (size_t i = 0; i < json_count(uris); i++) {
		enum mcp_err err;
		const char *uri;
		size_t len;
		bool may;

		if (json_as_string(json_at(uris, i), &uri, &len) != MCP_OK)
			return refuse(x, "\"" URIS "\" must be an array of strings");
		err = may_read(x, uri, &may);
		if (!err && may)
			err = strlist_add_unique(out, uri, len);
		if (err)
			return rpc_error(x, JSONRPC_INTERNAL_ERROR, "Internal error: out of memory");
	}
	return 0;
}

int
listen_filter_read(struct rpc *x, struct listen_filter *f)
{
	struct json_object *wanted, *uris;
	enum mcp_err err;

	if (json_get_object(x->in.params, "notifications", &wanted) != MCP_OK)
		return refuse(x, "\"notifications\" must be an object");
	for (int kind = BUS_TOOLS_CHANGED; kind <= BUS_RESOURCES_CHANGED; kind++) {
		bool asked = false;

		err = json_get_bool(wanted, members[kind], &asked);
		if (err && err != MCP_ENOENT)
			return rpc_error(x, JSONRPC_INVALID_PARAMS, "Invalid params: \"%s\" must be true or false",
			    members[kind]);
		f->lists[kind] = !err && asked && is_served(x->service, (enum bus_kind)kind);
	}
	err = json_get_array(wanted, URIS, &uris);
	if (err == MCP_ENOENT)
		return 0;
	if (err)
		return refuse(x, "\"" URIS "\" must be an array of strings");
	if (json_count(uris) > LISTEN_URIS_MAX)
		return refuse(x, "\"" URIS "\" names too many resources");
	return read_uris(x, uris, &f->uris);
}

void
listen_filter_lists(const struct mcp_service *service, struct listen_filter *f)
{
	for (int kind = BUS_TOOLS_CHANGED; kind <= BUS_RESOURCES_CHANGED; kind++)
		f->lists[kind] = is_served(service, (enum bus_kind)kind);
}

void
listen_filter_clear(struct listen_filter *f)
{
	strlist_clear(&f->uris);
}

bool
listen_filter_wants(const struct listen_filter *f, enum bus_kind kind, const char *uri)
{
	return kind == BUS_RESOURCE_UPDATED ? strlist_has(&f->uris, uri)
	    : kind < BUS_RESOURCE_UPDATED && f->lists[kind];
}

void
listen_filter_render(const struct listen_filter *f, struct buf *out)
{
	const char *comma = "";

	buf_putc(out, '{');
	for (int kind = BUS_TOOLS_CHANGED; kind <= BUS_RESOURCES_CHANGED; kind++)
		if (f->lists[kind]) {
			buf_printf(out, "%s\"%s\":true", comma, members[kind]);
			comma = ",";
		}
	for (size_t i = 0; i < f->uris.n; i++) {
		buf_puts(out, i ? "," : comma);
		if (i == 0)
			buf_puts(out, "\"" URIS "\":[");
		json_render_string(f->uris.v[i], strlen(f->uris.v[i]), out);
	}
	if (f->uris.n)
		buf_putc(out, ']');
	buf_putc(out, '}');
}
