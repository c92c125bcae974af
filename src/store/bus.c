/* SPDX-License-Identifier: MIT */
/*
 * STATE_DIR/bus.db. One function a question, each with its prepared statements, under one lock. Sequence numbers of
 * events begin with the time of the file's making, in microseconds, so that those of a file which took the place of
 * another are larger: who has read the old one loses nothing of the new one.
 */
#include "store/bus.h"

#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/log.h"
#include "base/text.h"
#include "store/disposable.h"
#include "store/wake.h"

#define BUSY_MS 500		/* a lock is waited for so long */
#define LOG_PERIOD_S 60

/* user_version of the file, changes with the schema. What has another one is replaced. */
#define SIGNATURE 0x4d420002
#define TEXT_OF(number) #number
#define TEXT(number) TEXT_OF(number)

static const char schema[] =
    "BEGIN IMMEDIATE;"
    "CREATE TABLE IF NOT EXISTS event"
    " (seq INTEGER PRIMARY KEY AUTOINCREMENT, at_s INTEGER NOT NULL, kind INTEGER NOT NULL, uri TEXT NOT NULL);"
    "INSERT INTO sqlite_sequence (name, seq) SELECT 'event',"
    " CAST((julianday('now') - 2440587.5) * 86400000 AS INTEGER) * 1000"
    " WHERE NOT EXISTS (SELECT 1 FROM sqlite_sequence WHERE name = 'event');"
    "CREATE TABLE IF NOT EXISTS mail"
    " (box BLOB PRIMARY KEY NOT NULL, principal BLOB NOT NULL, until_s INTEGER NOT NULL, text BLOB);"
    "CREATE TABLE IF NOT EXISTS note (id INTEGER PRIMARY KEY AUTOINCREMENT, owner BLOB NOT NULL, name TEXT NOT NULL,"
    " value TEXT NOT NULL, until_s INTEGER NOT NULL, principal BLOB NOT NULL, UNIQUE (owner, name));"
    "CREATE INDEX IF NOT EXISTS note_principal ON note (principal);"
    "PRAGMA user_version=" TEXT(SIGNATURE) ";"
    "COMMIT";

