/* SPDX-License-Identifier: MIT */
/*
 * Answers for the issuer's SQLite file: its schema, transactions, and the small change of running statements. What the
 * rows mean is the business of clients.c, grants.c and keys.c.
 */
#include "issuer/database.h"

#include <pthread.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include "base/digest.h"
#include "base/log.h"
#include "base/text.h"
#include "store/sqlite.h"

#define SCHEMA_VERSION 1
#define BUSY_MS 5000
#define PRUNE_EVERY_S 60

/*
 * A grant is what one consent (or one machine's request) gave; its codes and tokens refer to it, so that all of them
 * end with it. Used codes and used refresh tokens are kept until they have expired: only so is a second use noticed.
 */
static const char schema[] =
    "CREATE TABLE setting (name TEXT PRIMARY KEY, value TEXT NOT NULL);"
    "CREATE TABLE signing_key (kid TEXT PRIMARY KEY, alg TEXT NOT NULL, pem TEXT NOT NULL,"
    " created_s INTEGER NOT NULL, retired_s INTEGER);"
    "CREATE TABLE client (id INTEGER PRIMARY KEY AUTOINCREMENT, client_id TEXT NOT NULL UNIQUE,"
    " secret_hash BLOB, name TEXT, redirect_uris TEXT NOT NULL,"
    " grant_types TEXT NOT NULL, auth_method TEXT NOT NULL, scope TEXT, created_s INTEGER NOT NULL);"
    "CREATE TABLE request (id INTEGER PRIMARY KEY AUTOINCREMENT, handle_hash BLOB NOT NULL UNIQUE,"
    " browser_hash BLOB NOT NULL, client_id TEXT NOT NULL, redirect_uri TEXT NOT NULL,"
    " state TEXT, scope TEXT NOT NULL, challenge TEXT NOT NULL, issuer TEXT NOT NULL, expires_s INTEGER NOT NULL);"
    "CREATE TABLE grant_ (id INTEGER PRIMARY KEY AUTOINCREMENT, client_id TEXT NOT NULL,"
    " subject TEXT NOT NULL, organisation TEXT, scope TEXT NOT NULL, issuer TEXT NOT NULL,"
    " revoked INTEGER NOT NULL DEFAULT 0, expires_s INTEGER NOT NULL);"
    "CREATE TABLE code (code_hash BLOB PRIMARY KEY, grant_id INTEGER NOT NULL, redirect_uri TEXT NOT NULL,"
    " challenge TEXT NOT NULL,"
    " used INTEGER NOT NULL DEFAULT 0, expires_s INTEGER NOT NULL);"
    "CREATE TABLE refresh_token (token_hash BLOB PRIMARY KEY, grant_id INTEGER NOT NULL,"
    " used INTEGER NOT NULL DEFAULT 0, expires_s INTEGER NOT NULL);"
    "CREATE TABLE access_token (token_hash BLOB PRIMARY KEY, grant_id INTEGER, client_id TEXT, claims TEXT NOT NULL,"
    " revoked INTEGER NOT NULL DEFAULT 0, expires_s INTEGER NOT NULL);"
    "CREATE INDEX request_expires ON request (expires_s);"
    "CREATE INDEX grant_expires ON grant_ (expires_s);"
    "CREATE INDEX code_expires ON code (expires_s);"
    "CREATE INDEX refresh_expires ON refresh_token (expires_s);"
    "CREATE INDEX access_expires ON access_token (expires_s);"
    "PRAGMA user_version = 1;";

struct database {
	struct store_file file;
	char *dir; /* of the file */
	struct store store;
	pthread_mutex_t lock;
	int64_t pruned_s; /* under the lock */
};

/*
 * Lay out an empty file, leave a good one alone. Two processes that start at once both come here: the second finds the
 * version set.
 */
static enum mcp_err
migrate(struct database *d, const char **why)
{
	sqlite3_stmt *stmt = NULL;
	int64_t version = -1;
	enum mcp_err err;

	*why = "the database cannot be written";
	err = database_begin(d);
	if (err)
		return err;
	err = database_query(d, &stmt, "PRAGMA user_version", "");
	if (!err)
		err = database_step(stmt);
	if (!err)
		version = sqlite3_column_int64(stmt, 0);
	sqlite3_finalize(stmt);
	if (!err && version == 0)
		err = store_exec(&d->store, schema);
	else if (!err && version != SCHEMA_VERSION) {
		*why = "the database is of another version of mcp-fcgi";
		err = MCP_EDB;
	}
	return database_end(d, err);
}

