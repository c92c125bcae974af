/* SPDX-License-Identifier: MIT */
#ifndef MCP_CLI_ORG_H
#define MCP_CLI_ORG_H

/* "mcp-fcgi org": sets, shows and deletes the data of organisations that the tool get_org_data returns. See cli.h. */
#define CLI_ORG_SYNOPSIS \
	"[--config FILE] [--state-dir DIR] set ORG KEY VALUE | get ORG [KEY] | list [ORG] | delete ORG [KEY]"
int cli_org(int argc, char **argv);

#endif
