/* SPDX-License-Identifier: MIT */
/*
 * An access token, validated with three fixed keys under a fixed policy. Input: "0" and a token as it is; "1" and a
 * header, a line end and a payload, or "2" and a payload, which are signed here with the key "ed", so that what lies
 * behind the signature is reached.
 */
#include <string.h>

#include <openssl/evp.h>

#include "base/digest.h"
#include "base/json.h"
#include "base/log.h"
#include "base/text.h"
#include "oauth/keystore.h"
#include "oauth/token.h"
#include "tests/fuzz/fuzz.h"

#define NOW_S 1700000000

/*
 * The private keys of "rsa" and "ec" are lost: corpus/jws has what they signed. That of "ed" is the SHA-256 of
 * "fuzz".
 */
static const char document[] = "{\"keys\":["
	"{\"kty\":\"RSA\",\"kid\":\"rsa\",\"use\":\"sig\",\"e\":\"AQAB\",\"n\":\""
	"yGL7OkKDgNcHJ_XS4_Dr3ookvityqa5SRWQWoKHQhBidLjcqgZvWXepQcdprYR1Gtu5zuGc8D5WOumjL"
	"XCPhQCnpfxMGDIAHmNX3KMyZd31lfUZw6CH340aXwyfU49MvZHZwHvBrzxjL2kLfHTHBC5sF_ys88LIW"
	"S8josLCSjlGPsYVDt35QOySVn6MT2rQy2Rnz5P3wc8TbVPTZ1Ys4ode3kKX3Tqh0aHKQks0x7Y5zjUvX"
	"Wwr_BjIGnKyklIaVP4ZHKz-vkHsPVXQ3wii5s7VKK56jKviGdXIoD2obFCfqUAz5xOGHt3dm845laFCa"
	"i3TwJ-UmotwISj1GrB6qPQ\"},"
	"{\"kty\":\"EC\",\"kid\":\"ec\",\"crv\":\"P-256\","
	"\"x\":\"YNfhlEB2tTZ7L88B60h6Gu8c8dkvozOVcLRY0YrOMic\",\"y\":\"nRAS9EtSmUst6tMu0lDbPIEaZhrJPgdDCWExfSfzrV0\"},"
	"{\"kty\":\"OKP\",\"kid\":\"ed\",\"crv\":\"Ed25519\",\"alg\":\"EdDSA\","
	"\"x\":\"GRKZzQsvOFcd6qUDmxfmF8zn2TU-nQVdU1M-NuNO3mU\"}]}";

static struct jwks *fixed;

/* Stands in for the key store, so that no input makes it read or fetch: the set is always the same. */
enum keystore_answer
keystore_find(struct keystore *k, const char *kid, const char *alg, int64_t now_s, struct jwks **set)
{
	(void)k;
	(void)kid;
	(void)alg;
	(void)now_s;
	*set = jwks_ref(fixed);
	return KEYSTORE_FOUND;
}

static void
swallow(void *ctx, enum log_level level, const char *text)
{
	(void)ctx;
	(void)level;
	(void)text;
}

static void
list(struct strlist *l, const char *words)
{
	FUZZ_CLAIM(strlist_split(l, words, " ", 8) == MCP_OK);
}

static const struct token_policy *
policy(void)
{
	static struct token_policy p;

	if (p.max_bytes)
		return &p;
	log_capture(swallow, NULL);
	FUZZ_CLAIM(jwks_parse(document, sizeof(document) - 1, &fixed, NULL) == MCP_OK && jwks_count(fixed) == 3);
	list(&p.issuers, "https://env.example https://env.example/resources/res_1");
	list(&p.audiences, "https://mcp.example/mcp res_1");
	list(&p.algorithms, "RS256 PS256 ES256 EdDSA");
	list(&p.types, "at+jwt jwt");
	list(&p.scope_claims, "scope scopes scp");
	list(&p.org_claims, "oid org_id");
	list(&p.client_claims, "client_id azp");
	list(&p.kinds, "access Bearer at+jwt");
	p.resource = text_dup("https://mcp.example/mcp", 23);
	p.leeway_s = 30;
	p.max_bytes = 16384;
	return &p;
}

