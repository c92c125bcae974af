/* SPDX-License-Identifier: MIT */
#include "oauth/jwk.h"

#include <openssl/evp.h>
#include <openssl/rsa.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/json.h"
#include "base/text.h"
#include "tests/unit/mint.h"
#include "tests/tap.h"

static const struct json_bounds bounds = {65536, 16, 1000};

/* jwk_parse() of a text; *out is NULL on failure. The text is freed. */
static enum mcp_err
parse(char *text, struct jwk **out, const char **why)
{
	struct json_object *v = NULL;
	enum mcp_err err;

	*out = NULL;
	*why = NULL;
	if (json_parse(text, strlen(text), &bounds, &v, NULL) != MCP_OK) {
		printf("Bail out! not JSON: %s\n", text);
		exit(99);
	}
	err = jwk_parse(v, out, why);
	json_free(v);
	free(text);
	return err;
}

static void
refused_as(enum mcp_err want, char *text, const char *claim)
{
	const char *why;
	struct jwk *k;
	enum mcp_err err = parse(text, &k, &why);

	ok(err == want && !k && why && *why, "%s: %s (%s)", claim, mcp_strerror(err), why ? why : "no reason");
	jwk_free(k);
}

static struct jwk *
taken(char *text, const char *claim)
{
	const char *why;
	struct jwk *k;
	enum mcp_err err = parse(text, &k, &why);

	if (!ok(err == MCP_OK && k, "%s", claim))
		diag("%s: %s", mcp_strerror(err), why);
	return k;
}

static char *
text_of(EVP_PKEY *key, const char *more)
{
	struct buf b;

	buf_init(&b, 65536);
	mint_jwk(key, NULL, more, &b);
	return buf_steal(&b, NULL);
}

/* An RSA JWK of octets that need not be anybody's key. */
static char *
rsa_text(const void *n, size_t n_len, const void *e, size_t e_len)
{
	struct buf b;

	buf_init(&b, 65536);
	buf_puts(&b, "{\"kty\":\"RSA\",\"n\":\"");
	text_base64url_encode(n, n_len, &b);
	buf_puts(&b, "\",\"e\":\"");
	text_base64url_encode(e, e_len, &b);
	buf_puts(&b, "\"}");
	return buf_steal(&b, NULL);
}

/* The same with a modulus of "bits" bits whose last octet is "last". */
static char *
rsa_of(size_t bits, unsigned char last, const void *e, size_t e_len)
{
	unsigned char n[3000];
	size_t len = (bits + 7) / 8;

	memset(n, 0x5a, len);
	n[0] = (unsigned char)(bits % 8 ? 1u << (bits % 8 - 1) : 0x80);
	n[len - 1] = last;
	return rsa_text(n, len, e, e_len);
}

static void
test_rsa_sizes(void)
{
	static const unsigned char e[] = {1, 0, 1};
	static const unsigned char zeros[256];
	unsigned char n[257] = {0};

	refused_as(MCP_EINVAL, rsa_of(512, 1, e, 3), "D6: 512 bits");
	refused_as(MCP_EINVAL, rsa_of(1024, 1, e, 3), "D6: 1024 bits");
	refused_as(MCP_EINVAL, rsa_of(2047, 1, e, 3), "D6: 2047 bits");
	jwk_free(taken(rsa_of(2048, 1, e, 3), "D6: 2048 bits are the least"));
	jwk_free(taken(rsa_of(3072, 1, e, 3), "3072 bits"));
	jwk_free(taken(rsa_of(8192, 1, e, 3), "D6: 8192 bits are the most"));
	refused_as(MCP_EINVAL, rsa_of(8193, 1, e, 3), "D6: 8193 bits");
	refused_as(MCP_EINVAL, rsa_of(8200, 1, e, 3), "D6: 8200 bits");
	refused_as(MCP_EINVAL, rsa_of(16384, 1, e, 3), "D6: 16384 bits");
	refused_as(MCP_EINVAL, rsa_of(2048, 2, e, 3), "D6: an even modulus");
	refused_as(MCP_EINVAL, rsa_text(zeros, 256, e, 3), "D6: a modulus of 0");
	refused_as(MCP_EINVAL, rsa_text("", 0, e, 3), "D6: an empty modulus");
	memset(n + 1, 0xa5, 256);
	refused_as(MCP_EINVAL, rsa_text(n, 257, e, 3), "D6: a leading zero octet in n");
}

