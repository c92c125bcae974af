/* SPDX-License-Identifier: MIT */
#ifndef MCP_BASE_CLOCK_H
#define MCP_BASE_CLOCK_H

#include <stddef.h>
#include <stdint.h>

/*
 * Reading the clock happens at the edge (server, cli); everything below takes "now" as an argument, so that tests
 * choose it.
 */

/* Seconds since 1970-01-01T00:00:00Z, without leap seconds (NumericDate of RFC 7519 section 2). */
int64_t clock_now_s(void);

/* Milliseconds of a clock that never jumps, from an arbitrary start; only differences mean something. */
int64_t clock_monotonic_ms(void);

/* How many seconds apart two moments are, whichever is first. Both are at least 0. */
int64_t clock_distance_s(int64_t a_s, int64_t b_s);

/* Write "YYYY-MM-DDTHH:MM:SSZ" of "now_s" into "out", at least 32 bytes. Source: RFC 3339 section 5.6. */
void clock_format_utc(int64_t now_s, char out[32]);

#endif
