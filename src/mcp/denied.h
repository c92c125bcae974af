/* SPDX-License-Identifier: MIT */
#ifndef MCP_MCP_DENIED_H
#define MCP_MCP_DENIED_H

struct registry_entry;
struct rpc;

/*
 * Answer the use of an entry that is listed and that the caller may not use; reply->outcome says why. Either a JSON-RPC
 * error with 403, its challenge to be made of reply->required_scopes; or, of a tool and where the service says so, a
 * result with isError, whose _meta has that challenge for clients that look there. A wrong organisation names no scope
 * and has no challenge for one, because no scope would mend it. Fills reply->seen and reply->expected. Returns -1.
 * Source: MCP basic/authorization "Runtime Insufficient Scope Errors".
 */
int denied(struct rpc *x, const struct registry_entry *e);

#endif
