/* SPDX-License-Identifier: MIT */
#ifndef MCP_SERVER_INTROSPECT_H
#define MCP_SERVER_INTROSPECT_H

#include "base/err.h"
#include "oauth/issuer.h"
#include "server/report.h"
#include "server/settings.h"

/*
 * Give "issuer", whose policy and discovery are there already, the way of validation that the settings ask for. What
 * cannot be made of them goes to "report". Returns MCP_OK, also then; MCP_ENOMEM. "set" is borrowed for the issuer's
 * life.
 */
enum mcp_err introspect_build(const struct server_settings *set, struct issuer *issuer,
    struct report *report) MCP_MUST_CHECK;

#endif
