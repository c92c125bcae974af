/* SPDX-License-Identifier: MIT */
#ifndef MCP_SERVER_ANSWER_H
#define MCP_SERVER_ANSWER_H

#include "server/exchange.h"

/*
 * The answers that steps of the chain give when they end it: fixed sentences for the client, nothing of the request in
 * them. Each returns true ("answered"), so that a step ends with "return answer_...()".
 */

/* {"error": "..."} with a status. "text" is ours and needs no escaping. */
bool answer_error(struct exchange *x, int status, const char *text);

/*
 * 401, 400, 403 or 503 for an authorization outcome: body, challenge, Retry-After; counts it. Every challenge is
 * written here.
 */
bool answer_refused(struct exchange *x, enum oauth_outcome outcome);

/*
 * 429 with the body that users of slowapi know, Retry-After, RateLimit and RateLimit-Policy. Source: RFC 6585 section
 * 4, draft-ietf-httpapi-ratelimit-headers.
 */
bool answer_limited(struct exchange *x);

/* 404 that names the right path. */
bool answer_not_found(struct exchange *x);

/* 405 with Allow. */
bool answer_method(struct exchange *x);

/* The challenge field alone, for a 403 whose body is a JSON-RPC error. */
void answer_challenge(struct exchange *x, enum oauth_outcome outcome, const struct strlist *scopes);

/* RateLimit and RateLimit-Policy of x->verdict; nothing when no limit applies. */
void answer_limit_fields(struct exchange *x);

#endif
