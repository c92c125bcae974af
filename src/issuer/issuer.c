/* SPDX-License-Identifier: MIT */
/*
 * Answers for the development issuer as a whole: its options, its routes, and who may talk to it. A request passes
 * these steps; the first that answers ends it:
 *  1. readable at all (400), from this computer and for a name of it (403);
 *  2. path (404), preflight, method (405);
 *  3. the endpoint.
 */
#include "issuer/issuer.h"

#include <stdlib.h>
#include <string.h>

#include "base/log.h"
#include "base/text.h"
#include "http/address.h"
#include "issuer/endpoint.h"
#include "issuer/keys.h"

#define TTL_MAX_S 86400

/* A path is "before", then the resource id, then "after"; without "after" it is "before" alone. */
static const struct route {
	const char *before, *after;
	bool resource; /* the issuer is url/resources/RES, else url */
	bool browser;  /* programs in web pages of any origin may use it */
	void (*get)(struct call *c);
	void (*post)(struct call *c);
} routes[] = {
	{ "/.well-known/oauth-authorization-server", NULL, false, true, endpoint_metadata, NULL },
	{ "/.well-known/oauth-authorization-server/resources/", "", true, true, endpoint_metadata, NULL },
	{ "/resources/", "/.well-known/oauth-authorization-server", true, true, endpoint_metadata, NULL },
	{ "/.well-known/openid-configuration", NULL, false, true, endpoint_openid, NULL },
	{ "/keys", NULL, false, true, endpoint_keys, NULL },
	{ "/api/v1/resources/", "/clients:register", true, true, NULL, endpoint_register },
	{ "/oauth/register", NULL, false, true, NULL, endpoint_register },
	{ "/oauth/authorize", NULL, false, false, endpoint_authorize, endpoint_consent },
	{ "/resources/", "/oauth/authorize", true, false, endpoint_authorize, endpoint_consent },
	{ "/oauth/token", NULL, false, true, NULL, endpoint_token },
	{ "/resources/", "/oauth/token", true, true, NULL, endpoint_token },
	{ "/oauth/introspect", NULL, false, false, NULL, endpoint_introspect },
	{ "/oauth/revoke", NULL, false, true, NULL, endpoint_revoke },
};
#define ROUTES (sizeof routes / sizeof routes[0])

/* The host of an http(s) URL without path is loopback: a number of 127.0.0.0/8 or ::1, or the name localhost. */
static const char *
url_fault(const char *url)
{
	struct address address;
	const char *host;
	size_t len;

	if (strncmp(url, "http://", 7) == 0)
		host = url + 7;
	else if (strncmp(url, "https://", 8) == 0)
		host = url + 8;
	else
		return "the issuer's URL must begin with http:// or https://";
	for (const char *s = host; *s; s++)
		if (!((*s >= 'a' && *s <= 'z') || (*s >= '0' && *s <= '9') || strchr(".:[]", *s)))
			return "the issuer's URL must be scheme, host and port in lower case, with no path";
	len = strcspn(host, ":");
	if (len == 9 && memcmp(host, "localhost", 9) == 0)
		return NULL;
	if (address_parse(host, strlen(host), &address) || !address_is_loopback(&address))
		return "the issuer serves loopback only: its URL must be on 127.0.0.1, [::1] or localhost";
	return NULL;
}

/* scope-token of RFC 6749 section 3.3, blanks between. */
static bool
is_scopes(const char *text)
{
	for (; *text; text++)
		if (*text < 0x20 || *text >= 0x7f || *text == '"' || *text == '\\')
			return false;
	return true;
}

static bool
is_identifier(const char *text)
{
	if (!*text || strlen(text) > 64)
		return false;
	for (; *text; text++)
		if (!((*text >= 'a' && *text <= 'z') || (*text >= 'A' && *text <= 'Z') || (*text >= '0' && *text <= '9')
			|| *text == '_' || *text == '-'))
			return false;
	return true;
}

