/* SPDX-License-Identifier: MIT */
/* How we show an authorization server who we are, and that what we sign verifies with the public key. */
#include "oauth/client_auth.h"

#include <inttypes.h>
#include <openssl/bio.h>
#include <openssl/evp.h>
#include <openssl/pem.h>
#include <stdlib.h>
#include <string.h>

#include "base/json.h"
#include "base/text.h"
#include "oauth/jwa_key.h"
#include "oauth/jwk.h"
#include "tests/tap.h"
#include "tests/unit/mint.h"

#define NOW 1800000000
#define AUDIENCE "https://as.example.com"

static struct buf header, body;

static enum mcp_err
put(const struct client_auth *a)
{
	buf_clear(&header);
	buf_clear(&body);
	buf_init(&header, 65536);
	buf_init(&body, 65536);
	buf_puts(&body, "token=x");
	return client_auth_put(a, NOW, &header, &body);
}

static void
test_secrets(void)
{
	struct client_auth a = {.method = CLIENT_AUTH_BASIC, .client_id = "skc_1", .client_secret = "s3cret"};

	is_int(put(&a), MCP_OK, "client_secret_basic");
	is_str(header.data, "Authorization: Basic c2tjXzE6czNjcmV0", "is id and secret in the header");
	is_str(body.data, "token=x", "and nothing in the body");
	a.client_id = "a:b c";
	a.client_secret = "+/=%&\xc3\xa9";
	is_int(put(&a), MCP_OK, "an id with a colon, a secret with everything");
	/* a%3Ab+c:%2B%2F%3D%25%26%C3%A9 */
	is_str(header.data, "Authorization: Basic YSUzQWIrYzolMkIlMkYlM0QlMjUlMjYlQzMlQTk=",
	    "are form-encoded first (RFC 6749 section 2.3.1)");
	a.method = CLIENT_AUTH_POST;
	is_int(put(&a), MCP_OK, "client_secret_post");
	is_str(body.data, "token=x&client_id=a%3Ab+c&client_secret=%2B%2F%3D%25%26%C3%A9", "is both in the body");
	is_str(header.data, "", "and nothing in the header");
}

static char *
pem_of(EVP_PKEY *key, const char *passphrase)
{
	BIO *bio = BIO_new(BIO_s_mem());
	char *data, *copy;
	long len;

	PEM_write_bio_PKCS8PrivateKey(bio, key, passphrase ? EVP_aes_128_cbc() : NULL, passphrase,
	    passphrase ? (int)strlen(passphrase) : 0, NULL, NULL);
	len = BIO_get_mem_data(bio, &data);
	copy = text_dup(data, (size_t)len);
	BIO_free(bio);
	return copy;
}

static enum mcp_err
decode(const char *text, size_t len, struct buf *out)
{
	buf_init(out, 65536);
	return text_base64url_decode(text, len, out);
}

/* The assertion in "body" as a JWS: whether "key" signed it with "alg", and what it says. */
static void
test_assertion(EVP_PKEY *key, const char *alg, char jti[64])
{
	static const struct json_bounds bounds = {8192, 4, 64};
	static const char before[] = "token=x&client_id=skc_1&client_assertion_type="
	    "urn%3Aietf%3Aparams%3Aoauth%3Aclient-assertion-type%3Ajwt-bearer&client_assertion=";
	const char *jws = body.data + strlen(before), *dot, *last, *s;
	struct json_object *h = NULL, *claims = NULL, *jwk_json = NULL;
	struct buf part, sig, text;
	struct jwk *jwk = NULL;
	int64_t iat = 0, exp = 0;

	if (!ok(strncmp(body.data, before, strlen(before)) == 0, "%s: the parameters of RFC 7523", alg))
		return;
	dot = strchr(jws, '.');
	last = strrchr(jws, '.');
	buf_init(&text, 8192);
	mint_jwk(key, NULL, "", &text);
	if (json_parse(text.data, text.len, &bounds, &jwk_json, NULL) || jwk_parse(jwk_json, &jwk, NULL))
		exit(99);
	is_int(decode(last + 1, strlen(last + 1), &sig), MCP_OK, "%s: the signature is base64url", alg);
	is_int(jwk_verify(jwk, alg, jws, (size_t)(last - jws), sig.data, sig.len), MCP_OK, "%s: and verifies", alg);
	buf_clear(&sig);
	if (decode(jws, (size_t)(dot - jws), &part) || json_parse(part.data, part.len, &bounds, &h, NULL))
		exit(99);
	ok(json_get_string(h, "alg", &s, NULL) == MCP_OK && strcmp(s, alg) == 0, "%s: the header says so", alg);
	ok(json_get_string(h, "kid", &s, NULL) == MCP_OK && strcmp(s, "k1") == 0, "%s: and which key", alg);
	buf_clear(&part);
	if (decode(dot + 1, (size_t)(last - dot - 1), &part) || json_parse(part.data, part.len, &bounds, &claims, NULL))
		exit(99);
	ok(json_get_string(claims, "iss", &s, NULL) == MCP_OK && strcmp(s, "skc_1") == 0, "%s: iss is us", alg);
	ok(json_get_string(claims, "sub", &s, NULL) == MCP_OK && strcmp(s, "skc_1") == 0, "%s: sub too", alg);
	ok(json_get_string(claims, "aud", &s, NULL) == MCP_OK && strcmp(s, AUDIENCE) == 0, "%s: aud is the server",
	    alg);
	ok(json_get_int(claims, "iat", &iat) == MCP_OK && json_get_int(claims, "exp", &exp) == MCP_OK && iat == NOW &&
	    exp == NOW + CLIENT_ASSERTION_LIFETIME_S, "%s: it is good for a minute", alg);
	jti[0] = '\0';
	if (json_get_string(claims, "jti", &s, NULL) == MCP_OK && strlen(s) < 64)
		memcpy(jti, s, strlen(s) + 1);
	buf_clear(&part);
	buf_clear(&text);
	json_free(h);
	json_free(claims);
	json_free(jwk_json);
	jwk_free(jwk);
}

