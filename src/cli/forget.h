/* SPDX-License-Identifier: MIT */
#ifndef MCP_CLI_FORGET_H
#define MCP_CLI_FORGET_H

#define CLI_FORGET_SYNOPSIS "[--config FILE] [--state-dir DIR]"

/* "mcp-fcgi forget": deletes the keys that seal what travels through clients. Returns as cli.h says. */
int cli_forget(int argc, char **argv);

#endif
