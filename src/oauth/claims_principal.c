/* SPDX-License-Identifier: MIT */
/* Who a token speaks for and what it is granted, out of claims that were judged to be good. */
#include "oauth/claims.h"

#include <string.h>

#include "base/json.h"
#include "oauth/scopes.h"

bool
claims_find(const struct json_object *claims, const char *path, struct json_object **out)
{
	char name[TOKEN_CLAIM_NAME_MAX + 1];
	struct json_object *at = (struct json_object *)(uintptr_t)claims;

	if (*path != '/')
		return json_get(claims, path, out) == MCP_OK;
	while (*path == '/') {
		size_t n = 0;

		for (path++; *path && *path != '/'; path++) {
			char c = *path;

			if (c == '~' && (path[1] == '0' || path[1] == '1'))
				c = *++path == '0' ? '~' : '/';
			if (n == TOKEN_CLAIM_NAME_MAX)
				return false;
			name[n++] = c;
		}
		name[n] = '\0';
		if (json_get(at, name, &at))
			return false;
	}
	*out = at;
	return true;
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

/* Copy "prefix" and "s". */
static enum oauth_outcome
copy(const char *prefix, const char *s, char **out)
{
	struct buf b;

	buf_init(&b, 1024 * 1024);
	buf_puts(&b, prefix);
	buf_puts(&b, s);
	*out = buf_steal(&b, NULL);
	return *out ? OAUTH_OK : OAUTH_OUT_OF_RESOURCES;
}

/* Copy the first of the claims that is a string with something in it to *out. Without one *out stays NULL. */
static enum oauth_outcome
copy_first(const struct json_object *claims, const struct strlist *names, char **out)
{
	const char *s;

	for (size_t i = 0; i < names->n; i++)
		if (json_get_string(claims, names->v[i], &s, NULL) == MCP_OK && *s)
			return copy("", s, out);
	return OAUTH_OK;
}

/* The one organisation of several that may be meant: NULL while there is none, or more than one. */
struct candidates {
	const struct token_policy *policy;
	const char *only;
	size_t n;	/* that are allowed */
	bool any;	/* something was there, allowed or not */
};

static bool
add_candidate(void *ctx, const char *name, struct json_object *value)
{
	struct candidates *c = ctx;

	(void)value;
	if (!*name)
		return true;
	c->any = true;
	if (c->policy->org_values.n && !strlist_has(&c->policy->org_values, name))
		return true;
	if (!c->only || strcmp(c->only, name) != 0)
		c->n++;
	c->only = name;
	return true;
}

/* Look at one claim in the way that the policy says it is written; one that is written otherwise says nothing. */
static void
add_candidates(const struct json_object *claim, struct candidates *c)
{
	const char *s;

	if (c->policy->org_mode == TOKEN_ORG_OBJECT)
		json_each(claim, add_candidate, c);
	else if (c->policy->org_mode == TOKEN_ORG_STRING && json_as_string(claim, &s, NULL) == MCP_OK)
		add_candidate(c, s, NULL);
	for (size_t i = 0; c->policy->org_mode == TOKEN_ORG_ARRAY && i < json_count(claim); i++)
		if (json_as_string(json_at(claim, i), &s, NULL) == MCP_OK)
			add_candidate(c, s, NULL);
}

/*
 * The organisation is what the first claim with something in it names. If several are named, nobody can say for which
 * of them the caller acts, so there is none.
 */
static enum oauth_outcome
take_organisation(const struct token_policy *policy, const struct json_object *claims, char **out)
{
	struct candidates c = {.policy = policy};
	struct json_object *claim;

	for (size_t i = 0; i < policy->org_claims.n && !c.any; i++)
		if (claims_find(claims, policy->org_claims.v[i], &claim))
			add_candidates(claim, &c);
	if (policy->org_values.n && c.n == 0)
		return OAUTH_WRONG_ORGANISATION;
	return c.n == 1 ? copy(policy->org_prefix ? policy->org_prefix : "", c.only, out) : OAUTH_OK;
}

static enum oauth_outcome
take_scopes(const struct token_policy *policy, const struct json_object *claims, struct strlist *scopes)
{
	enum oauth_outcome outcome = OAUTH_OK;
	struct json_object *claim;

	for (size_t i = 0; !outcome && i < policy->scope_claims.n; i++)
		if (claims_find(claims, policy->scope_claims.v[i], &claim))
			outcome = add_scopes(claim, scopes);
	return outcome;
}

enum oauth_outcome
claims_principal(const struct token_policy *policy, const struct json_object *claims, struct principal *out)
{
	const char *iss, *sub;
	enum oauth_outcome outcome;
	double exp;

	if (json_get_string(claims, "iss", &iss, NULL) || json_get_string(claims, "sub", &sub, NULL) ||
	    json_get_number(claims, "exp", &exp))
		return OAUTH_BAD_CLAIMS;
	out->expires_at_s = (int64_t)exp;
	outcome = copy("", iss, &out->issuer);
	if (!outcome)
		outcome = copy("", sub, &out->subject);
	if (!outcome)
		outcome = copy_first(claims, &policy->client_claims, &out->client_id);
	if (!outcome && policy->clients.n && (!out->client_id || !strlist_has(&policy->clients, out->client_id)))
		outcome = OAUTH_WRONG_CLIENT;
	if (!outcome)
		outcome = take_organisation(policy, claims, &out->organisation);
	if (!outcome && policy->org_prefix)
		outcome = copy("", policy->org_prefix, &out->org_prefix);
	if (!outcome)
		outcome = take_scopes(policy, claims, &out->scopes);
	return outcome;
}
