/* SPDX-License-Identifier: MIT */
/*
 * Drives src/net/fetch.c for tests/live/fetch.py: "fetch-cli URL [KEY=VALUE ...]" does the request and prints one line
 * an answer, "err=WORD status=N type=... max_age=N retry_after=N date=N len=N ms=N body=HEX fault=..." with tabs
 * between.
 */
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/text.h"
#include "net/fetch.h"

static struct fetch_policy policy;
static struct fetch_request request = {
	.method = "GET", .connect_timeout_ms = 2000, .total_timeout_ms = 5000, .max_bytes = 256 * 1024,
};
static const char *headers[8];
static size_t header_count;
static long repeat = 1, threads = 1, cancel_ms, then_fork, then_learnt;
static atomic_bool cancel;
static pthread_mutex_t print_lock = PTHREAD_MUTEX_INITIALIZER;

static const char *
word_of(enum mcp_err err)
{
	static const char *const words[] = { "OK", "ENOMEM", "ELIMIT", "ESYNTAX", "ETYPE", "EINVAL", "ENOENT", "EIO",
	    "EDB", "ENET", "EREMOTE",
		"ETIMEOUT", "EPERM", "ECRYPTO", "ECLOSED", "EINTERNAL" };

	return words[err];
}

static void
one(void)
{
	struct fetch_response res;
	int64_t start = clock_monotonic_ms();
	enum mcp_err err = fetch(&policy, &request, &res);
	long ms = (long)(clock_monotonic_ms() - start);

	pthread_mutex_lock(&print_lock);
	printf("err=%s\tstatus=%d\ttype=%s\tmax_age=%lld\tretry_after=%lld\tdate=%lld\tlen=%zu\tms=%ld\tbody=",
	    word_of(err), res.status,
	    res.content_type ? res.content_type : "", (long long)res.max_age_s, (long long)res.retry_after_s,
	    (long long)res.date_s,
	    res.body.len, ms);
	for (size_t i = 0; i < res.body.len && i < 4096; i++)
		printf("%02x", (unsigned char)res.body.data[i]);
	printf("\tfault=%s\n", res.fault);
	fflush(stdout);
	pthread_mutex_unlock(&print_lock);
	fetch_response_clear(&res);
}

static void *
worker(void *ctx)
{
	(void)ctx;
	for (long i = 0; i < repeat; i++)
		one();
	return NULL;
}

static bool
is_cancelled(const void *ctx)
{
	(void)ctx;
	return atomic_load(&cancel);
}

static void *
canceller(void *ctx)
{
	(void)ctx;
	usleep((useconds_t)cancel_ms * 1000);
	atomic_store(&cancel, true);
	return NULL;
}

static int
option(const char *arg)
{
	static const struct {
		const char *name;
		long *value;
	} numbers[] = {
		{ "repeat", &repeat }, { "threads", &threads }, { "cancel_ms", &cancel_ms }, { "fork", &then_fork },
		{ "then_learnt", &then_learnt },
		{ "connect_ms", &request.connect_timeout_ms }, { "total_ms", &request.total_timeout_ms },
	};
	const char *value = strchr(arg, '=');
	size_t n = value ? (size_t)(value - arg) : 0;

	if (!value)
		return -1;
	value++;
	for (size_t i = 0; i < sizeof(numbers) / sizeof(numbers[0]); i++) {
		if (strlen(numbers[i].name) == n && memcmp(arg, numbers[i].name, n) == 0) {
			*numbers[i].value = strtol(value, NULL, 10);
			return 0;
		}
	}
	if (strncmp(arg, "method=", 7) == 0)
		request.method = value;
	else if (strncmp(arg, "learnt=", 7) == 0)
		request.learnt = true;
	else if (strncmp(arg, "origin=", 7) == 0)
		request.origin_host = value;
	else if (strncmp(arg, "body=", 5) == 0)
		request.body = value, request.body_len = strlen(value);
	else if (strncmp(arg, "max=", 4) == 0)
		request.max_bytes = strtoul(value, NULL, 10);
	else if (strncmp(arg, "ca=", 3) == 0)
		policy.ca_file = text_dup(value, strlen(value));
	else if (strncmp(arg, "proxy=", 6) == 0)
		policy.proxy = text_dup(value, strlen(value));
	else if (strncmp(arg, "allow=", 6) == 0)
		return strlist_add(&policy.allow, value, strlen(value)) ? -1 : 0;
	else if (strncmp(arg, "header=", 7) == 0 && header_count < 7)
		headers[header_count++] = value;
	else
		return -1;
	return 0;
}

int
main(int argc, char **argv)
{
	pthread_t ids[64], cancel_id;

	if (argc < 2)
		return 2;
	request.url = argv[1];
	request.headers = headers;
	for (int i = 2; i < argc; i++) {
		if (option(argv[i]) < 0)
			return 2;
	}
	if (threads < 1 || threads > 64)
		return 2;
	if (cancel_ms) {
		request.is_cancelled = is_cancelled;
		if (pthread_create(&cancel_id, NULL, canceller, NULL))
			return 1;
	}
	for (long i = 0; i < threads; i++) {
		if (pthread_create(&ids[i], NULL, worker, NULL))
			return 1;
	}
	for (long i = 0; i < threads; i++)
		pthread_join(ids[i], NULL);
	if (cancel_ms)
		pthread_join(cancel_id, NULL);
	if (then_learnt) {
		request.learnt = true;
		one();
	}
	if (then_fork) {
		pid_t pid = fork();
		int status = 0;

		one();
		if (pid == 0)
			_exit(0);
		if (waitpid(pid, &status, 0) != pid || status)
			return 1;
	}
	free(policy.ca_file);
	free(policy.proxy);
	strlist_clear(&policy.allow);
	return 0;
}
