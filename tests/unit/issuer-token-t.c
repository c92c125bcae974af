/* SPDX-License-Identifier: MIT */
#include <stdlib.h>
#include <string.h>

#include "base/buf.h"
#include "base/text.h"
#include "issuer-call.h"
#include "tests/tap.h"

#define PATH "/resources/res_dev/oauth/token"
#define PUBLIC_CLIENT                                                                                                  \
	"{\"redirect_uris\":[\"" ISSUER_REDIRECT                                                                       \
	"\"],\"token_endpoint_auth_method\":\"none\",\"grant_types\":[\"authorization_code\",\"refresh_token\"]}"

static char *client; /* public, may refresh */

static struct reply
exchange(struct fixture *f, const char *code, const char *more)
{
	char *form = text_of("grant_type=authorization_code&client_id=%s&code=%s%s", client, code, more);
	struct reply r = issuer_post(f, PATH, form);

	free(form);
	return r;
}

static struct reply
refresh(struct fixture *f, const char *client_id, const char *token, const char *more)
{
	char *form = text_of("grant_type=refresh_token&client_id=%s&refresh_token=%s%s", client_id, token, more);
	struct reply r = issuer_post(f, PATH, form);

	free(form);
	return r;
}

/* Claims of a compact token, as text. */
static char *
claims_of(const char *token)
{
	const char *begin = token ? strchr(token, '.') : NULL;
	struct buf b;
	char *out;

	buf_init(&b, 65536);
	if (!begin || text_base64url_decode(begin + 1, strcspn(begin + 1, "."), &b))
		return text_of("no token");
	out = text_of("%s", b.data);
	buf_clear(&b);
	return out;
}

static void
has(const char *text, const char *part, const char *claim)
{
	if (!ok(strstr(text, part) != NULL, "%s", claim))
		diag("%s", text);
}

static void
test_code(struct fixture *f)
{
	char *code = get_code(f, client, "&scope=usr:read"), *text, *claims;
	struct reply r = exchange(
	    f, code, "&code_verifier=" ISSUER_VERIFIER "&redirect_uri=" ISSUER_REDIRECT "&resource=" ISSUER_RESOURCE);

	is_int(r.status, 200, "a code is exchanged");
	has(r.headers, "Cache-Control: no-store", "the answer must not be stored");
	has(r.body, "\"token_type\":\"Bearer\"", "it is a bearer token");
	has(r.body, "\"expires_in\":3600", "for an hour");
	has(r.body, "\"scope\":\"usr:read\"", "with the scope that was granted");
	text = reply_member(&r, "access_token");
	claims = claims_of(text);
	has(claims, "\"iss\":\"" ISSUER_URL "/resources/res_dev\"", "iss is the issuer of the endpoint");
	has(claims, "\"aud\":[\"" ISSUER_RESOURCE "\",\"res_dev\"]", "aud is resource and resource id");
	has(claims, "\"sub\":\"usr_dev\"", "sub is the person");
	has(claims, "\"oid\":\"org_dev\"", "oid the organisation");
	has(claims, "\"scope\":\"usr:read\"", "scope a text");
	has(claims, "\"exp\":1750003600", "exp an hour ahead");
	has(claims, "\"nbf\":1750000000", "nbf now");
	has(claims, "\"jti\":\"tkn_", "jti is there");
	has(claims, client, "client_id is the client");
	free(claims);
	free(text);
	reply_clear(&r);
	is_error(exchange(f, code, "&code_verifier=" ISSUER_VERIFIER), 400, "invalid_grant", "a code works once");
	free(code);
}

