/* SPDX-License-Identifier: MIT */
#ifndef MCP_ISSUER_KEYS_H
#define MCP_ISSUER_KEYS_H

#include <stdbool.h>
#include <stdint.h>

#include "base/buf.h"
#include "base/err.h"
#include "issuer/database.h"

/*
 * The issuer's signing keys: one is current, retired ones stay in the key set so that tokens they signed can be
 * verified until they end. All processes see a rotation at once.
 */
#define KEYS_RETIRED_KEEP_S 86400

struct signing_key {
	char *kid;
	char *alg; /* RS256 or ES256 */
	char *pem; /* private key, PKCS #8; a secret */
};
/* Free the members, the private key overwritten first. */
void signing_key_clear(struct signing_key *k);

/* Whether "alg" can be signed with. */
bool keys_alg_known(const char *alg);

/*
 * The current key; the first call ever makes one (RS256, 2048 bits). MCP_OK with *out (signing_key_clear()), MCP_EDB,
 * MCP_ENOMEM, MCP_ECRYPTO.
 */
enum mcp_err keys_current(struct database *d, int64_t now_s, struct signing_key *out) MCP_MUST_CHECK;

/*
 * Make a new current key for "alg" and retire the old one; with "forget" all old keys leave the key set at once, so
 * that tokens they signed stop being good. *out gets the new key. As above; MCP_EINVAL for an unknown algorithm.
 */
enum mcp_err keys_rotate(
    struct database *d, const char *alg, bool forget, int64_t now_s, struct signing_key *out) MCP_MUST_CHECK;

/* Append the key set, the current key first. MCP_OK, MCP_EDB, MCP_ENOMEM, MCP_ECRYPTO. Source: RFC 7517 section 5. */
enum mcp_err keys_jwks(struct database *d, struct buf *out) MCP_MUST_CHECK;

#endif
