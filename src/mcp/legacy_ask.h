/* SPDX-License-Identifier: MIT */
#ifndef MCP_MCP_LEGACY_ASK_H
#define MCP_MCP_LEGACY_ASK_H

#include "base/err.h"

struct json_object;
struct rpc;
struct tool_call;

/*
 * How the legacy era asks: a request to the client on the stream of its own request, and the answer in a POST of its
 * own. The row of the era, see era.h; a tool that fails for it has an error result. Source: MCP 2025-11-25
 * basic/transports, client/elicitation, client/sampling.
 */
int legacy_ask_begin(struct rpc *x, struct tool_call *call);
enum mcp_err legacy_ask(struct rpc *x, struct tool_call *call, const char *key, const char *method,
    struct json_object *params, const struct json_object **result) MCP_MUST_CHECK;
int legacy_ask_failed(struct rpc *x, struct tool_call *call);

#endif
