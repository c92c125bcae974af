/* SPDX-License-Identifier: MIT */
/* Tokens by their claims; every one here is well signed by the right key. */
#include <stdlib.h>
#include <string.h>

#include "base/json.h"
#include "tests/tap.h"
#include "tests/unit/mint.h"
#include "tests/unit/validation.h"

/* One claim set to "value" (JSON text, NULL: left out) and what comes of it; "ok" means accepted. */
struct row {
	const char *value, *word, *text;
};

static void
judge(const char *name, const struct row *rows, size_t n)
{
	for (size_t i = 0; i < n; i++) {
		const char *shown = rows[i].value ? rows[i].value : "missing";

		if (strcmp(rows[i].word, "ok") == 0)
			accepted(with_claim(name, rows[i].value), "%s: %s %.60s", rows[i].text, name, shown);
		else
			refused(rows[i].word, with_claim(name, rows[i].value), "%s: %s %.60s", rows[i].text, name,
			    shown);
	}
}
#define JUDGE(name, rows) judge(name, rows, sizeof(rows) / sizeof(*(rows)))

static void
test_issuer(void)
{
	static const struct row rows[] = {
		{NULL, "bad_claims", "E1"},
		{"\"" ISSUER "\"", "ok", "S32"},
		{"\"" ISSUER "/resources/res_1\"", "ok", "S32: the longer form"},
		{"\"" ISSUER "/resources/res_2\"", "wrong_issuer", "E2: of another resource"},
		{"\"https://other.example\"", "wrong_issuer", "E2"},
		{"\"https://as.example.co\"", "wrong_issuer", "E2: a prefix"},
		{"\"https://as.example.com.evil\"", "wrong_issuer", "E2: with a suffix"},
		{"\"https://AS.example.com\"", "wrong_issuer", "E2: upper case"},
		{"\"https://as.example.com/\"", "wrong_issuer", "E2: a slash at the end"},
		{"\"http://as.example.com\"", "wrong_issuer", "E2: http"},
		{"\"https://as.example.com:443\"", "wrong_issuer", "E2: the default port"},
		{"\"https://as.example.com\\u0000\"", "not_jwt", "E2: a NUL at the end"},
		{"\"https://as.example.com\\u0000.evil\"", "not_jwt", "E2: a NUL and more"},
		{"\" https://as.example.com\"", "wrong_issuer", "E2: a blank"},
		{"\"https://as.example.com@evil.example\"", "wrong_issuer", "E2: userinfo"},
		{"[\"https://as.example.com\"]", "bad_claims", "E2: an array"},
		{"1", "bad_claims", "E2: a number"},
		{"null", "bad_claims", "E2: null"},
		{"\"\"", "bad_claims", "E2: empty"},
		{"{\"x\":1}", "bad_claims", "E2: an object"},
		{"\"https://login.microsoftonline.com/other-tenant/v2.0\"", "wrong_issuer",
		    "E19: the issuer of another tenant"},
	};
	struct strlist issuers = policy.issuers;

	JUDGE("iss", rows);
	refused("wrong_issuer", with_claim("iss", "\"https://other.example\""), "E2: another issuer");
	is_str(seen.data, "\"https://other.example\"", "the log gets to see it");
	memset(&policy.issuers, 0, sizeof(policy.issuers));
	refused("wrong_issuer", with_claim(NULL, NULL), "S50: without a trusted issuer nothing passes");
	policy.issuers = issuers;
}

