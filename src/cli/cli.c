/* SPDX-License-Identifier: MIT */
/* Answers for finding and running a subcommand, and for what it says when its command line is wrong. */
#include "cli/cli.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

/* The row of the subcommand that runs: there is one a process. */
static const struct cli_command *running;

static void complain(const char *command, const char *fmt, va_list ap) MCP_PRINTF(2, 0);

static void
complain(const char *command, const char *fmt, va_list ap)
{
	fflush(stdout);
	fprintf(stderr, "mcp-fcgi %s: ", command);
	vfprintf(stderr, fmt, ap);
	fputc('\n', stderr);
}

static void
print_synopsis(FILE *to)
{
	if (running)
		fprintf(to, "usage: mcp-fcgi %s %s\n", running->name, running->synopsis);
}

int
cli_fail(const char *command, const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	complain(command, fmt, ap);
	va_end(ap);
	return CLI_FAILED;
}

int
cli_usage(const char *command, const char *fmt, ...)
{
	va_list ap;

	if (fmt) {
		va_start(ap, fmt);
		complain(command, fmt, ap);
		va_end(ap);
	}
	fflush(stdout);
	print_synopsis(stderr);
	return CLI_USAGE;
}

int
cli_help(const char *command, const char *details)
{
	print_synopsis(stdout);
	printf("\n%s.\n", running ? running->summary : command);
	if (details)
		printf("\n%s", details);
	return CLI_OK;
}

static void
print_commands(FILE *to, const struct cli_command *commands)
{
	fputs("usage: mcp-fcgi COMMAND [ARGUMENT ...]\n"
	      "       mcp-fcgi --version | --help\n\n",
	    to);
	for (const struct cli_command *c = commands; c->name; c++)
		fprintf(to, "  %-8s  %s\n", c->name, c->summary);
	fputs("\n\"mcp-fcgi COMMAND --help\" tells more.\n", to);
}

int
cli_run(const struct cli_command *commands, const char *version, int argc, char **argv)
{
	if (argc < 2) {
		print_commands(stderr, commands);
		return CLI_USAGE;
	}
	if (strcmp(argv[1], "--version") == 0) {
		printf("mcp-fcgi %s\n", version);
		return CLI_OK;
	}
	if (strcmp(argv[1], "--help") == 0 || strcmp(argv[1], "-h") == 0 || strcmp(argv[1], "help") == 0) {
		print_commands(stdout, commands);
		return CLI_OK;
	}
	for (const struct cli_command *c = commands; c->name; c++) {
		if (strcmp(c->name, argv[1]) == 0) {
			running = c;
			return c->run(argc - 1, argv + 1);
		}
	}
	fprintf(stderr, "mcp-fcgi: there is no command \"%s\"; \"mcp-fcgi --help\" lists them\n", argv[1]);
	return CLI_USAGE;
}
