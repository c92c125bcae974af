/* SPDX-License-Identifier: MIT */
/*
 * The table of budgets. A charge is one write transaction: each key is looked up, judged here, and written if
 * something was granted. (Measured against one INSERT ... ON CONFLICT DO UPDATE ... RETURNING for two keys: the same
 * commit, two thirds of the time, and a spent key writes nothing.)
 *
 * Expired rows are pruned by a hand that goes round the table in the order of the keys and looks at a few rows
 * whenever a window begins; a table that is full loses the least used row that the hand meets. The number of rows is
 * kept in the table, because counting reads it all.
 */
#include "limit/budget.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/digest.h"
#include "base/log.h"
#include "base/text.h"
#include "limit/rate.h"
#include "store/disposable.h"

#define SWEEP_ROWS 12		/* rows the hand looks at for up to 3 windows that begin, so that it outruns them */
#define BUSY_MS 500		/* a lock is waited for so long, then the requests that wait are admitted */
#define BUSY_AGAIN_MS 2		/* and so long while it goes on: nobody waits much, and counting resumes at once */
#define LOG_PERIOD_S 60
#define RESERVED_OF_LEFT 4	/* a reservation takes a quarter of what is left at most */

/*
 * user_version of the file: a signature with a number that changes with the schema. What has another one is replaced.
 */
#define SIGNATURE 0x4d4c0001
#define TEXT_OF(number) #number
#define TEXT(number) TEXT_OF(number)

static const char schema[] =
    "BEGIN IMMEDIATE;"
    "CREATE TABLE IF NOT EXISTS budget"
    " (key BLOB PRIMARY KEY NOT NULL, ends_s INTEGER NOT NULL, used INTEGER NOT NULL) WITHOUT ROWID;"
    "CREATE TABLE IF NOT EXISTS total (id INTEGER PRIMARY KEY, rows INTEGER NOT NULL);"
    "INSERT OR IGNORE INTO total VALUES (0, 0);"
    "PRAGMA user_version=" TEXT(SIGNATURE) ";"
    "COMMIT";

enum {
	SQL_BEGIN, SQL_COMMIT, SQL_ROLLBACK, SQL_FIND, SQL_INSERT, SQL_UPDATE, SQL_SWEEP, SQL_DELETE,
	SQL_ROWS_ADD, SQL_ROWS, SQL_COUNT
};
static const char *const sql[SQL_COUNT] = {
	[SQL_BEGIN] = "BEGIN IMMEDIATE",
	[SQL_COMMIT] = "COMMIT",
	[SQL_ROLLBACK] = "ROLLBACK",
	[SQL_FIND] = "SELECT ends_s, used FROM budget WHERE key = ?1",
	[SQL_INSERT] = "INSERT INTO budget VALUES (?1, ?2, ?3)",
	[SQL_UPDATE] = "UPDATE budget SET ends_s = ?2, used = ?3 WHERE key = ?1",
	[SQL_SWEEP] = "SELECT key, ends_s, used FROM budget WHERE key > ?1 ORDER BY key LIMIT ?2",
	[SQL_DELETE] = "DELETE FROM budget WHERE key = ?1",
	[SQL_ROWS_ADD] = "UPDATE total SET rows = rows + ?1 WHERE id = 0",
	[SQL_ROWS] = "SELECT rows FROM total WHERE id = 0"
};

struct budget {
	char *dir;
	int64_t max_rows;
	struct disposable table;
	sqlite3_stmt *statement[SQL_COUNT];
	struct budget_key hand;		/* the sweep goes on behind this key */
	int64_t looked_s;		/* when store_moved() was last asked */
	/* While the table cannot be used: */
	bool failing;
	bool is_told;			/* the log says so */
	bool is_locked;			/* that is all that is wrong; it is tried again and again */
	int64_t failed_s;
	int64_t faults;
	const char *why;		/* static */
	struct log_throttle throttle;
};

