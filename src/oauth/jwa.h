/* SPDX-License-Identifier: MIT */
#ifndef MCP_OAUTH_JWA_H
#define MCP_OAUTH_JWA_H

#include <openssl/types.h>
#include <stdbool.h>
#include <stddef.h>

#include "base/err.h"

/*
 * The signature algorithms of JOSE, for jwk.c alone: which kind of key each needs, and the verification itself, by
 * OpenSSL EVP. HS* and none have no row, so nothing can ask for them.
 */

/* Kinds of key; an algorithm belongs to one, a key is of one. */
enum jwa_kind { JWA_RSA, JWA_P256, JWA_P384, JWA_P521, JWA_ED25519 };

struct jwa {
	const char *name;		/* as in the alg member, compared byte for byte */
	enum jwa_kind kind;
	const char *digest;		/* OpenSSL's name, NULL for EdDSA, which takes the message itself */
	bool pss;			/* RSASSA-PSS, else PKCS #1 v1.5 */
	size_t signature_len;		/* bytes; 0: as many as the RSA modulus */
};

#define JWA_SIGNATURE_MAX 1024		/* bytes of the longest signature: RSA with 8192 bits */

/* The row of "name", or NULL. Static. Source: RFC 7518 section 3.1, RFC 8037 section 3.1, RFC 9864 section 2.2. */
const struct jwa *jwa_find(const char *name);

/*
 * Verify "sig" over "data". "key" is of the kind alg->kind. PSS: salt as long as the hash, MGF1 with the same hash.
 * ECDSA: r and s side by side, each as long as the curve's order. Returns MCP_OK; MCP_EINVAL (not this key's
 * signature, or not of the right length); MCP_ENOMEM; MCP_ECRYPTO. Thread-safe on one key; OpenSSL's error queue of
 * the thread is empty afterwards. Source: RFC 7518 sections 3.3 to 3.5, RFC 8032 section 5.1.7.
 */
enum mcp_err jwa_verify(const struct jwa *alg, EVP_PKEY *key, const void *data, size_t len, const unsigned char *sig,
    size_t sig_len) MCP_MUST_CHECK;

/*
 * Why an OpenSSL function has failed: MCP_ENOMEM if its error queue tells of a failed allocation or memory is short
 * now, else "otherwise". Empties the queue of this thread.
 */
enum mcp_err jwa_error(enum mcp_err otherwise) MCP_MUST_CHECK;

#endif
