/* SPDX-License-Identifier: MIT */
#ifndef MCP_SCHEMA_COMPILE_H
#define MCP_SCHEMA_COMPILE_H

#include "schema/document.h"

/*
 * Keywords, one row of a table each. compile_scan() makes a node, with all those inside it, of the schema "source"; its
 * place must be known ("at" is copied: parent, keyword, name, index, resource). Resources and anchors are noted, what
 * refers to others is not looked at. *out is the node also when something inside it fails.
 * compile_assertions() then reads of one node what applies no schema, as the vocabularies of its resource have it.
 * Both return MCP_OK, or MCP_EINVAL, MCP_ELIMIT, MCP_ENOMEM with the reason and the place in "d" (document.h).
 */
enum mcp_err compile_scan(struct schema_document *d, const struct schema_node *at, struct json_object *source,
    struct schema_node **out) MCP_MUST_CHECK;
enum mcp_err compile_assertions(struct schema_document *d, struct schema_node *n) MCP_MUST_CHECK;

#endif
