/* SPDX-License-Identifier: MIT */
#ifndef MCP_NET_FIELD_H
#define MCP_NET_FIELD_H

#include <stddef.h>
#include <stdint.h>

/*
 * Values of response header fields, from servers that may say anything. Pure functions; all return -1 for "not told or
 * not readable".
 */

#define FIELD_SECONDS_MAX 2147483647	/* larger numbers of seconds count as this, RFC 9111 section 1.2.2 */

/*
 * How long an answer may be kept by Cache-Control: max-age in seconds, 0 if no-store or no-cache stands in the list,
 * the smallest of several max-age. -1 when neither is told or when the list does not follow its grammar (a bad max-age,
 * an open quote). Source: RFC 9111 section 5.2, RFC 9110 section 5.6.1.
 */
int64_t field_max_age(const char *value, size_t len);

/* Seconds since the epoch of an HTTP-date in any of its three forms. Source: RFC 9110 section 5.6.7. */
int64_t field_date(const char *value, size_t len);

/*
 * Retry-After in seconds from "now_s": delay-seconds, or an HTTP-date (one in the past is 0). Source: RFC 9110 section
 * 10.2.3.
 */
int64_t field_retry_after(const char *value, size_t len, int64_t now_s);

#endif
