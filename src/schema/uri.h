/* SPDX-License-Identifier: MIT */
#ifndef MCP_SCHEMA_URI_H
#define MCP_SCHEMA_URI_H

#include "base/buf.h"

/*
 * Append the URI that the reference "ref" means where "base" is the base URI, without its fragment. Either may be
 * relative or empty; then so is what comes out. The status of "out" tells a lack of memory. Source: RFC 3986 section
 * 5.2.
 */
void uri_resolve(const char *base, const char *ref, struct buf *out);

/* The fragment of a reference, behind the "#"; NULL if it has none. Borrowed. */
const char *uri_fragment(const char *ref);

#endif
