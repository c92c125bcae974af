/* SPDX-License-Identifier: MIT */
#include "oauth/challenge.h"

#include <stdlib.h>
#include <string.h>

#include "tests/tap.h"

#define URL "https://mcp.example.com/.well-known/oauth-protected-resource/mcp"
#define PREFIX "Bearer realm=\"OAuth\", resource_metadata=\"" URL "\""

static void
gives(enum oauth_outcome outcome, const char *url, const struct strlist *scopes, const char *want, const char *text)
{
	struct buf b;

	buf_init(&b, 4096);
	challenge_render(outcome, url, scopes, &b);
	is_str(b.data, want, "%s", text);
	buf_clear(&b);
}

/*
 * Exactly the grammar: auth-param *( ", " auth-param ), each name="printable ASCII but quote and backslash". Source:
 * RFC 9110 section 11.6.1.
 */
static bool
is_challenge(const char *s)
{
	if (strncmp(s, "Bearer ", 7) != 0)
		return false;
	s += 7;
	for (;;) {
		size_t name = strspn(s, "abcdefghijklmnopqrstuvwxyz_");

		s += name;
		if (name == 0 || s[0] != '=' || s[1] != '"')
			return false;
		for (s += 2; *s != '"'; s++)
			if (*s < 0x20 || *s > 0x7e || *s == '\\')
				return false;
		s++;
		if (!*s)
			return true;
		if (strncmp(s, ", ", 2) != 0)
			return false;
		s += 2;
	}
}

static void
test_every_outcome(const struct strlist *scopes)
{
	for (int i = 0; i < OAUTH_OUTCOME_COUNT; i++) {
		const struct oauth_outcome_row *row = oauth_outcome_row((enum oauth_outcome)i);
		struct buf b;

		buf_init(&b, 4096);
		challenge_render((enum oauth_outcome)i, URL, scopes, &b);
		if (row->status == 0 || row->status >= 500) {
			is_int((long long)b.len, 0, "J5: %s: no challenge", row->word);
		} else {
			ok(is_challenge(b.data), "J2: %s: the challenge follows its grammar", row->word);
			ok(strncmp(b.data, PREFIX, strlen(PREFIX)) == 0, "S30: %s: begins as it should", row->word);
			ok((strstr(b.data, " error=\"") != NULL) == (row->error != NULL),
			    "%s: error only where the row has one", row->word);
		}
		buf_clear(&b);
	}
}

int
main(void)
{
	char read[] = "usr:read", admin[] = "admin", quote[] = "a\"b", slash[] = "a\\b", blank[] = "a b",
	    empty[] = "", high[] = "\303\244";
	char line[] = "a\r\nX: y";
	char *two[] = {read, admin}, *bad[] = {quote, slash, blank, empty, high, line}, *mixed[] = {quote, read,
	    slash, admin, line};
	struct strlist scopes = {two, 2}, none = {NULL, 0}, only_bad = {bad, 6}, some_bad = {mixed, 5};
	struct buf small;

	gives(OAUTH_NO_CREDENTIALS, URL, NULL, PREFIX, "S30: without scopes exactly the known text");
	gives(OAUTH_NO_CREDENTIALS, URL, &none, PREFIX, "S30: an empty list of scopes is as none");
	gives(OAUTH_NO_CREDENTIALS, URL, &scopes, PREFIX ", scope=\"usr:read admin\"", "A1: scopes last, no error");
	gives(OAUTH_EXPIRED, URL, NULL,
	    PREFIX ", error=\"invalid_token\", error_description=\"The access token expired\"",
	    "S76: an expired token is told so");
	gives(OAUTH_INSUFFICIENT_SCOPE, URL, &scopes,
	    PREFIX ", error=\"insufficient_scope\""
	    ", error_description=\"The access token lacks a scope that this operation needs\""
	    ", scope=\"usr:read admin\"", "I7: all scopes of the operation in one challenge");
	gives(OAUTH_WRONG_ORGANISATION, URL, NULL, PREFIX, "I3: a wrong organisation has no error code");
	gives(OAUTH_NO_CREDENTIALS, URL, &only_bad, PREFIX,
	    "I6: scopes that a challenge cannot hold are left out whole");
	gives(OAUTH_NO_CREDENTIALS, URL, &some_bad, PREFIX ", scope=\"usr:read admin\"", "I6: and the others stay");
	gives(OAUTH_NO_CREDENTIALS, "https://h/\"\r\nX-Evil: \\1", NULL,
	    "Bearer realm=\"OAuth\", resource_metadata=\"https://h/X-Evil: 1\"",
	    "J2: no value can end its string or line");
	gives(OAUTH_NO_CREDENTIALS, NULL, NULL, "Bearer realm=\"OAuth\"",
	    "without a metadata URL the parameter is left out");
	test_every_outcome(&scopes);
	buf_init(&small, 10);
	challenge_render(OAUTH_EXPIRED, URL, &scopes, &small);
	is_int(buf_status(&small), MCP_ELIMIT, "a full buffer says so");
	buf_clear(&small);
	return tap_done();
}
