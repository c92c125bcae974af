/* SPDX-License-Identifier: MIT */
/* Answers for what is asked about tokens afterwards: introspection (RFC 7662) and revocation (RFC 7009). */
#include "issuer/endpoint.h"

#include <stdlib.h>
#include <string.h>

#include "issuer/grants.h"

/*
 * Add what RFC 7662 section 2.2 wants beside the claims: active, token_type, and scope as text where the token has an
 * array.
 */
static enum mcp_err
complete(struct json_object *o)
{
	struct json_object *list;
	enum mcp_err err = json_set_new(o, "active", json_new_bool(true));
	const char *text;
	struct buf scope;
	size_t len;

	if (!err)
		err = json_set_new(o, "token_type", json_new_string("Bearer", strlen("Bearer")));
	if (err || json_get_array(o, "scopes", &list))
		return err;
	buf_init(&scope, 8192);
	for (size_t i = 0; i < json_count(list); i++) {
		if (json_as_string(json_at(list, i), &text, &len))
			continue;
		if (scope.len)
			buf_putc(&scope, ' ');
		buf_put(&scope, text, len);
	}
	err = buf_status(&scope);
	if (!err)
		err = json_set_new(o, "scope", json_new_string(scope.data, scope.len));
	buf_clear(&scope);
	return err;
}

static void
introspect(struct call *c, const char *token)
{
	static const struct json_bounds bounds = { 64 * 1024, 64, 8192 };
	struct json_object *o = NULL;
	char *claims = NULL;
	enum mcp_err err = grants_access_get(c->issuer->db, token, c->now_s, &claims);

	if (err == MCP_ENOENT) {
		http_response_json(c->res, 200, "{\"active\":false}");
		http_response_header(c->res, "Cache-Control", "no-store");
		return;
	}
	if (!err)
		err = json_parse(claims, strlen(claims), &bounds, &o, NULL);
	if (!err)
		err = complete(o);
	if (err) {
		json_free(o);
		endpoint_failure(c, err);
	} else {
		endpoint_json(c, 200, o, true);
	}
	free(claims);
}

/*
 * Only a client with a secret may ask: a resource server, not whoever found a token (RFC 7662 section 2.1). Refresh
 * tokens are no access tokens and inactive here.
 */
void
endpoint_introspect(struct call *c)
{
	struct client client;
	const char *token;
	struct form f;

	if (!endpoint_form(c, NULL, &f))
		return;
	if (endpoint_client(c, &f, &client)) {
		token = form_get(&f, "token");
		if (!client.confidential)
			endpoint_error(c, 401, "invalid_client", "introspection needs a client that authenticates");
		else if (!token)
			endpoint_error(c, 400, "invalid_request", "token is required");
		else
			introspect(c, token);
		client_clear(&client);
	}
	form_clear(&f);
}

static void
revoke(struct call *c, const char *token, const struct client *client)
{
	enum mcp_err err = grants_revoke(c->issuer->db, token, client->id);

	if (err == MCP_EPERM) {
		endpoint_error(c, 400, "invalid_grant", "the token belongs to another client");
	} else if (err && err != MCP_ENOENT) {
		endpoint_failure(c, err);
	} else {
		/* A token that is not there is revoked already: RFC 7009 section 2.2. */
		c->res->status = 200;
		http_response_header(c->res, "Cache-Control", "no-store");
	}
}

void
endpoint_revoke(struct call *c)
{
	struct client client;
	const char *token;
	struct form f;

	if (!endpoint_form(c, NULL, &f))
		return;
	if (endpoint_client(c, &f, &client)) {
		token = form_get(&f, "token");
		if (!token)
			endpoint_error(c, 400, "invalid_request", "token is required");
		else
			revoke(c, token, &client);
		client_clear(&client);
	}
	form_clear(&f);
}
