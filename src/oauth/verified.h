/* SPDX-License-Identifier: MIT */
#ifndef MCP_OAUTH_VERIFIED_H
#define MCP_OAUTH_VERIFIED_H

#include <stdbool.h>
#include <stdint.h>

#include "base/digest.h"
#include "base/err.h"

/*
 * Which tokens had a good signature, by the SHA-256 of the whole token: nothing else of a token is remembered, so
 * nothing else can be believed because of it; times, audience, scopes and organisation are judged at every use. One
 * of these belongs to one key set and ends with it, so a key that was removed vouches for nothing any more. Bounded;
 * old entries make room. Thread-safe.
 */
struct verified;

#define VERIFIED_MAX 8192 /* tokens */

/* Returns MCP_OK with *out new and empty, or MCP_ENOMEM. Release with verified_free(). */
enum mcp_err verified_new(struct verified **out) MCP_MUST_CHECK;

/* Release; NULL is fine. */
void verified_free(struct verified *v);

/* Whether a token of this digest was added and not yet forgotten. */
bool verified_has(struct verified *v, const uint8_t digest[DIGEST_SHA256_LEN]);

/* Remember a token whose signature was verified just now. */
void verified_add(struct verified *v, const uint8_t digest[DIGEST_SHA256_LEN]);

#endif
