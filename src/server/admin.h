/* SPDX-License-Identifier: MIT */
#ifndef MCP_SERVER_ADMIN_H
#define MCP_SERVER_ADMIN_H

#include "base/err.h"
#include "server/exchange.h"

/*
 * Make what admin_tool asks of "s"; it lives no longer than "s". Returns MCP_OK with *out (released with free()), or
 * MCP_ENOMEM.
 */
enum mcp_err admin_source_new(struct server *s, struct admin_source **out) MCP_MUST_CHECK;

#endif
