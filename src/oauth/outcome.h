/* SPDX-License-Identifier: MIT */
#ifndef MCP_OAUTH_OUTCOME_H
#define MCP_OAUTH_OUTCOME_H

/*
 * Every way an authorization can end, in one table: status, error code of RFC 6750, fixed description, body, word for
 * the log, number of the counter, when to come back. What is definitely wrong is 401; what cannot be decided now is
 * 503, because a 401 makes clients throw their token away.
 */
enum oauth_outcome {
	OAUTH_OK,
	OAUTH_NO_CREDENTIALS,		/* no Authorization field arrived */
	OAUTH_OTHER_SCHEME,		/* not Bearer, or Bearer with nothing after it */
	OAUTH_BAD_HEADER,		/* two credentials, or not a b64token: 400 */
	OAUTH_TOO_LONG,			/* over TOKEN_MAX_BYTES */
	OAUTH_NOT_JWT,			/* not three base64url segments of strict JSON */
	OAUTH_BAD_HEADER_JOSE,		/* crit, b64, nested, a member of the wrong type */
	OAUTH_BAD_TYPE,			/* typ is of another kind of token */
	OAUTH_BAD_ALGORITHM,		/* alg not in JWT_ALGORITHMS, or not the key's */
	OAUTH_UNKNOWN_KEY,		/* kid not in the set, and the set is fresh */
	OAUTH_BAD_SIGNATURE,
	OAUTH_BAD_CLAIMS,		/* a claim is missing or of the wrong type */
	OAUTH_EXPIRED,
	OAUTH_NOT_YET_VALID,		/* nbf or iat in the future */
	OAUTH_WRONG_ISSUER,
	OAUTH_WRONG_AUDIENCE,
	OAUTH_WRONG_RESOURCE,		/* the resource claim names another server */
	OAUTH_NOT_ACCESS_TOKEN,		/* an ID, refresh or logout token */
	OAUTH_SENDER_CONSTRAINED,	/* cnf: bound to a key, shown as plain Bearer (RFC 9449 section 7.2) */
	OAUTH_INACTIVE,			/* the authorization server says so (RFC 7662 section 2.2) */
	OAUTH_KEYS_UNAVAILABLE,		/* no usable key set: 503 */
	OAUTH_INTROSPECTION_UNAVAILABLE,	/* the authorization server cannot be asked: 503 */
	OAUTH_OUT_OF_RESOURCES,		/* memory, OpenSSL: 503 */
	OAUTH_INSUFFICIENT_SCOPE,	/* 403, by the tool's scopes */
	OAUTH_WRONG_ORGANISATION,	/* 403 without an error code */
	OAUTH_WRONG_CLIENT,		/* 403 without an error code */
	OAUTH_OUTCOME_COUNT
};

#define OAUTH_COUNTER_MAX 63

struct oauth_outcome_row {
	int status;			/* 0 for OAUTH_OK */
	const char *error;		/* error parameter of the challenge, or NULL */
	const char *description;	/* error_description, fixed text, or NULL */
	const char *body;		/* the "error" member of the JSON body, e.g. "Missing Bearer token" */
	const char *word;		/* [a-z_]+ for log lines and counters */
	unsigned counter;		/* 1 to OAUTH_COUNTER_MAX, never another outcome's later: counts outlast us */
	int retry_after_s;		/* seconds for Retry-After; 0 for what waiting does not mend */
};

/*
 * The row of an outcome; never NULL, an unknown value gets the row of OAUTH_OUT_OF_RESOURCES. Source: RFC 6750
 * section 3.1, MCP basic/authorization.
 */
const struct oauth_outcome_row *oauth_outcome_row(enum oauth_outcome outcome);

#endif
