/* SPDX-License-Identifier: MIT */
#include "oauth/jwks.h"

#include <openssl/evp.h>
#include <stdlib.h>
#include <string.h>

#include "base/log.h"
#include "tests/unit/mint.h"
#include "tests/tap.h"

static unsigned lines, warnings;

static void
count_lines(void *ctx, enum log_level level, const char *text)
{
	(void)ctx;
	(void)text;
	lines++;
	warnings += level <= LOG_LEVEL_WARNING;
}

#define EC1 "{\"kty\":\"EC\",\"crv\":\"P-256\"" \
	",\"x\":\"f83OJ3D2xF1Bg8vub9tLe1gHMzV76e8Tus9uPHvRVEU\",\"y\":\"x_FEzRu9m36HLN_tue659LNpXW6pCyStikYjKIWI5a0\""
#define ED1 "{\"kty\":\"OKP\",\"crv\":\"Ed25519\",\"x\":\"11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo\""

static struct jwks *
parse(const char *text, enum mcp_err want, size_t want_skipped, const char *claim)
{
	struct jwks *set;
	size_t skipped = 999;
	enum mcp_err err = jwks_parse(text, strlen(text), &set, &skipped);

	if (err != want || (set != NULL) != (err == MCP_OK) || (err == MCP_OK && skipped != want_skipped)) {
		ok(false, "%s", claim);
		diag("%s, %zu skipped", mcp_strerror(err), skipped);
	} else {
		ok(true, "%s", claim);
	}
	return set;
}

static void
test_shapes(void)
{
	jwks_unref(parse("{\"keys\":[" EC1 "}]}", MCP_OK, 0, "a set of one key"));
	jwks_unref(parse("{\"x\":1,\"keys\":[" EC1 "}],\"y\":[[]]}", MCP_OK, 0, "with other members around"));
	parse("{}", MCP_ETYPE, 0, "D1: no keys member");
	parse("{\"keys\":\"x\"}", MCP_ETYPE, 0, "D1: keys a string");
	parse("{\"keys\":{}}", MCP_ETYPE, 0, "D1: keys an object");
	parse("{\"keys\":null}", MCP_ETYPE, 0, "D1: keys null");
	parse("{\"keys\":1}", MCP_ETYPE, 0, "D1: keys a number");
	parse("{\"keys\":[]}", MCP_ENOENT, 0, "D1: no keys in it");
	parse("[]", MCP_ETYPE, 0, "D1: an array");
	parse("[" EC1 "}]", MCP_ETYPE, 0, "D1: an array of keys");
	parse("null", MCP_ETYPE, 0, "D1: null");
	parse("", MCP_ESYNTAX, 0, "F3: nothing");
	parse("<html></html>", MCP_ESYNTAX, 0, "F3: HTML");
	parse("{\"keys\":[" EC1 "}]", MCP_ESYNTAX, 0, "F3: cut off");
	parse("{\"keys\":[" EC1 "}]}x", MCP_ESYNTAX, 0, "bytes after it");
	parse("{\"keys\":[],\"keys\":[" EC1 "}]}", MCP_ESYNTAX, 0, "keys twice");
	parse("{\"keys\":[" EC1 ",\"kid\":\"a\",\"kid\":\"b\"}]}", MCP_ESYNTAX, 0, "a member of a key twice");
	parse("{\"keys\":[[[[[[[[[[[[[[[[[[[[]]]]]]]]]]]]]]]]]]]]}", MCP_ELIMIT, 0, "nested too deep");
}

static void
test_mixed(void)
{
	struct jwks *set = parse("{\"keys\":[null,1,\"x\",[],{},{\"kty\":\"oct\",\"k\":\"AAAA\",\"kid\":\"oct\"},"
	    "{\"kty\":\"PQC\",\"kid\":\"new\"}," EC1 ",\"use\":\"enc\"}," EC1 ",\"d\":\"AA\",\"kid\":\"private\"},"
	    EC1 ",\"kid\":\"good\"}," ED1 ",\"kid\":\"ed\"}]}", MCP_OK, 9, "D2: bad keys among good ones are skipped");
	bool known;

	if (!set)
		return;
	is_int((long long)jwks_count(set), 2, "D2: and the good ones are there");
	is_str(jwk_kid(jwks_at(set, 0)), "good", "D2: the first");
	is_str(jwk_kid(jwks_at(set, 1)), "ed", "D2: the second");
	ok(!jwks_at(set, 2), "there is no third");
	ok(!jwks_select(set, "oct", "HS256", &known) && !known, "D3: the symmetric key is not there");
	ok(!jwks_select(set, "private", "ES256", &known) && !known, "D8: nor the private one");
	jwks_unref(set);
	parse("{\"keys\":[{\"kty\":\"oct\",\"k\":\"AAAA\"}]}", MCP_ENOENT, 1, "D3: a set of symmetric keys has no key");
}

