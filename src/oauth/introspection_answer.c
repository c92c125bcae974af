/* SPDX-License-Identifier: MIT */
/* What an authorization server says of a token: read strictly, completed, and judged like the claims of a JWT. */
#include "oauth/introspection_answer.h"

#include <string.h>
#include <strings.h>

#include "base/json.h"
#include "base/text.h"
#include "oauth/claims.h"
#include "oauth/jws.h"

static const struct json_bounds bounds = { INTROSPECTION_BYTES_MAX, JWS_DEPTH_MAX, JWS_CLAIMS_VALUES_MAX };

/* Parameters of the media type do not count. */
static bool
is_type(const char *content_type, const char *type)
{
	size_t len = strcspn(content_type, "; \t");

	return len == strlen(type) && strncasecmp(content_type, type, len) == 0;
}

enum mcp_err
introspection_read(const char *content_type, const char *body, size_t len, struct json_object **claims,
    const char **why)
{
	struct json_object *json = NULL;
	enum mcp_err err;
	bool active;

	*claims = NULL;
	*why = NULL;
	if (!content_type || !is_type(content_type, "application/json")) {
		*why = content_type && is_type(content_type, "application/token-introspection+jwt")
		    ? "the answer is signed (RFC 9701), which is not supported" : "the answer is not application/json";
		return MCP_EREMOTE;
	}
	err = json_parse(body, len, &bounds, &json, NULL);
	if (err == MCP_ENOMEM)
		return err;
	if (err || json_kind(json) != JSON_OBJECT)
		*why = "the answer is no JSON object";
	else if (json_get_bool(json, "active", &active))
		*why = "the answer has no active that is true or false";
	if (*why || !active)
		json_free(json);
	else
		*claims = json;
	return *why ? MCP_EREMOTE : MCP_OK;
}

bool
introspection_is_unsupported(const char *content_type, const char *body, size_t len)
{
	struct json_object *json = NULL;
	const char *error;
	bool unsupported;

	if (!content_type || !is_type(content_type, "application/json") || json_parse(body, len, &bounds, &json, NULL))
		return false;
	unsupported = json_get_string(json, "error", &error, NULL) == MCP_OK &&
	    strcmp(error, "unsupported_token_type") == 0;
	json_free(json);
	return unsupported;
}

static bool
has(const struct json_object *claims, const char *name)
{
	struct json_object *ignored;

	return json_get(claims, name, &ignored) == MCP_OK;
}

/* Only what is absent is filled in; a claim of a wrong type stays and is refused. */
static enum mcp_err
complete(struct json_object *claims, const char *issuer, int64_t until_s)
{
	enum mcp_err err = MCP_OK;
	const char *client_id;
	size_t len;

	if (!has(claims, "iss"))
		err = json_set_new(claims, "iss", json_new_string(issuer, strlen(issuer)));
	if (!err && !has(claims, "exp"))
		err = json_set_new(claims, "exp", json_new_int(until_s));
	if (!err && !has(claims, "sub") && json_get_string(claims, "client_id", &client_id, &len) == MCP_OK)
		err = json_set_new(claims, "sub", json_new_string(client_id, len));
	return err;
}

/*
 * In a response token_type is how a token is to be shown (RFC 6749 section 7.1), in a JWT, for servers that write it,
 * what kind of token it is. So Bearer is taken out and says nothing about the kind; one for DPoP is none for Bearer,
 * with or without a cnf. Anything else claims_judge() judges as a kind.
 */
static enum oauth_outcome
judge_type(struct json_object *claims)
{
	const char *type;

	if (json_get_string(claims, "token_type", &type, NULL))
		return OAUTH_OK;
	if (text_equal_nocase(type, "DPoP"))
		return OAUTH_SENDER_CONSTRAINED;
	if (text_equal_nocase(type, "Bearer"))
		json_remove(claims, "token_type");
	return OAUTH_OK;
}

enum oauth_outcome
introspection_judge(const struct token_policy *policy, const char *issuer, struct json_object *claims,
    int64_t until_s, int64_t now_s, struct principal *out, struct buf *seen)
{
	enum oauth_outcome outcome = judge_type(claims);
	struct json_object *iss;

	memset(out, 0, sizeof(*out));
	if (!outcome && complete(claims, issuer, until_s))
		outcome = OAUTH_OUT_OF_RESOURCES;
	if (!outcome)
		outcome = claims_judge_issuer(policy, claims);
	if (outcome == OAUTH_WRONG_ISSUER && seen && json_get(claims, "iss", &iss) == MCP_OK)
		json_render(iss, seen);
	if (!outcome)
		outcome = claims_judge(policy, claims, now_s, seen);
	if (!outcome)
		outcome = claims_principal(policy, claims, out);
	if (outcome) {
		principal_clear(out);
		json_free(claims);
	} else {
		out->claims = claims;
	}
	return outcome;
}
