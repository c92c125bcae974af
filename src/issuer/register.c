/* SPDX-License-Identifier: MIT */
/* Answers for dynamic client registration (RFC 7591): anyone may register, nothing secret is told to those who did not.
 */
#include "issuer/endpoint.h"

#include <stdlib.h>
#include <string.h>

#include "base/text.h"
#include "issuer/redirect.h"

#define REDIRECT_URIS_MAX 16
#define NAME_MAX_BYTES 256

static const char *const known_grants[] = { "authorization_code", "refresh_token", "client_credentials", NULL };
static const char *const known_responses[] = { "code", NULL };
static const char *const known_methods[] = { "none", "client_secret_basic", "client_secret_post", NULL };

/* Why a registration is refused: an error of RFC 7591 section 3.2.2 with a static description, or a failure of ours. */
struct refusal {
	const char *error, *description;
	enum mcp_err err;
};

static bool
refuse(struct refusal *r, const char *error, const char *description)
{
	r->error = error;
	r->description = description;
	return false;
}

static bool
fail(struct refusal *r, enum mcp_err err)
{
	r->err = err;
	return false;
}

static bool
is_one_of(const char *word, const char *const *words)
{
	for (; *words; words++)
		if (strcmp(word, *words) == 0)
			return true;
	return false;
}

/* Read an optional array of strings; false only for one that is no such thing. */
static bool
read_strings(const struct json_object *o, const char *name, size_t max, struct strlist *out, struct refusal *r)
{
	struct json_object *array;
	const char *text;
	size_t len;
	enum mcp_err err = json_get_array(o, name, &array);

	if (err == MCP_ENOENT)
		return true;
	if (err || json_count(array) > max)
		return refuse(r, "invalid_client_metadata", "a list has another type or is too long");
	for (size_t i = 0; i < json_count(array); i++) {
		if (json_as_string(json_at(array, i), &text, &len))
			return refuse(r, "invalid_client_metadata", "a list has an element that is no string");
		err = strlist_add_unique(out, text, len);
		if (err)
			return fail(r, err);
	}
	return true;
}

/* Read an optional string; *out is NULL when it is absent. */
static bool
read_string(const struct json_object *o, const char *name, size_t max, char **out, struct refusal *r)
{
	const char *text;
	size_t len;
	enum mcp_err err = json_get_string(o, name, &text, &len);

	if (err == MCP_ENOENT)
		return true;
	if (err || len > max)
		return refuse(r, "invalid_client_metadata", "a member has another type or is too long");
	*out = text_dup(text, len);
	return *out ? true : fail(r, MCP_ENOMEM);
}

static bool
read_grants(const struct json_object *o, struct client *c, struct refusal *r)
{
	struct strlist responses = { 0 };
	bool good;
	enum mcp_err err;

	if (!read_strings(o, "grant_types", 8, &c->grant_types, r))
		return false;
	for (size_t i = 0; i < c->grant_types.n; i++)
		if (!is_one_of(c->grant_types.v[i], known_grants))
			return refuse(r, "invalid_client_metadata", "a grant type is not supported");
	if (c->grant_types.n == 0) {
		err = strlist_add(&c->grant_types, "authorization_code", strlen("authorization_code"));
		if (err)
			return fail(r, err);
	}
	good = read_strings(o, "response_types", 8, &responses, r);
	for (size_t i = 0; i < responses.n && good; i++)
		if (!is_one_of(responses.v[i], known_responses))
			good = refuse(r, "invalid_client_metadata", "a response type is not supported");
	strlist_clear(&responses);
	return good;
}

static bool
read_method(const struct json_object *o, struct client *c, struct refusal *r)
{
	if (!read_string(o, "token_endpoint_auth_method", 64, &c->auth_method, r))
		return false;
	/* The default of RFC 7591 section 2. */
	if (!c->auth_method)
		c->auth_method = text_dup("client_secret_basic", strlen("client_secret_basic"));
	if (!c->auth_method)
		return fail(r, MCP_ENOMEM);
	if (!is_one_of(c->auth_method, known_methods))
		return refuse(r, "invalid_client_metadata", "the authentication method is not supported");
	c->confidential = strcmp(c->auth_method, "none") != 0;
	if (!c->confidential && strlist_has(&c->grant_types, "client_credentials"))
		return refuse(r, "invalid_client_metadata", "client_credentials needs a client that authenticates");
	return true;
}

static bool
read_redirects(const struct json_object *o, struct client *c, struct refusal *r)
{
	const char *why;

	if (!read_strings(o, "redirect_uris", REDIRECT_URIS_MAX, &c->redirect_uris, r))
		return false;
	for (size_t i = 0; i < c->redirect_uris.n; i++) {
		why = redirect_fault(c->redirect_uris.v[i]);
		if (why)
			return refuse(r, "invalid_redirect_uri", why);
	}
	if (c->redirect_uris.n == 0 && strlist_has(&c->grant_types, "authorization_code"))
		return refuse(r, "invalid_redirect_uri", "authorization_code needs a redirect URI");
	return true;
}

