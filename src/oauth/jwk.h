/* SPDX-License-Identifier: MIT */
#ifndef MCP_OAUTH_JWK_H
#define MCP_OAUTH_JWK_H

#include <stdbool.h>
#include <stddef.h>

#include "base/err.h"

struct json_object;

#define JWK_RSA_BITS_MIN 2048
#define JWK_RSA_BITS_MAX 8192		/* a verification with more costs milliseconds */
#define JWK_KID_MAX 256			/* bytes of a key id, also of one that a token names */

/* One public key that may verify JWS signatures; opaque, immutable. */
struct jwk;

/*
 * Read one JWK. RSA: modulus of 2048 to 8192 bits, odd; e odd, 3 to 2^32 - 1; neither with leading zero octets. EC:
 * P-256, P-384, P-521, coordinates of exact length, on the curve. OKP: Ed25519, 32 octets, no point of small order.
 * Certificates in it (x5c and the like) are not looked at. Returns MCP_OK with *out new; MCP_ENOENT when it is a key
 * for something else (another kty, crv or alg, use that is not sig, key_ops without verify); MCP_ESYNTAX or MCP_ETYPE
 * when it is malformed; MCP_EINVAL when it must not be used (weak, not on its curve, symmetric, or with private
 * members); MCP_ENOMEM; MCP_ECRYPTO. *why (may be NULL) gets a static phrase on failure. Source: RFC 7517 section 4,
 * RFC 7518 section 6, RFC 8037 section 2, RFC 8725 sections 3.4 and 3.5.
 */
enum mcp_err jwk_parse(const struct json_object *v, struct jwk **out, const char **why) MCP_MUST_CHECK;

/* Release; NULL is fine. */
void jwk_free(struct jwk *k);

/* Key id, NULL if the key has none. Borrowed. */
const char *jwk_kid(const struct jwk *k);

/*
 * Whether the key may verify "alg": by its type and curve, and by its own alg member when it has one. Source: RFC
 * 8725 section 3.1.
 */
bool jwk_can(const struct jwk *k, const char *alg);

/*
 * Verify "sig" over "data" with "alg". Returns MCP_OK; MCP_EINVAL (wrong signature, also one of wrong length, or
 * jwk_can() says no); MCP_ENOMEM or MCP_ECRYPTO. Thread-safe on one key. Source: RFC 7518 section 3, RFC 8037 section
 * 3.1.
 */
enum mcp_err jwk_verify(const struct jwk *k, const char *alg, const void *data, size_t len, const void *sig,
    size_t sig_len) MCP_MUST_CHECK;

/*
 * Whether "alg" is a name that jwk_verify() implements: RS/PS/ES 256, 384, 512, and EdDSA with its newer name Ed25519
 * (one algorithm, RFC 9864 section 2.2; Ed448 is not supported). Never none or HS*.
 */
bool jwk_algorithm_known(const char *alg);

#endif
