/* SPDX-License-Identifier: MIT */
#ifndef MCP_TESTS_TAP_H
#define MCP_TESTS_TAP_H

#include <stdbool.h>
#include <stddef.h>

/*
 * The Test Anything Protocol for unit tests. A program calls ok(), is_int(), is_str() and friends, then returns
 * tap_done(), which prints the plan. The text says what is shown, not how ("a padded segment is refused").
 */

/* One claim; returns "condition". */
bool ok(bool condition, const char *text, ...) __attribute__((format(printf, 2, 3)));

/* Equal numbers, equal strings (NULL equals only NULL), equal bytes; on failure both sides are printed. */
bool is_int(long long got, long long want, const char *text, ...) __attribute__((format(printf, 3, 4)));
bool is_str(const char *got, const char *want, const char *text, ...) __attribute__((format(printf, 3, 4)));
bool is_mem(const void *got, size_t got_len, const void *want, size_t want_len, const char *text, ...)
    __attribute__((format(printf, 5, 6)));

/* A line for whoever reads the log. */
void diag(const char *text, ...) __attribute__((format(printf, 1, 2)));

/* Say why the rest is not run (counts as one skipped test). */
void skip(const char *why, ...) __attribute__((format(printf, 1, 2)));

/* Print the plan; returns the exit status of the program: 0, or 1 when a claim failed. */
int tap_done(void);

#endif
