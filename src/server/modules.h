/* SPDX-License-Identifier: MIT */
#ifndef MCP_SERVER_MODULES_H
#define MCP_SERVER_MODULES_H

#include "base/err.h"

struct config;
struct registry;
struct report;
struct server_settings;
struct strlist;

/* The modules of one configuration (mcp/module.h): shared objects that TOOL_MODULES names. */
struct modules;

/*
 * Load them in their order and have each add its rows to "registry", with the scopes of MODULE_SCOPES and the
 * organisations of MODULE_ORGANISATIONS. What is wrong is reported as REPORT_FAIL: a path that is not absolute, a file
 * that does not load or is no module, one that somebody other than root and this user owns or can write, or its
 * directory, a row that is refused; rules for what no module has are warnings. Returns MCP_OK with *out new, also with
 * faults, and MCP_ENOMEM. In both cases modules_free() releases *out (which may be NULL), after registry_free(): what
 * the modules added is borrowed.
 */
enum mcp_err modules_load(const struct server_settings *set, const struct config *source, struct registry *registry,
    struct report *report, struct modules **out) MCP_MUST_CHECK;
void modules_free(struct modules *m);

/* Why a value of MODULE_SCOPES or MODULE_ORGANISATIONS is wrong, or NULL; for the tables of settings. */
const char *modules_check_scopes(const char *value);
const char *modules_check_organisations(const char *value);

#endif
