/* SPDX-License-Identifier: MIT */
#ifndef MCP_OAUTH_INTROSPECTION_H
#define MCP_OAUTH_INTROSPECTION_H

#include <stddef.h>
#include <stdint.h>

#include "base/buf.h"
#include "base/err.h"
#include "net/fetch.h"
#include "oauth/client_auth.h"
#include "oauth/outcome.h"
#include "oauth/policy.h"
#include "oauth/principal.h"

/*
 * Asking an authorization server about tokens (RFC 7662), for those that cannot be read here. What it says is kept for
 * a short time (introspection_cache.h), a token is asked about by one thread at a time, an authorization server in
 * trouble is left alone (breaker.h), and it can hold only some of our threads. All of that is the process's own: each
 * asks for itself.
 */
#define INTROSPECTION_TOTAL_MS 5000	/* of one question */

struct discovery;

struct introspection_options {
	const char *endpoint;		/* URL, the operator's; NULL: what the metadata says */
	struct discovery *discovery;	/* borrowed; not used with "endpoint" */
	const char *issuer;		/* whose tokens these are when a response does not say */
	struct client_auth auth;	/* what it borrows must live as long */
	const struct fetch_policy *fetch;	/* borrowed */
	int64_t keep_s;			/* 0: nothing is kept */
	unsigned max_held;		/* threads that may ask or wait at the same time; at least 1 */
};

struct introspection;

/*
 * Make one; nobody is asked yet. Strings of its own are copied. Returns MCP_OK or MCP_ENOMEM. Release with
 * introspection_free(). Thread-safe but for new and free.
 */
enum mcp_err introspection_new(const struct introspection_options *options, struct introspection **out) MCP_MUST_CHECK;

/* Release, when nobody asks any more; NULL is fine. */
void introspection_free(struct introspection *in);

/*
 * Whether "token" is a good access token, by what is kept or by asking. Returns OAUTH_OK with "out" filled
 * (principal_clear() releases it), else a refusal with "out" all zero: OAUTH_INACTIVE, those of introspection_judge(),
 * OAUTH_INTROSPECTION_UNAVAILABLE (nobody could say: no usable answer, or too many threads wait for one),
 * OAUTH_OUT_OF_RESOURCES. "seen" as for token_validate(). May take INTROSPECTION_TOTAL_MS, with discovery twice that,
 * and a second more. Source: RFC 7662 sections 2 and 4.
 */
enum oauth_outcome introspection_validate(struct introspection *in, const struct token_policy *policy,
    const char *token, size_t len, int64_t now_s, struct principal *out, struct buf *seen);

/* In how many seconds it is worth to try again after OAUTH_INTROSPECTION_UNAVAILABLE, at least 1. */
int64_t introspection_retry_after_s(struct introspection *in);

#endif
