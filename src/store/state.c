/* SPDX-License-Identifier: MIT */
/* STATE_DIR/state.db. One function a question, each with one prepared statement, under one lock. */
#include "store/state.h"

#include <pthread.h>
#include <stdlib.h>
#include <string.h>

#include "base/log.h"
#include "base/text.h"
#include "store/sqlite.h"

#define APPLICATION_ID "0x6d637073"	/* "mcps": tells another program's database from ours */
#define APPLICATION_NUMBER 0x6d637073

/* What makes version i + 1 of the schema out of version i. Rows are only ever appended. */
static const char *const migrations[] = {
	"PRAGMA application_id=" APPLICATION_ID ";"
	"CREATE TABLE issuer_keys ("
	"	issuer TEXT PRIMARY KEY NOT NULL,"
	"	jwks TEXT,"
	"	fetched_s INTEGER NOT NULL DEFAULT 0,"
	"	soft_ttl_s INTEGER NOT NULL DEFAULT 0,"
	"	attempt_s INTEGER NOT NULL DEFAULT 0,"
	"	attempt_failed INTEGER NOT NULL DEFAULT 0,"
	"	generation INTEGER NOT NULL DEFAULT 0);"
	"CREATE TABLE organisation_data ("
	"	organisation TEXT NOT NULL,"
	"	key TEXT NOT NULL,"
	"	value TEXT NOT NULL,"
	"	PRIMARY KEY (organisation, key));",
	"CREATE TABLE sealing_key ("
	"	number INTEGER PRIMARY KEY AUTOINCREMENT,"
	"	key BLOB NOT NULL,"
	"	made_s INTEGER NOT NULL);"
};
#define VERSION ((int)(sizeof migrations / sizeof migrations[0]))

enum {
	SQL_KEYS_GET, SQL_KEYS_BEGIN, SQL_KEYS_KEEP, SQL_KEYS_FAILED,
	SQL_ORG_SET, SQL_ORG_GET, SQL_ORG_DELETE, SQL_ORG_DELETE_ALL, SQL_ORG_DATA, SQL_ORGS,
	SQL_SECRETS_GET, SQL_SECRETS_ADD, SQL_SECRETS_TRIM, SQL_SECRETS_FORGET,
	SQL_COUNT
};
static const char *const sql[SQL_COUNT] = {
	[SQL_KEYS_GET] = "SELECT jwks, fetched_s, soft_ttl_s, attempt_s, attempt_failed, generation"
	    " FROM issuer_keys WHERE issuer = ?1",
	[SQL_KEYS_BEGIN] = "INSERT INTO issuer_keys (issuer, attempt_s) VALUES (?1, ?2)"
	    " ON CONFLICT (issuer) DO UPDATE SET attempt_s = excluded.attempt_s, attempt_failed = 0"
	    " WHERE attempt_s > ?2 + ?3 OR attempt_s <= ?2 - ?3"
	    " RETURNING 1",
	[SQL_KEYS_KEEP] = "INSERT INTO issuer_keys (issuer, jwks, fetched_s, soft_ttl_s, generation)"
	    " VALUES (?1, ?2, ?3, ?4, 1)"
	    " ON CONFLICT (issuer) DO UPDATE SET jwks = excluded.jwks, fetched_s = excluded.fetched_s,"
	    " soft_ttl_s = excluded.soft_ttl_s, attempt_failed = 0, generation = generation + 1",
	[SQL_KEYS_FAILED] = "UPDATE issuer_keys SET attempt_failed = 1 WHERE issuer = ?1",
	[SQL_ORG_SET] = "INSERT INTO organisation_data (organisation, key, value) VALUES (?1, ?2, ?3)"
	    " ON CONFLICT (organisation, key) DO UPDATE SET value = excluded.value",
	[SQL_ORG_GET] = "SELECT value FROM organisation_data WHERE organisation = ?1 AND key = ?2",
	[SQL_ORG_DELETE] = "DELETE FROM organisation_data WHERE organisation = ?1 AND key = ?2",
	[SQL_ORG_DELETE_ALL] = "DELETE FROM organisation_data WHERE organisation = ?1",
	[SQL_ORG_DATA] = "SELECT key, value FROM organisation_data WHERE organisation = ?1 ORDER BY key",
	[SQL_ORGS] = "SELECT organisation, CAST(count(*) AS TEXT) FROM organisation_data"
	    " GROUP BY organisation ORDER BY 1",
	[SQL_SECRETS_GET] = "SELECT number, key, made_s FROM sealing_key ORDER BY number DESC LIMIT 2",
	[SQL_SECRETS_ADD] = "INSERT INTO sealing_key (key, made_s) SELECT ?1, ?2"
	    " WHERE NOT EXISTS (SELECT 1 FROM sealing_key WHERE made_s > ?2 - ?3 AND made_s <= ?2 + ?3"
	    " AND number = (SELECT max(number) FROM sealing_key))",
	[SQL_SECRETS_TRIM] = "DELETE FROM sealing_key WHERE number < (SELECT max(number) FROM sealing_key) - 1",
	[SQL_SECRETS_FORGET] = "DELETE FROM sealing_key"
};

