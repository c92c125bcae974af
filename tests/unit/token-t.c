/* SPDX-License-Identifier: MIT */
/* Tokens by their form: segments, JOSE header, key and signature. Their claims are the business of claims-t.c. */
#include "oauth/token.h"

#include <openssl/core_names.h>
#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/rsa.h>
#include <openssl/x509.h>
#include <stdlib.h>
#include <string.h>

#include "base/json.h"
#include "base/text.h"
#include "tests/tap.h"
#include "tests/unit/mint.h"
#include "tests/unit/validation.h"

#define HEADER "{\"alg\":\"RS256\",\"kid\":\"rsa\",\"typ\":\"JWT\"}"

static char *
base64url(const void *data, size_t len)
{
	struct buf b;

	buf_init(&b, 32 * 1024 * 1024);
	text_base64url_encode(data, len, &b);
	return buf_steal(&b, NULL);
}

/* The good token that others are made from. */
static char *
good(void)
{
	return with_header(HEADER);
}

/* The good token with "text" at the end of segment "which" (0, 1, 2); what precedes the signature is signed so. */
static char *
with_appended(int which, const char *text)
{
	char *payload = claims(NULL, NULL), *h = base64url(HEADER, strlen(HEADER)), *p = base64url(payload,
	    strlen(payload));
	char *input = mint_text("%s%s.%s%s", h, which == 0 ? text : "", p, which == 1 ? text : "");
	char *token = mint_encoded(rsa, "RS256", input), *longer = mint_text("%s%s", token, which == 2 ? text : "");

	free(payload);
	free(h);
	free(p);
	free(input);
	free(token);
	return longer;
}

static void
test_good(void)
{
	struct json_object *v;

	ok(accepted(good(), "a good token is accepted"), "S11: by its signature");
	is_str(who.issuer, ISSUER, "its issuer");
	is_str(who.subject, "usr_1", "S77: its subject");
	is_str(who.client_id, "skc_1", "its client");
	is_str(who.organisation, "org_1", "S80: its organisation");
	is_int(who.expires_at_s, NOW + 600, "its end");
	ok(who.scopes.n == 2 && strlist_has(&who.scopes, "usr:read") && strlist_has(&who.scopes, "openid"),
	    "S77: its scopes");
	ok(json_get(who.claims, "iat", &v) == MCP_OK, "and all other claims are there");
	is_int((long long)seen.len, 0, "nothing is told of a good token");
}

static void
test_segments(void)
{
	static const char *const few[] = {"", ".", "..", "...", "....", ".....", "a", "a.b", "a.b.c.d", "a.b.c.d.e.f",
	    "invalid-token",
		"e30.e30.", ".e30.e30", "e30..e30", "e30.e30.e30.", "{\"payload\":\"e30\",\"signatures\":[]}",
		    "a b.c.d"};
	int asked = keystore.asked;
	char *token, *dot;

	for (size_t i = 0; i < sizeof(few) / sizeof(*few); i++)
		refused("not_jwt", mint_text("%s", few[i]), "B1/B3/S69: \"%s\" is no JWS", few[i]);
	refused("not_jwt",
	    mint_text("eyJhbGciOiJSU0EtT0FFUCIsImVuYyI6IkEyNTZHQ00ifQ.OKOawDo.48V1_ALb6US04U3b.5eym8.XFBoMYUZodetZ"),
	    "B2: a JWE of five segments");
	refused("not_jwt", mint_text("opaque-4f3a9c"), "A12: an opaque token");
	is_int(keystore.asked, asked, "A12: none of these asks for a key");
	token = good();
	dot = strrchr(token, '.');
	dot[1] = '\0';
	refused("not_jwt", token, "B1: an empty signature");
	token = good();
	dot = strchr(token, '.');
	refused("not_jwt", mint_text("%s", dot), "B1: an empty header");
	free(token);
	token = mint_encoded(rsa, "RS256", "eyJhbGciOiJSUzI1NiIsImtpZCI6InJzYSJ9.");
	refused("not_jwt", token, "B1: an empty payload, well signed");
	token = mint(rsa, "RS256", "{\"alg\":\"RS256\",\"kid\":\"rsa\",\"cty\":\"JWT\"}", "{}");
	refused("bad_jose_header", token, "B2: a nested token (cty)");
	token = mint(rsa, "RS256", "{\"alg\":\"RS256\",\"kid\":\"rsa\",\"enc\":\"A256GCM\"}", "{}");
	refused("bad_jose_header", token, "B2: enc in three segments");
	token = mint(rsa, "RS256", "{\"alg\":\"RS256\",\"kid\":\"rsa\",\"zip\":\"DEF\"}", "{}");
	refused("bad_jose_header", token, "B2: a compressed token (zip)");
}

