/* SPDX-License-Identifier: MIT */
/*
 * Golden tokens: the shapes that products issue, judged by their profiles as sections of a configuration say; and the
 * near misses of each. All are signed by one key, so that what differs is what the token says.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "server/sections.h"
#include "tests/tap.h"
#include "tests/unit/mint.h"
#include "tests/unit/validation.h"

static char path[] = "/tmp/mcp-profile-t-XXXXXX";

/* What every token has; a payload is "{" ISS ... TIMES "}". */
#define TIMES ",\"iat\":1799990000,\"exp\":1800000600"

/* Let "policy" be what the section's lines make. */
static void
use(const char *lines)
{
	struct server_settings s = {.n_sections = 0};
	struct config_faults faults = {0};
	struct issuer_settings *set;
	struct config *c = NULL;
	FILE *f = fopen(path, "w");

	if (!f || fprintf(f, "[issuer x]\n%s", lines) < 0 || fclose(f) != 0 ||
	    config_read(path, NULL, &faults, &c) != MCP_OK || server_sections_load(c, &s, &faults) != MCP_OK)
		abort();
	for (size_t i = 0; i < faults.n; i++)
		ok(false, "the section has no fault: %s", faults.v[i].text);
	set = &s.sections[0].settings;
	token_policy_clear(&policy);
	if (issuer_settings_policy(set, &policy) != MCP_OK ||
	    strlist_copy(&policy.issuers, &set->issuers) != MCP_OK ||
	    strlist_copy(&policy.audiences, &set->audiences) != MCP_OK)
		abort();
	policy.resource = mint_text("%s", AUDIENCE);
	server_sections_clear(&s);
	config_faults_clear(&faults);
	config_free(c);
}

/* A token with this header (NULL: kid and alg alone) and payload. */
static char *
token(const char *header, const char *payload)
{
	return mint(rsa, "RS256", header ? header : "{\"kid\":\"rsa\",\"alg\":\"RS256\"}", payload);
}

#define JWT "{\"alg\":\"RS256\",\"typ\":\"JWT\",\"kid\":\"rsa\"}"
#define AT_JWT "{\"typ\":\"at+jwt\",\"alg\":\"RS256\",\"kid\":\"rsa\"}"

/* Claim who the last accepted token speaks for; NULL is nobody. */
static void
is_who(const char *client, const char *organisation, const char *scopes)
{
	struct buf b;

	buf_init(&b, 4096);
	strlist_join(&who.scopes, " ", &b);
	ok((client ? who.client_id && strcmp(who.client_id, client) == 0 : !who.client_id) &&
	    (organisation ? who.organisation && strcmp(who.organisation, organisation) == 0 : !who.organisation) &&
	    strcmp(b.data, scopes) == 0, "of client %s, organisation %s, scopes \"%s\"", client ? client : "(none)",
	    organisation ? organisation : "(none)", scopes);
	buf_clear(&b);
}