static void
test_log(void)
{
	struct jwks *set;

	log_capture(count_lines, NULL);
	lines = warnings = 0;
	set = parse("{\"keys\":[" EC1 ",\"kid\":\"x\"}," EC1 ",\"use\":\"enc\"}]}", MCP_OK, 1, "a key for encryption");
	is_int(warnings, 0, "is nothing to warn of");
	jwks_unref(set);
	set = parse("{\"keys\":[" EC1 ",\"kid\":\"x\"}," EC1 ",\"d\":\"AA\"}]}", MCP_OK, 1, "D8: a private key");
	is_int(warnings, 1, "D8: is");
	jwks_unref(set);
	lines = 0;
	parse("{\"keys\":[1,2,3,4,5,6,7,8,9,10,11,12]}", MCP_ENOENT, 12, "many bad keys");
	ok(lines <= 4, "do not flood the log");
	log_capture(NULL, NULL);
}

/* "n" keys named k0, k1 ... */
static char *
many(size_t n)
{
	struct buf b;

	buf_init(&b, 4 << 20);
	buf_puts(&b, "{\"keys\":[");
	for (size_t i = 0; i < n; i++)
		buf_printf(&b, "%s" EC1 ",\"kid\":\"k%zu\"}", i ? "," : "", i);
	buf_puts(&b, "]}");
	return buf_steal(&b, NULL);
}

static void
test_bounds(void)
{
	struct jwks *set;
	struct buf b;
	char *text;

	text = many(64);
	set = parse(text, MCP_OK, 0, "D11: 64 keys");
	is_int((long long)jwks_count(set), 64, "D11: are all taken");
	jwks_unref(set);
	free(text);
	text = many(65);
	set = parse(text, MCP_OK, 1, "D11: of 65 keys one is left out");
	is_int((long long)jwks_count(set), 64, "D11: and 64 taken");
	ok(jwks_select(set, "k63", "ES256", NULL) && !jwks_select(set, "k64", "ES256", NULL), "D11: the first ones");
	jwks_unref(set);
	free(text);
	text = many(1000);
	set = parse(text, MCP_OK, 936, "D11: 1000 keys");
	jwks_unref(set);
	free(text);
	text = many(10000);
	parse(text, MCP_ELIMIT, 0, "D11: 10 000 keys are more bytes than a set may have");
	free(text);
	buf_init(&b, 1 << 20);
	buf_puts(&b, "{\"keys\":[{}");
	for (int i = 0; i < 60000; i++)
		buf_puts(&b, ",{}");
	buf_puts(&b, "]}");
	parse(b.data, MCP_ELIMIT, 0, "D11: 60 000 empty objects are too many values");
	buf_clear(&b);
}

static void
test_select(void)
{
	struct jwks *set = parse("{\"keys\":[" EC1 ",\"kid\":\"same\"}," ED1 ",\"kid\":\"same\"},"
	    EC1 ",\"kid\":\"two\"}," ED1 "}]}",
	    MCP_OK, 0, "a set with a kid twice, and a key without");
	struct jwks *one = parse("{\"keys\":[" EC1 "}]}", MCP_OK, 0, "a set of one nameless key");
	bool known = false;

	ok(jwks_select(set, "same", "ES256", &known) == jwks_at(set, 0) && known, "kid and alg choose the one");
	ok(jwks_select(set, "same", "EdDSA", &known) == jwks_at(set, 1) && known, "or the other");
	ok(!jwks_select(set, "same", "RS256", &known) && known,
	    "C4: a known kid that cannot do the alg is known, and no key");
	ok(!jwks_select(set, "other", "ES256", &known) && !known, "D15: an unknown kid is unknown");
	ok(!jwks_select(set, "SAME", "ES256", &known) && !known, "kids are compared with case");
	ok(!jwks_select(set, "sam", "ES256", &known) && !known, "and as a whole");
	ok(!jwks_select(set, NULL, "ES256", &known) && !known, "C13: without kid, two keys fit: none");
	ok(!jwks_select(set, NULL, "EdDSA", NULL), "C13: a nameless key does not win over a named one");
	ok(!jwks_select(set, NULL, "RS256", NULL), "C13: nothing fits");
	ok(jwks_select(one, NULL, "ES256", NULL) == jwks_at(one, 0), "C13: without kid the only key that fits");
	ok(!jwks_select(one, "x", "ES256", &known) && !known, "a nameless key is not the one of any kid");
	ok(!jwks_select(one, NULL, "HS256", NULL), "C2: no key can do HS256");
	ok(jwks_ref(one) == one, "one more reference");
	jwks_unref(one);
	is_int((long long)jwks_count(one), 1, "keeps the set");
	jwks_unref(one);
	jwks_unref(set);
	jwks_unref(NULL);
}

int
main(void)
{
	test_shapes();
	test_mixed();
	test_log();
	test_bounds();
	test_select();
	return tap_done();
}