enum mcp_err
budget_new(const char *dir, int64_t max_rows, struct budget **out)
{
	struct budget *b = calloc(1, sizeof *b);

	*out = NULL;
	if (!b)
		return MCP_ENOMEM;
	b->dir = text_dup(dir, strlen(dir));
	if (!b->dir) {
		free(b);
		return MCP_ENOMEM;
	}
	b->max_rows = max_rows;
	b->table = (struct disposable){
		.file = { .dir = b->dir, .name = "limits.db", .sync = STORE_SYNC_OFF, .busy_ms = BUSY_MS,
		    .page_bytes = 2048, .cache_kib = 256, .checkpoint_pages = 2000 },
		.who = "rate limit", .schema = schema, .signature = SIGNATURE, .sql = sql, .statement = b->statement,
		.n = SQL_COUNT
	};
	/*
	 * Each process begins its round elsewhere; without random numbers all begin at the same key, which works too.
	 */
	if (digest_random(&b->hand, sizeof b->hand) != MCP_OK)
		memset(&b->hand, 0, sizeof b->hand);
	*out = b;
	return MCP_OK;
}

void
budget_free(struct budget *b)
{
	if (!b)
		return;
	disposable_close(&b->table);
	free(b->dir);
	free(b);
}

/* Step a statement that yields no row. Returns SQLITE_OK or the failure. */
static int
run(struct budget *b, int which)
{
	int rc = sqlite3_step(b->statement[which]);

	sqlite3_reset(b->statement[which]);
	return rc == SQLITE_DONE || rc == SQLITE_ROW ? SQLITE_OK : rc;
}

/* Step a statement that yields one number. */
static int
read_number(struct budget *b, int which, int64_t *out)
{
	int rc = sqlite3_step(b->statement[which]);

	if (rc == SQLITE_ROW) {
		*out = sqlite3_column_int64(b->statement[which], 0);
		rc = SQLITE_OK;
	} else if (rc == SQLITE_DONE)
		rc = SQLITE_CORRUPT;	/* the row is gone */
	sqlite3_reset(b->statement[which]);
	return rc;
}

static void
bind_key(sqlite3_stmt *statement, const struct budget_key *key)
{
	sqlite3_bind_blob(statement, 1, key->bytes, sizeof key->bytes, SQLITE_STATIC);
}

/* Have the right file open. */
static enum mcp_err
ready(struct budget *b, int64_t now_s)
{
	enum mcp_err err = MCP_OK;

	if (b->table.store.db && now_s != b->looked_s && store_moved(&b->table.store, &b->table.file))
		disposable_close(&b->table);
	b->looked_s = now_s;
	if (b->table.store.db)
		return MCP_OK;
	err = disposable_open(&b->table, &b->why);
	if (!err && !b->table.store.wal && !b->failing)
		log_warning("rate limit: %s/limits.db: no write-ahead log on this file system;"
		    " a rollback journal is used, which is slower",
		    b->dir);
	return err;
}

static bool
is_paused(const struct budget *b, int64_t now_s)
{
	return b->failing && !b->is_locked && now_s >= b->failed_s && now_s - b->failed_s < BUDGET_PAUSE_S;
}

/* Note a failure, and say so. The table is left alone for a while, unless somebody has merely locked it. */
static void
note_failure(struct budget *b, bool is_locked, int64_t now_s)
{
	unsigned long held;

	if (is_locked)
		store_set_patience(&b->table.store, BUSY_AGAIN_MS);
	b->failing = true;
	b->is_locked = is_locked;
	b->failed_s = now_s;
	b->faults++;
	if (!log_throttle_open(&b->throttle, now_s, LOG_PERIOD_S, &held))
		return;
	b->is_told = true;
	log_error("rate limit: %s/limits.db cannot be used (%s): requests are admitted uncounted", b->dir,
	    b->why);
}

static void
note_recovery(struct budget *b)
{
	if (b->is_told)
		log_info("rate limit: %s/limits.db can be used again", b->dir);
	store_set_patience(&b->table.store, BUSY_MS);
	b->failing = b->is_told = b->is_locked = false;
}