const char *
issuer_options_fault(const struct issuer_options *o)
{
	const char *fault = url_fault(o->url);

	if (fault)
		return fault;
	if ((strncmp(o->resource, "http://", 7) != 0 && strncmp(o->resource, "https://", 8) != 0)
	    || strchr(o->resource, '#') || !is_scopes(o->resource) || strchr(o->resource, ' '))
		return "the resource must be an http or https URL without fragment";
	if (!is_identifier(o->resource_id))
		return "the resource id may have letters, digits, _ and - only, at most 64";
	if (!is_scopes(o->scopes) || strlen(o->scopes) > 4096)
		return "a scope has a byte that scopes cannot have, or there are too many";
	if (o->token_ttl_s < 1 || o->token_ttl_s > TTL_MAX_S)
		return "the lifetime of tokens must be 1 to 86400 seconds";
	return NULL;
}

static enum mcp_err
format_into(char **to, const char *a, const char *b, const char *c)
{
	struct buf text;

	buf_init(&text, 8192);
	buf_puts(&text, a);
	buf_puts(&text, b);
	buf_puts(&text, c);
	*to = buf_steal(&text, NULL);
	return *to ? MCP_OK : MCP_ENOMEM;
}

static enum mcp_err
build_paths(struct issuer *is)
{
	enum mcp_err err = MCP_OK;
	char *path;

	for (size_t i = 0; i < ROUTES && !err; i++) {
		const struct route *r = &routes[i];

		err = format_into(&path, r->before, r->after ? is->resource_id : "", r->after ? r->after : "");
		if (!err)
			err = strlist_add(&is->paths, path, strlen(path));
		free(path);
	}
	return err;
}

static enum mcp_err
build_scopes(struct issuer *is, const char *scopes)
{
	struct buf text;
	enum mcp_err err = strlist_split(&is->scopes, scopes, " ", ENDPOINT_SCOPES_MAX - 1);

	if (err)
		return err;
	buf_init(&text, 8192);
	strlist_join(&is->scopes, " ", &text);
	err = buf_status(&text);
	if (!err) {
		is->scopes_text = text_dup(text.data, text.len);
		err = is->scopes_text ? strlist_add_unique(&is->scopes, "offline_access", strlen("offline_access"))
				      : MCP_ENOMEM;
	}
	buf_clear(&text);
	return err;
}

static enum mcp_err
copy_options(struct issuer *is, const struct issuer_options *o)
{
	static const struct strlist none;
	enum mcp_err err = format_into(&is->url, o->url, "", "");

	is->auto_consent = o->auto_consent;
	is->token_ttl_s = o->token_ttl_s;
	if (!err)
		err = format_into(&is->resource, o->resource, "", "");
	if (!err)
		err = format_into(&is->resource_id, o->resource_id, "", "");
	if (!err)
		err = format_into(&is->resource_issuer, o->url, "/resources/", o->resource_id);
	if (!err)
		err = build_scopes(is, o->scopes);
	if (!err)
		err = build_paths(is);
	if (!err)
		err = admission_init(&is->admission, o->url, &none, &none);
	return err;
}

/* Leave what the command needs to mint tokens for this issuer, and see that there is a key. */
static enum mcp_err
prepare_database(struct issuer *is, int64_t now_s)
{
	struct signing_key key;
	enum mcp_err err = keys_current(is->db, now_s, &key);

	signing_key_clear(&key);
	if (!err)
		err = database_setting_set(is->db, ISSUER_SETTING_URL, is->url);
	if (!err)
		err = database_setting_set(is->db, ISSUER_SETTING_RESOURCE, is->resource);
	if (!err)
		err = database_setting_set(is->db, ISSUER_SETTING_RESOURCE_ID, is->resource_id);
	if (!err)
		err = database_setting_set(is->db, ISSUER_SETTING_SCOPES, is->scopes_text);
	return err;
}