static void
test_rsa_exponents(void)
{
	static const struct {
		unsigned char e[40];
		size_t len;
		bool good;
		const char *text;
	} rows[] = {
		{{1, 0, 1}, 3, true, "e=65537"},
		{{3}, 1, true, "e=3"},
		{{17}, 1, true, "e=17"},
		{{0x81}, 1, true, "e=129"},
		{{0xff, 0xff, 0xff, 0xff}, 4, true, "e=2^32-1"},
		{{0}, 0, false, "D6: e empty"},
		{{0}, 1, false, "D6: e=0"},
		{{1}, 1, false, "D6: e=1"},
		{{2}, 1, false, "D6: e=2"},
		{{1, 0, 0}, 3, false, "D6: an even e"},
		{{0, 3}, 2, false, "D6: a leading zero octet in e"},
		{{1, 0, 0, 0, 1}, 5, false, "D6: e=2^32+1"},
		{{1, 0, 0, 0, 0, 0, 0, 1}, 8, false, "D6: e of 57 bits"},
		{{1, [32] = 1}, 33, false, "D6: a huge e"},
	};

	for (size_t i = 0; i < sizeof(rows) / sizeof(*rows); i++) {
		char *text = rsa_of(2048, 1, rows[i].e, rows[i].len);

		if (rows[i].good)
			jwk_free(taken(text, rows[i].text));
		else
			refused_as(MCP_EINVAL, text, rows[i].text);
	}
}

#define X "f83OJ3D2xF1Bg8vub9tLe1gHMzV76e8Tus9uPHvRVEU"
#define Y "x_FEzRu9m36HLN_tue659LNpXW6pCyStikYjKIWI5a0"
#define Z43 "AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA"

#define EC_TEXT(crv, x, y) mint_text("{\"kty\":\"EC\",\"crv\":\"" crv "\",\"x\":\"" x "\",\"y\":\"" y "\"}")

static void
test_ec(void)
{
	EVP_PKEY *k256 = mint_ec("secp256k1"), *bp = mint_ec("brainpoolP256r1"), *p384 = mint_ec("P-384");
	struct buf b;

	jwk_free(taken(EC_TEXT("P-256", X, Y), "the P-256 key of RFC 7515 A.3"));
	refused_as(MCP_EINVAL, EC_TEXT("P-256", X, X), "D7: a point that is not on the curve");
	refused_as(MCP_EINVAL, EC_TEXT("P-256", Z43, Z43), "D7: (0, 0), which some take for infinity");
	refused_as(MCP_EINVAL, EC_TEXT("P-256", "", ""), "D7: empty coordinates");
	refused_as(MCP_EINVAL, EC_TEXT("P-256", "f83OJ3D2xF1Bg8vub9tLe1gHMzV76e8Tus9uPHvRVA", Y), "D7: x of 31 octets");
	refused_as(MCP_EINVAL, EC_TEXT("P-256", "AH_NzidWNsRdQYPL7m_bS3tYBzM1e-nvE7rPbjx70VRF", Y),
	    "D7: x of 33 octets");
	refused_as(MCP_EINVAL, EC_TEXT("P-256", X, "AMfxRM0bvZt-hyzf7bnuufSzaV1uqQskrYpGIyiFiOWt"),
	    "D7: y of 33 octets");
	refused_as(MCP_EINVAL, EC_TEXT("P-256", "_____________________________________________w", Y),
	    "D7: x of 34 octets");
	refused_as(MCP_EINVAL, EC_TEXT("P-256", "__________________________________________8", Y),
	    "D7: x beyond the field");
	refused_as(MCP_EINVAL, EC_TEXT("P-256", "f83OJ3D2xF1Bg8vub9tLe1gHMzV76e8Tus9uPHvRVA",
	    "RcfxRM0bvZt-hyzf7bnuufSzaV1uqQskrYpGIyiFiOWt"),
	    "D7: x of 31 octets and y of 33 that make the point together");
	refused_as(MCP_EINVAL, EC_TEXT("P-384", X, Y), "D7: coordinates of another curve");
	refused_as(MCP_EINVAL, EC_TEXT("P-521", X, Y), "D7: coordinates too short for P-521");
	refused_as(MCP_ENOENT, EC_TEXT("secp256k1", X, Y), "C5: secp256k1 is not taken");
	refused_as(MCP_ENOENT, EC_TEXT("P-192", X, Y), "P-192 is not taken");
	refused_as(MCP_ENOENT, EC_TEXT("p-256", X, Y), "p-256 is no name of a curve");
	buf_init(&b, 4096);
	mint_jwk(k256, "P-256", "", &b);
	refused_as(MCP_EINVAL, buf_steal(&b, NULL), "C5: a secp256k1 point under the name P-256");
	mint_jwk(bp, "P-256", "", &b);
	refused_as(MCP_EINVAL, buf_steal(&b, NULL), "C5: a brainpool point under the name P-256");
	mint_jwk(p384, "P-256", "", &b);
	refused_as(MCP_EINVAL, buf_steal(&b, NULL), "C5: a P-384 point under the name P-256");
	EVP_PKEY_free(k256);
	EVP_PKEY_free(bp);
	EVP_PKEY_free(p384);
	buf_clear(&b);
}

