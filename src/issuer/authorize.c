/* SPDX-License-Identifier: MIT */
/*
 * Answers for the authorization endpoint:
 *  1. GET: the client and its redirect URI are checked; faults there are told on a page, never by a redirect;
 *  2. the rest is checked; faults go to the redirect URI;
 *  3. the request is kept under a handle that is bound to the browser by a cookie, and the consent page is shown (or,
 * with automatic consent, 5 follows);
 *  4. POST: the handle and the cookie must be of one pair, and the page ours;
 *  5. the code, or access_denied, goes to the redirect URI.
 */
#include "issuer/endpoint.h"

#include <stdlib.h>
#include <string.h>

#include "base/log.h"
#include "base/text.h"
#include "issuer/grants.h"
#include "issuer/issuer.h"
#include "issuer/page.h"
#include "issuer/redirect.h"

#define COOKIE "mcp_fcgi_issuer"
#define STATE_MAX 4096
#define SECRET_LEN 43

static void
page_failure(struct call *c, enum mcp_err err)
{
	log_error("development issuer: %s", mcp_strerror(err));
	page_error(c->res, 503, "The issuer could not do this now.");
}

/*
 * Send the browser to the redirect URI with "name"="value" and, if there is more to say, a description; state and
 * issuer as RFC 6749 section 4.1.2 and RFC 9207 section 2 say.
 */
static void
redirect(struct call *c, const struct authorization *a, const char *name, const char *value, const char *description)
{
	struct buf url;

	buf_init(&url, 16 * 1024);
	buf_puts(&url, a->redirect_uri);
	buf_putc(&url, strchr(a->redirect_uri, '?') ? '&' : '?');
	buf_printf(&url, "%s=", name);
	form_encode(value, &url);
	if (description) {
		buf_puts(&url, "&error_description=");
		form_encode(description, &url);
	}
	if (a->state) {
		buf_puts(&url, "&state=");
		form_encode(a->state, &url);
	}
	buf_puts(&url, "&iss=");
	form_encode(a->issuer, &url);
	if (buf_status(&url)) {
		page_failure(c, buf_status(&url));
	} else {
		/* 303: a POST is followed by a GET (RFC 9700 section 4.12). */
		c->res->status = strcmp(c->req->method, "POST") == 0 ? 303 : 302;
		http_response_header(c->res, "Location", url.data);
		http_response_header(c->res, "Cache-Control", "no-store");
		http_response_header(c->res, "Referrer-Policy", "no-referrer");
	}
	buf_clear_secret(&url);
}

static bool
is_challenge(const char *text)
{
	if (strlen(text) != SECRET_LEN)
		return false;
	for (; *text; text++)
		if (!((*text >= 'a' && *text <= 'z') || (*text >= 'A' && *text <= 'Z') || (*text >= '0' && *text <= '9')
			|| *text == '-' || *text == '_'))
			return false;
	return true;
}

/*
 * The redirect URI to use: the one asked for, if it was registered, or the only one there is. NULL with a reason
 * otherwise.
 */
static const char *
choose_redirect(const struct client *client, const char *asked, const char **why)
{
	*why = "The redirect_uri was not registered by this client.";
	if (!asked) {
		if (client->redirect_uris.n == 1)
			return client->redirect_uris.v[0];
		*why = "The request has no redirect_uri.";
		return NULL;
	}
	for (size_t i = 0; i < client->redirect_uris.n; i++)
		if (redirect_matches(client->redirect_uris.v[i], asked))
			return asked;
	return NULL;
}

static enum mcp_err
dup_into(char **to, const char *text)
{
	*to = text ? text_dup(text, strlen(text)) : NULL;
	return text && !*to ? MCP_ENOMEM : MCP_OK;
}

/*
 * Step 1. Fills client, and client_id, redirect_uri, state and issuer of "a"; false when the page with the fault is
 * made.
 */
static bool
check_client(struct call *c, const struct form *f, struct client *client, struct authorization *a)
{
	const char *id = form_get(f, "client_id");
	const char *state = form_get(f, "state");
	const char *why, *uri;
	enum mcp_err err;

	if (!id) {
		page_error(c->res, 400, "The request has no client_id.");
		return false;
	}
	err = clients_get(c->issuer->db, id, client);
	if (err == MCP_ENOENT) {
		page_error(c->res, 400,
		    "This client is not registered here. If it was, the issuer's state has been removed since:"
		    " let the client register again.");
		return false;
	}
	if (!err) {
		uri = choose_redirect(client, form_get(f, "redirect_uri"), &why);
		if (!uri) {
			page_error(c->res, 400, why);
			return false;
		}
		if (state && strlen(state) > STATE_MAX) {
			page_error(c->res, 400, "The state is too long.");
			return false;
		}
		err = dup_into(&a->client_id, id);
		if (!err)
			err = dup_into(&a->redirect_uri, uri);
		if (!err)
			err = dup_into(&a->state, state);
		if (!err)
			err = dup_into(&a->issuer, c->issuer_url);
	}
	if (err)
		page_failure(c, err);
	return err == MCP_OK;
}

