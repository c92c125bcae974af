/* SPDX-License-Identifier: MIT */
#include "oauth/claims.h"

#include <math.h>
#include <stdbool.h>
#include <string.h>

#include "base/clock.h"
#include "base/json.h"
#include "base/text.h"

/*
 * 9999-12-31T23:59:59Z, the last time RFC 3339 can write. What is beyond counts something else, milliseconds for
 * example.
 */
#define NUMERIC_DATE_MAX 253402300799.0

/*
 * Claims that say what kind of token this is. Keycloak: typ is Bearer, ID, Refresh, Logout ...; Cognito: token_use is
 * access or id; others write token_type. One that says anything but an access token's word belongs to a token for
 * another purpose. Source: RFC 8725 section 3.12.
 */
static const char *const kind_claims[] = {"typ", "token_use", "token_type"};

/*
 * Claims that only other tokens have: logout tokens and security events (RFC 8417 section 2.2), ID tokens (OpenID
 * Connect Core sections 3.1.3.6, 3.3.2.11).
 */
static const char *const foreign_claims[] = {"events", "at_hash", "c_hash"};

#define COUNT(a) (sizeof(a) / sizeof(*(a)))

/* Show the reader of the log what the token said. */
static enum oauth_outcome
refuse_seen(enum oauth_outcome outcome, const struct json_object *claim, struct buf *seen)
{
	if (seen)
		json_render(claim, seen);
	return outcome;
}

/* Tell the reader of the log which claim it was; what is in it may be anything and is not shown. */
static enum oauth_outcome
refuse_claim(const char *name, struct buf *seen)
{
	if (seen)
		buf_printf(seen, "no good \"%s\"", name);
	return OAUTH_BAD_CLAIMS;
}

static bool
has_claim(const struct json_object *claims, const char *name)
{
	struct json_object *ignored;

	return json_get(claims, name, &ignored) == MCP_OK;
}

/* Whether "iss" is "issuer", in which "tid" (may be NULL) stands for TOKEN_TENANT. */
static bool
fits_issuer(const char *issuer, const char *iss, const char *tid)
{
	const char *place = strstr(issuer, TOKEN_TENANT);
	size_t before = place ? (size_t)(place - issuer) : 0, len = tid ? strlen(tid) : 0;

	if (!place)
		return strcmp(issuer, iss) == 0;
	return tid && strncmp(iss, issuer, before) == 0 && strncmp(iss + before, tid, len) == 0 &&
	    strcmp(iss + before + len, place + strlen(TOKEN_TENANT)) == 0;
}

enum oauth_outcome
claims_judge_issuer(const struct token_policy *policy, const struct json_object *claims)
{
	const char *iss, *tid;

	if (json_get_string(claims, "iss", &iss, NULL) || !*iss)
		return OAUTH_BAD_CLAIMS;
	if (json_get_string(claims, "tid", &tid, NULL) || !strlist_has(&policy->tenants, tid))
		tid = NULL;
	for (size_t i = 0; i < policy->issuers.n; i++)
		if (fits_issuer(policy->issuers.v[i], iss, tid))
			return OAUTH_OK;
	return OAUTH_WRONG_ISSUER;
}

static enum oauth_outcome
judge_kind(const struct token_policy *policy, const struct json_object *claims)
{
	for (size_t i = 0; i < COUNT(foreign_claims); i++)
		if (has_claim(claims, foreign_claims[i]))
			return OAUTH_NOT_ACCESS_TOKEN;
	for (size_t i = 0; i < COUNT(kind_claims); i++) {
		bool fits = false;
		const char *kind;
		enum mcp_err err = json_get_string(claims, kind_claims[i], &kind, NULL);

		if (err == MCP_ENOENT)
			continue;
		for (size_t j = 0; !err && j < policy->kinds.n; j++)
			fits = fits || text_equal_nocase(kind, policy->kinds.v[j]);
		if (!fits)
			return OAUTH_NOT_ACCESS_TOKEN;
	}
	return OAUTH_OK;
}

