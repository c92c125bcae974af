/* SPDX-License-Identifier: MIT */
#ifndef MCP_OAUTH_BREAKER_H
#define MCP_OAUTH_BREAKER_H

#include <stdbool.h>
#include <stdint.h>

/*
 * A circuit breaker: after BREAKER_FAILURES failures in a row a server is left alone for BREAKER_PAUSE_MS, then one
 * call tries it; if that fails too the pause doubles, up to BREAKER_PAUSE_MAX_MS. One success closes it. All zero is
 * closed. Times are those of clock_monotonic_ms(). Not thread-safe: the owner has a lock.
 */
#define BREAKER_FAILURES 5
#define BREAKER_PAUSE_MS 2000
#define BREAKER_PAUSE_MAX_MS 30000
#define BREAKER_ASKED_MAX_S 60	/* of a pause that the server asks for itself */

struct breaker {
	unsigned failures;	/* in a row */
	int64_t pause_ms;	/* the last one; 0: closed */
	int64_t until_ms;	/* its end */
	bool probing;		/* the one call is on its way */
};

/* Whether a call would be refused now; changes nothing. */
bool breaker_is_open(const struct breaker *b, int64_t now_ms);

/*
 * Whether a call may be made. If so, exactly one of the next three must follow, whatever comes of it; after a pause the
 * first to ask is let through and the others are refused until it has come back.
 */
bool breaker_admit(struct breaker *b, int64_t now_ms);

/* The call was answered. */
void breaker_success(struct breaker *b);

/*
 * It was not. "asked_s": for how long the server wants to be left alone (Retry-After), -1 if it did not say; it is
 * left alone at once then, for at most BREAKER_ASKED_MAX_S.
 */
void breaker_failure(struct breaker *b, int64_t now_ms, int64_t asked_s);

/* What came of it says nothing about the server. */
void breaker_neither(struct breaker *b);

/* In how many seconds it is worth to try again, at least 1. */
int64_t breaker_retry_after_s(const struct breaker *b, int64_t now_ms);

#endif
