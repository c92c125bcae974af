/* SPDX-License-Identifier: MIT */
/* The set of keys in use, and its age. */
#include "oauth/keyset.h"

#include <stddef.h>

#include "base/clock.h"

void
keyset_adopt(struct keyset *s, struct jwks *set, int64_t fetched_s, int64_t ttl_s)
{
	jwks_unref(s->set);
	s->set = set;
	s->fetched_s = fetched_s;
	s->ttl_s = ttl_s < 1 ? 1 : s->hard_ttl_s && ttl_s > s->hard_ttl_s ? s->hard_ttl_s : ttl_s;
}

void
keyset_drop(struct keyset *s)
{
	jwks_unref(s->set);
	s->set = NULL;
	s->fetched_s = 0;
}

bool
keyset_is_usable(const struct keyset *s, int64_t now_s)
{
	return s->set && (!s->hard_ttl_s || clock_distance_s(now_s, s->fetched_s) <= s->hard_ttl_s);
}

bool
keyset_is_aged(const struct keyset *s, int64_t now_s)
{
	return !keyset_is_usable(s, now_s) || clock_distance_s(now_s, s->fetched_s) >= s->ttl_s - s->ttl_s / 10;
}

bool
keyset_is_forgotten(const struct keyset *s, int64_t now_s)
{
	return clock_distance_s(now_s, s->fetched_s) > 2 * s->ttl_s;
}