static void
test_base64url(void)
{
	static const struct {
		const char *text, *what;
	} rows[] = {
		{"=", "B4: = at the end"}, {"==", "B4: == at the end"}, {"+", "B5: a plus"}, {"/", "B5: a slash"},
		{"\n", "B6: a line end"},
		{" ", "B6: a blank"}, {"\t", "B6: a tab"}, {"%3D", "B6: %3D"}, {"\r\n", "B6: CR LF"},
		{"A", "B7: a digit too many"},
		{"AAAA", "bytes too many"}, {"\200", "a byte of 0x80"}, {"*", "an asterisk"},
	};
	char *token;

	for (int segment = 0; segment < 3; segment++)
		for (size_t i = 0; i < sizeof(rows) / sizeof(*rows); i++) {
			/*
			 * AAAA is three zero octets more: no JSON with a header or payload, no signature of RSA's
			 * length.
			 */
			const char *word = segment == 2 && rows[i].text[0] == 'A' ? "bad_signature" : "not_jwt";

			refused(word, with_appended(segment, rows[i].text), "%s in segment %d", rows[i].what, segment);
		}
	token = mint_encoded(rsa, "RS256", "eyJhbGciOiJSUzI1NiIsImtpZCI6InJzYSJ9.e30AA");
	refused("not_jwt", token, "B7: a payload whose length is 1 modulo 4");
	token = mint_encoded(rsa, "RS256", "eyJhbGciOiJSUzI1NiJ9A.e30");
	refused("not_jwt", token, "B7: a header whose length is 1 modulo 4");
	token = mint_encoded(rsa, "RS256", "eyJhbGciOiJSUzI1NiIsImtpZCI6InJzYSJ9.e31");
	refused("not_jwt", token, "a payload with stray bits at its end");
	token = good();
	token[strlen(token) - 1] ^= 1;
	refused("not_jwt", token, "a signature with stray bits at its end");
	refused("not_jwt", mint_text(" %s", token = good()), "B6: a blank in front");
	free(token);
}

static char *
payload_bytes(const void *payload, size_t len)
{
	struct mint_options o = {.alg = "RS256"};

	return mint_bytes(rsa, &o, HEADER, strlen(HEADER), payload, len);
}

static char *
header_bytes(const void *header, size_t len)
{
	struct mint_options o = {.alg = "RS256"};
	char *payload = claims(NULL, NULL), *token = mint_bytes(rsa, &o, header, len, payload, strlen(payload));

	free(payload);
	return token;
}

static void
test_json(void)
{
	static const char *const rubbish[] = {"x", "[]", "\"x\"", "1", "null", "true", "{}{}", "{}x",
	    "\357\273\277{}", "/**/{}",
		"{'a':1}", "{a:1}", "{\"a\":1,}", "{\"a\":NaN}", "{\"a\":01}", "{\"a\":\"\001\"}",
		    "{\"a\":\"\\u0000\"}", "{\"a\":\"\\ud800\"}",
		"{\"a\":1e999}", "{\"a\":\"\300\200\"}", "{\"a\":\"\377\"}", "{\"a\":\"\355\240\200\"}", "{", "}", " "};
	static const char nul[] = "{\"alg\":\"RS256\",\"kid\":\"rsa\"}\0x", utf16[] = "\376\377\0{\0}";
	char *payload, *long_one;
	size_t n;

	for (size_t i = 0; i < sizeof(rubbish) / sizeof(*rubbish); i++) {
		refused("not_jwt", payload_bytes(rubbish[i], strlen(rubbish[i])),
		    "B10/B11/E17: payload %zu is not strict JSON", i);
		refused("not_jwt", header_bytes(rubbish[i], strlen(rubbish[i])),
		    "B10/B11: header %zu is not strict JSON", i);
	}
	refused("not_jwt", header_bytes(nul, sizeof(nul) - 1), "B9: a NUL after the header");
	refused("not_jwt", header_bytes("{\"alg\":\"RS256\",\"kid\":\"rsa\0x\"}", 29), "B9: a NUL in the header");
	payload = claims(NULL, NULL);
	refused("not_jwt", payload_bytes(payload, strlen(payload) + 1), "B9: a NUL after the payload");
	n = strlen(payload);
	payload[n / 2] = '\0';
	refused("not_jwt", payload_bytes(payload, n), "B9: a NUL in the payload");
	free(payload);
	refused("not_jwt", payload_bytes(utf16, sizeof(utf16) - 1), "E17: UTF-16");
	policy.max_bytes = 1 << 20;
	long_one = malloc(200000);
	memset(long_one, '[', 200000);
	memcpy(long_one, "{\"a\":", 5);
	refused("not_jwt", payload_bytes(long_one, 10000), "B12: 10 000 brackets");
	refused("not_jwt", header_bytes(long_one, 8000), "B12: 8000 brackets in the header");
	memset(long_one + 5 + 32, ']', 32);
	long_one[5 + 64] = '}';
	refused("not_jwt", payload_bytes(long_one, 5 + 65), "B12: nested 33 deep");
	free(long_one);
	policy.max_bytes = 16384;
}

