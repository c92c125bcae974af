/* SPDX-License-Identifier: MIT */
#ifndef MCP_OAUTH_CLIENT_AUTH_H
#define MCP_OAUTH_CLIENT_AUTH_H

#include <stdint.h>

#include "base/buf.h"
#include "base/err.h"

struct jwa_key;

/* How we show an authorization server who we are, by the names of RFC 7591 section 2. */
enum client_auth_method {
	CLIENT_AUTH_BASIC,		/* client_secret_basic */
	CLIENT_AUTH_POST,		/* client_secret_post */
	CLIENT_AUTH_PRIVATE_KEY_JWT	/* private_key_jwt */
};

#define CLIENT_ASSERTION_LIFETIME_S 60

/* Credentials; everything is borrowed. */
struct client_auth {
	enum client_auth_method method;
	const char *client_id;
	const char *client_secret;	/* BASIC, POST */
	const struct jwa_key *key;	/* PRIVATE_KEY_JWT */
	const char *key_id;		/* kid of the assertion, or NULL */
	const char *audience;		/* aud of the assertion */
};

/*
 * Append a credential to a request whose body is a form: to "header" a whole "Authorization: Basic ..." line (BASIC;
 * else nothing), to "body" parameters with "&" before each (POST, PRIVATE_KEY_JWT; else nothing). An assertion has
 * iss and sub, the client id; aud; a random jti; iat, and an exp CLIENT_ASSERTION_LIFETIME_S later. Returns MCP_OK,
 * MCP_ENOMEM, MCP_ELIMIT or MCP_ECRYPTO; what was appended is secret, also after a failure (buf_clear_secret()).
 * Source: RFC 6749 section 2.3.1, RFC 7523 sections 2.2 and 3.
 */
enum mcp_err client_auth_put(const struct client_auth *a, int64_t now_s, struct buf *header,
    struct buf *body) MCP_MUST_CHECK;

#endif
