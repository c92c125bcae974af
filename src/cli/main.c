/* SPDX-License-Identifier: MIT */
/* The command mcp-fcgi: the table of its subcommands. */
#include "config.h"
#include "cli/cli.h"

#include <stddef.h>

#include "cli/forget.h"
#include "cli/org.h"

static const struct cli_command commands[] = {
	{ "config", cli_config, "show | check [--config FILE]",
	    "Show the settings in force and where they come from, or check them" },
	{ "forget", cli_forget, CLI_FORGET_SYNOPSIS,
	    "Forget the keys that seal what travels through clients: sessions end" },
	{ "issuer", cli_issuer,
	    "--listen SOCKET --url URL --resource URL [OPTION ...] | rotate [--alg ALG] [--forget] | keys",
	    "Run the development issuer, or rotate or print its keys" },
	{ "org", cli_org, CLI_ORG_SYNOPSIS,
	    "Show and change the data of organisations, which the tool get_org_data returns" },
	{ "token", cli_token,
	    "[--scope SCOPES] [--org ORG] [--subject SUB] [--client ID] [--resource URL] [--ttl S] [--claim NAME=JSON]",
	    "Mint an access token with the development issuer's key" },
	{ NULL, NULL, NULL, NULL }
};

int
main(int argc, char **argv)
{
	return cli_run(commands, PACKAGE_VERSION, argc, argv);
}
