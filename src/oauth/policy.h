/* SPDX-License-Identifier: MIT */
#ifndef MCP_OAUTH_POLICY_H
#define MCP_OAUTH_POLICY_H

#include <stddef.h>
#include <stdint.h>

#include "base/strlist.h"

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

#endif
