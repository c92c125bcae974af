/* SPDX-License-Identifier: MIT */
/*
 * Answers for the life of a grant:
 *  1. an authorization request waits for a person (request), bound to the browser that was shown the page;
 *  2. consent makes a grant and a code;
 *  3. the code is used once and gives tokens; a second use revokes the grant;
 *  4. a refresh token is used once and gives its successor; a second use revokes the grant;
 *  5. revocation ends the grant, and with it all that refers to it.
 */
#include "issuer/grants.h"

#include <stdlib.h>
#include <string.h>

void
authorization_clear(struct authorization *a)
{
	free(a->client_id);
	free(a->redirect_uri);
	free(a->state);
	free(a->scope);
	free(a->challenge);
	free(a->issuer);
	memset(a, 0, sizeof *a);
}

void
grant_clear(struct grant *g)
{
	free(g->client_id);
	free(g->subject);
	free(g->organisation);
	free(g->scope);
	free(g->issuer);
	free(g->redirect_uri);
	free(g->challenge);
	memset(g, 0, sizeof *g);
}

/* Copy columns "first" and following into the strings. */
static enum mcp_err
read_texts(sqlite3_stmt *stmt, int first, char **const *texts, size_t n)
{
	enum mcp_err err = MCP_OK;

	for (size_t i = 0; i < n && !err; i++)
		err = database_text(stmt, first + (int)i, texts[i]);
	return err;
}

/* Hash what its holder has shown, and begin a transaction. After MCP_OK database_end() is due. */
static enum mcp_err
begin_with(struct database *d, const char *secret, uint8_t hash[32])
{
	enum mcp_err err = database_hash(secret, hash);

	return err ? err : database_begin(d);
}

enum mcp_err
grants_request_add(
    struct database *d, const char *handle, const char *browser, const struct authorization *a, int64_t now_s)
{
	uint8_t handle_hash[32], browser_hash[32];
	enum mcp_err err = database_hash(browser, browser_hash);

	if (!err)
		err = begin_with(d, handle, handle_hash);
	if (err)
		return err;
	err = database_run(d, NULL,
	    "INSERT INTO request (handle_hash, browser_hash, client_id, redirect_uri, state, scope, challenge,"
	    " issuer, expires_s) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)",
	    "hhssssssi", handle_hash, browser_hash, a->client_id, a->redirect_uri, a->state, a->scope, a->challenge,
	    a->issuer, now_s + GRANTS_REQUEST_TTL_S);
	if (!err)
		err = database_run(d, NULL, "DELETE FROM request WHERE id <= (SELECT max(id) FROM request) - ?", "i",
		    (int64_t)GRANTS_REQUESTS_MAX);
	return database_end(d, err);
}

enum mcp_err
grants_request_take(
    struct database *d, const char *handle, const char *browser, int64_t now_s, struct authorization *out)
{
	char **texts[] = { &out->client_id, &out->redirect_uri, &out->state, &out->scope, &out->challenge,
		&out->issuer };
	uint8_t handle_hash[32], browser_hash[32];
	sqlite3_stmt *stmt = NULL;
	enum mcp_err err;

	memset(out, 0, sizeof *out);
	err = database_hash(browser, browser_hash);
	if (!err)
		err = begin_with(d, handle, handle_hash);
	if (err)
		return err;
	err = database_query(d, &stmt,
	    "SELECT client_id, redirect_uri, state, scope, challenge, issuer FROM request"
	    " WHERE handle_hash = ? AND browser_hash = ? AND expires_s >= ?",
	    "hhi", handle_hash, browser_hash, now_s);
	if (!err)
		err = database_step(stmt);
	if (!err)
		err = read_texts(stmt, 0, texts, sizeof texts / sizeof texts[0]);
	sqlite3_finalize(stmt);
	if (!err)
		err = database_run(d, NULL, "DELETE FROM request WHERE handle_hash = ?", "h", handle_hash);
	err = database_end(d, err);
	if (err)
		authorization_clear(out);
	return err;
}

