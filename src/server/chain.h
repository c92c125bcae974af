/* SPDX-License-Identifier: MIT */
#ifndef MCP_SERVER_CHAIN_H
#define MCP_SERVER_CHAIN_H

#include "server/exchange.h"

/*
 * Run the chain of steps over an exchange whose server, req, body, res, now_s and id are set; the first step that
 * answers ends it. Adds the CORS fields to whatever was answered.
 */
void chain_run(struct exchange *x);

#endif
