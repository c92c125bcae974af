/* SPDX-License-Identifier: MIT */
#ifndef MCP_MCP_TRACE_H
#define MCP_MCP_TRACE_H

#include <stdbool.h>

#include "mcp/tool.h"

struct json_object;

/*
 * Read the trace context of a request from params._meta: traceparent, tracestate, baggage. What is not well-formed is
 * left out; without a good traceparent so is tracestate. Borrowed from "params" (NULL is fine). Source: MCP basic,
 * "OpenTelemetry trace context"; W3C Trace Context sections 3.2 and 3.3; W3C Baggage section 3.3.
 */
void trace_read(const struct json_object *params, struct tool_trace *out);

/* Whether "text" is a traceparent of version 00, or of a later one that begins like it. */
bool trace_is_parent(const char *text);

#define TRACE_ID_AT 3		/* where the trace id stands in a traceparent */
#define TRACE_ID_LEN 32		/* its hexadecimal digits */

#endif