static void
test_audience(void)
{
	static const struct row rows[] = {
		{NULL, "bad_claims", "E1"},
		{"\"" AUDIENCE "\"", "ok", "E3"},
		{"\"res_1\"", "ok", "E3: the resource id"},
		{"[\"" AUDIENCE "\"]", "ok", "E3"},
		{"[\"other\",\"" AUDIENCE "\"]", "ok", "E3: another one first"},
		{"[\"" AUDIENCE "\",\"" AUDIENCE "\"]", "ok", "E3: twice"},
		{"[\"other\"]", "wrong_audience", "E3"},
		{"\"other\"", "wrong_audience", "E3"},
		{"[[\"" AUDIENCE "\"]]", "bad_claims", "E3: nested"},
		{"[1,\"" AUDIENCE "\"]", "bad_claims", "E3: a number among them"},
		{"[\"" AUDIENCE "\",null]", "bad_claims", "E3: null among them"},
		{"[\"" AUDIENCE "\",{}]", "bad_claims", "E3: an object among them"},
		{"[]", "wrong_audience", "E3: empty array"},
		{"\"\"", "wrong_audience", "E3: empty string"},
		{"[\"\"]", "wrong_audience", "E3: empty strings"},
		{"{\"" AUDIENCE "\":1}", "bad_claims", "E3: an object"},
		{"7", "bad_claims", "E3: a number"},
		{"null", "bad_claims", "E3: null"},
		{"true", "bad_claims", "E3: true"},
		{"\"https://mcp.example.com/mcp/\"", "wrong_audience", "E4/S71/X12: a slash at the end"},
		{"\"https://MCP.example.com/mcp\"", "wrong_audience", "E4: upper-case host"},
		{"\"https://mcp.example.com:443/mcp\"", "wrong_audience", "E4: default port"},
		{"\"https://mcp.example.com/%6dcp\"", "wrong_audience", "E4: percent-encoding"},
		{"\"https://mcp.example.com/mcp#f\"", "wrong_audience", "E4: a fragment"},
		{"\"https://mcp.example.com/mcp.evil\"", "wrong_audience", "E5: a prefix of it is ours"},
		{"\"https://mcp.example.com.evil/mcp\"", "wrong_audience", "E5: another host"},
		{"\"https://mcp.example.com/../mcp\"", "wrong_audience", "E5: dots"},
		{"\"https://mcp.example.com/mc\"", "wrong_audience", "E5: a prefix of ours"},
		{"\"https://mcp.example.com/mcp,other\"", "wrong_audience", "E5: two in one"},
		{"\"other https://mcp.example.com/mcp\"", "wrong_audience", "E5: two in one"},
		{"[\"skc_1\"]", "wrong_audience", "E11/S54: an ID token's audience, the client"},
	};
	struct strlist audiences = policy.audiences;
	struct buf b;

	JUDGE("aud", rows);
	refused("wrong_audience", with_claim("aud", "[\"https://mcp.example.com/mcp/\"]"), "S71: another audience");
	is_str(seen.data, "[\"https://mcp.example.com/mcp/\"]", "S71: the log gets to see it");
	policy.max_bytes = 1 << 20;
	for (int n = 3000; n <= 10000; n += 7000) {
		buf_init(&b, 1 << 20);
		buf_putc(&b, '[');
		for (int i = 0; i < n; i++)
			buf_printf(&b, "\"a%d\",", i);
		buf_puts(&b, "\"" AUDIENCE "\"]");
		if (n == 3000)
			accepted(with_claim("aud", b.data), "E3: the last of 3000");
		else
			refused("not_jwt", with_claim("aud", b.data), "E3: 10 000 are more than a token may have");
		buf_clear(&b);
	}
	policy.max_bytes = 16384;
	memset(&policy.audiences, 0, sizeof(policy.audiences));
	refused("wrong_audience", with_claim(NULL, NULL), "S51: without a configured audience nothing passes");
	refused("wrong_audience", with_claim("aud", "\"\""), "S21: an empty audience fits nothing");
	policy.audiences = audiences;
}

