/* SPDX-License-Identifier: MIT */
/* Introspection with an authorization server that says what the test wants. Ids in front are those of attack lists. */
#include "oauth/introspection.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/log.h"
#include "base/text.h"
#include "oauth/breaker.h"
#include "oauth/introspection_cache.h"
#include "oauth/token.h"
#include "tests/tap.h"
#include "tests/unit/inspector.h"

#define AUD "\"aud\":\"" AUDIENCE "\""
#define GOOD "{\"active\":true,\"sub\":\"usr_1\",\"client_id\":\"skc_2\",\"scope\":\"usr:read openid\"," AUD \
	",\"exp\":1800000600,\"iat\":1799999000,\"token_type\":\"Bearer\",\"iss\":\"" ISSUER "\",\"oid\":\"org_1\"}"

static struct introspection *in;
static struct principal who;
static struct buf seen;
static struct buf log_lines;

static void
remember(void *ctx, enum log_level level, const char *text)
{
	(void)ctx;
	(void)level;
	buf_puts(&log_lines, text);
	buf_putc(&log_lines, '\n');
}

/* A new one, so that nothing is known of what was before. */
static void
renew(int64_t keep_s)
{
	introspection_free(in);
	in = inspector_new(keep_s, 4);
}

static const char *
ask_at(const char *token, int64_t now_s)
{
	principal_clear(&who);
	buf_reset(&seen);
	return oauth_outcome_row(introspection_validate(in, &policy, token, strlen(token), now_s, &who, &seen))->word;
}

static const char *
ask(const char *token)
{
	return ask_at(token, NOW);
}

static void
test_request(void)
{
	inspector_says(GOOD);
	is_str(ask("opaque-token+/=~"), "ok", "an active token is good");
	is_str(inspector.last_url, "POST " ISSUER "/oauth/introspect", "the endpoint was asked by POST");
	is_str(inspector.last_body, "token=opaque-token%2B%2F%3D%7E&token_type_hint=access_token",
	    "the token in a form, encoded");
	is_str(inspector.last_headers, "Accept: application/json\nContent-Type: application/x-www-form-urlencoded\n"
	    "Authorization: Basic c2tjXzE6czNjcmV0\n", "with our credentials");
	is_str(who.issuer, ISSUER, "the principal has the issuer");
	is_str(who.subject, "usr_1", "the subject");
	is_str(who.client_id, "skc_2", "the client");
	is_str(who.organisation, "org_1", "the organisation");
	is_int(who.expires_at_s, 1800000600, "the end");
	ok(who.scopes.n == 2 && strlist_has(&who.scopes, "usr:read"), "and the scopes");
	ok(who.claims != NULL, "and all claims");
}

/* What of a response's "active" counts. */
static void
test_active(void)
{
	static const char *const undecided[] = {"\"true\"", "\"false\"", "1", "0", "null", "[]", "{}", "\"\"", "1.0"};

	renew(30);
	inspector_says("{\"active\":false}");
	is_str(ask("x"), "inactive", "H1: active false is a refusal");
	inspector_says("{\"active\":false,\"scope\":\"admin\",\"sub\":\"root\"," AUD ",\"exp\":1900000000}");
	is_str(ask("y"), "inactive", "H1: whatever else it says");
	ok(!who.subject && !who.scopes.n, "and leaves no principal");
	for (size_t i = 0; i < sizeof(undecided) / sizeof(*undecided); i++) {
		char text[512];

		renew(30);
		snprintf(text, sizeof(text), "{\"active\":%s,\"sub\":\"u\"," AUD ",\"exp\":1900000000}", undecided[i]);
		inspector_says(text);
		is_str(ask("x"), "introspection_unavailable", "H1: active %s decides nothing", undecided[i]);
		inspector_says(GOOD);
		is_str(ask("x"), "ok", "H1: and was not kept");
	}
	renew(30);
	inspector_says("{\"sub\":\"u\"," AUD ",\"exp\":1900000000}");
	is_str(ask("x"), "introspection_unavailable", "H1: nor does a response without active");
}

static void
refused(const char *word, const char *text, const char *fmt, ...) __attribute__((format(printf, 3, 4)));