#define ED "11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo"

#define OKP_TEXT(crv, x) mint_text("{\"kty\":\"OKP\",\"crv\":\"" crv "\",\"x\":\"" x "\"}")

static void
test_okp(void)
{
	/*
	 * The y of the points of order 1, 2, 4, 8, 8 with either sign of x, then other names of some beyond the field.
	 */
	static const char *const weak[] = {
		"AQAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA", "AQAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAIA",
		"7P_______________________________________38", "7P________________________________________8",
		"AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA", "AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAIA",
		"JuiVj8KyJ7BFw_SJ8u-Y8NXfrAXTxjM5sTgCiG1T_AU", "JuiVj8KyJ7BFw_SJ8u-Y8NXfrAXTxjM5sTgCiG1T_IU",
		"xxdqcD1N2E-6PAt2DRBnDyogU_osOczGTsf9d5KsA3o", "xxdqcD1N2E-6PAt2DRBnDyogU_osOczGTsf9d5KsA_o",
		"7f_______________________________________38", "7v_______________________________________38",
		"_________________________________________38", "__________________________________________8",
	};
	EVP_PKEY *ed448 = mint_ed448();

	jwk_free(taken(OKP_TEXT("Ed25519", ED), "D14: the Ed25519 key of RFC 8037 A.2"));
	refused_as(MCP_EINVAL, OKP_TEXT("Ed25519", "11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHUQ"),
	    "D14: x of 31 octets");
	refused_as(MCP_EINVAL, OKP_TEXT("Ed25519", "11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURoA"),
	    "D14: x of 33 octets");
	refused_as(MCP_EINVAL, OKP_TEXT("Ed25519", ""), "D14: x empty");
	refused_as(MCP_ENOENT, text_of(ed448, ""), "D14: Ed448 is not taken");
	refused_as(MCP_ENOENT, OKP_TEXT("X25519", ED), "X25519 signs nothing");
	for (size_t i = 0; i < sizeof(weak) / sizeof(*weak); i++)
		refused_as(MCP_EINVAL, mint_text("{\"kty\":\"OKP\",\"crv\":\"Ed25519\",\"x\":\"%s\"}", weak[i]),
		    "D14: a point of small order");
	EVP_PKEY_free(ed448);
}

#define EC_WITH(more) mint_text("{\"kty\":\"EC\",\"crv\":\"P-256\",\"x\":\"" X "\",\"y\":\"" Y "\"" more "}")