static void
test_key(EVP_PKEY *key, const char *alg)
{
	struct client_auth a = {.method = CLIENT_AUTH_PRIVATE_KEY_JWT, .client_id = "skc_1", .key_id = "k1",
	    .audience = AUDIENCE};
	char first[64], second[64], *pem = pem_of(key, NULL);
	struct jwa_key *k;

	if (is_int(jwa_key_parse(pem, &k), MCP_OK, "a private key for %s is read", alg)) {
		is_str(jwa_key_algorithm(k), alg, "and is for %s", alg);
		a.key = k;
		is_int(put(&a), MCP_OK, "private_key_jwt with %s", alg);
		is_str(header.data, "", "%s: nothing in the header", alg);
		test_assertion(key, alg, first);
		is_int(put(&a), MCP_OK, "another assertion");
		test_assertion(key, alg, second);
		ok(*first && *second && strcmp(first, second) != 0, "%s: has another jti", alg);
	}
	jwa_key_free(k);
	free(pem);
	EVP_PKEY_free(key);
}

static void
test_bad_keys(void)
{
	static const char public_key[] = "-----BEGIN PUBLIC KEY-----\n"
	    "MCowBQYDK2VwAyEAGb9ECWmEzf6FQbrBZ9w7lshQhqowtrbLDFw4rXAxZuE=\n-----END PUBLIC KEY-----\n";
	static const char *const texts[] = {"", "x", "-----BEGIN PRIVATE KEY-----\nAAAA\n-----END PRIVATE KEY-----\n",
	    public_key};
	EVP_PKEY *weak = mint_rsa(1024), *curve = mint_ec("secp256k1"), *other = mint_ed448(), *good = mint_ed25519();
	char *pem;
	struct jwa_key *k;

	for (size_t i = 0; i < sizeof(texts) / sizeof(*texts); i++)
		ok(jwa_key_parse(texts[i], &k) == MCP_ESYNTAX && !k, "text %zu is no private key", i);
	pem = pem_of(weak, NULL);
	ok(jwa_key_parse(pem, &k) == MCP_EINVAL && !k, "an RSA key of 1024 bits is refused");
	free(pem);
	pem = pem_of(curve, NULL);
	ok(jwa_key_parse(pem, &k) == MCP_EINVAL && !k, "a key on secp256k1 is refused");
	free(pem);
	pem = pem_of(other, NULL);
	ok(jwa_key_parse(pem, &k) == MCP_EINVAL && !k, "an Ed448 key is refused");
	free(pem);
	pem = pem_of(good, "passphrase");
	ok(jwa_key_parse(pem, &k) == MCP_ESYNTAX && !k, "an encrypted key is refused, and nobody is asked");
	free(pem);
	EVP_PKEY_free(weak);
	EVP_PKEY_free(curve);
	EVP_PKEY_free(other);
	EVP_PKEY_free(good);
}

int
main(void)
{
	test_secrets();
	test_key(mint_rsa(2048), "RS256");
	test_key(mint_ec("P-256"), "ES256");
	test_key(mint_ec("P-384"), "ES384");
	test_key(mint_ec("P-521"), "ES512");
	test_key(mint_ed25519(), "EdDSA");
	test_bad_keys();
	buf_clear(&header);
	buf_clear(&body);
	return tap_done();
}