/* "fmt": the response's members besides active. */
static void
refused(const char *word, const char *text, const char *fmt, ...)
{
	char body[2048];
	size_t n = (size_t)snprintf(body, sizeof(body), "{\"active\":true,");
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(body + n, sizeof(body) - n, fmt, ap);
	va_end(ap);
	renew(30);
	inspector_says(body);
	is_str(ask("x"), word, "%s", text);
}

/* Claims are judged as those of a JWT are; what a response may leave out has a rule each. */
static void
test_claims(void)
{
	refused("bad_claims", "H3 W53: no aud is refused", "\"sub\":\"u\",\"exp\":1800000600}");
	refused("wrong_audience", "H3 W53: another aud is refused",
	    "\"sub\":\"u\",\"exp\":1800000600,\"aud\":\"https://other.example\"}");
	is_str(seen.data, "\"https://other.example\"", "and shown for the log");
	refused("ok", "W53: aud as a string", "\"sub\":\"u\",\"exp\":1800000600," AUD "}");
	refused("ok", "W53: aud as an array", "\"sub\":\"u\",\"exp\":1800000600,\"aud\":[\"a\",\"res_1\"]}");
	refused("bad_claims", "an aud that is no text is refused", "\"sub\":\"u\",\"exp\":1800000600,\"aud\":[1]}");
	refused("wrong_issuer", "H3: another issuer is refused",
	    "\"sub\":\"u\",\"exp\":1800000600," AUD ",\"iss\":\"https://evil.example\"}");
	is_str(seen.data, "\"https://evil.example\"", "and shown for the log");
	refused("bad_claims", "an issuer that is no text is refused",
	    "\"sub\":\"u\",\"exp\":1800000600," AUD ",\"iss\":null}");
	refused("ok", "H3: no iss: the issuer is the one that was asked", "\"sub\":\"u\",\"exp\":1800000600," AUD "}");
	is_str(who.issuer, ISSUER, "and stands in the principal");
	refused("expired", "H3: exp in the past is refused", "\"sub\":\"u\",\"exp\":1799999960," AUD "}");
	refused("bad_claims", "an exp that is no number is refused", "\"sub\":\"u\",\"exp\":\"1900000000\"," AUD "}");
	refused("not_yet_valid", "H3: nbf in the future is refused",
	    "\"sub\":\"u\",\"exp\":1800000600,\"nbf\":1800000100," AUD "}");
	refused("ok", "H3: no exp: it is good as long as the answer is kept", "\"sub\":\"u\"," AUD "}");
	is_int(who.expires_at_s, NOW + 30, "that is 30 s");
	refused("ok", "no sub: the client speaks for itself", "\"client_id\":\"skc_9\",\"exp\":1800000600," AUD "}");
	is_str(who.subject, "skc_9", "and is the subject");
	refused("bad_claims", "neither sub nor client_id: nobody", "\"username\":\"root\",\"exp\":1800000600," AUD "}");
	refused("bad_claims", "a sub that is no text is not replaced",
	    "\"sub\":7,\"client_id\":\"skc_9\",\"exp\":1800000600," AUD "}");
	refused("sender_constrained", "E21: cnf is refused as plain Bearer",
	    "\"sub\":\"u\",\"exp\":1800000600,\"cnf\":{\"jkt\":\"x\"}," AUD "}");
	refused("sender_constrained", "E21: token_type DPoP too",
	    "\"sub\":\"u\",\"exp\":1800000600,\"token_type\":\"dpop\"," AUD "}");
	refused("not_access_token", "a refresh token is none for us",
	    "\"sub\":\"u\",\"exp\":1800000600,\"token_type\":\"refresh_token\"," AUD "}");
	refused("not_access_token", "nor by token_use",
	    "\"sub\":\"u\",\"exp\":1800000600,\"token_use\":\"refresh_token\"," AUD "}");
	strlist_clear(&policy.kinds);
	if (strlist_add(&policy.kinds, "access", 6))
		exit(99);
	refused("ok", "token_type Bearer says how a token is shown, whatever kinds there are",
	    "\"sub\":\"u\",\"exp\":1800000600,\"token_type\":\"bearer\",\"token_use\":\"access\"," AUD "}");
	refused("not_access_token", "and its kind is judged beside it",
	    "\"sub\":\"u\",\"exp\":1800000600,\"token_type\":\"Bearer\",\"token_use\":\"id\"," AUD "}");
	refused("wrong_resource", "another resource is refused",
	    "\"sub\":\"u\",\"exp\":1800000600,\"resource\":\"https://other.example/mcp\"," AUD "}");
}

