/* SPDX-License-Identifier: MIT */
#ifndef MCP_MCP_URI_TEMPLATE_H
#define MCP_MCP_URI_TEMPLATE_H

#include <stdbool.h>
#include <stddef.h>

#include "base/err.h"

/*
 * URI templates of RFC 6570 as far as URIs can be told apart by them: literals, simple expressions {name} and reserved
 * ones {+name}, one variable each. Compiled once, matched backwards: from a URI to the values of the variables.
 */
struct uri_template;
struct json_object;

#define URI_MAX 2048			/* bytes of a URI, and of a template */
#define URI_TEMPLATE_VARIABLES_MAX 16

/*
 * Compile "text". Returns MCP_OK with *out new, to be released with uri_template_free(); MCP_EINVAL with *why a static
 * phrase (an expression that is not understood, two without a literal between them, a variable twice, none at all,
 * bytes that are not of RFC 3986, a bound); MCP_ENOMEM. *out is NULL on failure.
 */
enum mcp_err uri_template_new(const char *text, struct uri_template **out, const char **why) MCP_MUST_CHECK;
void uri_template_free(struct uri_template *t);

/* Whether the template has the variable. */
bool uri_template_has(const struct uri_template *t, const char *name);

/*
 * Match the whole of "uri". {name} stands for one or more characters of a path segment (RFC 3986 pchar), {+name} for
 * one or more of any; the first variable takes as much as it can, then the next. Returns MCP_OK with *values a new
 * object of strings, percent-encodings decoded; MCP_ENOENT: no match, also when a value would not be UTF-8 or would
 * hold NUL; MCP_ENOMEM. *values is NULL on failure. Time and memory are linear in the length of "uri".
 */
enum mcp_err uri_template_match(const struct uri_template *t, const char *uri,
    struct json_object **values) MCP_MUST_CHECK;

/* Whether "uri" is an absolute URI of at most URI_MAX bytes as far as its characters tell. Source: RFC 3986. */
bool uri_is_absolute(const char *uri);

#endif
