/* SPDX-License-Identifier: MIT */
#ifndef MCP_MCP_ASK_H
#define MCP_MCP_ASK_H

#include <stdbool.h>
#include <stddef.h>

#include "base/err.h"

struct json_object;
struct tool_call;

/*
 * What can be asked of a client, whichever way the question travels: elicitation/create, sampling/createMessage,
 * roots/list. Source: MCP 2026-07-28 and 2025-11-25 client/elicitation, client/sampling, client/roots.
 */

/* Note in "call" what tool_ask() fails with and a sentence about it for the client. Returns "err". */
enum mcp_err ask_fault(struct tool_call *call, enum mcp_err err, const char *fmt, ...) MCP_PRINTF(3, 4);

/* Whether a request "method" may ask: tools/call, prompts/get, resources/read. */
bool ask_during(const char *method, size_t len);

/*
 * Whether a client with "capabilities" (a ClientCapabilities object, NULL: none are known) can be asked "method" with
 * "params". Returns MCP_OK; MCP_ENOTSUP: what it lacks was added to *missing, a ClientCapabilities object of the
 * caller's that is made when it is NULL; MCP_EINVAL: there is no such method; MCP_ENOMEM.
 */
enum mcp_err ask_capable(const struct json_object *capabilities, const char *method, const struct json_object *params,
    struct json_object **missing) MCP_MUST_CHECK;

/*
 * Whether "answer" is a result of the method by its shape, and accepted form content fits requestedSchema of "params".
 * Returns MCP_OK; MCP_EREMOTE: it is not, with *why a static phrase; MCP_EINVAL: the schema that was asked with is
 * none, *why too; MCP_ENOMEM.
 */
enum mcp_err ask_judge(const char *method, const struct json_object *params, const struct json_object *answer,
    const char **why) MCP_MUST_CHECK;

/* Whether the member of an object is the string "want"; false for what is no object. */
bool ask_member_is(const struct json_object *object, const char *name, const char *want);

/* Whether the member of an object is a string at all; false for what is no object. */
bool ask_has_string(const struct json_object *object, const char *name);

#endif
