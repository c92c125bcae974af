/* SPDX-License-Identifier: MIT */
#ifndef MCP_OAUTH_ISSUER_H
#define MCP_OAUTH_ISSUER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/err.h"
#include "oauth/discovery.h"
#include "oauth/introspection.h"
#include "oauth/jwa_key.h"
#include "oauth/keystore.h"
#include "oauth/policy.h"

/* How its tokens are validated (VALIDATION). */
enum token_validation {
	TOKEN_VALIDATION_JWT,		/* by their signature */
	TOKEN_VALIDATION_OPAQUE,	/* so are JWTs; the authorization server is asked about others */
	TOKEN_VALIDATION_INTROSPECT	/* it is asked about all */
};

/*
 * One authorization server that is trusted: what its tokens must say and where its keys are. Nothing of one issuer
 * counts for another one's tokens, keys least of all (RFC 8725 section 3.8).
 */
struct issuer {
	char *name;			/* owned; of its section, "default" for the settings before sections */
	struct token_policy policy;	/* owned */
	struct discovery *discovery;	/* owned; its metadata */
	struct keystore *keys;		/* owned */
	enum token_validation validation;
	struct introspection *introspection;	/* owned; NULL with TOKEN_VALIDATION_JWT */
	struct jwa_key *client_key;	/* owned; NULL: none. What "introspection" signs with */
};

/* All that are trusted. The first one is the default: whose metadata and registration are passed on. */
struct issuers {
	struct issuer *v;
	size_t n;
};

/*
 * Append an issuer named "name" (copied) to the set, for the caller to fill in; everything else in it is zero. At most
 * ISSUERS_MAX. Returns it, borrowed and valid until the next call; NULL when memory is short or the set is full.
 */
#define ISSUERS_MAX 64
struct issuer *issuers_add(struct issuers *set, const char *name);

/* Free all of them; the set is empty afterwards. NULL is fine. */
void issuers_clear(struct issuers *set);

/* keystore_maintain() for all of them. */
void issuers_maintain(const struct issuers *set, int64_t now_s);

/* Whether keystore_is_due() says so of any of them. */
bool issuers_are_due(const struct issuers *set, int64_t now_s);

#endif