static size_t
length_without_slash(const char *s)
{
	size_t n = strlen(s);

	return n > 0 && s[n - 1] == '/' ? n - 1 : n;
}

static bool
equal_but_slash(const char *a, const char *b)
{
	size_t n = length_without_slash(a);

	return length_without_slash(b) == n && strncmp(a, b, n) == 0;
}

static bool
is_audience(const struct token_policy *policy, const char *aud)
{
	if (!*aud)
		return false;
	for (size_t i = 0; i < policy->audiences.n && policy->aud_ignore_slash; i++)
		if (equal_but_slash(policy->audiences.v[i], aud))
			return true;
	return strlist_has(&policy->audiences, aud) ||
	    (policy->audience_is_client && policy->resource && equal_but_slash(policy->resource, aud));
}

/* aud is one string or an array of strings; with anything else in it nothing of it counts. */
static enum oauth_outcome
judge_aud(const struct token_policy *policy, const struct json_object *claim, struct buf *seen)
{
	const char *aud;
	bool found = false;

	if (json_as_string(claim, &aud, NULL) == MCP_OK)
		found = is_audience(policy, aud);
	else if (json_kind(claim) != JSON_ARRAY)
		return refuse_claim("aud", seen);
	for (size_t i = 0; i < json_count(claim) && json_kind(claim) == JSON_ARRAY; i++) {
		if (json_as_string(json_at(claim, i), &aud, NULL))
			return refuse_claim("aud", seen);
		found = found || is_audience(policy, aud);
	}
	return found ? OAUTH_OK : refuse_seen(OAUTH_WRONG_AUDIENCE, claim, seen);
}

static enum oauth_outcome
judge_audience(const struct token_policy *policy, const struct json_object *claims, struct buf *seen)
{
	struct json_object *claim;
	const char *client;

	if (!policy->audience_is_client)
		return json_get(claims, "aud", &claim) ? refuse_claim("aud", seen) : judge_aud(policy, claim, seen);
	if (json_get(claims, "client_id", &claim) || json_as_string(claim, &client, NULL))
		return refuse_claim("client_id", seen);
	if (!strlist_has(&policy->audiences, client))
		return refuse_seen(OAUTH_WRONG_AUDIENCE, claim, seen);
	return json_get(claims, "aud", &claim) ? OAUTH_OK : judge_aud(policy, claim, seen);
}

static enum oauth_outcome
judge_resource(const struct token_policy *policy, const struct json_object *claims, struct buf *seen)
{
	struct json_object *claim;
	const char *resource;

	if (!policy->resource || json_get(claims, "resource", &claim))
		return OAUTH_OK;
	if (json_as_string(claim, &resource, NULL))
		return refuse_claim("resource", seen);
	if (equal_but_slash(policy->resource, resource))
		return OAUTH_OK;
	return refuse_seen(OAUTH_WRONG_RESOURCE, claim, seen);
}

/*
 * Read a NumericDate. *present is false and *out 0 without the claim. Returns false if it is there and none. Source:
 * RFC 7519 section 2.
 */
static bool
numeric_date(const struct json_object *claims, const char *name, bool *present, double *out)
{
	enum mcp_err err = json_get_number(claims, name, out);

	*present = err == MCP_OK;
	if (err == MCP_ENOENT)
		*out = 0;
	else if (err || !isfinite(*out) || *out < 0 || *out > NUMERIC_DATE_MAX)
		return false;
	return true;
}

/* Show when it ended or begins, to be compared with the time of the line. */
static enum oauth_outcome
refuse_time(enum oauth_outcome outcome, double at, struct buf *seen)
{
	char text[32];

	if (seen) {
		clock_format_utc((int64_t)at, text);
		buf_puts(seen, text);
	}
	return outcome;
}