enum mcp_err
issuer_new(const struct issuer_options *o, int64_t now_s, struct issuer **out, const char **why)
{
	struct issuer *is;
	enum mcp_err err;

	*out = NULL;
	*why = issuer_options_fault(o);
	if (*why)
		return MCP_EINVAL;
	*why = "memory is short";
	is = calloc(1, sizeof *is);
	if (!is)
		return MCP_ENOMEM;
	err = copy_options(is, o);
	if (!err)
		err = database_open(o->state_dir, &is->db, why);
	if (!err) {
		*why = "the signing key could not be made or kept";
		err = prepare_database(is, now_s);
	}
	if (err) {
		issuer_free(is);
		return err;
	}
	*out = is;
	*why = NULL;
	return MCP_OK;
}

void
issuer_free(struct issuer *is)
{
	if (!is)
		return;
	database_close(is->db);
	admission_clear(&is->admission);
	free(is->url);
	free(is->resource);
	free(is->resource_id);
	free(is->resource_issuer);
	strlist_clear(&is->scopes);
	free(is->scopes_text);
	strlist_clear(&is->paths);
	free(is);
}

/* Step 1. */
static bool
admitted(struct call *c)
{
	const char *peer = c->req->remote_addr;
	struct address address;

	if (c->req->fault != HTTP_FAULT_NONE) {
		endpoint_error(c, 400, "invalid_request", "the request cannot be read");
		return false;
	}
	if (!peer || address_parse(peer, strlen(peer), &address) || !address_is_loopback(&address)) {
		endpoint_error(c, 403, "access_denied", "the development issuer serves this computer only");
		return false;
	}
	if (!admission_host_allowed(&c->issuer->admission, c->req)) {
		endpoint_error(c, 403, "access_denied", "the Host is no name of this computer");
		return false;
	}
	return true;
}

/* Steps 2 and 3. */
static void
answer_route(struct call *c, const struct route *r)
{
	const char *method = c->req->method;
	bool head = strcmp(method, "HEAD") == 0;

	if (r->browser)
		admission_cors(&c->issuer->admission, c->req, true, strcmp(method, "OPTIONS") == 0, c->res);
	if (strcmp(method, "OPTIONS") == 0) {
		c->res->status = 204;
		http_response_header(
		    c->res, "Allow", r->get ? r->post ? "GET, POST, OPTIONS" : "GET, HEAD, OPTIONS" : "POST, OPTIONS");
	} else if (r->get && (strcmp(method, "GET") == 0 || (head && !r->post))) {
		r->get(c);
	} else if (r->post && strcmp(method, "POST") == 0) {
		r->post(c);
	} else {
		http_response_header(
		    c->res, "Allow", r->get ? r->post ? "GET, POST, OPTIONS" : "GET, HEAD, OPTIONS" : "POST, OPTIONS");
		endpoint_error(c, 405, "invalid_request", "this path has other methods");
	}
}

void
issuer_handle(struct issuer *is, struct http_request *req, struct http_body_source *body, struct http_response *res,
    int64_t now_s)
{
	struct call c = { .issuer = is, .req = req, .body = body, .res = res, .now_s = now_s };
	int i;

	if (admitted(&c)) {
		database_prune(is->db, now_s);
		i = http_request_path(req, (const char *const *)is->paths.v, is->paths.n, NULL);
		if (i < 0) {
			endpoint_error(&c, 404, "invalid_request", "there is nothing at this path");
		} else {
			c.issuer_url = routes[i].resource ? is->resource_issuer : is->url;
			answer_route(&c, &routes[i]);
		}
		log_info("issuer: %s %s %d", req->method, i < 0 ? "(unknown path)" : is->paths.v[i], res->status);
	}
	if (buf_status(&res->body) || buf_status(&res->headers)) {
		http_response_reset(res);
		endpoint_failure(&c, MCP_ENOMEM);
	}
	if (res->status == 204 || (req->method && strcmp(req->method, "HEAD") == 0))
		res->no_body = true;
}
