/* SPDX-License-Identifier: MIT */
#include "oauth/jwa.h"

#include <openssl/bn.h>
#include <openssl/ec.h>
#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/rsa.h>
#include <string.h>

static const struct jwa algorithms[] = {
	{"RS256", JWA_RSA, "SHA256", false, 0},
	{"RS384", JWA_RSA, "SHA384", false, 0},
	{"RS512", JWA_RSA, "SHA512", false, 0},
	{"PS256", JWA_RSA, "SHA256", true, 0},
	{"PS384", JWA_RSA, "SHA384", true, 0},
	{"PS512", JWA_RSA, "SHA512", true, 0},
	{"ES256", JWA_P256, "SHA256", false, 64},
	{"ES384", JWA_P384, "SHA384", false, 96},
	{"ES512", JWA_P521, "SHA512", false, 132},
	{"EdDSA", JWA_ED25519, NULL, false, 64},
	{"Ed25519", JWA_ED25519, NULL, false, 64},
};

const struct jwa *
jwa_find(const char *name)
{
	for (size_t i = 0; i < sizeof(algorithms) / sizeof(*algorithms); i++)
		if (strcmp(algorithms[i].name, name) == 0)
			return &algorithms[i];
	return NULL;
}

/* More than any step of a verification asks for at once. */
#define PROBE_BYTES 16384

/*
 * OpenSSL does not always say that it failed for lack of memory: some of its steps end like those of a signature that
 * does not fit. So before input is blamed, memory is tried.
 */
enum mcp_err
jwa_error(enum mcp_err otherwise)
{
	void *probe = OPENSSL_malloc(PROBE_BYTES);
	unsigned long code;

	if (!probe)
		otherwise = MCP_ENOMEM;
	OPENSSL_free(probe);
	while ((code = ERR_get_error()) != 0)
		if (ERR_GET_REASON(code) == ERR_R_MALLOC_FAILURE)
			otherwise = MCP_ENOMEM;
	return otherwise;
}

/* JOSE puts r and s side by side, OpenSSL wants the DER of RFC 3279. *der is new (OPENSSL_free()) on MCP_OK. */
static enum mcp_err
ecdsa_to_der(const unsigned char *sig, size_t sig_len, unsigned char **der, size_t *der_len)
{
	int half = (int)(sig_len / 2), n;
	ECDSA_SIG *pair = ECDSA_SIG_new();
	BIGNUM *r = BN_bin2bn(sig, half, NULL), *s = BN_bin2bn(sig + half, half, NULL);
	enum mcp_err err = MCP_ENOMEM;

	*der = NULL;
	if (!pair || !r || !s || ECDSA_SIG_set0(pair, r, s) != 1)
		goto out;
	r = s = NULL;
	n = i2d_ECDSA_SIG(pair, der);
	if (n <= 0)
		goto out;
	*der_len = (size_t)n;
	err = MCP_OK;
out:
	ECDSA_SIG_free(pair);
	BN_free(r);
	BN_free(s);
	return err;
}

/* Prepare "ctx" for one verification. */
static bool
begin(EVP_MD_CTX *ctx, const struct jwa *alg, EVP_PKEY *key)
{
	EVP_PKEY_CTX *pctx = NULL;

	/* The context is used once; without this flag the last step would work on a copy of it. */
	EVP_MD_CTX_set_flags(ctx, EVP_MD_CTX_FLAG_FINALISE);
	if (EVP_DigestVerifyInit_ex(ctx, &pctx, alg->digest, NULL, NULL, key, NULL) != 1)
		return false;
	if (alg->kind != JWA_RSA)
		return true;
	if (!alg->pss)
		return EVP_PKEY_CTX_set_rsa_padding(pctx, RSA_PKCS1_PADDING) == 1;
	/* Verification with RSA_PSS_SALTLEN_DIGEST refuses any other salt length; the default takes what it finds. */
	return EVP_PKEY_CTX_set_rsa_padding(pctx, RSA_PKCS1_PSS_PADDING) == 1 &&
	    EVP_PKEY_CTX_set_rsa_pss_saltlen(pctx, RSA_PSS_SALTLEN_DIGEST) == 1 &&
	    EVP_PKEY_CTX_set_rsa_mgf1_md_name(pctx, alg->digest, NULL) == 1;
}

enum mcp_err
jwa_verify(const struct jwa *alg, EVP_PKEY *key, const void *data, size_t len, const unsigned char *sig,
    size_t sig_len)
{
	size_t want = alg->signature_len ? alg->signature_len : (size_t)EVP_PKEY_get_size(key);
	unsigned char *der = NULL;
	EVP_MD_CTX *ctx = NULL;
	enum mcp_err err;

	if (sig_len != want)
		return MCP_EINVAL;
	if (alg->digest && alg->signature_len) {
		err = ecdsa_to_der(sig, sig_len, &der, &sig_len);
		if (err)
			goto out;
		sig = der;
	}
	err = MCP_ENOMEM;
	ctx = EVP_MD_CTX_new();
	if (!ctx)
		goto out;
	err = MCP_ECRYPTO;
	if (!begin(ctx, alg, key))
		goto out;
	err = MCP_EINVAL;
	if (EVP_DigestVerify(ctx, sig, sig_len, data, len) == 1)
		err = MCP_OK;
out:
	EVP_MD_CTX_free(ctx);
	OPENSSL_free(der);
	/* A signature that fits stays one, whatever the queue held; a failure may have been a lack of memory. */
	return err ? jwa_error(err) : (ERR_clear_error(), MCP_OK);
}
