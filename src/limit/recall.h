/* SPDX-License-Identifier: MIT */
#ifndef MCP_LIMIT_RECALL_H
#define MCP_LIMIT_RECALL_H

#include <stdbool.h>
#include <stdint.h>

#include "base/err.h"
#include "limit/budget.h"

/*
 * What this process remembers of keys, so that it need not ask the table: that a budget is spent, or that some of it
 * was reserved for us. A bounded table that forgets; what is forgotten costs a question to the table, and a forgotten
 * reservation is lost until the window ends. Not thread-safe.
 */
struct recall_entry {
	struct budget_key key;
	int64_t ends_s;		/* of the window; 0: an empty entry */
	int32_t left;		/* of the whole budget, when we last heard, our reservation included */
	int32_t reserved;	/* granted to this process and not used yet */
};

struct recall;

/* Returns MCP_OK with *out new (release with recall_free()), MCP_ENOMEM. */
enum mcp_err recall_new(struct recall **out) MCP_MUST_CHECK;
void recall_free(struct recall *r);

/*
 * The entry of "key" if its window, "window_s" long, runs at "now_s"; else NULL. Borrowed until the next
 * recall_put().
 */
struct recall_entry *recall_find(struct recall *r, const struct budget_key *key, int64_t window_s, int64_t now_s);

/*
 * The entry of "key", new and zero but for its key if there was none or its window was over. Forgets another one if
 * need be: one whose window is over, else one that is not spent and reserves nothing, else one that reserves nothing,
 * else the one that ends first. The caller sets ends_s.
 */
struct recall_entry *recall_put(struct recall *r, const struct budget_key *key, int64_t window_s, int64_t now_s);

/* Visit the entries that hold a reservation. */
void recall_each_reserved(struct recall *r, void (*visit)(void *ctx, struct recall_entry *e), void *ctx);

#endif
