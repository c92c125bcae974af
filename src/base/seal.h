/* SPDX-License-Identifier: MIT */
#ifndef MCP_BASE_SEAL_H
#define MCP_BASE_SEAL_H

#include <stddef.h>
#include <stdint.h>

#include "base/buf.h"
#include "base/err.h"

/*
 * Sealed text: bytes that travel through a client and come back, which it can neither read nor change, nor bring back
 * elsewhere than where they belong. AES-256-GCM by OpenSSL EVP, written as base64url without padding:
 *
 *   key number (4 bytes, big-endian) | nonce (12, random) | ciphertext | tag (16)
 *
 * What the text is bound to (purpose, principal ...) is associated data and does not travel. A key of random nonces is
 * good for 2^32 texts; keys are changed daily (store/secrets.h). Source: NIST SP 800-38D sections 8.2.2 and 8.3.
 */
#define SEAL_KEY_LEN 32
#define SEAL_PLAIN_MAX (48 * 1024)	/* bytes that can be sealed */
#define SEAL_TEXT_MAX ((SEAL_PLAIN_MAX + 32) / 3 * 4 + 4)	/* bytes of sealed text */

struct seal_key {
	uint32_t number;	/* tells the keys of a ring apart; is in the text */
	uint8_t key[SEAL_KEY_LEN];
};

/* One of the things that a text is bound to. The parts' order and borders count. */
struct seal_part {
	const void *data;
	size_t len;
};

/*
 * Append the "len" bytes at "plain", sealed. Returns MCP_OK; MCP_ELIMIT (longer than SEAL_PLAIN_MAX, or the bound of
 * "out"); MCP_ENOMEM; MCP_ECRYPTO. After a failure "out" is as before.
 */
enum mcp_err seal(const struct seal_key *key, const struct seal_part *bound, size_t n_bound, const void *plain,
    size_t len, struct buf *out) MCP_MUST_CHECK;

/*
 * Append what was sealed to "plain". MCP_ENOENT: by a key of another number; MCP_EINVAL: anything else that makes the
 * text no good (not of the grammar to its last bit, too long, changed, bound to something else); MCP_ELIMIT (the bound
 * of "plain"), MCP_ENOMEM, MCP_ECRYPTO. After a failure "plain" is as before.
 */
enum mcp_err seal_open(const struct seal_key *key, const struct seal_part *bound, size_t n_bound, const char *text,
    size_t len, struct buf *plain) MCP_MUST_CHECK;

#endif
