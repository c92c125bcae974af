/* SPDX-License-Identifier: MIT */
/* Idle handles of libcurl. */
#include "net/fetch_pool.h"

#include <pthread.h>
#include <stdio.h>
#include <string.h>
#include <sys/types.h>
#include <unistd.h>

#include <curl/curl.h>

#define POOL_MAX 4

/* The most recently used last. */
static struct {
	pthread_mutex_t lock;
	pid_t pid;
	size_t n;
	struct kept {
		CURL *easy;
		char origin[FETCH_ORIGIN_MAX];
	} v[POOL_MAX];
} pool = { .lock = PTHREAD_MUTEX_INITIALIZER };

void *
fetch_pool_take(const char *origin)
{
	CURL *easy = NULL;

	pthread_mutex_lock(&pool.lock);
	if (pool.pid != getpid()) {
		pool.pid = getpid();
		pool.n = 0;
	}
	for (size_t i = pool.n; i-- > 0 && !easy;) {
		if (strcmp(pool.v[i].origin, origin) != 0)
			continue;
		easy = pool.v[i].easy;
		memmove(&pool.v[i], &pool.v[i + 1], (pool.n - i - 1) * sizeof(pool.v[0]));
		pool.n--;
	}
	pthread_mutex_unlock(&pool.lock);
	return easy ? easy : curl_easy_init();
}

void
fetch_pool_give(void *easy, const char *origin, bool good)
{
	CURL *oldest = NULL;

	if (!good) {
		curl_easy_cleanup(easy);
		return;
	}
	curl_easy_reset(easy);
	pthread_mutex_lock(&pool.lock);
	if (pool.n == POOL_MAX) {
		oldest = pool.v[0].easy;
		memmove(&pool.v[0], &pool.v[1], (POOL_MAX - 1) * sizeof(pool.v[0]));
		pool.n--;
	}
	pool.v[pool.n].easy = easy;
	snprintf(pool.v[pool.n].origin, sizeof(pool.v[pool.n].origin), "%s", origin);
	pool.n++;
	pthread_mutex_unlock(&pool.lock);
	if (oldest)
		curl_easy_cleanup(oldest);
}
