/* SPDX-License-Identifier: MIT */
#ifndef MCP_STORE_STATS_H
#define MCP_STORE_STATS_H

#include <stddef.h>
#include <stdint.h>

#include "base/err.h"

/*
 * Counters that all processes of one STATE_DIR share: a small file mapped into memory, counted atomically, disposable.
 * Where the file cannot be had the counters are this process's own. Deleting the file while processes run is harmless
 * (they go on with the one that has no name any more), and so is cutting it short: counting begins anew.
 */
#define STATS_SLOTS 128
struct stats;

/*
 * Open or create "dir"/stats, mode 0600, in a directory fit for store_directory(); an unfit file is replaced. Returns
 * MCP_OK with *out new (release with stats_close()) and *shared telling whether other processes see the same counters;
 * MCP_ENOMEM.
 */
enum mcp_err stats_open(const char *dir, struct stats **out, int *shared) MCP_MUST_CHECK;

/* Release; what was counted stays in the file. NULL is fine. */
void stats_close(struct stats *s);

/* Add "n" to a slot, whose meaning is the server's. Nothing happens with a slot from STATS_SLOTS on, or "s" NULL. */
void stats_add(struct stats *s, size_t slot, uint64_t n);

/* What a slot counts; 0 with a slot from STATS_SLOTS on, or "s" NULL. */
uint64_t stats_get(const struct stats *s, size_t slot);

/* When the counters were begun, seconds since the epoch; 0 for NULL. */
int64_t stats_since_s(const struct stats *s);

#endif
