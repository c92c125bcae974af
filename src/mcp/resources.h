/* SPDX-License-Identifier: MIT */
#ifndef MCP_MCP_RESOURCES_H
#define MCP_MCP_RESOURCES_H

struct rpc;

/*
 * Answer resources/read: the resource of that URI, else the first template that matches. One that does not exist, or
 * that the caller may not see, is the era's error with data.uri; what is missing to use one is as denied.h says.
 * Returns -1. Source: MCP server/resources.
 */
int resources_read(struct rpc *x);

/*
 * Answer resources/subscribe and resources/unsubscribe, of the legacy era: notes of the session. Only what the caller
 * may read can be subscribed to. Return -1. Source: MCP 2025-11-25 server/resources "Subscriptions".
 */
int resources_subscribe(struct rpc *x);
int resources_unsubscribe(struct rpc *x);

#endif
