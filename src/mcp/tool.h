/* SPDX-License-Identifier: MIT */
#ifndef MCP_MCP_TOOL_H
#define MCP_MCP_TOOL_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/err.h"
#include "oauth/principal.h"

struct json_object;

/*
 * The public API for tools. A tool is one static row with a function; it sees who calls and with which arguments, and
 * neither HTTP nor JSON-RPC. Arguments were validated against input_schema before call() runs, a structured result is
 * validated against output_schema after it. call() runs in several threads at once. A JSON number that is an integer by
 * the schema may be written as 5.0 or 5e0, so read it with json_get_number().
 */

/* What one call knows and gives back. The fields before "content" are borrowed and read only. */
struct tool_call {
	const struct principal *principal;
	const char *organisation;		/* for which the call is, by the tool's rule; NULL: none is asked for */
	const struct json_object *arguments;	/* an object; empty when the client sent none */
	const char *request_id;			/* our own id of the request, for log lines */
	int64_t now_s;
	int64_t deadline_ms;			/* on the monotonic clock; be done by then */
	void *context;				/* tool.context */
	/* The result; use the functions below. Owned by the caller of the tool. */
	struct json_object *content;		/* array of content blocks */
	struct json_object *structured;		/* structuredContent, or NULL */
	bool is_error;
};

struct tool {
	const char *name;		/* [A-Za-z0-9_.-]{1,128} */
	const char *title;		/* for people; NULL: none */
	const char *description;
	const char *input_schema;	/* JSON text, JSON Schema 2020-12, "type": "object" */
	const char *output_schema;	/* the same for structuredContent; NULL: none */
	const char *annotations;	/* JSON text of ToolAnnotations; NULL: none */
	bool needs_organisation;	/* a caller without organisation is refused */
	/*
	 * Do the work. MCP_OK also for failures the caller should read (tool_error()); anything else means the server
	 * failed: the client gets a fixed sentence, the log the reason.
	 */
	enum mcp_err (*call)(struct tool_call *call);
	void *context;			/* given back in tool_call.context */
};

/* Append a text block. Returns MCP_OK or MCP_ENOMEM. Source: MCP schema, TextContent. */
enum mcp_err tool_text(struct tool_call *call, const char *text, size_t len) MCP_MUST_CHECK;
enum mcp_err tool_textf(struct tool_call *call, const char *fmt, ...) MCP_PRINTF(2, 3) MCP_MUST_CHECK;

/* Append a text block and mark the result as an error that the caller should read (isError). */
enum mcp_err tool_error(struct tool_call *call, const char *fmt, ...) MCP_PRINTF(2, 3) MCP_MUST_CHECK;

/*
 * Set structuredContent (stolen, an object) and append its JSON text as a text block, as the specification asks of
 * tools with an output schema.
 */
enum mcp_err tool_structured(struct tool_call *call, struct json_object *value) MCP_MUST_CHECK;

#endif
