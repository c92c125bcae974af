/* SPDX-License-Identifier: MIT */
#ifndef MCP_TESTS_RECORD_H
#define MCP_TESTS_RECORD_H

#include <stddef.h>

#include "base/buf.h"

/*
 * With MCP_TEST_RECORD in the environment each response that a test gets is appended to the file of that name, one JSON
 * object a line, for tests/conformance/responses.mjs, which judges them by the specification's schemas. Without it
 * nothing happens. "headers" is the block of "Name: value\r\n" lines; "version" is what the request said in
 * MCP-Protocol-Version, NULL for nothing.
 */
void record_response(const char *test, const struct buf *request, const char *version, int status,
    const struct buf *headers, const struct buf *body);

#endif