static void
test_code_refused(struct fixture *f)
{
	char *code = get_code(f, client, ""), *other = register_client(f, PUBLIC_CLIENT, NULL), *form;

	is_error(exchange(f, "nonsense", "&code_verifier=" ISSUER_VERIFIER), 400, "invalid_grant", "an unknown code");
	is_error(exchange(f, code, ""), 400, "invalid_request", "a missing verifier");
	is_error(exchange(f, code, "&resource=https://other.example/&code_verifier=" ISSUER_VERIFIER), 400,
	    "invalid_target", "another resource");
	is_error(exchange(f, code, "&code_verifier=" ISSUER_VERIFIER "x"), 400, "invalid_grant", "a wrong verifier");
	is_error(
	    exchange(f, code, "&code_verifier=" ISSUER_VERIFIER), 400, "invalid_grant", "which has used the code up");
	free(code);
	code = get_code(f, client, "");
	is_error(exchange(f, code, "&code_verifier=" ISSUER_CHALLENGE), 400, "invalid_grant",
	    "the challenge itself as verifier");
	free(code);
	code = get_code(f, client, "");
	is_error(exchange(f, code, "&code_verifier=short"), 400, "invalid_grant", "a short verifier");
	free(code);
	code = get_code(f, client, "");
	is_error(exchange(f, code, "&redirect_uri=http://127.0.0.1:5001/callback&code_verifier=" ISSUER_VERIFIER), 400,
	    "invalid_grant", "another redirect URI, be it only the port");
	free(code);
	code = get_code(f, client, "");
	form =
	    text_of("grant_type=authorization_code&client_id=%s&code=%s&code_verifier=" ISSUER_VERIFIER, other, code);
	is_error(issuer_post(f, PATH, form), 400, "invalid_grant", "another client");
	free(form);
	free(code);
	code = get_code(f, client, "");
	f->now_s += 61;
	is_error(exchange(f, code, "&code_verifier=" ISSUER_VERIFIER), 400, "invalid_grant", "a code after a minute");
	free(code);
	free(other);
}

static bool
is_active(struct fixture *f, const char *token, const char *id, const char *secret)
{
	char *form = text_of("token=%s&client_id=%s&client_secret=%s", token ? token : "none", id, secret);
	struct reply r = issuer_post(f, "/oauth/introspect", form);
	bool active = r.status == 200 && strstr(r.body, "\"active\":true");

	if (r.status != 200)
		diag("%d %s", r.status, r.body);
	free(form);
	reply_clear(&r);
	return active;
}

static void
test_refresh(struct fixture *f)
{
	char *secret,
	    *server = register_client(f,
		"{\"grant_types\":[\"client_credentials\"],\"token_endpoint_auth_method\":\"client_secret_post\"}",
		&secret);
	char *other = register_client(f, PUBLIC_CLIENT, NULL), *code = get_code(f, client, ""), *first, *second,
	     *access, *text;
	struct reply r = exchange(f, code, "&code_verifier=" ISSUER_VERIFIER);

	first = reply_member(&r, "refresh_token");
	ok(first && strlen(first) == 43, "a client that may refresh gets a refresh token");
	reply_clear(&r);
	is_error(refresh(f, other, first, ""), 400, "invalid_grant", "another client's refresh token");
	is_error(
	    refresh(f, client, first, "&scope=usr:read+root"), 400, "invalid_scope", "a scope that was not granted");
	is_error(refresh(f, client, "nonsense", ""), 400, "invalid_grant", "an unknown refresh token");
	r = refresh(f, client, first, "&scope=usr:read");
	is_int(r.status, 200, "after all that it still works");
	second = reply_member(&r, "refresh_token");
	access = reply_member(&r, "access_token");
	ok(second && strcmp(first, second) != 0, "and is replaced by another");
	text = reply_member(&r, "scope");
	is_str(text, "usr:read", "the access token has the fewer scopes");
	free(text);
	reply_clear(&r);
	ok(is_active(f, access, server, secret), "it is active");
	ok(!is_active(f, second, server, secret), "a refresh token is no access token");
	is_error(refresh(f, client, first, ""), 400, "invalid_grant", "the old refresh token a second time");
	ok(!is_active(f, access, server, secret), "which ends the access token");
	is_error(refresh(f, client, second, ""), 400, "invalid_grant", "and the new refresh token");
	free(first);
	free(second);
	free(access);
	free(code);

	code = get_code(f, client, "");
	r = exchange(f, code, "&code_verifier=" ISSUER_VERIFIER);
	first = reply_member(&r, "refresh_token");
	access = reply_member(&r, "access_token");
	reply_clear(&r);
	is_error(exchange(f, code, "&code_verifier=" ISSUER_VERIFIER), 400, "invalid_grant", "a code a second time");
	ok(!is_active(f, access, server, secret), "ends the access token it gave");
	is_error(refresh(f, client, first, ""), 400, "invalid_grant", "and the refresh token");
	free(first);
	free(access);
	free(code);

	code = get_code(f, client, "");
	r = exchange(f, code, "&code_verifier=" ISSUER_VERIFIER);
	first = reply_member(&r, "refresh_token");
	reply_clear(&r);
	f->now_s += 86401;
	is_error(refresh(f, client, first, ""), 400, "invalid_grant", "a refresh token after a day");
	free(first);
	free(code);
	free(server);
	free(secret);
	free(other);
}

