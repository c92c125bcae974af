/* SPDX-License-Identifier: MIT */
/* The issuer as a whole: its options, who may ask, paths, methods, metadata. */
#include "issuer/issuer.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "issuer-call.h"
#include "issuer/endpoint.h"
#include "tests/tap.h"

static void
test_options(void)
{
	static const struct {
		const char *url;
		bool good;
	} urls[] = { { "http://127.0.0.1:3003", true }, { "http://localhost:3003", true },
		{ "http://[::1]:3003", true }, { "https://127.0.0.1", true }, { "http://127.9.9.9:1", true },
		{ "http://0.0.0.0:3003", false }, { "http://192.168.1.2:3003", false }, { "http://example.com", false },
		{ "http://localhost.example.com", false }, { "http://127.0.0.1.example.com", false },
		{ "http://127.0.0.1:3003/", false }, { "http://127.0.0.1:3003/x", false },
		{ "http://localhost@example.com", false }, { "http://localhostx:1", false },
		{ "ftp://127.0.0.1", false }, { "", false } };
	struct issuer_options o = {
		.resource = "https://mcp.example.com/mcp", .resource_id = "res_1", .scopes = "a b", .token_ttl_s = 60
	};

	for (size_t i = 0; i < sizeof urls / sizeof urls[0]; i++) {
		o.url = urls[i].url;
		ok((issuer_options_fault(&o) == NULL) == urls[i].good, "%s is%s served", urls[i].url,
		    urls[i].good ? "" : " not");
	}
	o.url = ISSUER_URL;
	o.resource = "mcp";
	ok(issuer_options_fault(&o) != NULL, "a resource that is no URL");
	o.resource = "https://mcp.example.com/#x";
	ok(issuer_options_fault(&o) != NULL, "a resource with a fragment");
	o.resource = ISSUER_RESOURCE;
	o.resource_id = "../x";
	ok(issuer_options_fault(&o) != NULL, "a resource id that would be a path");
	o.resource_id = "res_1";
	o.scopes = "a\"b";
	ok(issuer_options_fault(&o) != NULL, "a scope with a quote");
	o.scopes = "a";
	o.token_ttl_s = 0;
	ok(issuer_options_fault(&o) != NULL, "a lifetime of nothing");
	o.token_ttl_s = 86401;
	ok(issuer_options_fault(&o) != NULL, "a lifetime beyond a day");
}

/* What the issuer offers can be asked for all at once, with offline_access, which it adds. */
static void
test_scopes_max(const struct fixture *f)
{
	struct issuer_options o = { .url = ISSUER_URL, .resource = ISSUER_RESOURCE, .resource_id = "res_dev",
		.state_dir = f->dir, .token_ttl_s = 60 };
	char scopes[ENDPOINT_SCOPES_MAX * 8];
	struct issuer *is;
	const char *why;
	size_t n = 0;

	for (int i = 1; i <= ENDPOINT_SCOPES_MAX; i++) {
		n += (size_t)snprintf(scopes + n, sizeof scopes - n, "%ss%d", n ? " " : "", i);
		o.scopes = scopes;
		if (i < ENDPOINT_SCOPES_MAX - 1)
			continue;
		is_int(issuer_new(&o, f->now_s, &is, &why), i < ENDPOINT_SCOPES_MAX ? MCP_OK : MCP_ELIMIT,
		    "an issuer of %d scopes %s", i, i < ENDPOINT_SCOPES_MAX ? "is made" : "is not: there is one more");
		issuer_free(is);
	}
}

static void
status_is(struct reply r, int status, const char *text)
{
	if (!is_int(r.status, status, "%s", text))
		diag("%s", r.body);
	reply_clear(&r);
}

static void
test_admission(struct fixture *f)
{
	f->variables[0] = "HTTP_HOST=evil.example:3003";
	is_error(issuer_get(f, "/keys", NULL), 403, "access_denied",
	    "a Host that is no name of this computer (DNS rebinding)");
	f->variables[0] = "HTTP_HOST=localhost:3003";
	status_is(issuer_get(f, "/keys", NULL), 200, "another name of this computer");
	f->variables[0] = "REMOTE_ADDR=192.0.2.1";
	is_error(issuer_get(f, "/keys", NULL), 403, "access_denied", "a client that is not on this computer");
	f->variables[0] = "REMOTE_ADDR=::1";
	status_is(issuer_get(f, "/keys", NULL), 200, "one that is, by IPv6");
	f->variables[0] = "REQUEST_METHOD=POST";
	is_error(issuer_get(f, "/keys", NULL), 400, "invalid_request", "a variable twice");
	f->variables[0] = NULL;
}

static void
test_methods(struct fixture *f)
{
	struct reply r = issuer_call(f, "POST", "/keys", NULL, "text/plain", "x");
	char *allow = reply_header(&r, "Allow");

	is_str(allow, "GET, HEAD, OPTIONS", "a wrong method is answered with the right ones");
	free(allow);
	is_error(r, 405, "invalid_request", "and 405");
	is_error(issuer_get(f, "/oauth/token", NULL), 405, "invalid_request", "the token endpoint has no GET");
	is_error(issuer_call(f, "HEAD", "/oauth/authorize", NULL, NULL, NULL), 405, "invalid_request",
	    "a HEAD begins no authorization");
	status_is(issuer_call(f, "HEAD", "/keys", NULL, NULL, NULL), 200, "the key set has HEAD");
	is_error(issuer_get(f, "/", NULL), 404, "invalid_request", "another path");
	is_error(issuer_get(f, "/resources/res_other/.well-known/oauth-authorization-server", NULL), 404,
	    "invalid_request", "another resource id");
	is_error(issuer_get(f, "/x/keys", NULL), 404, "invalid_request", "a path that only ends like one of ours");
}

