/* SPDX-License-Identifier: MIT */
#ifndef MCP_BASE_LOG_H
#define MCP_BASE_LOG_H

#include <stdbool.h>

#include "base/err.h"

/*
 * The log: one line an event, "[YYYY-MM-DD HH:MM:SS] LEVEL: text" in UTC on stderr or in a file, without the date in
 * syslog. Every byte that is not printable ASCII is written as \xNN, so bytes from outside may be printed with %s;
 * tokens, secrets and tool arguments never are. Safe from several threads; errno is kept. The destination is the
 * process's one global state apart from the stop flag.
 */
enum log_level { LOG_LEVEL_ERROR, LOG_LEVEL_WARNING, LOG_LEVEL_INFO, LOG_LEVEL_DEBUG };

/*
 * Choose level and destination. "to" is "stderr", "syslog", or the path of a file that is opened for append with mode
 * 0600. Returns MCP_OK, or MCP_EIO (errno) when the file cannot be opened: the log then stays as it was. Until the
 * first call: info, stderr.
 */
enum mcp_err log_open(enum log_level level, const char *to) MCP_MUST_CHECK;

/*
 * Read "error", "warning", "info" or "debug" (any case; "warn" and "critical" are understood). MCP_ESYNTAX for anything
 * else.
 */
enum mcp_err log_level_parse(const char *text, enum log_level *out) MCP_MUST_CHECK;

/* Whether a line of this level would be written; to save the work of composing it. */
bool log_enabled(enum log_level level);

/* Write one line, composed as by printf(): something that an operator has to mend. */
void log_error(const char *fmt, ...) MCP_PRINTF(1, 2);

/* The same: something that an operator should know of; all goes on. */
void log_warning(const char *fmt, ...) MCP_PRINTF(1, 2);

/* The same: what happens in good order. */
void log_info(const char *fmt, ...) MCP_PRINTF(1, 2);

/* The same: each step of a request, for whoever looks for a fault. */
void log_debug(const char *fmt, ...) MCP_PRINTF(1, 2);

/* A gate for lines that could come with every request: embed one a cause, all zero to begin with. */
struct log_throttle {
	long long last_s;
	unsigned long held;
	bool used;
};

/*
 * Whether to log now. The gate opens at most once in "period_s" seconds of "now_s"; then *suppressed (may be NULL) gets
 * how many were held back since the last opening. Thread-safe.
 */
bool log_throttle_open(struct log_throttle *t, long long now_s, long long period_s, unsigned long *suppressed);

/*
 * For tests: lines go to "sink" instead (NULL: back to the destination), with the text as escaped and without date and
 * level word.
 */
void log_capture(void (*sink)(void *ctx, enum log_level level, const char *text), void *ctx);

#endif
