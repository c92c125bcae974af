/* SPDX-License-Identifier: MIT */
#ifndef MCP_OAUTH_JWA_KEY_H
#define MCP_OAUTH_JWA_KEY_H

#include <stddef.h>

#include "base/buf.h"
#include "base/err.h"

/* A private key of ours, with which we show an authorization server who we are (RFC 7523). Immutable; opaque. */
struct jwa_key;

/*
 * Read a private key in PEM (PKCS #8, or the older forms of RSA and EC), not encrypted: RSA of 2048 to 8192 bits,
 * P-256, P-384, P-521 or Ed25519. Returns MCP_OK with *out new (jwa_key_free()); MCP_ESYNTAX when it is no such text;
 * MCP_EINVAL when it is another kind of key or too weak; MCP_ENOMEM. *out is NULL on failure. OpenSSL's error queue of
 * the thread is empty afterwards. Source: RFC 7518 sections 3.3 and 3.4, RFC 8037 section 3.1.
 */
enum mcp_err jwa_key_parse(const char *pem, struct jwa_key **out) MCP_MUST_CHECK;

/* Release; NULL is fine. */
void jwa_key_free(struct jwa_key *k);

/* The algorithm that the key signs with: RS256, ES256, ES384, ES512 or EdDSA. Static. */
const char *jwa_key_algorithm(const struct jwa_key *k);

/*
 * Append the JWS signature over "data", not encoded: for ECDSA r and s side by side, each as long as the curve's
 * order. Returns MCP_OK, MCP_ENOMEM, MCP_ELIMIT ("out" is full) or MCP_ECRYPTO. Thread-safe on one key. Source: RFC
 * 7515 section 5.1, RFC 7518 section 3.4.
 */
enum mcp_err jwa_key_sign(const struct jwa_key *k, const void *data, size_t len, struct buf *out) MCP_MUST_CHECK;

#endif
