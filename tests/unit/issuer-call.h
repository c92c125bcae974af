/* SPDX-License-Identifier: MIT */
#ifndef MCP_TESTS_ISSUER_CALL_H
#define MCP_TESTS_ISSUER_CALL_H

#include <stdbool.h>
#include <stdint.h>

#include "issuer/issuer.h"

/* What the issuer's tests share: an issuer in a directory of its own, asked without a socket. Anything that goes wrong
 * here ends the program. */
#define ISSUER_URL "http://127.0.0.1:3003"
#define ISSUER_RESOURCE "http://127.0.0.1:3002/mcp"
#define ISSUER_REDIRECT "http://127.0.0.1:5000/callback"
/* RFC 7636 appendix B. */
#define ISSUER_VERIFIER "dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk"
#define ISSUER_CHALLENGE "E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM"

struct fixture {
	char dir[64];
	struct issuer *is;
	int64_t now_s;
	const char *variables[8]; /* further CGI variables, "NAME=value", for the next calls; NULL ends */
};
void fixture_open(struct fixture *f, bool auto_consent);
void fixture_close(struct fixture *f);

/* A second issuer on the same directory, as another process would be one. */
void fixture_join(struct fixture *f, const struct fixture *first);

struct reply {
	int status;
	char *headers, *body;
};
void reply_clear(struct reply *r);

/* One request. "query" and "body" may be NULL; a body is of media type "type". */
struct reply issuer_call(
    struct fixture *f, const char *method, const char *path, const char *query, const char *type, const char *body);

/* Shorthands for a form to "path" and for a GET. */
struct reply issuer_post(struct fixture *f, const char *path, const char *form);
struct reply issuer_get(struct fixture *f, const char *path, const char *query);

/* The value of a header field, or of a member that is a string, in the heap; NULL if there is none. */
char *reply_header(const struct reply *r, const char *name);
char *reply_member(const struct reply *r, const char *name);

/* Claim that the reply is the OAuth error "error" with "status"; clears the reply. */
void is_error(struct reply r, int status, const char *error, const char *text);

/* Register a client with the JSON text; returns its client_id (heap). *secret (may be NULL) gets the secret. */
char *register_client(struct fixture *f, const char *json, char **secret);

/* The value of parameter "name" in a URL's query, decoded, in the heap; NULL if there is none. */
char *url_parameter(const char *url, const char *name);

/* A formatted heap string. */
char *text_of(const char *fmt, ...) __attribute__((format(printf, 1, 2)));

/* A code for the client, with automatic consent; "more" is appended to the query. */
char *get_code(struct fixture *f, const char *client_id, const char *more);

#endif
