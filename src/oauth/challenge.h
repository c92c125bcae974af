/* SPDX-License-Identifier: MIT */
#ifndef MCP_OAUTH_CHALLENGE_H
#define MCP_OAUTH_CHALLENGE_H

#include "base/buf.h"
#include "base/strlist.h"
#include "oauth/outcome.h"

/*
 * Append the value of WWW-Authenticate for a refusal:
 *   Bearer realm="OAuth", resource_metadata="URL"[, error="..."][, error_description="..."][, scope="a b"]
 * The first two parameters come first, byte for byte as the servers before this one had them; "scopes" (may be NULL or
 * empty) last. What a quoted-string cannot hold is left out of it, a scope that it cannot hold as a whole. Nothing is
 * appended for outcomes of 5xx, which say nothing about the token. Source: RFC 6750 section 3, RFC 9728 section 5.1.
 */
void challenge_render(enum oauth_outcome outcome, const char *metadata_url, const struct strlist *scopes,
    struct buf *out);

#endif