/* "n" members {"m0":0,...} around the usual ones. */
static char *
members(const char *inside, size_t n)
{
	struct buf b;

	buf_init(&b, 32 << 20);
	buf_printf(&b, "{%s", inside);
	for (size_t i = 0; i < n; i++)
		buf_printf(&b, ",\"m%zu\":0", i);
	buf_putc(&b, '}');
	return buf_steal(&b, NULL);
}

static void
test_bounds(void)
{
	char *inside = claims(NULL, NULL), *text, *token;
	size_t max;

	policy.max_bytes = 4 << 20;
	inside[strlen(inside) - 1] = '\0';
	text = members(inside + 1, 1000);
	accepted(with_payload(text), "B12: a payload with 1000 members more");
	text = members(inside + 1, 100000);
	refused("not_jwt", with_payload(text), "B12: a payload with 100 000 members more");
	free(inside);
	text = members("\"alg\":\"RS256\",\"kid\":\"rsa\"", 100);
	accepted(with_header(text), "C19: a header with 100 members more");
	free(text);
	text = members("\"alg\":\"RS256\",\"kid\":\"rsa\"", 300);
	refused("not_jwt", with_header(text), "C19: a header with 300 members more");
	free(text);
	text = mint_text("{\"alg\":\"RS256\",\"kid\":\"rsa\",\"x\":\"%08000d\"}", 0);
	accepted(with_header(text), "C19: a header of 8000 bytes");
	free(text);
	text = mint_text("{\"alg\":\"RS256\",\"kid\":\"rsa\",\"x\":\"%010240d\"}", 0);
	refused("not_jwt", with_header(text), "C19: a header of more than 10 KiB");
	free(text);
	policy.max_bytes = 16384;
	token = good();
	max = strlen(token);
	policy.max_bytes = max;
	accepted(token, "A7: a token as long as it may be");
	policy.max_bytes = max - 1;
	refused("too_long", good(), "A7: a byte over the limit");
	policy.max_bytes = 16384;
	text = mint_text("\"%01048576d\"", 0);
	refused("too_long", with_claim("x", text), "E18: a payload of 1 MiB, well signed");
	free(text);
	text = mint_text("%09437184d", 0);
	refused("too_long", text, "A7: 9 MiB");
}

/* A token whose header has this alg member (JSON text, or NULL), signed by RS256 all the same. */
static void
alg_refused(const char *word, const char *alg, const char *claim)
{
	char *header = alg ? mint_text("{\"alg\":%s,\"kid\":\"rsa\",\"typ\":\"JWT\"}", alg) :
	    mint_text("{\"kid\":\"rsa\"}");

	refused(word, with_header(header), "%s: alg %s", claim, alg ? alg : "missing");
	free(header);
}

static void
test_algorithms(void)
{
	int asked = keystore.asked;

	alg_refused("bad_algorithm", "\"none\"", "C1");
	alg_refused("bad_algorithm", "\"None\"", "C1");
	alg_refused("bad_algorithm", "\"NONE\"", "C1");
	alg_refused("bad_algorithm", "\"nOnE\"", "C1");
	alg_refused("bad_algorithm", "\"\"", "C1");
	alg_refused("bad_algorithm", NULL, "C1");
	alg_refused("bad_jose_header", "null", "C1");
	alg_refused("bad_jose_header", "256", "C1");
	alg_refused("bad_jose_header", "[\"RS256\"]", "C1");
	alg_refused("bad_jose_header", "{}", "C1");
	alg_refused("bad_algorithm", "\"rs256\"", "C6");
	alg_refused("bad_algorithm", "\"RS256 \"", "C6");
	alg_refused("bad_algorithm", "\"HS256\"", "C2");
	alg_refused("bad_algorithm", "\"RSA-OAEP\"", "C1");
	alg_refused("bad_algorithm", "\"ES256K\"", "C5");
	alg_refused("bad_algorithm", "\"Ed448\"", "D14");
	is_int(keystore.asked, asked, "C1: none of these asks for a key");
	refused("not_jwt", mint_text("eyJhbGciOiJub25lIn0.e30."), "C1: none with an empty signature");
	alg_refused("bad_algorithm", "\"RS512\"", "C4: the key is pinned to RS256");
	alg_refused("bad_algorithm", "\"PS256\"", "C4: the key is pinned to RS256");
	alg_refused("bad_algorithm", "\"ES256\"", "C4: the key is RSA");
}

