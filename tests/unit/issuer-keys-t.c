/* SPDX-License-Identifier: MIT */
/* Keys and signatures; verified by OpenSSL, so independently of what signs. */
#include "issuer/keys.h"

#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include <openssl/bio.h>
#include <openssl/evp.h>
#include <openssl/pem.h>

#include "base/text.h"
#include "issuer-call.h"
#include "issuer/mint.h"
#include "tests/tap.h"

static char *
jwks(struct fixture *f)
{
	struct reply r = issuer_get(f, "/keys", NULL);
	char *out = text_of("%s", r.body);

	reply_clear(&r);
	return out;
}

static size_t
count(const char *text, const char *part)
{
	size_t n = 0;

	for (; (text = strstr(text, part)); text += strlen(part))
		n++;
	return n;
}

/* Whether the token's RS256 signature is that of "key". */
static bool
rs256_fits(const char *token, const struct signing_key *key)
{
	const char *last = strrchr(token, '.');
	BIO *bio = BIO_new_mem_buf(key->pem, -1);
	EVP_PKEY *pkey = PEM_read_bio_PrivateKey(bio, NULL, NULL, NULL);
	EVP_MD_CTX *ctx = EVP_MD_CTX_new();
	struct buf signature;
	bool fits;

	buf_init(&signature, 1024);
	fits = text_base64url_decode(last + 1, strlen(last + 1), &signature) == MCP_OK
	    && EVP_DigestVerifyInit(ctx, NULL, EVP_sha256(), NULL, pkey) == 1
	    && EVP_DigestVerify(ctx, (const unsigned char *)signature.data, signature.len, (const unsigned char *)token,
		   (size_t)(last - token))
		== 1;
	buf_clear(&signature);
	EVP_MD_CTX_free(ctx);
	EVP_PKEY_free(pkey);
	BIO_free(bio);
	return fits;
}

static char *
part_of(const char *token, int part)
{
	struct buf b;
	char *out;

	buf_init(&b, 65536);
	while (part--)
		token = strchr(token, '.') + 1;
	if (text_base64url_decode(token, strcspn(token, "."), &b))
		return text_of("?");
	out = text_of("%s", b.data);
	buf_clear(&b);
	return out;
}

static void
test_mint(struct database *d)
{
	static const struct json_bounds bounds = { 1000, 8, 100 };
	const char *text = "{\"exp\":7,\"extra\":[1,{\"a\":null}],\"sub\":\"usr_x\"}";
	struct strlist without = { 0 };
	struct mint m = { .issuer = ISSUER_URL,
		.resource = "https://mcp.example.com/",
		.subject = "usr_1",
		.client_id = "skc_1",
		.scope = "a b",
		.ttl_s = -60 };
	struct json_object *claims = NULL;
	struct signing_key key;
	char *part, *kid;
	struct buf token;

	buf_init(&token, MINT_TOKEN_MAX);
	is_int(mint_access_token(d, &m, 1000, &token), MCP_OK, "a token is minted");
	is_int(keys_current(d, 1000, &key), MCP_OK, "the current key is there");
	ok(rs256_fits(token.data, &key), "OpenSSL verifies its signature");
	part = part_of(token.data, 0);
	kid = text_of("\"kid\":\"%s\"", key.kid);
	ok(strstr(part, kid) && strstr(part, "\"alg\":\"RS256\"") && strstr(part, "\"typ\":\"JWT\""),
	    "the header has kid, alg and typ");
	free(part);
	part = part_of(token.data, 1);
	ok(strstr(part, "\"exp\":940") && strstr(part, "\"aud\":[\"https://mcp.example.com/\"]")
		&& !strstr(part, "\"oid\""),
	    "a negative lifetime, one audience, no organisation");
	free(part);
	buf_reset(&token);
	is_int(json_parse(text, strlen(text), &bounds, &claims, NULL), MCP_OK, "more claims");
	is_int(strlist_add(&without, "jti", 3), MCP_OK, "and fewer");
	m.claims = claims;
	m.without = &without;
	is_int(mint_access_token(d, &m, 1000, &token), MCP_OK, "are minted");
	part = part_of(token.data, 1);
	ok(strstr(part, "\"exp\":7") && strstr(part, "\"extra\":[1,{\"a\":null}]") && strstr(part, "\"sub\":\"usr_x\"")
		&& !strstr(part, "\"jti\""),
	    "claims are replaced, joined, left out");
	free(part);
	free(kid);
	json_free(claims);
	strlist_clear(&without);
	signing_key_clear(&key);
	buf_clear(&token);
}

int
main(void)
{
	struct signing_key first, second, third;
	struct fixture f, other;
	struct database *d;
	const char *why;
	struct stat st;
	char *set, *path;

	fixture_open(&f, true);
	path = text_of("%s/issuer/issuer.db", f.dir);
	ok(stat(path, &st) == 0 && (st.st_mode & 0777) == 0600, "the database is its owner's alone");
	free(path);
	fixture_join(&other, &f);
	is_int(database_open(f.dir, &d, &why), MCP_OK, "the command opens the same database");
	is_int(keys_current(d, f.now_s, &first), MCP_OK, "there is a key from the start");
	ok(strncmp(first.kid, "snk_", 4) == 0 && strcmp(first.alg, "RS256") == 0, "with a key id, for RS256");
	set = jwks(&f);
	ok(count(set, "\"kid\"") == 1 && strstr(set, first.kid), "two processes made one key");
	ok(strstr(set, "\"kty\":\"RSA\"") && strstr(set, "\"e\":\"AQAB\"") && strstr(set, "\"use\":\"sig\"")
		&& strstr(set, "\"n\":\""),
	    "the key set shows its public part");
	ok(!strstr(set, "\"d\"") && !strstr(set, "PRIVATE"), "and nothing else");
	free(set);
	test_mint(d);

	is_int(keys_rotate(d, "ES256", false, f.now_s, &second), MCP_OK, "the key is rotated, to another algorithm");
	set = jwks(&other);
	ok(count(set, "\"kid\"") == 2 && strstr(set, first.kid) && strstr(set, "\"crv\":\"P-256\""),
	    "other processes show both at once");
	ok(strstr(set, second.kid) && strstr(set, second.kid) < strstr(set, first.kid), "the new one first");
	free(set);
	is_int(
	    keys_rotate(d, "HS256", false, f.now_s, &third), MCP_EINVAL, "an algorithm that is not there is refused");
	is_int(keys_rotate(d, "RS256", true, f.now_s, &third), MCP_OK,
	    "the key is rotated and the old ones are forgotten");
	set = jwks(&f);
	ok(count(set, "\"kid\"") == 1 && strstr(set, third.kid), "only the new one is left");
	free(set);
	signing_key_clear(&first);
	is_int(keys_rotate(d, "RS256", false, f.now_s + 10, &first), MCP_OK, "one more rotation");
	signing_key_clear(&first);
	is_int(keys_rotate(d, "RS256", false, f.now_s + KEYS_RETIRED_KEEP_S + 11, &first), MCP_OK,
	    "and another after a day");
	set = jwks(&f);
	ok(count(set, "\"kid\"") == 2 && !strstr(set, third.kid), "keys that were retired a day ago are gone");
	free(set);
	signing_key_clear(&first);
	signing_key_clear(&second);
	signing_key_clear(&third);
	database_close(d);
	issuer_free(other.is);
	fixture_close(&f);
	return tap_done();
}
