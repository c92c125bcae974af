/* SPDX-License-Identifier: MIT */
/*
 * What judges tokens, when memory is short: each allocation in turn fails, of our own code (malloc and friends, and
 * the calls into json-c, wrapped by the linker) and of OpenSSL (its hook). Whatever fails, no token is accepted that
 * would not be, nothing is left half done, and nothing leaks: the sanitizers and valgrind look.
 */
#include <openssl/crypto.h>
#include <stdlib.h>
#include <string.h>

#include "oauth/metadata.h"
#include "tests/tap.h"
#include "tests/unit/mint.h"
#include "tests/unit/nomem.h"
#include "tests/unit/validation.h"

static unsigned long unavailable, blamed;	/* tokens refused with 503, and with 401, for lack of memory */

/* The library's, which -Wl,--wrap gives this name. */
void *__real_malloc(size_t n);
void *__real_realloc(void *p, size_t n);

static void *
crypto_malloc(size_t n, const char *file, int line)
{
	(void)file;
	(void)line;
	return nomem_fails() ? NULL : __real_malloc(n);
}

static void *
crypto_realloc(void *p, size_t n, const char *file, int line)
{
	(void)file;
	(void)line;
	return nomem_fails() ? NULL : __real_realloc(p, n);
}

static void
crypto_free(void *p, const char *file, int line)
{
	(void)file;
	(void)line;
	free(p);
}

/* Called before each try, with all the memory there is: a set that has not verified the token yet. */
static void (*prepare)(void);

/*
 * Run "try" with its n-th allocation failing (or all from the n-th on), for n from 0 until none fails. Each result goes
 * to "check" together with whether something failed. Returns the number of allocations, -1 if a check said no.
 */
static long
fail_each(int (*try)(const void *), const void *what, bool all, bool (*check)(int result, bool failed))
{
	for (long n = 0; n < 100000; n++) {
		unsigned long before = nomem_failed;
		int result;

		if (prepare)
			prepare();
		nomem_for_good = all;
		nomem_left = n;
		result = try(what);
		nomem_left = -1;
		if (!check(result, nomem_failed != before)) {
			diag("allocation %ld: result %d", n, result);
			return -1;
		}
		if (nomem_failed == before)
			return n;
	}
	return -1;
}

static int
try_token(const void *token)
{
	principal_clear(&who);
	return (int)validate_token(token, strlen(token), NOW, &who, NULL);
}

/*
 * OpenSSL can do without some of its allocations; then the token passes, with all that is in it. Some of its steps end
 * like those of a bad signature; when memory is there again by then, nobody can tell.
 */
static bool
check_token(int outcome, bool failed)
{
	static const struct principal nobody;

	if (outcome == OAUTH_OK)
		return who.claims && who.subject && who.issuer && who.client_id && who.organisation &&
		    who.scopes.n == 4;
	if (!failed || memcmp(&who, &nobody, sizeof(who)) != 0)
		return false;
	if (outcome == OAUTH_OUT_OF_RESOURCES)
		unavailable++;
	else
		blamed++;
	return outcome == OAUTH_OUT_OF_RESOURCES || (!nomem_for_good && outcome == OAUTH_BAD_SIGNATURE);
}

static bool
check_bad_token(int outcome, bool failed)
{
	return outcome == OAUTH_BAD_SIGNATURE || (failed && outcome == OAUTH_OUT_OF_RESOURCES);
}

