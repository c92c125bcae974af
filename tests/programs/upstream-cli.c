/* SPDX-License-Identifier: MIT */
/*
 * Drives src/oauth/upstream.c for tests/live/upstream.py: "upstream-cli ISSUER REGISTRATION|- [CA]", then one command a
 * line on standard input: "metadata NOW", "register NOW BODY", "crowd THREADS NOW"; one line of answer each.
 */
#include <inttypes.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "oauth/upstream.h"

static struct fetch_policy policy;
static struct discovery *discovery;
static struct upstream *upstream;

static void
show(enum mcp_err err, const struct upstream_answer *a, int64_t start_ms)
{
	printf("err=%d\tstatus=%d\ttype=%s\tretry_after=%" PRId64 "\tms=%" PRId64 "\tfault=%s\tbody=", err, a->status,
	    a->content_type ? a->content_type : "", a->retry_after_s, clock_monotonic_ms() - start_ms, a->fault);
	for (size_t i = 0; i < a->body.len; i++)
		printf("%02x", (unsigned char)a->body.data[i]);
	putchar('\n');
	fflush(stdout);
}

static void *
crowd_thread(void *ctx)
{
	struct upstream_answer a;
	intptr_t status;

	if (upstream_metadata(upstream, *(int64_t *)ctx, &a))
		return NULL;
	status = a.status;
	upstream_answer_clear(&a);
	return (void *)status;
}

static void
crowd(int n, int64_t now_s)
{
	int64_t start_ms = clock_monotonic_ms();
	int good = 0, unreachable = 0;
	pthread_t ids[64];
	void *status;

	for (int i = 0; i < n && i < 64; i++)
		if (pthread_create(&ids[i], NULL, crowd_thread, &now_s))
			exit(1);
	for (int i = 0; i < n && i < 64; i++) {
		pthread_join(ids[i], &status);
		good += (intptr_t)status == 200;
		unreachable += (intptr_t)status == 503;
	}
	printf("good=%d\tunreachable=%d\tms=%" PRId64 "\n", good, unreachable, clock_monotonic_ms() - start_ms);
	fflush(stdout);
}

int
main(int argc, char **argv)
{
	static char line[256 * 1024];
	struct upstream_answer a;
	enum mcp_err err;

	if (argc < 3)
		return 2;
	policy.ca_file = argc > 3 ? argv[3] : NULL;
	err = discovery_new(argv[1], &policy, &discovery);
	if (!err)
		err = upstream_new(discovery, strcmp(argv[2], "-") == 0 ? NULL : argv[2], &policy, &upstream);
	printf("%s\n", mcp_strerror(err));
	fflush(stdout);
	if (err)
		return 0;
	while (fgets(line, sizeof(line), stdin)) {
		int64_t start_ms = clock_monotonic_ms();
		char *end;

		line[strcspn(line, "\n")] = '\0';
		if (strncmp(line, "metadata ", 9) == 0) {
			err = upstream_metadata(upstream, strtoll(line + 9, NULL, 10), &a);
		} else if (strncmp(line, "register ", 9) == 0) {
			int64_t now_s = strtoll(line + 9, &end, 10);

			end += *end == ' ';
			err = upstream_register(upstream, end, strlen(end), now_s, &a);
		} else if (strncmp(line, "crowd ", 6) == 0) {
			long n = strtol(line + 6, &end, 10);

			crowd((int)n, strtoll(end, NULL, 10));
			continue;
		} else {
			return 2;
		}
		show(err, &a, start_ms);
		upstream_answer_clear(&a);
	}
	upstream_free(upstream);
	discovery_free(discovery);
	return 0;
}
