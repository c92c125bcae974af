/* SPDX-License-Identifier: MIT */
/* mcp-fcgi forget: the sealing keys in state.db, for when somebody may have read them. */
#include "cli/forget.h"

#include <getopt.h>
#include <stddef.h>

#include "cli/cli.h"
#include "store/state.h"

static const char details[] =
    "New keys are made by the first request after it. Sessions end, questions that clients have not answered yet are\n"
    "void, and lists are read from their beginning, within a second in all processes. Keys are changed daily anyway.\n";

int
cli_forget(int argc, char **argv)
{
	static const struct option options[] = {
		{ "config", required_argument, NULL, 'c' }, { "state-dir", required_argument, NULL, 's' },
		{ "help", no_argument, NULL, 'h' }, { NULL, 0, NULL, 0 }
	};
	const char *config = NULL, *state_dir = NULL, *why = NULL;
	struct state *s = NULL;
	struct buf dir;
	enum mcp_err err;
	int c, status;

	while ((c = getopt_long(argc, argv, "+h", options, NULL)) != -1) {
		switch (c) {
		case 'c': config = optarg; break;
		case 's': state_dir = optarg; break;
		case 'h': return cli_help("forget", details);
		default: return cli_usage("forget", NULL);
		}
	}
	if (optind != argc)
		return cli_usage("forget", "there is nothing to be named");
	buf_init(&dir, 4096);
	status = cli_state_directory("forget", state_dir, config, &dir);
	if (status == CLI_OK && (err = state_open(dir.data, &s, &why)) != MCP_OK)
		status = cli_fail("forget", "%s: %s", dir.data, why ? why : mcp_strerror(err));
	if (status == CLI_OK && (err = state_secrets_forget(s)) != MCP_OK)
		status = cli_fail("forget", "%s: %s", dir.data, mcp_strerror(err));
	state_close(s);
	buf_clear(&dir);
	return status;
}
