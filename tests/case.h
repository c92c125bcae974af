/* SPDX-License-Identifier: MIT */
#ifndef MCP_TESTS_CASE_H
#define MCP_TESTS_CASE_H

#include <stdbool.h>
#include <stddef.h>

#include "base/buf.h"

/*
 * Conversations as directories (tests/cases/README.md says how one is written): the files read into what the runner
 * feeds to the server, and what came back compared with what was expected. Whatever fails here ends the program.
 */

/* Returns a new string: an access token with the claims of this JSON text over the usual ones ("": none). */
typedef char *case_mint(void *ctx, const char *claims);

/* A request as the front would hand it over. */
struct case_request {
	char **envp;		/* "NAME=value", NULL at the end; owned */
	size_t n;
	struct buf body;
};

/* Read the file "path", if there is one, and replace its macros. Returns whether there was one. */
bool case_request_read(const char *path, case_mint *mint, void *ctx, struct case_request *out);
void case_request_clear(struct case_request *r);

/* What a response must be: the whole file; its parts point into it. */
struct case_expect {
	struct buf file;
	int status;
	const char *fields;	/* lines "Name: value" or "-Name", up to "fields_end" */
	const char *fields_end;
	const char *body;	/* to the end of the file, less one line end */
	size_t body_len;
};
void case_expect_read(const char *path, struct case_expect *out);
void case_expect_clear(struct case_expect *e);

/*
 * Append to "why" one line for each thing in which the response is not as expected; nothing when it is. "headers" is
 * the block of "Name: value\r\n" lines.
 */
void case_compare(const struct case_expect *e, int status, const struct buf *headers, const struct buf *body,
    struct buf *why);

/* Append the bytes of a file; false when there is none. */
bool case_read_file(const char *path, struct buf *out);

#endif
