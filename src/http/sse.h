/* SPDX-License-Identifier: MIT */
#ifndef MCP_HTTP_SSE_H
#define MCP_HTTP_SSE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/buf.h"

/* Server-Sent Events. Source: WHATWG HTML, section "Server-sent events". */

#define SSE_TYPE "text/event-stream"
#define SSE_COMMENT ":\n\n"	/* says nothing and keeps what is between from closing a silent stream */

/*
 * Append one event. "id": its id, NULL for none; a line break ends it. "retry_ms": 0 for none. "data" ("len" bytes,
 * NULL: an empty line of data, which primes a client with the id) becomes one line, or as many as it has.
 */
void sse_render(const char *id, int64_t retry_ms, const char *data, size_t len, struct buf *out);

/*
 * Whether a value of Accept (NULL: absent) names text/event-stream, with a weight that is not zero. Ranges do
 * not count: who reads events says so. Source: RFC 9110 section 12.5.1.
 */
bool sse_is_accepted(const char *accept);

#endif
