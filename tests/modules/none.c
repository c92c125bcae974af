/* SPDX-License-Identifier: MIT */
/* A shared object that is no module. */
#include <mcp/module.h>

extern int nothing_of_interest;
int nothing_of_interest = MCP_MODULE_API;
