/* SPDX-License-Identifier: MIT */
/*
 * Answers for the table of registered clients. Lists are kept as text with a blank between the items: neither URIs nor
 * grant types have one.
 */
#include "issuer/clients.h"

#include <stdlib.h>
#include <string.h>

#define LIST_MAX 64

void
client_clear(struct client *c)
{
	free(c->id);
	free(c->name);
	strlist_clear(&c->redirect_uris);
	strlist_clear(&c->grant_types);
	free(c->auth_method);
	free(c->scope);
	memset(c, 0, sizeof *c);
}

enum mcp_err
clients_add(struct database *d, const struct client *c, int64_t now_s)
{
	struct buf uris, grants;
	enum mcp_err err;

	buf_init(&uris, 64 * 1024);
	buf_init(&grants, 1024);
	strlist_join(&c->redirect_uris, " ", &uris);
	strlist_join(&c->grant_types, " ", &grants);
	err = buf_status(&uris) ? buf_status(&uris) : buf_status(&grants);
	if (err)
		goto out;
	err = database_begin(d);
	if (err)
		goto out;
	err = database_run(d, NULL,
	    "INSERT INTO client (client_id, secret_hash, name, redirect_uris, grant_types, auth_method, scope,"
	    " created_s) VALUES (?, ?, ?, ?, ?, ?, ?, ?)",
	    "shsssssi", c->id, c->confidential ? c->secret_hash : NULL, c->name, uris.data, grants.data, c->auth_method,
	    c->scope, now_s);
	if (!err)
		err = database_run(d, NULL, "DELETE FROM client WHERE id <= (SELECT max(id) FROM client) - ?", "i",
		    (int64_t)CLIENTS_MAX);
	err = database_end(d, err);
out:
	buf_clear(&uris);
	buf_clear(&grants);
	return err;
}

static enum mcp_err
read_list(sqlite3_stmt *stmt, int column, struct strlist *out)
{
	char *text = NULL;
	enum mcp_err err = database_text(stmt, column, &text);

	if (!err && text)
		err = strlist_split(out, text, " ", LIST_MAX);
	free(text);
	return err;
}

static enum mcp_err
read_client(sqlite3_stmt *stmt, struct client *out)
{
	enum mcp_err err = database_text(stmt, 0, &out->id);

	if (!err && sqlite3_column_type(stmt, 1) == SQLITE_BLOB) {
		if (sqlite3_column_bytes(stmt, 1) != (int)sizeof out->secret_hash)
			return MCP_EDB;
		memcpy(out->secret_hash, sqlite3_column_blob(stmt, 1), sizeof out->secret_hash);
		out->confidential = true;
	}
	if (!err)
		err = database_text(stmt, 2, &out->name);
	if (!err)
		err = read_list(stmt, 3, &out->redirect_uris);
	if (!err)
		err = read_list(stmt, 4, &out->grant_types);
	if (!err)
		err = database_text(stmt, 5, &out->auth_method);
	if (!err)
		err = database_text(stmt, 6, &out->scope);
	return err;
}

enum mcp_err
clients_get(struct database *d, const char *client_id, struct client *out)
{
	sqlite3_stmt *stmt = NULL;
	enum mcp_err err;

	memset(out, 0, sizeof *out);
	err = database_begin(d);
	if (err)
		return err;
	err = database_query(d, &stmt,
	    "SELECT client_id, secret_hash, name, redirect_uris, grant_types, auth_method, scope FROM client"
	    " WHERE client_id = ?",
	    "s", client_id);
	if (!err)
		err = database_step(stmt);
	if (!err)
		err = read_client(stmt, out);
	sqlite3_finalize(stmt);
	err = database_end(d, err);
	if (err)
		client_clear(out);
	return err;
}
