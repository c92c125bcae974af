/* SPDX-License-Identifier: MIT */
#include "oauth/scopes.h"

#include <stdio.h>
#include <string.h>

#include "tests/tap.h"

static struct strlist
words(const char *text)
{
	struct strlist l = { 0 };

	if (strlist_split(&l, text, " ", 4096) != MCP_OK)
		diag("memory");
	return l;
}

/* Whether a token with the scopes "granted" is good for "wanted" under the rules. */
static bool
grants(const char *rules, const char *granted, const char *wanted)
{
	struct strlist w = words(rules), g = words(granted);
	struct scope_rules r = { 0 };
	const char *why = "";
	bool good;

	if (scope_rules_read(&w, &r, &why) != MCP_OK)
		diag("%s: %s", rules, why);
	good = scopes_grant(&r, &g, wanted);
	scope_rules_clear(&r);
	strlist_clear(&w);
	strlist_clear(&g);
	return good;
}

static void
test_exact(void)
{
	ok(grants("", "read", "read"), "E12: a scope is itself");
	ok(!grants("", "read", "read:all"), "E12: read is not read:all");
	ok(!grants("", "read:all", "read"), "E12: nor the other way round");
	ok(!grants("", "unread", "read"), "E12: nor unread");
	ok(!grants("", "READ", "read"), "E12: with case");
	ok(!grants("", "admin", "usr:read"), "no scope implies another unless a rule says so");
	ok(!grants("admin: usr:read", "admin:", "usr:read"), "the colon of a rule is not the scope's");
	ok(!grants("read: a", "read:all", "a"), "E12: a rule for read is not one for read:all");
	ok(!grants("read:all: a", "read", "a"), "E12: nor the other way round");
	ok(grants("read:all: a", "read:all", "a"), "a scope with a colon in it may have a rule");
}

static void
test_hierarchy(void)
{
	ok(grants("admin: usr:read web-search:read", "admin", "usr:read"), "I2: admin implies the first");
	ok(grants("admin: usr:read web-search:read", "admin", "web-search:read"), "I2: and the second");
	ok(!grants("admin: usr:read web-search:read", "usr:read", "admin"), "I2: not upwards");
	ok(!grants("admin: usr:read web-search:read", "usr:read", "web-search:read"), "I2: not sideways");
	ok(!grants("admin: usr:read", "admin", "usr:write"), "I2: nothing beyond the rule");
	ok(grants("a: b b: c c: d", "a", "d"), "I2: through others, in order");
	ok(grants("c: d b: c a: b", "a", "d"), "I2: and against it");
	ok(!grants("c: d b: c a: b", "b", "a"), "I2: but not upwards");
	ok(grants("a: b a: c", "a", "b") && grants("a: b a: c", "a", "c"), "two rules of one scope are one");
	ok(grants("a: b b: a", "a", "b") && grants("a: b b: a", "b", "a"), "a cycle makes equals");
	ok(grants("a: a", "a", "a") && !grants("a: a", "b", "a"), "a scope that implies itself is harmless");
	ok(grants("a: b b: c c: a", "c", "b"), "a cycle of three ends");
	ok(!grants("a: b b: c c: a", "d", "a"), "and lets nobody in");
	ok(!scopes_grant(NULL, &(struct strlist){ NULL, 0 }, "a"), "no rules, no scopes: nothing");
}

/* The longest chain that the setting holds, closed to a circle. */
static void
test_bound(void)
{
	struct strlist w = { 0 };
	struct scope_rules r = { 0 };
	const char *why;
	char word[16];
	int i;

	for (i = 0; i < SCOPE_WORDS_MAX / 2; i++) {
		snprintf(word, sizeof word, "s%d:", i);
		if (strlist_add(&w, word, strlen(word)))
			diag("memory");
		snprintf(word, sizeof word, "s%d", (i + 1) % (SCOPE_WORDS_MAX / 2));
		if (strlist_add(&w, word, strlen(word)))
			diag("memory");
	}
	is_int(scope_rules_read(&w, &r, &why), MCP_OK, "a circle through all words is read");
	is_int((long long)r.n, SCOPE_WORDS_MAX / 2, "with all its rules");
	is_int((long long)r.v[5].narrow.n, SCOPE_WORDS_MAX / 2, "each implies all, once");
	scope_rules_clear(&r);
	if (strlist_add(&w, "s0", 2))
		diag("memory");
	is_int(scope_rules_read(&w, &r, &why), MCP_EINVAL, "one word more is refused");
	ok(r.n == 0 && !r.v, "and nothing is left");
	strlist_clear(&w);
}

static void
refused(const char *text, const char *because)
{
	struct strlist w = words(text);
	struct scope_rules r = { 0 };
	const char *why = "";

	is_int(scope_rules_read(&w, &r, &why), MCP_EINVAL, "\"%s\" is no rule", text);
	ok(strstr(why, because), "because it %s", why);
	ok(r.n == 0 && !r.v, "and nothing is left of it");
	strlist_clear(&w);
}

int
main(void)
{
	test_exact();
	test_hierarchy();
	test_bound();
	refused("usr:read", "must begin with");
	refused("admin:usr:read", "must begin with");
	refused("admin:", "implies nothing");
	refused("admin: a root:", "implies nothing");
	refused(": a", "no scope");
	refused("admin: a\"b", "no scope");
	refused("ad\\min: a", "no scope");
	ok(scope_is_token("!#[]~", 5), "I6: the edges of what a scope may have");
	ok(!scope_is_token("a\"b", 3) && !scope_is_token("a\\b", 3) && !scope_is_token("a b", 3) &&
	    !scope_is_token("", 0) && !scope_is_token("\x7f", 1) && !scope_is_token("\xc3\xa4", 2) &&
	    !scope_is_token("a\nb", 3), "I6: and what it may not");
	return tap_done();
}
