/* SPDX-License-Identifier: MIT */
/*
 * Whether a token is good, from the outside in: its size, its segments, whose token it says it is, its header, the key,
 * the signature, the claims. Each step costs more than the one before or believes more, so none is taken before the
 * last one has approved. The first refusal ends it.
 */
#include "oauth/token.h"

#include <string.h>
#include <strings.h>

#include "base/digest.h"
#include "base/json.h"
#include "base/text.h"
#include "oauth/claims.h"
#include "oauth/jwks.h"
#include "oauth/jws.h"
#include "oauth/keystore.h"

/*
 * A media type without "application/", which typ may leave out when no other slash is there. Source: RFC 7515 section
 * 4.1.9.
 */
static const char *
short_type(const char *type)
{
	static const char prefix[] = "application/";
	size_t n = sizeof(prefix) - 1;

	return strncasecmp(type, prefix, n) == 0 && !strchr(type + n, '/') ? type + n : type;
}

static bool
type_allowed(const struct token_policy *policy, const char *typ)
{
	for (size_t i = 0; i < policy->types.n; i++)
		if (text_equal_nocase(short_type(policy->types.v[i]), short_type(typ)))
			return true;
	return false;
}

/* Show the reader of the log what the header said. */
static enum oauth_outcome
refuse_seen(enum oauth_outcome outcome, const char *value, struct buf *seen)
{
	if (seen && value)
		json_render_string(value, strlen(value), seen);
	return outcome;
}

static enum oauth_outcome
judge_header(const struct token_policy *policy, const struct jws *jws, struct buf *seen)
{
	if (jws->typ && !type_allowed(policy, jws->typ))
		return refuse_seen(OAUTH_BAD_TYPE, jws->typ, seen);
	if (policy->strict_9068 && (!jws->typ || !text_equal_nocase(short_type(jws->typ), "at+jwt")))
		return refuse_seen(OAUTH_BAD_TYPE, jws->typ, seen);
	if (!strlist_has(&policy->algorithms, jws->alg) || !jwk_algorithm_known(jws->alg))
		return refuse_seen(OAUTH_BAD_ALGORITHM, jws->alg, seen);
	return OAUTH_OK;
}

/*
 * Entra ID signs tokens for Microsoft Graph over a header whose nonce was hashed afterwards, so that only Graph can
 * verify them.
 */
static void
hint_bad_signature(const struct jws *jws, struct buf *seen)
{
	struct json_object *ignored;

	if (seen && json_get(jws->header, "nonce", &ignored) == MCP_OK)
		buf_puts(seen, "a nonce in the header: a token for Microsoft Graph");
}

/*
 * Whether "key" of "set" signed the token; asked of OpenSSL only for a token that was not verified under this set
 * before.
 */
static enum mcp_err
check_signature(const struct jwks *set, const struct jwk *key, const struct jws *jws, const char *token, size_t len)
{
	uint8_t digest[DIGEST_SHA256_LEN];
	enum mcp_err err = digest_sha256(token, len, digest);

	if (err || verified_has(jwks_verified(set), digest))
		return err;
	err = jwk_verify(key, jws->alg, jws->signing_input, jws->signing_input_len, jws->signature.data,
	    jws->signature.len);
	if (!err)
		verified_add(jwks_verified(set), digest);
	return err;
}

static enum oauth_outcome
verify(struct keystore *keys, const struct jws *jws, const char *token, size_t len, int64_t now_s, struct buf *seen)
{
	struct jwks *set = NULL;
	const struct jwk *key;
	bool known_kid = false;
	enum oauth_outcome outcome = OAUTH_OUT_OF_RESOURCES;

	switch (keystore_find(keys, jws->kid, jws->alg, now_s, &set)) {
	case KEYSTORE_FOUND:
		break;
	case KEYSTORE_UNKNOWN:
		return refuse_seen(OAUTH_UNKNOWN_KEY, jws->kid, seen);
	case KEYSTORE_UNAVAILABLE:
	default:
		return OAUTH_KEYS_UNAVAILABLE;
	}
	key = jwks_select(set, jws->kid, jws->alg, &known_kid);
	if (!key) {
		outcome = known_kid ? refuse_seen(OAUTH_BAD_ALGORITHM, jws->alg, seen) :
		    refuse_seen(OAUTH_UNKNOWN_KEY, jws->kid, seen);
		goto out;
	}
	switch (check_signature(set, key, jws, token, len)) {
	case MCP_OK:
		outcome = OAUTH_OK;
		break;
	case MCP_EINVAL:
		hint_bad_signature(jws, seen);
		outcome = OAUTH_BAD_SIGNATURE;
		break;
	default:
		break;
	}
out:
	jwks_unref(set);
	return outcome;
}

