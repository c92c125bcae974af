/* SPDX-License-Identifier: MIT */
/* Signing with a private key of ours; OpenSSL does the mathematics, here only the shapes of JOSE are made. */
#include "oauth/jwa_key.h"

#include <limits.h>
#include <openssl/bio.h>
#include <openssl/bn.h>
#include <openssl/ec.h>
#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/pem.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "oauth/jwa.h"
#include "oauth/jwk.h"

struct jwa_key {
	EVP_PKEY *key;
	const struct jwa *alg;
};

/* An encrypted key has nobody who could type its passphrase. */
static int
no_passphrase(char *space, int size, int writing, void *ctx)
{
	(void)space;
	(void)size;
	(void)writing;
	(void)ctx;
	return -1;
}

/* The algorithm for a key of this kind, or NULL. */
static const char *
algorithm_of(const EVP_PKEY *key)
{
	static const struct {
		const char *group, *alg;
	} curves[] = {{"prime256v1", "ES256"}, {"P-256", "ES256"}, {"secp384r1", "ES384"}, {"P-384", "ES384"},
		{"secp521r1", "ES512"}, {"P-521", "ES512"}};
	char group[64];
	int bits = EVP_PKEY_get_bits(key);

	if (EVP_PKEY_is_a(key, "ED25519"))
		return "EdDSA";
	if (EVP_PKEY_is_a(key, "RSA"))
		return bits >= JWK_RSA_BITS_MIN && bits <= JWK_RSA_BITS_MAX ? "RS256" : NULL;
	if (!EVP_PKEY_is_a(key, "EC") || EVP_PKEY_get_group_name(key, group, sizeof(group), NULL) != 1)
		return NULL;
	for (size_t i = 0; i < sizeof(curves) / sizeof(*curves); i++)
		if (strcmp(group, curves[i].group) == 0)
			return curves[i].alg;
	return NULL;
}

enum mcp_err
jwa_key_parse(const char *pem, struct jwa_key **out)
{
	size_t len = strlen(pem);
	BIO *bio = len <= INT_MAX ? BIO_new_mem_buf(pem, (int)len) : NULL;
	struct jwa_key *k = calloc(1, sizeof(*k));
	enum mcp_err err = MCP_ENOMEM;
	const char *alg;

	*out = NULL;
	if (!bio || !k)
		goto out;
	k->key = PEM_read_bio_PrivateKey(bio, NULL, no_passphrase, NULL);
	if (!k->key) {
		err = jwa_error(MCP_ESYNTAX);
		goto out;
	}
	alg = algorithm_of(k->key);
	if (!alg) {
		err = jwa_error(MCP_EINVAL);
		goto out;
	}
	k->alg = jwa_find(alg);
	*out = k;
	k = NULL;
	err = MCP_OK;
out:
	jwa_key_free(k);
	BIO_free(bio);
	ERR_clear_error();
	return err;
}

void
jwa_key_free(struct jwa_key *k)
{
	if (!k)
		return;
	EVP_PKEY_free(k->key);
	free(k);
}

const char *
jwa_key_algorithm(const struct jwa_key *k)
{
	return k->alg->name;
}

/* OpenSSL makes the DER of RFC 3279, JOSE wants r and s side by side. */
static enum mcp_err
put_ecdsa(const unsigned char *der, size_t der_len, size_t want, struct buf *out)
{
	ECDSA_SIG *pair = d2i_ECDSA_SIG(NULL, &der, (long)der_len);
	unsigned char both[JWA_SIGNATURE_MAX];
	int half = (int)(want / 2);
	enum mcp_err err = MCP_ECRYPTO;

	if (pair && BN_bn2binpad(ECDSA_SIG_get0_r(pair), both, half) == half &&
	    BN_bn2binpad(ECDSA_SIG_get0_s(pair), both + half, half) == half) {
		buf_put(out, both, want);
		err = buf_status(out);
	}
	ECDSA_SIG_free(pair);
	return err;
}

enum mcp_err
jwa_key_sign(const struct jwa_key *k, const void *data, size_t len, struct buf *out)
{
	unsigned char sig[JWA_SIGNATURE_MAX];
	size_t sig_len = sizeof(sig);
	EVP_MD_CTX *ctx = EVP_MD_CTX_new();
	enum mcp_err err = MCP_ENOMEM;

	if (!ctx)
		goto out;
	err = MCP_ECRYPTO;
	if (EVP_DigestSignInit_ex(ctx, NULL, k->alg->digest, NULL, NULL, k->key, NULL) != 1 ||
	    EVP_DigestSign(ctx, sig, &sig_len, data, len) != 1)
		goto out;
	if (k->alg->digest && k->alg->signature_len) {
		err = put_ecdsa(sig, sig_len, k->alg->signature_len, out);
	} else {
		buf_put(out, sig, sig_len);
		err = buf_status(out);
	}
out:
	EVP_MD_CTX_free(ctx);
	return err == MCP_ECRYPTO ? jwa_error(err) : (ERR_clear_error(), err);
}