enum {
	SQL_BEGIN, SQL_COMMIT, SQL_ROLLBACK,
	SQL_EVENT_ADD, SQL_EVENT_TRIM, SQL_EVENT_CURSOR, SQL_EVENT_READ,
	SQL_MAIL_TRIM, SQL_MAIL_TRIM_OF_ONE, SQL_MAIL_OPEN, SQL_MAIL_PUT, SQL_MAIL_TAKE, SQL_MAIL_CLOSE,
	SQL_NOTE_TRIM, SQL_NOTE_TRIM_OVER, SQL_NOTE_TRIM_OF_ONE, SQL_NOTE_CLEAR, SQL_NOTE_COUNT, SQL_NOTE_SET,
	SQL_NOTE_GET, SQL_NOTE_DELETE,
	SQL_COUNT
};
static const char *const sql[SQL_COUNT] = {
	[SQL_BEGIN] = "BEGIN IMMEDIATE",
	[SQL_COMMIT] = "COMMIT",
	[SQL_ROLLBACK] = "ROLLBACK",
	[SQL_EVENT_ADD] = "INSERT INTO event (at_s, kind, uri) VALUES (?1, ?2, ?3)",
	/* A clock that jumped back leaves older events until the number of them does. */
	[SQL_EVENT_TRIM] = "DELETE FROM event WHERE at_s < ?1 - " TEXT(BUS_EVENTS_S)
	    " OR seq <= (SELECT max(seq) FROM event) - " TEXT(BUS_EVENTS_MAX),
	[SQL_EVENT_CURSOR] = "SELECT seq FROM sqlite_sequence WHERE name = 'event'",
	[SQL_EVENT_READ] = "SELECT seq, kind, uri FROM event WHERE seq > ?1 ORDER BY seq",
	[SQL_MAIL_TRIM] = "DELETE FROM mail WHERE until_s < ?1",
	[SQL_MAIL_TRIM_OF_ONE] = "DELETE FROM mail WHERE box IN (SELECT box FROM mail WHERE principal = ?1"
	    " AND text IS NOT NULL ORDER BY until_s"
	    " LIMIT max(0, 1 + (SELECT count(*) FROM mail WHERE principal = ?1) - " TEXT(BUS_MAIL_OF_ONE_MAX) "))",
	[SQL_MAIL_OPEN] = "INSERT INTO mail (box, principal, until_s) SELECT ?1, ?2, ?3"
	    " WHERE (SELECT count(*) FROM mail) < " TEXT(BUS_MAIL_MAX)
	    " AND (SELECT count(*) FROM mail WHERE principal = ?2) < " TEXT(BUS_MAIL_OF_ONE_MAX)
	    " ON CONFLICT (box) DO UPDATE SET until_s = excluded.until_s, text = NULL",
	[SQL_MAIL_PUT] = "UPDATE mail AS m SET text = ?2 WHERE box = ?1 AND until_s >= ?3 AND text IS NULL"
	    " AND (SELECT total(length(text)) FROM mail) + length(?2) <= " TEXT(BUS_MAIL_BYTES_MAX)
	    " AND (SELECT total(length(text)) FROM mail WHERE principal = m.principal) + length(?2) <= "
	    TEXT(BUS_MAIL_BYTES_OF_ONE_MAX),
	[SQL_MAIL_TAKE] = "SELECT text FROM mail WHERE box = ?1",
	[SQL_MAIL_CLOSE] = "DELETE FROM mail WHERE box = ?1",
	/* Ids have gaps, so their distance says only that there may be too many. */
	[SQL_NOTE_TRIM] = "DELETE FROM note WHERE (SELECT max(id) FROM note) - (SELECT min(id) FROM note) >= "
	    TEXT(BUS_NOTES_MAX) " AND id IN (SELECT id FROM note ORDER BY id"
	    " LIMIT max(0, (SELECT count(*) FROM note) - " TEXT(BUS_NOTES_MAX) "))",
	[SQL_NOTE_TRIM_OVER] = "DELETE FROM note WHERE principal = ?1 AND until_s < ?2"
	    " OR id IN (SELECT id FROM note WHERE until_s < ?2 ORDER BY id LIMIT 8)",
	[SQL_NOTE_TRIM_OF_ONE] = "DELETE FROM note WHERE id IN (SELECT id FROM note WHERE principal = ?1 ORDER BY id"
	    " LIMIT max(0, (SELECT count(*) FROM note WHERE principal = ?1) - "
	    TEXT(BUS_NOTES_OF_PRINCIPAL_MAX) "))",
	[SQL_NOTE_CLEAR] = "DELETE FROM note WHERE owner = ?1",
	[SQL_NOTE_COUNT] = "SELECT count(*) FROM note WHERE owner = ?1 AND name <> ?2"
	    " AND substr(name, 1, instr(name || ' ', ' ')) = substr(?2, 1, instr(?2 || ' ', ' '))",
	[SQL_NOTE_SET] = "INSERT INTO note (owner, name, value, until_s, principal)"
	    " VALUES (?1, ?2, ?3, ?4, ?5)"
	    " ON CONFLICT (owner, name) DO UPDATE SET id = (SELECT 1 + max(id) FROM note), value = excluded.value,"
	    " until_s = excluded.until_s",
	[SQL_NOTE_GET] = "SELECT value FROM note WHERE owner = ?1 AND name = ?2 AND until_s >= ?3",
	[SQL_NOTE_DELETE] = "DELETE FROM note WHERE owner = ?1 AND name = ?2"
};

struct bus {
	pthread_mutex_t lock;
	char *dir;
	struct disposable table;
	sqlite3_stmt *statement[SQL_COUNT];
	struct wake *wake;
	struct log_throttle throttle;
};

