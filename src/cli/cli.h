/* SPDX-License-Identifier: MIT */
#ifndef MCP_CLI_CLI_H
#define MCP_CLI_CLI_H

#include "base/buf.h"
#include "base/err.h"

/*
 * The command mcp-fcgi: one file a subcommand, one row each in the table of main.c. A subcommand is cli_NAME(argc, argv) with argv[0] its own name,
 * so getopt_long(3) works as in a main(). It prints results on stdout and complaints on stderr, and returns the exit status: one of these.
 */
enum { CLI_OK = 0, CLI_FAILED = 1, CLI_USAGE = 2 };

struct cli_command {
	const char *name;
	int (*run)(int argc, char **argv);
	const char *synopsis;	/* what follows the name, e.g. "[--state-dir DIR] set ORG KEY VALUE" */
	const char *summary;	/* one line for --help */
};

/* The row of "name", NULL if there is none. */
const struct cli_command *cli_find(const char *name);

/* Print "mcp-fcgi COMMAND: text" on stderr, for what went wrong. Returns CLI_FAILED, so that a subcommand ends with "return cli_fail(...)". */
int cli_fail(const char *command, const char *fmt, ...) MCP_PRINTF(2, 3);

/* As cli_fail() for a wrong command line, and the synopsis of "command" follows. "fmt" may be NULL (getopt_long has complained). Returns CLI_USAGE. */
int cli_usage(const char *command, const char *fmt, ...) MCP_PRINTF(2, 3);

/* Print synopsis and summary of "command" and then "details" (may be NULL) on stdout, for --help. Returns CLI_OK. */
int cli_help(const char *command, const char *details);

#endif