static void
test_auth0(void)
{
	static const char good[] = "{\"iss\":\"https://t.eu.auth0.com/\",\"sub\":\"auth0|1\",\"aud\":[\"" AUDIENCE "\","
	    "\"https://t.eu.auth0.com/userinfo\"],\"azp\":\"app1\",\"scope\":\"openid read\",\"org_id\":\"org_9\","
	    "\"permissions\":[\"read\",\"admin\"]" TIMES "}";

	use("PROFILE=auth0\nISSUER=https://t.eu.auth0.com/\nAUDIENCE=" AUDIENCE "\n");
	accepted(token(JWT, good), "Auth0: the default token, whose issuer ends with a slash");
	is_who("app1", "org_9", "openid read");
	accepted(token(AT_JWT, "{\"iss\":\"https://t.eu.auth0.com/\",\"sub\":\"auth0|1\",\"aud\":\"" AUDIENCE "\","
	    "\"client_id\":\"app1\",\"jti\":\"j\",\"scope\":\"read\"" TIMES "}"), "Auth0: the RFC 9068 token");
	is_who("app1", NULL, "read");
	refused("wrong_issuer", token(JWT, "{\"iss\":\"https://t.eu.auth0.com\",\"sub\":\"a\",\"aud\":\"" AUDIENCE "\""
	    TIMES "}"), "E2: without its slash it is another issuer");
	refused("wrong_audience", token(JWT, "{\"iss\":\"https://t.eu.auth0.com/\",\"sub\":\"a\","
	    "\"aud\":\"https://t.eu.auth0.com/userinfo\"" TIMES "}"), "Auth0: a token for userinfo alone");
	refused("not_access_token", token(JWT, "{\"iss\":\"https://t.eu.auth0.com/\",\"sub\":\"a\",\"aud\":\"" AUDIENCE
	    "\",\"at_hash\":\"x\"" TIMES "}"), "E11: an ID token");
	use("PROFILE=auth0\nISSUER=https://t.eu.auth0.com/\nAUDIENCE=" AUDIENCE "\nSCOPE_CLAIMS=scope permissions\n");
	accepted(token(JWT, good), "Auth0: permissions are scopes only when the operator says so");
	is_who("app1", "org_9", "openid read admin");
	use("PROFILE=auth0\nISSUER=https://t.eu.auth0.com/\nAUDIENCE=" AUDIENCE "\nJWT_STRICT_9068=on\n");
	refused("bad_type", token(JWT, good), "strict RFC 9068: the default token has another typ");
	refused("bad_type", token(NULL, good), "strict RFC 9068: a token needs a typ");
	refused("bad_claims", token(AT_JWT, good), "strict RFC 9068: client_id and jti must be there");
	accepted(token("{\"typ\":\"application/at+jwt\",\"alg\":\"RS256\",\"kid\":\"rsa\"}",
	    "{\"iss\":\"https://t.eu.auth0.com/\",\"sub\":\"a\",\"aud\":\"" AUDIENCE
	    "\",\"client_id\":\"c\",\"jti\":\"j\"" TIMES "}"), "strict RFC 9068: one that has all");
}

static void
test_okta(void)
{
	use("PROFILE=okta\nISSUER=https://o.okta.com/oauth2/aus1\nAUDIENCE=api://default\n");
	accepted(token(NULL, "{\"ver\":1,\"jti\":\"AT.x\",\"iss\":\"https://o.okta.com/oauth2/aus1\","
	    "\"aud\":\"api://default\",\"cid\":\"0oa1\",\"uid\":\"00u1\",\"scp\":[\"openid\",\"mcp:read\"],"
	    "\"sub\":\"a@b.example\",\"scope\":\"admin\"" TIMES "}"), "Okta: no typ, scp as an array");
	is_who("0oa1", NULL, "openid mcp:read");
	refused("wrong_issuer", token(NULL, "{\"iss\":\"https://o.okta.com\",\"aud\":\"api://default\",\"sub\":\"a\""
	    TIMES "}"), "Okta: the organisation's own server, whose keys are not published");
	refused("wrong_audience", token(NULL, "{\"iss\":\"https://o.okta.com/oauth2/aus1\",\"aud\":\"api://Default\","
	    "\"sub\":\"a\"" TIMES "}"), "E4: the audience's case");
	use("PROFILE=okta\nISSUER=https://o.okta.com/oauth2/aus1\nAUDIENCE=api://default\nALLOWED_CLIENTS=0oa1\n");
	refused("wrong_client", token(NULL, "{\"iss\":\"https://o.okta.com/oauth2/aus1\",\"aud\":\"api://default\","
	    "\"sub\":\"a\",\"cid\":\"0oa2\",\"client_id\":\"0oa1\"" TIMES "}"), "E20: a client that is not allowed");
	refused("wrong_client", token(NULL, "{\"iss\":\"https://o.okta.com/oauth2/aus1\",\"aud\":\"api://default\","
	    "\"sub\":\"a\"" TIMES "}"), "E20: none at all");
}

#define T1 "11111111-2222-3333-4444-555555555555"
#define T2 "99999999-2222-3333-4444-555555555555"