/*
 * Choose the issuer by "iss", which is not believed: a lie leads to keys that have not signed the token. Returns
 * OAUTH_OK with *judge, OAUTH_BAD_CLAIMS, or OAUTH_WRONG_ISSUER with "iss" in "seen".
 */
static enum oauth_outcome
choose(const struct issuers *trusted, const struct json_object *claims, struct buf *seen, const struct issuer **judge)
{
	enum oauth_outcome outcome = OAUTH_WRONG_ISSUER;
	struct json_object *iss;

	for (size_t i = 0; i < trusted->n && outcome == OAUTH_WRONG_ISSUER; i++) {
		outcome = claims_judge_issuer(&trusted->v[i].policy, claims);
		if (outcome == OAUTH_OK)
			*judge = &trusted->v[i];
	}
	if (outcome == OAUTH_WRONG_ISSUER && seen && json_get(claims, "iss", &iss) == MCP_OK)
		json_render(iss, seen);
	else if (outcome == OAUTH_BAD_CLAIMS && seen)
		buf_puts(seen, "no good \"iss\"");
	return outcome;
}

size_t
token_bytes_max(const struct issuers *trusted)
{
	size_t max = 0;

	for (size_t i = 0; i < trusted->n; i++)
		if (trusted->v[i].policy.max_bytes > max)
			max = trusted->v[i].policy.max_bytes;
	return max;
}

/* Whether a token has the form of a compact JWS: three segments. */
static bool
is_jws(const char *token, size_t len)
{
	size_t dots = 0;

	for (size_t i = 0; i < len; i++)
		dots += token[i] == '.';
	return dots == 2;
}

/*
 * The issuer whose authorization server is asked about tokens that name none: the first that may be asked about tokens
 * of this form. A token is never shown to more than one. NULL: nobody is asked.
 */
static const struct issuer *
whom_to_ask(const struct issuers *trusted, bool jws)
{
	for (size_t i = 0; i < trusted->n; i++)
		if (trusted->v[i].validation == TOKEN_VALIDATION_INTROSPECT ||
		    (trusted->v[i].validation == TOKEN_VALIDATION_OPAQUE && !jws))
			return &trusted->v[i];
	return NULL;
}

/* The way of a JWT whose signature we verify. */
static enum oauth_outcome
validate_jws(const struct issuer *issuer, const struct jws *jws, const struct json_object *claims, const char *token,
    size_t len, int64_t now_s, struct principal *out, struct buf *seen)
{
	enum oauth_outcome outcome = judge_header(&issuer->policy, jws, seen);

	if (!outcome)
		outcome = verify(issuer->keys, jws, token, len, now_s, seen);
	if (!outcome)
		outcome = claims_judge(&issuer->policy, claims, now_s, seen);
	if (!outcome)
		outcome = claims_principal(&issuer->policy, claims, out);
	return outcome;
}

enum oauth_outcome
token_validate(const struct issuers *trusted, const char *token, size_t len, int64_t now_s, struct principal *out,
    struct buf *seen, const struct issuer **judge)
{
	const struct issuer *issuer = NULL;
	struct json_object *claims = NULL;
	struct jws jws;
	enum oauth_outcome outcome;

	memset(out, 0, sizeof(*out));
	if (judge)
		*judge = NULL;
	if (len > token_bytes_max(trusted))
		return OAUTH_TOO_LONG;
	outcome = jws_parse(token, len, &jws);
	if (!outcome)
		outcome = jws_claims(&jws, &claims);
	if (!outcome)
		outcome = choose(trusted, claims, seen, &issuer);
	/* What says nothing of its issuer may be a token that only its authorization server can read. */
	if (!issuer && outcome != OAUTH_WRONG_ISSUER && outcome != OAUTH_OUT_OF_RESOURCES)
		issuer = whom_to_ask(trusted, is_jws(token, len));
	if (issuer && len > issuer->policy.max_bytes)
		outcome = OAUTH_TOO_LONG;
	else if (issuer && (outcome || issuer->validation == TOKEN_VALIDATION_INTROSPECT))
		outcome = introspection_validate(issuer->introspection, &issuer->policy, token, len, now_s, out, seen);
	else if (issuer)
		outcome = validate_jws(issuer, &jws, claims, token, len, now_s, out, seen);
	if (outcome) {
		principal_clear(out);
	} else if (!out->claims) {
		out->claims = claims;
		claims = NULL;
	}
	if (judge)
		*judge = issuer;
	json_free(claims);
	jws_clear(&jws);
	return outcome;
}
