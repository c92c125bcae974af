/* SPDX-License-Identifier: MIT */
#ifndef MCP_OAUTH_KEYSET_H
#define MCP_OAUTH_KEYSET_H

#include <stdbool.h>
#include <stdint.h>

#include "oauth/jwks.h"

/*
 * The set of keys in use and its age: the rules, for keystore.c alone. No lock (the keystore's is held), no clock. An
 * age is how far two moments are apart: a set from the far future is as stale as one from the far past, for clocks
 * jump. Source: docs/decisions.md, "Keys and our own requests".
 */
struct keyset {
	struct jwks *set;	/* a reference; NULL: none */
	int64_t fetched_s;	/* when it was fetched */
	int64_t ttl_s;		/* its soft TTL */
	int64_t hard_ttl_s;	/* of every set; 0: they have no end */
};

/* Take the place of the set before; "set" is stolen. The soft TTL counts as 1 s at least and the hard one at most. */
void keyset_adopt(struct keyset *s, struct jwks *set, int64_t fetched_s, int64_t ttl_s);

/* Give the set back; the soft TTL and the hard one stay. */
void keyset_drop(struct keyset *s);

/* Whether there is a set within its hard TTL. */
bool keyset_is_usable(const struct keyset *s, int64_t now_s);

/* Whether nine tenths of the soft TTL are over, or there is no usable set: time for a refresh. */
bool keyset_is_aged(const struct keyset *s, int64_t now_s);

/* Whether the soft TTL was over twice: nobody has refreshed it after an answer, so there were none for long. */
bool keyset_is_forgotten(const struct keyset *s, int64_t now_s);

#endif