/* Every algorithm by a key that may, then by the wrong one of the same kind. */
static void
test_each_algorithm(void)
{
	const struct {
		const char *alg, *kid;
		EVP_PKEY *key;
	} rows[] = {
		{"RS256", "any", rsa2}, {"RS384", "any", rsa2}, {"RS512", "any", rsa2}, {"PS256", "any", rsa2},
		    {"PS384", "any", rsa2},
		{"PS512", "any", rsa2}, {"ES256", "p256", p256}, {"ES384", "p384", p384}, {"ES512", "p521", p521},
		{"EdDSA", "ed25519", ed25519}, {"Ed25519", "ed25519", ed25519},
	};
	EVP_PKEY *other[] = {mint_rsa(2048), mint_ec("P-256"), mint_ec("P-384"), mint_ec("P-521"), mint_ed25519()};
	const int which[] = {0, 0, 0, 0, 0, 0, 1, 2, 3, 4, 4};

	for (size_t i = 0; i < sizeof(rows) / sizeof(*rows); i++) {
		char *header = mint_text("{\"alg\":\"%s\",\"kid\":\"%s\"}", rows[i].alg, rows[i].kid),
		    *payload = claims(NULL, NULL);
		char *wrong_alg = mint_text("{\"alg\":\"%s\",\"kid\":\"%s\"}", rows[(i + 5) % 11].alg, rows[i].kid);

		accepted(mint(rows[i].key, rows[i].alg, header, payload), "%s by its key is accepted", rows[i].alg);
		refused("bad_signature", mint(other[which[i]], rows[i].alg, header, payload),
		    "%s by another key is not", rows[i].alg);
		ok(accepted(mint(rows[i].key, rows[i].alg, header, payload), "%s again", rows[i].alg),
		    "a refusal leaves no trace");
		refused(i == 0 ? "bad_signature" : "bad_algorithm", mint(rows[i].key, rows[i].alg, wrong_alg, payload),
		    "C4: %s under the name %s", rows[i].alg, rows[(i + 5) % 11].alg);
		free(header);
		free(wrong_alg);
		free(payload);
	}
	for (size_t i = 0; i < 5; i++)
		EVP_PKEY_free(other[i]);
}

/* Which of two kinds a confusion of algorithms on one key ends in differs; that it is refused does not. */
static void
test_policy(void)
{
	struct strlist all = policy.algorithms, some = {NULL, 0};
	char *payload = claims(NULL, NULL);

	int asked;

	if (strlist_split(&some, "RS256 HS256 none", " ", 9) != MCP_OK)
		exit(99);
	policy.algorithms = some;
	accepted(good(), "C4: an issuer pinned to RS256 takes RS256");
	refused("bad_algorithm", mint(p256, "ES256", "{\"alg\":\"ES256\",\"kid\":\"p256\"}", payload),
	    "C4: and no other");
	refused("bad_algorithm", mint(rsa2, "RS512", "{\"alg\":\"RS512\",\"kid\":\"any\"}", payload),
	    "C4: RS512 neither");
	asked = keystore.asked;
	alg_refused("bad_algorithm", "\"none\"", "C1, S53: even if the settings name it");
	alg_refused("bad_algorithm", "\"HS256\"", "C2: even if the settings name it");
	is_int(keystore.asked, asked, "C1/C2: nor is a key looked for");
	strlist_clear(&policy.algorithms);
	refused("bad_algorithm", good(), "without any allowed algorithm nothing passes");
	policy.algorithms = all;
	free(payload);
}

/* HS* with "secret" as key, over the header's kid "rsa". */
static void
confused(const char *alg, const void *secret, size_t len, const char *what)
{
	struct mint_options o = {.alg = alg, .secret = secret, .secret_len = len};
	char *header = mint_text("{\"alg\":\"%s\",\"kid\":\"rsa\"}", alg), *payload = claims(NULL, NULL);

	refused("bad_algorithm", mint_bytes(NULL, &o, header, strlen(header), payload, strlen(payload)),
	    "C2: %s with %s", alg, what);
	free(header);
	free(payload);
}

