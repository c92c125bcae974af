/* SPDX-License-Identifier: MIT */
#ifndef MCP_BASE_ENDING_H
#define MCP_BASE_ENDING_H

#include <stdint.h>

/*
 * The end of the process. Once that is known, whoever waits for somebody else (a peer, a lease, a client's answer)
 * gives up early enough for the answer that depends on it to leave. Safe from many threads.
 */

/* From now on no such wait lasts beyond "monotonic_ms", a moment of clock_monotonic_ms(). */
void ending_set(int64_t monotonic_ms);

/* That moment; INT64_MAX as long as no end is known. Callers look again every 100 ms or so while they wait. */
int64_t ending_ms(void);

#endif
