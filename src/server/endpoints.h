/* SPDX-License-Identifier: MIT */
#ifndef MCP_SERVER_ENDPOINTS_H
#define MCP_SERVER_ENDPOINTS_H

#include "server/exchange.h"

/*
 * Fill the endpoint table of "s" (its paths must be known): health, metadata at both forms, the two proxies, the MCP
 * endpoint.
 */
void endpoints_init(struct server *s);

#endif
