/* SPDX-License-Identifier: MIT */
#ifndef MCP_MCP_ASK_PARAMS_H
#define MCP_MCP_ASK_PARAMS_H

#include <stdbool.h>

struct json_object;

/*
 * Whether "params" (NULL: none) are such that the question "method" may be sent: what is required is there; a form asks
 * for flat fields; a URL is one; in messages for a model each use of a tool is followed by its result, and a message of
 * results has nothing else. False with *why, a static phrase. Methods that are no questions have no rules. Source: MCP
 * 2026-07-28 and 2025-11-25 client/elicitation, client/sampling.
 */
bool ask_params_are_good(const char *method, const struct json_object *params, const char **why);

/*
 * The protocol version, static, since which clients know such a question: fields that take several values, URLs and
 * messages of several blocks came with 2025-11-25, elicitation itself with 2025-06-18. The params are good.
 * Source: MCP client/elicitation, client/sampling and the schemas of these revisions.
 */
const char *ask_params_since(const char *method, const struct json_object *params);

#endif
