/* SPDX-License-Identifier: MIT */
#include "oauth/organisation.h"

#include <stdlib.h>
#include <string.h>

#include "base/json.h"
#include "tests/quotes.h"
#include "tests/tap.h"

static enum mcp_err
read_rule(const char *text, struct org_rule *out, const char **why)
{
	struct strlist words = { 0 };
	enum mcp_err err;

	if (strlist_split(&words, text, " ", 4096) != MCP_OK)
		diag("memory");
	err = org_rule_read(&words, out, why);
	strlist_clear(&words);
	return err;
}

static const char *prefix;	/* of the organisations of the principal's issuer; NULL: nothing */

/*
 * The word for how the rule judges a principal of the organisation (NULL: none) with these claims, and in *chosen for
 * whom it may call.
 */
static enum oauth_outcome
judge(const char *rule, const char *organisation, const char *claims, char chosen[64])
{
	const struct json_bounds bounds = { 65536, 16, 1000 };
	struct principal p = { 0 };
	struct org_rule r = { 0 };
	enum oauth_outcome outcome;
	const char *why = "";
	char *who;

	if (read_rule(rule, &r, &why) || json_parse(q(claims), strlen(claims), &bounds, &p.claims, NULL))
		diag("%s: %s", rule, why);
	p.organisation = organisation ? strdup(organisation) : NULL;
	p.org_prefix = prefix ? strdup(prefix) : NULL;
	outcome = org_rule_judge(&r, &p);
	chosen[0] = '\0';
	if (org_rule_choose(&r, &p, &who))
		diag("memory");
	if (who)
		strncat(chosen, who, 63);
	free(who);
	principal_clear(&p);
	org_rule_clear(&r);
	return outcome;
}

static void
lets(const char *rule, const char *organisation, const char *claims, const char *who, const char *text)
{
	char chosen[64];

	is_int(judge(rule, organisation, claims, chosen), OAUTH_OK, "%s", text);
	is_str(chosen, who, "... for \"%s\"", who);
}

static void
stops(const char *rule, const char *organisation, const char *claims, const char *text)
{
	char chosen[64];

	is_int(judge(rule, organisation, claims, chosen), OAUTH_WRONG_ORGANISATION, "I3: %s", text);
	is_str(chosen, "", "... for nobody");
}

static void
describes(const char *rule, const char *want)
{
	struct org_rule r = { 0 };
	const char *why;
	struct buf b;

	buf_init(&b, 1024);
	if (read_rule(rule, &r, &why))
		diag("%s", why);
	org_rule_describe(&r, &b);
	is_str(b.data, want, "\"%s\" in words", rule);
	buf_clear(&b);
	org_rule_clear(&r);
}

static void
refused(const char *text)
{
	struct org_rule r = { 0 };
	const char *why = "";

	is_int(read_rule(text, &r, &why), MCP_EINVAL, "\"%s\" is no rule: %s", text, why);
	ok(!r.required && !r.claim && !r.allowed.n, "and nothing is left of it");
}

int
main(void)
{
	struct org_rule any = { .required = true }, none = { 0 };

	lets("", NULL, "{}", "", "no rule asks nothing of nobody");
	lets("", "org_1", "{}", "org_1", "and somebody stays somebody");
	lets("required", "org_1", "{}", "org_1", "required: any organisation");
	stops("required", NULL, "{}", "required: not none");
	lets("org_1 org_2", "org_2", "{}", "org_2", "one of: a member of the list");
	stops("org_1 org_2", "org_3", "{}", "one of: not another");
	stops("org_1 org_2", "org_", "{}", "E14: not the beginning of one");
	stops("org_1", "ORG_1", "{}", "E14: not with another case");
	stops("org_1 org_2", NULL, "{}", "one of: not none");
	lets("claim:tid", "org_1", "{'tid':'t1'}", "t1", "from a claim: what it says, not the usual organisation");
	stops("claim:tid", "org_1", "{}", "from a claim: not without it");
	stops("claim:tid", "org_1", "{'tid':''}", "from a claim: an empty one is none");
	stops("claim:tid", "org_1", "{'tid':7}", "E14: a number is none");
	stops("claim:tid", "org_1", "{'tid':{'t1':{}}}", "E14: an object is none");
	stops("claim:tid", "org_1", "{'tid':null}", "null is none");
	lets("claim:tid t1", "org_1", "{'tid':'t1'}", "t1", "from a claim, one of");
	stops("claim:tid org_1", "org_1", "{'tid':'t1'}", "from a claim, one of: the usual one does not help");
	lets("claim:orgs t1", NULL, "{'orgs':['t2','t1']}", "t1", "E14: an array that has one of the list");
	lets("claim:orgs t1 t2", NULL, "{'orgs':['t3','t2','t1']}", "t2", "E14: the first of the token's that fits");
	stops("claim:orgs t1", NULL, "{'orgs':['t2','t3']}", "E14: an array that has none of it");
	lets("claim:orgs", NULL, "{'orgs':['t2']}", "t2", "E14: an array of one says who it is");
	stops("claim:orgs", NULL, "{'orgs':['t2','t3']}", "E14: one of two does not");
	stops("claim:orgs", NULL, "{'orgs':[]}", "E14: nor an empty one");
	stops("claim:orgs t1", NULL, "{'orgs':['t1',7]}", "E14: an array with something else in it is none");
	stops("claim:orgs t1", NULL, "{'orgs':[['t1']]}", "E14: nor does one in it count");
	lets("claim:/a/tid", NULL, "{'a':{'tid':'t1'}}", "t1", "a claim may lie within another");
	prefix = "second:";
	lets("claim:tid", NULL, "{'tid':'t1'}", "second:t1", "another issuer's organisation has its prefix");
	lets("claim:tid second:t1", NULL, "{'tid':'t1'}", "second:t1", "and is allowed by it");
	stops("claim:tid t1", NULL, "{'tid':'t1'}", "D15: not by the name alone, which is that of the first issuer's");
	stops("claim:tid t1", NULL, "{'tid':'second:t1'}", "nor by a name that has the prefix in it");
	stops("claim:tid second:t1", NULL, "{'tid':'second:t1'}", "not even its own");
	lets("second:t1", "second:t1", "{}", "second:t1", "the usual one has it already");
	prefix = NULL;
	is_int(org_rule_judge(&any, NULL), OAUTH_WRONG_ORGANISATION, "nobody has no organisation");
	is_int(org_rule_judge(&none, NULL), OAUTH_OK, "which does not matter where none is asked for");
	refused("claim:");
	refused("claim:a claim:b");
	describes("required", "one");
	describes("org_1 org_2", "one of org_1 org_2");
	describes("a b c d e", "one of a b c and 2 more");
	describes("claim:tid t1", "one of t1 in the claim tid");
	return tap_done();
}
