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

/* Free what the call owns; all zero afterwards. */
void call_clear(struct tool_call *call);

/* Append the content, or an empty array. */
void call_render_content(const struct tool_call *call, struct buf *out);

/* Whether the caller sees an entry: it sees all, unless lists are filtered. */
bool call_sees(const struct rpc *x, const struct registry_entry *e);

/* The entry of that name that the caller sees, or NULL: what is hidden does not exist. The log line gets the name. */
const struct registry_entry *call_find(struct rpc *x, enum registry_kind kind, const char *name);

/* The entry that params.name names; NULL after an answer (-32602), which calls it a "word" ("tool"). */
const struct registry_entry *call_find_named(struct rpc *x, enum registry_kind kind, const char *word);

/*
 * Judge what the function returned. 0: there is a result, which the caller renders. -1: answered; the client is asked
 * for input, or told which capability it lacks, or that the server failed, with "kind" and "name" ("tool",
 * "greet_user") and the reason in the log.
 */
int call_end(struct rpc *x, struct tool_call *call, enum mcp_err err, const char *kind, const char *name);

#endif
