/* SPDX-License-Identifier: MIT */
/* Hashes and random bytes, by OpenSSL. */
#include "base/digest.h"

#include <limits.h>

#include <openssl/evp.h>
#include <openssl/rand.h>

enum mcp_err
digest_sha256(const void *data, size_t len, uint8_t out[DIGEST_SHA256_LEN])
{
	unsigned int n = 0;

	if (EVP_Digest(data, len, out, &n, EVP_sha256(), NULL) != 1 || n != DIGEST_SHA256_LEN)
		return MCP_ECRYPTO;
	return MCP_OK;
}

enum mcp_err
digest_random(void *out, size_t len)
{
	if (len > INT_MAX || RAND_bytes(out, (int)len) != 1)
		return MCP_ECRYPTO;
	return MCP_OK;
}
