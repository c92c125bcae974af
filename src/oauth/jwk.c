/* SPDX-License-Identifier: MIT */
#include "oauth/jwk.h"

#include <openssl/bn.h>
#include <openssl/core_names.h>
#include <openssl/ec.h>
#include <openssl/evp.h>
#include <openssl/param_build.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "base/json.h"
#include "base/text.h"
#include "oauth/jwa.h"

/*
 * A key's life: the JSON members are judged (purpose, secrets, sizes), OpenSSL makes an EVP_PKEY of the numbers once,
 * and from then on the struct only is read, by any number of threads, until the set that owns it goes.
 */
struct jwk {
	char *kid;			/* owned, NULL if there is none */
	const struct jwa *alg;		/* its alg member, NULL if there is none */
	enum jwa_kind kind;
	EVP_PKEY *key;			/* owned */
};

/* Keys of this project, by kty and crv. */
static const struct kind {
	const char *kty, *crv;		/* crv NULL: the kty has none */
	enum jwa_kind kind;
	size_t coordinate_len;		/* octets of x, and of y */
} kinds[] = {
	{"RSA", NULL, JWA_RSA, 0},
	{"EC", "P-256", JWA_P256, 32},
	{"EC", "P-384", JWA_P384, 48},
	{"EC", "P-521", JWA_P521, 66},
	{"OKP", "Ed25519", JWA_ED25519, 32},
};

#define COORDINATE_MAX 66

/*
 * Members of private and symmetric keys: a set that publishes them has lost the key. Source: RFC 7518 sections 6.2.2,
 * 6.3.2, 6.4.1.
 */
static const char *const private_members[] = {"d", "p", "q", "dp", "dq", "qi", "oth", "k"};

static enum mcp_err
fault(enum mcp_err err, const char **why, const char *text)
{
	*why = text;
	return err;
}

/* The octets of a base64url member, appended to the empty "out". */
static enum mcp_err
octets(const struct json_object *v, const char *name, struct buf *out, const char **why)
{
	const char *text;
	size_t len;
	enum mcp_err err = json_get_string(v, name, &text, &len);

	if (err)
		return fault(MCP_ETYPE, why, "a member with key material is missing or no string");
	err = text_base64url_decode(text, len, out);
	if (err == MCP_ELIMIT)
		return fault(MCP_EINVAL, why, "a number is too large");
	if (err)
		return fault(err, why, "key material is not base64url");
	return MCP_OK;
}

/* A positive number without leading zero octets (Base64urlUInt of RFC 7518 section 2). */
static bool
is_number(const struct buf *b)
{
	return b->len > 0 && b->data[0] != 0;
}

static bool
is_odd(const struct buf *b)
{
	return ((unsigned char)b->data[b->len - 1] & 1) != 0;
}

static size_t
bit_length(const struct buf *b)
{
	size_t bits = b->len * 8;

	for (unsigned mask = 0x80; mask && !((unsigned char)b->data[0] & mask); mask >>= 1)
		bits--;
	return bits;
}

/* Let OpenSSL make a public key of "params". */
static enum mcp_err
from_params(const char *type, OSSL_PARAM_BLD *bld, EVP_PKEY **out)
{
	OSSL_PARAM *params = OSSL_PARAM_BLD_to_param(bld);
	EVP_PKEY_CTX *ctx = EVP_PKEY_CTX_new_from_name(NULL, type, NULL);
	enum mcp_err err = MCP_ECRYPTO;

	if (!params || !ctx || EVP_PKEY_fromdata_init(ctx) != 1)
		goto out;
	err = MCP_EINVAL;
	/* It does not always tell a lack of memory from numbers that are no key; the latter fail again. */
	for (int tries = 0; err && tries < 2; tries++)
		if (EVP_PKEY_fromdata(ctx, out, EVP_PKEY_PUBLIC_KEY, params) == 1)
			err = MCP_OK;
out:
	EVP_PKEY_CTX_free(ctx);
	OSSL_PARAM_free(params);
	return err;
}

