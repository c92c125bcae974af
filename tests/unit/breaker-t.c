/* SPDX-License-Identifier: MIT */
/* The circuit breaker, at chosen moments. */
#include "oauth/breaker.h"
#include "tests/tap.h"

/* "n" calls that fail at "now"; returns how many were let through. */
static int
fail(struct breaker *b, int64_t now_ms, int n, int64_t asked_s)
{
	int through = 0;

	while (n-- > 0)
		if (breaker_admit(b, now_ms)) {
			breaker_failure(b, now_ms, asked_s);
			through++;
		}
	return through;
}

static void
opens_and_closes(void)
{
	struct breaker b = { 0 };

	ok(breaker_admit(&b, 0), "a new breaker lets calls through");
	breaker_success(&b);
	is_int(fail(&b, 0, BREAKER_FAILURES - 1, -1), BREAKER_FAILURES - 1, "some failures do not open it");
	ok(breaker_admit(&b, 0), "it is closed still");
	breaker_success(&b);
	is_int(fail(&b, 0, 100, -1), BREAKER_FAILURES, "a success starts the count anew; so many in a row open it");
	ok(breaker_is_open(&b, BREAKER_PAUSE_MS - 1), "it is open for the pause");
	is_int(breaker_retry_after_s(&b, 0), BREAKER_PAUSE_MS / 1000, "and says how long");
	ok(!breaker_is_open(&b, BREAKER_PAUSE_MS), "then one may try");
	ok(breaker_admit(&b, BREAKER_PAUSE_MS), "one tries");
	ok(!breaker_admit(&b, BREAKER_PAUSE_MS), "and no other meanwhile");
	is_int(breaker_retry_after_s(&b, BREAKER_PAUSE_MS), 1, "who is told to come back soon");
	breaker_success(&b);
	ok(breaker_admit(&b, BREAKER_PAUSE_MS) && breaker_admit(&b, BREAKER_PAUSE_MS), "its success closes it");
}

static void
pauses_grow(void)
{
	struct breaker b = { 0 };
	int64_t now = 0, last = 0;
	bool grew = true;

	fail(&b, now, BREAKER_FAILURES, -1);
	for (int i = 0; i < 8; i++) {
		now = b.until_ms;
		is_int(fail(&b, now, 10, -1), 1, "probe %d: one call in ten is let through", i);
		grew = grew && b.until_ms - now >= last && b.until_ms - now <= BREAKER_PAUSE_MAX_MS;
		last = b.until_ms - now;
	}
	ok(grew, "pauses grow and have a limit");
	is_int(last, BREAKER_PAUSE_MAX_MS, "which they reach");
}

static void
details(void)
{
	struct breaker b = { 0 };

	is_int(fail(&b, 0, 5, 7), 1, "a server that asks to be left alone is, at once");
	is_int(breaker_retry_after_s(&b, 0), 7, "for so long as it asks");
	b = (struct breaker){ 0 };
	fail(&b, 0, 1, INT64_C(4000000000));
	is_int(breaker_retry_after_s(&b, 0), BREAKER_ASKED_MAX_S, "but not for ever");
	b = (struct breaker){ 0 };
	for (int i = 0; i < 20; i++)
		ok(breaker_admit(&b, 0), "call %d of twenty at the same time", i);
	for (int i = 0; i < 20; i++)
		breaker_failure(&b, 0, -1);
	is_int(b.until_ms, BREAKER_PAUSE_MS, "calls under way when it opened do not make the pause longer");
	ok(breaker_admit(&b, BREAKER_PAUSE_MS), "the probe");
	breaker_neither(&b);
	ok(breaker_admit(&b, BREAKER_PAUSE_MS), "a probe that showed nothing leaves its place to the next");
}

int
main(void)
{
	opens_and_closes();
	pauses_grow();
	details();
	return tap_done();
}