/* One question. What a member is for, the functions below say. */
struct job {
	const unsigned char *key, *principal;
	const char *name, *text;
	size_t len;
	enum bus_kind kind;
	int64_t now_s, until_s, seq;
	bool last;
	struct buf *out;
	void (*visit)(void *ctx, const struct bus_event *event);
	void *ctx;
};

enum mcp_err
bus_new(const char *dir, struct bus **out)
{
	struct bus *b = calloc(1, sizeof *b);
	char path[4096];

	*out = NULL;
	if (!b)
		return MCP_ENOMEM;
	/* A path that is too long is store_open()'s to refuse. */
	snprintf(path, sizeof path, "%s/bus.db", dir);
	b->dir = text_dup(dir, strlen(dir));
	if (!b->dir || wake_new(path, &b->wake) != MCP_OK) {
		free(b->dir);
		free(b);
		return MCP_ENOMEM;
	}
	pthread_mutex_init(&b->lock, NULL);
	b->table = (struct disposable){
		.file = { .dir = b->dir, .name = "bus.db", .sync = STORE_SYNC_OFF, .busy_ms = BUSY_MS,
		    .page_bytes = 4096, .cache_kib = 256, .checkpoint_pages = 250 },
		.who = "bus", .schema = schema, .signature = SIGNATURE, .sql = sql, .statement = b->statement,
		.n = SQL_COUNT
	};
	*out = b;
	return MCP_OK;
}

void
bus_free(struct bus *b)
{
	if (!b)
		return;
	wake_free(b->wake);
	disposable_close(&b->table);
	pthread_mutex_destroy(&b->lock);
	free(b->dir);
	free(b);
}

struct wake *
bus_wake(struct bus *b)
{
	return b->wake;
}

/* Step a statement that yields no row or one, as disposable_error() says; *row: there is one, to be reset. */
static enum mcp_err
step(struct bus *b, int which, bool *row)
{
	int rc = sqlite3_step(b->statement[which]);

	*row = rc == SQLITE_ROW;
	if (!*row)
		sqlite3_reset(b->statement[which]);
	return disposable_error(rc);
}

/* Step a statement whose rows nobody wants. */
static enum mcp_err
run(struct bus *b, int which)
{
	bool row;
	enum mcp_err err = step(b, which, &row);

	sqlite3_reset(b->statement[which]);
	return err;
}

static enum mcp_err
open_file(struct bus *b, const char **why)
{
	enum mcp_err err;

	if (b->table.store.db && store_moved(&b->table.store, &b->table.file))
		disposable_close(&b->table);
	if (b->table.store.db)
		return MCP_OK;
	err = disposable_open(&b->table, why);
	if (!err && !b->table.store.wal)
		wake_is_blind(b->wake);		/* other hosts may write it */
	return err;
}

/* Do "work" with the file open; what is damaged is replaced, once, and "work" done again. */
static enum mcp_err
attempt(struct bus *b, enum mcp_err (*work)(struct bus *b, struct job *job), struct job *job)
{
	const char *why = "it is damaged";
	enum mcp_err err = MCP_OK;
	unsigned long held;

	pthread_mutex_lock(&b->lock);
	for (int round = 0; round < 2; round++) {
		err = open_file(b, &why);
		if (err)
			break;
		err = work(b, job);
		if (err == MCP_EDB || err == MCP_ESYNTAX)
			why = sqlite3_errstr(sqlite3_extended_errcode(b->table.store.db));
		if (!sqlite3_get_autocommit(b->table.store.db))
			(void)run(b, SQL_ROLLBACK);
		if (err != MCP_ESYNTAX)
			break;
		if (disposable_discard(&b->table, why) != MCP_OK)
			break;
		why = "it is damaged";
	}
	if (err == MCP_ESYNTAX)
		err = MCP_EDB;
	if ((err == MCP_EDB || err == MCP_EPERM || err == MCP_EIO) &&
	    log_throttle_open(&b->throttle, clock_now_s(), LOG_PERIOD_S, &held))
		log_error("bus: %s/bus.db cannot be used (%s)", b->dir, why);
	/* It may be the connection that is at fault. */
	if (err == MCP_EDB && b->table.store.db)
		disposable_close(&b->table);
	pthread_mutex_unlock(&b->lock);
	return err;
}

