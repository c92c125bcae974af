/* SPDX-License-Identifier: MIT */
/* A tool with arguments that clients repeat in headers, for tests/cases. */
#include <mcp/module.h>

static enum mcp_err
nothing(struct tool_call *call)
{
	return tool_textf(call, "called");
}

static const struct tool mirrored = { .name = "mirrored", .description = "d", .scopes = "", .call = nothing,
	.input_schema = "{\"type\":\"object\",\"properties\":{"
	    "\"region\":{\"type\":\"string\",\"x-mcp-header\":\"My-Region2\"}}}" };

static enum mcp_err
load(struct module *m, void **context)
{
	(void)context;
	return module_add_tool(m, &mirrored);
}

const struct mcp_module mcp_fcgi_module = { .api = MCP_MODULE_API, .name = "mirrored", .load = load };