/* Scopes that cannot be had are left out, as RFC 7591 section 2 lets a server do; the answer tells what was kept. */
static bool
read_scope(const struct issuer *is, const struct json_object *o, struct client *c, struct refusal *r)
{
	struct strlist asked = { 0 }, kept = { 0 };
	enum mcp_err err = MCP_OK;
	char *text = NULL;
	struct buf joined;

	if (!read_string(o, "scope", 4096, &text, r))
		return false;
	if (!text)
		return true;
	buf_init(&joined, 4096);
	err = strlist_split(&asked, text, " ", ENDPOINT_SCOPES_MAX);
	for (size_t i = 0; i < asked.n && !err; i++)
		if (strlist_has(&is->scopes, asked.v[i]))
			err = strlist_add_unique(&kept, asked.v[i], strlen(asked.v[i]));
	strlist_join(&kept, " ", &joined);
	if (!err && kept.n)
		c->scope = buf_steal(&joined, NULL);
	if (!err && kept.n && !c->scope)
		err = MCP_ENOMEM;
	free(text);
	buf_clear(&joined);
	strlist_clear(&asked);
	strlist_clear(&kept);
	if (err == MCP_ELIMIT)
		return refuse(r, "invalid_client_metadata", "too many scopes");
	return err ? fail(r, err) : true;
}

static bool
read_metadata(const struct issuer *is, const char *body, size_t len, struct client *c, struct refusal *r)
{
	static const struct json_bounds bounds = { ENDPOINT_BODY_MAX, 16, 2048 };
	struct json_object *o = NULL;
	enum mcp_err err = json_parse(body, len, &bounds, &o, NULL);
	bool good;

	if (err == MCP_ENOMEM)
		return fail(r, err);
	if (err || json_kind(o) != JSON_OBJECT) {
		json_free(o);
		return refuse(r, "invalid_client_metadata", "the body is no JSON object");
	}
	good = read_string(o, "client_name", NAME_MAX_BYTES, &c->name, r) && read_grants(o, c, r)
	    && read_method(o, c, r) && read_redirects(o, c, r) && read_scope(is, o, c, r);
	json_free(o);
	return good;
}

/* Give the client its identifier and, if it is confidential, a secret. */
static enum mcp_err
name_client(struct client *c, struct buf *secret)
{
	enum mcp_err err;
	struct buf id;

	buf_init(&id, 128);
	err = database_secret("m2m_", &id);
	if (!err) {
		c->id = buf_steal(&id, NULL);
		if (!c->id)
			err = MCP_ENOMEM;
	}
	buf_clear(&id);
	if (err || !c->confidential)
		return err;
	err = database_secret("", secret);
	return err ? err : database_hash(secret->data, c->secret_hash);
}

static enum mcp_err
set_strings(struct json_object *o, const char *name, const struct strlist *items)
{
	struct json_object *array = json_new_array();
	enum mcp_err err = array ? MCP_OK : MCP_ENOMEM;

	for (size_t i = 0; i < items->n && !err; i++)
		err = json_push_new(array, json_new_string(items->v[i], strlen(items->v[i])));
	if (err) {
		json_free(array);
		return err;
	}
	return json_set_new(o, name, array);
}

static enum mcp_err
set_string(struct json_object *o, const char *name, const char *text)
{
	return text ? json_set_new(o, name, json_new_string(text, strlen(text))) : MCP_OK;
}

static enum mcp_err
describe(const struct client *c, const char *secret, int64_t now_s, struct json_object *o)
{
	struct strlist responses = { 0 };
	enum mcp_err err = set_string(o, "client_id", c->id);

	if (!err)
		err = json_set_new(o, "client_id_issued_at", json_new_int(now_s));
	if (!err && c->confidential)
		err = set_string(o, "client_secret", secret);
	if (!err && c->confidential)
		err = json_set_new(o, "client_secret_expires_at", json_new_int(0));
	if (!err)
		err = set_string(o, "client_name", c->name);
	if (!err)
		err = set_strings(o, "redirect_uris", &c->redirect_uris);
	if (!err)
		err = set_strings(o, "grant_types", &c->grant_types);
	if (!err && strlist_has(&c->grant_types, "authorization_code"))
		err = strlist_add(&responses, "code", strlen("code"));
	if (!err)
		err = set_strings(o, "response_types", &responses);
	if (!err)
		err = set_string(o, "token_endpoint_auth_method", c->auth_method);
	if (!err)
		err = set_string(o, "scope", c->scope);
	strlist_clear(&responses);
	return err;
}

static void
answer_client(struct call *c, const struct client *client, const char *secret)
{
	struct json_object *o = json_new_object();
	enum mcp_err err = o ? describe(client, secret, c->now_s, o) : MCP_ENOMEM;

	if (err) {
		json_free(o);
		endpoint_failure(c, err);
		return;
	}
	endpoint_json(c, 201, o, true);
}

void
endpoint_register(struct call *c)
{
	struct client client = { 0 };
	struct refusal r = { 0 };
	struct buf body, secret;
	enum mcp_err err;

	if (!http_request_is_type(c->req, "application/json")) {
		endpoint_error(c, 400, "invalid_client_metadata", "the body must be application/json");
		return;
	}
	if (!endpoint_body(c, &body))
		return;
	buf_init(&secret, 128);
	if (read_metadata(c->issuer, body.data, body.len, &client, &r)) {
		err = name_client(&client, &secret);
		if (!err)
			err = clients_add(c->issuer->db, &client, c->now_s);
		if (err)
			endpoint_failure(c, err);
		else
			answer_client(c, &client, secret.data);
	} else if (r.error) {
		endpoint_error(c, 400, r.error, r.description);
	} else {
		endpoint_failure(c, r.err);
	}
	client_clear(&client);
	buf_clear(&body);
	buf_clear_secret(&secret);
}