static void
test_confusion(void)
{
	static const char *const algs[] = {"HS256", "HS384", "HS512"};
	unsigned char *spki = NULL, *pkcs1 = NULL, modulus[256];
	char *jwk = jwk_text(rsa, ",\"kid\":\"rsa\"");
	BIO *pem = BIO_new(BIO_s_mem()), *x509_pem = BIO_new(BIO_s_mem());
	X509 *cert = X509_new();
	char *text, *cert_text;
	int spki_len = i2d_PUBKEY(rsa, &spki), pkcs1_len = i2d_PublicKey(rsa, &pkcs1);
	long text_len, cert_len;
	BIGNUM *n = NULL;

	PEM_write_bio_PUBKEY(pem, rsa);
	text_len = BIO_get_mem_data(pem, &text);
	X509_set_pubkey(cert, rsa);
	X509_gmtime_adj(X509_getm_notBefore(cert), 0);
	X509_gmtime_adj(X509_getm_notAfter(cert), 3600);
	X509_sign(cert, rsa, EVP_sha256());
	PEM_write_bio_X509(x509_pem, cert);
	cert_len = BIO_get_mem_data(x509_pem, &cert_text);
	EVP_PKEY_get_bn_param(rsa, OSSL_PKEY_PARAM_RSA_N, &n);
	BN_bn2binpad(n, modulus, 256);
	ok(spki_len > 0 && pkcs1_len > 0 && text_len > 0 && cert_len > 0 && n,
	    "C2, S53: the public key in all its forms");
	for (size_t i = 0; i < 3; i++) {
		confused(algs[i], text, (size_t)text_len, "the PEM of the public key");
		confused(algs[i], text, (size_t)text_len - 1, "the PEM without its last line end");
		confused(algs[i], cert_text, (size_t)cert_len, "the PEM of a certificate");
		confused(algs[i], spki, (size_t)spki_len, "the DER of the public key");
		confused(algs[i], pkcs1, (size_t)pkcs1_len, "the PKCS #1 form");
		confused(algs[i], modulus, 256, "the modulus");
		confused(algs[i], jwk, strlen(jwk), "the JWK's text");
		confused(algs[i], "", 0, "an empty key (C3)");
		confused(algs[i], "\0", 1, "a zero octet");
	}
	X509_free(cert);
	BIO_free(pem);
	BIO_free(x509_pem);
	OPENSSL_free(spki);
	OPENSSL_free(pkcs1);
	BN_free(n);
	free(jwk);
}

static void
header_refused(const char *word, const char *header, const char *claim)
{
	refused(word, with_header(header), "%s", claim);
}

static void
test_header(void)
{
	header_refused("not_jwt", "{\"alg\":\"RS256\",\"alg\":\"RS256\",\"kid\":\"rsa\"}",
	    "C7: a duplicate alg is refused");
	header_refused("not_jwt", "{\"alg\":\"none\",\"alg\":\"RS256\",\"kid\":\"rsa\"}",
	    "C7: also one that would win");
	header_refused("not_jwt", "{\"alg\":\"RS256\",\"kid\":\"rsa\",\"kid\":\"rsa\"}", "C7: a duplicate kid");
	header_refused("not_jwt", "{\"alg\":\"RS256\",\"kid\":\"rsa\",\"crit\":[],\"crit\":[]}",
	    "C7: a duplicate crit");
	header_refused("not_jwt", "{\"\\u0061lg\":\"RS256\",\"alg\":\"RS256\",\"kid\":\"rsa\"}",
	    "C7: a duplicate behind an escape");
	header_refused("not_jwt", "{\"alg\":\"RS256\",\"kid\":\"rsa\",\"x\":1,\"x\":1}",
	    "C7: a duplicate of an unknown member");
	ok(accepted(with_header("{\"\\u0061lg\":\"RS256\",\"k\\u0069d\":\"rsa\"}"), "escapes in names mean the same"),
	    "C7: once");
	header_refused("bad_jose_header", "{\"alg\":\"RS256\",\"kid\":\"rsa\",\"crit\":[\"exp\"],\"exp\":1}",
	    "C8: crit exp");
	header_refused("bad_jose_header", "{\"alg\":\"RS256\",\"kid\":\"rsa\",\"crit\":[\"foo\"],\"foo\":1}",
	    "C8: crit foo");
	header_refused("bad_jose_header", "{\"alg\":\"RS256\",\"kid\":\"rsa\",\"crit\":[\"foo\"]}",
	    "C8: crit of an absent name");
	header_refused("bad_jose_header", "{\"alg\":\"RS256\",\"kid\":\"rsa\",\"crit\":[]}", "C8: an empty crit");
	header_refused("bad_jose_header", "{\"alg\":\"RS256\",\"kid\":\"rsa\",\"crit\":\"foo\"}", "C8: crit a string");
	header_refused("bad_jose_header", "{\"alg\":\"RS256\",\"kid\":\"rsa\",\"crit\":null}", "C8: crit null");
	header_refused("bad_jose_header", "{\"alg\":\"RS256\",\"kid\":\"rsa\",\"crit\":[\"b64\"],\"b64\":true}",
	    "C8: crit b64");
	header_refused("bad_jose_header", "{\"alg\":\"RS256\",\"kid\":\"rsa\",\"crit\":[\"b64\"],\"b64\":false}",
	    "B13: b64 false");
	header_refused("bad_jose_header", "{\"alg\":\"RS256\",\"kid\":\"rsa\",\"b64\":false}", "B13: b64 without crit");
}

