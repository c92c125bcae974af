/* SPDX-License-Identifier: MIT */
#ifndef MCP_STORE_STATS_H
#define MCP_STORE_STATS_H

#include <stddef.h>
#include <stdint.h>

#include "base/err.h"

/*
 * Counters that all processes of one STATE_DIR share: a small file mapped into memory, counted atomically, disposable. Where the file cannot be mapped the counters are this process's own.
 */
#define STATS_SLOTS 128
struct stats;

/* Open or create "dir"/stats (0600; an unfit file is replaced). Returns MCP_OK (also when only private memory could be had: *shared false), MCP_ENOMEM. */
enum mcp_err stats_open(const char *dir, struct stats **out, int *shared) MCP_MUST_CHECK;
void stats_close(struct stats *s);

/* Add one to, and read, slot "slot" (< STATS_SLOTS; the meaning is the server's). NULL "s" is fine: nothing, 0. */
void stats_add(struct stats *s, size_t slot, uint64_t n);
uint64_t stats_get(const struct stats *s, size_t slot);

/* When the file was begun, seconds since the epoch. */
int64_t stats_since_s(const struct stats *s);

#endif
