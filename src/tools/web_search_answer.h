/* SPDX-License-Identifier: MIT */
#ifndef MCP_TOOLS_WEB_SEARCH_ANSWER_H
#define MCP_TOOLS_WEB_SEARCH_ANSWER_H

#include <stddef.h>
#include <stdint.h>

#include "base/buf.h"
#include "base/err.h"

struct json_object;

/*
 * Reading what Tavily answers. Titles and texts come from any page of the web: control bytes and characters that hide
 * or reorder text are left out, and everything is bounded.
 */
#define WEB_SEARCH_ANSWER_MAX (4 * 1024 * 1024)	/* bytes of an answer that are read */
#define WEB_SEARCH_RESULT_MAX (400 * 1024)	/* bytes of all strings in a result */

/*
 * Make the structured result of a 200. "text" is changed in place: escapes that stand for NUL or for half a surrogate
 * pair become U+FFFD, since one broken page must not cost the whole search. "query" is what was asked. Returns MCP_OK
 * with *out new, as web_search_output_schema says; MCP_EREMOTE (not what Tavily documents), MCP_ENOMEM with *out NULL.
 */
enum mcp_err web_search_read(char *text, size_t len, const char *query, struct json_object **out) MCP_MUST_CHECK;

/* Append a structured result as text for reading: "Detailed Results:", then title, URL and content of each. */
void web_search_render(const struct json_object *result, struct buf *out);

/*
 * Append what an error answer says, cleaned and cut to a line, nothing if it says nothing: detail.error, detail, the
 * members of a validation list, or error.message. *retry_after_s is set if the body tells one (keyless mode), else
 * untouched. "text" is changed as above.
 */
void web_search_read_error(char *text, size_t len, struct buf *out, int64_t *retry_after_s);

#endif
