/* SPDX-License-Identifier: MIT */
#ifndef MCP_LIMIT_RATE_H
#define MCP_LIMIT_RATE_H

#include <stdint.h>

#include "base/err.h"

#define LIMIT_MAX INT64_C(1000000000)		/* requests a window */
#define LIMIT_WINDOW_MAX_S (INT64_C(30) * 86400)

/*
 * "10/minute", "10 per 1 minute", "600/5minutes", "100/day"; second, minute, hour, day. "off" is a limit of 0: not
 * limited.
 */
struct limit_rate {
	int64_t limit;		/* requests a window, 1 to LIMIT_MAX; 0 when off */
	int64_t window_s;	/* 1 to LIMIT_WINDOW_MAX_S; 0 when off */
	int64_t multiple;	/* as written, for messages: 1 in "10 per 1 minute"; 0 when off */
	const char *unit;	/* static: "second", "minute", "hour", "day"; NULL when off */
};

/*
 * Read a rate: "off", or COUNT ("/" or "per") [MULTIPLE] UNIT, blanks where one likes, any case, UNIT with or without
 * a plural s. Returns MCP_OK or MCP_ESYNTAX (also when a figure is out of bounds) with *out all zero.
 */
enum mcp_err limit_rate_parse(const char *text, struct limit_rate *out) MCP_MUST_CHECK;

#endif
