/* SPDX-License-Identifier: MIT */
#ifndef MCP_STORE_DISPOSABLE_H
#define MCP_STORE_DISPOSABLE_H

#include <stdbool.h>
#include <stddef.h>

#include <sqlite3.h>

#include "base/err.h"
#include "store/sqlite.h"

/*
 * SQLite files with nothing in them that is worth keeping (limits.db, bus.db). One that is damaged, foreign or of
 * another schema is replaced by a new one; a schema that is not what its signature says counts as damage.
 */
struct disposable {
	struct store_file file;
	const char *who;		/* in the log, before the name of the file */
	/* Run in a file without a signature; it begins and ends its transaction itself and sets user_version. */
	const char *schema;
	int signature;			/* user_version of a file that is ours; changes with the schema; not 0 */
	const char *const *sql;		/* n statements to prepare, */
	sqlite3_stmt **statement;	/* here; all NULL while the file is closed */
	size_t n;
	struct store store;
};

/*
 * Open the file, or a new one in its place, with its statements prepared. Returns MCP_OK; else as store_directory()
 * and store_open() say, with *why a static phrase; MCP_ESYNTAX: the new one is no better. After a failure it is closed.
 */
enum mcp_err disposable_open(struct disposable *d, const char **why) MCP_MUST_CHECK;

/* Close it with its statements; a closed one is fine. */
void disposable_close(struct disposable *d);

/*
 * It was open and turned out to be damaged ("why", for the log): close it and remove the file, so that the next
 * disposable_open() makes a new one. Returns MCP_OK, or MCP_EIO (errno).
 */
enum mcp_err disposable_discard(struct disposable *d, const char *why) MCP_MUST_CHECK;

/*
 * As store_error(), but MCP_ESYNTAX also when the schema does not fit: whatever another file will do better.
 */
enum mcp_err disposable_error(int sqlite_code);

#endif
