/* SPDX-License-Identifier: MIT */
#ifndef MCP_MCP_TOOLS_CALL_H
#define MCP_MCP_TOOLS_CALL_H

struct rpc;

/*
 * Answer tools/call, the same in both eras but for what the era adds to results. In this order: params that are no
 * CallToolRequest and tools that do not exist or that the caller may not see are -32602; a scope or an organisation
 * that is missing is what denied.h says; arguments that fail the tool's schema are a result with isError; then
 * the tool runs. Returns -1. Source: MCP server/tools "Calling Tools", "Error Handling".
 */
int tools_call(struct rpc *x);

#endif