static void
test_entra(void)
{
	use("PROFILE=entra\nISSUER=https://login.microsoftonline.com/" T1 "/v2.0 https://sts.windows.net/" T1 "/\n"
	    "AUDIENCE=6e74172b api://6e74172b\n");
	accepted(token(JWT, "{\"aud\":\"6e74172b\",\"iss\":\"https://login.microsoftonline.com/" T1 "/v2.0\","
	    "\"nbf\":1799990000,\"azp\":\"app\",\"azpacr\":\"1\",\"oid\":\"person\",\"scp\":\"mcp.read mcp.write\","
	    "\"sub\":\"s\",\"tid\":\"" T1 "\",\"ver\":\"2.0\"" TIMES "}"), "Entra v2, for a person");
	is_who("app", T1, "mcp.read mcp.write");
	accepted(token("{\"typ\":\"JWT\",\"alg\":\"RS256\",\"x5t\":\"rsa\",\"kid\":\"rsa\"}",
	    "{\"aud\":\"api://6e74172b\",\"iss\":\"https://sts.windows.net/" T1 "/\",\"appid\":\"app\",\"sub\":\"s\","
	    "\"roles\":[\"Mcp.Read\"],\"oid\":\"o\",\"tid\":\"" T1 "\",\"ver\":\"1.0\",\"idtyp\":\"app\"" TIMES "}"),
	    "Entra v1, for an application: roles and no scp");
	is_who("app", T1, "Mcp.Read");
	refused("wrong_issuer", token(JWT, "{\"aud\":\"6e74172b\",\"iss\":\"https://login.microsoftonline.com/" T2
	    "/v2.0\",\"sub\":\"s\",\"tid\":\"" T2 "\"" TIMES "}"), "Entra: another tenant");
	refused("wrong_issuer", token(JWT, "{\"aud\":\"6e74172b\",\"iss\":\"https://sts.windows.net/" T1
	    "\",\"sub\":\"s\"" TIMES "}"), "Entra: v1 without its slash");
	use("PROFILE=entra\nISSUER=https://login.microsoftonline.com/{tid}/v2.0\nTENANTS=" T1 "\nAUDIENCE=6e74172b\n"
	    "JWKS_URI=https://login.microsoftonline.com/common/discovery/v2.0/keys\n");
	accepted(token(JWT, "{\"aud\":\"6e74172b\",\"iss\":\"https://login.microsoftonline.com/" T1 "/v2.0\","
	    "\"sub\":\"s\",\"tid\":\"" T1 "\",\"scp\":\"a\"" TIMES "}"), "Entra, several tenants: one of the list");
	refused("wrong_issuer", token(JWT, "{\"aud\":\"6e74172b\",\"iss\":\"https://login.microsoftonline.com/" T2
	    "/v2.0\",\"sub\":\"s\",\"tid\":\"" T2 "\"" TIMES "}"), "E19: one that is not");
	refused("wrong_issuer", token(JWT, "{\"aud\":\"6e74172b\",\"iss\":\"https://login.microsoftonline.com/" T2
	    "/v2.0\",\"sub\":\"s\",\"tid\":\"" T1 "\"" TIMES "}"), "E19: iss and tid of different tenants");
	refused("wrong_issuer", token(JWT, "{\"aud\":\"6e74172b\",\"iss\":\"https://login.microsoftonline.com/" T1
	    "/v2.0\",\"sub\":\"s\"" TIMES "}"), "E19: no tid");
	refused("wrong_issuer", token(JWT, "{\"aud\":\"6e74172b\",\"iss\":\"https://login.microsoftonline.com/{tid}"
	    "/v2.0\",\"sub\":\"s\",\"tid\":\"{tid}\"" TIMES "}"), "E19: the template itself");
}