static void
bind_digest(sqlite3_stmt *q, int i, const unsigned char *digest)
{
	sqlite3_bind_blob(q, i, digest, DIGEST_SHA256_LEN, SQLITE_STATIC);
}

static void
bind_key(sqlite3_stmt *q, const unsigned char *key)
{
	bind_digest(q, 1, key);
}

static enum mcp_err
publish(struct bus *b, struct job *job)
{
	sqlite3_stmt *add = b->statement[SQL_EVENT_ADD];
	enum mcp_err err;

	sqlite3_bind_int64(add, 1, job->now_s);
	sqlite3_bind_int(add, 2, (int)job->kind);
	sqlite3_bind_text(add, 3, job->text, -1, SQLITE_STATIC);
	sqlite3_bind_int64(b->statement[SQL_EVENT_TRIM], 1, job->now_s);
	err = run(b, SQL_BEGIN);
	if (!err)
		err = run(b, SQL_EVENT_ADD);
	if (!err)
		err = run(b, SQL_EVENT_TRIM);
	return err ? err : run(b, SQL_COMMIT);
}

enum mcp_err
bus_publish(struct bus *b, int64_t now_s, enum bus_kind kind, const char *uri)
{
	struct job job = { .now_s = now_s, .kind = kind, .text = uri ? uri : "" };
	enum mcp_err err;

	if (strlen(job.text) > BUS_URI_MAX)
		return MCP_ELIMIT;
	err = attempt(b, publish, &job);
	if (!err)
		wake_touch(b->wake);
	return err;
}

static enum mcp_err
cursor(struct bus *b, struct job *job)
{
	bool row;
	enum mcp_err err = step(b, SQL_EVENT_CURSOR, &row);

	if (!row)
		return err ? err : MCP_ESYNTAX;
	job->seq = sqlite3_column_int64(b->statement[SQL_EVENT_CURSOR], 0);
	sqlite3_reset(b->statement[SQL_EVENT_CURSOR]);
	return MCP_OK;
}

enum mcp_err
bus_cursor(struct bus *b, int64_t *seq)
{
	struct job job = { .seq = 0 };
	enum mcp_err err = attempt(b, cursor, &job);

	if (!err)
		*seq = job.seq;
	return err;
}

static enum mcp_err
read_events(struct bus *b, struct job *job)
{
	sqlite3_stmt *q = b->statement[SQL_EVENT_READ];
	int rc;

	sqlite3_bind_int64(q, 1, job->seq);
	while ((rc = sqlite3_step(q)) == SQLITE_ROW) {
		struct bus_event event = { .seq = sqlite3_column_int64(q, 0),
		    .kind = (enum bus_kind)sqlite3_column_int(q, 1),
		    .uri = (const char *)sqlite3_column_text(q, 2) };

		if (!event.uri) {
			rc = SQLITE_NOMEM;
			break;
		}
		job->visit(job->ctx, &event);
		job->seq = event.seq;
	}
	sqlite3_reset(q);
	return disposable_error(rc);
}

enum mcp_err
bus_read(struct bus *b, int64_t *seq, void (*visit)(void *ctx, const struct bus_event *event), void *ctx)
{
	struct job job = { .seq = *seq, .visit = visit, .ctx = ctx };
	enum mcp_err err = attempt(b, read_events, &job);

	*seq = job.seq;
	return err;
}