static void
test_purpose(void)
{
	jwk_free(taken(EC_WITH(",\"use\":\"sig\""), "D4: use sig"));
	jwk_free(taken(EC_WITH(",\"key_ops\":[\"verify\"]"), "D4: key_ops verify"));
	jwk_free(taken(EC_WITH(",\"key_ops\":[\"sign\",\"verify\"]"), "D4: key_ops sign and verify"));
	jwk_free(taken(EC_WITH(",\"use\":\"sig\",\"key_ops\":[\"verify\"]"), "D4: both, and both fit"));
	refused_as(MCP_ENOENT, EC_WITH(",\"use\":\"enc\""), "D4: use enc");
	refused_as(MCP_ENOENT, EC_WITH(",\"use\":\"\""), "D4: use empty");
	refused_as(MCP_ENOENT, EC_WITH(",\"use\":\"SIG\""), "D4: use is compared with case");
	refused_as(MCP_ETYPE, EC_WITH(",\"use\":[\"sig\"]"), "D4: use an array");
	refused_as(MCP_ENOENT, EC_WITH(",\"key_ops\":[\"sign\"]"), "D4: key_ops sign only");
	refused_as(MCP_ENOENT, EC_WITH(",\"key_ops\":[\"encrypt\"]"), "D4: key_ops encrypt");
	refused_as(MCP_ENOENT, EC_WITH(",\"key_ops\":[]"), "D4: key_ops empty");
	refused_as(MCP_ENOENT, EC_WITH(",\"use\":\"enc\",\"key_ops\":[\"verify\"]"), "D4: key_ops fits, use does not");
	refused_as(MCP_ENOENT, EC_WITH(",\"use\":\"sig\",\"key_ops\":[\"encrypt\"]"), "D4: use fits, key_ops does not");
	refused_as(MCP_ENOENT, EC_WITH(",\"use\":\"sig\",\"key_ops\":[\"verify\",\"encrypt\"]"), "D4: two purposes");
	refused_as(MCP_ETYPE, EC_WITH(",\"key_ops\":\"verify\""), "D4: key_ops a string");
	refused_as(MCP_ETYPE, EC_WITH(",\"key_ops\":[1]"), "D4: key_ops of numbers");
	refused_as(MCP_ENOENT, EC_WITH(",\"alg\":\"ES384\""), "D5: alg of another curve");
	refused_as(MCP_ENOENT, EC_WITH(",\"alg\":\"ECDH-ES\""), "D5: alg for encryption");
	refused_as(MCP_ENOENT, EC_WITH(",\"alg\":\"HS256\""), "D5: alg HS256");
	refused_as(MCP_ENOENT, EC_WITH(",\"alg\":\"none\""), "D5: alg none");
	refused_as(MCP_ETYPE, EC_WITH(",\"alg\":null"), "D5: alg null");
	refused_as(MCP_EINVAL, EC_WITH(",\"d\":\"AAAA\""), "D8: a private key");
	refused_as(MCP_EINVAL, EC_WITH(",\"d\":null"), "D8: even one that is null");
	refused_as(MCP_EINVAL, EC_WITH(",\"p\":\"AAAA\",\"q\":\"AAAA\""), "D8: primes");
	refused_as(MCP_EINVAL, mint_text("{\"kty\":\"oct\",\"k\":\"AAAA\",\"alg\":\"HS256\"}"), "D3: a symmetric key");
	refused_as(MCP_EINVAL, mint_text("{\"kty\":\"oct\"}"), "D3: also without its bytes");
	refused_as(MCP_EINVAL, EC_WITH(",\"k\":\"AAAA\""), "D3: a secret in a public key");
}