static void
test_exp(void)
{
	static const struct row rows[] = {
		{NULL, "bad_claims", "S52: exp is required"},
		{"1799999999", "ok", "E7: past by 1, within the leeway"},
		{"1799999971", "ok", "E7: the last second of the leeway"},
		{"1799999970", "expired", "E7: the first one after it"},
		{"1799999969", "expired", "E7: one more"},
		{"1799999970.5", "ok", "E7: half a second within"},
		{"1799999969.9", "expired", "E7: a tenth of a second after"},
		{"1799996400", "expired", "S76: an hour ago"},
		{"1800000600.9", "ok", "E7: a float"},
		{"1.8000006e9", "ok", "E7: a float with exponent"},
		{"18000006e2", "ok", "E7: an exponent without fraction"},
		{"0", "bad_claims", "E7: before iat"},
		{"-1", "bad_claims", "E7"},
		{"-0", "bad_claims", "E7: before iat"},
		{"1e300", "bad_claims", "E7"},
		{"1E400", "not_jwt", "E7: no double holds it"},
		{"-1E400", "not_jwt", "E7"},
		{"9223372036854775807", "bad_claims", "E7: INT64_MAX"},
		{"9223372036854775808", "bad_claims", "E7: beyond INT64"},
		{"18446744073709551616", "bad_claims", "E7: beyond UINT64"},
		{"99999999999999999999999999", "bad_claims", "E7: far beyond"},
		{"-9223372036854775809", "bad_claims", "E7: below INT64"},
		{"1800000600000", "bad_claims", "E7: milliseconds"},
		{"253402300799", "ok", "E10: the last second of the year 9999"},
		{"253402300800", "bad_claims", "E10: the one after it"},
		{"2147483648", "ok", "E10: beyond 2038"},
		{"4294967296", "ok", "E10: beyond 2106"},
		{"\"1800000600\"", "bad_claims", "E7: a string"},
		{"\"\"", "bad_claims", "E7: an empty string"},
		{"true", "bad_claims", "E7"},
		{"false", "bad_claims", "E7"},
		{"null", "bad_claims", "E7"},
		{"[1800000600]", "bad_claims", "E7: an array"},
		{"{}", "bad_claims", "E7: an object"},
		{"NaN", "not_jwt", "E7"},
		{"Infinity", "not_jwt", "E7"},
		{"-Infinity", "not_jwt", "E7"},
		{"01800000600", "not_jwt", "E7: a leading zero"},
		{"+1800000600", "not_jwt", "E7: a plus"},
		{"0x6b49d200", "not_jwt", "E7: hexadecimal"},
		{"1800000600.", "not_jwt", "E7: a lone point"},
	};

	JUDGE("exp", rows);
	refused("bad_claims", with_payload(mint_text("{\"iss\":\"" ISSUER "\",\"aud\":\"res_1\",\"sub\":\"s\"}")),
	    "S52: neither exp nor iat");
	accepted(with_claim("exp", "1800000600.9"), "E7: a float");
	is_int(who.expires_at_s, 1800000600, "E7: ends at its whole second");
}

static void
test_not_before(void)
{
	static const struct row nbf[] = {
		{NULL, "ok", "nbf is not required"},
		{"1800000000", "ok", "E8: now"},
		{"1800000030", "ok", "E8: within the leeway"},
		{"1800000031", "not_yet_valid", "E8: beyond the leeway"},
		{"1800000030.5", "not_yet_valid", "E8: half a second beyond"},
		{"1799999999.5", "ok", "E8: a float"},
		{"0", "ok", "E8: 0, as old Keycloaks write"},
		{"-1", "bad_claims", "E8: negative"},
		{"\"1800000000\"", "bad_claims", "E8: a string"},
		{"null", "bad_claims", "E8: null"},
		{"true", "bad_claims", "E8: true"},
		{"1e300", "bad_claims", "E8: out of range"},
		{"9223372036854775808", "bad_claims", "E8: beyond INT64"},
	};
	static const struct row iat[] = {
		{NULL, "ok", "iat is not required"},
		{"1800000030", "ok", "E9: within the leeway"},
		{"1800000031", "not_yet_valid", "E9: in the future"},
		{"1800000601", "bad_claims", "E9: after exp"},
		{"0", "ok", "E9: old, when no lifetime is configured"},
		{"-1", "bad_claims", "E9: negative"},
		{"\"1799999990\"", "bad_claims", "E9: a string"},
		{"null", "bad_claims", "E9: null"},
	};
	static const struct row lifetime[] = {
		{"1799997000", "ok", "E9: a lifetime of an hour"},
		{"1799996999", "bad_claims", "E9: a second longer"},
		{NULL, "bad_claims", "E9: a lifetime cannot be judged without iat"},
	};

	judge("nbf", nbf + 1, sizeof(nbf) / sizeof(*nbf) - 1);
	accepted(with_claim(NULL, NULL), "%s", nbf[0].text);
	JUDGE("iat", iat);
	policy.max_lifetime_s = 3600;
	JUDGE("iat", lifetime);
	policy.max_lifetime_s = 0;
	policy.leeway_s = 0;
	refused("expired", with_claim("exp", "1800000000"), "E7: without leeway a token ends at exp itself");
	accepted(with_claim("exp", "1800000001"), "E7: and not before");
	policy.leeway_s = 30;
}