static enum mcp_err
rsa_make(const struct buf *n, const struct buf *e, EVP_PKEY **out)
{
	OSSL_PARAM_BLD *bld = OSSL_PARAM_BLD_new();
	BIGNUM *bn_n = BN_bin2bn((const unsigned char *)n->data, (int)n->len, NULL);
	BIGNUM *bn_e = BN_bin2bn((const unsigned char *)e->data, (int)e->len, NULL);
	enum mcp_err err = MCP_ECRYPTO;

	if (bld && bn_n && bn_e && OSSL_PARAM_BLD_push_BN(bld, OSSL_PKEY_PARAM_RSA_N, bn_n) == 1 &&
	    OSSL_PARAM_BLD_push_BN(bld, OSSL_PKEY_PARAM_RSA_E, bn_e) == 1)
		err = from_params("RSA", bld, out);
	BN_free(bn_n);
	BN_free(bn_e);
	OSSL_PARAM_BLD_free(bld);
	return err;
}

static enum mcp_err
rsa_parse(const struct json_object *v, EVP_PKEY **out, const char **why)
{
	struct buf n, e;
	enum mcp_err err;

	buf_init(&n, JWK_RSA_BITS_MAX / 8 + 1);
	buf_init(&e, 8);
	err = octets(v, "n", &n, why);
	if (!err)
		err = octets(v, "e", &e, why);
	if (err)
		goto out;
	err = MCP_EINVAL;
	if (!is_number(&n) || !is_number(&e))
		*why = "a number is empty, zero, or has leading zero octets";
	else if (bit_length(&n) < JWK_RSA_BITS_MIN)
		*why = "an RSA modulus of less than 2048 bits";
	else if (bit_length(&n) > JWK_RSA_BITS_MAX)
		*why = "an RSA modulus of more than 8192 bits";
	else if (!is_odd(&n))
		*why = "an even RSA modulus";
	else if (e.len > 4 || !is_odd(&e) || (e.len == 1 && e.data[0] == 1))
		*why = "an RSA exponent that is even, 1, or over 32 bits";
	else
		err = rsa_make(&n, &e, out);
out:
	buf_clear(&n);
	buf_clear(&e);
	return err;
}

static enum mcp_err
ec_make(const struct kind *kind, const struct buf *x, const struct buf *y, EVP_PKEY **out)
{
	unsigned char point[1 + 2 * COORDINATE_MAX];
	OSSL_PARAM_BLD *bld = OSSL_PARAM_BLD_new();
	enum mcp_err err = MCP_ECRYPTO;

	/* SEC 1 section 2.3.4; OpenSSL refuses coordinates beyond the field and points that are not on the curve. */
	point[0] = POINT_CONVERSION_UNCOMPRESSED;
	memcpy(point + 1, x->data, x->len);
	memcpy(point + 1 + x->len, y->data, y->len);
	if (bld && OSSL_PARAM_BLD_push_utf8_string(bld, OSSL_PKEY_PARAM_GROUP_NAME, kind->crv, 0) == 1 &&
	    OSSL_PARAM_BLD_push_octet_string(bld, OSSL_PKEY_PARAM_PUB_KEY, point, 1 + x->len + y->len) == 1)
		err = from_params("EC", bld, out);
	OSSL_PARAM_BLD_free(bld);
	return err;
}

static enum mcp_err
ec_parse(const struct json_object *v, const struct kind *kind, EVP_PKEY **out, const char **why)
{
	struct buf x, y;
	enum mcp_err err;

	buf_init(&x, COORDINATE_MAX);
	buf_init(&y, COORDINATE_MAX);
	err = octets(v, "x", &x, why);
	if (!err)
		err = octets(v, "y", &y, why);
	if (err)
		goto out;
	if (x.len != kind->coordinate_len || y.len != kind->coordinate_len) {
		err = fault(MCP_EINVAL, why, "coordinates of another length than the curve's");
		goto out;
	}
	*why = "a point that is not on the curve";
	err = ec_make(kind, &x, &y, out);
out:
	buf_clear(&x);
	buf_clear(&y);
	return err;
}

/*
 * With a public key of small order many signatures fit any message (RFC 8032 section 5.1.7 leaves that to the key's
 * maker). These are the y of all such points; the sign bit of x does not matter. Encodings of y beyond the field,
 * other names for some of them, are refused too.
 */