static void
test_shapes(void)
{
	struct jwk *k;
	const char *kid = ",\"kid\":\"1234example=+/\"";

	refused_as(MCP_ETYPE, mint_text("{}"), "D2: no kty");
	refused_as(MCP_ETYPE, mint_text("[]"), "D2: an array");
	refused_as(MCP_ETYPE, mint_text("null"), "D2: null");
	refused_as(MCP_ETYPE, mint_text("\"RSA\""), "D2: a string");
	refused_as(MCP_ETYPE, mint_text("{\"kty\":1}"), "D2: kty a number");
	refused_as(MCP_ENOENT, mint_text("{\"kty\":\"AKP\"}"), "D2: an unknown kty");
	refused_as(MCP_ENOENT, mint_text("{\"kty\":\"rsa\"}"), "D2: kty is compared with case");
	refused_as(MCP_ETYPE, mint_text("{\"kty\":\"RSA\",\"e\":\"AQAB\"}"), "D2: no n");
	refused_as(MCP_ETYPE, mint_text("{\"kty\":\"RSA\",\"n\":1,\"e\":\"AQAB\"}"), "D2: n a number");
	refused_as(MCP_ETYPE, mint_text("{\"kty\":\"EC\",\"x\":\"" X "\",\"y\":\"" Y "\"}"), "D2: no crv");
	refused_as(MCP_ETYPE, mint_text("{\"kty\":\"EC\",\"crv\":\"P-256\",\"x\":\"" X "\"}"), "D2: no y");
	refused_as(MCP_ETYPE, mint_text("{\"kty\":\"EC\",\"crv\":\"P-256\",\"y\":\"" X "\"}"), "D2: no x");
	refused_as(MCP_ETYPE, mint_text("{\"kty\":\"OKP\",\"crv\":\"Ed25519\"}"), "D2: no x in OKP");
	refused_as(MCP_ESYNTAX, EC_TEXT("P-256", X "=", Y), "D2: padding");
	refused_as(MCP_ESYNTAX, EC_TEXT("P-256", X, "x/FEzRu9m36HLN/tue659LNpXW6pCyStikYjKIWI5a0"),
	    "D2: the other alphabet");
	refused_as(MCP_ESYNTAX, EC_TEXT("P-256", X, "x_FEzRu9m36HLN_tue659LNpXW6pCyStikYjKIWI5a1"),
	    "D2: stray bits at the end");
	refused_as(MCP_ETYPE, EC_WITH(",\"kid\":7"), "D2: kid a number");
	refused_as(MCP_EINVAL, EC_WITH(",\"kid\":\"\""), "D2: kid empty");
	refused_as(MCP_EINVAL, mint_text("{\"kty\":\"EC\",\"crv\":\"P-256\",\"x\":\"" X "\",\"y\":\""
	    Y "\",\"kid\":\"%0257d\"}", 0),
	    "D2: kid of 257 bytes");
	jwk_free(taken(EC_WITH(",\"x5c\":[\"rubbish\"],\"x5t\":1,\"exp\":0"),
	    "D10: certificates and other members are not looked at"));
	k = taken(mint_text("{\"kty\":\"EC\",\"crv\":\"P-256\",\"x\":\"" X "\",\"y\":\"" Y "\"%s}", kid),
	    "C11: a kid with = + /");
	is_str(k ? jwk_kid(k) : "", "1234example=+/", "C11: is kept as it is");
	jwk_free(k);
	k = taken(EC_WITH(""), "a key without kid");
	ok(k && !jwk_kid(k), "has none");
	jwk_free(k);
	jwk_free(NULL);
}

static const char *const all[] = {"RS256", "RS384", "RS512", "PS256", "PS384", "PS512", "ES256", "ES384", "ES512",
    "EdDSA", "Ed25519"};

/* Exactly the algorithms whose names begin with one of "names" (blank-separated). */
static void
can_only(const struct jwk *k, const char *names, const char *text)
{
	bool good = k != NULL;

	for (size_t i = 0; k && i < sizeof(all) / sizeof(*all); i++)
		if (jwk_can(k, all[i]) != (strstr(names, all[i]) != NULL))
			good = false;
	ok(good, "%s: %s", text, names);
}

static void
test_can(void)
{
	static const char *const never[] = {"none", "None", "", "HS256", "HS384", "HS512", "rs256", "RS256 ", "RS",
	    "ES256K", "Ed448", "dir"};
	EVP_PKEY *rsa = mint_rsa(2048);
	struct jwk *k = taken(text_of(rsa, ""), "an RSA key");

	can_only(k, "RS256 RS384 RS512 PS256 PS384 PS512", "D5: without alg it binds by its type");
	for (size_t i = 0; i < sizeof(never) / sizeof(*never); i++)
		ok(!jwk_can(k, never[i]) && !jwk_algorithm_known(never[i]),
		    "C1/C6: no key can \"%s\", and it is no algorithm", never[i]);
	for (size_t i = 0; i < sizeof(all) / sizeof(*all); i++)
		ok(jwk_algorithm_known(all[i]), "%s is known", all[i]);
	jwk_free(k);
	k = taken(text_of(rsa, ",\"alg\":\"RS256\""), "an RSA key with alg RS256");
	can_only(k, "RS256", "D5: can do nothing else");
	is_int(jwk_verify(k, "RS512", "x", 1, "y", 1), MCP_EINVAL, "D5: not even when asked");
	jwk_free(k);
	k = taken(EC_WITH(""), "a P-256 key");
	can_only(k, "ES256", "C4: binds by its curve");
	jwk_free(k);
	k = taken(OKP_TEXT("Ed25519", ED), "an Ed25519 key");
	can_only(k, "EdDSA Ed25519", "D14: by either name");
	jwk_free(k);
	k = taken(mint_text("{\"kty\":\"OKP\",\"crv\":\"Ed25519\",\"x\":\"" ED "\",\"alg\":\"EdDSA\"}"),
	    "an Ed25519 key with alg EdDSA");
	can_only(k, "EdDSA Ed25519", "D14: the names mean the same");
	jwk_free(k);
	EVP_PKEY_free(rsa);
}

