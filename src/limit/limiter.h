/* SPDX-License-Identifier: MIT */
#ifndef MCP_LIMIT_LIMITER_H
#define MCP_LIMIT_LIMITER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/settings.h"
#include "base/err.h"

/*
 * The rate limit: fixed windows that start with a key's first request, in one SQLite table shared by all processes (STATE_DIR/limits.db).
 * A limiter that cannot use its table admits, says so in the log (throttled), and tries again; nothing here ever refuses because of a fault of ours.
 */

/* "10/minute", "10 per 1 minute", "600/5minutes", "100/day"; second, minute, hour, day. "off" is a limit of 0: not limited. */
struct limit_rate {
	int64_t limit;		/* requests a window, 1 to 1e9; 0 when off */
	int64_t window_s;	/* 1 to 30 days */
	int64_t multiple;	/* as written, for messages: 1 in "10 per 1 minute" */
	const char *unit;	/* static: "second", "minute", "hour", "day" */
};

/* Read a rate. Returns MCP_OK or MCP_ESYNTAX with *out all zero. */
enum mcp_err limit_rate_parse(const char *text, struct limit_rate *out) MCP_MUST_CHECK;

struct limit_settings {
	char *rate_address;		/* RATE_LIMIT */
	char *rate_principal;		/* RATE_LIMIT_PRINCIPAL */
	struct strlist exempt;		/* RATE_LIMIT_EXEMPT, networks */
	int64_t max_rows;		/* RATE_LIMIT_ROWS */
};
extern const struct setting limit_setting_rows[];
extern const size_t limit_setting_count;

enum limit_policy { LIMIT_ADDRESS, LIMIT_PRINCIPAL };

/* What a request was told. Figures are of the policy that is nearest to refusing. */
struct limit_verdict {
	bool admitted;
	bool limited;			/* false: no limit applies (off, exempt, table unusable); the figures are 0 then */
	enum limit_policy policy;
	struct limit_rate rate;
	int64_t remaining;		/* requests left in this window */
	int64_t reset_s;		/* seconds until the window ends, >= 1 */
};

struct limiter;

/*
 * Open the limiter of "state_dir" with validated settings. An unusable table is no failure (see above). Returns MCP_OK with *out new; MCP_EINVAL (a rate or network that does not
 * parse); MCP_ENOMEM. Release with limiter_free(). A limiter is used by many threads at once.
 */
enum mcp_err limiter_new(const struct limit_settings *settings, const char *state_dir, struct limiter **out) MCP_MUST_CHECK;
void limiter_free(struct limiter *l);

/*
 * Is the budget of "address" (numeric IPv4 or IPv6, port-less; IPv6 counts by /64; NULL or anything else shares one key) spent already? Costs at most a read; changes
 * nothing. "v" is always set.
 */
void limiter_peek(struct limiter *l, const char *address, int64_t now_s, struct limit_verdict *v);

/*
 * Take one request from the budget of "address" and, unless NULL, of "principal" (any bytes, hashed before they are stored), in one statement. "v" is always set.
 */
void limiter_charge(struct limiter *l, const char *address, const char *principal, int64_t now_s, struct limit_verdict *v);

/* Figures for the admin tool and doctor. */
struct limiter_figures {
	bool usable;			/* the table could be used at the last try */
	int64_t rows;
	int64_t admitted, refused;	/* by this process since it started */
	int64_t faults;
};
void limiter_figures(struct limiter *l, struct limiter_figures *out);

#endif
