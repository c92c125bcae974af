/* SPDX-License-Identifier: MIT */
#ifndef MCP_TESTS_INSPECTOR_H
#define MCP_TESTS_INSPECTOR_H

#include <pthread.h>

#include "net/fetch.h"
#include "oauth/introspection.h"

/*
 * An authorization server in memory for the tests of introspection_validate(): this program's fetch() takes the place
 * of the library's, so that moments, threads and answers can be chosen. The real one is asked by
 * tests/live/introspection.py.
 */
#define NOW 1800000000
#define ISSUER "https://as.example.com"
#define AUDIENCE "https://mcp.example.com/mcp"

struct inspector {
	pthread_mutex_t lock;	/* over all of it */
	pthread_cond_t changed;
	int asked;		/* requests so far */
	int inside;		/* of these, waiting for "open" */
	bool closed;		/* requests wait until it is false */
	enum mcp_err err;	/* of fetch(), MCP_OK: there is an answer */
	int status;
	const char *type, *body;
	int64_t retry_after_s;
	char last_body[4096];	/* of the last request */
	char last_headers[4096];	/* a line end after each */
	char last_url[256];
};
extern struct inspector inspector;
extern struct token_policy policy;

/* Answer with status 200 and this JSON from now on. */
void inspector_says(const char *body);

/* Let requests wait, or go on. */
void inspector_close(bool closed);

/* Wait until so many requests wait. */
void inspector_await(int inside);

/* An introspection of the server above: keep_s and places as told, client_secret_basic. */
struct introspection *inspector_new(int64_t keep_s, unsigned max_held);

/* Make the policy (issuer and audience as above), and free it. */
void inspector_begin(void);
void inspector_end(void);

#endif
