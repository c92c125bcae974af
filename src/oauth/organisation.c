/* SPDX-License-Identifier: MIT */
/* Answers for which organisation a caller acts for, and whether a tool is there for it. */
#include "oauth/organisation.h"

#include <stdlib.h>
#include <string.h>

#include "base/json.h"
#include "base/text.h"
#include "oauth/claims.h"

#define ORG_NAME_MAX (128 * 1024)	/* bytes; a token is shorter */
#define DESCRIBED 3	/* organisations that a log line names */

static const char claim_word[] = "claim:";

void
org_rule_clear(struct org_rule *r)
{
	if (!r)
		return;
	free(r->claim);
	strlist_clear(&r->allowed);
	memset(r, 0, sizeof *r);
}

static enum mcp_err
read_word(const char *word, struct org_rule *out, const char **why)
{
	const char *name = word + sizeof claim_word - 1;

	out->required = true;
	if (strcmp(word, "required") == 0)
		return MCP_OK;
	if (strncmp(word, claim_word, sizeof claim_word - 1) != 0)
		return strlist_add_unique(&out->allowed, word, strlen(word));
	*why = "must name exactly one claim behind \"claim:\"";
	if (out->claim || !*name)
		return MCP_EINVAL;
	out->claim = text_dup(name, strlen(name));
	return out->claim ? MCP_OK : MCP_ENOMEM;
}

enum mcp_err
org_rule_read(const struct strlist *words, struct org_rule *out, const char **why)
{
	enum mcp_err err = MCP_OK;

	*why = "lists too many organisations";
	if (words->n > ORG_WORDS_MAX)
		err = MCP_EINVAL;
	for (size_t i = 0; i < words->n && !err; i++)
		err = read_word(words->v[i], out, why);
	if (err)
		org_rule_clear(out);
	return err;
}

/* Whether the organisation "prefix" and "name" is allowed. */
static bool
allows(const struct org_rule *r, const char *prefix, const char *name)
{
	size_t n = strlen(prefix);

	if (!*name || r->allowed.n == 0)
		return *name != '\0';
	for (size_t i = 0; i < r->allowed.n; i++)
		if (strncmp(r->allowed.v[i], prefix, n) == 0 && strcmp(r->allowed.v[i] + n, name) == 0)
			return true;
	return false;
}

/* The one of an array of strings; anything else in it makes all of it worth nothing. */
static const char *
choose_of_array(const struct org_rule *r, const char *prefix, const struct json_object *claim)
{
	const char *s, *chosen = NULL;
	size_t n = json_count(claim);

	if (r->allowed.n == 0 && n != 1)
		return NULL;
	for (size_t i = 0; i < n; i++) {
		if (json_as_string(json_at(claim, i), &s, NULL))
			return NULL;
		if (!chosen && allows(r, prefix, s))
			chosen = s;
	}
	return chosen;
}

/* The organisation that the rule finds and allows, without *prefix, which goes before it; NULL: none. */
static const char *
choose(const struct org_rule *r, const struct principal *principal, const char **prefix)
{
	struct json_object *claim;
	const char *s;

	*prefix = "";
	if (!principal)
		return NULL;
	if (!r->claim)
		return principal->organisation && allows(r, "", principal->organisation) ? principal->organisation :
		    NULL;
	*prefix = principal->org_prefix ? principal->org_prefix : "";
	if (!principal->claims || !claims_find(principal->claims, r->claim, &claim))
		return NULL;
	if (json_as_string(claim, &s, NULL) == MCP_OK)
		return allows(r, *prefix, s) ? s : NULL;
	return json_kind(claim) == JSON_ARRAY ? choose_of_array(r, *prefix, claim) : NULL;
}

enum mcp_err
org_rule_choose(const struct org_rule *r, const struct principal *principal, char **out)
{
	const char *prefix, *name = choose(r, principal, &prefix);
	struct buf b;

	*out = NULL;
	if (!name)
		return MCP_OK;
	buf_init(&b, ORG_NAME_MAX);
	buf_puts(&b, prefix);
	buf_puts(&b, name);
	*out = buf_steal(&b, NULL);
	return *out ? MCP_OK : MCP_ENOMEM;
}

enum oauth_outcome
org_rule_judge(const struct org_rule *r, const struct principal *principal)
{
	const char *prefix;

	return !r->required || choose(r, principal, &prefix) ? OAUTH_OK : OAUTH_WRONG_ORGANISATION;
}

void
org_rule_describe(const struct org_rule *r, struct buf *out)
{
	buf_puts(out, "one");
	for (size_t i = 0; i < r->allowed.n && i < DESCRIBED; i++)
		buf_printf(out, "%s %s", i ? "" : " of", r->allowed.v[i]);
	if (r->allowed.n > DESCRIBED)
		buf_printf(out, " and %zu more", r->allowed.n - DESCRIBED);
	if (r->claim)
		buf_printf(out, " in the claim %s", r->claim);
}