static enum mcp_err
mail_open(struct bus *b, struct job *job)
{
	sqlite3_stmt *q = b->statement[SQL_MAIL_OPEN];
	enum mcp_err err;

	sqlite3_bind_int64(b->statement[SQL_MAIL_TRIM], 1, job->now_s);
	bind_digest(b->statement[SQL_MAIL_TRIM_OF_ONE], 1, job->principal);
	bind_key(q, job->key);
	bind_digest(q, 2, job->principal);
	sqlite3_bind_int64(q, 3, job->until_s);
	err = run(b, SQL_BEGIN);
	if (!err)
		err = run(b, SQL_MAIL_TRIM);
	if (!err)
		err = run(b, SQL_MAIL_TRIM_OF_ONE);
	if (!err)
		err = run(b, SQL_MAIL_OPEN);
	if (!err && sqlite3_changes(b->table.store.db) == 0)
		return MCP_ELIMIT;
	return err ? err : run(b, SQL_COMMIT);
}

enum mcp_err
bus_mail_open(struct bus *b, const unsigned char key[DIGEST_SHA256_LEN],
    const unsigned char principal[DIGEST_SHA256_LEN], int64_t now_s, int64_t until_s)
{
	struct job job = { .key = key, .principal = principal, .now_s = now_s, .until_s = until_s };

	return attempt(b, mail_open, &job);
}

static enum mcp_err
mail_put(struct bus *b, struct job *job)
{
	sqlite3_stmt *q = b->statement[SQL_MAIL_PUT];
	enum mcp_err err;

	bind_key(q, job->key);
	sqlite3_bind_blob(q, 2, job->text, (int)job->len, SQLITE_STATIC);
	sqlite3_bind_int64(q, 3, job->now_s);
	err = run(b, SQL_MAIL_PUT);
	return err || sqlite3_changes(b->table.store.db) ? err : MCP_ENOENT;
}

enum mcp_err
bus_mail_put(struct bus *b, const unsigned char key[DIGEST_SHA256_LEN], int64_t now_s, const char *text, size_t len)
{
	struct job job = { .key = key, .now_s = now_s, .text = text, .len = len };
	enum mcp_err err = attempt(b, mail_put, &job);

	if (!err)
		wake_touch(b->wake);
	return err;
}

static enum mcp_err
mail_take(struct bus *b, struct job *job)
{
	sqlite3_stmt *q = b->statement[SQL_MAIL_TAKE];
	enum mcp_err err;
	bool row;

	bind_key(q, job->key);
	err = step(b, SQL_MAIL_TAKE, &row);
	if (!row)
		return err ? err : MCP_ENOENT;
	if (sqlite3_column_type(q, 0) == SQLITE_NULL)
		err = MCP_EAGAIN;
	else
		buf_put(job->out, sqlite3_column_blob(q, 0), (size_t)sqlite3_column_bytes(q, 0));
	sqlite3_reset(q);
	if (err || buf_status(job->out))
		return err ? err : MCP_ENOMEM;
	/* Should this fail, the box is over some time. */
	bind_key(b->statement[SQL_MAIL_CLOSE], job->key);
	(void)run(b, SQL_MAIL_CLOSE);
	return MCP_OK;
}

enum mcp_err
bus_mail_take(struct bus *b, const unsigned char key[DIGEST_SHA256_LEN], struct buf *out)
{
	struct job job = { .key = key, .out = out };

	return attempt(b, mail_take, &job);
}

static enum mcp_err
mail_close(struct bus *b, struct job *job)
{
	bind_key(b->statement[SQL_MAIL_CLOSE], job->key);
	return run(b, SQL_MAIL_CLOSE);
}

enum mcp_err
bus_mail_close(struct bus *b, const unsigned char key[DIGEST_SHA256_LEN])
{
	struct job job = { .key = key };

	return attempt(b, mail_close, &job);
}

static void
bind_note(sqlite3_stmt *q, const struct job *job)
{
	bind_key(q, job->key);
	sqlite3_bind_text(q, 2, job->name, -1, SQLITE_STATIC);
}

