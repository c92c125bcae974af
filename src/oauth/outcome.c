/* SPDX-License-Identifier: MIT */
#include "oauth/outcome.h"

#include <stddef.h>

/* The bodies of the servers that clients know, shared by all refusals of their kind. */
#define BODY_MISSING "Missing Bearer token"
#define BODY_INVALID "Token validation failed"
#define BODY_UNAVAILABLE "Authorization temporarily unavailable"

/*
 * Everything that is found before a signature was verified has one of two descriptions, so that the answer tells a
 * forger nothing about which keys exist; only which issuers are trusted may be told, it stands in our metadata. What
 * follows a good signature may be told: its reader holds a genuine token.
 */
#define DESCRIPTION_MALFORMED "The access token is malformed"
#define DESCRIPTION_UNVERIFIED "The access token could not be verified"
#define DESCRIPTION_RESOURCE "The access token was issued for another resource"

static const struct oauth_outcome_row rows[OAUTH_OUTCOME_COUNT] = {
	[OAUTH_OK] = {0, NULL, NULL, "", "ok", 0, 0},
	[OAUTH_NO_CREDENTIALS] = {401, NULL, NULL, BODY_MISSING, "no_credentials", 1, 0},
	[OAUTH_OTHER_SCHEME] = {401, NULL, NULL, BODY_MISSING, "other_scheme", 2, 0},
	[OAUTH_BAD_HEADER] = {400, "invalid_request", "The Authorization header must hold exactly one Bearer token",
	    "invalid_request", "bad_header", 3, 0},
	[OAUTH_TOO_LONG] = {401, "invalid_token", DESCRIPTION_MALFORMED, BODY_INVALID, "too_long", 4, 0},
	[OAUTH_NOT_JWT] = {401, "invalid_token", DESCRIPTION_MALFORMED, BODY_INVALID, "not_jwt", 5, 0},
	[OAUTH_BAD_HEADER_JOSE] = {401, "invalid_token", DESCRIPTION_MALFORMED, BODY_INVALID, "bad_jose_header", 6, 0},
	[OAUTH_BAD_TYPE] = {401, "invalid_token", DESCRIPTION_UNVERIFIED, BODY_INVALID, "bad_type", 7, 0},
	[OAUTH_BAD_ALGORITHM] = {401, "invalid_token", DESCRIPTION_UNVERIFIED, BODY_INVALID, "bad_algorithm", 8, 0},
	[OAUTH_UNKNOWN_KEY] = {401, "invalid_token", DESCRIPTION_UNVERIFIED, BODY_INVALID, "unknown_key", 9, 0},
	[OAUTH_BAD_SIGNATURE] = {401, "invalid_token", DESCRIPTION_UNVERIFIED, BODY_INVALID, "bad_signature", 10, 0},
	[OAUTH_BAD_CLAIMS] = {401, "invalid_token", "The access token lacks a claim or has a malformed one",
	    BODY_INVALID, "bad_claims", 11, 0},
	[OAUTH_EXPIRED] = {401, "invalid_token", "The access token expired", BODY_INVALID, "expired", 12, 0},
	[OAUTH_NOT_YET_VALID] = {401, "invalid_token", "The access token is not valid yet", BODY_INVALID,
	    "not_yet_valid", 13, 0},
	[OAUTH_WRONG_ISSUER] = {401, "invalid_token", "The access token was issued by another authorization server",
	    BODY_INVALID, "wrong_issuer", 14, 0},
	[OAUTH_WRONG_AUDIENCE] = {401, "invalid_token", DESCRIPTION_RESOURCE, BODY_INVALID, "wrong_audience", 15, 0},
	[OAUTH_WRONG_RESOURCE] = {401, "invalid_token", DESCRIPTION_RESOURCE, BODY_INVALID, "wrong_resource", 16, 0},
	[OAUTH_NOT_ACCESS_TOKEN] = {401, "invalid_token", "The token is not an access token", BODY_INVALID,
	    "not_access_token", 17, 0},
	[OAUTH_SENDER_CONSTRAINED] = {401, "invalid_token",
	    "The access token is bound to a key and cannot be used as a Bearer token", BODY_INVALID,
	    "sender_constrained", 18, 0},
	[OAUTH_INACTIVE] = {401, "invalid_token", "The access token is not active", BODY_INVALID, "inactive", 23, 0},
	[OAUTH_KEYS_UNAVAILABLE] = {503, NULL, NULL, BODY_UNAVAILABLE, "keys_unavailable", 19, 30},
	[OAUTH_INTROSPECTION_UNAVAILABLE] = {503, NULL, NULL, BODY_UNAVAILABLE, "introspection_unavailable", 24, 5},
	[OAUTH_OUT_OF_RESOURCES] = {503, NULL, NULL, BODY_UNAVAILABLE, "out_of_resources", 20, 5},
	[OAUTH_INSUFFICIENT_SCOPE] = {403, "insufficient_scope",
	    "The access token lacks a scope that this operation needs", "Insufficient scope",
	    "insufficient_scope", 21, 0},
	[OAUTH_WRONG_ORGANISATION] = {403, NULL, NULL, "Organization not allowed", "wrong_organisation", 22, 0},
	[OAUTH_WRONG_CLIENT] = {403, NULL, NULL, "Client not allowed", "wrong_client", 25, 0},
};

const struct oauth_outcome_row *
oauth_outcome_row(enum oauth_outcome outcome)
{
	unsigned i = (unsigned)outcome;

	return &rows[i < OAUTH_OUTCOME_COUNT ? i : OAUTH_OUT_OF_RESOURCES];
}
