/* SPDX-License-Identifier: MIT */
#ifndef MCP_MCP_COMPLETION_H
#define MCP_MCP_COMPLETION_H

struct rpc;

/*
 * Answer completion/complete for an argument of a prompt or a variable of a resource template; nothing is offered for
 * one that nobody completes. What does not exist, or the caller may not see, is -32602. Returns -1. Source: MCP
 * server/utilities/completion.
 */
int completion_complete(struct rpc *x);

#endif
