/* SPDX-License-Identifier: MIT */
#ifndef MCP_CLI_CLI_H
#define MCP_CLI_CLI_H

#include "base/buf.h"
#include "base/err.h"

/*
 * The command mcp-fcgi: one file a subcommand, one row each in the table of main.c. A subcommand is cli_NAME(argc,
 * argv) with argv[0] its own name, so getopt_long(3) works as in a main(). It prints results on stdout and complaints
 * on stderr, and returns the exit status: one of these.
 */
enum { CLI_OK = 0, CLI_FAILED = 1, CLI_USAGE = 2 };

struct cli_command {
	const char *name;
	int (*run)(int argc, char **argv);
	const char *synopsis; /* what follows the name, e.g. "[--state-dir DIR] set ORG KEY VALUE" */
	const char *summary;  /* one line for --help */
};

/*
 * Run the subcommand that argv[1] names among "commands" (ended by a row without name), or tell about them (--help) or
 * the version (--version). Returns the exit status.
 */
int cli_run(const struct cli_command *commands, const char *version, int argc, char **argv);

/*
 * Print "mcp-fcgi COMMAND: text" on stderr, for what went wrong. Returns CLI_FAILED, so that a subcommand ends with
 * "return cli_fail(...)".
 */
int cli_fail(const char *command, const char *fmt, ...) MCP_PRINTF(2, 3);

/*
 * As cli_fail() for a wrong command line, and the synopsis of the running subcommand follows. "fmt" may be NULL
 * (getopt_long has complained). Returns CLI_USAGE.
 */
int cli_usage(const char *command, const char *fmt, ...) MCP_PRINTF(2, 3);

/*
 * Print synopsis and summary of the running subcommand and then "details" (may be NULL) on stdout, for --help. Returns
 * CLI_OK.
 */
int cli_help(const char *command, const char *details);

/*
 * Append the state directory to "out": "dir" (the value of --state-dir, may be NULL), else the configuration's
 * ("config": the value of --config, may be NULL). A superuser becomes the directory's owner for good, so that no file
 * in it will belong to another. Call it before any file in there is opened. Returns CLI_OK, or CLI_FAILED after
 * cli_fail().
 */
int cli_state_directory(const char *command, const char *dir, const char *config, struct buf *out);

/*
 * The subcommands of mcp-fcgi(1). "argv" begins with the subcommand's name. Each returns the exit status, one of the
 * above.
 */

/* Show or check the settings. */
int cli_config(int argc, char **argv);

/* Run the development issuer until a signal ends it. */
int cli_issuer(int argc, char **argv);

/* Have the development issuer's key sign a token. */
int cli_token(int argc, char **argv);

#endif