static void
test_subject(void)
{
	static const struct row rows[] = {
		{NULL, "bad_claims", "E1"},
		{"\"\"", "bad_claims", "E1: empty"},
		{"1", "bad_claims", "E1: a number"},
		{"null", "bad_claims", "E1: null"},
		{"[\"usr_1\"]", "bad_claims", "E1: an array"},
		{"\"m2m_1\"", "ok", "a machine"},
	};
	static const struct row jti[] = {
		{"\"tkn_1\"", "ok", "E22"}, {"\"tkn_1\"", "ok", "E22: a second time is no error"},
		{"\"\"", "ok", "E22: empty"}, {"7", "bad_claims", "E22: a number"},
		{"null", "bad_claims", "E22: null"}, {"[\"tkn_1\"]", "bad_claims", "E22: an array"},
	};

	JUDGE("sub", rows);
	JUDGE("jti", jti);
}

/* Payloads with a member twice: the text of the good ones with one more in front or behind. */
static void
test_duplicates(void)
{
	static const char *const names[] = {"iss", "sub", "aud", "exp", "iat", "scope", "client_id", "oid"};

	for (size_t i = 0; i < sizeof(names) / sizeof(*names); i++) {
		char *good = claims(NULL, NULL);

		refused("not_jwt", with_payload(mint_text("{\"%s\":1,%s", names[i], good + 1)),
		    "E16: %s also in front", names[i]);
		good[strlen(good) - 1] = '\0';
		refused("not_jwt", with_payload(mint_text("%s,\"%s\":1}", good, names[i])), "E16: %s also behind",
		    names[i]);
		refused("not_jwt", with_payload(mint_text("%s,\"x\":{\"y\":[{\"z\":1,\"z\":2}]}}", good)),
		    "E16: inside another claim");
		refused("not_jwt", with_payload(mint_text("%s,\"\\u00%02x%s\":1}", good, names[i][0], names[i] + 1)),
		    "E16: %s behind an escape", names[i]);
		free(good);
	}
}

static void
test_kinds(void)
{
	static const struct row typ[] = {
		{"\"Bearer\"", "ok", "Keycloak's access token"}, {"\"ID\"", "not_access_token",
		    "E11: Keycloak's ID token"},
		{"\"Refresh\"", "not_access_token", "E11: Keycloak's refresh token"}, {"\"Offline\"",
		    "not_access_token", "E11"},
		{"\"Logout\"", "not_access_token", "E11"}, {"1", "not_access_token", "E11: a number"}, {"null",
		    "not_access_token", "E11: null"},
		{"\"RegistrationAccessToken\"", "not_access_token", "E11"}, {"\"\"", "not_access_token", "E11: empty"},
	};
	static const struct row token_use[] = {
		{"\"access\"", "ok", "Cognito's access token"}, {"\"id\"", "not_access_token",
		    "E11: Cognito's ID token"},
		{"\"refresh\"", "not_access_token", "E11"}, {"[\"access\"]", "not_access_token", "E11: an array"},
	};
	static const struct row token_type[] = {
		{"\"access_token\"", "ok", "an access token"}, {"\"Bearer\"", "ok", "a bearer token"},
		{"\"refresh\"", "not_access_token", "E11"}, {"\"id_token\"", "not_access_token", "E11"},
	};
	static const struct row events[] = {
		{"{\"http://schemas.openid.net/event/backchannel-logout\":{}}", "not_access_token",
		    "E11: a logout token"},
		{"null", "not_access_token", "E11: whatever is in it"},
	};
	static const struct row at_hash[] = {{"\"abc\"", "not_access_token", "E11: an ID token"}};
	static const struct row nonce[] = {{"\"abc\"", "ok", "a nonce alone, as some access tokens have"}};
	static const struct row cnf[] = {
		{"{\"jkt\":\"0ZcOCORZNYy-DWpqq30jZyJGHTN0d2HglBV3uiguA4I\"}", "sender_constrained",
		    "E21: bound by DPoP"},
		{"{\"x5t#S256\":\"bwcK0esc3ACC3DB2Y5_lESsXE8o9ltc05O89jdN-dg2\"}", "sender_constrained",
		    "E21: bound by mTLS"},
		{"{\"jwk\":{}}", "sender_constrained", "E21: bound by a key"}, {"{}", "sender_constrained",
		    "E21: empty"},
		{"null", "sender_constrained", "E21: null"}, {"\"x\"", "sender_constrained", "E21: a string"},
	};

	JUDGE("typ", typ);
	JUDGE("token_use", token_use);
	JUDGE("token_type", token_type);
	JUDGE("events", events);
	JUDGE("at_hash", at_hash);
	JUDGE("c_hash", at_hash);
	JUDGE("nonce", nonce);
	JUDGE("cnf", cnf);
}

