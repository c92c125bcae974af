/* SPDX-License-Identifier: MIT */
/*
 * Drives src/oauth/keystore.c for tests/live/keystore.py: "keystore-cli KEY=VALUE ...", then one command a line on
 * standard input and one line of answer on standard output. The time is an argument of each command.
 */
#include <inttypes.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/text.h"
#include "net/fetch.h"
#include "oauth/keystore.h"
#include "oauth/token.h"
#include "store/state.h"

static struct fetch_policy fetch_with;
static struct keystore_options options = { .fetch = &fetch_with };
static struct keystore *keys;

static const char *const words[] = { "FOUND", "UNKNOWN", "UNAVAILABLE" };

/* What the threads of one storm share. */
struct storm {
	const char *kid;	/* with "%" in it: a new kid for each question */
	int64_t now_s;
	int count;
	bool maintain, invalidate;
	atomic_int serial;
	atomic_int answers[3];
	atomic_int wrong;	/* a set without FOUND, or FOUND without one */
	atomic_int quick;	/* answered within four seconds: others wait for 5 */
};

static enum keystore_answer
find(const char *kid, const char *alg, int64_t now_s, size_t *n)
{
	struct jwks *set;
	enum keystore_answer answer = keystore_find(keys, strcmp(kid, "-") == 0 ? NULL : kid, alg, now_s, &set);

	*n = set ? jwks_count(set) : 0;
	jwks_unref(set);
	return answer;
}

static void *
storm_thread(void *ctx)
{
	struct storm *s = ctx;

	for (int i = 0; i < s->count; i++) {
		int64_t start_ms = clock_monotonic_ms();
		char kid[64];
		size_t n;
		enum keystore_answer answer;

		snprintf(kid, sizeof(kid), "%s", s->kid);
		if (strcmp(s->kid, "%") == 0)
			snprintf(kid, sizeof(kid), "snk_none_%d", atomic_fetch_add(&s->serial, 1));
		answer = find(kid, "RS256", s->now_s, &n);
		atomic_fetch_add(&s->answers[answer], 1);
		atomic_fetch_add(&s->quick, clock_monotonic_ms() - start_ms < 4000);
		if ((answer == KEYSTORE_FOUND) != (n > 0))
			atomic_fetch_add(&s->wrong, 1);
		if (s->maintain)
			keystore_maintain(keys, s->now_s);
		if (s->invalidate && i % 100 == 7)
			keystore_invalidate(keys);
	}
	return NULL;
}

static void
storm(struct storm *s, int threads)
{
	pthread_t ids[256];
	int64_t start = clock_monotonic_ms();
	int n = 0;

	while (n < threads && n < 256 && pthread_create(&ids[n], NULL, storm_thread, s) == 0)
		n++;
	for (int i = 0; i < n; i++)
		pthread_join(ids[i], NULL);
	printf("found=%d unknown=%d unavailable=%d wrong=%d quick=%d ms=%" PRId64 "\n", s->answers[0], s->answers[1],
	    s->answers[2], s->wrong, s->quick,
	    clock_monotonic_ms() - start);
}

static void
judge_token(const char *issuer, const char *token, int64_t now_s, int count)
{
	struct issuer only = { .policy = { .leeway_s = 30, .max_bytes = 16384 }, .keys = keys };
	const struct issuers trusted = { &only, 1 };
	struct token_policy *policy = &only.policy;
	enum oauth_outcome outcome = OAUTH_OUT_OF_RESOURCES;

	if (strlist_add(&policy->issuers, issuer, strlen(issuer)) ||
	    strlist_add(&policy->audiences, "https://mcp.example/mcp", 23) ||
	    strlist_add(&policy->algorithms, "RS256", 5) || strlist_add(&policy->types, "JWT", 3) ||
	    strlist_add(&policy->scope_claims, "scope", 5) || strlist_add(&policy->org_claims, "oid", 3))
		exit(1);
	for (int i = 0; i < count; i++) {
		struct principal p = { 0 };

		outcome = token_validate(&trusted, token, strlen(token), now_s, &p, NULL, NULL);
		principal_clear(&p);
	}
	printf("%s\n", oauth_outcome_row(outcome)->word);
	token_policy_clear(policy);
}

