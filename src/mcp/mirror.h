/* SPDX-License-Identifier: MIT */
#ifndef MCP_MCP_MIRROR_H
#define MCP_MCP_MIRROR_H

#include <stdbool.h>
#include <stddef.h>

#include "base/err.h"

struct json_object;

/*
 * Headers that repeat what the body says: Mcp-Name, and Mcp-Param-NAME for arguments whose schema has x-mcp-header.
 * Source: MCP 2026-07-28 basic/transports/streamable-http, "Request Metadata".
 */
struct mirror;

#define MIRROR_PARAMS_MAX 64		/* x-mcp-header in one schema */
#define MIRROR_NAME_MAX 64		/* bytes of the value of x-mcp-header */
#define MIRROR_VALUE_MAX 8192		/* bytes of a decoded value */

/*
 * Find x-mcp-header in the input schema of a tool. Returns MCP_OK with *out new (NULL: there is none), which borrows
 * from "schema" nothing; MCP_EINVAL with *why a static phrase, when one breaks the rules of the specification, or has
 * characters other than letters, digits and "-", for web servers pass no others on; MCP_ENOMEM (*why too). *out is NULL
 * on failure. Release with mirror_free().
 */
enum mcp_err mirror_new(const struct json_object *schema, struct mirror **out, const char **why) MCP_MUST_CHECK;

/* Release; NULL is fine. */
void mirror_free(struct mirror *m);

/*
 * How the value of a header is got: of Mcp-Param-"name"; NULL when it is absent or empty, which web servers do not tell
 * apart.
 */
typedef const char *mirror_get(const void *ctx, const char *name);

/*
 * Whether the headers repeat "arguments": each annotated argument that is there and not null has its header, which says
 * the same, and no other annotated one has a header. An empty string needs none. Returns MCP_OK; MCP_EINVAL with *name
 * the part behind Mcp-Param-, borrowed, and *missing when there is no such header; MCP_ENOMEM.
 */
enum mcp_err mirror_check(const struct mirror *m, const struct json_object *arguments, mirror_get *get, const void *ctx,
    const char **name, bool *missing) MCP_MUST_CHECK;

/*
 * Whether "header", blanks around it aside, says "value", a string, an integer or a boolean: as it is, or between
 * "=?base64?" and "?=" in base64 with padding. Without both marks a value is literal. Integers are compared by value.
 * Returns MCP_OK; MCP_EINVAL: it does not, has bytes other than visible ASCII, blanks and tabs, or its base64 is
 * malformed; MCP_ENOMEM. Source: "Value Encoding", "Server Validation".
 */
enum mcp_err mirror_says(const char *header, const struct json_object *value) MCP_MUST_CHECK;

#endif
