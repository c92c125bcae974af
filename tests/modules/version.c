/* SPDX-License-Identifier: MIT */
/* A module for a version of the API that does not exist; its load() must not run. */
#include <stdlib.h>

#include <mcp/module.h>

static enum mcp_err
load(struct module *m, void **context)
{
	(void)m;
	(void)context;
	abort();
}

const struct mcp_module mcp_fcgi_module = { .api = MCP_MODULE_API + 1000, .name = "version", .load = load };
