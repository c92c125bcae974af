/* SPDX-License-Identifier: MIT */
#ifndef MCP_TESTS_VALIDATION_H
#define MCP_TESTS_VALIDATION_H

#include <openssl/types.h>
#include <pthread.h>
#include <stdatomic.h>

#include "oauth/jwks.h"
#include "oauth/token.h"

/*
 * What the tests of token_validate() share: a policy, keys of every kind, and a keystore that is a set in memory
 * (this program's keystore_find() takes the place of the library's).
 */
#define NOW 1800000000
#define ISSUER "https://as.example.com"
#define AUDIENCE "https://mcp.example.com/mcp"

extern struct token_policy policy;	/* issuer and audience as above, all algorithms, 30 s, 16 KiB */
extern EVP_PKEY *rsa, *rsa2, *p256, *p384, *p521, *ed25519;

struct keystore {
	pthread_mutex_t lock;		/* over "set" */
	struct jwks *set;		/* NULL: none to be had */
	atomic_int asked;		/* how often somebody looked for a key */
};
extern struct keystore keystore;

/* token_validate() with one trusted issuer, of "policy" and "keystore". */
enum oauth_outcome validate_token(const char *token, size_t len, int64_t now_s, struct principal *out,
    struct buf *said);

/* Put another set there; returns the old one, which is the caller's. */
struct jwks *keystore_swap(struct jwks *set);

/* Put the usual keys there in a new set, which has verified nothing yet. */
void keystore_renew(void);

/*
 * Make policy and keys. The set has: rsa as "rsa" (alg RS256), rsa2 as "any" (no alg), p256, p384, p521 and ed25519
 * by these names. Free with validation_end().
 */
void validation_begin(void);
void validation_end(void);

/* A set of the JWK texts (NULL at the end); ends the program if it is none. */
struct jwks *make_set(const char *jwk, ...);

/* One JWK text; the caller frees. "more": further members with a comma before the first. */
char *jwk_text(EVP_PKEY *key, const char *more);

/* The usual claims, with "name" set to the JSON text "value", or left out when "value" is NULL. The caller frees. */
char *claims(const char *name, const char *value);

/* A token by "rsa", RS256, with the usual header and the payload (freed). */
char *with_payload(char *payload);

/* The same with one claim changed. */
char *with_claim(const char *name, const char *value);

/* A token by "rsa", RS256, usual claims, with this header text. */
char *with_header(const char *header);

/*
 * Claim that "token" (freed) is accepted, or refused for "word" with the principal left all zero. accepted() keeps
 * the principal in "who" until the next call.
 */
bool accepted(char *token, const char *text, ...) __attribute__((format(printf, 2, 3)));
bool refused(const char *word, char *token, const char *text, ...) __attribute__((format(printf, 3, 4)));
extern struct principal who;
extern struct buf seen;		/* what token_validate() said in the last call */

#endif
