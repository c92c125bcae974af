/* SPDX-License-Identifier: MIT */
/* A module that cannot be loaded. */
#include <mcp/module.h>

static enum mcp_err
load(struct module *m, void **context)
{
	(void)m;
	(void)context;
	return MCP_ENOENT;
}

const struct mcp_module mcp_fcgi_module = { .api = MCP_MODULE_API, .name = "fails", .load = load };
