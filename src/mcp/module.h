/* SPDX-License-Identifier: MIT */
#ifndef MCP_MCP_MODULE_H
#define MCP_MCP_MODULE_H

#include "mcp/prompt.h"
#include "mcp/resource.h"
#include "mcp/tool.h"

/*
 * Tools, prompts and resources in a shared object of their own, which the server loads when TOOL_MODULES names it:
 *
 *   cc -shared -fPIC -I PREFIX/include/mcp-fcgi -o hello.so hello.c
 *
 * The object defines one variable of the name mcp_fcgi_module. What it calls of the headers beside this one is in the
 * server; functions of base/json.h build and read JSON. It runs in the server's process with all that the server may
 * do, so the server refuses files that others could have written.
 */
#define MCP_MODULE_API 1	/* grows when a struct or a function of these headers changes its meaning */

struct module;

struct mcp_module {
	unsigned api;		/* MCP_MODULE_API */
	const char *name;	/* [A-Za-z0-9_-]{1,64}; its settings are in the section "[module NAME]" */
	const char *version;	/* NULL: none */
	/*
	 * Add everything, with the functions below. Called once for each configuration that is loaded, also while an
	 * older one still serves. *context is for unload() and is NULL before. Returns MCP_OK; any failure refuses the
	 * configuration.
	 */
	enum mcp_err (*load)(struct module *m, void **context);
	void (*unload)(void *context);	/* when the configuration is dropped, also after load() failed; NULL: nothing */
};

extern const struct mcp_module mcp_fcgi_module;

/*
 * Add a row, which must live until unload(). Its scopes are those it declares, unless MODULE_SCOPES names it. Returns
 * MCP_OK; MCP_EINVAL: the server refuses it, and has said why; MCP_ENOMEM.
 */
enum mcp_err module_add_tool(struct module *m, const struct tool *tool) MCP_MUST_CHECK;

/* The same with a prompt. */
enum mcp_err module_add_prompt(struct module *m, const struct prompt *prompt) MCP_MUST_CHECK;

/* With a resource. */
enum mcp_err module_add_resource(struct module *m, const struct resource *resource) MCP_MUST_CHECK;

/* With a resource template. */
enum mcp_err module_add_template(struct module *m, const struct resource_template *template) MCP_MUST_CHECK;

/* The value of a key in the module's section of the configuration file, or NULL. Borrowed until unload(). */
const char *module_setting(const struct module *m, const char *key);

#endif
