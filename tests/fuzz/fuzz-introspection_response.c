/* SPDX-License-Identifier: MIT */
/*
 * What an authorization server says of a token. Input: a Content-Type, a line end, a body. Who is accepted was called
 * active, by JSON, for our audience and our issuer, and is somebody.
 */
#include <string.h>
#include <strings.h>

#include "base/json.h"
#include "base/text.h"
#include "oauth/introspection_answer.h"
#include "tests/fuzz/fuzz.h"

#define ISSUER "https://as.example.com"
#define AUDIENCE "https://mcp.example.com/mcp"
#define NOW_S INT64_C(1800000000)
#define UNTIL_S (NOW_S + 30)

static char audience[] = AUDIENCE, issuer[] = ISSUER, scope[] = "scope", oid[] = "oid", access_kind[] = "access",
	client_id[] = "client_id";
static char *audiences[] = { audience }, *issuers[] = { issuer }, *scopes[] = { scope }, *orgs[] = { oid },
	*kinds[] = { access_kind }, *clients[] = { client_id };

static void
judge(struct json_object *claims)
{
	const struct token_policy policy = {
		.issuers = { issuers, 1 }, .audiences = { audiences, 1 }, .scope_claims = { scopes, 1 },
		.org_claims = { orgs, 1 }, .kinds = { kinds, 1 }, .client_claims = { clients, 1 }, .leeway_s = 30,
		.max_bytes = 16384,
	};
	static const struct principal nobody;
	struct principal who;
	struct json_object *aud, *ignored;
	struct buf text, seen;
	enum oauth_outcome outcome;
	bool active = false;

	FUZZ_CLAIM(json_get_bool(claims, "active", &active) == MCP_OK && active);
	buf_init(&seen, 1 << 20);
	outcome = introspection_judge(&policy, ISSUER, claims, UNTIL_S, NOW_S, &who, &seen);
	FUZZ_CLAIM(outcome != OAUTH_OUT_OF_RESOURCES && outcome != OAUTH_INTROSPECTION_UNAVAILABLE);
	if (outcome) {
		FUZZ_CLAIM(memcmp(&who, &nobody, sizeof(who)) == 0);
	} else {
		FUZZ_CLAIM(strcmp(who.issuer, ISSUER) == 0);
		FUZZ_CLAIM(who.subject && *who.subject);
		FUZZ_CLAIM(who.expires_at_s > NOW_S - 31);
		FUZZ_CLAIM(json_get(who.claims, "cnf", &ignored) == MCP_ENOENT);
		FUZZ_CLAIM(json_get(who.claims, "aud", &aud) == MCP_OK);
		buf_init(&text, 1 << 20);
		json_render(aud, &text);
		FUZZ_CLAIM(strstr(text.data, "\"" AUDIENCE "\""));
		buf_clear(&text);
	}
	principal_clear(&who);
	buf_clear(&seen);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	const uint8_t *end = size ? memchr(data, '\n', size) : NULL;
	size_t type_len = end ? (size_t)(end - data) : 0;
	char *type = end && type_len ? text_dup((const char *)data, type_len) : NULL;
	const char *body = end ? (const char *)end + 1 : (const char *)data;
	struct json_object *claims;
	const char *why;
	enum mcp_err err;

	if (!size)
		return 0;
	err = introspection_read(type, body, size - (size_t)((const uint8_t *)body - data), &claims, &why);
	FUZZ_CLAIM(err == MCP_OK || (err == MCP_EREMOTE && why && !claims));
	FUZZ_CLAIM(err || (type && strncasecmp(type, "application/json", 16) == 0));
	if (claims)
		judge(claims);
	free(type);
	return 0;
}