static bool
ed25519_is_weak(const unsigned char *encoded)
{
	static const unsigned char small[][32] = {
		{0},
		{1},
		{0x26, 0xe8, 0x95, 0x8f, 0xc2, 0xb2, 0x27, 0xb0, 0x45, 0xc3, 0xf4, 0x89, 0xf2, 0xef, 0x98, 0xf0,
		    0xd5, 0xdf, 0xac, 0x05, 0xd3, 0xc6, 0x33, 0x39, 0xb1, 0x38, 0x02, 0x88, 0x6d, 0x53, 0xfc, 0x05},
		{0xc7, 0x17, 0x6a, 0x70, 0x3d, 0x4d, 0xd8, 0x4f, 0xba, 0x3c, 0x0b, 0x76, 0x0d, 0x10, 0x67, 0x0f,
		    0x2a, 0x20, 0x53, 0xfa, 0x2c, 0x39, 0xcc, 0xc6, 0x4e, 0xc7, 0xfd, 0x77, 0x92, 0xac, 0x03, 0x7a},
		{0xec, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff,
		    0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0x7f},
	};
	unsigned char y[32];
	size_t i = 1;

	memcpy(y, encoded, sizeof(y));
	y[31] &= 0x7f;
	for (size_t row = 0; row < sizeof(small) / sizeof(*small); row++)
		if (memcmp(y, small[row], sizeof(y)) == 0)
			return true;
	/* y >= p = 2^255 - 19, least octet first. */
	while (i < 31 && y[i] == 0xff)
		i++;
	return i == 31 && y[31] == 0x7f && y[0] >= 0xed;
}

static enum mcp_err
okp_parse(const struct json_object *v, EVP_PKEY **out, const char **why)
{
	const unsigned char *octet;
	struct buf x;
	enum mcp_err err;

	buf_init(&x, COORDINATE_MAX);
	err = octets(v, "x", &x, why);
	if (err)
		goto out;
	octet = (const unsigned char *)x.data;
	err = MCP_EINVAL;
	if (x.len != 32)
		*why = "an Ed25519 key that has not 32 octets";
	else if (ed25519_is_weak(octet))
		*why = "an Ed25519 key of small order";
	else if ((*out = EVP_PKEY_new_raw_public_key_ex(NULL, "ED25519", NULL, octet, x.len)) == NULL)
		err = MCP_ECRYPTO;
	else
		err = MCP_OK;
out:
	buf_clear(&x);
	return err;
}

/*
 * Whether "use" and "key_ops", where present, both allow verification and nothing that does not go with it. Source:
 * RFC 7517 sections 4.2, 4.3.
 */
static enum mcp_err
purpose(const struct json_object *v, const char **why)
{
	struct json_object *ops;
	bool verifies = false;
	const char *text;
	enum mcp_err err = json_get_string(v, "use", &text, NULL);

	if (err == MCP_ETYPE)
		return fault(err, why, "use is no string");
	if (!err && strcmp(text, "sig") != 0)
		return fault(MCP_ENOENT, why, "use is not sig");
	err = json_get_array(v, "key_ops", &ops);
	if (err == MCP_ENOENT)
		return MCP_OK;
	if (err)
		return fault(err, why, "key_ops is no array");
	for (size_t i = 0; i < json_count(ops); i++) {
		if (json_as_string(json_at(ops, i), &text, NULL))
			return fault(MCP_ETYPE, why, "key_ops has an element that is no string");
		if (strcmp(text, "verify") == 0)
			verifies = true;
		else if (strcmp(text, "sign") != 0)
			return fault(MCP_ENOENT, why, "key_ops has other uses than signatures");
	}
	return verifies ? MCP_OK : fault(MCP_ENOENT, why, "key_ops has no verify");
}