static void
test_foreign_keys(void)
{
	EVP_PKEY *mine = mint_rsa(2048);
	char *jwk = jwk_text(mine, ""), *payload = claims(NULL, NULL);
	char *embedded = mint_text("{\"alg\":\"RS256\",\"kid\":\"rsa\",\"jwk\":%s}", jwk);
	static const char *const headers[] = {
		"{\"alg\":\"RS256\",\"kid\":\"rsa\",\"jku\":\"https://attacker.example/keys\"}",
		"{\"alg\":\"RS256\",\"kid\":\"rsa\",\"jku\":\"http://169.254.169.254/latest/meta-data/\"}",
		"{\"alg\":\"RS256\",\"kid\":\"rsa\",\"x5u\":\"file:///etc/passwd\"}",
		"{\"alg\":\"RS256\",\"kid\":\"rsa\",\"x5c\":[\"MIIB\"]}",
	};
	int asked = keystore.asked;

	refused("bad_signature", mint(mine, "RS256", embedded, payload), "C9: the key in the header is not taken");
	for (size_t i = 0; i < sizeof(headers) / sizeof(*headers); i++) {
		refused("bad_signature", mint(mine, "RS256", headers[i], payload), "C9: %s leads nowhere",
		    headers[i] + 27);
		accepted(with_header(headers[i]), "C9: and hurts no good token");
	}
	is_int(keystore.asked - asked, 9, "C9: only the configured keys were asked for");
	free(embedded);
	embedded = mint_text("{\"alg\":\"RS256\",\"kid\":\"mine\",\"jwk\":%s}", jwk);
	refused("unknown_key", mint(mine, "RS256", embedded, payload), "C9: nor under its own kid");
	free(embedded);
	free(jwk);
	free(payload);
	EVP_PKEY_free(mine);
}

static void
test_kid(void)
{
	static const char *const strange[] = {"../../../dev/null", "/etc/passwd", "' OR 1=1--", "|ls", "%00",
	    "%s%n%s", "rsa ", "RSA",
		"rs", "rsa\\n", "\\u001b[31m", "\\\"", "*", "\\u0455"};
	char *payload = claims(NULL, NULL), *jwk = jwk_text(rsa, ",\"kid\":\"1234example=+/\""), *only = jwk_text(rsa,
	    ""), *text;
	struct jwks *old = keystore.set;

	for (size_t i = 0; i < sizeof(strange) / sizeof(*strange); i++) {
		text = mint_text("{\"alg\":\"RS256\",\"kid\":\"%s\"}", strange[i]);
		refused("unknown_key", with_header(text), "C10: kid %s is just unknown", strange[i]);
		free(text);
	}
	header_refused("not_jwt", "{\"alg\":\"RS256\",\"kid\":\"rsa\\u0000x\"}", "C10: a kid with a NUL");
	header_refused("bad_jose_header", "{\"alg\":\"RS256\",\"kid\":\"\"}", "C10: an empty kid");
	header_refused("bad_jose_header", "{\"alg\":\"RS256\",\"kid\":null}", "C10: kid null");
	header_refused("bad_jose_header", "{\"alg\":\"RS256\",\"kid\":1}", "C10: kid a number");
	header_refused("bad_jose_header", "{\"alg\":\"RS256\",\"kid\":{\"rsa\":1}}", "C10: kid an object");
	header_refused("bad_jose_header", "{\"alg\":\"RS256\",\"kid\":[\"rsa\"]}", "C10: kid an array");
	text = mint_text("{\"alg\":\"RS256\",\"kid\":\"%0257d\"}", 0);
	header_refused("bad_jose_header", text, "C10: a kid of 257 bytes");
	free(text);
	policy.max_bytes = 1 << 20;
	text = mint_text("{\"alg\":\"RS256\",\"kid\":\"%065536d\"}", 0);
	header_refused("not_jwt", text, "C10: a kid of 64 KiB");
	free(text);
	policy.max_bytes = 16384;
	header_refused("unknown_key", "{\"alg\":\"RS256\"}", "C13: no kid, and two keys fit");
	accepted(mint(p256, "ES256", "{\"alg\":\"ES256\"}", payload), "C13: no kid, and one key fits");
	header_refused("unknown_key", "{\"alg\":\"RS256\",\"x5t\":\"abc\"}", "C18: x5t alone names no key");
	keystore.set = make_set(jwk, (char *)NULL);
	accepted(with_header("{\"alg\":\"RS256\",\"kid\":\"1234example=+/\"}"), "C11: a kid with = + / is accepted");
	header_refused("unknown_key", HEADER, "D15: a kid of another issuer's set is unknown in this one");
	jwks_unref(keystore.set);
	keystore.set = make_set(only, (char *)NULL);
	accepted(with_header("{\"alg\":\"RS256\"}"), "C13: no kid, one nameless key");
	header_refused("unknown_key", HEADER, "C13: a kid, one nameless key");
	jwks_unref(keystore.set);
	keystore.set = NULL;
	refused("keys_unavailable", good(), "W36: no keys to be had is 503");
	keystore.set = old;
	free(payload);
	free(jwk);
	free(only);
}

