/* SPDX-License-Identifier: MIT */
#ifndef MCP_ISSUER_DATABASE_H
#define MCP_ISSUER_DATABASE_H

#include <stdbool.h>
#include <stdint.h>

#include <sqlite3.h>

#include "base/buf.h"
#include "base/err.h"

/*
 * STATE_DIR/issuer/issuer.db (0600): signing keys, clients, codes and tokens of the development issuer. Several
 * processes may have it open; in one process it is one connection and one lock. Secrets of others (codes, tokens,
 * client secrets) are in it only as SHA-256.
 */
struct database;

/*
 * Open or create the file under "state_dir" (absolute); both directories are made with mode 0700 when they are
 * missing. Returns MCP_OK with *out (database_close()); MCP_EPERM, MCP_EIO, MCP_ESYNTAX (damaged), MCP_EDB, MCP_ENOMEM
 * with *why static.
 */
enum mcp_err database_open(const char *state_dir, struct database **out, const char **why) MCP_MUST_CHECK;

/* Close and release; NULL is fine. */
void database_close(struct database *d);

/*
 * Take the lock and begin a transaction. Between this and database_end(), and only there, the functions below may be
 * used. Returns MCP_OK, or MCP_EDB: nothing is held then.
 */
enum mcp_err database_begin(struct database *d) MCP_MUST_CHECK;

/* Commit when "err" is MCP_OK, else roll back; release the lock. Returns "err", or MCP_EDB when the commit failed. */
enum mcp_err database_end(struct database *d, enum mcp_err err) MCP_MUST_CHECK;

/*
 * Prepare "sql" and bind its parameters in order. "types" has a letter for each: 's' const char * (NULL is SQL's null),
 * 'i' int64_t, 'h' const uint8_t * to 32 bytes (or NULL). Returns MCP_OK with *stmt (sqlite3_finalize()), or MCP_EDB
 * with *stmt NULL.
 */
enum mcp_err database_query(
    struct database *d, sqlite3_stmt **stmt, const char *sql, const char *types, ...) MCP_MUST_CHECK;

/* Run a statement without results. *changes (may be NULL) gets the number of rows it changed. MCP_OK or MCP_EDB. */
enum mcp_err database_run(struct database *d, int *changes, const char *sql, const char *types, ...) MCP_MUST_CHECK;

/* Step once: MCP_OK on a row, MCP_ENOENT at the end, MCP_EDB. */
enum mcp_err database_step(sqlite3_stmt *stmt) MCP_MUST_CHECK;

/* A heap copy of a text column, *out NULL when the column is null. MCP_OK or MCP_ENOMEM. */
enum mcp_err database_text(sqlite3_stmt *stmt, int column, char **out) MCP_MUST_CHECK;

/* Delete what is no longer of use at "now_s". Does work at most once a minute. Failures are told in the log only. */
void database_prune(struct database *d, int64_t now_s);

/*
 * A new secret of 256 random bits as 43 characters of base64url, after "prefix". MCP_OK, MCP_ECRYPTO, or the failure of
 * "out".
 */
enum mcp_err database_secret(const char *prefix, struct buf *out) MCP_MUST_CHECK;

/* The form in which a secret is kept. MCP_OK or MCP_ECRYPTO. */
enum mcp_err database_hash(const char *secret, uint8_t out[32]) MCP_MUST_CHECK;

/* Keep a named text that the issuer leaves for the command. MCP_OK or MCP_EDB. */
enum mcp_err database_setting_set(struct database *d, const char *name, const char *value) MCP_MUST_CHECK;

/* Such a text, the caller's to free. MCP_OK; MCP_ENOENT, MCP_EDB, MCP_ENOMEM with *value NULL. */
enum mcp_err database_setting_get(struct database *d, const char *name, char **value) MCP_MUST_CHECK;

#endif