/* Which of "kinds" the key is; *kind is NULL on failure. */
static enum mcp_err
kind_of(const struct json_object *v, const struct kind **kind, const char **why)
{
	const char *kty, *crv = NULL;

	*kind = NULL;
	if (json_kind(v) != JSON_OBJECT || json_get_string(v, "kty", &kty, NULL))
		return fault(MCP_ETYPE, why, "not an object with a kty");
	if (strcmp(kty, "oct") == 0)
		return fault(MCP_EINVAL, why, "a symmetric key");
	for (size_t i = 0; i < sizeof(private_members) / sizeof(*private_members); i++) {
		struct json_object *ignored;

		if (json_get(v, private_members[i], &ignored) == MCP_OK)
			return fault(MCP_EINVAL, why, "a private key");
	}
	for (size_t i = 0; i < sizeof(kinds) / sizeof(*kinds); i++) {
		if (strcmp(kinds[i].kty, kty) != 0)
			continue;
		if (kinds[i].crv && json_get_string(v, "crv", &crv, NULL))
			return fault(MCP_ETYPE, why, "crv is missing or no string");
		if (kinds[i].crv && strcmp(kinds[i].crv, crv) != 0)
			continue;
		*kind = &kinds[i];
		return MCP_OK;
	}
	return fault(MCP_ENOENT, why, crv ? "an unknown crv" : "an unknown kty");
}

/* The alg and kid members. */
static enum mcp_err
names(const struct json_object *v, struct jwk *k, const char **why)
{
	const char *text;
	size_t len;
	enum mcp_err err = json_get_string(v, "alg", &text, NULL);

	if (err == MCP_ETYPE)
		return fault(err, why, "alg is no string");
	if (!err) {
		k->alg = jwa_find(text);
		if (!k->alg || k->alg->kind != k->kind)
			return fault(MCP_ENOENT, why, "alg is not a signature algorithm of the key's type");
	}
	err = json_get_string(v, "kid", &text, &len);
	if (err == MCP_ENOENT)
		return MCP_OK;
	if (err)
		return fault(err, why, "kid is no string");
	if (len == 0 || len > JWK_KID_MAX)
		return fault(MCP_EINVAL, why, "kid is empty or too long");
	k->kid = text_dup(text, len);
	return k->kid ? MCP_OK : fault(MCP_ENOMEM, why, "out of memory");
}

enum mcp_err
jwk_parse(const struct json_object *v, struct jwk **out, const char **why)
{
	const char *ignored;
	const struct kind *kind;
	struct jwk *k = NULL;
	enum mcp_err err;

	*out = NULL;
	if (!why)
		why = &ignored;
	err = kind_of(v, &kind, why);
	if (!err)
		err = purpose(v, why);
	if (err)
		return err;
	k = calloc(1, sizeof(*k));
	if (!k)
		return fault(MCP_ENOMEM, why, "out of memory");
	k->kind = kind->kind;
	err = names(v, k, why);
	if (err)
		goto out;
	*why = "OpenSSL takes it for no key";
	if (kind->kind == JWA_RSA)
		err = rsa_parse(v, &k->key, why);
	else if (kind->kind == JWA_ED25519)
		err = okp_parse(v, &k->key, why);
	else
		err = ec_parse(v, kind, &k->key, why);
	if (err == MCP_EINVAL || err == MCP_ECRYPTO)
		err = jwa_error(err);
	if (err)
		goto out;
	*out = k;
	k = NULL;
out:
	jwk_free(k);
	return err;
}

void
jwk_free(struct jwk *k)
{
	if (!k)
		return;
	free(k->kid);
	EVP_PKEY_free(k->key);
	free(k);
}

const char *
jwk_kid(const struct jwk *k)
{
	return k->kid;
}

bool
jwk_can(const struct jwk *k, const char *alg)
{
	const struct jwa *row = jwa_find(alg);

	if (!row || row->kind != k->kind)
		return false;
	/* EdDSA and Ed25519 are two names of one algorithm. */
	return !k->alg || k->alg == row || k->kind == JWA_ED25519;
}

enum mcp_err
jwk_verify(const struct jwk *k, const char *alg, const void *data, size_t len, const void *sig, size_t sig_len)
{
	if (!jwk_can(k, alg))
		return MCP_EINVAL;
	return jwa_verify(jwa_find(alg), k->key, data, len, sig, sig_len);
}

bool
jwk_algorithm_known(const char *alg)
{
	return jwa_find(alg) != NULL;
}