static void
test_typ(void)
{
	static const char *const fine[] = {"JWT", "jwt", "at+jwt", "AT+JWT", "application/at+jwt", "application/JWT",
	    "Application/At+Jwt"};
	static const char *const wrong[] = {"dpop+jwt", "logout+jwt", "secevent+jwt", "oauth-id-jag+jwt",
	    "token-introspection+jwt", "",
		"JWS", "application/", "application/x/JWT", "x/JWT", "text/at+jwt", "JWT ", "id+jwt", "JOSE"};
	struct strlist types;
	char *text;

	accepted(with_header("{\"alg\":\"RS256\",\"kid\":\"rsa\"}"), "C14: without typ");
	for (size_t i = 0; i < sizeof(fine) / sizeof(*fine); i++) {
		text = mint_text("{\"typ\":\"%s\",\"alg\":\"RS256\",\"kid\":\"rsa\"}", fine[i]);
		accepted(with_header(text), "C14: typ %s", fine[i]);
		free(text);
	}
	for (size_t i = 0; i < sizeof(wrong) / sizeof(*wrong); i++) {
		text = mint_text("{\"typ\":\"%s\",\"alg\":\"RS256\",\"kid\":\"rsa\"}", wrong[i]);
		header_refused("bad_type", text, "C15: another typ");
		free(text);
	}
	header_refused("bad_jose_header", "{\"typ\":1,\"alg\":\"RS256\",\"kid\":\"rsa\"}", "C15: typ a number");
	header_refused("bad_jose_header", "{\"typ\":null,\"alg\":\"RS256\",\"kid\":\"rsa\"}", "C15: typ null");
	header_refused("bad_jose_header", "{\"typ\":[\"JWT\"],\"alg\":\"RS256\",\"kid\":\"rsa\"}", "C15: typ an array");
	types = policy.types;
	memset(&policy.types, 0, sizeof(policy.types));
	if (strlist_add(&policy.types, "x/jwt", 5) != MCP_OK)
		exit(99);
	accepted(with_header("{\"typ\":\"x/jwt\",\"alg\":\"RS256\",\"kid\":\"rsa\"}"),
	    "C14: a configured type with a slash");
	header_refused("bad_type", "{\"typ\":\"application/x/jwt\",\"alg\":\"RS256\",\"kid\":\"rsa\"}",
	    "C14: application/ counts when another slash follows");
	strlist_clear(&policy.types);
	policy.types = types;
	accepted(with_header("{ \"typ\" : \"JWT\" ,\n\t\"kid\":\"rsa\", \"alg\" : \"RS256\" }"),
	    "blanks in the header are fine");
}

/* Another signature, well encoded. */
static void
break_signature(char *token)
{
	char *c = token + strlen(token) - 10;

	*c = *c == 'A' ? 'B' : 'A';
}

