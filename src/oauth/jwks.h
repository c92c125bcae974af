/* SPDX-License-Identifier: MIT */
#ifndef MCP_OAUTH_JWKS_H
#define MCP_OAUTH_JWKS_H

#include <stdbool.h>
#include <stddef.h>

#include "base/err.h"
#include "oauth/jwk.h"
#include "oauth/verified.h"

#define JWKS_BYTES_MAX (256 * 1024)
#define JWKS_KEYS_MAX 64

/* An immutable, reference-counted set of verification keys (RFC 7517 section 5). The count is atomic. */
struct jwks;

/*
 * Build a set from a JWKS document. Keys that cannot verify (see jwk_parse()) are left out, told in the log, and
 * counted in *skipped (may be NULL); so are the usable ones after the first JWKS_KEYS_MAX. Returns MCP_OK with a set
 * of at least one key, one reference; MCP_ESYNTAX or MCP_ETYPE (not a JWKS); MCP_ELIMIT (more than JWKS_BYTES_MAX,
 * too many values, nested too deep); MCP_ENOENT (no usable key); MCP_ENOMEM, MCP_ECRYPTO. *out is NULL on failure.
 */
enum mcp_err jwks_parse(const char *text, size_t len, struct jwks **out, size_t *skipped) MCP_MUST_CHECK;

/* Take one more reference. Returns "set". */
struct jwks *jwks_ref(struct jwks *set);

/* Give a reference back; the last one frees the set. NULL is fine. */
void jwks_unref(struct jwks *set);

/* What is remembered of tokens whose signature a key of this set has verified; lives as long as the set. Borrowed. */
struct verified *jwks_verified(const struct jwks *set);

/* How many keys the set has. */
size_t jwks_count(const struct jwks *set);

/* The key at "i", below jwks_count(), in the order of the document. Borrowed from the set. */
const struct jwk *jwks_at(const struct jwks *set, size_t i);

/*
 * The key for a token: with "kid" (may be NULL) the first of that id that can do "alg"; without, the only one that
 * can. NULL if there is none, or more than one without kid. Borrowed from the set. *known_kid (may be NULL) tells
 * whether the kid is in the set at all.
 */
const struct jwk *jwks_select(const struct jwks *set, const char *kid, const char *alg, bool *known_kid);

#endif
