/* SPDX-License-Identifier: MIT */
/* A bounded table of the lines of the last minute. */
#include "server/refusal_log.h"

#include <limits.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/log.h"

#define KINDS 64	/* of all outcomes together */

struct kind {
	struct log_throttle throttle;
	enum oauth_outcome outcome;
	char text[REFUSAL_TEXT_MAX + 1];	/* of the last line told */
};

struct refusal_log {
	pthread_mutex_t lock;		/* over all but "due_s" */
	atomic_llong due_s;		/* nothing is to be settled before */
	struct kind kinds[KINDS];	/* free where the throttle was not used */
	struct kind rest[OAUTH_OUTCOME_COUNT];	/* what found no place */
};

enum mcp_err
refusal_log_new(struct refusal_log **out)
{
	struct refusal_log *l = calloc(1, sizeof *l);

	*out = NULL;
	if (!l)
		return MCP_ENOMEM;
	if (pthread_mutex_init(&l->lock, NULL)) {
		free(l);
		return MCP_ENOMEM;
	}
	atomic_init(&l->due_s, LLONG_MAX);
	*out = l;
	return MCP_OK;
}

static void
write_line(enum oauth_outcome outcome, const char *id, const char *text, unsigned long held)
{
	char more[64] = "";

	if (held)
		snprintf(more, sizeof more, " (%lu more of this kind were not told)", held);
	if (outcome == OAUTH_NO_CREDENTIALS)
		log_info("%s %s%s", id, text, more);
	else
		log_warning("%s %s%s", id, text, more);
}

static bool
is_over(const struct kind *k, int64_t now_s)
{
	return now_s - k->throttle.last_s >= REFUSAL_PERIOD_S || now_s < k->throttle.last_s;
}

/* Tell what was held back of a kind whose time is over. */
static void
settle(struct kind *k)
{
	if (k->throttle.held)
		write_line(k->outcome, "-", k->text, k->throttle.held);
	memset(&k->throttle, 0, sizeof k->throttle);
}

/* The place of a text: its own, else one that is free or whose time is over, else the outcome's rest. */
static struct kind *
find_place(struct refusal_log *l, enum oauth_outcome outcome, const char *text, int64_t now_s)
{
	struct kind *place = NULL;
	unsigned n = 0;

	for (size_t i = 0; i < KINDS; i++) {
		struct kind *k = &l->kinds[i];

		if (k->throttle.used && k->outcome == outcome && strncmp(k->text, text, REFUSAL_TEXT_MAX) == 0)
			return k;
		if (k->throttle.used && !is_over(k, now_s))
			n += k->outcome == outcome;
		else if (!place)
			place = k;
	}
	if (!place || n >= REFUSAL_KINDS)
		return &l->rest[outcome];
	settle(place);
	return place;
}

void
refusal_log_tell(struct refusal_log *l, const char *id, enum oauth_outcome outcome, const char *text, int64_t now_s)
{
	unsigned long held;
	struct kind *k;

	pthread_mutex_lock(&l->lock);
	k = find_place(l, outcome, text, now_s);
	k->outcome = outcome;
	if (log_throttle_open(&k->throttle, now_s, REFUSAL_PERIOD_S, &held)) {
		snprintf(k->text, sizeof k->text, "%s", text);
		write_line(outcome, id, text, held);
	} else if (k->throttle.last_s + REFUSAL_PERIOD_S < atomic_load(&l->due_s)) {
		atomic_store(&l->due_s, k->throttle.last_s + REFUSAL_PERIOD_S);
	}
	pthread_mutex_unlock(&l->lock);
}

static void
settle_all(struct refusal_log *l, bool all, int64_t now_s)
{
	long long due_s = LLONG_MAX;

	for (size_t i = 0; i < KINDS + OAUTH_OUTCOME_COUNT; i++) {
		struct kind *k = i < KINDS ? &l->kinds[i] : &l->rest[i - KINDS];

		if (!k->throttle.held)
			continue;
		if (all || is_over(k, now_s))
			settle(k);
		else if (k->throttle.last_s + REFUSAL_PERIOD_S < due_s)
			due_s = k->throttle.last_s + REFUSAL_PERIOD_S;
	}
	atomic_store(&l->due_s, due_s);
}

void
refusal_log_settle(struct refusal_log *l, int64_t now_s)
{
	if (now_s < atomic_load_explicit(&l->due_s, memory_order_relaxed))
		return;
	pthread_mutex_lock(&l->lock);
	settle_all(l, false, now_s);
	pthread_mutex_unlock(&l->lock);
}

void
refusal_log_free(struct refusal_log *l)
{
	if (!l)
		return;
	settle_all(l, true, 0);
	pthread_mutex_destroy(&l->lock);
	free(l);
}
