/* SPDX-License-Identifier: MIT */
#ifndef MCP_ISSUER_GRANTS_H
#define MCP_ISSUER_GRANTS_H

#include <stdbool.h>
#include <stdint.h>

#include "base/err.h"
#include "issuer/database.h"

/*
 * What people and machines were granted: the authorization request while a person looks at it, the code, refresh
 * tokens, access tokens. All secrets come in as their holder sends them and are kept hashed. All functions return
 * MCP_EDB, MCP_ENOMEM or MCP_ECRYPTO for failures of ours, besides what is said at each.
 */
#define GRANTS_REQUEST_TTL_S 600 /* a consent page left open */
#define GRANTS_CODE_TTL_S 60
#define GRANTS_REFRESH_TTL_S 86400 /* from its issue */
#define GRANTS_TTL_S (30 * 86400)  /* the longest that rotation goes on */
#define GRANTS_REQUESTS_MAX 10000  /* open consent pages; the oldest give way */

/* A checked authorization request. Strings are owned by authorization_clear(). */
struct authorization {
	char *client_id;
	char *redirect_uri;
	char *state;     /* NULL if there was none */
	char *scope;     /* with blanks between, never NULL */
	char *challenge; /* code_challenge, S256 */
	char *issuer;    /* the issuer identifier of the endpoint that was asked */
};

/* Free the strings; all zero afterwards. */
void authorization_clear(struct authorization *a);

/* A grant that a code or a refresh token stands for. Strings are owned by grant_clear(). */
struct grant {
	int64_t id;
	char *client_id, *subject, *organisation, *scope, *issuer;
	char *redirect_uri, *challenge; /* of a code only */
	int64_t expires_s;
};

/* Free the strings; all zero afterwards. */
void grant_clear(struct grant *g);

/* Keep a request under "handle" for the browser that holds "browser". MCP_OK. */
enum mcp_err grants_request_add(struct database *d, const char *handle, const char *browser,
    const struct authorization *a, int64_t now_s) MCP_MUST_CHECK;

/*
 * Take the request out: MCP_OK with *out; MCP_ENOENT if there is none, it has expired, or it is another browser's (it
 * stays then).
 */
enum mcp_err grants_request_take(struct database *d, const char *handle, const char *browser, int64_t now_s,
    struct authorization *out) MCP_MUST_CHECK;

/* Make a grant of "a" for a person, and "code" for it. MCP_OK. */
enum mcp_err grants_code_add(struct database *d, const char *code, const struct authorization *a, const char *subject,
    const char *organisation, int64_t now_s) MCP_MUST_CHECK;

/*
 * Use a code up. MCP_OK with *out; MCP_ENOENT if it is unknown or has expired; MCP_EINVAL if it was used before: the
 * whole grant is revoked then (RFC 6749 section 4.1.2). *out is all zero on failure.
 */
enum mcp_err grants_code_take(struct database *d, const char *code, int64_t now_s, struct grant *out) MCP_MUST_CHECK;

/* Keep a refresh token of the grant "g". MCP_OK. */
enum mcp_err grants_refresh_add(
    struct database *d, const char *token, const struct grant *g, int64_t now_s) MCP_MUST_CHECK;

/*
 * Look at a refresh token of "client_id" and, with "use", use it up. MCP_OK with *out; MCP_ENOENT if it is unknown,
 * expired, revoked or another client's; MCP_EINVAL if it was used before: the whole grant is revoked then (RFC 9700
 * section 4.14.2). *out is all zero on failure.
 */
enum mcp_err grants_refresh_take(struct database *d, const char *token, const char *client_id, bool use, int64_t now_s,
    struct grant *out) MCP_MUST_CHECK;

/*
 * Note an access token with its claims (JSON text). "grant_id" 0: it stands alone. MCP_OK; MCP_EINVAL if the grant was
 * revoked meanwhile.
 */
enum mcp_err grants_access_add(struct database *d, const char *token, int64_t grant_id, const char *client_id,
    const char *claims, int64_t expires_s) MCP_MUST_CHECK;

/* The claims of an access token that is neither expired nor revoked, owned by the caller. MCP_OK or MCP_ENOENT. */
enum mcp_err grants_access_get(struct database *d, const char *token, int64_t now_s, char **claims) MCP_MUST_CHECK;

/*
 * Revoke a token of "client_id": a refresh token with its whole grant, an access token alone. MCP_OK; MCP_ENOENT if it
 * is unknown; MCP_EPERM if it is another client's. Source: RFC 7009 section 2.1.
 */
enum mcp_err grants_revoke(struct database *d, const char *token, const char *client_id) MCP_MUST_CHECK;

#endif