static void
test_resource(void)
{
	static const struct row rows[] = {
		{"\"" AUDIENCE "\"", "ok", "W56"}, {"\"" AUDIENCE "/\"", "ok", "W56: a slash at the end"},
		{"\"" AUDIENCE "//\"", "wrong_resource", "W56: two"}, {"\"https://mcp.example.com\"",
		    "wrong_resource", "W56: a prefix"},
		{"\"https://mcp.example.com/mcpx\"", "wrong_resource", "W56: longer"}, {"\"https://other/mcp\"",
		    "wrong_resource", "W56"},
		{"\"\"", "wrong_resource", "W56: empty"}, {"\"/\"", "wrong_resource", "W56: a slash"}, {"null",
		    "bad_claims", "W56: null"},
		{"[\"" AUDIENCE "\"]", "bad_claims", "W56: an array"},
	};
	char *resource = policy.resource;

	JUDGE("resource", rows);
	refused("wrong_resource", with_claim("resource", "\"https://other/mcp\""), "W56: another resource");
	is_str(seen.data, "\"https://other/mcp\"", "the log gets to see it");
	policy.resource = mint_text("%s/", resource);
	accepted(with_claim("resource", "\"" AUDIENCE "\""), "W56: the slash may be ours");
	free(policy.resource);
	policy.resource = NULL;
	accepted(with_claim("resource", "\"https://other/mcp\""), "W56: not checked unless configured");
	policy.resource = resource;
}

/* The scopes of a token with "name" set to "value", joined by commas. */
static void
scopes_are(const char *name, const char *value, const char *want, const char *text)
{
	struct buf b;

	if (!accepted(with_claim(name, value), "%s: %s %.60s", text, name, value ? value : "missing"))
		return;
	buf_init(&b, 65536);
	strlist_join(&who.scopes, ",", &b);
	is_str(b.data, want, "%s: gives [%s]", text, want);
	buf_clear(&b);
}

static void
test_scopes(void)
{
	struct strlist scope_claims = policy.scope_claims;
	struct buf b;

	scopes_are("scope", "\"a b\"", "a,b", "S78");
	scopes_are("scope", "\"  a   b \"", "a,b", "E12: blanks around and between");
	scopes_are("scope", "\"\"", "", "E12: empty");
	scopes_are("scope", NULL, "", "E12: missing is empty");
	scopes_are("scope", "null", "", "E12: null grants nothing");
	scopes_are("scope", "7", "", "E12: a number grants nothing");
	scopes_are("scope", "{\"a\":true}", "", "E12: an object grants nothing");
	scopes_are("scope", "true", "", "E12: true grants nothing");
	scopes_are("scope", "[\"a\",\"b\"]", "a,b", "E12: an array");
	scopes_are("scope", "[]", "", "E12: an empty array");
	scopes_are("scope", "[\"a b\",\"c\"]", "c", "E12: an element with a blank is no scope");
	scopes_are("scope", "[\"\",1,null,[\"x\"],{\"y\":1},\"a\"]", "a", "E12: nor what is no string");
	scopes_are("scope", "\"a\\tb c\"", "c", "E12: a tab does not separate");
	scopes_are("scope", "\"a\\nadmin c\"", "c", "E12: nor does a line end");
	scopes_are("scope", "\"a,b\"", "a,b", "E12: a comma does not separate");
	scopes_are("scope", "\"a\\\"b c\\\\d e\"", "e", "I6: quotes and backslashes are in no scope");
	scopes_are("scope", "\"\\u00e4 e\"", "e", "E12: nor is what is not ASCII");
	scopes_are("scope", "\"a\\u00a0b c\"", "c", "E12: a no-break space does not separate");
	scopes_are("scope", "\"read:all unread\"", "read:all,unread", "E12: other scopes");
	ok(!strlist_has(&who.scopes, "read"), "E12: do not grant a part of their name");
	scopes_are("scope", "\"a a b a\"", "a,b", "each once");
	scopes_are("scopes", "[\"x:read\",\"openid\"]", "usr:read,openid,x:read", "S78/E13: union of scope and scopes");
	scopes_are("scp", "\"x y\"", "usr:read,openid,x,y", "S78/E13: union of scope and scp");
	scopes_are("permissions", "[\"admin\"]", "usr:read,openid", "E13: not of claims that are not configured");
	scopes_are("roles", "[\"admin\"]", "usr:read,openid", "E13: roles neither");
	memset(&policy.scope_claims, 0, sizeof(policy.scope_claims));
	scopes_are("scope", "\"a\"", "", "E13: without scope claims no scopes");
	policy.scope_claims = scope_claims;
	policy.max_bytes = 1 << 20;
	buf_init(&b, 1 << 20);
	for (int i = 0; i < 10000; i++)
		buf_printf(&b, "%ss%d", i ? " " : "\"", i);
	buf_putc(&b, '"');
	refused("bad_claims", with_claim("scope", b.data), "E12: 10 000 scopes are too many");
	buf_clear(&b);
	policy.max_bytes = 16384;
}

