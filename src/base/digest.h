/* SPDX-License-Identifier: MIT */
#ifndef MCP_BASE_DIGEST_H
#define MCP_BASE_DIGEST_H

#include <stddef.h>
#include <stdint.h>

#include "base/err.h"

#define DIGEST_SHA256_LEN 32

/* Set "out" to the SHA-256 of "len" bytes. Returns MCP_OK or MCP_ECRYPTO. Source: FIPS 180-4, by OpenSSL EVP. */
enum mcp_err digest_sha256(const void *data, size_t len, uint8_t out[DIGEST_SHA256_LEN]) MCP_MUST_CHECK;

/* Fill "out" with bytes from OpenSSL's random generator. Returns MCP_OK or MCP_ECRYPTO. */
enum mcp_err digest_random(void *out, size_t len) MCP_MUST_CHECK;

#define DIGEST_RANDOM_ID_LEN 32

/* A name that nobody guesses and nobody else has: 16 random bytes in hex. Returns MCP_OK; MCP_ECRYPTO with "". */
enum mcp_err digest_random_id(char out[DIGEST_RANDOM_ID_LEN + 1]) MCP_MUST_CHECK;

#endif