/* Answers that decide nothing: 503, never 401. */
static void
test_undecided(void)
{
	static const struct {
		int status;
		const char *type, *body, *text;
	} rows[] = {
		{200, "text/html", "<!DOCTYPE html>", "H2: HTML"},
		{200, "text/html", GOOD, "H2: a good body that says it is HTML"},
		{200, NULL, GOOD, "H2: no Content-Type"},
		{200, "application/jwt", GOOD, "H2: another JSON-like type"},
		{200, "application/hal+json", GOOD, "H2: application/hal+json"},
		{200, "application/jsonx", GOOD, "H2: application/jsonx"},
		{200, "application/token-introspection+jwt", "eyJ.eyJ.x", "H4: a signed response (RFC 9701)"},
		{200, "application/token-introspection+jwt", GOOD, "H4: one whose body is plain"},
		{200, "application/json", "", "H2: an empty body"},
		{200, "application/json", "[" GOOD "]", "H2: an array"},
		{200, "application/json", "true", "H2: a scalar"},
		{200, "application/json", GOOD "x", "H2: bytes after the object"},
		{200, "application/json", "{\"active\":true,\"active\":false," AUD "}", "H2: a member twice"},
		{201, "application/json", GOOD, "H2: status 201"},
		{204, "application/json", GOOD, "H2: status 204"},
		{302, "application/json", GOOD, "H8: a redirect with a good body"},
		{307, "application/json", GOOD, "H8: a redirect that keeps the body"},
		{400, "application/json", GOOD, "H2: status 400"},
		{401, "application/json", GOOD, "H2: status 401, our credentials"},
		{403, "application/json", GOOD, "H2: status 403"},
		{404, "application/json", GOOD, "H2: status 404"},
		{429, "application/json", GOOD, "H2: status 429"},
		{500, "application/json", GOOD, "H2: status 500"},
		{503, "application/json", GOOD, "H2: status 503"},
	};

	for (size_t i = 0; i < sizeof(rows) / sizeof(*rows); i++) {
		renew(30);
		inspector_says(rows[i].body);
		inspector.status = rows[i].status;
		inspector.type = rows[i].type;
		is_str(ask("x"), "introspection_unavailable", "%s decides nothing", rows[i].text);
		inspector_says(GOOD);
		is_str(ask("x"), "ok", "and was not kept");
	}
	renew(30);
	inspector_says("{\"error\":\"unsupported_token_type\",\"error_description\":\"no JWTs here\"}");
	inspector.status = 400;
	is_str(ask("x"), "inactive", "but a server that is not to be asked about such tokens has decided");
	inspector.status = 500;
	is_str(ask("y"), "introspection_unavailable", "which only status 400 can say");
	inspector.status = 400;
	inspector.body = "{\"error\":\"invalid_request\"}";
	is_str(ask("y"), "introspection_unavailable", "and no other error");
	inspector.body = "unsupported_token_type";
	is_str(ask("y"), "introspection_unavailable", "in JSON");
	renew(30);
	inspector.err = MCP_ETIMEOUT;
	is_str(ask("x"), "introspection_unavailable", "H2: nor does silence");
	inspector.err = MCP_ENOMEM;
	is_str(ask("y"), "out_of_resources", "a lack of memory is not the server's fault");
	inspector_says(GOOD);
	inspector.type = "Application/JSON; charset=utf-8";
	is_str(ask("x"), "ok", "a media type has no case, and parameters do not count");
}

