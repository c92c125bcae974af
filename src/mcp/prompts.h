/* SPDX-License-Identifier: MIT */
#ifndef MCP_MCP_PROMPTS_H
#define MCP_MCP_PROMPTS_H

struct rpc;

/*
 * Answer prompts/get, the same in both eras. Prompts that do not exist or that the caller may not see, and arguments
 * that are no strings or lack a required one, are -32602; what is missing to use one is as denied.h says. Returns -1.
 * Source: MCP server/prompts.
 */
int prompts_get(struct rpc *x);

#endif
