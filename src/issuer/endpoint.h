/* SPDX-License-Identifier: MIT */
#ifndef MCP_ISSUER_ENDPOINT_H
#define MCP_ISSUER_ENDPOINT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/json.h"
#include "base/strlist.h"
#include "http/admission.h"
#include "http/request.h"
#include "http/response.h"
#include "issuer/clients.h"
#include "issuer/database.h"
#include "issuer/form.h"

/* What the issuer's endpoints share: their state, one call's data, and the ways to answer. Private to the issuer. */
#define ENDPOINT_BODY_MAX (64 * 1024)
#define ENDPOINT_SCOPES_MAX 64

struct issuer {
	struct database *db;
	struct admission admission;
	char *url; /* without slash at the end */
	char *resource, *resource_id;
	char *resource_issuer; /* url/resources/resource_id */
	struct strlist scopes; /* that can be granted, "offline_access" among them */
	char *scopes_text; /* the same but "offline_access", with blanks between: what is granted when nothing was asked
			    */
	bool auto_consent;
	int64_t token_ttl_s;
	struct strlist paths; /* of the route table, in its order */
};

struct call {
	struct issuer *issuer;
	struct http_request *req;
	struct http_body_source *body;
	struct http_response *res;
	int64_t now_s;
	const char *issuer_url; /* the issuer identifier that the path belongs to: url or resource_issuer */
};

/* The endpoints: each leaves a whole answer in c->res. */
void endpoint_metadata(struct call *c);   /* RFC 8414 section 3 */
void endpoint_openid(struct call *c);     /* OpenID Connect Discovery 1.0 section 4 */
void endpoint_keys(struct call *c);       /* RFC 7517 section 5 */
void endpoint_register(struct call *c);   /* RFC 7591 section 3 */
void endpoint_authorize(struct call *c);  /* RFC 6749 section 4.1.1, GET: asks the person */
void endpoint_consent(struct call *c);    /* POST: the person's decision */
void endpoint_token(struct call *c);      /* RFC 6749 section 3.2 */
void endpoint_introspect(struct call *c); /* RFC 7662 */
void endpoint_revoke(struct call *c);     /* RFC 7009 */

/*
 * Answer with an OAuth error object, never cached. "description" has no quotes, backslashes or control bytes. Source:
 * RFC 6749 section 5.2.
 */
void endpoint_error(struct call *c, int status, const char *error, const char *description);

/* Answer for a failure of ours: 503 and a log line. */
void endpoint_failure(struct call *c, enum mcp_err err);

/* Answer with "v" (stolen; NULL counts as MCP_ENOMEM), and Cache-Control: no-store when "secret". */
void endpoint_json(struct call *c, int status, struct json_object *v, bool secret);

/* Read the whole body into "out" (initialised here). On failure the answer is made and false returned. */
bool endpoint_body(struct call *c, struct buf *out);

/* Read the body as a form; as above. "repeatable" as in form_parse(). */
bool endpoint_form(struct call *c, const char *repeatable, struct form *out);

/*
 * Find out which client asks, from Basic credentials or the form, and check its secret by the method it registered. On
 * failure the answer is made (401 invalid_client, 400 invalid_request) and false returned. Source: RFC 6749
 * section 2.3, RFC 7591 section 2.
 */
bool endpoint_client(struct call *c, const struct form *form, struct client *out);

/*
 * Whether "resource" (NULL: not sent) is the one this issuer serves; one slash at the end more or less does not count.
 * Source: RFC 8707 section 2.
 */
bool endpoint_resource_ok(const struct issuer *is, const char *resource);

/*
 * Check the scopes that were asked for ("text" NULL: "fallback" is granted) against "allowed" and put them, each once,
 * into "out". MCP_OK; MCP_EINVAL if one cannot be had; MCP_ENOMEM. Source: RFC 6749 section 3.3.
 */
enum mcp_err endpoint_scope(
    const char *text, const char *fallback, const struct strlist *allowed, struct buf *out) MCP_MUST_CHECK;

#endif
