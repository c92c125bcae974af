/* SPDX-License-Identifier: MIT */
#ifndef MCP_SERVER_BODY_H
#define MCP_SERVER_BODY_H

#include <stddef.h>

#include "server/exchange.h"

/*
 * Read the request's body to its end into x->message, at most "max" bytes. Returns false when it is there whole; true
 * when the request was answered instead: 413 (too large), 408 (too slow), 400 (cut off, or not as long as
 * Content-Length said), 503 (no memory).
 */
bool body_read(struct exchange *x, size_t max);

#endif
