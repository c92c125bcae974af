/* SPDX-License-Identifier: MIT */
/*
 * The issuer when memory is short: each allocation of our own code and of json-c in turn fails (wrapped by the linker).
 * Whatever fails, there is the usual answer or a whole 503, and nothing leaks (the sanitizers and valgrind look).
 */
#include <stdlib.h>
#include <string.h>

#include "base/json.h"
#include "issuer-call.h"
#include "issuer/keys.h"
#include "tests/tap.h"
#include "tests/unit/nomem.h"

/* Which allocation of the issuer fails, -1 for none: nomem_left inside of it only. */
static long fail_at = -1;

void __real_issuer_handle(struct issuer *is, struct http_request *req, struct http_body_source *body,
    struct http_response *res, int64_t now_s);
void __wrap_issuer_handle(struct issuer *is, struct http_request *req, struct http_body_source *body,
    struct http_response *res, int64_t now_s);
void
__wrap_issuer_handle(struct issuer *is, struct http_request *req, struct http_body_source *body,
    struct http_response *res, int64_t now_s)
{
	nomem_left = fail_at;
	__real_issuer_handle(is, req, body, res, now_s);
	nomem_left = -1;
}

static char *client, *server, *secret;

static struct reply
metadata(struct fixture *f)
{
	return issuer_get(f, "/.well-known/oauth-authorization-server", NULL);
}

static struct reply
keys(struct fixture *f)
{
	return issuer_get(f, "/keys", NULL);
}

static struct reply
registration(struct fixture *f)
{
	return issuer_call(f, "POST", "/oauth/register", NULL, "application/json",
	    "{\"client_name\":\"n\",\"redirect_uris\":[\"" ISSUER_REDIRECT "\"],\"scope\":\"usr:read\"}");
}

static struct reply
consent_page(struct fixture *f)
{
	char *query = text_of(
	    "client_id=%s&response_type=code&state=s&code_challenge=%s&code_challenge_method=S256&scope=usr:read",
	    client, ISSUER_CHALLENGE);
	struct reply r = issuer_get(f, "/oauth/authorize", query);

	free(query);
	return r;
}

static struct reply
decision(struct fixture *f)
{
	long kept = fail_at;
	char *form, *cookie, *set;
	struct reply r;

	fail_at = -1;
	r = consent_page(f);
	fail_at = kept;
	set = reply_header(&r, "Set-Cookie");
	cookie = text_of("HTTP_COOKIE=%.*s", (int)strcspn(set, ";"), set);
	form = text_of("request=%.43s&decision=allow&scope=usr:read", strstr(r.body, "value=\"") + 7);
	reply_clear(&r);
	f->variables[0] = cookie;
	r = issuer_post(f, "/oauth/authorize", form);
	f->variables[0] = NULL;
	free(set);
	free(cookie);
	free(form);
	return r;
}

/* A code, got without failures through the page. */
static char *
fresh_code(struct fixture *f)
{
	long kept = fail_at;
	char *location, *code;
	struct reply r;

	fail_at = -1;
	r = decision(f);
	fail_at = kept;
	location = reply_header(&r, "Location");
	code = url_parameter(location, "code");
	free(location);
	reply_clear(&r);
	return code;
}

static struct reply
exchange(struct fixture *f)
{
	char *code = fresh_code(f);
	char *form =
	    text_of("grant_type=authorization_code&client_id=%s&code=%s&code_verifier=" ISSUER_VERIFIER, client, code);
	struct reply r = issuer_post(f, "/oauth/token", form);

	free(code);
	free(form);
	return r;
}

static struct reply
with_token_of(struct fixture *f, const char *member, const char *path, const char *fmt)
{
	long kept = fail_at;
	char *token, *form;
	struct reply r;

	fail_at = -1;
	r = exchange(f);
	fail_at = kept;
	token = reply_member(&r, member);
	reply_clear(&r);
	form = text_of("%s%s", fmt, token);
	r = issuer_post(f, path, form);
	free(token);
	free(form);
	return r;
}

static struct reply
refresh(struct fixture *f)
{
	char *prefix = text_of("grant_type=refresh_token&client_id=%s&refresh_token=", client);
	struct reply r = with_token_of(f, "refresh_token", "/oauth/token", prefix);

	free(prefix);
	return r;
}

static struct reply
introspection(struct fixture *f)
{
	char *prefix = text_of("client_id=%s&client_secret=%s&token=", server, secret);
	struct reply r = with_token_of(f, "access_token", "/oauth/introspect", prefix);

	free(prefix);
	return r;
}

static struct reply
revocation(struct fixture *f)
{
	char *prefix = text_of("client_id=%s&token=", client);
	struct reply r = with_token_of(f, "access_token", "/oauth/revoke", prefix);

	free(prefix);
	return r;
}

static struct reply
machine(struct fixture *f)
{
	char *form = text_of("grant_type=client_credentials&client_id=%s&client_secret=%s", server, secret);
	struct reply r = issuer_post(f, "/oauth/token", form);

	free(form);
	return r;
}

static const struct {
	const char *what;
	struct reply (*ask)(struct fixture *f);
	int status;
} scenarios[] = {
	{ "metadata", metadata, 200 },
	{ "keys", keys, 200 },
	{ "registration", registration, 201 },
	{ "the consent page", consent_page, 200 },
	{ "the decision", decision, 303 },
	{ "a code's exchange", exchange, 200 },
	{ "a refresh", refresh, 200 },
	{ "a machine's token", machine, 200 },
	{ "introspection", introspection, 200 },
	{ "revocation", revocation, 200 },
};

static void
try_scenario(struct fixture *f, const char *what, struct reply (*ask)(struct fixture *f), int status)
{
	unsigned long before;
	bool good = true;
	struct reply r;
	long n = -1;

	do {
		before = nomem_failed;
		fail_at = ++n;
		r = ask(f);
		fail_at = -1;
		if (r.status != status && (r.status != 503 || !*r.body)) {
			diag("allocation %ld: %d %s", n, r.status, r.body);
			good = false;
		}
		if (nomem_failed == before && !is_int(r.status, status, "%s: the usual answer without a failure", what))
			diag("%s", r.body);
		reply_clear(&r);
	} while (nomem_failed != before && n < 10000);
	ok(good && n > 0, "%s: %ld allocations fail, each leaves the usual answer or a 503", what, n);
}

int
main(void)
{
	struct signing_key key;
	struct database *d;
	struct fixture f;
	const char *why;

	fixture_open(&f, false);
	nomem_hush_log();
	/* Elliptic curves sign fast, which is felt under valgrind. */
	is_int(database_open(f.dir, &d, &why), MCP_OK, "the database opens");
	is_int(keys_rotate(d, "ES256", true, f.now_s, &key), MCP_OK, "the key is an elliptic one");
	signing_key_clear(&key);
	database_close(d);
	client = register_client(&f,
	    "{\"redirect_uris\":[\"" ISSUER_REDIRECT "\"],\"token_endpoint_auth_method\":\"none\","
	    "\"grant_types\":[\"authorization_code\",\"refresh_token\"]}",
	    NULL);
	server = register_client(&f,
	    "{\"grant_types\":[\"client_credentials\"],\"token_endpoint_auth_method\":\"client_secret_post\"}",
	    &secret);
	for (size_t i = 0; i < sizeof scenarios / sizeof scenarios[0]; i++)
		try_scenario(&f, scenarios[i].what, scenarios[i].ask, scenarios[i].status);
	free(client);
	free(server);
	free(secret);
	fixture_close(&f);
	return tap_done();
}
