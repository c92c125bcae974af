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

#endif
