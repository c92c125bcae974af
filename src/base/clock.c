/* SPDX-License-Identifier: MIT */
/* The two clocks; nobody else asks the system for the time. */
#include "base/clock.h"

#include <stdio.h>
#include <time.h>

int64_t
clock_now_s(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_REALTIME, &ts);
	return ts.tv_sec;
}

int64_t
clock_monotonic_ms(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return (int64_t)ts.tv_sec * 1000 + ts.tv_nsec / 1000000;
}

int64_t
clock_distance_s(int64_t a_s, int64_t b_s)
{
	return a_s > b_s ? a_s - b_s : b_s - a_s;
}

void
clock_format_utc(int64_t now_s, char out[32])
{
	time_t t = (time_t)now_s;
	struct tm tm;

	if (!gmtime_r(&t, &tm) || strftime(out, 32, "%Y-%m-%dT%H:%M:%SZ", &tm) == 0)
		snprintf(out, 32, "1970-01-01T00:00:00Z");
}