static char *
basic(const char *id, const char *secret)
{
	char *plain = text_of("%s:%s", id, secret), *out;
	struct buf b;

	buf_init(&b, 4096);
	text_base64_encode(plain, strlen(plain), &b);
	out = text_of("HTTP_AUTHORIZATION=Basic %s", b.data);
	buf_clear(&b);
	free(plain);
	return out;
}

static void
test_machine(struct fixture *f)
{
	char *secret,
	    *id = register_client(f, "{\"grant_types\":[\"client_credentials\"],\"scope\":\"usr:read\"}", &secret),
	    *header = basic(id, secret), *text, *claims, *form;
	struct reply r;

	f->variables[0] = header;
	r = issuer_post(f, "/oauth/token", "grant_type=client_credentials");
	is_int(r.status, 200, "a machine gets a token by its secret");
	text = reply_member(&r, "access_token");
	claims = claims_of(text);
	has(claims, "\"scopes\":[\"usr:read\"]", "with the scopes it registered, in a list");
	ok(!strstr(claims, "\"scope\":"), "and no scope text");
	has(claims, "\"iss\":\"" ISSUER_URL "\"", "iss is the environment at the environment's endpoint");
	free(text);
	text = text_of("\"sub\":\"%s\"", id);
	has(claims, text, "sub is the client");
	ok(!strstr(r.body, "refresh_token"), "there is no refresh token");
	free(text);
	free(claims);
	reply_clear(&r);
	is_error(issuer_post(f, "/oauth/token", "grant_type=client_credentials&scope=root"), 400, "invalid_scope",
	    "a scope that is not there");
	is_error(issuer_post(f, "/oauth/token", "grant_type=client_credentials&resource=https://other.example/"), 400,
	    "invalid_target", "another resource");
	is_error(issuer_post(f, "/oauth/token", "grant_type=authorization_code&code=x&code_verifier=y"), 400,
	    "unauthorized_client", "a grant type it did not register");
	is_error(issuer_post(f, "/oauth/token", "grant_type=password&username=a&password=b"), 400,
	    "unsupported_grant_type", "a grant type that is not there");
	is_error(issuer_post(f, "/oauth/token", "scope=usr:read"), 400, "invalid_request", "no grant type");
	is_error(issuer_post(f, "/oauth/token", "grant_type=client_credentials&client_secret=x"), 400,
	    "invalid_request", "two ways of authentication");
	is_error(issuer_post(f, "/oauth/token", "grant_type=client_credentials&client_id=another"), 401,
	    "invalid_client", "another client_id beside the credentials");
	is_error(issuer_post(f, "/oauth/token", "grant_type=client_credentials&grant_type=client_credentials"), 400,
	    "invalid_request", "a parameter twice");
	is_error(issuer_call(f, "POST", "/oauth/token", NULL, "application/json", "{}"), 400, "invalid_request",
	    "a body that is no form");
	free(header);
	header = basic(id, "wrong");
	f->variables[0] = header;
	r = issuer_post(f, "/oauth/token", "grant_type=client_credentials");
	has(r.headers, "WWW-Authenticate: Basic", "a wrong secret is answered with a challenge");
	is_error(r, 401, "invalid_client", "and 401");
	f->variables[0] = "HTTP_AUTHORIZATION=Basic !!!";
	is_error(issuer_post(f, "/oauth/token", "grant_type=client_credentials"), 401, "invalid_client",
	    "credentials that are no base64");
	f->variables[0] = "HTTP_AUTHORIZATION=Bearer x";
	is_error(
	    issuer_post(f, "/oauth/token", "grant_type=client_credentials"), 401, "invalid_client", "another scheme");
	f->variables[0] = NULL;
	form = text_of("grant_type=client_credentials&client_id=%s&client_secret=%s", id, secret);
	is_error(issuer_post(f, "/oauth/token", form), 401, "invalid_client",
	    "a secret in the form although Basic was registered");
	free(form);
	form = text_of("grant_type=client_credentials&client_id=%s", id);
	is_error(issuer_post(f, "/oauth/token", form), 401, "invalid_client", "no secret");
	free(form);
	is_error(issuer_post(f, "/oauth/token", "grant_type=client_credentials"), 401, "invalid_client", "no client");
	form = text_of("grant_type=client_credentials&client_id=%s", client);
	is_error(issuer_post(f, "/oauth/token", form), 400, "unauthorized_client", "a public client as machine");
	free(form);
	free(header);
	free(id);
	free(secret);
}