/* Append the signature of "token" so far with the key "ed". */
static void
sign(struct buf *token)
{
	static EVP_PKEY *key;
	uint8_t seed[DIGEST_SHA256_LEN], signature[64];
	size_t len = sizeof(signature);
	EVP_MD_CTX *ctx = EVP_MD_CTX_new();

	if (!key) {
		FUZZ_CLAIM(digest_sha256("fuzz", 4, seed) == MCP_OK);
		key = EVP_PKEY_new_raw_private_key(EVP_PKEY_ED25519, NULL, seed, sizeof(seed));
	}
	FUZZ_CLAIM(key && ctx && EVP_DigestSignInit(ctx, NULL, NULL, NULL, key) == 1);
	FUZZ_CLAIM(EVP_DigestSign(ctx, signature, &len, (const uint8_t *)token->data, token->len) == 1);
	EVP_MD_CTX_free(ctx);
	buf_putc(token, '.');
	text_base64url_encode(signature, len, token);
}

static void
compose(char mode, const char *text, size_t len, struct buf *token)
{
	static const char usual[] = "{\"alg\":\"EdDSA\",\"kid\":\"ed\",\"typ\":\"at+jwt\"}";
	const char *end;

	if (mode == '1') {
		end = memchr(text, '\n', len);
		text_base64url_encode(text, end ? (size_t)(end - text) : len, token);
		buf_putc(token, '.');
		if (end)
			text_base64url_encode(end + 1, len - (size_t)(end + 1 - text), token);
		sign(token);
	} else if (mode == '2') {
		text_base64url_encode(usual, sizeof(usual) - 1, token);
		buf_putc(token, '.');
		text_base64url_encode(text, len, token);
		sign(token);
	} else {
		buf_put(token, text, len);
	}
}

/* What must be true of a caller, read from the claims on their own. */
static void
accepted(const struct principal *p)
{
	static const struct json_bounds bounds = { 1 << 20, 64, 10000 };
	struct json_object *again, *aud, *bound;
	struct buf text;
	double exp, nbf;
	const char *s;
	bool for_us = false;

	FUZZ_CLAIM(p->issuer && strlist_has(&policy()->issuers, p->issuer));
	FUZZ_CLAIM(p->subject && *p->subject);
	FUZZ_CLAIM(p->expires_at_s > NOW_S - 31);
	FUZZ_CLAIM(p->claims && json_get_number(p->claims, "exp", &exp) == MCP_OK && exp > NOW_S - 31);
	FUZZ_CLAIM(json_get_number(p->claims, "nbf", &nbf) == MCP_ENOENT || nbf <= NOW_S + 30);
	FUZZ_CLAIM(json_get(p->claims, "cnf", &bound) == MCP_ENOENT);
	FUZZ_CLAIM(json_get(p->claims, "aud", &aud) == MCP_OK);
	if (json_as_string(aud, &s, NULL) == MCP_OK)
		for_us = strlist_has(&policy()->audiences, s);
	for (size_t i = 0; i < json_count(aud); i++)
		if (json_as_string(json_at(aud, i), &s, NULL) == MCP_OK && strlist_has(&policy()->audiences, s))
			for_us = true;
	FUZZ_CLAIM(for_us);
	for (size_t i = 0; i < p->scopes.n; i++)
		FUZZ_CLAIM(p->scopes.v[i][0] && !strpbrk(p->scopes.v[i], " "));
	buf_init(&text, 1 << 22);
	json_render(p->claims, &text);
	FUZZ_CLAIM(json_parse(text.data, text.len, &bounds, &again, NULL) == MCP_OK && json_equal(again, p->claims));
	json_free(again);
	buf_clear(&text);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static const struct principal nobody;
	struct issuer only = { .policy = *policy() };
	const struct issuers trusted = { &only, 1 };
	struct principal who;
	struct buf token, seen;
	enum oauth_outcome outcome;

	if (size == 0)
		return 0;
	buf_init(&token, 1 << 22);
	buf_init(&seen, 512);
	compose((char)data[0], (const char *)data + 1, size - 1, &token);
	FUZZ_CLAIM(buf_status(&token) == MCP_OK);
	outcome = token_validate(&trusted, token.data, token.len, NOW_S, &who, &seen, NULL);
	FUZZ_CLAIM(outcome >= OAUTH_OK && outcome < OAUTH_INSUFFICIENT_SCOPE);
	FUZZ_CLAIM(outcome != OAUTH_OUT_OF_RESOURCES && outcome != OAUTH_KEYS_UNAVAILABLE);
	if (outcome == OAUTH_OK)
		accepted(&who);
	else
		FUZZ_CLAIM(memcmp(&who, &nobody, sizeof(who)) == 0);
	principal_clear(&who);
	buf_clear(&token);
	buf_clear(&seen);
	return 0;
}
