/* SPDX-License-Identifier: MIT */
/* Answers for lists, and for what is on a page of one. */
#include "mcp/list.h"

#include "base/json.h"
#include "base/log.h"
#include "mcp/cursor.h"
#include "mcp/era.h"
#include "mcp/registry.h"
#include "mcp/rpc.h"

/* The page that is asked for: entries from "next" on, at most "left". */
struct page {
	enum registry_kind kind;
	size_t next, left;
	const struct registry_entry *last;	/* behind which there is more; NULL: nothing is */
};

/* The entries that the caller may use. */
static void
render_permitted(const struct rpc *x, struct page *p, struct buf *out)
{
	const struct registry *registry = x->service->registry;
	const struct registry_entry *e, *shown = NULL;
	const struct listing *l;

	for (size_t i = p->next; (e = registry_at(registry, p->kind, i)); i++) {
		if (registry_judge(e, x->message->principal) != OAUTH_OK)
			continue;
		if (p->left == 0) {
			p->last = shown;
			return;
		}
		if (shown)
			buf_putc(out, ',');
		l = registry_listing(e, x->era->form);
		buf_put(out, l->text, l->len);
		p->left--;
		shown = e;
	}
}

/* All entries, as they were rendered once. */
static void
render_all(const struct rpc *x, struct page *p, struct buf *out)
{
	const struct registry *registry = x->service->registry;
	size_t n = registry_count(registry, p->kind) - p->next, len;
	const char *text;

	if (n > p->left) {
		n = p->left;
		p->last = registry_at(registry, p->kind, p->next + n - 1);
	}
	text = registry_list_text(registry, p->kind, x->era->form, p->next, n, &len);
	buf_put(out, text, len);
}

static int
failed(struct rpc *x, enum mcp_err err)
{
	log_error("request %s: a cursor: %s", x->message->request_id, mcp_strerror(err));
	return rpc_error(x, JSONRPC_INTERNAL_ERROR, "Internal error: no cursor can be sealed or opened");
}

static int
list(struct rpc *x, enum registry_kind kind, const char *member)
{
	struct page p = { .kind = kind, .left = x->service->page_size };
	struct buf *out = &x->reply->body;
	struct json_object *cursor;
	enum mcp_err err = MCP_OK;

	if (json_get(x->in.params, "cursor", &cursor) == MCP_OK)
		err = cursor_read(x, kind, cursor, &p.next);
	if (err == MCP_EINVAL)
		return rpc_error(x, JSONRPC_INVALID_PARAMS, "Invalid params: unknown cursor");
	if (err)
		return failed(x, err);
	/* Where nothing can be sealed there is one page. */
	if (!x->service->secrets)
		p.left = registry_count(x->service->registry, kind);
	rpc_result_begin(x);
	buf_printf(out, "\"%s\":[", member);
	if (x->service->filter_lists)
		render_permitted(x, &p, out);
	else
		render_all(x, &p, out);
	buf_putc(out, ']');
	if (p.last) {
		buf_puts(out, ",\"nextCursor\":\"");
		err = cursor_write(x, p.last, out);
		if (err)
			return failed(x, err);
		buf_putc(out, '"');
	}
	rpc_cache_hints(x, x->service->list_ttl_ms, x->service->filter_lists);
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
