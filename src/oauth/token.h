/* SPDX-License-Identifier: MIT */
#ifndef MCP_OAUTH_TOKEN_H
#define MCP_OAUTH_TOKEN_H

#include <stddef.h>
#include <stdint.h>

#include "base/buf.h"
#include "oauth/issuer.h"
#include "oauth/outcome.h"
#include "oauth/principal.h"

/*
 * Validate an access token. A compact JWS: parse strictly, choose the trusted issuer whose "iss" it has, find the key
 * among that issuer's keys only (which may fetch at most as keystore.h says), verify the signature, and only then judge
 * the claims at "now_s" by that issuer's policy. What the token says is used for nothing but that choice before the
 * signature is known to be good; an issuer that is not trusted causes no fetch. Where the chosen issuer's "validation"
 * says so, its authorization server is asked instead (introspection_validate()); about a token that names no issuer the
 * first that may be asked about such tokens is, and no other.
 *
 * Returns OAUTH_OK with *out filled (principal_clear() releases it), any refusal with *out all zero. *judge (may be
 * NULL) gets the issuer that was chosen, NULL if none. "seen" (may be NULL; initialised by the caller) gets for
 * OAUTH_WRONG_ISSUER, OAUTH_WRONG_AUDIENCE and OAUTH_WRONG_RESOURCE the claim as JSON text, for OAUTH_BAD_TYPE,
 * OAUTH_BAD_ALGORITHM and OAUTH_UNKNOWN_KEY the header's typ, alg or kid, for OAUTH_BAD_SIGNATURE a hint if the token
 * was made for somebody else in a way we know; for the log, never the token. Thread-safe. Source: RFC 7515 section 5.2,
 * RFC 7519 section 7.2, RFC 7662, RFC 8725, RFC 9068 section 4, RFC 9449 section 7.2.
 */
enum oauth_outcome token_validate(const struct issuers *trusted, const char *token, size_t len, int64_t now_s,
    struct principal *out, struct buf *seen, const struct issuer **judge);

/* The bytes of the longest token that any of the issuers may have. */
size_t token_bytes_max(const struct issuers *trusted);

#endif
