/* SPDX-License-Identifier: MIT */
/* A module whose tool declares no scopes, so the server refuses it unless the operator decides. */
#include <mcp/module.h>

static enum mcp_err
nothing(struct tool_call *call)
{
	(void)call;
	return MCP_OK;
}

static const struct tool undecided = { .name = "undecided", .description = "d",
	.input_schema = "{\"type\":\"object\"}", .call = nothing };

static enum mcp_err
load(struct module *m, void **context)
{
	(void)context;
	return module_add_tool(m, &undecided);
}

const struct mcp_module mcp_fcgi_module = { .api = MCP_MODULE_API, .name = "refused", .load = load };