static void
test_cors(struct fixture *f)
{
	struct reply r;
	char *text;

	f->variables[0] = "HTTP_ORIGIN=https://inspector.example";
	r = issuer_get(f, "/.well-known/oauth-authorization-server/resources/res_dev", NULL);
	text = reply_header(&r, "Access-Control-Allow-Origin");
	is_str(text, "*", "web pages of any origin may read the metadata");
	free(text);
	reply_clear(&r);
	r = issuer_post(f, "/oauth/token", "grant_type=x");
	text = reply_header(&r, "Access-Control-Allow-Origin");
	is_str(text, "*", "and errors of the token endpoint");
	free(text);
	reply_clear(&r);
	r = issuer_get(f, "/oauth/authorize", "client_id=x");
	text = reply_header(&r, "Access-Control-Allow-Origin");
	is_str(text, NULL, "but not the consent page");
	free(text);
	reply_clear(&r);
	f->variables[1] = "HTTP_ACCESS_CONTROL_REQUEST_METHOD=POST";
	f->variables[2] = "HTTP_ACCESS_CONTROL_REQUEST_HEADERS=content-type,mcp-protocol-version";
	r = issuer_call(f, "OPTIONS", "/oauth/token", NULL, NULL, NULL);
	text = reply_header(&r, "Access-Control-Allow-Methods");
	ok(r.status == 204 && text && strstr(text, "POST"), "a preflight for the token endpoint");
	free(text);
	text = reply_header(&r, "Access-Control-Allow-Headers");
	ok(text && strcasestr(text, "Mcp-Protocol-Version") && strcasestr(text, "Content-Type"),
	    "allows the header fields that clients send");
	free(text);
	reply_clear(&r);
	f->variables[0] = f->variables[1] = f->variables[2] = NULL;
}

static void
test_metadata(struct fixture *f)
{
	static const char *const members[] = { "\"authorization_endpoint\":\"" ISSUER_URL
					       "/resources/res_dev/oauth/authorize\"",
		"\"token_endpoint\":\"" ISSUER_URL "/resources/res_dev/oauth/token\"",
		"\"jwks_uri\":\"" ISSUER_URL "/keys\"",
		"\"registration_endpoint\":\"" ISSUER_URL "/api/v1/resources/res_dev/clients:register\"",
		"\"scopes_supported\":[\"usr:read\",\"admin\",\"offline_access\"]",
		"\"response_types_supported\":[\"code\"]",
		"\"grant_types_supported\":[\"authorization_code\",\"client_credentials\",\"refresh_token\"]",
		"\"token_endpoint_auth_methods_supported\":[\"none\",\"client_secret_post\",\"client_secret_basic\"]",
		"\"code_challenge_methods_supported\":[\"S256\"]",
		"\"authorization_response_iss_parameter_supported\":true",
		"\"introspection_endpoint\":\"" ISSUER_URL "/oauth/introspect\"",
		"\"revocation_endpoint\":\"" ISSUER_URL "/oauth/revoke\"" };
	struct reply inserted = issuer_get(f, "/.well-known/oauth-authorization-server/resources/res_dev", NULL);
	struct reply appended = issuer_get(f, "/resources/res_dev/.well-known/oauth-authorization-server", NULL);
	struct reply environment = issuer_get(f, "/.well-known/oauth-authorization-server", NULL);
	struct reply openid = issuer_get(f, "/.well-known/openid-configuration", NULL);
	char *text = reply_member(&inserted, "issuer");

	is_str(text, ISSUER_URL "/resources/res_dev", "the issuer of the inserted form");
	free(text);
	is_str(appended.body, inserted.body, "the appended form is the same document");
	for (size_t i = 0; i < sizeof members / sizeof members[0]; i++)
		if (!ok(strstr(inserted.body, members[i]) != NULL, "it has %s", members[i]))
			diag("%s", inserted.body);
	text = reply_member(&environment, "issuer");
	is_str(text, ISSUER_URL, "the environment's document has the environment as issuer");
	free(text);
	text = reply_member(&environment, "token_endpoint");
	is_str(text, ISSUER_URL "/oauth/token", "and its endpoints");
	free(text);
	text = reply_member(&openid, "issuer");
	is_str(text, ISSUER_URL, "so has OpenID Connect's");
	free(text);
	ok(strstr(openid.body, "\"subject_types_supported\":[\"public\"]") != NULL,
	    "with the members that are required there");
	reply_clear(&inserted);
	reply_clear(&appended);
	reply_clear(&environment);
	reply_clear(&openid);
}

int
main(void)
{
	struct fixture f;

	test_options();
	fixture_open(&f, false);
	test_admission(&f);
	test_methods(&f);
	test_cors(&f);
	test_metadata(&f);
	test_scopes_max(&f);
	fixture_close(&f);
	return tap_done();
}
