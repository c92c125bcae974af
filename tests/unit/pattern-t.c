/* SPDX-License-Identifier: MIT */
#include "schema/pattern.h"

#include <string.h>

#include "schema/ecma.h"
#include "schema/schema.h"
#include "tests/tap.h"

/* What matches; "refused" is why a pattern is none. */
static const struct row {
	const char *pattern, *yes, *no, *refused;
} rows[] = {
	{ "", "", NULL, NULL },
	{ "b", "abc", "ac", NULL },
	{ "^a.c$", "abc", "a\nc", NULL },
	{ "^a.c$", "a\xf0\x9f\x98\x80" "c", "a\xe2\x80\xa8" "c", NULL },
	{ "^abc$", "abc", "abc\n", NULL },
	{ "^\\s$", "\xe3\x80\x80", "\xe2\x80\x8b", NULL },
	{ "^[\\s]$", "\xef\xbb\xbf", "x", NULL },
	{ "^\\S$", "\xe2\x80\x8b", "\xc2\xa0", NULL },
	{ "^[\\Sx]$", "\xf0\x9f\x98\x80", "\xe2\x80\xa9", NULL },
	{ "^[^\\S]$", " ", "x", NULL },
	{ "^\\d\\D\\w\\W$", "1\xd9\xa1_\xc3\xa4", "\xd9\xa1x__", NULL },
	{ "^\\t\\n\\v\\f\\r$", "\t\n\v\f\r", "tnvfr", NULL },
	{ "^\\v$", "\v", "\n", NULL },
	{ "^[\\b]$", "\b", "b", NULL },
	{ "\\bfoo\\b", "a foo b", "afoo", NULL },
	{ "^\\cA\\x41\\u0042\\u{43}$", "\001ABC", "ABC", NULL },
	{ "^\\ud83d\\ude00$", "\xf0\x9f\x98\x80", "x", NULL },
	{ "^[\\ud83d\\ude00-\\u{1f602}]$", "\xf0\x9f\x98\x81", "\xf0\x9f\x98\x83", NULL },
	{ "^\\.\\*\\/\\-\\@$", ".*/-@", "x", NULL },
	{ "^[\\w\\-.]+$", "a-b.c", "a b", NULL },
	{ "^[\\w-.]+$", "a-b.c", "a+b", NULL },
	{ "^[a-]$", "-", "b", NULL },
	{ "^[-a]$", "-", "b", NULL },
	{ "^[[:alpha:]]$", ":]", "b", NULL },
	{ "^[[a]$", "[", "b", NULL },
	{ "^[#-&]$", "%", "x", NULL },
	{ "a[]b", NULL, "ab", NULL },
	{ "^a[^]b$", "a\nb", "ab", NULL },
	{ "^[^^]$", "a", "^", NULL },
	{ "^a{2}b{1,}c{0,1}$", "aabb", "ab", NULL },
	{ "^a{,2}$", "a{,2}", "aa", NULL },
	{ "^{}$", "{}", "", NULL },
	{ "^a]$", "a]", "a", NULL },
	{ "^a+?b*?c??$", "aab", "c", NULL },
	{ "^(a)(?:b)\\1$", "aba", "abb", NULL },
	{ "^(?:(a)|b)\\1c$", "bc", "ac", NULL },
	{ "^\\1(a)$", "a", "aa", NULL },
	{ "^(?<year>\\d{4})-\\k<year>$", "2026-2026", "2026-2025", NULL },
	{ "^(?=a)a(?!b)", "ac", "ab", NULL },
	{ "(?<=a)b(?<!xb)", "ab", "cb", NULL },
	{ "^\\p{L}\\p{Lu}\\p{Letter}\\P{Nd}$", "\xc3\xa4\xc3\x84" "ax", "1Aax", NULL },
	{ "^\\p{Script=Greek}\\p{sc=Latin}\\p{scx=Han}\\p{gc=Decimal_Number}$", "\xce\xb1" "a\xe6\xbc\xa2" "1", "aaa1",
	    NULL },
	{ "^[\\p{Uppercase_Letter}\\p{Alphabetic}]\\p{ASCII}\\p{Any}$", "\xc3\x84" "a\n", "1aa", NULL },
	{ "^\\p{Assigned}$", "a", "\xf3\xa0\x80\x80", NULL },
	{ "^(#| )x$", "#x", "x", NULL },
	{ "\\0", NULL, "0", NULL },

	{ "\\Z", NULL, NULL, "an escape that ECMA-262 does not have" },
	{ "\\a", NULL, NULL, "an escape that ECMA-262 does not have" },
	{ "\\_x\\q", NULL, NULL, "an escape that ECMA-262 does not have" },
	{ "\\01", NULL, NULL, "an escape that ECMA-262 does not have" },
	{ "\\c1", NULL, NULL, "an escape that ECMA-262 does not have" },
	{ "\\xg0", NULL, NULL, "an escape that ECMA-262 does not have" },
	{ "\\u12", NULL, NULL, "an escape that ECMA-262 does not have" },
	{ "\\u{110000}", NULL, NULL, "an escape that ECMA-262 does not have" },
	{ "\\u{}", NULL, NULL, "an escape that ECMA-262 does not have" },
	{ "\\ud800", NULL, NULL, "an escape that ECMA-262 does not have" },
	{ "\\ud800\\u0041", NULL, NULL, "an escape that ECMA-262 does not have" },
	{ "[\\B]", NULL, NULL, "an escape that ECMA-262 does not have" },
	{ "\\", NULL, NULL, "a backslash at the end" },
	{ "[a", NULL, NULL, "a class that is not closed" },
	{ "[a-", NULL, NULL, "a class that is not closed" },
	{ "[a-\\d]", NULL, NULL, "a range that ends in a set" },
	{ "[b-a]", NULL, NULL, "not a regular expression" },
	{ "(", NULL, NULL, "a bracket that is not closed" },
	{ ")", NULL, NULL, "a bracket that was not opened" },
	{ "*", NULL, NULL, "nothing to repeat" },
	{ "a**", NULL, NULL, "nothing to repeat" },
	{ "a++", NULL, NULL, "nothing to repeat" },
	{ "a{1}{2}", NULL, NULL, "nothing to repeat" },
	{ "^*", NULL, NULL, "nothing to repeat" },
	{ "(*ACCEPT)", NULL, NULL, "nothing to repeat" },
	{ "a{2,1}", NULL, NULL, "not a regular expression" },
	{ "(?i)a", NULL, NULL, "a kind of group that ECMA-262 does not have" },
	{ "(?>a)", NULL, NULL, "a kind of group that ECMA-262 does not have" },
	{ "(?R)", NULL, NULL, "a kind of group that ECMA-262 does not have" },
	{ "(?#c)", NULL, NULL, "a kind of group that ECMA-262 does not have" },
	{ "(?C1)", NULL, NULL, "a kind of group that ECMA-262 does not have" },
	{ "(?P<a>x)", NULL, NULL, "a kind of group that ECMA-262 does not have" },
	{ "(?<1>x)", NULL, NULL, "a group's name is 1 to 32 letters, digits and _" },
	{ "\\k<a>", NULL, NULL, "not a regular expression" },
	{ "\\k", NULL, NULL, "\\k without a group's name" },
	{ "(a)\\2", NULL, NULL, "a back-reference to a group that is not there" },
	{ "\\p", NULL, NULL, "\\p without a property in braces" },
	{ "\\p{Nothing}", NULL, NULL, "\\p with an unknown property" },
	{ "\\p{Foo=Greek}", NULL, NULL, "\\p with an unknown property" },
	{ "\\p{^L}", NULL, NULL, "\\p with an unknown property" },
	{ "(?<=a+)b", NULL, NULL, "a look-behind without a bounded length is not supported" },
	{ "\xff", NULL, NULL, "ill-formed UTF-8" },
	{ "[\xff]", NULL, NULL, "ill-formed UTF-8" }
};

