/* SPDX-License-Identifier: MIT */
#ifndef MCP_MCP_MODULE_HOST_H
#define MCP_MCP_MODULE_HOST_H

#include "base/strlist.h"
#include "mcp/module.h"
#include "mcp/registry.h"

/* What a module that is being loaded has of the server; all borrowed. */
struct module {
	struct registry *registry;
	void *ctx;
	/* The operator's scopes for a row of this name, NULL: the row's own hold. */
	const struct strlist *(*scopes)(void *ctx, const char *name);
	const char *(*setting)(void *ctx, const char *key);
	/* Told after each row: it was taken (err is MCP_OK), or why not (static). */
	void (*added)(void *ctx, enum registry_kind kind, const char *name, enum mcp_err err, const char *why);
};

#endif
