/* SPDX-License-Identifier: MIT */
#ifndef MCP_OAUTH_CLAIMS_H
#define MCP_OAUTH_CLAIMS_H

#include <stdbool.h>
#include <stdint.h>

#include "base/buf.h"
#include "oauth/outcome.h"
#include "oauth/principal.h"
#include "oauth/policy.h"

struct json_object;

#define CLAIMS_SCOPES_MAX 512	/* different scopes of one token */

/*
 * Whether "iss" is one of the policy's issuers: OAUTH_OK, OAUTH_WRONG_ISSUER, or OAUTH_BAD_CLAIMS when it is none. May
 * be asked before the signature is verified, to choose the policy. Source: RFC 7519 section 4.1.1.
 */
enum oauth_outcome claims_judge_issuer(const struct token_policy *policy, const struct json_object *claims);

/*
 * Judge the claims of a token whose signature is good, and whose issuer is the policy's: kind of token, sender
 * constraint, audience, resource, times, subject, what the operator requires, in this order. "claims" is an object,
 * only read. Returns OAUTH_OK or the first refusal; "seen" as token_validate() says. Source: RFC 7519 section 4.1, RFC
 * 9068 section 4, RFC 9449 section 7.2.
 */
enum oauth_outcome claims_judge(const struct token_policy *policy, const struct json_object *claims, int64_t now_s,
    struct buf *seen);

/*
 * Fill "out" (all zero before) with what claims_judge() approved of; out->claims is left to the caller. Returns
 * OAUTH_OK; OAUTH_WRONG_CLIENT or OAUTH_WRONG_ORGANISATION when the policy allows only others; OAUTH_BAD_CLAIMS with
 * more than CLAIMS_SCOPES_MAX scopes; OAUTH_OUT_OF_RESOURCES. After a refusal "out" may be filled in part:
 * principal_clear() releases it.
 */
enum oauth_outcome claims_principal(const struct token_policy *policy, const struct json_object *claims,
    struct principal *out);

/*
 * Find a claim by its name, or by a JSON Pointer through objects when "path" begins with a slash; *out is borrowed.
 * Returns whether it is there. Source: RFC 6901 section 4.
 */
bool claims_find(const struct json_object *claims, const char *path, struct json_object **out);

#endif
