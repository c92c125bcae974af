/* SPDX-License-Identifier: MIT */
/* The rules of who may fetch an issuer's keys, and when. */
#include "oauth/keylease.h"

#include "base/clock.h"

void
keylease_begin(struct keylease *l, int64_t now_s)
{
	l->begun = true;
	l->running = true;
	l->failed = false;
	l->at_s = now_s;
}

void
keylease_end(struct keylease *l, bool failed)
{
	l->running = false;
	l->failed = failed;
	l->troubled = failed;
}

void
keylease_learn(struct keylease *l, const struct state_keys *row, int64_t now_s)
{
	int64_t at_s = row->attempt_s > 0 ? row->attempt_s : 0;
	bool ended = row->fetched_s >= at_s || row->attempt_failed;

	/* A clock that was put back has left ours in the future. */
	if (at_s == 0 || (l->begun && at_s < l->at_s && l->at_s <= now_s + KEYLEASE_S))
		return;
	if (l->begun && at_s == l->at_s && !ended)
		return;		/* ours, and we know better how it went */
	keylease_begin(l, at_s);
	if (ended)
		keylease_end(l, row->attempt_failed);
}

bool
keylease_is_running(const struct keylease *l, int64_t now_s)
{
	return l->running && clock_distance_s(now_s, l->at_s) < KEYLEASE_S;
}

enum keylease_plan
keylease_plan(const struct keylease *l, int64_t now_s, int64_t cooldown_s)
{
	if (keylease_is_running(l, now_s))
		return KEYLEASE_FOLLOW;
	if (!l->begun || l->running || clock_distance_s(now_s, l->at_s) >= cooldown_s)
		return KEYLEASE_FETCH;
	return KEYLEASE_NOTHING;
}

int64_t
keylease_apart_s(const struct keylease *l, int64_t cooldown_s)
{
	return l->running ? KEYLEASE_S : cooldown_s;
}

bool
keylease_is_idle(const struct keylease *l, int64_t now_s, int64_t cooldown_s)
{
	return !l->begun || clock_distance_s(now_s, l->at_s) > 10 * cooldown_s;
}
