/* SPDX-License-Identifier: MIT */
#ifndef MCP_ISSUER_MINT_H
#define MCP_ISSUER_MINT_H

#include <stdbool.h>
#include <stdint.h>

#include "base/buf.h"
#include "base/err.h"
#include "base/json.h"
#include "base/strlist.h"
#include "issuer/database.h"

/* Access tokens in the shape that Scalekit gives them; the only user of libjwt. */
#define MINT_TOKEN_MAX (64 * 1024)

struct mint {
	const char *issuer;
	const char *resource;    /* first audience */
	const char *resource_id; /* second audience */
	const char *subject;
	const char *client_id;
	const char *organisation; /* claim "oid"; NULL: left out */
	const char *scope;        /* with blanks between */
	bool machine;             /* a "scopes" array instead of a "scope" string */
	int64_t ttl_s;
	int64_t grant_id;              /* 0: none */
	struct json_object *claims;    /* an object whose members replace claims or join them, borrowed; NULL: none */
	const struct strlist *without; /* claims left out in the end; NULL: none */
};

/*
 * Compose, sign with the current key, and note in the database. Returns MCP_OK with the compact token appended to
 * "out"; MCP_EINVAL if the grant was revoked meanwhile; MCP_ENOMEM, MCP_EDB, MCP_ECRYPTO. Source: RFC 7519, RFC 9068
 * section 2.2.
 */
enum mcp_err mint_access_token(struct database *d, const struct mint *m, int64_t now_s, struct buf *out) MCP_MUST_CHECK;

#endif
