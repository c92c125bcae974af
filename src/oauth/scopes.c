/* SPDX-License-Identifier: MIT */
/* Answers for what a scope is and which other scopes it stands for. */
#include "oauth/scopes.h"

#include <stdlib.h>
#include <string.h>

#include "base/text.h"

bool
scope_is_token(const char *s, size_t len)
{
	for (size_t i = 0; i < len; i++)
		if (s[i] <= 0x20 || s[i] >= 0x7f || s[i] == '"' || s[i] == '\\')
			return false;
	return len > 0;
}

const char *
scope_list_check(const char *value)
{
	struct strlist scopes = { 0 };
	const char *wrong = NULL;

	if (strlist_split(&scopes, value, ", \t\r\n", 256))
		wrong = "lists too many scopes";
	for (size_t i = 0; i < scopes.n && !wrong; i++)
		if (!scope_is_token(scopes.v[i], strlen(scopes.v[i])))
			wrong = "has a byte that no scope may have (RFC 6749 section 3.3)";
	strlist_clear(&scopes);
	return wrong;
}

void
scope_rules_clear(struct scope_rules *r)
{
	if (!r)
		return;
	for (size_t i = 0; i < r->n; i++) {
		free(r->v[i].broad);
		strlist_clear(&r->v[i].narrow);
	}
	free(r->v);
	memset(r, 0, sizeof *r);
}

static struct scope_rule *
find(const struct scope_rules *r, const char *broad, size_t len)
{
	for (size_t i = 0; i < r->n; i++)
		if (strlen(r->v[i].broad) == len && memcmp(r->v[i].broad, broad, len) == 0)
			return &r->v[i];
	return NULL;
}

/* The rule of "broad", a new one if there is none yet; NULL when memory is short. */
static struct scope_rule *
find_or_add(struct scope_rules *r, const char *broad, size_t len)
{
	struct scope_rule *grown, *rule = find(r, broad, len);

	if (rule)
		return rule;
	grown = reallocarray(r->v, r->n + 1, sizeof *grown);
	if (!grown)
		return NULL;
	r->v = grown;
	rule = &grown[r->n];
	memset(rule, 0, sizeof *rule);
	rule->broad = text_dup(broad, len);
	if (!rule->broad)
		return NULL;
	r->n++;
	return rule;
}

static enum mcp_err
read_words(const struct strlist *words, struct scope_rules *out, const char **why)
{
	struct scope_rule *rule = NULL;

	for (size_t i = 0; i < words->n; i++) {
		const char *word = words->v[i];
		size_t len = strlen(word);
		bool begins = len > 0 && word[len - 1] == ':';

		*why = "has a word that is no scope";
		if (!scope_is_token(word, len - begins))
			return MCP_EINVAL;
		*why = "must begin with \"SCOPE:\", the colon at the end of the word";
		if (!begins && !rule)
			return MCP_EINVAL;
		if (begins && !(rule = find_or_add(out, word, len - 1)))
			return MCP_ENOMEM;
		if (!begins && strlist_add_unique(&rule->narrow, word, len))
			return MCP_ENOMEM;
	}
	return MCP_OK;
}

/*
 * Give a rule what its scopes imply in turn. The list grows while it is walked and has each scope once, so this ends
 * with the last scope of the setting, in a circle too.
 */
static enum mcp_err
close_rule(const struct scope_rules *rules, struct scope_rule *rule)
{
	enum mcp_err err = MCP_OK;

	for (size_t i = 0; i < rule->narrow.n && !err; i++) {
		const struct scope_rule *further = find(rules, rule->narrow.v[i], strlen(rule->narrow.v[i]));

		for (size_t j = 0; further && further != rule && j < further->narrow.n && !err; j++)
			err = strlist_add_unique(&rule->narrow, further->narrow.v[j], strlen(further->narrow.v[j]));
	}
	return err;
}

enum mcp_err
scope_rules_read(const struct strlist *words, struct scope_rules *out, const char **why)
{
	enum mcp_err err;

	*why = "has too many words";
	err = words->n > SCOPE_WORDS_MAX ? MCP_EINVAL : read_words(words, out, why);
	for (size_t i = 0; i < out->n && !err; i++)
		if (out->v[i].narrow.n == 0) {
			*why = "has a scope that implies nothing";
			err = MCP_EINVAL;
		}
	for (size_t i = 0; i < out->n && !err; i++)
		err = close_rule(out, &out->v[i]);
	if (err)
		scope_rules_clear(out);
	return err;
}

bool
scopes_grant(const struct scope_rules *rules, const struct strlist *granted, const char *wanted)
{
	if (strlist_has(granted, wanted))
		return true;
	for (size_t i = 0; rules && i < rules->n; i++)
		if (strlist_has(&rules->v[i].narrow, wanted) && strlist_has(granted, rules->v[i].broad))
			return true;
	return false;
}
