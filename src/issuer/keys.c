/* SPDX-License-Identifier: MIT */
/* Answers for making, keeping and publishing signing keys. OpenSSL makes them; what signs is mint.c. */
#include "issuer/keys.h"

#include <stdlib.h>
#include <string.h>

#include <openssl/bio.h>
#include <openssl/bn.h>
#include <openssl/core_names.h>
#include <openssl/crypto.h>
#include <openssl/ec.h>
#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/rsa.h>

#include "base/digest.h"
#include "base/text.h"

#define RSA_BITS 2048
#define P256_BYTES 32

static EVP_PKEY *
generate_rsa(void)
{
	return EVP_RSA_gen(RSA_BITS);
}

static EVP_PKEY *
generate_p256(void)
{
	return EVP_EC_gen("P-256");
}

/* One public number of the key as a member, at its own length or, with "width", padded in front to it. */
static enum mcp_err
put_number(const EVP_PKEY *key, const char *param, int width, const char *member, struct buf *out)
{
	enum mcp_err err = MCP_ECRYPTO;
	uint8_t bytes[RSA_BITS / 8];
	BIGNUM *n = NULL;
	int len;

	if (EVP_PKEY_get_bn_param(key, param, &n) != 1)
		return MCP_ECRYPTO;
	len = width ? width : BN_num_bytes(n);
	if (len <= (int)sizeof bytes && BN_bn2binpad(n, bytes, len) == len) {
		buf_printf(out, ",\"%s\":\"", member);
		text_base64url_encode(bytes, (size_t)len, out);
		buf_putc(out, '"');
		err = buf_status(out);
	}
	BN_free(n);
	return err;
}

static enum mcp_err
put_rsa(const EVP_PKEY *key, struct buf *out)
{
	enum mcp_err err;

	buf_puts(out, "\"kty\":\"RSA\"");
	err = put_number(key, OSSL_PKEY_PARAM_RSA_N, 0, "n", out);
	return err ? err : put_number(key, OSSL_PKEY_PARAM_RSA_E, 0, "e", out);
}

static enum mcp_err
put_p256(const EVP_PKEY *key, struct buf *out)
{
	enum mcp_err err;

	buf_puts(out, "\"kty\":\"EC\",\"crv\":\"P-256\"");
	err = put_number(key, OSSL_PKEY_PARAM_EC_PUB_X, P256_BYTES, "x", out);
	return err ? err : put_number(key, OSSL_PKEY_PARAM_EC_PUB_Y, P256_BYTES, "y", out);
}

static const struct kind {
	const char *alg;
	EVP_PKEY *(*generate)(void);
	enum mcp_err (*put_public)(const EVP_PKEY *key, struct buf *out);
} kinds[] = {
	{ "RS256", generate_rsa, put_rsa },
	{ "ES256", generate_p256, put_p256 },
};

static const struct kind *
find_kind(const char *alg)
{
	for (size_t i = 0; i < sizeof kinds / sizeof kinds[0]; i++)
		if (strcmp(kinds[i].alg, alg) == 0)
			return &kinds[i];
	return NULL;
}

bool
keys_alg_known(const char *alg)
{
	return find_kind(alg) != NULL;
}

void
signing_key_clear(struct signing_key *k)
{
	free(k->kid);
	free(k->alg);
	text_free_secret(k->pem);
	memset(k, 0, sizeof *k);
}

static enum mcp_err
key_to_pem(const EVP_PKEY *key, char **out)
{
	BIO *bio = BIO_new(BIO_s_mem());
	char *text = NULL;
	long len;

	*out = NULL;
	if (!bio)
		return MCP_ECRYPTO;
	if (PEM_write_bio_PKCS8PrivateKey(bio, key, NULL, NULL, 0, NULL, NULL) == 1) {
		len = BIO_get_mem_data(bio, &text);
		if (len > 0) {
			*out = text_dup(text, (size_t)len);
			OPENSSL_cleanse(text, (size_t)len);
		}
	}
	BIO_free(bio);
	return *out ? MCP_OK : MCP_ECRYPTO;
}

/* A fresh key in *out. This takes a while (RSA): no lock is held. */
static enum mcp_err
make_key(const char *alg, struct signing_key *out)
{
	const struct kind *kind = find_kind(alg);
	EVP_PKEY *key = NULL;
	uint8_t random[8];
	enum mcp_err err;
	struct buf kid;

	memset(out, 0, sizeof *out);
	if (!kind)
		return MCP_EINVAL;
	buf_init(&kid, 64);
	err = digest_random(random, sizeof random);
	if (err)
		goto out;
	buf_puts(&kid, "snk_");
	text_hex(random, sizeof random, &kid);
	key = kind->generate();
	err = key ? key_to_pem(key, &out->pem) : MCP_ECRYPTO;
	if (err)
		goto out;
	out->alg = text_dup(alg, strlen(alg));
	out->kid = buf_steal(&kid, NULL);
	if (!out->alg || !out->kid)
		err = MCP_ENOMEM;
out:
	EVP_PKEY_free(key);
	buf_clear(&kid);
	if (err)
		signing_key_clear(out);
	return err;
}

