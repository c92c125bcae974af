/* SPDX-License-Identifier: MIT */
#ifndef MCP_MCP_ROUNDS_H
#define MCP_MCP_ROUNDS_H

#include "base/err.h"

struct json_object;
struct rpc;
struct tool_call;

/*
 * Multi round-trip requests: how the modern era asks. A request that needs input is answered with what is needed
 * (resultType "input_required"), and comes again with inputResponses. Nothing is kept here: the answers of earlier
 * rounds and the tool's state travel in requestState, sealed and bound to principal, method, name and arguments, and
 * are good for service->request_state_s. A first request may bring answers too. Source: MCP 2026-07-28
 * basic/patterns/mrtr.
 */

/* The row of the era; see era.h. */
int rounds_begin(struct rpc *x, struct tool_call *call);
enum mcp_err rounds_ask(struct rpc *x, struct tool_call *call, const char *key, const char *method,
    struct json_object *params, const struct json_object **result) MCP_MUST_CHECK;
int rounds_end(struct rpc *x, struct tool_call *call);
int rounds_failed(struct rpc *x, struct tool_call *call);

#endif
