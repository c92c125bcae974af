/* SPDX-License-Identifier: MIT */
#ifndef MCP_CLI_FORGET_H
#define MCP_CLI_FORGET_H

/* "mcp-fcgi forget": deletes the keys that seal what travels through clients. See cli.h. */
#define CLI_FORGET_SYNOPSIS "[--config FILE] [--state-dir DIR]"
int cli_forget(int argc, char **argv);

#endif