/* Step 2 but for the scopes: NULL, or the error code for the client and its description. */
static const char *
request_fault(const struct call *c, const struct form *f, const struct client *client, const char **why)
{
	const char *type = form_get(f, "response_type");
	const char *method = form_get(f, "code_challenge_method");
	const char *challenge = form_get(f, "code_challenge");

	*why = "response_type must be code";
	if (!type)
		return "invalid_request";
	if (strcmp(type, "code") != 0)
		return "unsupported_response_type";
	*why = "this client did not register the authorization_code grant";
	if (!strlist_has(&client->grant_types, "authorization_code"))
		return "unauthorized_client";
	*why = "PKCE is required: code_challenge with code_challenge_method S256";
	if (!challenge || !method || strcmp(method, "S256") != 0 || !is_challenge(challenge))
		return "invalid_request";
	*why = "this issuer does not serve that resource";
	if (!endpoint_resource_ok(c->issuer, form_get(f, "resource")))
		return "invalid_target";
	return NULL;
}

static bool
check_request(struct call *c, const struct form *f, const struct client *client, struct authorization *a)
{
	const char *why, *error = request_fault(c, f, client, &why);
	struct buf scope;
	enum mcp_err err;

	if (error) {
		redirect(c, a, "error", error, why);
		return false;
	}
	buf_init(&scope, 8192);
	err = endpoint_scope(
	    form_get(f, "scope"), client->scope ? client->scope : c->issuer->scopes_text, &c->issuer->scopes, &scope);
	if (!err)
		err = dup_into(&a->scope, scope.data);
	if (!err)
		err = dup_into(&a->challenge, form_get(f, "code_challenge"));
	buf_clear(&scope);
	if (err == MCP_EINVAL)
		redirect(c, a, "error", "invalid_scope", "a scope cannot be had here");
	else if (err)
		page_failure(c, err);
	return err == MCP_OK;
}

/* Step 5, after consent. */
static void
give_code(struct call *c, const struct authorization *a)
{
	enum mcp_err err;
	struct buf code;

	buf_init(&code, 128);
	err = database_secret("", &code);
	if (!err)
		err = grants_code_add(c->issuer->db, code.data, a, ISSUER_SUBJECT, ISSUER_ORGANISATION, c->now_s);
	if (err)
		page_failure(c, err);
	else
		redirect(c, a, "code", code.data, NULL);
	buf_clear_secret(&code);
}

/* The value of our cookie, copied into "out", if there is one of the right form. Source: RFC 6265 section 4.2.1. */
static bool
read_cookie(const struct call *c, char out[SECRET_LEN + 1])
{
	const char *s = http_request_variable(c->req, "HTTP_COOKIE");

	for (; s && *s; s = strchr(s, ';')) {
		while (*s == ';' || *s == ' ')
			s++;
		if (strncmp(s, COOKIE "=", sizeof COOKIE) != 0)
			continue;
		s += sizeof COOKIE;
		if (strcspn(s, "; ") != SECRET_LEN)
			return false;
		memcpy(out, s, SECRET_LEN);
		out[SECRET_LEN] = '\0';
		return is_challenge(out);
	}
	return false;
}

/*
 * The browser's secret: the one it has, so that several pages can be open at once, or a new one. SameSite=Lax keeps it
 * from forms of other sites and sends it when a client's page leads here; Strict would not, and each page would end the
 * one before.
 */
static enum mcp_err
mark_browser(struct call *c, char out[SECRET_LEN + 1])
{
	enum mcp_err err = MCP_OK;
	struct buf secret;

	if (!read_cookie(c, out)) {
		buf_init(&secret, 128);
		err = database_secret("", &secret);
		if (!err && secret.len != SECRET_LEN)
			err = MCP_EINTERNAL;
		if (!err)
			memcpy(out, secret.data, SECRET_LEN + 1);
		buf_clear_secret(&secret);
	}
	if (!err)
		http_response_headerf(c->res, "Set-Cookie", COOKIE "=%s; Path=/; HttpOnly; SameSite=Lax%s", out,
		    strncmp(c->issuer->url, "https:", 6) == 0 ? "; Secure" : "");
	return err;
}

