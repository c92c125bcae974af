/* SPDX-License-Identifier: MIT */
/* Answers for sealed text, by OpenSSL. */
#include "base/seal.h"

#include <limits.h>
#include <pthread.h>
#include <string.h>

#include <openssl/evp.h>

#include "base/digest.h"
#include "base/text.h"

#define NUMBER_LEN 4
#define NONCE_LEN 12
#define TAG_LEN 16
#define HEAD_LEN (NUMBER_LEN + NONCE_LEN)

/* Looked up once and kept for the life of the process. */
static EVP_CIPHER *cipher;

static void
fetch_cipher(void)
{
	cipher = EVP_CIPHER_fetch(NULL, "AES-256-GCM", NULL);
}

static void
put_big_endian(uint8_t *out, uint64_t n, size_t len)
{
	while (len > 0) {
		out[--len] = (uint8_t)n;
		n >>= 8;
	}
}

/* Feed the associated data: the key's number, then each part after its length. */
static bool
feed_bound(EVP_CIPHER_CTX *ctx, const uint8_t *number, const struct seal_part *bound, size_t n_bound)
{
	int n;

	if (EVP_CipherUpdate(ctx, NULL, &n, number, NUMBER_LEN) != 1)
		return false;
	for (size_t i = 0; i < n_bound; i++) {
		uint8_t len[8];

		put_big_endian(len, bound[i].len, sizeof len);
		if (bound[i].len > INT_MAX || EVP_CipherUpdate(ctx, NULL, &n, len, sizeof len) != 1)
			return false;
		if (bound[i].len && EVP_CipherUpdate(ctx, NULL, &n, bound[i].data, (int)bound[i].len) != 1)
			return false;
	}
	return true;
}

/* A context that is ready for the text itself, or NULL. "head" is number and nonce. */
static EVP_CIPHER_CTX *
begin(const struct seal_key *key, const uint8_t *head, const struct seal_part *bound, size_t n_bound, bool sealing)
{
	static pthread_once_t once = PTHREAD_ONCE_INIT;
	EVP_CIPHER_CTX *ctx;

	pthread_once(&once, fetch_cipher);
	ctx = cipher ? EVP_CIPHER_CTX_new() : NULL;
	if (ctx && EVP_CipherInit_ex2(ctx, cipher, key->key, head + NUMBER_LEN, sealing, NULL) == 1 &&
	    feed_bound(ctx, head, bound, n_bound))
		return ctx;
	EVP_CIPHER_CTX_free(ctx);
	return NULL;
}

enum mcp_err
seal(const struct seal_key *key, const struct seal_part *bound, size_t n_bound, const void *plain, size_t len,
    struct buf *out)
{
	uint8_t *raw;
	size_t raw_len = HEAD_LEN + len + TAG_LEN;
	EVP_CIPHER_CTX *ctx = NULL;
	enum mcp_err err;
	struct buf b;
	int n = 0;

	if (len > SEAL_PLAIN_MAX)
		return MCP_ELIMIT;
	buf_init(&b, raw_len);
	if ((err = buf_reserve(&b, raw_len)) != MCP_OK || (err = buf_reserve(out, (raw_len * 4 + 2) / 3)) != MCP_OK)
		goto out;
	raw = (uint8_t *)b.data;
	put_big_endian(raw, key->number, NUMBER_LEN);
	err = digest_random(raw + NUMBER_LEN, NONCE_LEN);
	if (!err && (!(ctx = begin(key, raw, bound, n_bound, true)) ||
	    (len && EVP_CipherUpdate(ctx, raw + HEAD_LEN, &n, plain, (int)len) != 1) ||
	    EVP_CipherFinal_ex(ctx, raw + HEAD_LEN + n, &n) != 1 ||
	    EVP_CIPHER_CTX_ctrl(ctx, EVP_CTRL_AEAD_GET_TAG, TAG_LEN, raw + HEAD_LEN + len) != 1))
		err = MCP_ECRYPTO;
	if (!err) {
		text_base64url_encode(raw, raw_len, out);
		err = buf_status(out);
	}
out:
	EVP_CIPHER_CTX_free(ctx);
	buf_clear(&b);
	return err;
}

/* Decrypt and judge "raw", of "len" bytes with head and tag. */
static enum mcp_err
open_raw(const struct seal_key *key, const struct seal_part *bound, size_t n_bound, uint8_t *raw, size_t len,
    struct buf *plain)
{
	size_t n_plain = len - HEAD_LEN - TAG_LEN;
	EVP_CIPHER_CTX *ctx;
	enum mcp_err err = MCP_OK;
	int n = 0;

	if (!(ctx = begin(key, raw, bound, n_bound, false)))
		return MCP_ECRYPTO;
	/* In place: nothing of it is handed over before the tag was judged. */
	if ((n_plain && EVP_CipherUpdate(ctx, raw + HEAD_LEN, &n, raw + HEAD_LEN, (int)n_plain) != 1) ||
	    EVP_CIPHER_CTX_ctrl(ctx, EVP_CTRL_AEAD_SET_TAG, TAG_LEN, raw + len - TAG_LEN) != 1)
		err = MCP_ECRYPTO;
	else if (EVP_CipherFinal_ex(ctx, raw + HEAD_LEN + n, &n) != 1)
		err = MCP_EINVAL;
	EVP_CIPHER_CTX_free(ctx);
	if (!err && (err = buf_reserve(plain, n_plain)) == MCP_OK)
		buf_put(plain, raw + HEAD_LEN, n_plain);
	return err;
}

enum mcp_err
seal_open(const struct seal_key *key, const struct seal_part *bound, size_t n_bound, const char *text, size_t len,
    struct buf *plain)
{
	uint8_t number[NUMBER_LEN];
	enum mcp_err err;
	struct buf raw;

	if (len > SEAL_TEXT_MAX)
		return MCP_EINVAL;
	buf_init(&raw, SEAL_TEXT_MAX);
	err = text_base64url_decode(text, len, &raw);
	put_big_endian(number, key->number, NUMBER_LEN);
	if (err == MCP_ESYNTAX || (!err && (raw.len < HEAD_LEN + TAG_LEN || raw.len > SEAL_PLAIN_MAX + HEAD_LEN +
	    TAG_LEN)))
		err = MCP_EINVAL;
	else if (!err && memcmp(raw.data, number, NUMBER_LEN) != 0)
		err = MCP_ENOENT;
	else if (!err)
		err = open_raw(key, bound, n_bound, (uint8_t *)raw.data, raw.len, plain);
	buf_clear_secret(&raw);
	return err;
}
