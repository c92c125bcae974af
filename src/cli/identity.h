/* SPDX-License-Identifier: MIT */
#ifndef MCP_CLI_IDENTITY_H
#define MCP_CLI_IDENTITY_H

#include "base/buf.h"
#include "base/err.h"
#include "server/settings.h"

/*
 * Become the user whom STATE_DIR belongs to, for good, and find the directory. Root would otherwise leave files there
 * that the server cannot open, and run SQLite on files that somebody else prepared. Call it after the configuration
 * was read (its secrets may be root's) and before any file in STATE_DIR is opened.
 *
 * "state_dir" is what --state-dir said, NULL: as "settings" say (server_state_directory()). Whoever is not root stays
 * who they are. Returns MCP_OK with the path appended to "out"; MCP_ENOENT (there is no such directory, and root does
 * not make one for others); MCP_EPERM (the identity could not be taken); MCP_EIO (errno); MCP_ENOMEM or MCP_ELIMIT of
 * "out". *why gets a static phrase.
 */
enum mcp_err identity_of_state(const struct server_settings *settings, const char *state_dir, struct buf *out,
    const char **why) MCP_MUST_CHECK;

#endif