static void
test_cache(void)
{
	char text[512];
	int before;

	renew(30);
	inspector_says(GOOD);
	before = inspector.asked;
	for (int i = 0; i < 30; i++)
		ask_at("x", NOW + i);
	is_int(inspector.asked, before + 1, "an answer is kept for 30 s");
	is_str(ask_at("x", NOW + 29), "ok", "and is as good");
	is_str(who.subject, "usr_1", "with its principal");
	inspector_says("{\"active\":false}");
	is_str(ask_at("x", NOW + 29), "ok", "H6: a revoked token is good while the answer is kept");
	is_str(ask_at("x", NOW + 30), "inactive", "H6: and not a second longer");
	before = inspector.asked;
	is_str(ask_at("x", NOW + 59), "inactive", "a refusal is kept too");
	is_int(inspector.asked, before, "without a question");
	is_str(ask_at("x", NOW + 60), "inactive", "for as long");
	is_int(inspector.asked, before + 1, "then it is asked again");
	is_str(ask_at("x", NOW - 100), "inactive", "a clock that jumps back");
	is_int(inspector.asked, before + 2, "makes what is kept worthless");

	renew(30);
	snprintf(text, sizeof(text), "{\"active\":true,\"sub\":\"u\"," AUD ",\"exp\":%d}", NOW + 10);
	inspector_says(text);
	is_str(ask("x"), "ok", "G1: a token that ends in 10 s");
	before = inspector.asked;
	ask_at("x", NOW + 9);
	is_int(inspector.asked, before, "G1: is kept until then");
	inspector_says("{\"active\":false}");
	is_str(ask_at("x", NOW + 10), "inactive", "G1: and never past its exp, although that has a leeway");

	renew(0);
	inspector_says(GOOD);
	before = inspector.asked;
	is_str(ask("x"), "ok", "with nothing kept");
	is_str(ask("x"), "ok", "each use");
	is_int(inspector.asked, before + 2, "asks");
	inspector_says("{\"active\":true,\"sub\":\"u\"," AUD "}");
	is_str(ask("y"), "ok", "also where there is no exp");
}

/* One token's answer is no other's. */
static void
test_mixing(void)
{
	char token[64];
	int wrong = 0;

	renew(30);
	for (int i = 0; i < 500; i++) {
		char body[512];

		snprintf(body, sizeof(body), "{\"active\":%s,\"sub\":\"u%d\"," AUD "}", i % 2 ? "true" : "false", i);
		snprintf(token, sizeof(token), "token-%d", i);
		inspector_says(body);
		ask(token);
	}
	inspector_says("{\"active\":true,\"sub\":\"somebody\",\"aud\":\"elsewhere\"}");
	for (int i = 0; i < 500; i++) {
		char sub[64];
		const char *word;

		snprintf(token, sizeof(token), "token-%d", i);
		snprintf(sub, sizeof(sub), "u%d", i);
		word = ask(token);
		wrong += strcmp(word, i % 2 ? "ok" : "inactive") != 0 || (i % 2 && strcmp(who.subject, sub) != 0);
	}
	is_int(wrong, 0, "G3: of 500 tokens each has its own answer");
	is_str(ask("token-1 "), "wrong_audience", "G3: a token with a byte more is another one");
	is_str(ask("token-"), "wrong_audience", "G3: so is one with a byte less");
}

/* Whoever guesses tokens cannot push out good ones; answers that are active and not for us neither. */
static void
test_scanning(void)
{
	char token[64];
	int before, found = 0;

	renew(300);
	inspector_says(GOOD);
	for (int i = 0; i < 100; i++) {
		snprintf(token, sizeof(token), "good-%d", i);
		ask(token);
	}
	for (int i = 0; i < 20000; i++) {
		snprintf(token, sizeof(token), "guess-%d", i);
		inspector_says(i % 2 ? "{\"active\":false}" : "{\"active\":true,\"sub\":\"u\",\"aud\":\"elsewhere\"}");
		ask(token);
	}
	before = inspector.asked;
	for (int i = 0; i < 100; i++) {
		snprintf(token, sizeof(token), "good-%d", i);
		found += strcmp(ask(token), "ok") == 0;
	}
	is_int(found, 100, "20,000 guesses push out none of 100 good tokens");
	is_int(inspector.asked, before, "nobody is asked about these");
}

