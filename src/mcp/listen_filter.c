/* SPDX-License-Identifier: MIT */
#include "mcp/listen_filter.h"

#include <stdlib.h>
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

/* The entry that "uri" names. MCP_ENOENT: none; MCP_ENOMEM. */
static enum mcp_err
find(const struct registry *registry, const char *uri, const struct registry_entry **e)
{
	enum mcp_err err;
	struct json_object *values;

	*e = registry_find(registry, REGISTRY_RESOURCE, uri);
	err = *e ? MCP_OK : MCP_ENOENT;
	for (size_t i = 0; i < registry_count(registry, REGISTRY_TEMPLATE) && err == MCP_ENOENT; i++) {
		*e = registry_at(registry, REGISTRY_TEMPLATE, i);
		err = uri_template_match((*e)->pattern, uri, &values);
		json_free(values);
	}
	return err;
}

/* Whether the caller may read what "uri" names: who may not read it does not learn of its changes either. */
static enum mcp_err
may_read(struct rpc *x, const char *uri, bool *may)
{
	const struct registry_entry *e;
	enum mcp_err err = find(x->service->registry, uri, &e);

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

/* What is at "i" among resources and, behind them, templates; NULL: no more. */
static const struct registry_entry *
entry_at(const struct registry *registry, size_t i)
{
	size_t resources = registry_count(registry, REGISTRY_RESOURCE);

	return i < resources ? registry_at(registry, REGISTRY_RESOURCE, i)
	    : registry_at(registry, REGISTRY_TEMPLATE, i - resources);
}

enum mcp_err
listen_filter_of_session(const struct rpc *x, struct listen_filter *f)
{
	const struct registry *r = x->service->registry;
	size_t n = registry_count(r, REGISTRY_RESOURCE) + registry_count(r, REGISTRY_TEMPLATE);

	for (int kind = BUS_TOOLS_CHANGED; kind <= BUS_RESOURCES_CHANGED; kind++)
		f->lists[kind] = is_served(x->service, (enum bus_kind)kind);
	f->registry = r;
	f->readable = calloc(n + 1, sizeof *f->readable);
	for (size_t i = 0; f->readable && i < n; i++)
		f->readable[i] = registry_judge(entry_at(r, i), x->message->principal) == OAUTH_OK;
	return f->readable ? MCP_OK : MCP_ENOMEM;
}

bool
listen_filter_may_read(const struct listen_filter *f, const char *uri)
{
	const struct registry_entry *e, *other;

	if (find(f->registry, uri, &e) != MCP_OK)
		return false;
	for (size_t i = 0; (other = entry_at(f->registry, i)); i++)
		if (other == e)
			return f->readable[i];
	return false;
}

void
listen_filter_clear(struct listen_filter *f)
{
	strlist_clear(&f->uris);
	free(f->readable);
	f->readable = NULL;
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
