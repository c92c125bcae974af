/* SPDX-License-Identifier: MIT */
#ifndef MCP_MCP_PROMPT_H
#define MCP_MCP_PROMPT_H

#include "mcp/tool.h"

/*
 * Completion of one value that a person is typing. call->arguments has the values of the other arguments that are known
 * already (strings), "value" what was typed so far. Offer with completion_add(). Returns MCP_OK or a failure of ours.
 * Source: MCP server/utilities/completion.
 */
typedef enum mcp_err completion_fn(struct tool_call *call, const char *value);

/*
 * Offer one value, best first; the client gets the first COMPLETION_MAX and how many there were. Values that are not
 * wanted any more (tool_cancelled()) need not be looked for.
 */
#define COMPLETION_MAX 100
enum mcp_err completion_add(struct tool_call *call, const char *value) MCP_MUST_CHECK;

struct prompt_argument {
	const char *name;		/* NULL ends the list */
	const char *title;		/* for people; NULL: none */
	const char *description;	/* NULL: none */
	bool required;
	completion_fn *complete;	/* NULL: nothing is offered */
};

/*
 * A template for messages that a person picks. call->arguments has strings only; those required are there, unknown ones
 * are not. The messages are what the content functions of tool.h append. Source: MCP server/prompts.
 */
struct prompt {
	const char *name;		/* 1 to 128 bytes of printable ASCII */
	const char *title;		/* for people; NULL: none */
	const char *description;
	const struct prompt_argument *arguments;	/* NULL: none */
	const char *icons;		/* JSON text of an array of Icon; NULL: none */
	const char *meta;		/* JSON text of the object _meta; NULL: none */
	const char *scopes;		/* as of a tool */
	enum mcp_err (*get)(struct tool_call *call);	/* returns as tool.call() does */
	void *context;			/* given back in tool_call.context */
};

#endif
