/* SPDX-License-Identifier: MIT */
#include "schema/document.h"

#include <stdlib.h>
#include <string.h>

#include "base/json.h"
#include "schema/schema.h"
#include "schema/uri.h"

#define CHUNK 8192
#define URI_MAX 4096

void *
document_alloc(struct schema_document *d, size_t size)
{
	struct schema_chunk *c = d->chunks;
	void *p;

	size = (size + alignof(max_align_t) - 1) / alignof(max_align_t) * alignof(max_align_t);
	if (!c || c->size - c->used < size) {
		size_t room = size > CHUNK ? size : CHUNK;

		c = calloc(1, sizeof(*c) + room);
		if (!c)
			return NULL;
		c->size = room;
		c->next = d->chunks;
		d->chunks = c;
	}
	p = c->bytes + c->used;
	c->used += size;
	return p;
}

char *
document_text(struct schema_document *d, const char *text, size_t len)
{
	char *copy = document_alloc(d, len + 1);

	if (copy)
		memcpy(copy, text, len);
	return copy;
}

enum mcp_err
document_own(struct schema_document *d, struct pattern *pattern, struct json_object *document)
{
	struct schema_owned *o = document_alloc(d, sizeof(*o));

	if (!o) {
		pattern_free(pattern);
		json_free(document);
		return MCP_ENOMEM;
	}
	*o = (struct schema_owned){ pattern, document, d->owned };
	d->owned = o;
	return MCP_OK;
}

static size_t
slot(const struct schema_document *d, const struct json_object *source)
{
	size_t i = (size_t)(((uintptr_t)source >> 4) * 0x9e3779b1u) % d->table_size;

	while (d->table[i] && d->table[i]->source != source)
		i = (i + 1) % d->table_size;
	return i;
}

/* Room for twice as many; the table is never more than half full. */
static enum mcp_err
grow(struct schema_document *d)
{
	size_t size = d->table_size ? 2 * d->table_size : 64, i;
	struct schema_node **nodes = realloc(d->nodes, size / 2 * sizeof(struct schema_node *));

	if (!nodes)
		return MCP_ENOMEM;
	d->nodes = nodes;
	free(d->table);
	d->table_size = 0;
	d->table = calloc(size, sizeof(struct schema_node *));
	if (!d->table)
		return MCP_ENOMEM;
	d->table_size = size;
	for (i = 0; i < d->n_nodes; i++) {
		size_t at = slot(d, d->nodes[i]->source);

		if (!d->table[at])
			d->table[at] = d->nodes[i];
	}
	return MCP_OK;
}

enum mcp_err
document_add(struct schema_document *d, struct schema_node *n)
{
	size_t at;

	if (d->n_nodes >= SCHEMA_NODES_MAX)
		return MCP_ELIMIT;
	if (2 * d->n_nodes >= d->table_size && grow(d))
		return MCP_ENOMEM;
	d->nodes[d->n_nodes++] = n;
	at = slot(d, n->source);
	if (!d->table[at])
		d->table[at] = n;
	return MCP_OK;
}

struct schema_node *
document_find(const struct schema_document *d, const struct json_object *source)
{
	return d->table_size ? d->table[slot(d, source)] : NULL;
}

enum mcp_err
document_add_resource(struct schema_document *d, struct schema_resource *outer, const char *id,
    struct schema_resource **out)
{
	struct schema_resource *r = document_alloc(d, sizeof(*r));
	enum mcp_err err;
	struct buf uri;

	if (!r)
		return MCP_ENOMEM;
	buf_init(&uri, URI_MAX);
	uri_resolve(outer ? outer->uri : "", id, &uri);
	err = buf_status(&uri);
	if (!err && document_resource(d, uri.data))
		err = MCP_EINVAL;
	r->uri = err ? NULL : document_text(d, uri.data, uri.len);
	buf_clear(&uri);
	if (err || !r->uri)
		return err ? err : MCP_ENOMEM;
	r->outer = outer;
	r->next = d->resources;
	d->resources = r;
	*out = r;
	return MCP_OK;
}

struct schema_resource *
document_resource(const struct schema_document *d, const char *uri)
{
	size_t len = strcspn(uri, "#");
	struct schema_resource *r;

	for (r = d->resources; r; r = r->next)
		if (strncmp(r->uri, uri, len) == 0 && r->uri[len] == '\0')
			return r;
	return NULL;
}

enum mcp_err
document_fail(struct schema_document *d, enum mcp_err err, const struct schema_node *n, const char *keyword,
    const char *why)
{
	d->why = why;
	d->where = n;
	d->where_keyword = keyword;
	return err;
}

void
document_finish(struct schema_document *d)
{
	free(d->nodes);
	free(d->table);
	d->nodes = d->table = NULL;
	d->n_nodes = d->table_size = 0;
}

void
document_clear(struct schema_document *d)
{
	struct schema_chunk *next;

	document_finish(d);
	for (struct schema_owned *o = d->owned; o; o = o->next) {
		pattern_free(o->pattern);
		json_free(o->document);
	}
	for (; d->chunks; d->chunks = next) {
		next = d->chunks->next;
		free(d->chunks);
	}
	memset(d, 0, sizeof(*d));
}
