/* SPDX-License-Identifier: MIT */
#ifndef MCP_SERVER_REPORT_H
#define MCP_SERVER_REPORT_H

#include <stdbool.h>
#include <stddef.h>

#include "base/buf.h"
#include "base/err.h"

/*
 * What was found at start: lines of the form "[OK|WARN|FAIL] CODE text", some with a "fix: ..." line below. Printed by
 * "mcp.fcgi -n", written to the log when a configuration is taken into use.
 */
enum report_level {
	REPORT_OK,
	REPORT_WARN,
	REPORT_FAIL_PART,	/* shown as FAIL; only the part it names does not work, the rest is served */
	REPORT_FAIL		/* the server refuses everything while this stands */
};

struct report_line {
	enum report_level level;
	char *text;		/* "CODE text", owned */
	char *fix;		/* owned, or NULL */
};

struct report {
	struct report_line *v;
	size_t n;
	bool failed;		/* a REPORT_FAIL is among them, or memory was short for a line */
};

/* Append a line; "fix" may be NULL. Bytes from outside are escaped. */
void report_add(struct report *r, enum report_level level, const char *fix, const char *fmt, ...) MCP_PRINTF(4, 5);

/* Free the lines; all zero afterwards. */
void report_clear(struct report *r);

/* Append the lines as text. */
void report_render(const struct report *r, struct buf *out);

/* Write the lines to the log: OK as info, WARN as warning, FAIL as error. */
void report_log(const struct report *r);

#endif
