/* SPDX-License-Identifier: MIT */
#ifndef MCP_OAUTH_METADATA_H
#define MCP_OAUTH_METADATA_H

#include <stdbool.h>

#include "base/buf.h"
#include "base/err.h"
#include "base/json.h"
#include "base/strlist.h"

/* The protected resource metadata of this server (RFC 9728), prepared once a configuration. */
struct metadata {
	int status;		/* 200, or 500 when it is not to be had */
	char *body;		/* owned; JSON text, two blanks a level; {"error": ...} with 500 */
	char *resource;		/* owned; the document's "resource", NULL without a good document */
};

/*
 * Prepare the document from PROTECTED_RESOURCE_METADATA. "text" is its value: a JSON object, which is served as it is;
 * "auto" for one made of the other arguments. A 500 that says so stands in its place when "text" is NULL or empty, or
 * "auto" without a resource or any authorization server; and when it is no JSON object, with *fault set. Returns MCP_OK
 * also for the 500s; MCP_ENOMEM. Release with metadata_clear(). Source: RFC 9728 section 2.
 */
enum mcp_err metadata_build(const char *text, const char *resource, const struct strlist *authorization_servers,
    const struct strlist *scopes, struct metadata *out, struct json_fault *fault) MCP_MUST_CHECK;

/* Free what it holds; all zero afterwards. NULL is fine. */
void metadata_clear(struct metadata *m);

/*
 * Append the URL of the metadata of "resource": the well-known part inserted between host and path, or right behind
 * the host when "root". Returns MCP_OK; MCP_ESYNTAX if "resource" is no absolute http(s) URL, or one with userinfo or
 * a fragment; the failure of the buffer. Source: RFC 9728 section 3.1.
 */
enum mcp_err metadata_url(const char *resource, bool root, struct buf *out) MCP_MUST_CHECK;

#endif
