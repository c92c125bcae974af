/* SPDX-License-Identifier: MIT */
#ifndef MCP_OAUTH_KEYLEASE_H
#define MCP_OAUTH_KEYLEASE_H

#include <stdbool.h>
#include <stdint.h>

#include "store/state.h"

/*
 * Who may fetch an issuer's keys, and when: the rules, for keystore.c alone. A fetch has a stamp, written to state.db
 * before it begins. Nobody begins another one within the cooldown, so all processes together ask once, whatever tokens
 * say. A stamp without an end is a fetch that runs, or whose process died; after KEYLEASE_S anybody may begin again.
 *
 * Values and rules only: no lock (the keystore's is held), no clock, no database. All zero: no fetch is known.
 * Source: docs/decisions.md, "A fetch of keys has a stamp".
 */
#define KEYLEASE_S 10	/* more than a fetch can last, KEYFETCH_TOTAL_MS */

/* The last fetch that anybody began, as far as this process knows. */
struct keylease {
	bool begun;		/* there was one at all */
	bool running;		/* no end of it is known */
	bool failed;
	bool troubled;		/* the last one whose end is known has failed */
	int64_t at_s;		/* its stamp */
};

enum keylease_plan {
	KEYLEASE_NOTHING,	/* the cooldown runs */
	KEYLEASE_FETCH,
	KEYLEASE_FOLLOW		/* a fetch runs elsewhere */
};

/* This process begins a fetch at "now_s". */
void keylease_begin(struct keylease *l, int64_t now_s);

/* The fetch that keylease_begin() told of has ended. */
void keylease_end(struct keylease *l, bool failed);

/* Take over what state.db says of the last fetch, whoever began it, unless this process knows of a later one. */
void keylease_learn(struct keylease *l, const struct state_keys *row, int64_t now_s);

/* Whether a fetch runs, and not for longer than one can last. */
bool keylease_is_running(const struct keylease *l, int64_t now_s);

/* What to do at "now_s" about a wish for other keys, where fetches are "cooldown_s" apart. */
enum keylease_plan keylease_plan(const struct keylease *l, int64_t now_s, int64_t cooldown_s);

/* How old, in seconds, a stamp in state.db must be so that a fetch planned by keylease_plan() may begin after it. */
int64_t keylease_apart_s(const struct keylease *l, int64_t cooldown_s);

/* Whether nobody has begun a fetch for ten cooldowns. */
bool keylease_is_idle(const struct keylease *l, int64_t now_s, int64_t cooldown_s);

#endif