static void
figures(int64_t now_s)
{
	struct keystore_figures f;

	keystore_figures(keys, now_s, &f);
	printf("usable=%d keys=%zu age=%" PRId64 " fetches=%" PRId64 " failures=%" PRId64 " fault=%s\n",
	    f.usable, f.keys, f.age_s, f.fetches,
	    f.failures, f.last_fault);
}

/* One command. Returns false for one that nobody knows. */
static bool
command(char *line)
{
	char *word[6] = { 0 };
	char *w;
	int64_t now_s, start = clock_monotonic_ms();
	size_t n = 0;

	line[strcspn(line, "\n")] = '\0';
	while (n < 6 && (w = strsep(&line, " ")))
		word[n++] = w;
	if (n < 1)
		return false;
	now_s = strtoll(word[n - 1], NULL, 10);
	if (strcmp(word[0], "find") == 0 && n == 4) {
		enum keystore_answer answer = find(word[1], word[2], now_s, &n);

		printf("%s n=%zu ms=%" PRId64 "\n", words[answer], n, clock_monotonic_ms() - start);
	} else if (strcmp(word[0], "maintain") == 0 && n == 2) {
		keystore_maintain(keys, now_s);
		printf("ms=%" PRId64 "\n", clock_monotonic_ms() - start);
	} else if (strcmp(word[0], "storm") == 0 && n == 6) {
		struct storm s = { .count = (int)strtol(word[2], NULL, 10), .kid = word[3], .now_s = now_s };

		s.maintain = strstr(word[4], "maintain") != NULL;
		s.invalidate = strstr(word[4], "invalidate") != NULL;
		storm(&s, (int)strtol(word[1], NULL, 10));
	} else if (strcmp(word[0], "token") == 0 && n == 5) {
		judge_token(word[1], word[2], now_s, (int)strtol(word[3], NULL, 10));
	} else if (strcmp(word[0], "invalidate") == 0) {
		keystore_invalidate(keys);
		printf("done\n");
	} else if (strcmp(word[0], "figures") == 0) {
		figures(now_s);
	} else {
		return false;
	}
	fflush(stdout);
	return true;
}

int
main(int argc, char **argv)
{
	static char line[32768];
	int status = 0;

	for (int i = 1; i < argc; i++) {
		char *value = strchr(argv[i], '=');
		const char *why = "";

		if (!value)
			return 2;
		*value++ = '\0';
		if (strcmp(argv[i], "uri") == 0)
			options.uri = value;
		else if (strcmp(argv[i], "discovery") == 0 && discovery_new(value, &fetch_with, &options.discovery))
			return 1;
		else if (strcmp(argv[i], "file") == 0)
			options.file = value;
		else if (strcmp(argv[i], "ca") == 0)
			fetch_with.ca_file = value;
		else if (strcmp(argv[i], "cooldown") == 0)
			options.cooldown_s = strtoll(value, NULL, 10);
		else if (strcmp(argv[i], "soft") == 0)
			options.soft_ttl_s = strtoll(value, NULL, 10);
		else if (strcmp(argv[i], "hard") == 0)
			options.hard_ttl_s = strtoll(value, NULL, 10);
		else if (strcmp(argv[i], "state") == 0 && state_open(value, &options.state, &why))
			fprintf(stderr, "state: %s\n", why);
	}
	if (keystore_new(&options, &keys))
		return 1;
	printf("ready\n");
	fflush(stdout);
	while (status == 0 && fgets(line, sizeof(line), stdin))
		status = command(line) ? 0 : 2;
	keystore_free(keys);
	discovery_free(options.discovery);
	if (options.state)
		state_close(options.state);
	return status;
}
