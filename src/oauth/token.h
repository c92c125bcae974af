/* SPDX-License-Identifier: MIT */
#ifndef MCP_OAUTH_TOKEN_H
#define MCP_OAUTH_TOKEN_H

#include <stddef.h>
#include <stdint.h>

#include "base/buf.h"
#include "base/err.h"
#include "base/strlist.h"
#include "oauth/outcome.h"
#include "oauth/principal.h"

/* What a token must say; one of these an issuer. */
struct token_policy {
	struct strlist issuers;		/* iss is one of these, byte for byte */
	struct strlist audiences;	/* aud has one of these, byte for byte */
	char *resource;			/* a "resource" claim, if present, equals this but for one trailing slash; NULL: not checked */
	struct strlist algorithms;	/* alg is one of these */
	struct strlist types;		/* typ, if present, is one of these, without case and without "application/" */
	struct strlist scope_claims;
	struct strlist org_claims;	/* the first that is a string is the organisation */
	int64_t leeway_s;		/* for exp, nbf, iat */
	size_t max_bytes;		/* of the whole token */
};

void token_policy_clear(struct token_policy *p);

struct keystore;

/*
 * Validate one compact JWS as an access token: parse strictly, find the key among those of "keys" (which may fetch at most as keystore.h says), verify the signature, judge the
 * claims at "now_s". Returns OAUTH_OK with *out filled (principal_clear() releases it), any refusal with *out all zero. For OAUTH_WRONG_ISSUER and OAUTH_WRONG_AUDIENCE "seen" (may be NULL) gets
 * what the token said (JSON text), for the log; never the token. Thread-safe. Source: RFC 7515, 7519, 8725, 9068, RFC 9449 section 7.2.
 */
enum oauth_outcome token_validate(const struct token_policy *policy, struct keystore *keys, const char *token, size_t len,
    int64_t now_s, struct principal *out, struct buf *seen);

#endif