static void
org_is(const char *name, const char *value, const char *want, const char *text)
{
	if (accepted(with_claim(name, value), "%s: %s %.60s", text, name, value ? value : "missing"))
		is_str(who.organisation, want, "%s: gives %s", text, want ? want : "none");
}

static void
test_identity(void)
{
	org_is("oid", "\"org_2\"", "org_2", "S80/E14: a string");
	org_is("org_id", "\"org_9\"", "org_1", "S80: oid comes before org_id");
	org_is("oid", NULL, NULL, "E14: missing");
	org_is("oid", "[\"org_1\"]", NULL, "E14: an array of one");
	org_is("oid", "[\"org_1\",\"org_2\"]", NULL, "E14: an array of many");
	org_is("oid", "{\"acme\":{\"id\":\"org_1\"}}", NULL, "E14: an object");
	org_is("oid", "7", NULL, "E14: a number");
	org_is("oid", "\"\"", NULL, "E14: empty");
	org_is("oid", "null", NULL, "E14: null");
	org_is("oid", "\"ORG_1\"", "ORG_1", "E14: case is kept");
	refused("not_jwt", with_claim("oid", "\"org_1\\u0000\""), "E14: a NUL at the end");
	accepted(with_payload(mint_text("{\"iss\":\""
	    ISSUER "\",\"aud\":\"res_1\",\"sub\":\"s\",\"exp\":1800000600,\"org_id\":\"org_7\","
	    "\"oid\":{},\"azp\":\"client\"}")), "S80: a token with org_id");
	is_str(who.organisation, "org_7", "S80: which is taken when oid is of no use");
	is_str(who.client_id, "client", "E20: azp is taken when client_id is missing");
	accepted(with_claim("client_id", "[\"x\"]"), "E20: a client_id that is no string");
	ok(!who.client_id, "E20: names nobody");
	accepted(with_claim("client_id", "\"https://client.example/metadata.json\""), "a client named by a URL");
	is_str(who.client_id, "https://client.example/metadata.json", "is named so");
}

static void
test_required(void)
{
	static const char *const words[] = { "roles=admin", "plan", "region=eu" };
	static const char all[] =
	    "{\"iss\":\"" ISSUER "\",\"aud\":\"" AUDIENCE "\",\"sub\":\"s\",\"exp\":1800000100,%s}";

	for (size_t i = 0; i < sizeof words / sizeof words[0]; i++)
		if (strlist_add(&policy.required_claims, words[i], strlen(words[i])) != MCP_OK)
			exit(99);
	accepted(with_payload(mint_text(all, "\"roles\":[\"user\",\"admin\"],\"plan\":null,\"region\":\"eu\"")),
	    "S5: the claims that the operator requires: in an array, only there, a text");
	refused("bad_claims", with_payload(mint_text(all, "\"roles\":[\"user\"],\"plan\":1,\"region\":\"eu\"")),
	    "S5: an array without the value");
	refused("bad_claims", with_payload(mint_text(all, "\"roles\":\"admin\",\"region\":\"eu\"")),
	    "S5: a claim is missing");
	refused("bad_claims", with_payload(mint_text(all, "\"roles\":\"admin\",\"plan\":1,\"region\":\"eu2\"")),
	    "S5: another value");
	refused("bad_claims", with_payload(mint_text(all, "\"roles\":{\"admin\":true},\"plan\":1,\"region\":\"eu\"")),
	    "S5: a value of another type");
	strlist_clear(&policy.required_claims);
}

int
main(void)
{
	validation_begin();
	test_issuer();
	test_audience();
	test_exp();
	test_not_before();
	test_subject();
	test_duplicates();
	test_kinds();
	test_resource();
	test_scopes();
	test_identity();
	test_required();
	validation_end();
	return tap_done();
}
