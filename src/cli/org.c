/* SPDX-License-Identifier: MIT */
/* mcp-fcgi org: organisations' data in state.db. */
#include "cli/org.h"

#include <getopt.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/text.h"
#include "cli/cli.h"
#include "store/state.h"

static const char details[] =
    "  set ORG KEY VALUE  keep a value (at most 64 KiB); a value that was there is replaced\n"
    "  get ORG KEY        print a value as it is\n"
    "  get ORG            print all as KEY=VALUE, one a line; bytes that are not printable as \\xNN\n"
    "  list               print the organisations and how many keys each has\n"
    "  list ORG           print the keys of one\n"
    "  delete ORG [KEY]   delete one key, or all of an organisation\n"
    "\n"
    "ORG is the organisation's id as access tokens carry it, e.g. org_12345. Root works as the user whom the state\n"
    "directory belongs to.\n";

/* What a failure of state_*() means to the person at the keyboard. */
static int
failed(enum mcp_err err)
{
	switch (err) {
	case MCP_ENOENT: return cli_fail("org", "there is no such organisation or key");
	case MCP_ELIMIT: return cli_fail("org", "too long: an organisation or key has at most %d bytes, a value %d",
	    STATE_NAME_MAX,
	    STATE_VALUE_MAX);
	case MCP_EINVAL: return cli_fail("org", "organisation, key and value must be UTF-8, the first two not empty");
	default: return cli_fail("org", "%s", mcp_strerror(err));
	}
}

/* Print text for a line of a list. */
static void
print_escaped(const char *text)
{
	struct buf b;

	buf_init(&b, (size_t)5 * STATE_VALUE_MAX);
	if (text_is_utf8(text, strlen(text)) && !text[strcspn(text, "\r\n\t\033\177")]) {
		fputs(text, stdout);
	} else {
		text_escape(text, strlen(text), strlen(text), &b);
		fputs(buf_status(&b) == MCP_OK ? b.data : "?", stdout);
	}
	buf_clear(&b);
}

static bool
print_pair(void *ctx, const char *key, const char *value)
{
	++*(size_t *)ctx;
	print_escaped(key);
	putchar('=');
	print_escaped(value);
	putchar('\n');
	return true;
}

static bool
print_key(void *ctx, const char *key, const char *value)
{
	(void)value;
	++*(size_t *)ctx;
	print_escaped(key);
	putchar('\n');
	return true;
}

static bool
print_organisation(void *ctx, const char *key, const char *value)
{
	++*(size_t *)ctx;
	print_escaped(key);
	printf("\t%s\n", value);
	return true;
}

static int
set(struct state *s, char **arg, int n)
{
	enum mcp_err err = state_org_set(s, arg[0], arg[1], arg[2]);

	(void)n;
	return err ? failed(err) : CLI_OK;
}

static int
get(struct state *s, char **arg, int n)
{
	enum mcp_err err;
	size_t seen = 0;
	char *value;

	if (n == 1) {
		err = state_org_each(s, arg[0], print_pair, &seen);
		return err || seen ? (err ? failed(err) : CLI_OK) : failed(MCP_ENOENT);
	}
	err = state_org_get(s, arg[0], arg[1], &value);
	if (err)
		return failed(err);
	puts(value);
	free(value);
	return CLI_OK;
}

static int
list(struct state *s, char **arg, int n)
{
	size_t seen = 0;
	enum mcp_err err = state_org_each(s, n ? arg[0] : NULL, n ? print_key : print_organisation, &seen);

	if (!err && n && !seen)
		err = MCP_ENOENT;
	return err ? failed(err) : CLI_OK;
}

static int
delete(struct state *s, char **arg, int n)
{
	enum mcp_err err = state_org_delete(s, arg[0], n > 1 ? arg[1] : NULL);

	return err ? failed(err) : CLI_OK;
}

static const struct action {
	const char *name;
	int (*run)(struct state *s, char **arg, int n);
	int min, max;		/* arguments */
} actions[] = {
	{ "set", set, 3, 3 }, { "get", get, 1, 2 }, { "list", list, 0, 1 }, { "delete", delete, 1, 2 }
};

static const struct action *
find_action(const char *name)
{
	for (size_t i = 0; i < sizeof actions / sizeof actions[0]; i++)
		if (strcmp(actions[i].name, name) == 0)
			return &actions[i];
	return NULL;
}

/* Open state.db where the configuration says, as its owner. Returns CLI_OK or the exit status, after a complaint. */
static int
open_state(const char *config, const char *state_dir, struct state **out)
{
	const char *why = NULL;
	struct buf dir;
	enum mcp_err err;
	int status;

	*out = NULL;
	buf_init(&dir, 4096);
	status = cli_state_directory("org", state_dir, config, &dir);
	if (status == CLI_OK) {
		err = state_open(dir.data, out, &why);
		if (err)
			status = cli_fail("org", "%s: %s", dir.data, why ? why : mcp_strerror(err));
	}
	buf_clear(&dir);
	return status;
}

int
cli_org(int argc, char **argv)
{
	static const struct option options[] = {
		{ "config", required_argument, NULL, 'c' }, { "state-dir", required_argument, NULL, 's' }, { "help",
		    no_argument, NULL, 'h' },
		{ NULL, 0, NULL, 0 }
	};
	const char *config = NULL, *state_dir = NULL;
	const struct action *action;
	struct state *s;
	int c, n, status;

	while ((c = getopt_long(argc, argv, "+h", options, NULL)) != -1) {
		switch (c) {
		case 'c': config = optarg; break;
		case 's': state_dir = optarg; break;
		case 'h': return cli_help("org", details);
		default: return cli_usage("org", NULL);
		}
	}
	if (optind == argc)
		return cli_usage("org", "what is to be done?");
	action = find_action(argv[optind]);
	if (!action)
		return cli_usage("org", "there is no action \"%s\"", argv[optind]);
	n = argc - optind - 1;
	if (n < action->min || n > action->max)
		return cli_usage("org", "wrong number of arguments for \"%s\"", action->name);
	status = open_state(config, state_dir, &s);
	if (status == CLI_OK)
		status = action->run(s, argv + optind + 1, n);
	state_close(s);
	if (fflush(stdout) != 0 && status == CLI_OK)
		status = cli_fail("org", "the output could not be written");
	return status;
}
