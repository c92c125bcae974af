/* SPDX-License-Identifier: MIT */
/* Answers for what the issuer's endpoints have in common: bodies, client authentication, errors. */
#include "issuer/endpoint.h"

#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "base/log.h"
#include "base/text.h"

static void
no_store(struct call *c)
{
	http_response_header(c->res, "Cache-Control", "no-store");
	http_response_header(c->res, "Pragma", "no-cache");
}

void
endpoint_error(struct call *c, int status, const char *error, const char *description)
{
	c->res->status = status;
	http_response_header(c->res, "Content-Type", "application/json");
	no_store(c);
	buf_reset(&c->res->body);
	buf_printf(&c->res->body, "{\"error\":\"%s\",\"error_description\":\"%s\"}", error, description);
}

void
endpoint_failure(struct call *c, enum mcp_err err)
{
	log_error("development issuer: %s", mcp_strerror(err));
	http_response_header(c->res, "Retry-After", "1");
	endpoint_error(c, 503, "temporarily_unavailable", "the issuer could not do this now");
}

void
endpoint_json(struct call *c, int status, struct json_object *v, bool secret)
{
	struct buf text;

	if (!v) {
		endpoint_failure(c, MCP_ENOMEM);
		return;
	}
	buf_init(&text, HTTP_RESPONSE_BODY_MAX);
	json_render(v, &text);
	json_free(v);
	if (buf_status(&text)) {
		endpoint_failure(c, buf_status(&text));
	} else {
		http_response_json(c->res, status, text.data);
		if (secret)
			no_store(c);
	}
	buf_clear_secret(&text);
}

bool
endpoint_body(struct call *c, struct buf *out)
{
	enum mcp_err err = MCP_OK;
	char chunk[4096];
	ssize_t n;

	buf_init(out, ENDPOINT_BODY_MAX);
	if (c->req->content_length > ENDPOINT_BODY_MAX) {
		endpoint_error(c, 413, "invalid_request", "the body is too large");
		return false;
	}
	while ((n = c->body->read(c->body->ctx, chunk, sizeof chunk, &err)) > 0) {
		buf_put(out, chunk, (size_t)n);
		if (buf_status(out))
			break;
	}
	explicit_bzero(chunk, sizeof chunk);
	if (n >= 0 && !buf_status(out))
		return true;
	if (n < 0)
		endpoint_error(c, err == MCP_ETIMEOUT ? 408 : 400, "invalid_request", "the body did not arrive");
	else if (buf_status(out) == MCP_ELIMIT)
		endpoint_error(c, 413, "invalid_request", "the body is too large");
	else
		endpoint_failure(c, buf_status(out));
	buf_clear_secret(out);
	return false;
}

bool
endpoint_form(struct call *c, const char *repeatable, struct form *out)
{
	enum mcp_err err;
	struct buf body;

	memset(out, 0, sizeof *out);
	if (!http_request_is_type(c->req, "application/x-www-form-urlencoded")) {
		endpoint_error(c, 400, "invalid_request", "the body must be application/x-www-form-urlencoded");
		return false;
	}
	if (!endpoint_body(c, &body))
		return false;
	err = form_parse(body.data, body.len, repeatable, out);
	buf_clear_secret(&body);
	switch (err) {
	case MCP_OK:
		return true;
	case MCP_EINVAL:
		endpoint_error(c, 400, "invalid_request", "a parameter is there twice");
		return false;
	case MCP_ESYNTAX:
	case MCP_ELIMIT:
		endpoint_error(c, 400, "invalid_request", "the body is no readable form");
		return false;
	default:
		endpoint_failure(c, err);
		return false;
	}
}

/* Client credentials as they were sent. Strings are owned. */
struct credentials {
	char *id, *secret;
	bool basic;
};

static void
credentials_clear(struct credentials *k)
{
	free(k->id);
	text_free_secret(k->secret);
	memset(k, 0, sizeof *k);
}

/* One half of Basic credentials: form-encoded on its own (RFC 6749 section 2.3.1). */
static enum mcp_err
decode_half(const char *text, size_t len, char **out)
{
	enum mcp_err err;
	struct buf b;

	*out = NULL;
	buf_init(&b, 4096);
	err = form_decode(text, len, &b);
	if (!err)
		*out = text_dup(b.data, b.len);
	buf_clear_secret(&b);
	return err ? err : *out ? MCP_OK : MCP_ENOMEM;
}

