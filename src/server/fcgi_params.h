/* SPDX-License-Identifier: MIT */
#ifndef MCP_SERVER_FCGI_PARAMS_H
#define MCP_SERVER_FCGI_PARAMS_H

#include <stdbool.h>
#include <stddef.h>

#include "base/buf.h"

/* The name-value pairs of PARAMS records, as bytes. Source: FastCGI Specification 1.0, section 3.4. */

/* What is kept of an Authorization that does not fit: more than any token may be long, so that it is refused as one. */
#define FCGI_AUTHORIZATION_KEPT (80 * 1024)

/*
 * Whether every length fits what was sent, to the last byte, so that a reader without bounds can read it. *count gets
 * the number of pairs; *bad_bytes whether there is a NUL, an empty name, or "=" in a name: C strings would say
 * something else than was sent.
 */
bool fcgi_params_check(const struct buf *params, size_t *count, bool *bad_bytes);

/*
 * Make room among pairs of which the last may be incomplete: cut the first Authorization that is longer than what is
 * kept of one. Returns true with *missing, the number of bytes of the cut value that are still to come and belong to
 * nobody; or false: nothing can be cut.
 */
bool fcgi_params_cut(struct buf *params, size_t *missing);

#endif