/*
 * Do "work" on the open table, which returns a code of SQLite. A damaged table is replaced and "work" done again,
 * once. "work" takes the lock for writing: reading works while others hold it, and shows nothing.
 * Returns MCP_OK or MCP_EDB.
 */
static enum mcp_err
attempt(struct budget *b, int64_t now_s, int (*work)(struct budget *b, void *ctx), void *ctx)
{
	int rc = SQLITE_OK;

	if (is_paused(b, now_s))
		return MCP_EDB;
	for (int round = 0; round < 2; round++) {
		if (ready(b, now_s) != MCP_OK)
			break;
		rc = work(b, ctx);
		if (rc == SQLITE_OK) {
			if (b->failing)
				note_recovery(b);
			return MCP_OK;
		}
		b->why = sqlite3_errstr(rc);
		if (!sqlite3_get_autocommit(b->table.store.db))
			(void)run(b, SQL_ROLLBACK);
		/* Who holds the lock is at work; anything else may be a fault of the connection. */
		if ((rc & 0xff) == SQLITE_BUSY)
			break;
		disposable_close(&b->table);
		if (disposable_error(rc) != MCP_ESYNTAX || disposable_discard(&b->table, b->why) != MCP_OK)
			break;
	}
	note_failure(b, b->table.store.db && (rc & 0xff) == SQLITE_BUSY, now_s);
	return MCP_EDB;
}

bool
budget_is_running(int64_t ends_s, int64_t window_s, int64_t now_s)
{
	return ends_s > now_s && ends_s <= now_s + window_s + BUDGET_SLACK_S;
}

static int
find(struct budget *b, const struct budget_key *key, bool *found, int64_t *ends_s, int64_t *used)
{
	sqlite3_stmt *q = b->statement[SQL_FIND];
	int rc;

	bind_key(q, key);
	rc = sqlite3_step(q);
	*found = rc == SQLITE_ROW;
	*ends_s = *found ? sqlite3_column_int64(q, 0) : 0;
	*used = *found ? sqlite3_column_int64(q, 1) : 0;
	sqlite3_reset(q);
	return rc == SQLITE_ROW || rc == SQLITE_DONE ? SQLITE_OK : rc;
}

/* What a transaction did, for the housekeeping at its end. */
struct tally {
	int64_t now_s;
	int64_t rows;		/* inserted less deleted */
	int begun;		/* windows */
};

static int64_t
smaller(int64_t a, int64_t b)
{
	return a < b ? a : b;
}

static int
charge_one(struct budget *b, struct budget_charge *c, struct tally *tally)
{
	sqlite3_stmt *q;
	int64_t left;
	bool found;
	int rc = find(b, &c->key, &found, &c->ends_s, &c->used);

	c->granted = c->reserved = 0;
	if (rc)
		return rc;
	if (!budget_is_running(c->ends_s, c->window_s, tally->now_s) || c->used < 0) {
		c->ends_s = tally->now_s + c->window_s;
		c->used = 0;
		tally->begun++;
	}
	left = c->limit - c->used;
	if (left <= 0)
		return SQLITE_OK;
	c->granted = smaller(c->wanted, left);
	/* The nearer the end, the smaller the reservations, so that nobody is refused for what another one holds. */
	c->reserved = smaller(c->spare, (left - c->granted) / RESERVED_OF_LEFT);
	c->used += c->granted + c->reserved;
	tally->rows += !found;
	q = b->statement[found ? SQL_UPDATE : SQL_INSERT];
	bind_key(q, &c->key);
	sqlite3_bind_int64(q, 2, c->ends_s);
	sqlite3_bind_int64(q, 3, c->used);
	return run(b, found ? SQL_UPDATE : SQL_INSERT);
}

static int
delete_key(struct budget *b, const struct budget_key *key, struct tally *tally)
{
	bind_key(b->statement[SQL_DELETE], key);
	tally->rows--;
	return run(b, SQL_DELETE);
}