static enum mcp_err
read_basic(const char *authorization, struct credentials *k)
{
	const char *colon;
	enum mcp_err err;
	struct buf plain;

	if (strncasecmp(authorization, "Basic ", 6) != 0)
		return MCP_ESYNTAX;
	authorization += 6;
	while (*authorization == ' ')
		authorization++;
	buf_init(&plain, 4096);
	err = text_base64_decode(authorization, strlen(authorization), &plain);
	colon = err ? NULL : memchr(plain.data, ':', plain.len);
	if (!err && !colon)
		err = MCP_ESYNTAX;
	if (!err)
		err = decode_half(plain.data, (size_t)(colon - plain.data), &k->id);
	if (!err)
		err = decode_half(colon + 1, plain.len - (size_t)(colon + 1 - plain.data), &k->secret);
	k->basic = true;
	buf_clear_secret(&plain);
	return err;
}

static enum mcp_err
read_form_credentials(const struct form *form, struct credentials *k)
{
	const char *id = form_get(form, "client_id");
	const char *secret = form_get(form, "client_secret");

	if (!id)
		return MCP_ENOENT;
	k->id = text_dup(id, strlen(id));
	if (secret)
		k->secret = text_dup(secret, strlen(secret));
	return !k->id || (secret && !k->secret) ? MCP_ENOMEM : MCP_OK;
}

static void
answer_invalid_client(struct call *c, const char *description)
{
	if (c->req->field[HTTP_AUTHORIZATION])
		http_response_header(c->res, "WWW-Authenticate", "Basic realm=\"OAuth\", charset=\"UTF-8\"");
	endpoint_error(c, 401, "invalid_client", description);
}

/* Whether the credentials are those of "client", sent in the way it registered. MCP_OK, MCP_EPERM, MCP_ECRYPTO. */
static enum mcp_err
check_credentials(const struct client *client, const struct credentials *k)
{
	const char *method = k->basic ? "client_secret_basic" : k->secret ? "client_secret_post" : "none";
	uint8_t hash[32];
	enum mcp_err err;

	if (strcmp(method, client->auth_method) != 0)
		return MCP_EPERM;
	if (!client->confidential)
		return MCP_OK;
	err = database_hash(k->secret ? k->secret : "", hash);
	if (err)
		return err;
	return text_equal_constant_time(hash, sizeof hash, client->secret_hash, sizeof client->secret_hash) ? MCP_OK
													    : MCP_EPERM;
}

bool
endpoint_client(struct call *c, const struct form *form, struct client *out)
{
	const char *authorization = c->req->field[HTTP_AUTHORIZATION];
	const char *form_id = form_get(form, "client_id");
	struct credentials k = { 0 };
	enum mcp_err err;

	memset(out, 0, sizeof *out);
	if (authorization && form_get(form, "client_secret")) {
		endpoint_error(c, 400, "invalid_request", "the client authenticates in two ways at once");
		return false;
	}
	err = authorization ? read_basic(authorization, &k) : read_form_credentials(form, &k);
	if (!err && form_id && strcmp(form_id, k.id) != 0)
		err = MCP_ESYNTAX;
	if (!err)
		err = clients_get(c->issuer->db, k.id, out);
	if (!err)
		err = check_credentials(out, &k);
	credentials_clear(&k);
	switch (err) {
	case MCP_OK:
		return true;
	case MCP_EPERM:
		answer_invalid_client(c, "the client's secret or its way to send it is wrong");
		break;
	case MCP_ENOENT:
	case MCP_ESYNTAX:
	case MCP_ELIMIT:
		answer_invalid_client(c, "no such client");
		break;
	default:
		endpoint_failure(c, err);
		break;
	}
	client_clear(out);
	return false;
}

bool
endpoint_resource_ok(const struct issuer *is, const char *resource)
{
	size_t want, got;

	if (!resource)
		return true;
	want = strlen(is->resource);
	got = strlen(resource);
	if (want && is->resource[want - 1] == '/')
		want--;
	if (got && resource[got - 1] == '/')
		got--;
	return want == got && memcmp(resource, is->resource, got) == 0;
}

enum mcp_err
endpoint_scope(const char *text, const char *fallback, const struct strlist *allowed, struct buf *out)
{
	struct strlist asked = { 0 }, unique = { 0 };
	enum mcp_err err = strlist_split(&asked, text ? text : fallback, " ", ENDPOINT_SCOPES_MAX);

	if (err == MCP_ELIMIT)
		err = MCP_EINVAL;
	for (size_t i = 0; i < asked.n && !err; i++) {
		if (!strlist_has(allowed, asked.v[i]))
			err = MCP_EINVAL;
		else
			err = strlist_add_unique(&unique, asked.v[i], strlen(asked.v[i]));
	}
	if (!err) {
		strlist_join(&unique, " ", out);
		err = buf_status(out);
	}
	strlist_clear(&asked);
	strlist_clear(&unique);
	return err;
}
