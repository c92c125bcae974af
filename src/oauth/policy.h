/* SPDX-License-Identifier: MIT */
#ifndef MCP_OAUTH_POLICY_H
#define MCP_OAUTH_POLICY_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/strlist.h"

#define TOKEN_CLAIM_NAME_MAX 127	/* bytes of a name in required_claims; a longer one fits no token */

/* How an organisation's claim is written. */
enum token_org_mode {
	TOKEN_ORG_STRING,	/* the organisation */
	TOKEN_ORG_ARRAY,	/* an array of them */
	TOKEN_ORG_OBJECT	/* an object whose members' names they are */
};

/* What a token must say; one of these an issuer. */
struct token_policy {
	/* iss is one of these, byte for byte; where TOKEN_TENANT stands the token has its tid, one of "tenants" */
	struct strlist issuers, tenants;
	struct strlist audiences;	/* aud has one of these, byte for byte */
	/* client_id is one of them instead; an aud that is there has one of them or "resource" */
	bool audience_is_client;
	bool aud_ignore_slash;		/* a slash at the end of an audience does not count */
	char *resource;			/* a "resource" claim equals this but for a trailing slash; NULL: not checked */
	struct strlist algorithms;	/* alg is one of these, and one of jwk_algorithm_known() */
	struct strlist types;		/* typ, if present, is one of these; neither case nor "application/" count */
	bool strict_9068;		/* typ is at+jwt, and client_id, iat and jti are there */
	struct strlist kinds;		/* what typ, token_use, token_type in the payload may be, without case */
	/* The names of claims in these two are names, or JSON Pointers (RFC 6901) when they begin with a slash. */
	struct strlist scope_claims;
	struct strlist org_claims;	/* the first that has something in it names the organisation */
	enum token_org_mode org_mode;
	struct strlist org_values;	/* the organisation is one of these; empty: not checked */
	char *org_prefix;		/* put before it, so that two issuers do not mean the same one; NULL: nothing */
	struct strlist client_claims;	/* the first that is a non-empty string is the client */
	struct strlist clients;		/* which is one of these; empty: not checked */
	struct strlist required_claims;	/* NAME: is there; NAME=VALUE: is that string or has it */
	struct strlist required_scopes;	/* are all granted, whatever is asked for; the server sees to it */
	int64_t leeway_s;		/* for exp, nbf, iat */
	int64_t max_lifetime_s;		/* exp - iat at most, iat is required then; 0: not checked */
	size_t max_bytes;		/* of the whole token */
};

#define TOKEN_TENANT "{tid}"

/* Free what the policy owns; all zero afterwards. NULL is fine. */
void token_policy_clear(struct token_policy *p);

#endif
