/* SPDX-License-Identifier: MIT */
#ifndef MCP_LIMIT_LIMITER_H
#define MCP_LIMIT_LIMITER_H

#include <stdbool.h>
#include <stdint.h>

#include "base/err.h"
#include "limit/rate.h"
#include "limit/settings.h"

/*
 * The rate limit: fixed windows that start with a key's first request, in one SQLite table shared by all processes
 * (STATE_DIR/limits.db). Of larger limits the table gives reservations away, which all processes share (recall.h), so
 * that each limit stays exact and few requests write to it. A limiter that cannot use its table admits, says so in the
 * log (throttled), and tries again after seconds; nothing here ever refuses because of a fault of ours. A process that
 * has made a limiter must not use it, or make another, in a child that it forks without exec.
 */

enum limit_policy { LIMIT_ADDRESS, LIMIT_PRINCIPAL };

/* What a request was told. Figures are of the policy that refused, else of the one with the fewest requests left. */
struct limit_verdict {
	bool admitted;
	bool limited;			/* false: no limit applies (off, exempt, table unusable), what follows is 0 */
	enum limit_policy policy;
	struct limit_rate rate;
	int64_t remaining;		/* requests left in this window */
	int64_t reset_s;		/* seconds until the window ends, >= 1 */
};

struct limiter;

/*
 * Make a limiter of "state_dir" with validated settings (copied). The table is opened by the first request that needs
 * it; an unusable one is no failure, see above. Returns MCP_OK with *out new; MCP_EINVAL (a rate or network that does
 * not parse); MCP_ENOMEM. Release with limiter_free(). Thread-safe but for new and free.
 */
enum mcp_err limiter_new(const struct limit_settings *settings, const char *state_dir,
    struct limiter **out) MCP_MUST_CHECK;

/* Release; NULL is fine. What was charged stays in the table. */
void limiter_free(struct limiter *l);

/*
 * Is the budget of "address" (numeric IPv4 or IPv6; IPv6 counts by /64; NULL or anything else shares one key) spent
 * already, as far as is remembered? The table is not asked and nothing changes; limiter_charge() has the last word.
 * "v" is always set: "admitted" says that nothing is known against the request.
 */
void limiter_peek(struct limiter *l, const char *address, int64_t now_s, struct limit_verdict *v);

/*
 * Take one request from the budget of "address" and, unless NULL, of "principal" (any text, hashed before it is
 * stored), in one transaction. A key that is known to be spent costs no write, and takes nothing from the other key.
 * "v" is always set.
 */
void limiter_charge(struct limiter *l, const char *address, const char *principal, int64_t now_s,
    struct limit_verdict *v);

/* Figures for the admin tool and doctor. */
struct limiter_figures {
	bool usable;			/* the table can be used */
	int64_t rows;			/* keys it holds, expired ones that were not pruned yet included */
	int64_t admitted, refused;	/* charges by this process since it started */
	int64_t faults;			/* times this process could not use the table */
};

/*
 * Tries the table, as of the time of the last charge, so that a start-up check finds what is wrong before there is
 * one.
 */
void limiter_figures(struct limiter *l, struct limiter_figures *out);

#endif
