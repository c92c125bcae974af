/* SPDX-License-Identifier: MIT */
/* When the process ends. */
#include "base/ending.h"

#include <stdatomic.h>

static _Atomic int64_t moment_ms = INT64_MAX;

void
ending_set(int64_t monotonic_ms)
{
	atomic_store(&moment_ms, monotonic_ms);
}

int64_t
ending_ms(void)
{
	return atomic_load(&moment_ms);
}