struct state {
	pthread_mutex_t lock;
	char *dir;
	struct store_file file;
	struct store store;
	sqlite3_stmt *statement[SQL_COUNT];
};

static enum mcp_err
fail(enum mcp_err err, const char **why, const char *phrase)
{
	if (why)
		*why = phrase;
	return err;
}

/* Read one number, e.g. a PRAGMA's. */
static enum mcp_err
read_number(struct store *store, const char *question, int *out)
{
	sqlite3_stmt *statement = NULL;
	int rc = sqlite3_prepare_v2(store->db, question, -1, &statement, NULL);

	if (rc == SQLITE_OK)
		rc = sqlite3_step(statement);
	*out = rc == SQLITE_ROW ? sqlite3_column_int(statement, 0) : 0;
	sqlite3_finalize(statement);
	return store_error(rc);
}

/* Bring the schema to VERSION, in one transaction: processes that open an old file at the same time do it once. */
static enum mcp_err
migrate(struct store *store, const char **why)
{
	int version, application, tables;
	enum mcp_err err = read_number(store, "PRAGMA user_version", &version);

	if (!err && version != VERSION) {
		if ((err = store_exec(store, "BEGIN IMMEDIATE")) != MCP_OK)
			return fail(err, why, "the database is locked, read-only, or damaged");
		err = read_number(store, "PRAGMA user_version", &version);
	}
	if (!err)
		err = read_number(store, "PRAGMA application_id", &application);
	if (!err)
		err = read_number(store, "SELECT count(*) FROM sqlite_schema", &tables);
	if (err)
		return fail(err, why, "the database is damaged or cannot be read");
	if (application != APPLICATION_NUMBER && (version || tables))
		return fail(MCP_EDB, why, "it is another program's database");
	if (version < 0 || version > VERSION)
		return fail(MCP_EDB, why, "the database is of a newer version of this program");
	if (sqlite3_get_autocommit(store->db))
		return MCP_OK;
	for (; !err && version < VERSION; version++)
		err = store_exec(store, migrations[version]);
	if (!err) {
		char set[48];

		sqlite3_snprintf(sizeof set, set, "PRAGMA user_version=%d", VERSION);
		err = store_exec(store, set);
	}
	if (!err)
		err = store_exec(store, "COMMIT");
	return err ? fail(err, why, "the schema cannot be written") : MCP_OK;
}

static void
close_file(struct state *s)
{
	store_finalize(s->statement, SQL_COUNT);
	store_close(&s->store);
}

static enum mcp_err
open_file(struct state *s, const char **why)
{
	enum mcp_err err = store_directory(s->dir, why);

	if (!err)
		err = store_open(&s->store, &s->file, why);
	if (!err && (err = migrate(&s->store, why)) == MCP_OK)
		if ((err = store_prepare(&s->store, sql, SQL_COUNT, s->statement)) != MCP_OK)
			(void)fail(err, why, "the database lacks a table that it should have");
	if (err) {
		close_file(s);
		return err == MCP_ESYNTAX ? MCP_EDB : err;
	}
	if (!s->store.wal)
		log_warning("%s/state.db: no write-ahead log on this file system;"
		    " a rollback journal is used, which is slower", s->dir);
	return MCP_OK;
}

enum mcp_err
state_open(const char *dir, struct state **out, const char **why)
{
	struct state *s = calloc(1, sizeof *s);
	enum mcp_err err;

	*out = NULL;
	if (!s)
		return fail(MCP_ENOMEM, why, "out of memory");
	pthread_mutex_init(&s->lock, NULL);
	s->dir = text_dup(dir, strlen(dir));
	if (!s->dir) {
		state_close(s);
		return fail(MCP_ENOMEM, why, "out of memory");
	}
	s->file = (struct store_file){
		.dir = s->dir, .name = "state.db", .sync = STORE_SYNC_NORMAL, .busy_ms = 1000, .page_bytes = 4096,
		.cache_kib = 128, .checkpoint_pages = 250
	};
	err = open_file(s, why);
	if (err) {
		state_close(s);
		return err;
	}
	*out = s;
	return MCP_OK;
}

void
state_close(struct state *s)
{
	if (!s)
		return;
	close_file(s);
	pthread_mutex_destroy(&s->lock);
	free(s->dir);
	free(s);
}

/*
 * Take the lock and see to it that the right file is open. Returns MCP_OK with *statement ready to be bound, else the
 * reason; either way the caller ends with leave().
 */
