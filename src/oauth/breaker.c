/* SPDX-License-Identifier: MIT */
#include "oauth/breaker.h"

#include <string.h>

bool
breaker_is_open(const struct breaker *b, int64_t now_ms)
{
	return b->pause_ms > 0 && (now_ms < b->until_ms || b->probing);
}

bool
breaker_admit(struct breaker *b, int64_t now_ms)
{
	if (breaker_is_open(b, now_ms))
		return false;
	b->probing = b->pause_ms > 0;
	return true;
}

void
breaker_success(struct breaker *b)
{
	memset(b, 0, sizeof(*b));
}

void
breaker_failure(struct breaker *b, int64_t now_ms, int64_t asked_s)
{
	int64_t asked_ms = (asked_s > BREAKER_ASKED_MAX_S ? BREAKER_ASKED_MAX_S : asked_s) * 1000;

	/* Calls that were on their way when it opened tell nothing new. */
	if (b->pause_ms > 0 && !b->probing)
		return;
	if (b->failures < BREAKER_FAILURES)
		b->failures++;
	if (!b->probing && b->failures < BREAKER_FAILURES && asked_ms <= 0)
		return;
	b->probing = false;
	b->pause_ms = b->pause_ms ? 2 * b->pause_ms : BREAKER_PAUSE_MS;
	if (b->pause_ms > BREAKER_PAUSE_MAX_MS)
		b->pause_ms = BREAKER_PAUSE_MAX_MS;
	b->until_ms = now_ms + (asked_ms > b->pause_ms ? asked_ms : b->pause_ms);
}

void
breaker_neither(struct breaker *b)
{
	b->probing = false;
}

int64_t
breaker_retry_after_s(const struct breaker *b, int64_t now_ms)
{
	int64_t left_ms = b->pause_ms > 0 ? b->until_ms - now_ms : 0;

	return left_ms > 1000 ? (left_ms + 999) / 1000 : 1;
}
