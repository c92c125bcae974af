/* SPDX-License-Identifier: MIT */
/* The command mcp-fcgi: finds the subcommand in the table and runs it. */
#include "config.h"
#include "cli/cli.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "cli/org.h"

static const struct cli_command commands[] = {
	{ "org", cli_org, CLI_ORG_SYNOPSIS,
	    "Show and change the data of organisations, which the tool get_org_data returns" },
	{ NULL, NULL, NULL, NULL }
};

const struct cli_command *
cli_find(const char *name)
{
	for (const struct cli_command *c = commands; c->name; c++)
		if (strcmp(c->name, name) == 0)
			return c;
	return NULL;
}

static void
print_synopsis(FILE *to, const struct cli_command *c)
{
	fprintf(to, "usage: mcp-fcgi %s%s%s\n", c->name, *c->synopsis ? " " : "", c->synopsis);
}

int
cli_fail(const char *command, const char *fmt, ...)
{
	va_list ap;

	fflush(stdout);
	fprintf(stderr, "mcp-fcgi %s: ", command);
	va_start(ap, fmt);
	vfprintf(stderr, fmt, ap);
	va_end(ap);
	fputc('\n', stderr);
	return CLI_FAILED;
}

int
cli_usage(const char *command, const char *fmt, ...)
{
	const struct cli_command *c = cli_find(command);
	va_list ap;

	fflush(stdout);
	if (fmt) {
		fprintf(stderr, "mcp-fcgi %s: ", command);
		va_start(ap, fmt);
		vfprintf(stderr, fmt, ap);
		va_end(ap);
		fputc('\n', stderr);
	}
	if (c)
		print_synopsis(stderr, c);
	return CLI_USAGE;
}

int
cli_help(const char *command, const char *details)
{
	const struct cli_command *c = cli_find(command);

	if (c) {
		print_synopsis(stdout, c);
		printf("\n%s.\n", c->summary);
	}
	if (details)
		printf("\n%s", details);
	return CLI_OK;
}

static void
print_commands(FILE *to)
{
	fputs("usage: mcp-fcgi COMMAND [ARGUMENT ...]\n"
	    "       mcp-fcgi --version | --help\n\n", to);
	for (const struct cli_command *c = commands; c->name; c++)
		fprintf(to, "  %-8s  %s\n", c->name, c->summary);
	fputs("\n\"mcp-fcgi COMMAND --help\" tells more.\n", to);
}

int
main(int argc, char **argv)
{
	const struct cli_command *c;

	if (argc < 2) {
		print_commands(stderr);
		return CLI_USAGE;
	}
	if (strcmp(argv[1], "--version") == 0) {
		puts("mcp-fcgi " PACKAGE_VERSION);
		return CLI_OK;
	}
	if (strcmp(argv[1], "--help") == 0 || strcmp(argv[1], "-h") == 0 || strcmp(argv[1], "help") == 0) {
		print_commands(stdout);
		return CLI_OK;
	}
	c = cli_find(argv[1]);
	if (!c) {
		fprintf(stderr, "mcp-fcgi: there is no command \"%s\"; \"mcp-fcgi --help\" lists them\n", argv[1]);
		return CLI_USAGE;
	}
	return c->run(argc - 1, argv + 1);
}