static void
test_after(struct fixture *f)
{
	char *secret,
	    *server = register_client(f,
		"{\"grant_types\":[\"client_credentials\"],\"token_endpoint_auth_method\":\"client_secret_post\"}",
		&secret);
	char *other = register_client(f, PUBLIC_CLIENT, NULL), *code = get_code(f, client, "&scope=usr:read"), *access,
	     *token, *form;
	struct reply r = exchange(f, code, "&code_verifier=" ISSUER_VERIFIER);

	access = reply_member(&r, "access_token");
	token = reply_member(&r, "refresh_token");
	reply_clear(&r);
	form = text_of("token=%s&client_id=%s&client_secret=%s", access, server, secret);
	r = issuer_post(f, "/oauth/introspect", form);
	has(r.body, "\"active\":true", "introspection tells that a token is active");
	has(r.body, "\"scope\":\"usr:read\"", "its scope");
	has(r.body, "\"sub\":\"usr_dev\"", "its subject");
	has(r.body, "\"token_type\":\"Bearer\"", "and its type");
	has(r.headers, "Cache-Control: no-store", "for this moment only");
	reply_clear(&r);
	free(form);
	form = text_of("token=%s&client_id=%s", access, client);
	is_error(
	    issuer_post(f, "/oauth/introspect", form), 401, "invalid_client", "a public client may not introspect");
	free(form);
	form = text_of("token=%s&client_id=%s", access, other);
	is_error(issuer_post(f, "/oauth/revoke", form), 400, "invalid_grant", "another client cannot revoke");
	free(form);
	ok(is_active(f, access, server, secret), "the token lives on");
	form = text_of("token=%s&token_type_hint=access_token&client_id=%s", access, client);
	r = issuer_post(f, "/oauth/revoke", form);
	is_int(r.status, 200, "its own client can");
	is_str(r.body, "", "the answer is empty");
	reply_clear(&r);
	free(form);
	ok(!is_active(f, access, server, secret), "the token is inactive then");
	free(access);
	r = refresh(f, client, token, "");
	is_int(r.status, 200, "the grant goes on");
	free(token);
	token = reply_member(&r, "refresh_token");
	access = reply_member(&r, "access_token");
	reply_clear(&r);
	form = text_of("token=%s&client_id=%s", token, client);
	r = issuer_post(f, "/oauth/revoke", form);
	is_int(r.status, 200, "a refresh token is revoked");
	reply_clear(&r);
	free(form);
	ok(!is_active(f, access, server, secret), "and with it the access token");
	is_error(refresh(f, client, token, ""), 400, "invalid_grant", "and the refresh token itself");
	form = text_of("token=nonsense&client_id=%s", client);
	r = issuer_post(f, "/oauth/revoke", form);
	is_int(r.status, 200, "a token that is not there counts as revoked");
	reply_clear(&r);
	free(form);
	form = text_of("client_id=%s", client);
	is_error(issuer_post(f, "/oauth/revoke", form), 400, "invalid_request", "no token");
	free(form);
	free(access);
	free(token);
	free(code);
	code = get_code(f, client, "");
	r = exchange(f, code, "&code_verifier=" ISSUER_VERIFIER);
	access = reply_member(&r, "access_token");
	reply_clear(&r);
	f->now_s += 3600;
	ok(!is_active(f, access, server, secret), "a token is inactive at its end");
	free(access);
	free(code);
	free(server);
	free(secret);
	free(other);
}

static void
test_no_refresh(struct fixture *f)
{
	char *plain = register_client(
		 f, "{\"redirect_uris\":[\"" ISSUER_REDIRECT "\"],\"token_endpoint_auth_method\":\"none\"}", NULL),
	     *code = get_code(f, plain, ""), *form;
	struct reply r;

	form =
	    text_of("grant_type=authorization_code&client_id=%s&code=%s&code_verifier=" ISSUER_VERIFIER, plain, code);
	r = issuer_post(f, PATH, form);
	ok(r.status == 200 && !strstr(r.body, "refresh_token"),
	    "a client that did not register refreshing gets no refresh token");
	has(r.body, "\"scope\":\"usr:read admin\"", "without a scope parameter all scopes are granted");
	reply_clear(&r);
	free(form);
	free(code);
	free(plain);
}

int
main(void)
{
	struct fixture f;

	fixture_open(&f, true);
	client = register_client(&f, PUBLIC_CLIENT, NULL);
	test_code(&f);
	test_code_refused(&f);
	test_refresh(&f);
	test_machine(&f);
	test_after(&f);
	test_no_refresh(&f);
	free(client);
	fixture_close(&f);
	return tap_done();
}
