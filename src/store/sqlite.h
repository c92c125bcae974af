/* SPDX-License-Identifier: MIT */
#ifndef MCP_STORE_SQLITE_H
#define MCP_STORE_SQLITE_H

#include <stdbool.h>
#include <stddef.h>
#include <sys/types.h>

#include <sqlite3.h>

#include "base/err.h"

/*
 * Opening SQLite files the way all ours are: owner and mode checked, no symbolic links, WAL or a rollback journal, a
 * busy handler that yields before it sleeps, prepared statements. Used by the modules of store/ and limit/,
 * and by issuer/database.
 *
 * Locks of fcntl(2) belong to the process: whoever opens and closes one of these files by other means while a
 * connection exists in the same process throws the connection's locks away. Nothing here does, and nobody else may.
 * And no connection may live across fork(2).
 *
 * "why" arguments may be NULL; they get a static phrase for people when the function fails.
 */

enum store_sync { STORE_SYNC_OFF, STORE_SYNC_NORMAL };

/* Which file, and how it is used; strings are borrowed for as long as the file is open. */
struct store_file {
	const char *dir;		/* absolute */
	const char *name;		/* within "dir" */
	enum store_sync sync;
	int busy_ms;			/* a lock is waited for at most so long */
	int page_bytes;			/* of a new file: a power of two from 512 to 65536 */
	int cache_kib;			/* page cache of the connection */
	int checkpoint_pages;		/* the WAL is written back when it has so many */
};

/* A connection. All zero is a closed one. Not thread-safe: one thread at a time. */
struct store {
	sqlite3 *db;			/* NULL while closed */
	bool wal;			/* false: a rollback journal had to do */
	dev_t device;			/* the file that was opened, or that store_open() found unfit; */
	ino_t inode;			/* 0 when there was none */
};

/*
 * Make "dir" and missing directories above it with mode 0700, and check that it is a directory (no symbolic link),
 * belongs to the effective user, and is nobody else's to write. Returns MCP_OK; MCP_EPERM (unsafe, or somebody
 * else's); MCP_EIO (errno).
 */
enum mcp_err store_directory(const char *dir, const char **why) MCP_MUST_CHECK;

/*
 * Open "file", in a directory that store_directory() passed; made with mode 0600 if it is missing, and what an older
 * file of the name has left beside it is removed then. Processes that open or make the file at the same time wait for
 * each other. Returns MCP_OK with "s" open (close with store_close()); MCP_EPERM (a symbolic link, another owner,
 * others may write); MCP_ESYNTAX (no SQLite file, or damaged); MCP_EDB (locked, read-only, full); MCP_EIO (errno);
 * MCP_ENOMEM. After a failure "s" is closed.
 */
enum mcp_err store_open(struct store *s, const struct store_file *file, const char **why) MCP_MUST_CHECK;

/* Wait for locks at most "busy_ms" from now on. */
void store_set_patience(struct store *s, int busy_ms);

/* Close; prepared statements must be finalized before. A closed "s" is fine. */
void store_close(struct store *s);

/* Whether the path does not name the opened file any more: deleted or replaced by somebody. Costs one stat(2). */
bool store_moved(const struct store *s, const struct store_file *file);

/*
 * Remove the file that "s" (closed) had open or found unfit, with what belongs to it, so that store_open() makes a
 * new one. Does nothing when the path names another file by now: somebody else was faster. Returns MCP_OK; MCP_EIO
 * (errno).
 */
enum mcp_err store_discard(const struct store *s, const struct store_file *file) MCP_MUST_CHECK;

/*
 * What a result code of SQLite means: MCP_OK, MCP_ENOMEM, MCP_ESYNTAX (damaged, or no SQLite file), MCP_EDB (all
 * else).
 */
enum mcp_err store_error(int sqlite_code);

/* Run statements without results, e.g. a schema. Returns as store_error(). */
enum mcp_err store_exec(struct store *s, const char *sql) MCP_MUST_CHECK;

/*
 * Prepare "n" statements that live as long as the connection. Returns MCP_OK; or as store_error() says, MCP_EDB for
 * SQL that the schema does not fit, with all of "out" NULL.
 */
enum mcp_err store_prepare(struct store *s, const char *const *sql, size_t n, sqlite3_stmt **out) MCP_MUST_CHECK;

/* Finalize the statements of store_prepare(), and set them NULL. */
void store_finalize(sqlite3_stmt **statements, size_t n);

/* Run a statement that returns no rows, and reset it. Returns as store_error(). */
enum mcp_err store_run(sqlite3_stmt *statement) MCP_MUST_CHECK;

#endif