static enum mcp_err
enter(struct state *s, int which, sqlite3_stmt **statement)
{
	enum mcp_err err = MCP_OK;

	pthread_mutex_lock(&s->lock);
	if (s->store.db && store_moved(&s->store, &s->file)) {
		log_warning("%s/state.db was deleted or replaced; it is opened anew", s->dir);
		close_file(s);
	}
	if (!s->store.db)
		err = open_file(s, NULL);
	*statement = err ? NULL : s->statement[which];
	return err;
}

/* Reset the statement, drop what was bound, release the lock. Returns "err"; a damaged file is MCP_EDB to callers. */
static enum mcp_err
leave(struct state *s, sqlite3_stmt *statement, enum mcp_err err)
{
	if (statement) {
		sqlite3_reset(statement);
		sqlite3_clear_bindings(statement);
	}
	pthread_mutex_unlock(&s->lock);
	return err == MCP_ESYNTAX ? MCP_EDB : err;
}

/* Bind a string that outlives the statement's use. */
static void
bind(sqlite3_stmt *statement, int i, const char *text)
{
	sqlite3_bind_text(statement, i, text, -1, SQLITE_STATIC);
}

/* An owned copy of a column, NULL for NULL. Returns MCP_OK, MCP_ENOMEM. */
static enum mcp_err
copy_text(sqlite3_stmt *statement, int column, char **out)
{
	const char *text = (const char *)sqlite3_column_text(statement, column);

	*out = NULL;
	if (!text)
		return sqlite3_column_type(statement, column) == SQLITE_NULL ? MCP_OK : MCP_ENOMEM;
	*out = text_dup(text, strlen(text));
	return *out ? MCP_OK : MCP_ENOMEM;
}

enum mcp_err
state_keys_get(struct state *s, const char *issuer_key, struct state_keys *out)
{
	sqlite3_stmt *q;
	enum mcp_err err = enter(s, SQL_KEYS_GET, &q);
	int rc;

	memset(out, 0, sizeof *out);
	if (err)
		return leave(s, q, err);
	bind(q, 1, issuer_key);
	rc = sqlite3_step(q);
	if (rc == SQLITE_ROW) {
		out->fetched_s = sqlite3_column_int64(q, 1);
		out->soft_ttl_s = sqlite3_column_int64(q, 2);
		out->attempt_s = sqlite3_column_int64(q, 3);
		out->attempt_failed = sqlite3_column_int(q, 4) != 0;
		out->generation = sqlite3_column_int64(q, 5);
		err = copy_text(q, 0, &out->jwks);
	} else
		err = store_error(rc);
	return leave(s, q, err);
}

void
state_keys_clear(struct state_keys *k)
{
	if (!k)
		return;
	free(k->jwks);
	memset(k, 0, sizeof *k);
}

enum mcp_err
state_keys_begin(struct state *s, const char *issuer_key, int64_t now_s, int64_t cooldown_s, bool *mine)
{
	sqlite3_stmt *q;
	enum mcp_err err = enter(s, SQL_KEYS_BEGIN, &q);
	int rc;

	*mine = false;
	if (err)
		return leave(s, q, err);
	bind(q, 1, issuer_key);
	sqlite3_bind_int64(q, 2, now_s);
	sqlite3_bind_int64(q, 3, cooldown_s);
	rc = sqlite3_step(q);
	if (rc == SQLITE_ROW) {
		*mine = true;
		rc = sqlite3_step(q);
	}
	err = store_error(rc);
	if (err)
		*mine = false;
	return leave(s, q, err);
}

enum mcp_err
state_keys_end(struct state *s, const char *issuer_key, const char *jwks, int64_t now_s, int64_t soft_ttl_s)
{
	sqlite3_stmt *q;
	enum mcp_err err = enter(s, jwks ? SQL_KEYS_KEEP : SQL_KEYS_FAILED, &q);

	if (err)
		return leave(s, q, err);
	bind(q, 1, issuer_key);
	if (jwks) {
		bind(q, 2, jwks);
		sqlite3_bind_int64(q, 3, now_s);
		sqlite3_bind_int64(q, 4, soft_ttl_s);
	}
	return leave(s, q, store_run(q));
}

enum mcp_err
state_secrets_get(struct state *s, struct seal_key out[STATE_SECRETS], size_t *n, int64_t *made_s)
{
	sqlite3_stmt *q;
	enum mcp_err err = enter(s, SQL_SECRETS_GET, &q);
	int rc = SQLITE_DONE;

	*n = 0;
	*made_s = 0;
	while (!err && *n < STATE_SECRETS && (rc = sqlite3_step(q)) == SQLITE_ROW) {
		const void *key = sqlite3_column_blob(q, 1);

		if (!key || sqlite3_column_bytes(q, 1) != SEAL_KEY_LEN)
			err = MCP_EDB;
		else {
			if (*n == 0)
				*made_s = sqlite3_column_int64(q, 2);
			out[*n].number = (uint32_t)sqlite3_column_int64(q, 0);
			memcpy(out[(*n)++].key, key, SEAL_KEY_LEN);
		}
	}
	if (!err)
		err = store_error(rc);
	return leave(s, q, err);
}

