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

enum mcp_err
digest_random_id(char out[DIGEST_RANDOM_ID_LEN + 1])
{
	static const char digits[] = "0123456789abcdef";
	unsigned char random[DIGEST_RANDOM_ID_LEN / 2];

	out[0] = '\0';
	if (digest_random(random, sizeof random))
		return MCP_ECRYPTO;
	for (size_t i = 0; i < sizeof random; i++) {
		out[2 * i] = digits[random[i] >> 4];
		out[2 * i + 1] = digits[random[i] & 15];
	}
	out[DIGEST_RANDOM_ID_LEN] = '\0';
	return MCP_OK;
}