enum mcp_err
grants_code_add(struct database *d, const char *code, const struct authorization *a, const char *subject,
    const char *organisation, int64_t now_s)
{
	uint8_t hash[32];
	enum mcp_err err = begin_with(d, code, hash);

	if (err)
		return err;
	err = database_run(d, NULL,
	    "INSERT INTO grant_ (client_id, subject, organisation, scope, issuer, expires_s) VALUES (?, ?, ?, ?, ?, ?)",
	    "sssssi", a->client_id, subject, organisation, a->scope, a->issuer, now_s + GRANTS_TTL_S);
	if (!err)
		err = database_run(d, NULL,
		    "INSERT INTO code (code_hash, grant_id, redirect_uri, challenge, expires_s)"
		    " VALUES (?, last_insert_rowid(), ?, ?, ?)",
		    "hssi", hash, a->redirect_uri, a->challenge, now_s + GRANTS_CODE_TTL_S);
	return database_end(d, err);
}

static enum mcp_err
revoke_grant(struct database *d, int64_t grant_id)
{
	return database_run(d, NULL, "UPDATE grant_ SET revoked = 1 WHERE id = ?", "i", grant_id);
}

/*
 * Read what a code or refresh token stands for from "sql", whose columns are: used, revoked, its own expiry, then the
 * members of struct grant in order. MCP_EINVAL for a used one, with out->id set for the revocation.
 */
static enum mcp_err
read_grant(struct database *d, const char *sql, const uint8_t hash[32], int64_t now_s, struct grant *out)
{
	char **texts[] = { &out->client_id, &out->subject, &out->organisation, &out->scope, &out->issuer,
		&out->redirect_uri, &out->challenge };
	sqlite3_stmt *stmt = NULL;
	enum mcp_err err = database_query(d, &stmt, sql, "h", hash);

	if (!err)
		err = database_step(stmt);
	if (err)
		goto out;
	out->id = sqlite3_column_int64(stmt, 3);
	out->expires_s = sqlite3_column_int64(stmt, 4);
	err = read_texts(stmt, 5, texts, sizeof texts / sizeof texts[0]);
	if (err)
		goto out;
	if (sqlite3_column_int(stmt, 0))
		err = MCP_EINVAL;
	else if (sqlite3_column_int(stmt, 1) || sqlite3_column_int64(stmt, 2) < now_s)
		err = MCP_ENOENT;
out:
	sqlite3_finalize(stmt);
	return err;
}

/* End the transaction so that a revocation is kept although the answer is a refusal. */
static enum mcp_err
end_with_verdict(struct database *d, enum mcp_err verdict, enum mcp_err err, struct grant *out)
{
	err = database_end(d, err);
	if (!err)
		err = verdict;
	if (err)
		grant_clear(out);
	return err;
}

enum mcp_err
grants_code_take(struct database *d, const char *code, int64_t now_s, struct grant *out)
{
	enum mcp_err err, verdict;
	uint8_t hash[32];

	memset(out, 0, sizeof *out);
	err = begin_with(d, code, hash);
	if (err)
		return err;
	verdict = read_grant(d,
	    "SELECT c.used, g.revoked, c.expires_s, g.id, g.expires_s, g.client_id, g.subject, g.organisation,"
	    " g.scope, g.issuer, c.redirect_uri, c.challenge"
	    " FROM code c JOIN grant_ g ON g.id = c.grant_id WHERE c.code_hash = ?",
	    hash, now_s, out);
	if (verdict == MCP_OK)
		err = database_run(d, NULL, "UPDATE code SET used = 1 WHERE code_hash = ?", "h", hash);
	else if (verdict == MCP_EINVAL)
		err = revoke_grant(d, out->id);
	return end_with_verdict(d, verdict, err, out);
}

enum mcp_err
grants_refresh_add(struct database *d, const char *token, const struct grant *g, int64_t now_s)
{
	int64_t expires_s = now_s + GRANTS_REFRESH_TTL_S;
	uint8_t hash[32];
	enum mcp_err err = begin_with(d, token, hash);

	if (err)
		return err;
	err = database_run(d, NULL, "INSERT INTO refresh_token (token_hash, grant_id, expires_s) VALUES (?, ?, ?)",
	    "hii", hash, g->id, expires_s < g->expires_s ? expires_s : g->expires_s);
	return database_end(d, err);
}

enum mcp_err
grants_refresh_take(
    struct database *d, const char *token, const char *client_id, bool use, int64_t now_s, struct grant *out)
{
	enum mcp_err err, verdict;
	uint8_t hash[32];