enum mcp_err
state_secrets_add(struct state *s, const uint8_t key[SEAL_KEY_LEN], int64_t now_s, int64_t max_age_s)
{
	sqlite3_stmt *q;
	enum mcp_err err = enter(s, SQL_SECRETS_ADD, &q);

	if (err)
		return leave(s, q, err);
	sqlite3_bind_blob(q, 1, key, SEAL_KEY_LEN, SQLITE_STATIC);
	sqlite3_bind_int64(q, 2, now_s);
	sqlite3_bind_int64(q, 3, max_age_s);
	err = store_run(q);
	if (!err)
		err = store_run(s->statement[SQL_SECRETS_TRIM]);
	return leave(s, q, err);
}

enum mcp_err
state_secrets_forget(struct state *s)
{
	sqlite3_stmt *q;
	enum mcp_err err = enter(s, SQL_SECRETS_FORGET, &q);

	return leave(s, q, err ? err : store_run(q));
}

static enum mcp_err
check(const char *text, size_t min, size_t max)
{
	size_t len = strlen(text);

	if (len > max)
		return MCP_ELIMIT;
	return len < min || !text_is_utf8(text, len) ? MCP_EINVAL : MCP_OK;
}

static enum mcp_err
check_names(const char *organisation, const char *key)
{
	enum mcp_err err = check(organisation, 1, STATE_NAME_MAX);

	return err || !key ? err : check(key, 1, STATE_NAME_MAX);
}

enum mcp_err
state_org_set(struct state *s, const char *organisation, const char *key, const char *value)
{
	sqlite3_stmt *q;
	enum mcp_err err = check_names(organisation, key);

	if (!err)
		err = check(value, 0, STATE_VALUE_MAX);
	if (err)
		return err;
	if ((err = enter(s, SQL_ORG_SET, &q)) != MCP_OK)
		return leave(s, q, err);
	bind(q, 1, organisation);
	bind(q, 2, key);
	bind(q, 3, value);
	return leave(s, q, store_run(q));
}

enum mcp_err
state_org_get(struct state *s, const char *organisation, const char *key, char **value)
{
	sqlite3_stmt *q;
	enum mcp_err err = check_names(organisation, key);
	int rc;

	*value = NULL;
	if (err)
		return err;
	if ((err = enter(s, SQL_ORG_GET, &q)) != MCP_OK)
		return leave(s, q, err);
	bind(q, 1, organisation);
	bind(q, 2, key);
	rc = sqlite3_step(q);
	if (rc == SQLITE_ROW)
		err = copy_text(q, 0, value);
	else
		err = rc == SQLITE_DONE ? MCP_ENOENT : store_error(rc);
	return leave(s, q, err);
}

enum mcp_err
state_org_delete(struct state *s, const char *organisation, const char *key)
{
	sqlite3_stmt *q;
	enum mcp_err err = check_names(organisation, key);

	if (err)
		return err;
	if ((err = enter(s, key ? SQL_ORG_DELETE : SQL_ORG_DELETE_ALL, &q)) != MCP_OK)
		return leave(s, q, err);
	bind(q, 1, organisation);
	if (key)
		bind(q, 2, key);
	err = store_run(q);
	if (!err && sqlite3_changes(s->store.db) == 0)
		err = MCP_ENOENT;
	return leave(s, q, err);
}

enum mcp_err
state_org_each(struct state *s, const char *organisation, bool (*visit)(void *ctx, const char *key, const char *value),
    void *ctx)
{
	sqlite3_stmt *q;
	enum mcp_err err = organisation ? check_names(organisation, NULL) : MCP_OK;
	int rc;

	if (err)
		return err;
	if ((err = enter(s, organisation ? SQL_ORG_DATA : SQL_ORGS, &q)) != MCP_OK)
		return leave(s, q, err);
	if (organisation)
		bind(q, 1, organisation);
	while ((rc = sqlite3_step(q)) == SQLITE_ROW) {
		const char *key = (const char *)sqlite3_column_text(q, 0),
		    *value = (const char *)sqlite3_column_text(q, 1);

		if (!key || !value) {
			rc = SQLITE_NOMEM;
			break;
		}
		if (!visit(ctx, key, value)) {
			rc = SQLITE_DONE;
			break;
		}
	}
	return leave(s, q, store_error(rc));
}
