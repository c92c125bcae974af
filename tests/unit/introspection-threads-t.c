/* SPDX-License-Identifier: MIT */
/* Many threads and one authorization server; meant for ThreadSanitizer too. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/log.h"
#include "tests/tap.h"
#include "tests/unit/inspector.h"

#define THREADS 16
#define GOOD "{\"active\":true,\"sub\":\"usr_1\",\"aud\":\"" AUDIENCE "\",\"exp\":1800000600}"

static struct introspection *in;

struct caller {
	pthread_t thread;
	char token[32];
	int rounds;
	int good, unavailable, other;
	int64_t slowest_ms;
};

static void *
run(void *ctx)
{
	struct caller *c = ctx;

	for (int i = 0; i < c->rounds; i++) {
		int64_t start_ms = clock_monotonic_ms();
		struct principal who;
		enum oauth_outcome outcome = introspection_validate(in, &policy, c->token, strlen(c->token), NOW + i,
		    &who, NULL);

		if (outcome == OAUTH_OK && strcmp(who.subject, "usr_1") == 0)
			c->good++;
		else if (outcome == OAUTH_INTROSPECTION_UNAVAILABLE)
			c->unavailable++;
		else
			c->other++;
		principal_clear(&who);
		if (clock_monotonic_ms() - start_ms > c->slowest_ms)
			c->slowest_ms = clock_monotonic_ms() - start_ms;
	}
	return NULL;
}

static void
begin(struct caller *callers, int n, int tokens, int rounds)
{
	memset(callers, 0, (size_t)n * sizeof(*callers));
	for (int i = 0; i < n; i++) {
		callers[i].rounds = rounds;
		snprintf(callers[i].token, sizeof(callers[i].token), "token-%d", i % tokens);
		if (pthread_create(&callers[i].thread, NULL, run, &callers[i]) != 0)
			exit(99);
	}
}

static struct caller
end(struct caller *callers, int n)
{
	struct caller sum = {.rounds = n};

	for (int i = 0; i < n; i++) {
		pthread_join(callers[i].thread, NULL);
		sum.good += callers[i].good;
		sum.unavailable += callers[i].unavailable;
		sum.other += callers[i].other;
		if (callers[i].slowest_ms > sum.slowest_ms)
			sum.slowest_ms = callers[i].slowest_ms;
	}
	return sum;
}

/* All want one token while the question about it is under way. */
static void
test_single_flight(void)
{
	struct caller callers[THREADS], sum;
	int before = inspector.asked;

	in = inspector_new(30, THREADS);
	inspector_says(GOOD);
	inspector_close(true);
	begin(callers, THREADS, 1, 1);
	inspector_await(1);
	inspector_close(false);
	sum = end(callers, THREADS);
	is_int(inspector.asked - before, 1, "H7: one question for %d threads with one token", THREADS);
	is_int(sum.good, THREADS, "and all have its answer");
	introspection_free(in);

	in = inspector_new(0, THREADS);
	before = inspector.asked;
	inspector_close(true);
	begin(callers, THREADS, 1, 1);
	inspector_await(1);
	while (introspection_retry_after_s(in) != 1)
		continue;
	inspector_close(false);
	sum = end(callers, THREADS);
	is_int(sum.good, THREADS, "also where nothing is kept (%d questions)", inspector.asked - before);
	introspection_free(in);
}

/* A server that hangs holds as many threads as there are places; the others are told soon. */
static void
test_places(void)
{
	struct caller first[4], rest[THREADS], sum;
	int before = inspector.asked;

	in = inspector_new(30, 4);
	inspector_says(GOOD);
	inspector_close(true);
	begin(first, 4, 4, 1);
	inspector_await(4);
	begin(rest, THREADS, THREADS, 1);
	sum = end(rest, THREADS);
	is_int(inspector.asked - before, 4, "a server that hangs holds four threads");
	is_int(sum.unavailable, THREADS, "%d others are told that nobody can say", THREADS);
	/* The server never answers. */
	ok(sum.slowest_ms < 8000, "within %lld ms", (long long)sum.slowest_ms);
	inspector_close(false);
	sum = end(first, 4);
	is_int(sum.good, 4, "the four get their answers in the end");
	begin(rest, THREADS, THREADS, 1);
	sum = end(rest, THREADS);
	is_int(sum.good, THREADS, "and with quick answers four places are enough for %d threads", THREADS);
	introspection_free(in);
}

/* Answers come, go and fail under everybody's feet. */
static void
test_storm(void)
{
	static struct caller callers[THREADS];
	struct caller sum;

	in = inspector_new(3, 6);
	inspector_says(GOOD);
	begin(callers, THREADS, 5, 400);
	for (int i = 0; i < 200; i++) {
		pthread_mutex_lock(&inspector.lock);
		inspector.status = i % 7 == 0 ? 500 : i % 5 == 0 ? 400 : 200;
		pthread_mutex_unlock(&inspector.lock);
		inspector_close(i % 3 == 0);
		sched_yield();
		inspector_close(false);
	}
	inspector_says(GOOD);
	sum = end(callers, THREADS);
	is_int(sum.other, 0, "in a storm nobody gets a verdict that is wrong");
	is_int(sum.good + sum.unavailable, THREADS * 400, "and everybody gets one (%d good)", sum.good);
	introspection_free(in);
}

static void
hush(void *ctx, enum log_level level, const char *text)
{
	(void)ctx;
	(void)level;
	(void)text;
}

int
main(void)
{
	log_capture(hush, NULL);
	inspector_begin();
	test_single_flight();
	test_places();
	test_storm();
	inspector_end();
	return tap_done();
}
