/* SPDX-License-Identifier: MIT */
#ifndef MCP_MCP_LIST_H
#define MCP_MCP_LIST_H

struct rpc;

/*
 * Answer the list of one kind, the same in both eras but for what the era adds to results; each returns -1. Source: MCP
 * server/tools "Listing Tools", server/prompts, server/resources, server/utilities/pagination.
 */
int tools_list(struct rpc *x);

/* The same of prompts. */
int prompts_list(struct rpc *x);

/* Of resources. */
int resources_list(struct rpc *x);

/* Of resource templates. */
int resource_templates_list(struct rpc *x);

#endif