enum mcp_err
database_open(const char *state_dir, struct database **out, const char **why)
{
	struct database *d;
	enum mcp_err err;
	struct buf dir;

	*out = NULL;
	*why = "memory is short";
	d = calloc(1, sizeof *d);
	if (!d)
		return MCP_ENOMEM;
	if (pthread_mutex_init(&d->lock, NULL) != 0) {
		free(d);
		return MCP_ENOMEM;
	}
	buf_init(&dir, 4096);
	buf_printf(&dir, "%s/issuer", state_dir);
	d->dir = buf_steal(&dir, NULL);
	d->file = (struct store_file){ .dir = d->dir,
		.name = "issuer.db",
		.sync = STORE_SYNC_NORMAL,
		.busy_ms = BUSY_MS,
		.page_bytes = 4096,
		.cache_kib = 1024,
		.checkpoint_pages = 256 };
	err = d->dir ? store_directory(state_dir, why) : MCP_ENOMEM;
	if (!err)
		err = store_directory(d->dir, why);
	if (!err)
		err = store_open(&d->store, &d->file, why);
	if (!err)
		err = migrate(d, why);
	if (err) {
		database_close(d);
		return err;
	}
	*out = d;
	*why = NULL;
	return MCP_OK;
}

void
database_close(struct database *d)
{
	if (!d)
		return;
	store_close(&d->store);
	free(d->dir);
	pthread_mutex_destroy(&d->lock);
	free(d);
}

enum mcp_err
database_begin(struct database *d)
{
	enum mcp_err err;

	pthread_mutex_lock(&d->lock);
	err = store_exec(&d->store, "BEGIN IMMEDIATE");
	if (err)
		pthread_mutex_unlock(&d->lock);
	return err;
}

enum mcp_err
database_end(struct database *d, enum mcp_err err)
{
	if (!err)
		err = store_exec(&d->store, "COMMIT");
	/* A failed statement may have ended the transaction already. */
	if (err && !sqlite3_get_autocommit(d->store.db) && store_exec(&d->store, "ROLLBACK"))
		log_error("development issuer: a transaction could not be rolled back");
	pthread_mutex_unlock(&d->lock);
	return err;
}

static int
bind_one(sqlite3_stmt *stmt, int i, char type, va_list *ap)
{
	const char *s;
	const uint8_t *h;

	switch (type) {
	case 's':
		s = va_arg(*ap, const char *);
		return s ? sqlite3_bind_text(stmt, i, s, -1, SQLITE_TRANSIENT) : sqlite3_bind_null(stmt, i);
	case 'i':
		return sqlite3_bind_int64(stmt, i, va_arg(*ap, int64_t));
	case 'h':
		h = va_arg(*ap, const uint8_t *);
		return h ? sqlite3_bind_blob(stmt, i, h, DIGEST_SHA256_LEN, SQLITE_TRANSIENT)
			 : sqlite3_bind_null(stmt, i);
	default:
		return SQLITE_MISUSE;
	}
}

static enum mcp_err
query(struct database *d, sqlite3_stmt **stmt, const char *sql, const char *types, va_list *ap)
{
	int rc = sqlite3_prepare_v2(d->store.db, sql, -1, stmt, NULL);

	for (int i = 1; rc == SQLITE_OK && *types; i++, types++)
		rc = bind_one(*stmt, i, *types, ap);
	if (rc == SQLITE_OK)
		return MCP_OK;
	log_error("development issuer: database: %s", sqlite3_errmsg(d->store.db));
	sqlite3_finalize(*stmt);
	*stmt = NULL;
	return MCP_EDB;
}

enum mcp_err
database_query(struct database *d, sqlite3_stmt **stmt, const char *sql, const char *types, ...)
{
	enum mcp_err err;
	va_list ap;

	*stmt = NULL;
	va_start(ap, types);
	err = query(d, stmt, sql, types, &ap);
	va_end(ap);
	return err;
}