static void
try_text(const struct pattern *p, const char *pattern, const char *text, bool wanted)
{
	struct pattern_run run = { .cpu_ms = 1000 };
	bool matches = !wanted;

	if (!text)
		return;
	ok(pattern_match(p, text, strlen(text), &run, &matches) == MCP_OK && matches == wanted, "%s %s %s", pattern,
	    wanted ? "matches" : "does not match", text);
	pattern_run_clear(&run);
}

static void
test_bounds(void)
{
	char text[SCHEMA_PATTERN_MAX + 2];
	struct pattern *p;
	const char *why;

	memset(text, 'a', sizeof(text));
	is_int(pattern_compile(text, SCHEMA_PATTERN_MAX, SCHEMA_PATTERN_MAX, &p, &why), MCP_OK, "a long pattern");
	pattern_free(p);
	is_int(pattern_compile(text, SCHEMA_PATTERN_MAX + 1, SCHEMA_PATTERN_MAX, &p, &why), MCP_ELIMIT,
	    "a longer one");
	ok(!p, "... gives nothing");
	memset(text, '(', ECMA_DEPTH_MAX);
	memset(text + ECMA_DEPTH_MAX, ')', ECMA_DEPTH_MAX);
	is_int(pattern_compile(text, 2 * ECMA_DEPTH_MAX, SCHEMA_PATTERN_MAX, &p, &why), MCP_OK, "deep groups");
	pattern_free(p);
}

int
main(void)
{
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		const struct row *r = &rows[i];
		struct pattern *p = NULL;
		const char *why;
		enum mcp_err err = pattern_compile(r->pattern, strlen(r->pattern), SCHEMA_PATTERN_MAX, &p, &why);

		is_int(err, r->refused ? MCP_EINVAL : MCP_OK, "%s is %s", r->pattern, r->refused ? "none" : "one");
		is_str(why, r->refused, "... %s", r->refused ? "for a reason" : "without a complaint");
		if (p)
			try_text(p, r->pattern, r->yes, true);
		if (p)
			try_text(p, r->pattern, r->no, false);
		pattern_free(p);
	}
	test_bounds();
	return tap_done();
}
