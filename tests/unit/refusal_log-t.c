/* SPDX-License-Identifier: MIT */
#include "server/refusal_log.h"

#include <pthread.h>
#include <stdio.h>
#include <string.h>

#include "base/log.h"
#include "tests/tap.h"

static unsigned lines;		/* since the last look */
static enum log_level level;	/* of the last one */
static char last[1024];
static unsigned long told;	/* by the figures of all lines */

static void
take(void *ctx, enum log_level at, const char *text)
{
	const char *more = strstr(text, " (");
	unsigned long n;

	(void)ctx;
	lines++;
	level = at;
	snprintf(last, sizeof last, "%s", text);
	if (more && sscanf(more, " (%lu more", &n) == 1)
		told += n;
}

static unsigned
count(void)
{
	unsigned n = lines;

	lines = 0;
	return n;
}

static void
test_same_and_other(void)
{
	struct refusal_log *l;

	if (refusal_log_new(&l))
		return;
	refusal_log_tell(l, "a1", OAUTH_WRONG_AUDIENCE, "wrong_audience, seen x", 1000);
	is_str(last, "a1 wrong_audience, seen x", "the first is told");
	is_int(level, LOG_LEVEL_WARNING, "as a warning");
	for (int i = 0; i < 1000; i++)
		refusal_log_tell(l, "a2", OAUTH_WRONG_AUDIENCE, "wrong_audience, seen x", 1000 + i % 60);
	is_int(count(), 1, "a thousand like it within the minute are not");
	refusal_log_tell(l, "a3", OAUTH_WRONG_AUDIENCE, "wrong_audience, seen y", 1030);
	is_str(last, "a3 wrong_audience, seen y", "another one is, in the same minute");
	refusal_log_tell(l, "a4", OAUTH_EXPIRED, "wrong_audience, seen x", 1030);
	is_int(count(), 2, "and one of another outcome");
	refusal_log_tell(l, "a5", OAUTH_WRONG_AUDIENCE, "wrong_audience, seen x", 1060);
	is_str(last, "a5 wrong_audience, seen x (1000 more of this kind were not told)",
	    "after the minute it is told again, and how many there were");
	refusal_log_tell(l, "a6", OAUTH_WRONG_AUDIENCE, "wrong_audience, seen x", 900);
	is_str(last, "a6 wrong_audience, seen x", "a clock that went back holds nothing back");
	refusal_log_tell(l, "a7", OAUTH_NO_CREDENTIALS, "no Authorization field arrived", 1100);
	is_int(level, LOG_LEVEL_INFO, "no credentials are no warning");
	count();
	refusal_log_free(l);
	is_int(count(), 0, "at the end nothing is owed");
}

static void
test_settling(void)
{
	struct refusal_log *l;

	if (refusal_log_new(&l))
		return;
	refusal_log_settle(l, 1000);
	for (int i = 0; i < 10; i++)
		refusal_log_tell(l, "b1", OAUTH_EXPIRED, "expired", 1000);
	refusal_log_settle(l, 1059);
	is_int(count(), 1, "within the minute one line");
	refusal_log_settle(l, 1060);
	is_str(last, "- expired (9 more of this kind were not told)", "then the number, although none came any more");
	is_int(count(), 1, "once");
	refusal_log_settle(l, 2000);
	is_int(count(), 0, "and not again");
	refusal_log_tell(l, "b2", OAUTH_EXPIRED, "expired", 2000);
	refusal_log_tell(l, "b2", OAUTH_EXPIRED, "expired", 2000);
	refusal_log_tell(l, "b3", OAUTH_BAD_TYPE, "bad_type", 2100);
	is_int(count(), 3, "a line that takes the place of an old one tells what that held back");
	refusal_log_tell(l, "b4", OAUTH_EXPIRED, "expired", 2101);
	refusal_log_tell(l, "b4", OAUTH_EXPIRED, "expired", 2101);
	count();
	refusal_log_free(l);
	is_str(last, "- expired (1 more of this kind were not told)", "a server that ends tells what it held back");
	count();
}

/* Nobody fills the log by being refused in ever new ways, nor keeps others from being told. */
static void
test_bound(void)
{
	struct refusal_log *l;
	char text[1024];
	unsigned n;

	if (refusal_log_new(&l))
		return;
	told = 0;
	for (int i = 0; i < 10000; i++) {
		snprintf(text, sizeof text, "unknown_key, seen %d", i);
		refusal_log_tell(l, "c1", OAUTH_UNKNOWN_KEY, text, 1000);
	}
	n = count();
	is_int(n, REFUSAL_KINDS + 1, "L1: of ten thousand different ones in a minute a few are told");
	refusal_log_tell(l, "c2", OAUTH_WRONG_AUDIENCE, "wrong_audience, seen x", 1000);
	is_int(count(), 1, "and another outcome still is");
	refusal_log_free(l);
	n += count();
	is_int((long long)(told + REFUSAL_KINDS + 1), 10000, "none is forgotten in the figures");
	if (refusal_log_new(&l))
		return;
	memset(text, 'x', sizeof text - 1);
	text[sizeof text - 1] = '\0';
	refusal_log_tell(l, "c3", OAUTH_EXPIRED, text, 1000);
	refusal_log_tell(l, "c3", OAUTH_EXPIRED, text, 1000);
	is_int(count(), 1, "a text longer than what is kept is known again");
	refusal_log_free(l);
	count();
	refusal_log_free(NULL);
}

/* Every outcome at once, each in ever new ways. */
static void
test_all_outcomes(void)
{
	struct refusal_log *l;
	char text[64];

	if (refusal_log_new(&l))
		return;
	told = 0;
	for (int i = 0; i < 100; i++)
		for (int o = 1; o < OAUTH_OUTCOME_COUNT; o++) {
			snprintf(text, sizeof text, "%d", i);
			refusal_log_tell(l, "d", (enum oauth_outcome)o, text, 1000);
		}
	ok(count() <= 64 + OAUTH_OUTCOME_COUNT, "L1: the table is bounded for all outcomes together");
	refusal_log_settle(l, 1060);
	ok(told > 1000, "what did not fit is counted (%lu)", told);
	refusal_log_free(l);
	count();
}

static void *
storm(void *l)
{
	for (int i = 0; i < 20000; i++)
		refusal_log_tell(l, "e", OAUTH_EXPIRED, i % 2 ? "expired" : "expired too", 1000);
	return NULL;
}

static void
test_threads(void)
{
	struct refusal_log *l;
	pthread_t t[4];

	if (refusal_log_new(&l))
		return;
	told = 0;
	for (int i = 0; i < 4; i++)
		pthread_create(&t[i], NULL, storm, l);
	for (int i = 0; i < 4; i++)
		pthread_join(t[i], NULL);
	is_int(count(), 2, "four threads get two lines");
	refusal_log_free(l);
	is_int((long long)told, 79998, "and the rest is counted, none lost");
}

int
main(void)
{
	log_capture(take, NULL);
	test_same_and_other();
	test_settling();
	test_bound();
	test_all_outcomes();
	test_threads();
	return tap_done();
}
