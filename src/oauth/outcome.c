/* SPDX-License-Identifier: MIT */
#include "oauth/outcome.h"

#include <stddef.h>

/* The bodies of the servers that clients know (S29, S33), shared by all refusals of their kind. */
#define BODY_MISSING "Missing Bearer token"
#define BODY_INVALID "Token validation failed"
#define BODY_UNAVAILABLE "Authorization temporarily unavailable"

/*
 * Everything that is found before a signature was verified has one of two descriptions, so that the answer tells a
 * forger nothing about which keys exist. What follows a good signature may be told: its reader holds a genuine token.
 */
#define DESCRIPTION_MALFORMED "The access token is malformed"
#define DESCRIPTION_UNVERIFIED "The access token could not be verified"
#define DESCRIPTION_RESOURCE "The access token was issued for another resource"

static const struct oauth_outcome_row rows[OAUTH_OUTCOME_COUNT] = {
	[OAUTH_OK] = {0, NULL, NULL, "", "ok"},
	[OAUTH_NO_CREDENTIALS] = {401, NULL, NULL, BODY_MISSING, "no_credentials"},
	[OAUTH_OTHER_SCHEME] = {401, NULL, NULL, BODY_MISSING, "other_scheme"},
	[OAUTH_BAD_HEADER] = {400, "invalid_request", "The Authorization header must hold exactly one Bearer token",
	    "invalid_request", "bad_header"},
	[OAUTH_TOO_LONG] = {401, "invalid_token", DESCRIPTION_MALFORMED, BODY_INVALID, "too_long"},
	[OAUTH_NOT_JWT] = {401, "invalid_token", DESCRIPTION_MALFORMED, BODY_INVALID, "not_jwt"},
	[OAUTH_BAD_HEADER_JOSE] = {401, "invalid_token", DESCRIPTION_MALFORMED, BODY_INVALID, "bad_jose_header"},
	[OAUTH_BAD_TYPE] = {401, "invalid_token", DESCRIPTION_UNVERIFIED, BODY_INVALID, "bad_type"},
	[OAUTH_BAD_ALGORITHM] = {401, "invalid_token", DESCRIPTION_UNVERIFIED, BODY_INVALID, "bad_algorithm"},
	[OAUTH_UNKNOWN_KEY] = {401, "invalid_token", DESCRIPTION_UNVERIFIED, BODY_INVALID, "unknown_key"},
	[OAUTH_BAD_SIGNATURE] = {401, "invalid_token", DESCRIPTION_UNVERIFIED, BODY_INVALID, "bad_signature"},
	[OAUTH_BAD_CLAIMS] = {401, "invalid_token", "The access token lacks a claim or has a malformed one",
	    BODY_INVALID, "bad_claims"},
	[OAUTH_EXPIRED] = {401, "invalid_token", "The access token expired", BODY_INVALID, "expired"},
	[OAUTH_NOT_YET_VALID] = {401, "invalid_token", "The access token is not valid yet", BODY_INVALID,
	    "not_yet_valid"},
	[OAUTH_WRONG_ISSUER] = {401, "invalid_token", "The access token was issued by another authorization server",
	    BODY_INVALID, "wrong_issuer"},
	[OAUTH_WRONG_AUDIENCE] = {401, "invalid_token", DESCRIPTION_RESOURCE, BODY_INVALID, "wrong_audience"},
	[OAUTH_WRONG_RESOURCE] = {401, "invalid_token", DESCRIPTION_RESOURCE, BODY_INVALID, "wrong_resource"},
	[OAUTH_NOT_ACCESS_TOKEN] = {401, "invalid_token", "The token is not an access token", BODY_INVALID,
	    "not_access_token"},
	[OAUTH_SENDER_CONSTRAINED] = {401, "invalid_token",
	    "The access token is bound to a key and cannot be used as a Bearer token", BODY_INVALID,
	    "sender_constrained"},
	[OAUTH_INACTIVE] = {401, "invalid_token", "The access token is not active", BODY_INVALID, "inactive"},
	[OAUTH_KEYS_UNAVAILABLE] = {503, NULL, NULL, BODY_UNAVAILABLE, "keys_unavailable"},
	[OAUTH_INTROSPECTION_UNAVAILABLE] = {503, NULL, NULL, BODY_UNAVAILABLE, "introspection_unavailable"},
	[OAUTH_OUT_OF_RESOURCES] = {503, NULL, NULL, BODY_UNAVAILABLE, "out_of_resources"},
	[OAUTH_INSUFFICIENT_SCOPE] = {403, "insufficient_scope",
	    "The access token lacks a scope that this operation needs", "Insufficient scope", "insufficient_scope"},
	[OAUTH_WRONG_ORGANISATION] = {403, NULL, NULL, "Organization not allowed", "wrong_organisation"},
};

const struct oauth_outcome_row *
oauth_outcome_row(enum oauth_outcome outcome)
{
	unsigned i = (unsigned)outcome;

	return &rows[i < OAUTH_OUTCOME_COUNT ? i : OAUTH_OUT_OF_RESOURCES];
}