/* Step 3. */
static void
ask_person(struct call *c, const struct client *client, const struct authorization *a)
{
	struct strlist scopes = { 0 };
	char browser[SECRET_LEN + 1];
	struct buf handle, action;
	enum mcp_err err;

	buf_init(&handle, 128);
	buf_init(&action, 4096);
	err = database_secret("", &handle);
	if (!err)
		err = mark_browser(c, browser);
	if (!err)
		err = grants_request_add(c->issuer->db, handle.data, browser, a, c->now_s);
	if (!err)
		err = strlist_split(&scopes, a->scope, " ", ENDPOINT_SCOPES_MAX);
	buf_printf(&action, "%s/oauth/authorize", c->issuer_url);
	if (!err)
		err = buf_status(&action);
	if (err) {
		http_response_reset(c->res);
		page_failure(c, err);
	} else {
		page_consent(c->res,
		    &(struct page_consent){ .action = action.data,
			.handle = handle.data,
			.client_id = client->id,
			.client_name = client->name,
			.redirect_uri = a->redirect_uri,
			.resource = c->issuer->resource,
			.person = ISSUER_SUBJECT,
			.scopes = &scopes });
	}
	strlist_clear(&scopes);
	buf_clear_secret(&handle);
	buf_clear(&action);
}

void
endpoint_authorize(struct call *c)
{
	struct authorization a = { 0 };
	struct client client = { 0 };
	struct form f;
	enum mcp_err err =
	    form_parse(c->req->query ? c->req->query : "", c->req->query ? strlen(c->req->query) : 0, NULL, &f);

	if (err == MCP_ENOMEM) {
		page_failure(c, err);
		return;
	}
	if (err) {
		page_error(
		    c->res, 400, err == MCP_EINVAL ? "A parameter is there twice." : "The parameters cannot be read.");
		return;
	}
	if (check_client(c, &f, &client, &a) && check_request(c, &f, &client, &a)) {
		if (c->issuer->auto_consent)
			give_code(c, &a);
		else
			ask_person(c, &client, &a);
	}
	form_clear(&f);
	client_clear(&client);
	authorization_clear(&a);
}

/* Whether a form was sent from one of our own pages: a browser that tells the origin at all must name ours. */
static bool
origin_is_ours(const struct call *c)
{
	const char *origin = c->req->field[HTTP_ORIGIN];

	return !origin || strcmp(origin, c->issuer->url) == 0;
}

/* The boxes that were left ticked, among those that were asked for. */
static enum mcp_err
narrow_scope(struct authorization *a, const struct form *f)
{
	struct strlist asked = { 0 }, kept = { 0 };
	enum mcp_err err = strlist_split(&asked, a->scope, " ", ENDPOINT_SCOPES_MAX);
	struct buf text;

	buf_init(&text, 8192);
	for (size_t i = 0; i < f->n && !err; i++)
		if (strcmp(f->v[i].name, "scope") == 0 && strlist_has(&asked, f->v[i].value))
			err = strlist_add_unique(&kept, f->v[i].value, strlen(f->v[i].value));
	strlist_join(&kept, " ", &text);
	if (!err)
		err = buf_status(&text);
	if (!err) {
		free(a->scope);
		err = dup_into(&a->scope, text.data);
	}
	strlist_clear(&asked);
	strlist_clear(&kept);
	buf_clear(&text);
	return err;
}

static void
decide(struct call *c, const struct form *f, struct authorization *a)
{
	const char *decision = form_get(f, "decision");
	enum mcp_err err;

	if (!decision || strcmp(decision, "allow") != 0) {
		redirect(c, a, "error", "access_denied", "the person said no");
		return;
	}
	err = narrow_scope(a, f);
	if (err)
		page_failure(c, err);
	else
		give_code(c, a);
}

void
endpoint_consent(struct call *c)
{
	char browser[SECRET_LEN + 1];
	struct authorization a;
	const char *handle;
	enum mcp_err err;
	struct form f;

	if (!origin_is_ours(c)) {
		page_error(c->res, 403, "This form was not sent from the issuer's own page.");
		return;
	}
	if (!endpoint_form(c, "scope", &f))
		return;
	handle = form_get(&f, "request");
	err = handle && read_cookie(c, browser) ? grants_request_take(c->issuer->db, handle, browser, c->now_s, &a)
						: MCP_ENOENT;
	if (err == MCP_ENOENT) {
		page_error(c->res, 403,
		    "This page has expired, was used before, or belongs to another browser."
		    " Begin again in the client.");
	} else if (err) {
		page_failure(c, err);
	} else {
		decide(c, &f, &a);
		authorization_clear(&a);
	}
	form_clear(&f);
}