static enum mcp_err
note_set(struct bus *b, struct job *job)
{
	sqlite3_stmt *count = b->statement[SQL_NOTE_COUNT], *set = b->statement[SQL_NOTE_SET];
	bool row = false, full = false;
	enum mcp_err err;

	bind_digest(b->statement[SQL_NOTE_TRIM_OVER], 1, job->principal);
	sqlite3_bind_int64(b->statement[SQL_NOTE_TRIM_OVER], 2, job->now_s);
	bind_key(b->statement[SQL_NOTE_CLEAR], job->key);
	bind_note(count, job);
	err = run(b, SQL_BEGIN);
	if (!err)
		err = run(b, SQL_NOTE_TRIM_OVER);
	if (!err && job->last)
		err = run(b, SQL_NOTE_CLEAR);
	if (!err)
		err = step(b, SQL_NOTE_COUNT, &row);
	if (row) {
		full = sqlite3_column_int(count, 0) >= BUS_NOTES_OF_ONE_MAX;
		sqlite3_reset(count);
	}
	if (err || full)
		return err ? err : MCP_ELIMIT;
	bind_note(set, job);
	sqlite3_bind_text(set, 3, job->text, -1, SQLITE_STATIC);
	sqlite3_bind_int64(set, 4, job->until_s);
	bind_digest(set, 5, job->principal);
	bind_digest(b->statement[SQL_NOTE_TRIM_OF_ONE], 1, job->principal);
	err = run(b, SQL_NOTE_SET);
	if (!err)
		err = run(b, SQL_NOTE_TRIM_OF_ONE);
	if (!err)
		err = run(b, SQL_NOTE_TRIM);
	return err ? err : run(b, SQL_COMMIT);
}

enum mcp_err
bus_note_set(struct bus *b, const unsigned char owner[DIGEST_SHA256_LEN],
    const unsigned char principal[DIGEST_SHA256_LEN], const char *name, const char *value, int64_t now_s,
    int64_t until_s)
{
	struct job job = { .key = owner, .principal = principal, .name = name, .text = value, .now_s = now_s,
	    .until_s = until_s };

	if (strlen(name) > BUS_NOTE_NAME_MAX || strlen(value) > BUS_NOTE_NAME_MAX)
		return MCP_ELIMIT;
	return attempt(b, note_set, &job);
}

enum mcp_err
bus_note_last(struct bus *b, const unsigned char owner[DIGEST_SHA256_LEN],
    const unsigned char principal[DIGEST_SHA256_LEN], const char *name, int64_t now_s, int64_t until_s)
{
	struct job job = { .key = owner, .principal = principal, .name = name, .text = "", .now_s = now_s,
	    .until_s = until_s, .last = true };

	return attempt(b, note_set, &job);
}

static enum mcp_err
note_get(struct bus *b, struct job *job)
{
	sqlite3_stmt *q = b->statement[SQL_NOTE_GET];
	enum mcp_err err;
	bool row;

	bind_note(q, job);
	sqlite3_bind_int64(q, 3, job->now_s);
	err = step(b, SQL_NOTE_GET, &row);
	if (!row)
		return err ? err : MCP_ENOENT;
	if (job->out) {
		buf_put(job->out, sqlite3_column_text(q, 0), (size_t)sqlite3_column_bytes(q, 0));
		err = buf_status(job->out) ? MCP_ENOMEM : MCP_OK;
	}
	sqlite3_reset(q);
	return err;
}

enum mcp_err
bus_note_get(struct bus *b, const unsigned char owner[DIGEST_SHA256_LEN], const char *name, int64_t now_s,
    struct buf *out)
{
	struct job job = { .key = owner, .name = name, .now_s = now_s, .out = out };

	return attempt(b, note_get, &job);
}

static enum mcp_err
note_delete(struct bus *b, struct job *job)
{
	bind_note(b->statement[SQL_NOTE_DELETE], job);
	return run(b, SQL_NOTE_DELETE);
}

enum mcp_err
bus_note_delete(struct bus *b, const unsigned char owner[DIGEST_SHA256_LEN], const char *name)
{
	struct job job = { .key = owner, .name = name };

	return attempt(b, note_delete, &job);
}
