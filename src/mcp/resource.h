/* SPDX-License-Identifier: MIT */
#ifndef MCP_MCP_RESOURCE_H
#define MCP_MCP_RESOURCE_H

#include "mcp/prompt.h"

/*
 * Data with a URI, for a client to read. read() appends contents with resource_text() and resource_blob(), at least
 * one. It returns MCP_OK; MCP_ENOENT: there is no such resource (now), which the client is told; else as tool.call().
 * Source: MCP server/resources.
 */
struct resource {
	const char *uri;		/* absolute; 1 to 2048 bytes of RFC 3986 */
	const char *name;
	const char *title;		/* for people; NULL: none */
	const char *description;	/* NULL: none */
	const char *mime_type;		/* NULL: not known */
	int64_t size;			/* bytes, when known; 0 or less: not told */
	const char *annotations;	/* JSON text of Annotations; NULL: none */
	const char *icons;		/* JSON text of an array of Icon; NULL: none */
	const char *meta;		/* JSON text of the object _meta; NULL: none */
	const char *scopes;		/* as of a tool */
	int64_t ttl_s;			/* how long a client may keep what it has read; 0: not at all */
	enum mcp_err (*read)(struct tool_call *call);
	void *context;			/* given back in tool_call.context */
};

/*
 * Many resources under one URI template of RFC 6570. When a URI is read that no resource has, the templates are tried
 * in their order; of the first that matches, read() gets the variables' values, decoded, as strings in call->arguments.
 * Understood are simple expressions, {name}, which match one or more characters other than "/", "?" and "#", and
 * reserved ones, {+name}, which match anything. A value never holds NUL; but being decoded it may be ".." and have "/"
 * in it, so whoever makes a path of it must see to it that it leads nowhere else.
 */
struct template_variable {
	const char *name;		/* NULL ends the list */
	completion_fn *complete;
};

struct resource_template {
	const char *uri_template;
	const char *name;
	const char *title;		/* for people; NULL: none */
	const char *description;	/* NULL: none */
	const char *mime_type;		/* when all have the same; NULL: not told */
	const char *annotations;	/* JSON text of Annotations; NULL: none */
	const char *icons;		/* JSON text of an array of Icon; NULL: none */
	const char *meta;		/* JSON text of the object _meta; NULL: none */
	const char *scopes;		/* as of a tool */
	int64_t ttl_s;			/* as of a resource */
	const struct template_variable *variables;	/* those with completion; NULL: none */
	enum mcp_err (*read)(struct tool_call *call);	/* as of a resource */
	void *context;			/* given back in tool_call.context */
};

/*
 * Append contents to the resource that is read. "uri" NULL is the one that was asked for; "mime_type" NULL: not told.
 * resource_blob() takes at most TOOL_BYTES_MAX bytes, else MCP_ELIMIT.
 */
enum mcp_err resource_text(struct tool_call *call, const char *uri, const char *mime_type, const char *text,
    size_t len) MCP_MUST_CHECK;
enum mcp_err resource_blob(struct tool_call *call, const char *uri, const char *mime_type, const void *bytes,
    size_t len) MCP_MUST_CHECK;

#endif
