/* SPDX-License-Identifier: MIT */
#include "tests/unit/mint.h"

#include <openssl/bn.h>
#include <openssl/core_names.h>
#include <openssl/ec.h>
#include <openssl/evp.h>
#include <openssl/hmac.h>
#include <openssl/rsa.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/text.h"

#define NEED(condition) \
	do { \
		if (!(condition)) { \
			printf("Bail out! mint.c:%d: %s\n", __LINE__, #condition); \
			exit(99); \
		} \
	} while (0)

EVP_PKEY *
mint_rsa(unsigned bits)
{
	EVP_PKEY *key = EVP_RSA_gen(bits);

	NEED(key);
	return key;
}

EVP_PKEY *
mint_ec(const char *curve)
{
	EVP_PKEY *key = EVP_EC_gen(curve);

	NEED(key);
	return key;
}

EVP_PKEY *
mint_ed25519(void)
{
	EVP_PKEY *key = EVP_PKEY_Q_keygen(NULL, NULL, "ED25519");

	NEED(key);
	return key;
}

EVP_PKEY *
mint_ed448(void)
{
	EVP_PKEY *key = EVP_PKEY_Q_keygen(NULL, NULL, "ED448");

	NEED(key);
	return key;
}

static void
put_number(EVP_PKEY *key, const char *parameter, const char *member, int len, struct buf *out)
{
	unsigned char bytes[2048];
	BIGNUM *n = NULL;

	NEED(EVP_PKEY_get_bn_param(key, parameter, &n) == 1);
	if (len == 0)
		len = BN_num_bytes(n);
	NEED(len <= (int)sizeof(bytes) && BN_bn2binpad(n, bytes, len) == len);
	buf_printf(out, ",\"%s\":\"", member);
	text_base64url_encode(bytes, (size_t)len, out);
	buf_putc(out, '"');
	BN_free(n);
}

void
mint_jwk(EVP_PKEY *key, const char *crv, const char *more, struct buf *out)
{
	unsigned char raw[64];
	char group[40];
	size_t len = sizeof(raw);

	if (EVP_PKEY_is_a(key, "RSA")) {
		buf_puts(out, "{\"kty\":\"RSA\"");
		put_number(key, OSSL_PKEY_PARAM_RSA_N, "n", 0, out);
		put_number(key, OSSL_PKEY_PARAM_RSA_E, "e", 0, out);
	} else if (EVP_PKEY_is_a(key, "EC")) {
		int octets = (EVP_PKEY_get_bits(key) + 7) / 8;

		NEED(EVP_PKEY_get_group_name(key, group, sizeof(group), &len) == 1);
		if (!crv)
			crv = octets == 32 ? "P-256" : octets == 48 ? "P-384" : "P-521";
		buf_printf(out, "{\"kty\":\"EC\",\"crv\":\"%s\"", crv);
		put_number(key, OSSL_PKEY_PARAM_EC_PUB_X, "x", octets, out);
		put_number(key, OSSL_PKEY_PARAM_EC_PUB_Y, "y", octets, out);
	} else {
		NEED(EVP_PKEY_get_raw_public_key(key, raw, &len) == 1);
		if (!crv)
			crv = len == 32 ? "Ed25519" : "Ed448";
		buf_printf(out, "{\"kty\":\"OKP\",\"crv\":\"%s\",\"x\":\"", crv);
		text_base64url_encode(raw, len, out);
		buf_putc(out, '"');
	}
	buf_printf(out, "%s}", more);
	NEED(buf_status(out) == MCP_OK);
}

static const char *
digest_of(const char *alg)
{
	return strstr(alg, "256") ? "SHA256" : strstr(alg, "384") ? "SHA384" : "SHA512";
}

/* DER to r and s side by side, with "pad" zero octets before. */
static void
put_raw_ecdsa(EVP_PKEY *key, const unsigned char *der, size_t len, size_t pad, struct buf *out)
{
	unsigned char bytes[160] = {0};
	int half = (EVP_PKEY_get_bits(key) + 7) / 8;
	ECDSA_SIG *sig = d2i_ECDSA_SIG(NULL, &der, (long)len);

	NEED(sig);
	NEED(BN_bn2binpad(ECDSA_SIG_get0_r(sig), bytes + pad, half) == half);
	NEED(BN_bn2binpad(ECDSA_SIG_get0_s(sig), bytes + pad + half, half) == half);
	buf_put(out, bytes, pad + 2 * (size_t)half);
	ECDSA_SIG_free(sig);
}

void
mint_signature(EVP_PKEY *key, const struct mint_options *o, const void *data, size_t len, struct buf *out)
{
	bool eddsa = strncmp(o->alg, "Ed", 2) == 0;
	EVP_PKEY_CTX *pctx = NULL;
	unsigned char sig[2100];
	size_t sig_len = sizeof(sig);
	unsigned mac_len = 0;
	EVP_MD_CTX *ctx;

	if (o->alg[0] == 'H') {
		NEED(HMAC(EVP_get_digestbyname(digest_of(o->alg)), o->secret, (int)o->secret_len, data, len, sig,
		    &mac_len));
		buf_put(out, sig, mac_len);
		return;
	}
	ctx = EVP_MD_CTX_new();
	NEED(ctx);
	NEED(EVP_DigestSignInit_ex(ctx, &pctx, eddsa ? NULL : digest_of(o->alg), NULL, NULL, key, NULL) == 1);
	if (o->alg[0] == 'P') {
		NEED(EVP_PKEY_CTX_set_rsa_padding(pctx, RSA_PKCS1_PSS_PADDING) == 1);
		NEED(EVP_PKEY_CTX_set_rsa_pss_saltlen(pctx, o->salt_len ? o->salt_len : RSA_PSS_SALTLEN_DIGEST) == 1);
		NEED(EVP_PKEY_CTX_set_rsa_mgf1_md_name(pctx, o->mgf1 ? o->mgf1 : digest_of(o->alg), NULL) == 1);
	}
	NEED(EVP_DigestSign(ctx, sig, &sig_len, data, len) == 1);
	EVP_MD_CTX_free(ctx);
	if (EVP_PKEY_is_a(key, "EC") && !o->der)
		put_raw_ecdsa(key, sig, sig_len, o->pad, out);
	else
		buf_put(out, sig, sig_len);
}

static char *
finish(EVP_PKEY *key, const struct mint_options *o, struct buf *token)
{
	struct buf sig;
	char *text;

	buf_init(&sig, 4096);
	mint_signature(key, o, token->data, token->len, &sig);
	buf_putc(token, '.');
	text_base64url_encode(sig.data, sig.len, token);
	buf_clear(&sig);
	text = buf_steal(token, NULL);
	NEED(text);
	return text;
}

char *
mint_bytes(EVP_PKEY *key, const struct mint_options *o, const void *header, size_t header_len, const void *payload,
    size_t payload_len)
{
	struct buf token;

	buf_init(&token, 32 * 1024 * 1024);
	text_base64url_encode(header, header_len, &token);
	buf_putc(&token, '.');
	text_base64url_encode(payload, payload_len, &token);
	return finish(key, o, &token);
}

char *
mint(EVP_PKEY *key, const char *alg, const char *header, const char *payload)
{
	struct mint_options o = {.alg = alg};

	return mint_bytes(key, &o, header, strlen(header), payload, strlen(payload));
}

char *
mint_encoded(EVP_PKEY *key, const char *alg, const char *signing_input)
{
	struct mint_options o = {.alg = alg};
	struct buf token;

	buf_init(&token, 32 * 1024 * 1024);
	buf_puts(&token, signing_input);
	return finish(key, &o, &token);
}

char *
mint_text(const char *fmt, ...)
{
	struct buf b;
	va_list ap;
	char *text;

	buf_init(&b, 32 * 1024 * 1024);
	va_start(ap, fmt);
	buf_vprintf(&b, fmt, ap);
	va_end(ap);
	text = buf_steal(&b, NULL);
	NEED(text);
	return text;
}