/* Look at the next rows behind the hand and delete those that are over; if "must" and none is, the least used one. */
static int
sweep(struct budget *b, bool must, struct tally *tally)
{
	struct budget_key over[SWEEP_ROWS], least = { { 0 } };
	int64_t least_used = INT64_MAX;
	sqlite3_stmt *q = b->statement[SQL_SWEEP];
	int rc, seen = 0, n = 0;

	bind_key(q, &b->hand);
	sqlite3_bind_int(q, 2, SWEEP_ROWS);
	while ((rc = sqlite3_step(q)) == SQLITE_ROW) {
		const void *key = sqlite3_column_blob(q, 0);
		int64_t ends_s = sqlite3_column_int64(q, 1), used = sqlite3_column_int64(q, 2);

		if (!key || sqlite3_column_bytes(q, 0) != BUDGET_KEY_BYTES) {
			rc = SQLITE_CORRUPT;
			break;
		}
		memcpy(&b->hand, key, sizeof b->hand);
		seen++;
		if (!budget_is_running(ends_s, LIMIT_WINDOW_MAX_S, tally->now_s))
			over[n++] = b->hand;
		if (used < least_used) {
			least_used = used;
			least = b->hand;
		}
	}
	sqlite3_reset(q);
	if (rc != SQLITE_DONE)
		return rc;
	if (seen < SWEEP_ROWS)
		memset(&b->hand, 0, sizeof b->hand);	/* below every key: the next round */
	if (must && n == 0 && seen > 0)
		over[n++] = least;
	rc = SQLITE_OK;
	for (int i = 0; i < n && rc == SQLITE_OK; i++)
		rc = delete_key(b, &over[i], tally);
	return rc;
}

/* Prune, and keep the number of rows right and bounded. */
static int
keep_house(struct budget *b, struct tally *tally)
{
	int64_t rows = 0;
	int rc = SQLITE_OK;

	for (int i = 0; i < tally->begun && rc == SQLITE_OK; i += SWEEP_ROWS / 4)
		rc = sweep(b, false, tally);
	if (rc == SQLITE_OK)
		rc = read_number(b, SQL_ROWS, &rows);
	/* Twice, because the hand may stand at the end of the table. */
	for (int64_t tries = 2 * tally->rows; tries > 0 && rc == SQLITE_OK && rows + tally->rows > b->max_rows; tries--)
		rc = sweep(b, true, tally);
	if (rc == SQLITE_OK && tally->rows) {
		sqlite3_bind_int64(b->statement[SQL_ROWS_ADD], 1, tally->rows);
		rc = run(b, SQL_ROWS_ADD);
	}
	return rc;
}

struct charging {
	struct budget_charge *charges;
	size_t n;
	int64_t now_s;
};

static int
charge_all(struct budget *b, void *ctx)
{
	struct charging *x = ctx;
	struct tally tally = { .now_s = x->now_s };
	int rc = run(b, SQL_BEGIN);

	for (size_t i = 0; i < x->n && rc == SQLITE_OK; i++)
		rc = charge_one(b, &x->charges[i], &tally);
	if (rc == SQLITE_OK && tally.begun)
		rc = keep_house(b, &tally);
	return rc == SQLITE_OK ? run(b, SQL_COMMIT) : rc;
}

enum mcp_err
budget_charge(struct budget *b, struct budget_charge *charges, size_t n, int64_t now_s)
{
	struct charging x = { .charges = charges, .n = n, .now_s = now_s };

	return attempt(b, now_s, charge_all, &x);
}

/* Whether writing would work: takes the lock, writes nothing. */
static int
probe(struct budget *b, void *ctx)
{
	int rc = run(b, SQL_BEGIN);

	if (rc == SQLITE_OK)
		rc = read_number(b, SQL_ROWS, ctx);
	return rc == SQLITE_OK ? run(b, SQL_COMMIT) : rc;
}

bool
budget_usable(struct budget *b, int64_t now_s, int64_t *rows)
{
	*rows = 0;
	return attempt(b, now_s, probe, rows) == MCP_OK;
}

int64_t
budget_faults(const struct budget *b)
{
	return b->faults;
}
