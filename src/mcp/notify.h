/* SPDX-License-Identifier: MIT */
#ifndef MCP_MCP_NOTIFY_H
#define MCP_MCP_NOTIFY_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct rpc;
struct json_object;

/*
 * What a request wants to hear while it is worked on, and how much of that it gets. Source: MCP 2026-07-28
 * basic/patterns/progress, server/utilities/logging.
 */
struct notify {
	const struct json_object *token;	/* progressToken, borrowed; NULL: no progress */
	/* 1 + the least severe enum tool_log_level that is sent; 0: no log messages. Set by the era or the session */
	int log_from;
	bool progressed;
	double progress;			/* what was told last */
	double allowance;			/* of notifications, see notify_allows() */
	int64_t counted_ms;
};

/* Read the token in params._meta. Returns 0, or -1 with -32602: it is neither string nor integer. */
int notify_begin(struct rpc *x);

/* The name of a level, an enum tool_log_level. */
const char *notify_level_name(int level);

/* The number (enum tool_log_level) of a level's name of "len" bytes; -1: it is none. */
int notify_level(const char *name, size_t len);

#define NOTIFY_BURST 100	/* notifications at once */
#define NOTIFY_RATE 50	/* and then, a second */

/* Whether one more notification may be sent by these two bounds, so that a tool in a tight loop floods nobody. */
bool notify_allows(struct notify *n, int64_t now_ms);

#endif
