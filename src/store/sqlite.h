/* SPDX-License-Identifier: MIT */
#ifndef MCP_STORE_SQLITE_H
#define MCP_STORE_SQLITE_H

#include <stdbool.h>
#include <stdint.h>

#include <sqlite3.h>

#include "base/err.h"

/*
 * Opening SQLite files the way all ours are: owner and mode checked, no symbolic links, WAL or a rollback journal, a busy handler that yields before it sleeps, prepared statements. Used by the modules of store/ and limit/ only.
 */

/* Make "dir" with mode 0700 if it is missing and check that it is ours and nobody else's to write. MCP_OK, MCP_EPERM, MCP_EIO; *why static. */
enum mcp_err store_directory(const char *dir, const char **why) MCP_MUST_CHECK;

enum store_sync { STORE_SYNC_OFF, STORE_SYNC_NORMAL };

/*
 * Open or create "dir/name" with mode 0600. *wal (may be NULL) tells whether WAL could be had. "busy_ms" bounds a wait for a lock. MCP_OK with *db (close with store_close()); MCP_EPERM, MCP_EIO, MCP_EDB; *why static.
 */
enum mcp_err store_open(const char *dir, const char *name, enum store_sync sync, int busy_ms, sqlite3 **db, bool *wal, const char **why) MCP_MUST_CHECK;
void store_close(sqlite3 *db);

/* Run statements without results, e.g. a schema. MCP_OK, MCP_EDB. */
enum mcp_err store_exec(sqlite3 *db, const char *sql) MCP_MUST_CHECK;

#endif
