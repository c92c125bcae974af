/* SPDX-License-Identifier: MIT */
#include <stdlib.h>
#include <string.h>

#include "issuer-call.h"
#include "tests/tap.h"

#define PATH "/api/v1/resources/res_dev/clients:register"

static struct reply
post(struct fixture *f, const char *json)
{
	return issuer_call(f, "POST", PATH, NULL, "application/json", json);
}

static void
has(const struct reply *r, const char *part, const char *text)
{
	if (!ok(strstr(r->body, part) != NULL, "%s", text))
		diag("%s", r->body);
}

static void
test_good(struct fixture *f)
{
	char *id, *secret, *cache;
	struct reply r = post(f,
	    "{\"client_name\":\"Inspector\",\"redirect_uris\":[\"" ISSUER_REDIRECT
	    "\"],\"token_endpoint_auth_method\":\"none\","
	    "\"grant_types\":[\"authorization_code\",\"refresh_token\"],\"response_types\":[\"code\"],"
	    "\"scope\":\"usr:read nonsense\","
	    "\"application_type\":\"native\",\"unknown\":{\"x\":[1]}}");

	is_int(r.status, 201, "a public client is registered");
	id = reply_member(&r, "client_id");
	ok(id && strncmp(id, "m2m_", 4) == 0 && strlen(id) == 4 + 43, "its identifier is long and random");
	secret = reply_member(&r, "client_secret");
	is_str(secret, NULL, "it has no secret");
	has(&r, "\"redirect_uris\":[\"" ISSUER_REDIRECT "\"]", "the answer tells the redirect URIs");
	has(&r, "\"grant_types\":[\"authorization_code\",\"refresh_token\"]", "and the grant types");
	has(&r, "\"token_endpoint_auth_method\":\"none\"", "and the authentication method");
	has(&r, "\"scope\":\"usr:read\"", "scopes that cannot be had are left out");
	has(&r, "\"client_id_issued_at\":1750000000", "and the time of issue");
	cache = reply_header(&r, "Cache-Control");
	is_str(cache, "no-store", "the answer must not be stored");
	free(cache);
	free(id);
	free(secret);
	reply_clear(&r);

	r = post(f, "{\"redirect_uris\":[\"https://app.example.com/cb\"]}");
	is_int(r.status, 201, "redirect URIs alone are enough");
	secret = reply_member(&r, "client_secret");
	ok(secret && strlen(secret) == 43, "the default is a client with a secret");
	has(&r, "\"client_secret_expires_at\":0", "that does not expire");
	has(&r, "\"token_endpoint_auth_method\":\"client_secret_basic\"", "sent as Basic credentials");
	has(&r, "\"grant_types\":[\"authorization_code\"]", "for codes");
	free(secret);
	reply_clear(&r);

	r = post(f, "{\"grant_types\":[\"client_credentials\"],\"token_endpoint_auth_method\":\"client_secret_post\"}");
	is_int(r.status, 201, "a machine needs no redirect URI");
	has(&r, "\"response_types\":[]", "and no response type");
	reply_clear(&r);
	r = issuer_call(
	    f, "POST", "/oauth/register", NULL, "application/json; charset=utf-8", "{\"redirect_uris\":[\"a.b:/c\"]}");
	is_int(r.status, 201, "registration is at /oauth/register too");
	reply_clear(&r);
}

static const struct {
	const char *json, *error, *text;
} bad[] = {
	{ "", "invalid_client_metadata", "nothing" },
	{ "[]", "invalid_client_metadata", "an array" },
	{ "{", "invalid_client_metadata", "half an object" },
	{ "{\"redirect_uris\":[\"https://a/\"],\"redirect_uris\":[\"https://b/\"]}", "invalid_client_metadata",
	    "a member twice" },
	{ "{}", "invalid_redirect_uri", "no redirect URI" },
	{ "{\"redirect_uris\":[]}", "invalid_redirect_uri", "an empty list of them" },
	{ "{\"redirect_uris\":\"https://a/\"}", "invalid_client_metadata", "a text instead of a list" },
	{ "{\"redirect_uris\":[1]}", "invalid_client_metadata", "a number as redirect URI" },
	{ "{\"redirect_uris\":[\"https://a/\",\"http://a.example/\"]}", "invalid_redirect_uri",
	    "one bad redirect URI among good ones" },
	{ "{\"redirect_uris\":[\"javascript:alert(1)\"]}", "invalid_redirect_uri", "a script as redirect URI" },
	{ "{\"redirect_uris\":[\"https://a/#x\"]}", "invalid_redirect_uri", "a fragment" },
	{ "{\"redirect_uris\":[\"https://a/\"],\"grant_types\":[\"implicit\"]}", "invalid_client_metadata",
	    "a grant type that is not supported" },
	{ "{\"redirect_uris\":[\"https://a/\"],\"response_types\":[\"token\"]}", "invalid_client_metadata",
	    "a response type that is not supported" },
	{ "{\"redirect_uris\":[\"https://a/\"],\"token_endpoint_auth_method\":\"private_key_jwt\"}",
	    "invalid_client_metadata", "an authentication method that is not supported" },
	{ "{\"grant_types\":[\"client_credentials\"],\"token_endpoint_auth_method\":\"none\"}",
	    "invalid_client_metadata", "a machine without a secret" },
	{ "{\"redirect_uris\":[\"https://a/\"],\"client_name\":7}", "invalid_client_metadata",
	    "a name that is no text" },
	{ "{\"redirect_uris\":[\"https://a/\"],\"client_name\":null}", "invalid_client_metadata",
	    "a name that is null" },
	{ "{\"redirect_uris\":[\"https://a/\"],\"scope\":[\"usr:read\"]}", "invalid_client_metadata",
	    "scopes in a list" },
};

int
main(void)
{
	struct fixture f;
	struct reply r;
	char *big;

	fixture_open(&f, false);
	test_good(&f);
	for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++)
		is_error(post(&f, bad[i].json), 400, bad[i].error, bad[i].text);
	is_error(issuer_call(&f, "POST", PATH, NULL, "text/plain", "{\"redirect_uris\":[\"https://a/\"]}"), 400,
	    "invalid_client_metadata", "a body that does not say it is JSON");
	big = malloc(70001);
	if (big) {
		memset(big, ' ', 70000);
		big[70000] = '\0';
		is_error(post(&f, big), 413, "invalid_request", "a body that is too large");
		memset(big, 'n', 300);
		big[300] = '\0';
		r.body = text_of("{\"redirect_uris\":[\"https://a/\"],\"client_name\":\"%s\"}", big);
		is_error(post(&f, r.body), 400, "invalid_client_metadata", "a name that is too long");
		free(r.body);
	}
	free(big);
	fixture_close(&f);
	return tap_done();
}
