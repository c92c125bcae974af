/* SPDX-License-Identifier: MIT */
#include "oauth/claims.h"

#include <math.h>
#include <stdbool.h>
#include <string.h>

#include "base/json.h"
#include "base/text.h"
#include "oauth/scopes.h"

/*
 * 9999-12-31T23:59:59Z, the last time RFC 3339 can write. What is beyond counts something else, milliseconds for
 * example.
 */
#define NUMERIC_DATE_MAX 253402300799.0

/*
 * Claims that say what kind of token this is, and what an access token may say there (without case). Keycloak: typ is
 * Bearer, ID, Refresh, Logout ...; Cognito: token_use is access or id; others write token_type. A claim that says
 * anything else belongs to a token for another purpose. Source: RFC 8725 section 3.12.
 */
static const char *const kind_claims[] = {"typ", "token_use", "token_type"};
static const char *const access_kinds[] = {
	"access", "access_token", "access-token", "at+jwt", "Bearer", "DPoP", "JWT",
	"urn:ietf:params:oauth:token-type:access_token",
};

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

static bool
has_claim(const struct json_object *claims, const char *name)
{
	struct json_object *ignored;

	return json_get(claims, name, &ignored) == MCP_OK;
}

enum oauth_outcome
claims_judge_issuer(const struct token_policy *policy, const struct json_object *claims)
{
	const char *iss;

	if (json_get_string(claims, "iss", &iss, NULL) || !*iss)
		return OAUTH_BAD_CLAIMS;
	return strlist_has(&policy->issuers, iss) ? OAUTH_OK : OAUTH_WRONG_ISSUER;
}

static enum oauth_outcome
judge_kind(const struct json_object *claims)
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
		for (size_t j = 0; !err && j < COUNT(access_kinds); j++)
			fits = fits || text_equal_nocase(kind, access_kinds[j]);
		if (!fits)
			return OAUTH_NOT_ACCESS_TOKEN;
	}
	return OAUTH_OK;
}

/* aud is one string or an array of strings; with anything else in it nothing of it counts. */
static enum oauth_outcome
judge_audience(const struct token_policy *policy, const struct json_object *claims, struct buf *seen)
{
	struct json_object *claim;
	const char *aud;
	bool found = false;

	if (json_get(claims, "aud", &claim))
		return OAUTH_BAD_CLAIMS;
	if (json_as_string(claim, &aud, NULL) == MCP_OK)
		found = *aud && strlist_has(&policy->audiences, aud);
	else if (json_kind(claim) != JSON_ARRAY)
		return OAUTH_BAD_CLAIMS;
	for (size_t i = 0; i < json_count(claim) && json_kind(claim) == JSON_ARRAY; i++) {
		if (json_as_string(json_at(claim, i), &aud, NULL))
			return OAUTH_BAD_CLAIMS;
		found = found || (*aud && strlist_has(&policy->audiences, aud));
	}
	return found ? OAUTH_OK : refuse_seen(OAUTH_WRONG_AUDIENCE, claim, seen);
}

static size_t
length_without_slash(const char *s)
{
	size_t n = strlen(s);

	return n > 0 && s[n - 1] == '/' ? n - 1 : n;
}

