/* SPDX-License-Identifier: MIT */
#include "oauth/bearer.h"

#include <stdlib.h>
#include <string.h>

#include "tests/tap.h"

#define MAX 16384

/* Claim that "value" gives "outcome", and the token "want" with OAUTH_OK. */
static void
gives(enum oauth_outcome outcome, const char *value, const char *want, const char *text)
{
	const char *token = "untouched";
	size_t len = 99;
	enum oauth_outcome got = oauth_bearer(value, MAX, &token, &len);

	if (got != outcome)
		is_str(oauth_outcome_row(got)->word, oauth_outcome_row(outcome)->word, "%s", text);
	else if (want)
		is_mem(token, len, want, strlen(want), "%s", text);
	else
		ok(!token && len == 0, "%s", text);
}

/* A value "Bearer " and "n" bytes. */
static char *
long_value(const char *scheme, size_t n)
{
	size_t at = strlen(scheme);
	char *s = malloc(at + n + 1);

	if (!s)
		exit(99);
	memcpy(s, scheme, at);
	memset(s + at, 'a', n);
	s[at + n] = '\0';
	return s;
}

static void
test_lengths(void)
{
	static const struct {
		size_t n;
		enum oauth_outcome outcome;
	} rows[] = {
		{1, OAUTH_OK}, {8192, OAUTH_OK}, {MAX, OAUTH_OK}, {MAX + 1, OAUTH_TOO_LONG}, {MAX + 57, OAUTH_TOO_LONG},
		{MAX + 58, OAUTH_TOO_LONG}, {1 << 20, OAUTH_TOO_LONG}, {9 << 20, OAUTH_TOO_LONG},
	};

	for (size_t i = 0; i < sizeof(rows) / sizeof(*rows); i++) {
		char *value = long_value("Bearer ", rows[i].n);
		const char *token;
		size_t len;

		is_str(oauth_outcome_row(oauth_bearer(value, MAX, &token, &len))->word,
		    oauth_outcome_row(rows[i].outcome)->word,
		    "A7: a token of %zu bytes with a limit of %d", rows[i].n, MAX);
		if (rows[i].outcome == OAUTH_OK)
			is_int((long long)len, (long long)rows[i].n, "A7: all of it is taken");
		free(value);
	}
}

static void
test_good(void)
{
	gives(OAUTH_OK, "Bearer abc.def.ghi", "abc.def.ghi", "S31: the token is the rest of the value");
	gives(OAUTH_OK, "Bearer   abc \t ", "abc", "S31: blanks around it are not part of it");
	gives(OAUTH_OK, " \tBearer abc", "abc", "blanks before the scheme are no part of the value");
	gives(OAUTH_OK, "bearer x", "x", "A3: bearer in lower case");
	gives(OAUTH_OK, "BEARER x", "x", "A3: BEARER in upper case");
	gives(OAUTH_OK, "bEaReR x", "x", "A3: any case");
	gives(OAUTH_OK, "Bearer AZaz09-._~+/==", "AZaz09-._~+/==", "every character of a b64token passes");
	gives(OAUTH_OK, "Bearer invalid-token", "invalid-token", "S69: what is no JWT is the validator's business");
}

static void
test_none(void)
{
	gives(OAUTH_NO_CREDENTIALS, NULL, NULL, "A1: no field, no credentials");
	gives(OAUTH_NO_CREDENTIALS, "", NULL, "A1: an empty field is none");
	gives(OAUTH_NO_CREDENTIALS, " \t ", NULL, "A1: nor is one of blanks");
	gives(OAUTH_OTHER_SCHEME, "Bearer", NULL, "A2: Bearer with nothing after it");
	gives(OAUTH_OTHER_SCHEME, "Bearer ", NULL, "A2: Bearer and a blank");
	gives(OAUTH_OTHER_SCHEME, "Bearer\t", NULL, "A2: Bearer and a tab");
	gives(OAUTH_OTHER_SCHEME, "Basic dXNlcjpwYXNz", NULL, "A5: Basic");
	gives(OAUTH_OTHER_SCHEME, "DPoP abc", NULL, "A5: DPoP is not Bearer");
	gives(OAUTH_OTHER_SCHEME, "Token abc", NULL, "A5: Token");
	gives(OAUTH_OTHER_SCHEME, "Bearerx", NULL, "A5: Bearerx is another scheme");
	gives(OAUTH_OTHER_SCHEME, "Bearerx abc", NULL, "A5: also with a token");
	gives(OAUTH_OTHER_SCHEME, "Bear", NULL, "A5: and so is a shorter word");
	gives(OAUTH_OTHER_SCHEME, "eyJhbGciOiJSUzI1NiJ9.e30.c2ln", NULL, "A5: a token without a scheme");
	gives(OAUTH_OTHER_SCHEME, "Basic a, Bearer b", NULL, "A4: two fields joined, the first of another scheme");
}

static void
test_bad(void)
{
	gives(OAUTH_BAD_HEADER, "Bearer a b", NULL, "A4: two tokens with a blank");
	gives(OAUTH_BAD_HEADER, "Bearer a,b", NULL, "A4: two tokens with a comma");
	gives(OAUTH_BAD_HEADER, "Bearer a, Bearer b", NULL, "A4: two fields joined");
	gives(OAUTH_BAD_HEADER, "Bearer a, Basic b", NULL, "A4: two schemes joined");
	gives(OAUTH_BAD_HEADER, "Bearer a\tb", NULL, "A4: a tab inside");
	gives(OAUTH_BAD_HEADER, "Bearer,a", NULL, "A4: a comma after the scheme");
	gives(OAUTH_BAD_HEADER, "Bearer\tabc", NULL, "A6: a tab does not end the scheme");
	gives(OAUTH_BAD_HEADER, "Bearer =abc", NULL, "A6: = only at the end");
	gives(OAUTH_BAD_HEADER, "Bearer abc=d", NULL, "A6: = only at the end, also later");
	gives(OAUTH_BAD_HEADER, "Bearer ===", NULL, "A6: only =");
	gives(OAUTH_BAD_HEADER, "Bearer abc%3D", NULL, "A6: a percent sign");
	gives(OAUTH_BAD_HEADER, "Bearer \"abc\"", NULL, "A6: quotes");
	gives(OAUTH_BAD_HEADER, "Bearer abc\r\nX-Evil: 1", NULL, "A6: a line end");
	gives(OAUTH_BAD_HEADER, "Bearer abc\n", NULL, "A6: a line end at the end");
	gives(OAUTH_BAD_HEADER, "Bearer abc\001", NULL, "A6: a control byte");
	gives(OAUTH_BAD_HEADER, "Bearer abc\177", NULL, "A6: DEL");
	gives(OAUTH_BAD_HEADER, "Bearer abc\200", NULL, "A6: a byte of 0x80");
	gives(OAUTH_BAD_HEADER, "Bearer \303\244", NULL, "A6: UTF-8");
	gives(OAUTH_BAD_HEADER, "Bearer {\"payload\":1}", NULL, "B3: a JSON serialization");
}

int
main(void)
{
	char *blanks = long_value("", 100);
	const char *token;
	size_t len;

	test_good();
	test_none();
	test_bad();
	test_lengths();
	memset(blanks, ' ', 100);
	is_int(oauth_bearer(blanks, 16, &token, &len), OAUTH_TOO_LONG, "A7: a value that is all blanks is bounded too");
	is_int(oauth_bearer("Bearer abc", (size_t)-1, &token, &len), OAUTH_OK, "no limit does not overflow");
	free(blanks);
	return tap_done();
}