enum mcp_err
database_run(struct database *d, int *changes, const char *sql, const char *types, ...)
{
	sqlite3_stmt *stmt = NULL;
	enum mcp_err err;
	va_list ap;

	va_start(ap, types);
	err = query(d, &stmt, sql, types, &ap);
	va_end(ap);
	if (err)
		return err;
	err = database_step(stmt);
	sqlite3_finalize(stmt);
	if (err && err != MCP_ENOENT)
		return err;
	if (changes)
		*changes = sqlite3_changes(d->store.db);
	return MCP_OK;
}

enum mcp_err
database_step(sqlite3_stmt *stmt)
{
	switch (sqlite3_step(stmt)) {
	case SQLITE_ROW:
		return MCP_OK;
	case SQLITE_DONE:
		return MCP_ENOENT;
	default:
		log_error("development issuer: database: %s", sqlite3_errmsg(sqlite3_db_handle(stmt)));
		return MCP_EDB;
	}
}

enum mcp_err
database_text(sqlite3_stmt *stmt, int column, char **out)
{
	const char *text;

	*out = NULL;
	if (sqlite3_column_type(stmt, column) == SQLITE_NULL)
		return MCP_OK;
	text = (const char *)sqlite3_column_text(stmt, column);
	if (text)
		*out = text_dup(text, (size_t)sqlite3_column_bytes(stmt, column));
	return *out ? MCP_OK : MCP_ENOMEM;
}

/* Codes stay an hour and grants until the last token can have ended, so that replays are told from noise. */
static enum mcp_err
prune(struct database *d, int64_t now_s)
{
	static const struct {
		const char *sql;
		int64_t keep_s;
	} rows[] = {
		{ "DELETE FROM request WHERE expires_s < ?", 0 },
		{ "DELETE FROM code WHERE expires_s < ?", 3600 },
		{ "DELETE FROM refresh_token WHERE expires_s < ?", 0 },
		{ "DELETE FROM access_token WHERE expires_s < ?", 0 },
		{ "DELETE FROM grant_ WHERE expires_s < ?", 0 },
	};
	enum mcp_err err = MCP_OK;

	for (size_t i = 0; i < sizeof rows / sizeof rows[0] && !err; i++)
		err = database_run(d, NULL, rows[i].sql, "i", now_s - rows[i].keep_s);
	return err;
}

void
database_prune(struct database *d, int64_t now_s)
{
	enum mcp_err err;
	bool due;

	pthread_mutex_lock(&d->lock);
	due = now_s - d->pruned_s >= PRUNE_EVERY_S || now_s < d->pruned_s;
	if (due)
		d->pruned_s = now_s;
	pthread_mutex_unlock(&d->lock);
	if (!due)
		return;
	err = database_begin(d);
	if (!err)
		err = database_end(d, prune(d, now_s));
	if (err)
		log_warning("development issuer: old rows could not be deleted: %s", mcp_strerror(err));
}

enum mcp_err
database_secret(const char *prefix, struct buf *out)
{
	uint8_t bytes[32];
	enum mcp_err err = digest_random(bytes, sizeof bytes);

	if (err)
		return err;
	buf_puts(out, prefix);
	text_base64url_encode(bytes, sizeof bytes, out);
	return buf_status(out);
}

enum mcp_err
database_hash(const char *secret, uint8_t out[32])
{
	return digest_sha256(secret, strlen(secret), out);
}

enum mcp_err
database_setting_set(struct database *d, const char *name, const char *value)
{
	enum mcp_err err = database_begin(d);

	if (err)
		return err;
	err = database_run(d, NULL,
	    "INSERT INTO setting (name, value) VALUES (?, ?) ON CONFLICT (name) DO UPDATE SET value = excluded.value",
	    "ss", name, value);
	return database_end(d, err);
}

enum mcp_err
database_setting_get(struct database *d, const char *name, char **value)
{
	sqlite3_stmt *stmt = NULL;
	enum mcp_err err;

	*value = NULL;
	err = database_begin(d);
	if (err)
		return err;
	err = database_query(d, &stmt, "SELECT value FROM setting WHERE name = ?", "s", name);
	if (!err)
		err = database_step(stmt);
	if (!err)
		err = database_text(stmt, 0, value);
	sqlite3_finalize(stmt);
	err = database_end(d, err);
	if (err) {
		free(*value);
		*value = NULL;
	}
	return err;
}
