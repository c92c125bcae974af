/* SPDX-License-Identifier: MIT */
#ifndef MCP_SCHEMA_DOCUMENT_H
#define MCP_SCHEMA_DOCUMENT_H

#include <stdalign.h>

#include "schema/node.h"

/*
 * What a schema is made in: an arena, the nodes by the JSON they came from, and resources by their URI. "struct schema"
 * begins with one; what only compiling needs is released when that is done.
 */
struct schema_chunk {
	struct schema_chunk *next;
	size_t used, size;
	alignas(max_align_t) unsigned char bytes[];
};

struct schema_owned {		/* what the arena cannot hold */
	struct pattern *pattern;
	struct json_object *document;
	struct schema_owned *next;
};

struct schema_document {
	struct schema_chunk *chunks;
	struct schema_owned *owned;
	struct schema_resource *resources;
	unsigned flags;
	/* While it is compiled: */
	struct schema_node **nodes;	/* in the order they were made */
	size_t n_nodes;
	struct schema_node **table;	/* by the address of their source */
	size_t table_size;
	unsigned depth;			/* of compile_scan() */
	const char *why;		/* it failed; static */
	const struct schema_node *where;
	const char *where_keyword;
};

/* Zeroed memory that lives as long as the schema; NULL when memory is short. */
void *document_alloc(struct schema_document *d, size_t size);

/* A copy of "len" bytes with a NUL after them; NULL when memory is short. */
char *document_text(struct schema_document *d, const char *text, size_t len);

/* Let the schema own one of the two (stolen, the other is NULL). Returns MCP_OK or MCP_ENOMEM, with it released. */
enum mcp_err document_own(struct schema_document *d, struct pattern *pattern,
    struct json_object *document) MCP_MUST_CHECK;

/* Note a node; the first one of a source is found by it. Returns MCP_OK, MCP_ELIMIT (SCHEMA_NODES_MAX), MCP_ENOMEM. */
enum mcp_err document_add(struct schema_document *d, struct schema_node *n) MCP_MUST_CHECK;

/* The node of a JSON value, or NULL. */
struct schema_node *document_find(const struct schema_document *d, const struct json_object *source);

/*
 * A new resource with the URI that "id" means inside of "outer" (NULL: this is a document, "id" is its URI). Returns
 * MCP_OK with *out; MCP_EINVAL if there is one of that URI, MCP_ELIMIT (its length) or MCP_ENOMEM with *out untouched.
 */
enum mcp_err document_add_resource(struct schema_document *d, struct schema_resource *outer, const char *id,
    struct schema_resource **out) MCP_MUST_CHECK;

/* The resource with a URI, without looking at a fragment; NULL if there is none. */
struct schema_resource *document_resource(const struct schema_document *d, const char *uri);

/* Note why and where compiling fails ("n" and "keyword" may be NULL, "why" is static). Returns "err". */
enum mcp_err document_fail(struct schema_document *d, enum mcp_err err, const struct schema_node *n,
    const char *keyword, const char *why);

/* Release what only compiling needs; all that is left. */
void document_finish(struct schema_document *d);
void document_clear(struct schema_document *d);

#endif