static enum oauth_outcome
judge_resource(const struct token_policy *policy, const struct json_object *claims, struct buf *seen)
{
	struct json_object *claim;
	const char *resource;
	size_t n;

	if (!policy->resource || json_get(claims, "resource", &claim))
		return OAUTH_OK;
	if (json_as_string(claim, &resource, NULL))
		return OAUTH_BAD_CLAIMS;
	n = length_without_slash(policy->resource);
	if (length_without_slash(resource) == n && strncmp(resource, policy->resource, n) == 0)
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

/* Doubles hold whole seconds exactly far beyond the range of numeric_date(). */
static enum oauth_outcome
judge_times(const struct token_policy *policy, const struct json_object *claims, int64_t now_s)
{
	double exp, nbf, iat, now = (double)now_s, leeway = (double)policy->leeway_s;
	bool has_exp, has_nbf, has_iat;

	if (!numeric_date(claims, "exp", &has_exp, &exp) || !numeric_date(claims, "nbf", &has_nbf, &nbf) ||
	    !numeric_date(claims, "iat", &has_iat, &iat))
		return OAUTH_BAD_CLAIMS;
	if (!has_exp || (has_iat && exp < iat))
		return OAUTH_BAD_CLAIMS;
	if (policy->max_lifetime_s > 0 && (!has_iat || exp - iat > (double)policy->max_lifetime_s))
		return OAUTH_BAD_CLAIMS;
	if (now >= exp + leeway)
		return OAUTH_EXPIRED;
	if ((has_nbf && nbf > now + leeway) || (has_iat && iat > now + leeway))
		return OAUTH_NOT_YET_VALID;
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
judge_required(const struct token_policy *policy, const struct json_object *claims)
{
	for (size_t i = 0; i < policy->required_claims.n; i++)
		if (!fits_rule(claims, policy->required_claims.v[i]))
			return OAUTH_BAD_CLAIMS;
	return OAUTH_OK;
}

enum oauth_outcome
claims_judge(const struct token_policy *policy, const struct json_object *claims, int64_t now_s, struct buf *seen)
{
	enum oauth_outcome outcome = judge_kind(claims);
	const char *sub;

	if (!outcome && has_claim(claims, "cnf"))
		outcome = OAUTH_SENDER_CONSTRAINED;
	if (!outcome)
		outcome = judge_audience(policy, claims, seen);
	if (!outcome)
		outcome = judge_resource(policy, claims, seen);
	if (!outcome)
		outcome = judge_times(policy, claims, now_s);
	if (!outcome && (json_get_string(claims, "sub", &sub, NULL) || !*sub))
		outcome = OAUTH_BAD_CLAIMS;
	if (!outcome)
		outcome = judge_required(policy, claims);
	return outcome;
}

/* Whatever is no scope token grants nothing. */
static enum oauth_outcome
add_scope(struct strlist *scopes, const char *s, size_t len)
{
	if (!scope_is_token(s, len))
		return OAUTH_OK;
	if (strlist_add_unique(scopes, s, len))
		return OAUTH_OUT_OF_RESOURCES;
	return scopes->n <= CLAIMS_SCOPES_MAX ? OAUTH_OK : OAUTH_BAD_CLAIMS;
}

/* One scope claim: a string with blanks between the scopes, or an array with one scope an element. */
static enum oauth_outcome
add_scopes(const struct json_object *claim, struct strlist *scopes)
{
	enum oauth_outcome outcome = OAUTH_OK;
	const char *s;
	size_t len;

	if (json_as_string(claim, &s, &len) == MCP_OK) {
		while (!outcome && *s) {
			len = strcspn(s, " ");
			outcome = add_scope(scopes, s, len);
			s += len + (s[len] == ' ');
		}
		return outcome;
	}
	for (size_t i = 0; !outcome && i < json_count(claim) && json_kind(claim) == JSON_ARRAY; i++)
		if (json_as_string(json_at(claim, i), &s, &len) == MCP_OK)
			outcome = add_scope(scopes, s, len);
	return outcome;
}

/* Copy the first of the "n" claims that is a string with something in it to *out. Without one *out stays NULL. */
static enum oauth_outcome
copy_first(const struct json_object *claims, char *const *names, size_t n, char **out)
{
	const char *s;
	size_t len;

	for (size_t i = 0; i < n; i++) {
		if (json_get_string(claims, names[i], &s, &len) || len == 0)
			continue;
		*out = text_dup(s, len);
		return *out ? OAUTH_OK : OAUTH_OUT_OF_RESOURCES;
	}
	return OAUTH_OK;
}

enum oauth_outcome
claims_principal(const struct token_policy *policy, const struct json_object *claims, struct principal *out)
{
	static char iss[] = "iss", sub[] = "sub", client_id[] = "client_id", azp[] = "azp";
	enum oauth_outcome outcome = copy_first(claims, (char *const[]){iss}, 1, &out->issuer);
	struct json_object *claim;
	double exp;

	if (!outcome)
		outcome = copy_first(claims, (char *const[]){sub}, 1, &out->subject);
	if (!outcome)
		outcome = copy_first(claims, (char *const[]){client_id, azp}, 2, &out->client_id);
	if (!outcome)
		outcome = copy_first(claims, policy->org_claims.v, policy->org_claims.n, &out->organisation);
	for (size_t i = 0; !outcome && i < policy->scope_claims.n; i++)
		if (json_get(claims, policy->scope_claims.v[i], &claim) == MCP_OK)
			outcome = add_scopes(claim, &out->scopes);
	if (!outcome && json_get_number(claims, "exp", &exp))
		outcome = OAUTH_BAD_CLAIMS;
	if (!outcome)
		out->expires_at_s = (int64_t)exp;
	return outcome;
}
