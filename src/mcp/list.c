/* SPDX-License-Identifier: MIT */
/* Answers for lists, and for what is on a page of one. */
#include "mcp/list.h"

#include "base/json.h"
#include "mcp/registry.h"
#include "mcp/rpc.h"

/* The entries that the caller may use. */
static void
render_permitted(const struct rpc *x, enum registry_kind kind, struct buf *out)
{
	const struct registry *registry = x->service->registry;
	const struct registry_entry *e;
	const char *comma = "";

	for (size_t i = 0; i < registry_count(registry, kind); i++) {
		e = registry_at(registry, kind, i);
		if (registry_judge(e, x->message->principal) != OAUTH_OK)
			continue;
		buf_puts(out, comma);
		buf_put(out, e->listing, e->listing_len);
		comma = ",";
	}
}

static int
list(struct rpc *x, enum registry_kind kind, const char *member)
{
	const struct registry *registry = x->service->registry;
	struct buf *out = &x->reply->body;
	struct json_object *cursor;
	const char *text;
	size_t len;

	if (json_get(x->in.params, "cursor", &cursor) == MCP_OK)
		return rpc_error(x, JSONRPC_INVALID_PARAMS, "Invalid params: unknown cursor");
	rpc_result_begin(x);
	buf_printf(out, "\"%s\":[", member);
	if (x->service->filter_lists)
		render_permitted(x, kind, out);
	else {
		text = registry_list_text(registry, kind, 0, registry_count(registry, kind), &len);
		buf_put(out, text, len);
	}
	buf_putc(out, ']');
	rpc_cache_hints(x, x->service->filter_lists);
	return rpc_result_end(x);
}

int
tools_list(struct rpc *x)
{
	return list(x, REGISTRY_TOOL, "tools");
}

int
prompts_list(struct rpc *x)
{
	return list(x, REGISTRY_PROMPT, "prompts");
}

int
resources_list(struct rpc *x)
{
	return list(x, REGISTRY_RESOURCE, "resources");
}

int
resource_templates_list(struct rpc *x)
{
	return list(x, REGISTRY_TEMPLATE, "resourceTemplates");
}
