/* SPDX-License-Identifier: MIT */
/* SQLite files that are replaced when they are damaged. */
#include "store/disposable.h"

#include "base/log.h"

static const char *const version_sql[] = { "PRAGMA user_version" };

enum mcp_err
disposable_error(int sqlite_code)
{
	switch (sqlite_code & 0xff) {
	case SQLITE_ERROR:
	case SQLITE_SCHEMA:
	case SQLITE_CONSTRAINT:
	case SQLITE_MISMATCH: return MCP_ESYNTAX;
	default: return store_error(sqlite_code);
	}
}

void
disposable_close(struct disposable *d)
{
	store_finalize(d->statement, d->n);
	store_close(&d->store);
}

static enum mcp_err
read_version(struct disposable *d, int *version)
{
	sqlite3_stmt *q;
	enum mcp_err err = store_prepare(&d->store, version_sql, 1, &q);

	*version = 0;
	if (!err)
		err = disposable_error(sqlite3_step(q));
	if (!err)
		*version = sqlite3_column_int(q, 0);
	store_finalize(&q, 1);
	return err;
}

/* Open the file as it is. MCP_ESYNTAX: it should be replaced. */
static enum mcp_err
open_as_is(struct disposable *d, const char **why)
{
	enum mcp_err err = store_directory(d->file.dir, why);
	int version = 0;

	if (!err)
		err = store_open(&d->store, &d->file, why);
	if (err)
		return err;
	*why = "its schema cannot be written or read";
	err = read_version(d, &version);
	if (!err && version == 0)
		err = store_exec(&d->store, d->schema);
	else if (!err && version != d->signature)
		err = MCP_ESYNTAX;
	if (!err && (err = store_prepare(&d->store, d->sql, d->n, d->statement)) == MCP_EDB)
		err = MCP_ESYNTAX;
	if (err)
		disposable_close(d);
	return err;
}

enum mcp_err
disposable_open(struct disposable *d, const char **why)
{
	enum mcp_err err = open_as_is(d, why);

	if (err != MCP_ESYNTAX)
		return err;
	log_warning("%s: %s/%s is damaged or not ours; a new one is begun", d->who, d->file.dir, d->file.name);
	err = store_discard(&d->store, &d->file);
	return err ? err : open_as_is(d, why);
}

enum mcp_err
disposable_discard(struct disposable *d, const char *why)
{
	log_warning("%s: %s/%s is damaged (%s); a new one is begun", d->who, d->file.dir, d->file.name, why);
	disposable_close(d);
	return store_discard(&d->store, &d->file);
}