static enum mcp_err
read_current(struct database *d, struct signing_key *out)
{
	sqlite3_stmt *stmt = NULL;
	enum mcp_err err =
	    database_query(d, &stmt, "SELECT kid, alg, pem FROM signing_key WHERE retired_s IS NULL", "");

	memset(out, 0, sizeof *out);
	if (!err)
		err = database_step(stmt);
	if (!err)
		err = database_text(stmt, 0, &out->kid);
	if (!err)
		err = database_text(stmt, 1, &out->alg);
	if (!err)
		err = database_text(stmt, 2, &out->pem);
	sqlite3_finalize(stmt);
	if (err)
		signing_key_clear(out);
	return err;
}

static enum mcp_err
insert_key(struct database *d, const struct signing_key *k, int64_t now_s)
{
	return database_run(d, NULL, "INSERT INTO signing_key (kid, alg, pem, created_s) VALUES (?, ?, ?, ?)", "sssi",
	    k->kid, k->alg, k->pem, now_s);
}

enum mcp_err
keys_current(struct database *d, int64_t now_s, struct signing_key *out)
{
	struct signing_key made;
	enum mcp_err err;

	memset(out, 0, sizeof *out);
	err = database_begin(d);
	if (err)
		return err;
	err = database_end(d, read_current(d, out));
	if (err != MCP_ENOENT)
		return err;
	err = make_key("RS256", &made);
	if (err)
		return err;
	err = database_begin(d);
	if (err)
		goto out;
	/* Another process may have been faster: its key is everybody's. */
	err = read_current(d, out);
	if (err == MCP_ENOENT) {
		err = insert_key(d, &made, now_s);
		if (!err)
			err = read_current(d, out);
	}
	err = database_end(d, err);
	if (err)
		signing_key_clear(out);
out:
	signing_key_clear(&made);
	return err;
}

enum mcp_err
keys_rotate(struct database *d, const char *alg, bool forget, int64_t now_s, struct signing_key *out)
{
	enum mcp_err err = make_key(alg, out);

	if (err)
		return err;
	err = database_begin(d);
	if (!err) {
		err = database_run(d, NULL, "UPDATE signing_key SET retired_s = ? WHERE retired_s IS NULL", "i", now_s);
		if (!err)
			err = database_run(d, NULL, "DELETE FROM signing_key WHERE ? OR retired_s < ?", "ii",
			    (int64_t)forget, now_s - KEYS_RETIRED_KEEP_S);
		if (!err)
			err = insert_key(d, out, now_s);
		err = database_end(d, err);
	}
	if (err)
		signing_key_clear(out);
	return err;
}

static enum mcp_err
put_key(const char *kid, const char *alg, const char *pem, struct buf *out)
{
	const struct kind *kind = find_kind(alg);
	BIO *bio = BIO_new_mem_buf(pem, -1);
	EVP_PKEY *key = bio ? PEM_read_bio_PrivateKey(bio, NULL, NULL, NULL) : NULL;
	enum mcp_err err = MCP_ECRYPTO;

	BIO_free(bio);
	buf_putc(out, '{');
	if (kind && key)
		err = kind->put_public(key, out);
	buf_printf(out, ",\"use\":\"sig\",\"alg\":\"%s\",\"kid\":\"%s\"}", alg, kid);
	EVP_PKEY_free(key);
	return err ? err : buf_status(out);
}

enum mcp_err
keys_jwks(struct database *d, struct buf *out)
{
	sqlite3_stmt *stmt = NULL;
	enum mcp_err err = database_begin(d);
	size_t n = 0;

	if (err)
		return err;
	buf_puts(out, "{\"keys\":[");
	err = database_query(
	    d, &stmt, "SELECT kid, alg, pem FROM signing_key ORDER BY retired_s IS NOT NULL, retired_s DESC", "");
	while (!err && (err = database_step(stmt)) == MCP_OK) {
		if (n++)
			buf_putc(out, ',');
		err = put_key((const char *)sqlite3_column_text(stmt, 0), (const char *)sqlite3_column_text(stmt, 1),
		    (const char *)sqlite3_column_text(stmt, 2), out);
	}
	sqlite3_finalize(stmt);
	err = database_end(d, err == MCP_ENOENT ? MCP_OK : err);
	buf_puts(out, "]}");
	return err ? err : buf_status(out);
}
