/* SPDX-License-Identifier: MIT */
/* From the settings of introspection to what asks; a combination that could never work is a fault of configuration. */
#include "server/introspect.h"

#include <stdio.h>
#include <string.h>

#include "server/sections.h"

/* Values of INTROSPECTION_AUTH. */
enum { AUTH_AUTO, AUTH_BASIC, AUTH_POST, AUTH_PRIVATE_KEY_JWT };

static const char *const validations[] = { "jwt", "opaque", "introspect" };

/* The method: as it was named, else what there is a credential for. */
static enum client_auth_method
method_of(const struct issuer_settings *set)
{
	switch (set->introspection_auth) {
	case AUTH_BASIC:
		return CLIENT_AUTH_BASIC;
	case AUTH_POST:
		return CLIENT_AUTH_POST;
	case AUTH_PRIVATE_KEY_JWT:
		return CLIENT_AUTH_PRIVATE_KEY_JWT;
	case AUTH_AUTO:
	default:
		return set->client_key ? CLIENT_AUTH_PRIVATE_KEY_JWT : CLIENT_AUTH_BASIC;
	}
}

/* What stands before a line of the report: nothing for the issuer before the sections. */
struct place {
	char text[SECTION_NAME_MAX + 16];
};

static struct place
place_of(const struct issuer *issuer)
{
	struct place p = { "" };

	if (strcmp(issuer->name, "default") != 0)
		snprintf(p.text, sizeof(p.text), "[issuer %s] ", issuer->name);
	return p;
}

static enum mcp_err
read_key(const struct issuer_settings *set, struct issuer *issuer, struct report *report)
{
	struct place place = place_of(issuer);
	enum mcp_err err = jwa_key_parse(set->client_key, &issuer->client_key);

	if (err == MCP_ESYNTAX)
		report_add(report, REPORT_FAIL, "name a PEM file without a passphrase in SK_CLIENT_KEY_FILE",
		    "%sSK_CLIENT_KEY is no private key in PEM", place.text);
	else if (err == MCP_EINVAL)
		report_add(report, REPORT_FAIL, NULL,
		    "%sSK_CLIENT_KEY is none of RSA (2048 to 8192 bits), P-256, P-384, P-521, Ed25519", place.text);
	return err == MCP_ESYNTAX || err == MCP_EINVAL ? MCP_OK : err;
}

/* Whether there is what "auth" needs. */
static bool
has_credentials(const struct client_auth *auth, const struct issuer_settings *set, const struct issuer *issuer,
    struct report *report)
{
	bool by_key = auth->method == CLIENT_AUTH_PRIVATE_KEY_JWT;
	const char *missing = !auth->client_id ? "SK_CLIENT_ID" : by_key ? "SK_CLIENT_KEY" : "SK_CLIENT_SECRET";

	if (auth->client_id && (by_key ? set->client_key : auth->client_secret))
		return true;
	report_add(report, REPORT_FAIL,
	    by_key ? "set SK_CLIENT_ID and SK_CLIENT_KEY_FILE, or VALIDATION=jwt"
	           : "set SK_CLIENT_ID and SK_CLIENT_SECRET (or SK_CLIENT_KEY_FILE), or VALIDATION=jwt",
	    "%sVALIDATION=%s asks the authorization server, and %s is not set", place_of(issuer).text,
	    validations[issuer->validation], missing);
	return false;
}

/* Tell what will not be done although it may be expected. */
static void
warn(const struct issuer_settings *set, const struct issuers *trusted, struct report *report)
{
	const struct issuer *issuer = &trusted->v[trusted->n - 1];

	if (issuer->validation == TOKEN_VALIDATION_JWT && set->introspection_endpoint)
		report_add(report, REPORT_WARN, "set VALIDATION=opaque or VALIDATION=introspect",
		    "%sINTROSPECTION_ENDPOINT is not used: VALIDATION is jwt", place_of(issuer).text);
	for (size_t i = 0; i + 1 < trusted->n && issuer->validation != TOKEN_VALIDATION_JWT; i++)
		if (trusted->v[i].validation != TOKEN_VALIDATION_JWT) {
			report_add(report, REPORT_WARN, NULL,
			    "%sopaque tokens are shown to %s and to no other issuer", place_of(issuer).text,
			    trusted->v[i].name);
			break;
		}
}

enum mcp_err
introspect_build(const struct server_settings *all, const struct issuer_settings *set, struct issuers *trusted,
    struct report *report)
{
	struct issuer *issuer = &trusted->v[trusted->n - 1];
	const char *iss = issuer->policy.issuers.v[0];
	struct introspection_options options = {
		.endpoint = set->introspection_endpoint, .discovery = issuer->discovery, .issuer = iss,
		.auth = { .method = method_of(set), .client_id = set->client_id, .client_secret = set->client_secret,
		    .key_id = set->client_key_id,
		    .audience = set->introspection_audience ? set->introspection_audience : iss },
		.fetch = &all->fetch, .keep_s = set->introspection_cache_s,
		.max_held = all->workers > 1 ? (unsigned)all->workers / 2 : 1,
	};
	enum mcp_err err = MCP_OK;

	issuer->validation = (enum token_validation)set->validation;
	warn(set, trusted, report);
	if (issuer->validation == TOKEN_VALIDATION_JWT || !has_credentials(&options.auth, set, issuer, report))
		return MCP_OK;
	if (options.auth.method == CLIENT_AUTH_PRIVATE_KEY_JWT)
		err = read_key(set, issuer, report);
	options.auth.key = issuer->client_key;
	if (err || (options.auth.method == CLIENT_AUTH_PRIVATE_KEY_JWT && !issuer->client_key))
		return err;
	err = introspection_new(&options, &issuer->introspection);
	if (!err)
		report_add(report, REPORT_OK, NULL, "%sINTROSPECTION of %s tokens by %s", place_of(issuer).text,
		    issuer->validation == TOKEN_VALIDATION_OPAQUE ? "opaque" : "all",
		    set->introspection_endpoint ? set->introspection_endpoint : "what the metadata names");
	return err;
}
