/* SPDX-License-Identifier: MIT */
#ifndef MCP_MCP_LEGACY_ASK_H
#define MCP_MCP_LEGACY_ASK_H

#include "base/err.h"

struct json_object;
struct rpc;
struct tool_call;

/*
 * How the legacy era asks: a request to the client on the stream of its own request, and the answer in a POST of its
 * own, to any process, which puts it into a box on the bus that only this session can fill. The thread waits, for as
 * long as a stream may last. The three functions of the era's row, see era.h. Source: MCP 2025-11-25 basic/transports,
 * client/elicitation, client/sampling.
 */

/* Apply the session's log level, and be ready for a client that comes back for the answer. Returns 0. */
int legacy_ask_begin(struct rpc *x, struct tool_call *call);

/* Ask and wait; as tool_ask() says, but never MCP_EAGAIN. "params" is stolen in every case. */
enum mcp_err legacy_ask(struct rpc *x, struct tool_call *call, const char *key, const char *method,
    struct json_object *params, const struct json_object **result) MCP_MUST_CHECK;

/*
 * The function has failed for a question, which call->ask_fault explains. Returns 0: "call" is a result with isError
 * now; or -1 with the answer.
 */
int legacy_ask_failed(struct rpc *x, struct tool_call *call);

/*
 * The message is a client's response: give it to who waits for it. Nobody waiting is no fault of the client's, who may
 * be late. Answers 202, or 503 when the bus cannot take it. Returns -1.
 */
int legacy_ask_response(struct rpc *x);

#endif