static void
test_size(void)
{
	static char body[INTROSPECTION_CACHE_TEXT_MAX + 1024];
	char token[64];
	size_t n;
	int before;

	renew(300);
	n = (size_t)snprintf(body, sizeof(body), "{\"active\":true,\"sub\":\"u\"," AUD ",\"more\":\"");
	memset(body + n, 'x', INTROSPECTION_CACHE_TEXT_MAX);
	snprintf(body + n + INTROSPECTION_CACHE_TEXT_MAX, 8, "\"}");
	inspector_says(body);
	before = inspector.asked;
	is_str(ask("long"), "ok", "a long answer counts");
	ask("long");
	is_int(inspector.asked, before + 2, "but is not kept");
	memset(body + n, 'x', 15000);
	snprintf(body + n + 15000, 8, "\"}");
	renew(300);
	for (int i = 0; i < 1000; i++) {
		snprintf(token, sizeof(token), "token-%d", i);
		ask(token);
	}
	inspector.status = 400;
	before = 0;
	for (int i = 0; i < 1000; i++) {
		snprintf(token, sizeof(token), "token-%d", i);
		before += strcmp(ask(token), "ok") == 0;
	}
	ok(before > 200 && before <= INTROSPECTION_CACHE_BYTES_MAX / 15000,
	    "of 1000 answers of 15 KB as many are kept as the bound allows: %d", before);
	inspector_says(body);
	for (int i = 0; i < 100; i++) {
		snprintf(token, sizeof(token), "late-%d", i);
		ask_at(token, NOW + 300);
	}
	inspector.status = 400;
	before = 0;
	for (int i = 0; i < 100; i++) {
		snprintf(token, sizeof(token), "late-%d", i);
		before += strcmp(ask_at(token, NOW + 301), "ok") == 0;
	}
	is_int(before, 100, "and what is over makes room for what comes");
}

static void
test_breaker(void)
{
	char token[64];
	int before = inspector.asked;

	renew(30);
	inspector_says(GOOD);
	ask("known");
	before = inspector.asked;
	inspector.err = MCP_ENET;
	buf_reset(&log_lines);
	for (int i = 0; i < 100; i++) {
		snprintf(token, sizeof(token), "token-%d", i);
		ask(token);
	}
	is_int(inspector.asked - before, BREAKER_FAILURES,
	    "H7: of 100 tokens in an outage only the first few are asked about");
	is_str(ask("known"), "ok", "what is kept counts meanwhile");
	ok(introspection_retry_after_s(in) >= 1 && introspection_retry_after_s(in) <= 2,
	    "Retry-After is the rest of the pause");
	ok(strstr(log_lines.data, ISSUER "/oauth/introspect: told to fail"), "the log says what happened");
	is_int(strchr(log_lines.data, '\n') - log_lines.data, (long long)log_lines.len - 1, "in one line");
	ok(!strstr(log_lines.data, "s3cret") && !strstr(log_lines.data, "c2tj") && !strstr(log_lines.data, "token-0"),
	    "H9: without secret and token");

	renew(30);
	inspector_says(GOOD);
	inspector.status = 400;
	before = inspector.asked;
	for (int i = 0; i < 100; i++) {
		snprintf(token, sizeof(token), "token-%d", i);
		ask(token);
	}
	is_int(inspector.asked - before, 100, "refusals that a token can cause do not open it for everybody");
	renew(30);
	inspector.status = 429;
	inspector.retry_after_s = 20;
	before = inspector.asked;
	ask("x");
	ask("y");
	is_int(inspector.asked - before, 1, "H2: a server that says 429 with Retry-After is left alone at once");
	is_int(introspection_retry_after_s(in), 20, "for that long");
}

static void
test_limits(void)
{
	static char token[20000];
	int before = inspector.asked;

	renew(30);
	inspector_says(GOOD);
	memset(token, 'x', sizeof(token) - 1);
	is_str(ask(token), "too_long", "A7: an over-long token is refused");
	is_int(inspector.asked, before, "and nobody is asked");
	token[16384] = '\0';
	is_str(ask(token), "ok", "one of the greatest length is not");
}

/* Two issuers: by name, and what becomes of a token that names none. */
static const char *
route(struct issuers *set, const char *token, const char *text)
{
	const struct issuer *judge;
	const char *word;

	inspector.last_url[0] = '\0';
	principal_clear(&who);
	word = oauth_outcome_row(token_validate(set, token, strlen(token), NOW, &who, NULL, &judge))->word;
	diag("%s: %s, asked: %s", text, word, inspector.last_url);
	return word;
}

