/* SPDX-License-Identifier: MIT */
#ifndef MCP_OAUTH_JWS_H
#define MCP_OAUTH_JWS_H

#include <stddef.h>

#include "base/buf.h"
#include "base/json.h"
#include "oauth/outcome.h"

#define JWS_HEADER_MAX (8 * 1024)	/* bytes of the decoded JOSE header */
#define JWS_HEADER_VALUES_MAX 256	/* JSON values in it */
#define JWS_CLAIMS_VALUES_MAX 4096	/* JSON values in the payload */
#define JWS_DEPTH_MAX 32		/* of both */

/* A compact JWS, taken apart and not yet believed; for token.c alone. */
struct jws {
	const char *signing_input;	/* header "." payload as they came, borrowed from the token */
	size_t signing_input_len;
	struct json_object *header;	/* owned */
	const char *alg;		/* borrowed from the header, never NULL after success */
	const char *kid, *typ;		/* likewise, NULL if absent */
	struct buf payload;		/* decoded, not parsed */
	struct buf signature;		/* decoded */
};

/*
 * Split "token" into its three segments, decode them, and parse the header. Refused without a look at any key: other
 * numbers of segments, an empty one, anything but unpadded base64url, a header that is no strict JSON object or too
 * large (OAUTH_NOT_JWT); the members crit, b64, cty, zip and enc, and alg, kid or typ of a wrong type or kid empty or
 * too long (OAUTH_BAD_HEADER_JOSE); no alg (OAUTH_BAD_ALGORITHM); a signature longer than any key's
 * (OAUTH_BAD_SIGNATURE). "jws" is to be released with jws_clear() in every case. OAUTH_OUT_OF_RESOURCES when memory
 * is short. All other header members, jwk, jku, x5u and x5c among them, mean nothing here. Source: RFC 7515 sections
 * 2, 4 and 5.2, RFC 7797 section 6, RFC 8725 section 3.10.
 */
enum oauth_outcome jws_parse(const char *token, size_t len, struct jws *jws);

/* Free what it holds; payload and signature are overwritten. All zero afterwards. */
void jws_clear(struct jws *jws);

/*
 * The payload as a JSON object, *out new; OAUTH_NOT_JWT with *out NULL if it is anything else. What is in it is to be
 * believed only when the signature is known to be good. Source: RFC 7519 section 7.2.
 */
enum oauth_outcome jws_claims(const struct jws *jws, struct json_object **out);

#endif
