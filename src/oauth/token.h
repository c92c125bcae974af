/* SPDX-License-Identifier: MIT */
#ifndef MCP_OAUTH_TOKEN_H
#define MCP_OAUTH_TOKEN_H

#include <stddef.h>
#include <stdint.h>

#include "base/buf.h"
#include "base/strlist.h"
#include "oauth/outcome.h"
#include "oauth/principal.h"

#define TOKEN_CLAIM_NAME_MAX 127	/* bytes of a name in required_claims; a longer one fits no token */

/* What a token must say; one of these an issuer. */
struct token_policy {
	struct strlist issuers;		/* iss is one of these, byte for byte */
	struct strlist audiences;	/* aud has one of these, byte for byte */
	char *resource;			/* a "resource" claim equals this but for a trailing slash; NULL: not checked */
	struct strlist algorithms;	/* alg is one of these, and one of jwk_algorithm_known() */
	struct strlist types;		/* typ, if present, is one of these; neither case nor "application/" count */
	struct strlist scope_claims;
	struct strlist org_claims;	/* the first that is a non-empty string is the organisation */
	struct strlist required_claims; /* NAME: is there; NAME=VALUE: is that string or has it */
	int64_t leeway_s;		/* for exp, nbf, iat */
	int64_t max_lifetime_s;		/* exp - iat at most, iat is required then; 0: not checked */
	size_t max_bytes;		/* of the whole token */
};

/* Free what the policy owns; all zero afterwards. NULL is fine. */
void token_policy_clear(struct token_policy *p);

struct keystore;

/*
 * Validate one compact JWS as an access token: parse strictly, find the key among those of "keys" (which may fetch at
 * most as keystore.h says), verify the signature, and only then parse and judge the claims at "now_s". Returns
 * OAUTH_OK with *out filled (principal_clear() releases it), any refusal with *out all zero. "seen" (may be NULL;
 * initialised by the caller) gets for OAUTH_WRONG_ISSUER, OAUTH_WRONG_AUDIENCE and OAUTH_WRONG_RESOURCE the claim as
 * JSON text, for OAUTH_BAD_SIGNATURE a hint if the token was made for somebody else in a way we know; for the log,
 * never the token. Thread-safe. Source: RFC 7515 section 5.2, RFC 7519 section 7.2, RFC 8725, RFC 9068 section 4, RFC
 * 9449 section 7.2.
 */
enum oauth_outcome token_validate(const struct token_policy *policy, struct keystore *keys, const char *token,
    size_t len, int64_t now_s, struct principal *out, struct buf *seen);

#endif
