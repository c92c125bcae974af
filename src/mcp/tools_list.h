/* SPDX-License-Identifier: MIT */
#ifndef MCP_MCP_TOOLS_LIST_H
#define MCP_MCP_TOOLS_LIST_H

struct rpc;

/*
 * Answer tools/list, the same in both eras but for what the era adds to results. One page holds all tools, so no cursor
 * was ever given out and any is refused. Returns -1. Source: MCP server/tools "Listing Tools",
 * server/utilities/pagination.
 */
int tools_list(struct rpc *x);

#endif
