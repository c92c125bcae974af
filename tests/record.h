/* SPDX-License-Identifier: MIT */
#ifndef MCP_TESTS_RECORD_H
#define MCP_TESTS_RECORD_H

#include <stddef.h>

/*
 * With MCP_TEST_RECORD in the environment each response that a test gets is appended to the file of that name, one JSON
 * object a line, for tests/conformance/responses.mjs, which judges them by the specification's schemas. Without it
 * nothing happens. Tests that are linked with --wrap=mcp_dispatch (record_dispatch.c) need not call it.
 */
struct record {
	const char *request;	/* the body */
	size_t request_len;
	const char *version;	/* what the request says in MCP-Protocol-Version; NULL: nothing */
	int status;
	const char *type;	/* the media type of the response, up to a NUL or the end of the line */
	const char *body;
	size_t body_len;
};
void record_response(const struct record *record);

#endif