static void
test_keycloak(void)
{
	static const char start[] = "{\"iss\":\"https://k.example/realms/r\",\"aud\":[\"" AUDIENCE "\",\"account\"],"
	    "\"sub\":\"s\",\"azp\":\"app\",\"scope\":\"openid mcp\"";
	static const struct {
		const char *organization, *organisation, *text;
	} shapes[] = {
		{"{\"acme\":{\"id\":\"42c3\"}}", "acme", "an organisation with its id"},
		{"{\"acme\":{}}", "acme", "an organisation of the first versions"},
		{"{\"acme\":{},\"umbrella\":{}}", NULL, "of two organisations nobody knows which one is meant"},
		{"{}", NULL, "of none neither"},
		{"[\"acme\"]", NULL, "E14: an array is another way of writing it"},
		{"\"acme\"", NULL, "E14: a text is another, too"},
		{"7", NULL, "E14: and a number none"},
	};

	use("PROFILE=keycloak\nISSUER=https://k.example/realms/r\nAUDIENCE=" AUDIENCE "\n");
	for (size_t i = 0; i < sizeof(shapes) / sizeof(*shapes); i++) {
		char *payload = mint_text("%s,\"typ\":\"Bearer\",\"organization\":%s" TIMES "}", start,
		    shapes[i].organization);

		accepted(token(i == 1 ? AT_JWT : JWT, payload), "Keycloak: %s", shapes[i].text);
		is_who("app", shapes[i].organisation, "openid mcp");
		free(payload);
	}
	for (int i = 0; i < 4; i++) {
		static const char *const kinds[] = {"ID", "Refresh", "Offline", "Logout"};
		char *payload = mint_text("%s,\"typ\":\"%s\"" TIMES "}", start, kinds[i]);

		refused("not_access_token", token(JWT, payload), "E11: Keycloak's typ %s", kinds[i]);
		free(payload);
	}
	refused("wrong_audience", token(JWT, "{\"iss\":\"https://k.example/realms/r\",\"aud\":\"account\","
	    "\"sub\":\"s\",\"typ\":\"Bearer\"" TIMES "}"), "Keycloak without the audience mapper");
	use("PROFILE=keycloak\nISSUER=https://k.example/realms/r\nAUDIENCE=" AUDIENCE "\nORG_VALUES=acme\n"
	    "SCOPE_CLAIMS=scope /realm_access/roles\n");
	accepted(token(JWT, "{\"iss\":\"https://k.example/realms/r\",\"aud\":\"" AUDIENCE "\",\"sub\":\"s\","
	    "\"organization\":{\"acme\":{},\"umbrella\":{}},\"realm_access\":{\"roles\":[\"boss\"]}" TIMES "}"),
	    "of two organisations the one that is allowed; roles by a pointer");
	is_who(NULL, "acme", "boss");
	refused("wrong_organisation", token(JWT, "{\"iss\":\"https://k.example/realms/r\",\"aud\":\"" AUDIENCE
	    "\",\"sub\":\"s\",\"organization\":{\"Acme\":{}}" TIMES "}"), "E14: another one, by its case");
	refused("wrong_organisation", token(JWT, "{\"iss\":\"https://k.example/realms/r\",\"aud\":\"" AUDIENCE
	    "\",\"sub\":\"s\"" TIMES "}"), "E14: none");
	use("PROFILE=keycloak\nISSUER=https://k.example/realms/r\nAUDIENCE=" AUDIENCE "\nORG_MODE=array-contains\n");
	accepted(token(JWT, "{\"iss\":\"https://k.example/realms/r\",\"aud\":\"" AUDIENCE "\",\"sub\":\"s\","
	    "\"organization\":[\"acme\"]" TIMES "}"), "an array, when the operator says so");
	is_who(NULL, "acme", "");
}

static void
test_cognito(void)
{
	static const char kid[] = "{\"kid\":\"1234example=\",\"alg\":\"RS256\"}";
	static const char start[] = "{\"iss\":\"https://cognito-idp.eu-west-1.amazonaws.com/pool\",\"sub\":\"s\"";
	char *key = jwk_text(rsa, ",\"kid\":\"1234example=\",\"use\":\"sig\",\"alg\":\"RS256\""), *payload;
	struct jwks *old = keystore_swap(make_set(key, (char *)NULL));

	free(key);
	use("PROFILE=cognito\nISSUER=https://cognito-idp.eu-west-1.amazonaws.com/pool\nAUDIENCE=client1\n");
	payload = mint_text("%s,\"client_id\":\"client1\",\"token_use\":\"access\",\"scope\":\"rs/read\","
	    "\"cognito:groups\":[\"admin\"]" TIMES "}", start);
	accepted(token(kid, payload), "C11: Cognito, with \"=\" in its kid and without aud");
	is_who("client1", NULL, "rs/read");
	free(payload);
	payload = mint_text("%s,\"client_id\":\"client1\",\"token_use\":\"access\",\"aud\":\"" AUDIENCE "\"" TIMES "}",
	    start);
	accepted(token(kid, payload), "Cognito, bound to this resource");
	free(payload);
	payload = mint_text("%s,\"client_id\":\"client1\",\"token_use\":\"access\",\"aud\":\"https://other\"" TIMES "}",
	    start);
	refused("wrong_audience", token(kid, payload), "Cognito, bound to another resource");
	free(payload);
	payload = mint_text("%s,\"client_id\":\"client2\",\"token_use\":\"access\"" TIMES "}", start);
	refused("wrong_audience", token(kid, payload), "Cognito: another client of the pool");
	free(payload);
	payload = mint_text("%s,\"aud\":\"client1\",\"token_use\":\"id\"" TIMES "}", start);
	refused("not_access_token", token(kid, payload), "E11: Cognito's ID token, whose aud is the client");
	free(payload);
	payload = mint_text("%s,\"client_id\":\"client1\"" TIMES "}", start);
	refused("bad_claims", token(kid, payload), "Cognito: token_use must be there");
	free(payload);
	jwks_unref(keystore_swap(old));
}

