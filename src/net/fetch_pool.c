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
		struct fetch_handle h;
		char origin[FETCH_ORIGIN_MAX];
	} v[POOL_MAX];
} pool = { .lock = PTHREAD_MUTEX_INITIALIZER };

static void
close_handle(struct fetch_handle h)
{
	curl_easy_cleanup(h.easy);
	curl_multi_cleanup(h.multi);
}

static bool
make_handle(struct fetch_handle *h)
{
	h->easy = curl_easy_init();
	h->multi = curl_multi_init();
	if (h->easy && h->multi
	    && curl_multi_setopt(h->multi, CURLMOPT_MAXCONNECTS, FETCH_POOL_CONNECTIONS) == CURLM_OK)
		return true;
	close_handle(*h);
	return false;
}

bool
fetch_pool_take(const char *origin, struct fetch_handle *h)
{
	bool found = false;

	pthread_mutex_lock(&pool.lock);
	if (pool.pid != getpid()) {
		pool.pid = getpid();
		pool.n = 0;
	}
	for (size_t i = pool.n; i-- > 0 && !found;) {
		if (strcmp(pool.v[i].origin, origin) != 0)
			continue;
		*h = pool.v[i].h;
		found = true;
		memmove(&pool.v[i], &pool.v[i + 1], (pool.n - i - 1) * sizeof(pool.v[0]));
		pool.n--;
	}
	pthread_mutex_unlock(&pool.lock);
	return found || make_handle(h);
}

void
fetch_pool_give(struct fetch_handle h, const char *origin, bool good)
{
	struct fetch_handle oldest = { NULL, NULL };

	if (!good) {
		close_handle(h);
		return;
	}
	curl_easy_reset(h.easy);
	pthread_mutex_lock(&pool.lock);
	if (pool.n == POOL_MAX) {
		oldest = pool.v[0].h;
		memmove(&pool.v[0], &pool.v[1], (POOL_MAX - 1) * sizeof(pool.v[0]));
		pool.n--;
	}
	pool.v[pool.n].h = h;
	snprintf(pool.v[pool.n].origin, sizeof(pool.v[pool.n].origin), "%s", origin);
	pool.n++;
	pthread_mutex_unlock(&pool.lock);
	close_handle(oldest);
}
