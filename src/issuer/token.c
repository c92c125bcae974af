/* SPDX-License-Identifier: MIT */
/* Answers for the token endpoint: one function a grant type, one answer for all of them. */
#include "issuer/endpoint.h"

#include <stdlib.h>
#include <string.h>

#include "base/digest.h"
#include "base/text.h"
#include "issuer/grants.h"
#include "issuer/issuer.h"
#include "issuer/mint.h"

/*
 * Make the access token, and a refresh token if "g" is a person's grant and the client may refresh, and answer. Source:
 * RFC 6749 section 5.1.
 */
static enum mcp_err
issue(struct call *c, const struct client *client, const struct grant *g, const char *scope, bool machine)
{
	struct json_object *o = json_new_object();
	struct buf access, refresh;
	enum mcp_err err = o ? MCP_OK : MCP_ENOMEM;

	buf_init(&access, MINT_TOKEN_MAX);
	buf_init(&refresh, 128);
	if (!err)
		err = mint_access_token(c->issuer->db,
		    &(struct mint){ .issuer = g->issuer,
			.resource = c->issuer->resource,
			.resource_id = c->issuer->resource_id,
			.subject = g->subject,
			.client_id = g->client_id,
			.organisation = g->organisation,
			.scope = scope,
			.machine = machine,
			.ttl_s = c->issuer->token_ttl_s,
			.grant_id = g->id },
		    c->now_s, &access);
	if (!err && !machine && strlist_has(&client->grant_types, "refresh_token")) {
		err = database_secret("", &refresh);
		if (!err)
			err = grants_refresh_add(c->issuer->db, refresh.data, g, c->now_s);
	}
	if (!err)
		err = json_set_new(o, "access_token", json_new_string(access.data, access.len));
	if (!err)
		err = json_set_new(o, "token_type", json_new_string("Bearer", strlen("Bearer")));
	if (!err)
		err = json_set_new(o, "expires_in", json_new_int(c->issuer->token_ttl_s));
	if (!err)
		err = json_set_new(o, "scope", json_new_string(scope, strlen(scope)));
	if (!err && refresh.len)
		err = json_set_new(o, "refresh_token", json_new_string(refresh.data, refresh.len));
	buf_clear_secret(&access);
	buf_clear_secret(&refresh);
	if (err)
		json_free(o);
	else
		endpoint_json(c, 200, o, true);
	return err;
}

/* As issue(), with the answers for its failures. */
static void
issue_or_say(struct call *c, const struct client *client, const struct grant *g, const char *scope, bool machine)
{
	enum mcp_err err = issue(c, client, g, scope, machine);

	if (err == MCP_EINVAL)
		endpoint_error(c, 400, "invalid_grant", "the grant was revoked");
	else if (err)
		endpoint_failure(c, err);
}

/* 43 to 128 unreserved characters. Source: RFC 7636 section 4.1. */
static bool
is_verifier(const char *text)
{
	size_t len = strlen(text);

	for (const char *s = text; *s; s++)
		if (!((*s >= 'a' && *s <= 'z') || (*s >= 'A' && *s <= 'Z') || (*s >= '0' && *s <= '9')
			|| strchr("-._~", *s)))
			return false;
	return len >= 43 && len <= 128;
}

/* Whether the challenge was made from the verifier: MCP_OK, MCP_EINVAL. Source: RFC 7636 section 4.6. */
static enum mcp_err
check_verifier(const char *verifier, const char *challenge)
{
	uint8_t hash[DIGEST_SHA256_LEN];
	enum mcp_err err;
	struct buf text;

	if (!is_verifier(verifier))
		return MCP_EINVAL;
	err = digest_sha256(verifier, strlen(verifier), hash);
	if (err)
		return err;
	buf_init(&text, 64);
	text_base64url_encode(hash, sizeof hash, &text);
	err = buf_status(&text);
	if (!err && !text_equal_constant_time(text.data, text.len, challenge, strlen(challenge)))
		err = MCP_EINVAL;
	buf_clear(&text);
	return err;
}

/* A code that was good: does the rest of the request fit it? */
static void
redeem(struct call *c, const struct form *f, const struct client *client, const struct grant *g)
{
	const char *redirect_uri = form_get(f, "redirect_uri");
	enum mcp_err err;

	if (strcmp(g->client_id, client->id) != 0) {
		endpoint_error(c, 400, "invalid_grant", "the code belongs to another client");
		return;
	}
	if (redirect_uri && strcmp(redirect_uri, g->redirect_uri) != 0) {
		endpoint_error(c, 400, "invalid_grant", "redirect_uri is not the one of the authorization request");
		return;
	}
	err = check_verifier(form_get(f, "code_verifier"), g->challenge);
	if (err == MCP_EINVAL)
		endpoint_error(c, 400, "invalid_grant", "code_verifier does not fit the code_challenge");
	else if (err)
		endpoint_failure(c, err);
	else
		issue_or_say(c, client, g, g->scope, false);
}

