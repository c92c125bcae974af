/* SPDX-License-Identifier: MIT */
#include "oauth/client_auth.h"

#include <inttypes.h>
#include <string.h>

#include "base/digest.h"
#include "base/json.h"
#include "base/text.h"
#include "oauth/jwa_key.h"

#define ASSERTION_MAX 8192	/* bytes of each part */
#define JTI_BYTES 16

static const char assertion_type[] = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer";

static void
put_parameter(const char *name, const char *value, struct buf *body)
{
	buf_printf(body, "&%s=", name);
	text_form_encode(value, strlen(value), body);
}

/* id and secret are form-encoded first, so that a colon in the id cannot move the border between them. */
static enum mcp_err
put_basic(const struct client_auth *a, struct buf *header)
{
	enum mcp_err err;
	struct buf pair;

	buf_init(&pair, ASSERTION_MAX);
	text_form_encode(a->client_id, strlen(a->client_id), &pair);
	buf_putc(&pair, ':');
	text_form_encode(a->client_secret, strlen(a->client_secret), &pair);
	buf_puts(header, "Authorization: Basic ");
	text_base64_encode(pair.data, pair.len, header);
	err = buf_status(&pair) ? buf_status(&pair) : buf_status(header);
	buf_clear_secret(&pair);
	return err;
}

static void
put_member(const char *before, const char *name, const char *value, struct buf *out)
{
	buf_printf(out, "%s\"%s\":", before, name);
	json_render_string(value, strlen(value), out);
}

static enum mcp_err
put_claims(const struct client_auth *a, int64_t now_s, struct buf *out)
{
	uint8_t random[JTI_BYTES];
	enum mcp_err err = digest_random(random, sizeof(random));

	if (err)
		return err;
	put_member("{", "iss", a->client_id, out);
	put_member(",", "sub", a->client_id, out);
	put_member(",", "aud", a->audience, out);
	buf_puts(out, ",\"jti\":\"");
	text_base64url_encode(random, sizeof(random), out);
	buf_printf(out, "\",\"iat\":%" PRId64 ",\"exp\":%" PRId64 "}", now_s, now_s + CLIENT_ASSERTION_LIFETIME_S);
	return buf_status(out);
}

/* Append a JWS in compact form. Source: RFC 7515 section 7.1. */
static enum mcp_err
put_assertion(const struct client_auth *a, int64_t now_s, struct buf *out)
{
	struct buf part, input;
	enum mcp_err err;

	buf_init(&part, ASSERTION_MAX);
	buf_init(&input, 4 * ASSERTION_MAX);
	put_member("{", "alg", jwa_key_algorithm(a->key), &part);
	put_member(",", "typ", "JWT", &part);
	if (a->key_id)
		put_member(",", "kid", a->key_id, &part);
	buf_putc(&part, '}');
	text_base64url_encode(part.data, part.len, &input);
	err = buf_status(&part);
	buf_reset(&part);
	if (!err)
		err = put_claims(a, now_s, &part);
	buf_putc(&input, '.');
	text_base64url_encode(part.data, part.len, &input);
	if (!err)
		err = buf_status(&input);
	buf_reset(&part);
	if (!err)
		err = jwa_key_sign(a->key, input.data, input.len, &part);
	buf_putc(&input, '.');
	text_base64url_encode(part.data, part.len, &input);
	buf_put(out, input.data, input.len);
	if (!err)
		err = buf_status(&input) ? buf_status(&input) : buf_status(out);
	buf_clear_secret(&part);
	buf_clear_secret(&input);
	return err;
}

enum mcp_err
client_auth_put(const struct client_auth *a, int64_t now_s, struct buf *header, struct buf *body)
{
	enum mcp_err err;

	if (a->method == CLIENT_AUTH_BASIC)
		return put_basic(a, header);
	put_parameter("client_id", a->client_id, body);
	if (a->method == CLIENT_AUTH_POST) {
		put_parameter("client_secret", a->client_secret, body);
		return buf_status(body);
	}
	put_parameter("client_assertion_type", assertion_type, body);
	buf_puts(body, "&client_assertion=");
	err = put_assertion(a, now_s, body);
	return err ? err : buf_status(body);
}