/* Verify the compact "jws" (as in the RFCs) with a key. */
static enum mcp_err
verify_compact(const struct jwk *k, const char *alg, const char *jws)
{
	const char *dot = strrchr(jws, '.');
	struct buf sig;
	enum mcp_err err;

	buf_init(&sig, 4096);
	err = text_base64url_decode(dot + 1, strlen(dot + 1), &sig);
	if (!err)
		err = jwk_verify(k, alg, jws, (size_t)(dot - jws), sig.data, sig.len);
	buf_clear(&sig);
	return err;
}

static const struct {
	const char *name, *alg, *jwk, *jws;
} vectors[] = {
	{"RFC 7515 A.2", "RS256",
	    "{\"kty\":\"RSA\",\"n\":\"ofgWCuLjybRlzo0tZWJjNiuSfb4p4fAkd_wWJcyQoTbji9k0l8W26mPddxHmfHQp-Vaw-4qPCJrcS2"
	    "mJPMEzP1Pt0Bm4d4QlL-"
	    "yRT-SFd2lZS-pCgNMsD1W_YpRPEwOWvG6b32690r2jZ47soMZo9wGzjb_7OMg0LOL-bSf63kpaSHSXndS5z5rexMdbBYUsLA9e-KXBd"
	    "QOS-UTo7WTBEMa2R2CapHg"
	    "665xsmtdVMTBQY4uDZlxvb3qCo5ZwKh9kG4LT6_I5IhlJH7aGhyxXFvUK-DWNmoudF8NAco9_h9iaGNj8q2ethFkMLs91kzk2PAcDTW"
	    "9gb54h4FRWyuXpoQ\","
	    "\"e\":\"AQAB\"}",
	    "eyJhbGciOiJSUzI1NiJ9.eyJpc3MiOiJqb2UiLA0KICJleHAiOjEzMDA4MTkzODAsDQogImh0dHA6Ly9leGFtcGxlLmNvbS9pc19yb2"
	    "90Ijp0cnVlfQ.cC4hiUPoj9"
	    "Eetdgtv3hF80EGrhuB__dzERat0XF9g2VtQgr9PJbu3XOiZj5RZmh7AAuHIm4Bh-0Qc_lF5YKt_O8W2Fp5jujGbds9uJdbF9CUAr7t1"
	    "dnZcAcQjbKBYNX4BAynRFdiuB"
	    "--f_nZLgrnbyTyWzO75vRK5h6xBArLIARNPvkSjtQBMHlb1L07Qe7K0GarZRmB_eSN9383LcOLn6_dO--xi12jzDwusC-eOkHWEsqtF"
	    "ZESc6BfI7noOPqvhJ1phCnvW"
	    "h6IeYI2w9QOYEUipUTI8np6LbgGY9Fs98rqVt5AXLIhWkWywlVmtVrBp0igcN_IoypGlUPQGe77Rw"},
	{"RFC 7515 A.3", "ES256", "{\"kty\":\"EC\",\"crv\":\"P-256\",\"x\":\"" X "\",\"y\":\"" Y "\"}",
	    "eyJhbGciOiJFUzI1NiJ9.eyJpc3MiOiJqb2UiLA0KICJleHAiOjEzMDA4MTkzODAsDQogImh0dHA6Ly9leGFtcGxlLmNvbS9pc19yb2"
	    "90Ijp0cnVlfQ.DtEhU3ljbEg"
	    "8L38VWAfUAqOyKAM6-Xx-F4GawxaepmXFCgfTjDxw5djxLa8ISlSApmWQxfKTUJqPP3-Kg6NU1Q"},
	{"RFC 7515 A.4", "ES512",
	    "{\"kty\":\"EC\",\"crv\":\"P-521\",\"x\":\"AekpBQ8ST8a8VcfVOTNl353vSrDCLLJXmPk06wTjxrrjcBpXp5EOnYG_NjFZ6"
	    "OvLFV1jSfS9tsz4qUxcWceqwQGk\","
	    "\"y\":\"ADSmRA43Z1DSNx_RvcLI87cdL07l6jQyyBXMoxVg_l2Th-x3S1WDhjDly79ajL4Kkd0AZMaZmh9ubmf63e3kyMj2\"}",
	    "eyJhbGciOiJFUzUxMiJ9.UGF5bG9hZA.AdwMgeerwtHoh-l192l60hp9wAHZFVJbLfD_UxMi70cwnZOYaRI1bKPWROc-mZZqwqT2SI-"
	    "KGDKB34XO0aw_7XdtAG8GaSw"
	    "FKdCAPZgoXD2YBJZCPEX3xKpRwcdOO8KpEHwJjyqOgzDO7iKvU8vcnwNrmxYbSW9ERBXukOXolLzeO_Jn"},
	{"RFC 8037 A.4", "EdDSA", "{\"kty\":\"OKP\",\"crv\":\"Ed25519\",\"x\":\"" ED "\"}",
	    "eyJhbGciOiJFZERTQSJ9.RXhhbXBsZSBvZiBFZDI1NTE5IHNpZ25pbmc.hgyY0il_MGCjP0JzlnLWG1PPOt7-09PGcvMg3AIbQR6dWb"
	    "hijcNR4ki4iylGjg5BhVsPt9"
	    "g7sVvpAr_MuM0KAg"},
};

