/* SPDX-License-Identifier: MIT */
#ifndef MCP_MCP_CALL_H
#define MCP_MCP_CALL_H

#include <stdbool.h>

#include "base/buf.h"
#include "base/err.h"
#include "mcp/registry.h"

struct json_object;
struct rpc;
struct tool_call;

/*
 * What every method does around a function of the API (tool.h): tools/call, prompts/get, resources/read,
 * completion/complete.
 *
 * call_begin() fills "call" from the request; "arguments" and "context" are borrowed. Returns 0, or -1 with the answer
 * (params that are not what the specification says of all these requests). call_clear() follows in both cases.
 */
int call_begin(struct rpc *x, const struct json_object *arguments, void *context, struct tool_call *call);
void call_clear(struct tool_call *call);

/* Append the content, or an empty array. */
void call_render_content(const struct tool_call *call, struct buf *out);

/*
 * Whether the caller sees an entry: it sees all, unless lists are filtered. call_find() is the entry of that name that
 * it sees, or NULL: what is hidden does not exist. The log line gets the name.
 */
bool call_sees(const struct rpc *x, const struct registry_entry *e);
const struct registry_entry *call_find(struct rpc *x, enum registry_kind kind, const char *name);

/*
 * Judge what the function returned. 0: there is a result, which the caller renders. -1: answered; the client is asked
 * for input, or told which capability it lacks, or that the server failed, with "kind" and "name" ("tool",
 * "greet_user") and the reason in the log.
 */
int call_end(struct rpc *x, struct tool_call *call, enum mcp_err err, const char *kind, const char *name);

#endif
