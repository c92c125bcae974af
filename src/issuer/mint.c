/* SPDX-License-Identifier: MIT */
/* Answers for the claims of an access token and its signature. */
#include "issuer/mint.h"

#include <stdlib.h>
#include <string.h>

#include <jwt.h>

#include "base/digest.h"
#include "base/strlist.h"
#include "base/text.h"
#include "issuer/grants.h"
#include "issuer/keys.h"

static enum mcp_err
set_text(struct json_object *o, const char *name, const char *text)
{
	return text ? json_set_new(o, name, json_new_string(text, strlen(text))) : MCP_OK;
}

static enum mcp_err
set_list(struct json_object *o, const char *name, const struct strlist *items)
{
	struct json_object *list = json_new_array();
	enum mcp_err err = list ? MCP_OK : MCP_ENOMEM;

	for (size_t i = 0; i < items->n && !err; i++)
		err = json_push_new(list, json_new_string(items->v[i], strlen(items->v[i])));
	if (err) {
		json_free(list);
		return err;
	}
	return json_set_new(o, name, list);
}

static enum mcp_err
set_audience(struct json_object *o, const struct mint *m)
{
	struct strlist audience = { 0 };
	enum mcp_err err = strlist_add(&audience, m->resource, strlen(m->resource));

	if (!err && m->resource_id)
		err = strlist_add(&audience, m->resource_id, strlen(m->resource_id));
	if (!err)
		err = set_list(o, "aud", &audience);
	strlist_clear(&audience);
	return err;
}

static enum mcp_err
set_scope(struct json_object *o, const struct mint *m)
{
	struct strlist scopes = { 0 };
	enum mcp_err err;

	if (!m->machine)
		return set_text(o, "scope", m->scope);
	err = strlist_split(&scopes, m->scope, " ", 256);
	if (!err)
		err = set_list(o, "scopes", &scopes);
	strlist_clear(&scopes);
	return err;
}

static enum mcp_err
set_identifier(struct json_object *o)
{
	uint8_t random[12];
	struct buf jti;
	enum mcp_err err = digest_random(random, sizeof random);

	buf_init(&jti, 64);
	buf_puts(&jti, "tkn_");
	text_hex(random, sizeof random, &jti);
	if (!err)
		err = buf_status(&jti);
	if (!err)
		err = set_text(o, "jti", jti.data);
	buf_clear(&jti);
	return err;
}

/* What json_each() carries while members of one object are copied into another. */
struct copying {
	struct json_object *to;
	const struct strlist *without;
	enum mcp_err err;
};

static bool
copy_member(void *ctx, const char *name, struct json_object *value)
{
	struct copying *c = ctx;

	if (!c->without || !strlist_has(c->without, name))
		c->err = json_set(c->to, name, json_ref(value));
	return c->err == MCP_OK;
}

static enum mcp_err
compose(const struct mint *m, int64_t now_s, struct json_object **out)
{
	struct copying copying = { .to = json_new_object() };
	struct json_object *o = json_new_object();
	enum mcp_err err = o && copying.to ? MCP_OK : MCP_ENOMEM;

	if (!err)
		err = set_text(o, "iss", m->issuer);
	if (!err)
		err = set_audience(o, m);
	if (!err)
		err = set_text(o, "sub", m->subject);
	if (!err)
		err = set_text(o, "oid", m->organisation);
	if (!err)
		err = set_text(o, "client_id", m->client_id);
	if (!err)
		err = set_scope(o, m);
	if (!err)
		err = set_identifier(o);
	if (!err)
		err = json_set_new(o, "iat", json_new_int(now_s));
	if (!err)
		err = json_set_new(o, "nbf", json_new_int(now_s));
	if (!err)
		err = json_set_new(o, "exp", json_new_int(now_s + m->ttl_s));
	if (!err) {
		/* First the claims so far, then those that replace them; what is to be left out is left out of both. */
		copying.without = m->without;
		json_each(o, copy_member, &copying);
		if (!copying.err && m->claims)
			json_each(m->claims, copy_member, &copying);
		err = copying.err;
	}
	json_free(o);
	if (err) {
		json_free(copying.to);
		copying.to = NULL;
	}
	*out = copying.to;
	return err;
}

/* Sign the claims (JSON text). The header gets alg, kid and, from libjwt, typ JWT. */
static enum mcp_err
sign(const struct signing_key *key, const char *claims, struct buf *out)
{
	jwt_t *jwt = NULL;
	char *token = NULL;

	if (jwt_new(&jwt) != 0)
		return MCP_ENOMEM;
	if (jwt_add_grants_json(jwt, claims) == 0 && jwt_add_header(jwt, "kid", key->kid) == 0
	    && jwt_set_alg(jwt, jwt_str_alg(key->alg), (const unsigned char *)key->pem, (int)strlen(key->pem)) == 0)
		token = jwt_encode_str(jwt);
	jwt_free(jwt);
	if (!token)
		return MCP_ECRYPTO;
	buf_puts(out, token);
	/* libjwt allocates with malloc() unless told otherwise, and 1.10 has no function of its own to free this. */
	text_free_secret(token);
	return buf_status(out);
}

enum mcp_err
mint_access_token(struct database *d, const struct mint *m, int64_t now_s, struct buf *out)
{
	struct json_object *claims = NULL;
	struct signing_key key = { 0 };
	struct buf text, token;
	int64_t expires_s = 0;
	enum mcp_err err;

	buf_init(&text, MINT_TOKEN_MAX / 2);
	buf_init(&token, MINT_TOKEN_MAX);
	err = keys_current(d, now_s, &key);
	if (!err)
		err = compose(m, now_s, &claims);
	if (err)
		goto out;
	json_render(claims, &text);
	err = buf_status(&text);
	if (!err)
		err = sign(&key, text.data, &token);
	if (err)
		goto out;
	if (json_get_int(claims, "exp", &expires_s))
		expires_s = now_s + m->ttl_s;
	err = grants_access_add(d, token.data, m->grant_id, m->client_id, text.data, expires_s);
	if (err)
		goto out;
	buf_put(out, token.data, token.len);
	err = buf_status(out);
out:
	json_free(claims);
	signing_key_clear(&key);
	buf_clear(&text);
	buf_clear_secret(&token);
	return err;
}