static void
test_vectors(void)
{
	for (size_t i = 0; i < sizeof(vectors) / sizeof(*vectors); i++) {
		struct jwk *k = taken(mint_text("%s", vectors[i].jwk), vectors[i].name);
		char *broken = mint_text("%s", vectors[i].jws);

		if (!k)
			continue;
		is_int(verify_compact(k, vectors[i].alg, vectors[i].jws), MCP_OK, "%s: the signature is good",
		    vectors[i].name);
		broken[3] ^= 1;
		is_int(verify_compact(k, vectors[i].alg, broken), MCP_EINVAL, "%s: not for another header",
		    vectors[i].name);
		broken[3] ^= 1;
		strchr(broken, '.')[3] ^= 1;
		is_int(verify_compact(k, vectors[i].alg, broken), MCP_EINVAL, "%s: not for another payload",
		    vectors[i].name);
		free(broken);
		jwk_free(k);
	}
}

/* Sign with "key", verify with its JWK by each algorithm: only "alg" may say yes, and only to the very signature. */
static void
test_own(EVP_PKEY *key, const char *alg)
{
	struct mint_options o = {.alg = alg};
	struct jwk *k = taken(text_of(key, ""), alg);
	bool only = true, flips = true, lengths = true;
	struct buf sig;

	buf_init(&sig, 4096);
	mint_signature(key, &o, "data", 4, &sig);
	is_int(jwk_verify(k, alg, "data", 4, sig.data, sig.len), MCP_OK, "%s: our signature is good", alg);
	is_int(jwk_verify(k, alg, "dat", 3, sig.data, sig.len), MCP_EINVAL, "%s: not for other data", alg);
	is_int(jwk_verify(k, alg, "", 0, sig.data, sig.len), MCP_EINVAL, "%s: not for no data", alg);
	for (size_t i = 0; i < sizeof(all) / sizeof(*all); i++)
		if ((jwk_verify(k, all[i], "data", 4, sig.data, sig.len) == MCP_OK) !=
		    (strcmp(alg, all[i]) == 0 || (alg[1] == 'd' && all[i][1] == 'd')))
			only = false;
	ok(only, "C4: %s: by no other algorithm", alg);
	for (size_t i = 0; i < sig.len; i += 1 + sig.len / 40) {
		sig.data[i] ^= 0x10;
		flips = flips && jwk_verify(k, alg, "data", 4, sig.data, sig.len) == MCP_EINVAL;
		sig.data[i] ^= 0x10;
	}
	ok(flips, "%s: with no bit changed", alg);
	for (size_t n = 0; n < sig.len; n++)
		lengths = lengths && jwk_verify(k, alg, "data", 4, sig.data, n) == MCP_EINVAL;
	buf_putc(&sig, '\0');
	lengths = lengths && jwk_verify(k, alg, "data", 4, sig.data, sig.len) == MCP_EINVAL;
	ok(lengths, "%s: not shorter, not longer", alg);
	buf_clear(&sig);
	jwk_free(k);
}

