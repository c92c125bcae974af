/* SPDX-License-Identifier: MIT */
#ifndef MCP_TOOLS_TOOLS_H
#define MCP_TOOLS_TOOLS_H

#include "mcp/tool.h"
#include "tools/admin_tool.h"

struct state;

/*
 * The built-in tools, one a file. Each file exports one constructor that fills a row for registry_add(): static texts,
 * the function, and as context what the tool needs of the server. The row and the context are borrowed by the registry,
 * so both live as long as it. Constructors allocate nothing and cannot fail; whether a tool is offered at all is the
 * server's decision. web_search has its own header.
 */

/* Greets the user by name. Needs nothing. */
void tool_greet_user(struct tool *out);

/* What the server knows of itself, for an administrator. */
void tool_admin_tool(struct tool *out, const struct admin_source *source);

/* The data kept for the caller's organisation, from state.db; never another's. */
void tool_get_org_data(struct tool *out, struct state *state);

#endif
