/* SPDX-License-Identifier: MIT */
#ifndef MCP_SERVER_AUTHORIZATION_H
#define MCP_SERVER_AUTHORIZATION_H

#include "server/exchange.h"

/*
 * Fill s->issuers, s->authorization_servers and s->upstream from the settings: the issuer of SK_ENV_URL first, if there
 * is one, then those of the sections. One line each goes to "report". Returns MCP_OK or MCP_ENOMEM.
 */
enum mcp_err authorization_build(struct server *s, struct report *report) MCP_MUST_CHECK;

#endif
