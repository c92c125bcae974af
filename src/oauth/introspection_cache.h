/* SPDX-License-Identifier: MIT */
#ifndef MCP_OAUTH_INTROSPECTION_CACHE_H
#define MCP_OAUTH_INTROSPECTION_CACHE_H

#include <stddef.h>
#include <stdint.h>

#include "base/buf.h"
#include "base/digest.h"
#include "base/err.h"
#include "oauth/outcome.h"

/*
 * What an authorization server said of tokens, for a short time, by the SHA-256 of the whole token. Kept are the
 * responses for active tokens as text, to be judged again at every use, and which tokens were refused and why; the
 * latter apart, so that guessed tokens, however many, push no good one out. One of these belongs to one issuer under
 * one configuration and ends with it. Not thread-safe: the owner has a lock.
 */
struct introspection_cache;

#define INTROSPECTION_CACHE_ANSWERS 2048	/* active tokens */
#define INTROSPECTION_CACHE_REFUSALS 4096
#define INTROSPECTION_CACHE_TEXT_MAX (16 * 1024)	/* bytes of one answer; a longer one is not kept */
#define INTROSPECTION_CACHE_BYTES_MAX (4 * 1024 * 1024)	/* of all answers together */

/*
 * "keep_s": seconds for which an answer counts; 0: nothing is kept. Returns MCP_OK with *out new and empty, or
 * MCP_ENOMEM. Release with introspection_cache_free().
 */
enum mcp_err introspection_cache_new(int64_t keep_s, struct introspection_cache **out) MCP_MUST_CHECK;

/* Forget everything, and release; NULL is fine. */
void introspection_cache_free(struct introspection_cache *c);

enum introspection_kept { INTROSPECTION_KEPT_NOTHING, INTROSPECTION_KEPT_ANSWER, INTROSPECTION_KEPT_REFUSAL };

/*
 * What is known at "now_s" of the token with this digest. An answer is appended to "text", and *at_s is when it was
 * given; a refusal is put into *refusal. Where "text" takes no more, nothing is known.
 */
enum introspection_kept introspection_cache_find(struct introspection_cache *c,
    const uint8_t digest[DIGEST_SHA256_LEN], int64_t now_s, struct buf *text, int64_t *at_s,
    enum oauth_outcome *refusal);

/*
 * Keep an answer, at most until "until_s"; older ones may have to make room. What cannot be kept is not, and nobody is
 * told.
 */
void introspection_cache_answer(struct introspection_cache *c, const uint8_t digest[DIGEST_SHA256_LEN],
    int64_t now_s, int64_t until_s, const char *text, size_t len);

/* Keep a refusal, in place of an older one if need be. */
void introspection_cache_refusal(struct introspection_cache *c, const uint8_t digest[DIGEST_SHA256_LEN],
    int64_t now_s, enum oauth_outcome refusal);

#endif