static void
test_tokens(void)
{
	const struct {
		const char *alg, *kid;
		EVP_PKEY *key;
	} rows[] = {
		{"RS256", "any", rsa2}, {"PS256", "any", rsa2}, {"ES256", "p256", p256}, {"EdDSA", "ed25519", ed25519},
	};

	for (size_t i = 0; i < sizeof(rows) / sizeof(*rows); i++) {
		char *header = mint_text("{\"alg\":\"%s\",\"kid\":\"%s\",\"typ\":\"JWT\"}", rows[i].alg, rows[i].kid);
		char *payload = claims("scp", "[\"a\",\"b\"]"), *token = mint(rows[i].key, rows[i].alg, header,
		    payload), *dot;
		long n;

		try_token(token);
		prepare = keystore_renew;
		n = fail_each(try_token, token, false, check_token);
		ok(n > 40, "%s: each of %ld allocations fails once: refused, or the whole principal", rows[i].alg, n);
		n = fail_each(try_token, token, true, check_token);
		ok(n > 40, "%s: all from the n-th on fail, of %ld: never 401", rows[i].alg, n);
		dot = strrchr(token, '.');
		dot[5] = dot[5] == 'A' ? 'B' : 'A';
		n = fail_each(try_token, token, false, check_bad_token);
		ok(n > 20, "%s: with a bad signature each of %ld fails once: never accepted", rows[i].alg, n);
		n = fail_each(try_token, token, true, check_bad_token);
		ok(n > 20, "%s: with a bad signature all from the n-th on fail, of %ld: never accepted", rows[i].alg,
		    n);
		prepare = NULL;
		free(header);
		free(payload);
		free(token);
	}
	diag("%lu times 503, %lu times 401", unavailable, blamed);
	ok(blamed * 10 < unavailable, "a lack of memory is rarely taken for a bad signature");
}

static struct jwks *parsed;

static int
try_set(const void *text)
{
	jwks_unref(parsed);
	return (int)jwks_parse(text, strlen(text), &parsed, NULL);
}

/* A key that memory was too short for must not look like a key that is of no use. */
static bool
check_set(int err, bool failed)
{
	if (err == MCP_OK)
		return jwks_count(parsed) == 3;
	return failed && !parsed && (err == MCP_ENOMEM || err == MCP_ECRYPTO);
}

static void
test_sets(void)
{
	char *a = jwk_text(rsa, ",\"kid\":\"a\""), *b = jwk_text(p256, ",\"kid\":\"b\""), *c = jwk_text(ed25519, "");
	char *text = mint_text("{\"keys\":[%s,%s,{\"kty\":\"new\"},%s]}", a, b, c);
	long n;

	n = fail_each(try_set, text, false, check_set);
	ok(n > 60, "a key set: each of %ld allocations fails once: an error, or all the keys", n);
	n = fail_each(try_set, text, true, check_set);
	ok(n > 60, "a key set: all from the n-th on fail, of %ld", n);
	jwks_unref(parsed);
	free(a);
	free(b);
	free(c);
	free(text);
}

static struct metadata document;

static int
try_metadata(const void *text)
{
	char read[] = "usr:read", as[] = "https://a", *v[] = {read, as};
	struct strlist scopes = {v, 1}, servers = {v + 1, 1};

	metadata_clear(&document);
	return (int)metadata_build(text, "https://r", &servers, &scopes, &document, NULL);
}

static bool
check_metadata(int err, bool failed)
{
	if (err == MCP_OK)
		return document.body && (document.status == 500 || document.resource);
	return failed && err == MCP_ENOMEM && !document.body && !document.resource;
}

static void
test_metadata(void)
{
	static const char *const texts[] = {
		"auto", "{\"resource\":\"https://r\",\"authorization_servers\":[\"https://a\"]}", "rubbish", "",
	};

	for (size_t i = 0; i < sizeof(texts) / sizeof(*texts); i++) {
		long n = fail_each(try_metadata, texts[i], false, check_metadata);

		ok(n > 0, "metadata %zu: each of %ld allocations fails once: an error, or all of it", i, n);
		n = fail_each(try_metadata, texts[i], true, check_metadata);
		ok(n > 0, "metadata %zu: all from the n-th on fail, of %ld", i, n);
	}
	metadata_clear(&document);
}

int
main(void)
{
	ok(CRYPTO_set_mem_functions(crypto_malloc, crypto_realloc, crypto_free) == 1, "OpenSSL allocates through us");
	validation_begin();
	test_tokens();
	test_sets();
	test_metadata();
	validation_end();
	return tap_done();
}
