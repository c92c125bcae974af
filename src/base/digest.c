/* SPDX-License-Identifier: MIT */
/* Hashes and random bytes, by OpenSSL. */
#include "base/digest.h"

#include <limits.h>
#include <pthread.h>

#include <openssl/evp.h>
#include <openssl/rand.h>

/*
 * The algorithm, looked up once and kept for the life of the process: a look-up by name at every use costs more than
 * hashing a token does.
 */
static EVP_MD *sha256;

static void
fetch_sha256(void)
{
	sha256 = EVP_MD_fetch(NULL, "SHA256", NULL);
}

enum mcp_err
digest_sha256(const void *data, size_t len, uint8_t out[DIGEST_SHA256_LEN])
{
	static pthread_once_t once = PTHREAD_ONCE_INIT;
	unsigned int n = 0;

	pthread_once(&once, fetch_sha256);
	if (!sha256 || EVP_Digest(data, len, out, &n, sha256, NULL) != 1 || n != DIGEST_SHA256_LEN)
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