#define ASKED "POST " ISSUER "/oauth/introspect"
/* {"alg":"RS256","kid":"k"}.{"iss":"..."}.signature, of ISSUER, of the other one, and of nobody */
#define OURS "eyJhbGciOiJSUzI1NiIsImtpZCI6ImsifQ.eyJpc3MiOiJodHRwczovL2FzLmV4YW1wbGUuY29tIn0.AAAA"
#define OTHERS "eyJhbGciOiJSUzI1NiIsImtpZCI6ImsifQ.eyJpc3MiOiJodHRwczovL290aGVyLmV4YW1wbGUifQ.AAAA"
#define NOBODYS "eyJhbGciOiJSUzI1NiIsImtpZCI6ImsifQ.eyJpc3MiOiJodHRwczovL2V2aWwuZXhhbXBsZSJ9.AAAA"
#define NAMELESS "eyJhbGciOiJSUzI1NiIsImtpZCI6ImsifQ.e30.AAAA"

static void
test_routes(void)
{
	static const struct fetch_policy terms;
	struct keystore_options keys = {.uri = "https://keys.example/1", .fetch = &terms};
	struct issuers set = {0};
	struct issuer *first = issuers_add(&set, "other"), *second;

	if (!first || strlist_add(&first->policy.issuers, "https://other.example", 21) || keystore_new(&keys,
	    &first->keys))
		exit(99);
	first->policy.max_bytes = 16384;
	if (strlist_add(&first->policy.algorithms, "RS256", 5))
		exit(99);
	second = issuers_add(&set, "ours");
	if (!second || keystore_new(&keys, &second->keys))
		exit(99);
	second->policy = policy;	/* borrowed */

	inspector_says(GOOD);
	is_str(route(&set, "opaque", "VALIDATION=jwt"), "not_jwt", "A12: an opaque token where nobody introspects");
	is_str(inspector.last_url, "", "A12: is refused and nobody is asked");
	second->validation = TOKEN_VALIDATION_OPAQUE;
	second->introspection = inspector_new(0, 4);
	is_str(route(&set, "opaque", "opaque"), "ok", "VALIDATION=opaque: an opaque token");
	is_str(inspector.last_url, ASKED, "is asked about at the one who introspects");
	is_str(route(&set, "a.b.c.d.e", "opaque"), "ok", "so is one of five segments");
	is_str(route(&set, "..", "opaque"), "not_jwt", "one of three is a JWT or nothing");
	is_str(inspector.last_url, "", "and nobody is asked");
	is_str(route(&set, NOBODYS, "opaque"), "wrong_issuer", "a JWT of nobody we know");
	is_str(inspector.last_url, "", "is refused and nobody is asked");
	is_str(route(&set, OURS, "opaque"), "keys_unavailable", "our JWT");
	is_str(inspector.last_url, "GET https://keys.example/1", "is verified with keys");
	second->validation = TOKEN_VALIDATION_INTROSPECT;
	is_str(route(&set, OURS, "introspect"), "ok", "VALIDATION=introspect: our JWT");
	is_str(inspector.last_url, ASKED, "is asked about");
	is_str(route(&set, NAMELESS, "introspect"), "ok", "so is a JWT that names no issuer");
	is_str(route(&set, "a.b.c", "introspect"), "ok", "and what only looks like one");
	is_str(route(&set, "opaque", "introspect"), "ok", "and an opaque token");
	is_str(route(&set, OTHERS, "introspect"), "keys_unavailable", "the other issuer's JWT");
	is_str(inspector.last_url, "GET https://keys.example/1", "is verified with its keys and not shown to ours");
	is_str(route(&set, NOBODYS, "introspect"), "wrong_issuer", "a JWT of nobody we know");
	is_str(inspector.last_url, "", "is shown to nobody");
	memset(&second->policy, 0, sizeof(second->policy));
	issuers_clear(&set);
}

int
main(void)
{
	buf_init(&seen, 4096);
	buf_init(&log_lines, 1 << 20);
	log_capture(remember, NULL);
	inspector_begin();
	renew(30);
	test_request();
	test_active();
	test_claims();
	test_undecided();
	test_cache();
	test_mixing();
	test_scanning();
	test_size();
	test_breaker();
	test_limits();
	test_routes();
	introspection_free(in);
	principal_clear(&who);
	buf_clear(&seen);
	buf_clear(&log_lines);
	inspector_end();
	return tap_done();
}