static void
test_others(void)
{
	use("PROFILE=workos\nISSUER=https://x.authkit.app\nAUDIENCE=" AUDIENCE "\n");
	accepted(token(NULL, "{\"iss\":\"https://x.authkit.app\",\"aud\":\"" AUDIENCE "\",\"sub\":\"user_1\","
	    "\"org_id\":\"org_1\",\"sid\":\"s\",\"scope\":\"read\",\"permissions\":[\"admin\"]" TIMES "}"),
	    "WorkOS AuthKit");
	is_who(NULL, "org_1", "read");
	refused("bad_claims", token(NULL, "{\"iss\":\"https://x.authkit.app\",\"sub\":\"user_1\",\"sid\":\"s\""
	    TIMES "}"), "WorkOS: a token without an audience");
	use("PROFILE=scalekit\nISSUER=https://e.scalekit.dev https://e.scalekit.dev/resources/res_1\n"
	    "AUDIENCE=" AUDIENCE "/ res_1\nAUD_IGNORE_TRAILING_SLASH=on\n");
	accepted(token(NULL, "{\"iss\":\"https://e.scalekit.dev\",\"aud\":[\"res_1\"],\"sub\":\"usr_1\","
	    "\"client_id\":\"skc_1\",\"oid\":\"org_1\",\"scopes\":[\"usr:read\"]" TIMES "}"),
	    "Scalekit, scopes as an array");
	is_who("skc_1", "org_1", "usr:read");
	accepted(token(NULL, "{\"iss\":\"https://e.scalekit.dev/resources/res_1\",\"aud\":\"" AUDIENCE "\","
	    "\"sub\":\"usr_1\",\"scope\":\"usr:read\"" TIMES "}"),
	    "Scalekit, by its other name, and E4: a slash may go");
	refused("wrong_audience", token(NULL, "{\"iss\":\"https://e.scalekit.dev\",\"aud\":\"" AUDIENCE "//\","
	    "\"sub\":\"usr_1\"" TIMES "}"), "E4: one slash, not two");
	use("ISSUER=https://g.example\nAUDIENCE=" AUDIENCE "\nREQUIRED_CLAIMS=plan=pro\n");
	accepted(token(AT_JWT, "{\"iss\":\"https://g.example\",\"aud\":\"" AUDIENCE "\",\"sub\":\"s\","
	    "\"client_id\":\"c\",\"jti\":\"j\",\"scope\":\"a\",\"scp\":[\"b\"],\"oid\":\"o\",\"plan\":\"pro\""
	    TIMES "}"),
	    "E13: generic reads the scope claim alone, and takes no claim for an organisation");
	is_who("c", NULL, "a");
	use("ISSUER=https://g.example\nAUDIENCE=" AUDIENCE "\nORG_CLAIMS=/a~1b/c~0d /x\n");
	accepted(token(AT_JWT, "{\"iss\":\"https://g.example\",\"aud\":\"" AUDIENCE "\",\"sub\":\"s\","
	    "\"a/b\":{\"c~d\":\"org\"}" TIMES "}"), "E14: a nested claim, with escapes in the pointer");
	is_who(NULL, "org", "");
}

int
main(void)
{
	int fd = mkstemp(path);

	if (fd < 0 || close(fd) != 0)
		abort();
	validation_begin();
	test_auth0();
	test_okta();
	test_entra();
	test_keycloak();
	test_cognito();
	test_others();
	validation_end();
	unlink(path);
	return tap_done();
}
