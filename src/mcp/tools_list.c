/* SPDX-License-Identifier: MIT */
#include "mcp/tools_list.h"

#include "base/json.h"
#include "mcp/rpc.h"
#include "mcp/registry.h"

/* The tools that the caller may call. */
static void
render_permitted(const struct rpc *x, struct buf *out)
{
	const struct registry *registry = x->service->registry;
	const struct registry_entry *e;
	const char *comma = "";
	size_t i;

	buf_putc(out, '[');
	for (i = 0; i < registry_count(registry); i++) {
		e = registry_at(registry, i);
		if (registry_judge(e, x->message->principal) != OAUTH_OK)
			continue;
		buf_puts(out, comma);
		buf_put(out, e->listing, e->listing_len);
		comma = ",";
	}
	buf_putc(out, ']');
}

int
tools_list(struct rpc *x)
{
	struct buf *out = &x->reply->body;
	struct json_object *cursor;
	const char *text;
	size_t len;

	if (json_get(x->in.params, "cursor", &cursor) == MCP_OK)
		return rpc_error(x, JSONRPC_INVALID_PARAMS, "Invalid params: unknown cursor");
	rpc_result_begin(x);
	buf_puts(out, "\"tools\":");
	if (x->service->filter_lists)
		render_permitted(x, out);
	else {
		text = registry_list_text(x->service->registry, &len);
		buf_put(out, text, len);
	}
	rpc_cache_hints(x, x->service->filter_lists);
	return rpc_result_end(x);
}
