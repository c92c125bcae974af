/* SPDX-License-Identifier: MIT */
#ifndef MCP_OAUTH_INTROSPECTION_ANSWER_H
#define MCP_OAUTH_INTROSPECTION_ANSWER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/buf.h"
#include "base/err.h"
#include "oauth/outcome.h"
#include "oauth/policy.h"
#include "oauth/principal.h"

struct json_object;

#define INTROSPECTION_BYTES_MAX (64 * 1024)

/*
 * Read an introspection response that came with status 200: application/json by its Content-Type, strict JSON, an
 * object whose "active" is true or false. Returns MCP_OK with *claims the new object for an active token, NULL for one
 * that is not; MCP_EREMOTE with *why a static phrase (not JSON, too large, a signed response, no "active" or one of
 * another type: nothing can be decided); MCP_ENOMEM. *claims is NULL on failure. Source: RFC 7662 section 2.2, RFC 9701
 * section 5 (signed responses, which are not supported).
 */
enum mcp_err introspection_read(const char *content_type, const char *body, size_t len, struct json_object **claims,
    const char **why) MCP_MUST_CHECK;

/*
 * Whether an answer with status 400 says that the server cannot be asked about tokens of this kind: JSON whose "error"
 * is "unsupported_token_type", as oidc-provider says of every JWT and JWE. No other server can be asked, so that is
 * final, while other errors may lie in the question. False also without memory. Source: RFC 7009 section 2.2.1, whose
 * word it is.
 */
bool introspection_is_unsupported(const char *content_type, const char *body, size_t len);

/*
 * Judge what introspection_read() found as claims_judge() does the claims of a JWT; "out" and "seen" as
 * token_validate() has them, the claims are stolen. What a response may leave out by RFC 7662 section 2.2 is filled in
 * before: no iss is the issuer whose server was asked ("issuer"); no exp is "until_s", the moment until which the
 * answer may be used; no sub is the client_id, when it speaks for itself. An aud is required and must fit. A token_type
 * of DPoP is OAUTH_SENDER_CONSTRAINED.
 */
enum oauth_outcome introspection_judge(const struct token_policy *policy, const char *issuer,
    struct json_object *claims, int64_t until_s, int64_t now_s, struct principal *out, struct buf *seen);

#endif