	memset(out, 0, sizeof *out);
	err = begin_with(d, token, hash);
	if (err)
		return err;
	verdict = read_grant(d,
	    "SELECT r.used, g.revoked, r.expires_s, g.id, g.expires_s, g.client_id, g.subject, g.organisation,"
	    " g.scope, g.issuer, NULL, NULL"
	    " FROM refresh_token r JOIN grant_ g ON g.id = r.grant_id WHERE r.token_hash = ?",
	    hash, now_s, out);
	/* Another client's token tells its bearer nothing, and does its owner no harm. */
	if ((verdict == MCP_OK || verdict == MCP_EINVAL) && strcmp(out->client_id, client_id) != 0)
		verdict = MCP_ENOENT;
	if (verdict == MCP_OK && use)
		err = database_run(d, NULL, "UPDATE refresh_token SET used = 1 WHERE token_hash = ?", "h", hash);
	else if (verdict == MCP_EINVAL)
		err = revoke_grant(d, out->id);
	return end_with_verdict(d, verdict, err, out);
}

enum mcp_err
grants_access_add(struct database *d, const char *token, int64_t grant_id, const char *client_id, const char *claims,
    int64_t expires_s)
{
	uint8_t hash[32];
	int changes = 0;
	enum mcp_err err = begin_with(d, token, hash);

	if (err)
		return err;
	err = database_run(d, &changes,
	    "INSERT INTO access_token (token_hash, grant_id, client_id, claims, expires_s) SELECT ?1, ?2, ?3, ?4, ?5"
	    " WHERE ?2 = 0 OR EXISTS (SELECT 1 FROM grant_ WHERE id = ?2 AND revoked = 0)",
	    "hissi", hash, grant_id, client_id, claims, expires_s);
	if (!err && changes == 0)
		err = MCP_EINVAL;
	return database_end(d, err);
}

enum mcp_err
grants_access_get(struct database *d, const char *token, int64_t now_s, char **claims)
{
	sqlite3_stmt *stmt = NULL;
	uint8_t hash[32];
	enum mcp_err err;

	*claims = NULL;
	err = begin_with(d, token, hash);
	if (err)
		return err;
	err = database_query(d, &stmt,
	    "SELECT a.claims FROM access_token a LEFT JOIN grant_ g ON g.id = a.grant_id"
	    " WHERE a.token_hash = ? AND a.revoked = 0 AND a.expires_s > ? AND coalesce(g.revoked, 0) = 0",
	    "hi", hash, now_s);
	if (!err)
		err = database_step(stmt);
	if (!err)
		err = database_text(stmt, 0, claims);
	sqlite3_finalize(stmt);
	err = database_end(d, err);
	if (err) {
		free(*claims);
		*claims = NULL;
	}
	return err;
}

/* Who holds the token, by "sql" with the columns client_id and grant id. MCP_OK, MCP_ENOENT, MCP_EPERM. */
static enum mcp_err
find_owner(struct database *d, const char *sql, const uint8_t hash[32], const char *client_id, int64_t *grant_id)
{
	sqlite3_stmt *stmt = NULL;
	char *owner = NULL;
	enum mcp_err err = database_query(d, &stmt, sql, "h", hash);

	if (!err)
		err = database_step(stmt);
	if (!err)
		err = database_text(stmt, 0, &owner);
	if (!err && (!owner || strcmp(owner, client_id) != 0))
		err = MCP_EPERM;
	if (!err)
		*grant_id = sqlite3_column_int64(stmt, 1);
	free(owner);
	sqlite3_finalize(stmt);
	return err;
}

enum mcp_err
grants_revoke(struct database *d, const char *token, const char *client_id)
{
	int64_t grant_id = 0;
	uint8_t hash[32];
	enum mcp_err err = begin_with(d, token, hash);

	if (err)
		return err;
	err = find_owner(d,
	    "SELECT g.client_id, g.id FROM refresh_token r JOIN grant_ g ON g.id = r.grant_id WHERE r.token_hash = ?",
	    hash, client_id, &grant_id);
	if (!err) {
		err = revoke_grant(d, grant_id);
	} else if (err == MCP_ENOENT) {
		err = find_owner(
		    d, "SELECT client_id, 0 FROM access_token WHERE token_hash = ?", hash, client_id, &grant_id);
		if (!err)
			err = database_run(
			    d, NULL, "UPDATE access_token SET revoked = 1 WHERE token_hash = ?", "h", hash);
	}
	return database_end(d, err);
}