/* What the key set remembers of good signatures must never stand for more than the signature. */
static void
test_memory(void)
{
	static const char *const twice[] = {"at first", "when it is remembered"};
	struct strlist audiences = policy.audiences;
	char *token = good(), *payload = claims("sub", "\"admin\""), *other, *longer, *jwk, *end;

	for (size_t i = 0; i < 2; i++) {
		struct principal p;

		is_int(validate_token(token, strlen(token), NOW, &p, NULL), OAUTH_OK,
		    "a token, %s", twice[i]);
		is_str(p.subject, "usr_1", "speaks for whom it says, %s", twice[i]);
		principal_clear(&p);
		is_int(validate_token(token, strlen(token), NOW + 3600, &p, NULL), OAUTH_EXPIRED,
		    "G1: expires, %s", twice[i]);
		memset(&policy.audiences, 0, sizeof(policy.audiences));
		is_int(validate_token(token, strlen(token), NOW, &p, NULL), OAUTH_WRONG_AUDIENCE,
		    "G2: is of no use for another audience, %s", twice[i]);
		policy.audiences = audiences;
	}
	other = mint(rsa2, "RS256", HEADER, payload);
	end = strrchr(other, '.');
	*end = '\0';
	longer = mint_text("%s%s", other, strrchr(token, '.'));
	free(other);
	other = mint_text("%s", longer);
	refused("bad_signature", longer, "G3: another payload under the remembered signature");
	refused("bad_signature", other, "G4: and a refused token is not remembered as good");
	other = mint_text("%s", token);
	break_signature(other);
	refused("bad_signature", other, "G3: the remembered token with another signature");
	refused("not_jwt", mint_text("%s.", token), "G3: the remembered token with a dot more");
	refused("not_jwt", mint_text("%.*s", (int)strlen(token) - 1, token),
	    "G3: the remembered token, a digit shorter");
	jwk = jwk_text(rsa2, ",\"kid\":\"rsa\"");
	jwks_unref(keystore_swap(make_set(jwk, (char *)NULL)));
	refused("bad_signature", mint_text("%s", token),
	    "G2/F10: the same kid with a new key: the old tokens are over");
	free(jwk);
	jwk = jwk_text(rsa2, ",\"kid\":\"new\"");
	jwks_unref(keystore_swap(make_set(jwk, (char *)NULL)));
	refused("unknown_key", mint_text("%s", token), "G2/F10: the key was removed: so are the tokens it signed");
	free(jwk);
	keystore_renew();
	accepted(token, "and with its key back the token is good again");
	free(payload);
}

static void
test_signatures(void)
{
	/* {"alg":"RS256","kid":"rsa"} and the issuer, as segments */
	static const char named[] = "eyJhbGciOiJSUzI1NiIsImtpZCI6InJzYSJ9.eyJpc3MiOiJodHRwczovL2FzLmV4YW1wbGUuY29tIn0";
	struct mint_options o = {.alg = "PS256", .salt_len = 20};
	const char *header = "{\"alg\":\"PS256\",\"kid\":\"any\"}", *es = "{\"alg\":\"ES256\",\"kid\":\"p256\"}";
	char *payload = claims(NULL, NULL), *token, *other;

#define HOSTILE(key, h) mint_bytes(key, &o, h, strlen(h), payload, strlen(payload))
	refused("bad_signature", HOSTILE(rsa2, header), "D13: PS256 with a salt of 20 octets");
	o.salt_len = RSA_PSS_SALTLEN_MAX;
	refused("bad_signature", HOSTILE(rsa2, header), "D13: PS256 with the longest salt");
	o = (struct mint_options){.alg = "PS256", .mgf1 = "SHA512"};
	refused("bad_signature", HOSTILE(rsa2, header), "D13: PS256 with MGF1 of SHA-512");
	o = (struct mint_options){.alg = "ES256", .der = true};
	refused("bad_signature", HOSTILE(p256, es), "an ECDSA signature in DER");
	o = (struct mint_options){.alg = "ES256", .pad = 1};
	refused("bad_signature", HOSTILE(p256, es), "r and s in 65 octets");
	token = mint(rsa, "RS256", HEADER, "{}");
	other = mint(rsa, "RS256", HEADER, payload);
	*strrchr(other, '.') = '\0';
	refused("bad_signature", mint_text("%s%s", other, strrchr(token, '.')), "the signature of another token");
	free(other);
	free(token);
	refused("bad_signature", mint_text("%s.%01364d", named, 0),
	    "a signature of 1023 octets");
	refused("bad_signature", mint_text("%s.%01368d", named, 0),
	    "a longer one");
	token = with_header("{\"alg\":\"RS256\",\"kid\":\"rsa\",\"nonce\":\"x\"}");
	break_signature(token);
	refused("bad_signature", token, "C17: a header with nonce whose signature does not fit");
	ok(strstr(seen.data, "Microsoft Graph"), "C17: the log gets a hint");
	token = good();
	break_signature(token);
	refused("bad_signature", token, "without nonce");
	is_int((long long)seen.len, 0, "C17: it gets none");
	free(payload);
}

int
main(void)
{
	validation_begin();
	test_good();
	test_segments();
	test_base64url();
	test_json();
	test_bounds();
	test_algorithms();
	test_each_algorithm();
	test_policy();
	test_confusion();
	test_header();
	test_foreign_keys();
	test_kid();
	test_typ();
	test_signatures();
	test_memory();
	accepted(good(), "A11: and a good token is still good");
	validation_end();
	return tap_done();
}
