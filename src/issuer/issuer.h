/* SPDX-License-Identifier: MIT */
#ifndef MCP_ISSUER_ISSUER_H
#define MCP_ISSUER_ISSUER_H

#include <stdbool.h>
#include <stdint.h>

#include "base/err.h"
#include "http/request.h"
#include "http/response.h"

/*
 * The development issuer: an OAuth 2.1 authorization server for one protected resource, on loopback, with one made-up
 * person who is always signed in. It has the URLs and token shapes of a Scalekit environment, so that the same settings
 * serve both: {url}/keys, and for the resource id RES the issuer {url}/resources/RES with its metadata at
 * {url}/.well-known/oauth-authorization-server/resources/RES and below {url}/resources/RES/. Never for production:
 * whoever reaches it gets a token.
 */
struct issuer_options {
	const char *state_dir;   /* keys, clients and tokens are kept in its subdirectory "issuer" */
	const char *url;         /* http or https URL of a loopback host, without path: the environment URL */
	const char *resource;    /* the protected resource's canonical URL: audience of the tokens */
	const char *resource_id; /* "res_...": second audience, and part of the issuer's path */
	const char *scopes;      /* scopes that can be granted, with blanks between */
	bool auto_consent;       /* for scripts: no page, every request is granted as it stands */
	int64_t token_ttl_s;     /* lifetime of access tokens, 1 to 86400 */
};
#define ISSUER_DEFAULT_SCOPES "usr:read web-search:read admin"
#define ISSUER_DEFAULT_RESOURCE_ID "res_dev"
#define ISSUER_DEFAULT_TTL_S 3600

/* The made-up person and the organisation of all. */
#define ISSUER_SUBJECT "usr_dev"
#define ISSUER_ORGANISATION "org_dev"

/* Names of the settings that a running issuer leaves in the database for the command (database_setting_get()). */
#define ISSUER_SETTING_URL "url"
#define ISSUER_SETTING_RESOURCE "resource"
#define ISSUER_SETTING_RESOURCE_ID "resource_id"
#define ISSUER_SETTING_SCOPES "scopes"

struct issuer;

/* NULL if the options are good, else a static phrase saying what is wrong. */
const char *issuer_options_fault(const struct issuer_options *o);

/*
 * Open the state directory (the first time: make a key) and prepare. The options are copied. Returns MCP_OK with *out
 * (issuer_free()); MCP_EINVAL for options with a fault; MCP_EPERM, MCP_EIO, MCP_EDB, MCP_ENOMEM, MCP_ECRYPTO. *why is
 * static.
 */
enum mcp_err issuer_new(
    const struct issuer_options *o, int64_t now_s, struct issuer **out, const char **why) MCP_MUST_CHECK;

/* Release; NULL is fine. */
void issuer_free(struct issuer *is);

/* Answer one request at "now_s"; always leaves a whole answer in "res". Thread-safe. */
void issuer_handle(struct issuer *is, struct http_request *req, struct http_body_source *body,
    struct http_response *res, int64_t now_s);

#endif
