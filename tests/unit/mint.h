/* SPDX-License-Identifier: MIT */
#ifndef MCP_TESTS_MINT_H
#define MCP_TESTS_MINT_H

#include <openssl/types.h>
#include <stdbool.h>
#include <stddef.h>

#include "base/buf.h"

/*
 * Keys and tokens for tests: signed by OpenSSL directly, with any header and any payload, so that hostile ones can be
 * made too. Nothing here is used by the code under test. Whatever fails ends the program: a test without its tokens
 * shows nothing.
 */

/* New private keys. "curve" is P-256, P-384, P-521, secp256k1, brainpoolP256r1. Free with EVP_PKEY_free(). */
EVP_PKEY *mint_rsa(unsigned bits);
EVP_PKEY *mint_ec(const char *curve);
EVP_PKEY *mint_ed25519(void);
EVP_PKEY *mint_ed448(void);

/*
 * Append the public JWK of "key": kty and numbers, then "more" (text of further members with a comma before the
 * first, or ""). EC keys get the crv "crv", NULL for the right one.
 */
void mint_jwk(EVP_PKEY *key, const char *crv, const char *more, struct buf *out);

/* What a signature is made with; the fields after "alg" are for hostile ones and zero otherwise. */
struct mint_options {
	const char *alg;	/* RS256 ... EdDSA, HS256 ... HS512 */
	int salt_len;		/* PSS: this salt instead of the hash's length, when not 0 */
	const char *mgf1;	/* PSS: this MGF1 digest, when not NULL */
	bool der;		/* ECDSA: the DER form instead of r and s side by side */
	size_t pad;		/* ECDSA: zero octets before r (makes it longer) */
	const void *secret;	/* HS*: the key's bytes */
	size_t secret_len;
};

/* Append the signature over "data", not encoded. */
void mint_signature(EVP_PKEY *key, const struct mint_options *o, const void *data, size_t len, struct buf *out);

/* A whole compact JWS of the header's and the payload's bytes; the caller frees it. */
char *mint_bytes(EVP_PKEY *key, const struct mint_options *o, const void *header, size_t header_len,
    const void *payload, size_t payload_len);

/* The usual one: texts, and a well-made signature by "alg". */
char *mint(EVP_PKEY *key, const char *alg, const char *header, const char *payload);

/* A JWS of segments that are encoded already: "header.payload" is signed as it is. */
char *mint_encoded(EVP_PKEY *key, const char *alg, const char *signing_input);

/* snprintf() into a new string, for payloads. */
char *mint_text(const char *fmt, ...) __attribute__((format(printf, 1, 2)));

#endif