static void
grant_code(struct call *c, const struct form *f, const struct client *client)
{
	const char *code = form_get(f, "code");
	struct grant g;
	enum mcp_err err;

	if (!code || !form_get(f, "code_verifier")) {
		endpoint_error(c, 400, "invalid_request", "code and code_verifier are required");
		return;
	}
	err = grants_code_take(c->issuer->db, code, c->now_s, &g);
	if (err == MCP_ENOENT) {
		endpoint_error(c, 400, "invalid_grant", "the code is unknown or has expired");
	} else if (err == MCP_EINVAL) {
		endpoint_error(c, 400, "invalid_grant", "the code was used before; what it gave is revoked");
	} else if (err) {
		endpoint_failure(c, err);
	} else {
		redeem(c, f, client, &g);
		grant_clear(&g);
	}
}

/* Scopes may become fewer for this access token; the grant keeps what it had. Source: RFC 6749 section 6. */
static enum mcp_err
refreshed_scope(const struct form *f, const struct grant *g, struct buf *out)
{
	struct strlist granted = { 0 };
	enum mcp_err err = strlist_split(&granted, g->scope, " ", ENDPOINT_SCOPES_MAX);

	if (!err)
		err = endpoint_scope(form_get(f, "scope"), g->scope, &granted, out);
	strlist_clear(&granted);
	return err;
}

static void
grant_refresh(struct call *c, const struct form *f, const struct client *client)
{
	const char *token = form_get(f, "refresh_token");
	struct grant g, again;
	struct buf scope;
	enum mcp_err err;

	if (!token) {
		endpoint_error(c, 400, "invalid_request", "refresh_token is required");
		return;
	}
	buf_init(&scope, 8192);
	/* A request that asks for too much is refused before the token is used up. */
	err = grants_refresh_take(c->issuer->db, token, client->id, false, c->now_s, &g);
	if (!err) {
		err = refreshed_scope(f, &g, &scope);
		if (err == MCP_EINVAL) {
			endpoint_error(c, 400, "invalid_scope", "a scope was not granted");
			goto out;
		}
	}
	if (!err) {
		err = grants_refresh_take(c->issuer->db, token, client->id, true, c->now_s, &again);
		if (!err)
			grant_clear(&again);
	}
	if (err == MCP_ENOENT)
		endpoint_error(c, 400, "invalid_grant", "the refresh token is unknown, has expired or was revoked");
	else if (err == MCP_EINVAL)
		endpoint_error(c, 400, "invalid_grant", "the refresh token was used before; the grant is revoked");
	else if (err)
		endpoint_failure(c, err);
	else
		issue_or_say(c, client, &g, scope.data, false);
out:
	grant_clear(&g);
	buf_clear(&scope);
}

static void
grant_client(struct call *c, const struct form *f, const struct client *client)
{
	struct buf scope;
	enum mcp_err err;

	buf_init(&scope, 8192);
	err = endpoint_scope(
	    form_get(f, "scope"), client->scope ? client->scope : c->issuer->scopes_text, &c->issuer->scopes, &scope);
	if (err == MCP_EINVAL) {
		endpoint_error(c, 400, "invalid_scope", "a scope cannot be had here");
	} else if (err) {
		endpoint_failure(c, err);
	} else {
		char organisation[] = ISSUER_ORGANISATION;
		struct grant g = {
			.client_id = client->id, .subject = client->id, .organisation = organisation, .issuer = NULL
		};
		char *issuer = text_dup(c->issuer_url, strlen(c->issuer_url));

		g.issuer = issuer;
		if (issuer)
			issue_or_say(c, client, &g, scope.data, true);
		else
			endpoint_failure(c, MCP_ENOMEM);
		free(issuer);
	}
	buf_clear(&scope);
}

static const struct {
	const char *name;
	void (*grant)(struct call *c, const struct form *f, const struct client *client);
} grants[] = {
	{ "authorization_code", grant_code },
	{ "refresh_token", grant_refresh },
	{ "client_credentials", grant_client },
};

static void
answer(struct call *c, const struct form *f, const struct client *client)
{
	const char *type = form_get(f, "grant_type");

	if (!type) {
		endpoint_error(c, 400, "invalid_request", "grant_type is required");
		return;
	}
	for (size_t i = 0; i < sizeof grants / sizeof grants[0]; i++) {
		if (strcmp(type, grants[i].name) != 0)
			continue;
		if (!strlist_has(&client->grant_types, type))
			endpoint_error(c, 400, "unauthorized_client", "this client did not register that grant type");
		else if (!endpoint_resource_ok(c->issuer, form_get(f, "resource")))
			endpoint_error(c, 400, "invalid_target", "this issuer does not serve that resource");
		else
			grants[i].grant(c, f, client);
		return;
	}
	endpoint_error(c, 400, "unsupported_grant_type",
	    "this issuer knows authorization_code, refresh_token and client_credentials");
}

void
endpoint_token(struct call *c)
{
	struct client client;
	struct form f;

	if (!endpoint_form(c, NULL, &f))
		return;
	if (endpoint_client(c, &f, &client)) {
		answer(c, &f, &client);
		client_clear(&client);
	}
	form_clear(&f);
}
