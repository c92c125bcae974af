/* SPDX-License-Identifier: MIT */
#ifndef MCP_SERVER_INTROSPECT_H
#define MCP_SERVER_INTROSPECT_H

#include "base/err.h"
#include "oauth/issuer.h"
#include "server/report.h"
#include "server/settings.h"

/*
 * Give the last of "trusted", whose policy and discovery are there already, the way of validation that its settings
 * "set" ask for; "all" has what they share. What cannot be made of them goes to "report". Returns MCP_OK, also then;
 * MCP_ENOMEM. The settings are borrowed for the issuer's life.
 */
enum mcp_err introspect_build(const struct server_settings *all, const struct issuer_settings *set,
    struct issuers *trusted, struct report *report) MCP_MUST_CHECK;

#endif