static void
test_round_trips(void)
{
	EVP_PKEY *rsa = mint_rsa(2048), *p256 = mint_ec("P-256"), *p384 = mint_ec("P-384"), *p521 = mint_ec("P-521");
	EVP_PKEY *ed = mint_ed25519();

	for (size_t i = 0; i < 6; i++)
		test_own(rsa, all[i]);
	test_own(p256, "ES256");
	test_own(p384, "ES384");
	test_own(p521, "ES512");
	test_own(ed, "EdDSA");
	test_own(ed, "Ed25519");
	EVP_PKEY_free(rsa);
	EVP_PKEY_free(p256);
	EVP_PKEY_free(p384);
	EVP_PKEY_free(p521);
	EVP_PKEY_free(ed);
}

/* Signatures that a lax verifier takes. */
static void
test_forms(void)
{
	static const int salts[] = {RSA_PSS_SALTLEN_MAX, 20, 31, 33, 1};
	struct mint_options o = {.alg = "PS256"};
	EVP_PKEY *rsa = mint_rsa(2048), *p256 = mint_ec("P-256");
	struct jwk *k = taken(text_of(rsa, ""), "an RSA key");
	unsigned char zeros[64] = {0};
	struct buf sig;

	buf_init(&sig, 4096);
	for (size_t i = 0; i < sizeof(salts) / sizeof(*salts); i++) {
		buf_reset(&sig);
		o.salt_len = salts[i];
		mint_signature(rsa, &o, "data", 4, &sig);
		is_int(jwk_verify(k, "PS256", "data", 4, sig.data, sig.len), MCP_EINVAL, "D13: PSS with a salt of %d",
		    salts[i]);
	}
	o.salt_len = 0;
	o.mgf1 = "SHA1";
	buf_reset(&sig);
	mint_signature(rsa, &o, "data", 4, &sig);
	is_int(jwk_verify(k, "PS256", "data", 4, sig.data, sig.len), MCP_EINVAL, "D13: PSS with MGF1 of SHA-1");
	jwk_free(k);
	k = taken(text_of(p256, ""), "a P-256 key");
	o = (struct mint_options){.alg = "ES256", .der = true};
	buf_reset(&sig);
	mint_signature(p256, &o, "data", 4, &sig);
	is_int(jwk_verify(k, "ES256", "data", 4, sig.data, sig.len), MCP_EINVAL, "an ECDSA signature in DER");
	o = (struct mint_options){.alg = "ES256", .pad = 1};
	buf_reset(&sig);
	mint_signature(p256, &o, "data", 4, &sig);
	is_int((long long)sig.len, 65, "r and s in 65 octets");
	is_int(jwk_verify(k, "ES256", "data", 4, sig.data, sig.len), MCP_EINVAL, "are refused");
	is_int(jwk_verify(k, "ES256", "data", 4, zeros, 64), MCP_EINVAL, "r = s = 0 fits nothing");
	memset(zeros, 0xff, 64);
	is_int(jwk_verify(k, "ES256", "data", 4, zeros, 64), MCP_EINVAL, "nor do r and s beyond the order");
	jwk_free(k);
	buf_clear(&sig);
	EVP_PKEY_free(rsa);
	EVP_PKEY_free(p256);
}

int
main(void)
{
	test_rsa_sizes();
	test_rsa_exponents();
	test_ec();
	test_okp();
	test_purpose();
	test_shapes();
	test_can();
	test_vectors();
	test_round_trips();
	test_forms();
	return tap_done();
}
