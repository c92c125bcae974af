/* SPDX-License-Identifier: MIT */
#ifndef MCP_LIMIT_BUDGET_H
#define MCP_LIMIT_BUDGET_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/err.h"

/*
 * The table of budgets, STATE_DIR/limits.db: disposable. It is opened when first needed; a damaged or foreign file is
 * replaced at once, a deleted one is noticed within a second. A locked one is waited for, for half a second the first
 * time and then hardly at all until the lock is gone. Whatever else is wrong makes the table unusable for
 * BUDGET_PAUSE_S, after which it is tried again. The log says so, throttled. Not thread-safe: one caller at a time.
 */

#define BUDGET_KEY_BYTES 16
#define BUDGET_PAUSE_S 2	/* a table that failed is left alone for so long; nobody waits for it then */

/*
 * How much later than "now + window" a window may end and still be believed. Requests read the clock before they wait
 * for the table, so they may arrive out of order; beyond that, the clock has jumped back, and the window begins anew.
 */
#define BUDGET_SLACK_S 10

struct budget_key {
	uint8_t bytes[BUDGET_KEY_BYTES];
};

/* One key's share of a transaction. */
struct budget_charge {
	struct budget_key key;
	int64_t limit, window_s;
	int64_t wanted;		/* requests to take, >= 1 */
	int64_t spare;		/* requests to take besides as a reservation, if they are there; >= 0 */
	/* Set by budget_charge(): */
	int64_t granted;	/* how many of those wanted there were */
	int64_t reserved;	/* how many were taken besides: at most "spare", and a quarter of what was left */
	int64_t used;		/* in this window, with these; never over "limit" unless the limit was lowered */
	int64_t ends_s;		/* when the window ends */
};

/* Whether a window of "window_s" that ends at "ends_s" runs at "now_s"; one that is over, or was never, does not. */
bool budget_is_running(int64_t ends_s, int64_t window_s, int64_t now_s);

struct budget;

/*
 * Returns MCP_OK with *out new (release with budget_free()), MCP_ENOMEM. Touches no file. "max_rows" bounds the
 * table.
 */
enum mcp_err budget_new(const char *dir, int64_t max_rows, struct budget **out) MCP_MUST_CHECK;

/* Close the table and release; NULL is fine. */
void budget_free(struct budget *b);

/*
 * Charge "n" different keys in one transaction: all or, with a failure, none. Returns MCP_OK, or MCP_EDB when the
 * table cannot be used now.
 */
enum mcp_err budget_charge(struct budget *b, struct budget_charge *charges, size_t n, int64_t now_s) MCP_MUST_CHECK;

/* Whether the table can be used, tried if need be. *rows gets how many keys it holds, 0 when it cannot be used. */
bool budget_usable(struct budget *b, int64_t now_s, int64_t *rows);

/* How many times this process could not use the table. */
int64_t budget_faults(const struct budget *b);

#endif
