/* SPDX-License-Identifier: MIT */
#include "oauth/outcome.h"

#include <string.h>

#include "tests/tap.h"

/* What error_description may hold. Source: RFC 6750 section 3. */
static bool
is_description(const char *s)
{
	for (; *s; s++)
		if (*s < 0x20 || *s > 0x7e || *s == '"' || *s == '\\')
			return false;
	return true;
}

static bool
is_word(const char *s)
{
	return *s && strspn(s, "abcdefghijklmnopqrstuvwxyz_") == strlen(s);
}

/* Status and error code go together as RFC 6750 section 3.1 has them; 503 has none. */
static bool
is_consistent(const struct oauth_outcome_row *r)
{
	if (!r->error)
		return !r->description && (r->status == 401 || r->status == 403 || r->status == 503);
	if (!r->description)
		return false;
	return (r->status == 400 && strcmp(r->error, "invalid_request") == 0) ||
	    (r->status == 401 && strcmp(r->error, "invalid_token") == 0) ||
	    (r->status == 403 && strcmp(r->error, "insufficient_scope") == 0);
}

static void
test_every_row(void)
{
	for (int i = 0; i < OAUTH_OUTCOME_COUNT; i++) {
		const struct oauth_outcome_row *r = oauth_outcome_row((enum oauth_outcome)i);

		if (!ok(r->word && is_word(r->word), "outcome %d has a word for the log", i))
			continue;
		for (int j = 0; j < i; j++)
			if (strcmp(r->word, oauth_outcome_row((enum oauth_outcome)j)->word) == 0 ||
			    r->counter == oauth_outcome_row((enum oauth_outcome)j)->counter)
				ok(false, "word and counter of %s are used once", r->word);
		if (i == OAUTH_OK)
			continue;
		ok(is_consistent(r), "%s: status %d, error code and description go together", r->word, r->status);
		ok(r->body && *r->body && is_description(r->body), "J6: %s: has a body that needs no escapes", r->word);
		ok(r->counter >= 1 && r->counter <= OAUTH_COUNTER_MAX, "S62: %s: has a counter", r->word);
		ok(r->status < 500 ? r->retry_after_s == 0 : r->retry_after_s > 0,
		    "J5: %s: when to come back, for 5xx only", r->word);
		ok(!r->description || is_description(r->description), "J2: %s: the description is plain ASCII",
		    r->word);
		if (r->status == 401)
			is_str(r->body, r->error ? "Token validation failed" : "Missing Bearer token",
			    "%s: %s body of 401", r->word,
			    r->error ? "S33" : "S29");
	}
}

int
main(void)
{
	const struct oauth_outcome_row *bad = oauth_outcome_row(OAUTH_BAD_SIGNATURE);
	const struct oauth_outcome_row *unknown = oauth_outcome_row(OAUTH_UNKNOWN_KEY);

	test_every_row();
	is_int(oauth_outcome_row(OAUTH_OK)->status, 0, "success has no status of its own");
	ok(!oauth_outcome_row(OAUTH_NO_CREDENTIALS)->error, "A1: no credentials, no error code");
	is_int(oauth_outcome_row(OAUTH_KEYS_UNAVAILABLE)->status, 503, "W36: no keys is 503, not 401");
	is_int(oauth_outcome_row(OAUTH_OUT_OF_RESOURCES)->status, 503, "a lack of memory is 503");
	ok(strstr(oauth_outcome_row(OAUTH_EXPIRED)->description, "expired"), "S76: an expired token is told so");
	is_str(bad->description, unknown->description, "J3: a bad signature reads like an unknown key");
	is_str(bad->body, unknown->body, "J3: in the body too");
	is_int(bad->status, unknown->status, "J3: and in the status");
	is_int(oauth_outcome_row(OAUTH_WRONG_ORGANISATION)->status, 403, "I3: a wrong organisation is 403");
	ok(!oauth_outcome_row(OAUTH_WRONG_ORGANISATION)->error, "I3: without insufficient_scope");
	ok(oauth_outcome_row((enum oauth_outcome)999) == oauth_outcome_row(OAUTH_OUT_OF_RESOURCES),
	    "a value outside the enum is never taken for success");
	return tap_done();
}
