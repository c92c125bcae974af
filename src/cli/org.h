/* SPDX-License-Identifier: MIT */
#ifndef MCP_CLI_ORG_H
#define MCP_CLI_ORG_H

#define CLI_ORG_SYNOPSIS \
	"[--config FILE] [--state-dir DIR] set ORG KEY VALUE | get ORG [KEY] | list [ORG] | delete ORG [KEY]"

/* "mcp-fcgi org": sets, shows and deletes what get_org_data returns of organisations. Returns as cli.h says. */
int cli_org(int argc, char **argv);

#endif
