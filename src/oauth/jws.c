/* SPDX-License-Identifier: MIT */
#include "oauth/jws.h"

#include <string.h>

#include "base/text.h"
#include "oauth/jwa.h"
#include "oauth/jwk.h"

/*
 * Header members that change what the signature covers or what the payload is. We implement none of them, and each
 * must be refused, not ignored: crit and b64 by RFC 7515 section 4.1.11 and RFC 7797; cty marks a nested token (RFC
 * 7519 section 5.2); zip and enc belong to encrypted ones.
 */
static const char *const refused_members[] = {"crit", "b64", "cty", "zip", "enc"};

/* Decode one segment of "len" bytes. */
static enum oauth_outcome
decode(const char *segment, size_t len, size_t max, enum oauth_outcome when_long, struct buf *out)
{
	enum mcp_err err;

	if (len == 0)
		return OAUTH_NOT_JWT;
	out->max = max;
	err = text_base64url_decode(segment, len, out);
	if (err == MCP_ELIMIT)
		return when_long;
	if (err)
		return err == MCP_ENOMEM ? OAUTH_OUT_OF_RESOURCES : OAUTH_NOT_JWT;
	return OAUTH_OK;
}

/* Parse "text" as a JSON object. */
static enum oauth_outcome
object(const struct buf *text, const struct json_bounds *bounds, struct json_object **out)
{
	enum mcp_err err = json_parse(text->data, text->len, bounds, out, NULL);

	if (err)
		return err == MCP_ENOMEM ? OAUTH_OUT_OF_RESOURCES : OAUTH_NOT_JWT;
	if (json_kind(*out) == JSON_OBJECT)
		return OAUTH_OK;
	json_free(*out);
	*out = NULL;
	return OAUTH_NOT_JWT;
}

static enum oauth_outcome
header_members(struct jws *jws)
{
	struct json_object *ignored;
	size_t kid_len = 0;
	enum mcp_err alg, kid, typ;

	for (size_t i = 0; i < sizeof(refused_members) / sizeof(*refused_members); i++)
		if (json_get(jws->header, refused_members[i], &ignored) == MCP_OK)
			return OAUTH_BAD_HEADER_JOSE;
	alg = json_get_string(jws->header, "alg", &jws->alg, NULL);
	kid = json_get_string(jws->header, "kid", &jws->kid, &kid_len);
	typ = json_get_string(jws->header, "typ", &jws->typ, NULL);
	if (alg == MCP_ENOENT)
		return OAUTH_BAD_ALGORITHM;
	if (alg || (kid && kid != MCP_ENOENT) || (typ && typ != MCP_ENOENT))
		return OAUTH_BAD_HEADER_JOSE;
	if (jws->kid && (kid_len == 0 || kid_len > JWK_KID_MAX))
		return OAUTH_BAD_HEADER_JOSE;
	return OAUTH_OK;
}

enum oauth_outcome
jws_parse(const char *token, size_t len, struct jws *jws)
{
	static const struct json_bounds bounds = {JWS_HEADER_MAX, JWS_DEPTH_MAX, JWS_HEADER_VALUES_MAX};
	const char *dot1, *dot2, *end = token + len;
	struct buf header;
	enum oauth_outcome outcome = OAUTH_NOT_JWT;

	memset(jws, 0, sizeof(*jws));
	buf_init(&jws->payload, 0);
	buf_init(&jws->signature, 0);
	buf_init(&header, 0);
	dot1 = memchr(token, '.', len);
	dot2 = dot1 ? memchr(dot1 + 1, '.', (size_t)(end - dot1 - 1)) : NULL;
	/* A third dot is no base64url and fails with the signature. */
	if (!dot2)
		goto out;
	jws->signing_input = token;
	jws->signing_input_len = (size_t)(dot2 - token);
	outcome = decode(token, (size_t)(dot1 - token), JWS_HEADER_MAX, OAUTH_NOT_JWT, &header);
	if (!outcome)
		outcome = decode(dot1 + 1, (size_t)(dot2 - dot1 - 1), len, OAUTH_NOT_JWT, &jws->payload);
	if (!outcome)
		outcome = decode(dot2 + 1, (size_t)(end - dot2 - 1), JWA_SIGNATURE_MAX, OAUTH_BAD_SIGNATURE,
		    &jws->signature);
	if (!outcome)
		outcome = object(&header, &bounds, &jws->header);
	if (!outcome)
		outcome = header_members(jws);
out:
	buf_clear(&header);
	return outcome;
}

void
jws_clear(struct jws *jws)
{
	json_free(jws->header);
	buf_clear_secret(&jws->payload);
	buf_clear_secret(&jws->signature);
	memset(jws, 0, sizeof(*jws));
}

enum oauth_outcome
jws_claims(const struct jws *jws, struct json_object **out)
{
	struct json_bounds bounds = {jws->payload.len, JWS_DEPTH_MAX, JWS_CLAIMS_VALUES_MAX};

	*out = NULL;
	return object(&jws->payload, &bounds, out);
}