/* Doubles hold whole seconds exactly far beyond the range of numeric_date(). */
static enum oauth_outcome
judge_times(const struct token_policy *policy, const struct json_object *claims, int64_t now_s, struct buf *seen)
{
	double exp, nbf, iat, now = (double)now_s, leeway = (double)policy->leeway_s;
	bool has_exp, has_nbf, has_iat;

	if (!numeric_date(claims, "exp", &has_exp, &exp) || !has_exp)
		return refuse_claim("exp", seen);
	if (!numeric_date(claims, "nbf", &has_nbf, &nbf))
		return refuse_claim("nbf", seen);
	if (!numeric_date(claims, "iat", &has_iat, &iat) || (has_iat && exp < iat))
		return refuse_claim("iat", seen);
	if (policy->max_lifetime_s > 0 && (!has_iat || exp - iat > (double)policy->max_lifetime_s))
		return refuse_claim("iat", seen);
	if (now >= exp + leeway)
		return refuse_time(OAUTH_EXPIRED, exp, seen);
	if (has_nbf && nbf > now + leeway)
		return refuse_time(OAUTH_NOT_YET_VALID, nbf, seen);
	if (has_iat && iat > now + leeway)
		return refuse_time(OAUTH_NOT_YET_VALID, iat, seen);
	return OAUTH_OK;
}

static bool
is_string(struct json_object *value, const char *wanted)
{
	const char *s;

	return json_as_string(value, &s, NULL) == MCP_OK && strcmp(s, wanted) == 0;
}

/* Whether the claim that "rule" names is there, and is or has its value if it names one. */
static bool
fits_rule(const struct json_object *claims, const char *rule)
{
	size_t len = strcspn(rule, "=");
	struct json_object *claim;
	char name[TOKEN_CLAIM_NAME_MAX + 1];
	bool fits = false;

	if (len > TOKEN_CLAIM_NAME_MAX)
		return false;
	memcpy(name, rule, len);
	name[len] = '\0';
	if (json_get(claims, name, &claim))
		return false;
	fits = rule[len] == '\0' || is_string(claim, rule + len + 1);
	for (size_t i = 0; json_kind(claim) == JSON_ARRAY && i < json_count(claim) && !fits; i++)
		fits = is_string(json_at(claim, i), rule + len + 1);
	return fits;
}

static enum oauth_outcome
judge_required(const struct token_policy *policy, const struct json_object *claims, struct buf *seen)
{
	static const char *const of_9068[] = {"client_id", "iat", "jti"};

	for (size_t i = 0; policy->strict_9068 && i < COUNT(of_9068); i++)
		if (!has_claim(claims, of_9068[i]))
			return refuse_claim(of_9068[i], seen);
	for (size_t i = 0; i < policy->required_claims.n; i++)
		if (!fits_rule(claims, policy->required_claims.v[i]))
			return refuse_claim(policy->required_claims.v[i], seen);
	return OAUTH_OK;
}

enum oauth_outcome
claims_judge(const struct token_policy *policy, const struct json_object *claims, int64_t now_s, struct buf *seen)
{
	enum oauth_outcome outcome = judge_kind(policy, claims);
	const char *sub, *jti;
	enum mcp_err err;

	if (!outcome && has_claim(claims, "cnf"))
		outcome = OAUTH_SENDER_CONSTRAINED;
	if (!outcome)
		outcome = judge_audience(policy, claims, seen);
	if (!outcome)
		outcome = judge_resource(policy, claims, seen);
	if (!outcome)
		outcome = judge_times(policy, claims, now_s, seen);
	if (!outcome && (json_get_string(claims, "sub", &sub, NULL) || !*sub))
		outcome = refuse_claim("sub", seen);
	/* Nothing here depends on jti, but where it is there it is a string (RFC 7519 section 4.1.7). */
	err = json_get_string(claims, "jti", &jti, NULL);
	if (!outcome && err && err != MCP_ENOENT)
		outcome = refuse_claim("jti", seen);
	if (!outcome)
		outcome = judge_required(policy, claims, seen);
	return outcome;
}
