/* SPDX-License-Identifier: MIT */
/* The settings of one issuer, and the profiles, which set some of them by a product's name. */
#include "oauth/issuer_settings.h"

#include <string.h>

#include "net/fetch.h"
#include "oauth/jwk.h"
#include "oauth/scopes.h"

#define WORDS_MAX 64	/* of a list that a check reads */

static const char *
check_endpoint(const char *value)
{
	return fetch_url_allowed(value) ? NULL
	    : "is no https:// URL (http:// only to loopback), without user and fragment";
}

static const char *
check_jwks_uri(const char *value)
{
	if (strncmp(value, ISSUER_PLACE "/", sizeof(ISSUER_PLACE)) == 0 &&
	    !strpbrk(value + sizeof(ISSUER_PLACE), "{}#"))
		return NULL;
	return check_endpoint(value);
}

static const char *
check_algorithms(const char *value)
{
	struct strlist names = { 0 };
	const char *wrong = NULL;

	if (strlist_split(&names, value, ", \t\r\n", WORDS_MAX) || names.n == 0)
		wrong = "is no list of algorithms";
	for (size_t i = 0; i < names.n && !wrong; i++)
		if (!jwk_algorithm_known(names.v[i]))
			wrong = "names an algorithm that is not allowed (RS, PS, ES 256 384 512, EdDSA)";
	strlist_clear(&names);
	return wrong;
}

static const char *
check_required_claims(const char *value)
{
	struct strlist rules = { 0 };
	const char *wrong = NULL;

	if (strlist_split(&rules, value, ", \t\r\n", WORDS_MAX))
		wrong = "lists too many claims";
	for (size_t i = 0; i < rules.n && !wrong; i++)
		if (rules.v[i][0] == '=' || strcspn(rules.v[i], "=") > TOKEN_CLAIM_NAME_MAX)
			wrong = "is no list of NAME and NAME=VALUE";
	strlist_clear(&rules);
	return wrong;
}

static const char *
check_scopes(const char *value)
{
	struct strlist scopes = { 0 };
	const char *wrong = NULL;

	if (strlist_split(&scopes, value, ", \t\r\n", WORDS_MAX))
		wrong = "lists too many scopes";
	for (size_t i = 0; i < scopes.n && !wrong; i++)
		if (!scope_is_token(scopes.v[i], strlen(scopes.v[i])))
			wrong = "has a word that is no scope";
	strlist_clear(&scopes);
	return wrong;
}

#define FIELD(name) offsetof(struct issuer_settings, name)

const struct setting issuer_section_rows[] = {
	{ .name = "PROFILE", .type = SETTING_CHOICE, .offset = FIELD(profile),
	  .choices = "generic|scalekit|auth0|okta|entra|keycloak|workos|cognito", .fallback = "generic",
	  .help = "The product whose tokens these are, which sets what they look like." },
	{ .name = "ISSUER", .type = SETTING_LIST, .offset = FIELD(issuers),
	  .help = "Values of iss that its tokens have, byte for byte; {tid} in one stands for a tenant." },
	{ .name = "TENANTS", .type = SETTING_LIST, .offset = FIELD(tenants),
	  .help = "Values of tid that may stand for {tid} in ISSUER." },
	{ .name = "AUDIENCE", .type = SETTING_LIST, .offset = FIELD(audiences),
	  .help = "Resource identifiers of which a token must name one; EXPECTED_AUDIENCE when it is not set." },
	{ .name = "AUDIENCE_CLAIM", .type = SETTING_CHOICE, .offset = FIELD(audience_claim), .choices = "aud|client_id",
	  .fallback = "aud",
	  .help = "The claim that AUDIENCE is looked for in; with client_id, aud is checked where it is there." },
	{ .name = "ORG_SHARED", .type = SETTING_BOOL, .offset = FIELD(org_shared), .fallback = "off",
	  .help = "Its organisations are those of the first issuer; otherwise NAME: is put before them." }
};
const size_t issuer_section_row_count = sizeof(issuer_section_rows) / sizeof(issuer_section_rows[0]);

const struct setting issuer_token_rows[] = {
	{ .name = "JWKS_URI", .type = SETTING_STRING, .offset = FIELD(jwks_uri), .check = check_jwks_uri,
	  .help = "Where the keys are, {issuer} for ISSUER; unset, the metadata says it, or {SK_ENV_URL}/keys." },
	{ .name = "JWKS_FILE", .type = SETTING_STRING, .offset = FIELD(jwks_file),
	  .help = "A file with the authorization server's keys, instead of JWKS_URI; read again when it changes." },
	{ .name = "VALIDATION", .type = SETTING_CHOICE, .offset = FIELD(validation), .fallback = "jwt",
	  .choices = "jwt|opaque|introspect",
	  .help = "jwt: tokens are JWTs, verified here; opaque: so they are, and the authorization server is asked "
	          "about others; introspect: it is asked about all." },
	{ .name = "INTROSPECTION_ENDPOINT", .type = SETTING_STRING, .offset = FIELD(introspection_endpoint),
	  .check = check_endpoint,
	  .help = "Where the authorization server is asked about tokens; what its metadata names when it is not set." },
	{ .name = "INTROSPECTION_AUTH", .type = SETTING_CHOICE, .offset = FIELD(introspection_auth), .fallback = "auto",
	  .choices = "auto|client_secret_basic|client_secret_post|private_key_jwt",
	  .help = "How SK_CLIENT_ID authenticates there; auto: private_key_jwt with SK_CLIENT_KEY, else "
	          "client_secret_basic." },
	{ .name = "INTROSPECTION_AUDIENCE", .type = SETTING_STRING, .offset = FIELD(introspection_audience),
	  .help = "Audience of what private_key_jwt signs; the issuer when it is not set." },
	{ .name = "INTROSPECTION_CACHE_S", .type = SETTING_INT, .offset = FIELD(introspection_cache_s),
	  .fallback = "30", .min = 0, .max = 300,
	  .help = "Seconds for which an answer about a token counts: so long can a revoked one be used." },
	{ .name = "SK_CLIENT_ID", .aliases = "SCALEKIT_CLIENT_ID", .type = SETTING_STRING, .offset = FIELD(client_id),
	  .help = "Client id for asking the authorization server; needed only for introspection." },
	{ .name = "SK_CLIENT_SECRET", .aliases = "SCALEKIT_CLIENT_SECRET", .type = SETTING_STRING,
	  .flags = SETTING_SECRET,
	  .offset = FIELD(client_secret), .help = "Secret of SK_CLIENT_ID." },
	{ .name = "SK_CLIENT_KEY", .aliases = "SCALEKIT_CLIENT_KEY", .type = SETTING_STRING, .flags = SETTING_SECRET,
	  .offset = FIELD(client_key),
	  .help = "Private key of SK_CLIENT_ID in PEM, for private_key_jwt; better in a file (SK_CLIENT_KEY_FILE)." },
	{ .name = "SK_CLIENT_KEY_ID", .aliases = "SCALEKIT_CLIENT_KEY_ID", .type = SETTING_STRING,
	  .offset = FIELD(client_key_id),
	  .help = "The id (kid) under which the authorization server knows SK_CLIENT_KEY." },
	{ .name = "JWT_ALGORITHMS", .type = SETTING_LIST, .offset = FIELD(algorithms),
	  .fallback = "RS256 PS256 ES256 EdDSA",
	  .check = check_algorithms, .help = "Signature algorithms that are accepted." },
	{ .name = "JWT_TYPES", .type = SETTING_LIST, .offset = FIELD(types), .fallback = "JWT at+jwt",
	  .help = "Values of a token's typ that are accepted, besides its absence." },
	{ .name = "JWT_STRICT_9068", .type = SETTING_BOOL, .offset = FIELD(strict_9068), .fallback = "off",
	  .help = "Ask for all that RFC 9068 does: typ at+jwt, and client_id, iat and jti." },
	{ .name = "TOKEN_KINDS", .type = SETTING_LIST, .offset = FIELD(kinds),
	  .fallback = "access access_token access-token at+jwt Bearer DPoP JWT "
	              "urn:ietf:params:oauth:token-type:access_token",
	  .help = "Values of the claims typ, token_use and token_type, where there are any, that access tokens have." },
	{ .name = "JWT_LEEWAY_S", .type = SETTING_INT, .offset = FIELD(leeway_s), .fallback = "30", .min = 0,
	  .max = 300,
	  .help = "Seconds by which clocks may differ in exp, nbf and iat." },
	{ .name = "TOKEN_MAX_BYTES", .type = SETTING_INT, .offset = FIELD(max_bytes), .fallback = "16384",
	  .min = 512, .max = 65536,
	  .help = "Longer tokens are refused before they are looked at." },
	{ .name = "TOKEN_MAX_LIFETIME_S", .type = SETTING_INT, .offset = FIELD(max_lifetime_s), .fallback = "0",
	  .min = 0, .max = 31536000,
	  .help = "Refuse tokens whose exp lies more seconds after their iat; 0 accepts any." },
	{ .name = "AUD_IGNORE_TRAILING_SLASH", .type = SETTING_BOOL, .offset = FIELD(aud_ignore_slash),
	  .fallback = "off", .help = "Take an audience with and without a slash at its end for the same." },
	{ .name = "SCOPE_CLAIMS", .type = SETTING_LIST, .offset = FIELD(scope_claims), .fallback = "scope scopes scp",
	  .help = "Claims whose union is the token's scopes: names, or JSON Pointers that begin with a slash." },
	{ .name = "REQUIRED_SCOPES", .type = SETTING_LIST, .offset = FIELD(required_scopes), .check = check_scopes,
	  .help = "Scopes that a token must have whatever it is used for." },
	{ .name = "ORG_CLAIMS", .type = SETTING_LIST, .offset = FIELD(org_claims), .fallback = "oid org_id",
	  .help = "Claims of which the first that is there names the organisation, written as in SCOPE_CLAIMS." },
	{ .name = "ORG_MODE", .type = SETTING_CHOICE, .offset = FIELD(org_mode),
	  .choices = "string|array-contains|object-has-key", .fallback = "string",
	  .help = "How that claim is written; of several organisations in it none is the caller's." },
	{ .name = "ORG_VALUES", .type = SETTING_LIST, .offset = FIELD(org_values),
	  .help = "Organisations whose tokens are accepted at all." },
	{ .name = "CLIENT_CLAIMS", .type = SETTING_LIST, .offset = FIELD(client_claims), .fallback = "client_id azp",
	  .help = "Claims of which the first that is there names the client." },
	{ .name = "ALLOWED_CLIENTS", .type = SETTING_LIST, .offset = FIELD(clients),
	  .help = "Clients whose tokens are accepted; all when it is not set." },
	{ .name = "REQUIRED_CLAIMS", .type = SETTING_LIST, .offset = FIELD(required_claims),
	  .check = check_required_claims,
	  .help = "Claims that a token must have: NAME, or NAME=VALUE for a text that is it or an array that has it." }
};
const size_t issuer_token_row_count = sizeof(issuer_token_rows) / sizeof(issuer_token_rows[0]);

/* ---- profiles ---------------------------------------------------------------------------------------------------- */

/* RFC 9068 tokens of a server that nothing more is known of. */
static const struct setting_preset generic[] = {
	{ "SCOPE_CLAIMS", "scope" }, { "ORG_CLAIMS", "" }
};

/* Some tokens have the scopes as a text, some as an array, by the way they were got. No jwks_uri under /resources. */
static const struct setting_preset scalekit[] = {
	{ "JWKS_URI", ISSUER_PLACE "/keys" }, { "SCOPE_CLAIMS", "scope scopes scp" }, { "ORG_CLAIMS", "oid" }
};

/*
 * Both token profiles of an API. "permissions" has all of a person's, not only those granted to the client, and is
 * therefore left to the operator.
 */
static const struct setting_preset auth0[] = {
	{ "SCOPE_CLAIMS", "scope" }, { "ORG_CLAIMS", "org_id" }
};

static const struct setting_preset okta[] = {
	{ "SCOPE_CLAIMS", "scp" }, { "ORG_CLAIMS", "" }, { "CLIENT_CLAIMS", "cid" }
};

/* "oid" is the person here. A token for an application alone has roles and no scp. */
static const struct setting_preset entra[] = {
	{ "SCOPE_CLAIMS", "scp roles" }, { "ORG_CLAIMS", "tid" }, { "CLIENT_CLAIMS", "azp appid" }
};

static const struct setting_preset keycloak[] = {
	{ "SCOPE_CLAIMS", "scope" }, { "ORG_CLAIMS", "organization" }, { "ORG_MODE", "object-has-key" },
	{ "CLIENT_CLAIMS", "azp client_id" }, { "TOKEN_KINDS", "Bearer" }
};

static const struct setting_preset workos[] = {
	{ "SCOPE_CLAIMS", "scope" }, { "ORG_CLAIMS", "org_id" }
};

/* No aud unless a resource was bound; what is meant is the client of the user pool. */
static const struct setting_preset cognito[] = {
	{ "AUDIENCE_CLAIM", "client_id" }, { "SCOPE_CLAIMS", "scope" }, { "ORG_CLAIMS", "" },
	{ "CLIENT_CLAIMS", "client_id" }, { "TOKEN_KINDS", "access" }, { "REQUIRED_CLAIMS", "token_use=access" }
};

#define PROFILE(name) { #name, "profile " #name, name, sizeof(name) / sizeof((name)[0]) }

static const struct issuer_profile profiles[] = {
	PROFILE(generic), PROFILE(scalekit), PROFILE(auth0), PROFILE(okta), PROFILE(entra), PROFILE(keycloak),
	PROFILE(workos), PROFILE(cognito)
};

const struct issuer_profile *
issuer_profile(const char *name)
{
	for (size_t i = 0; name && i < sizeof(profiles) / sizeof(profiles[0]); i++)
		if (strcmp(profiles[i].name, name) == 0)
			return &profiles[i];
	return &profiles[0];
}

enum mcp_err
issuer_settings_policy(const struct issuer_settings *s, struct token_policy *p)
{
	const struct {
		const struct strlist *from;
		struct strlist *to;
	} lists[] = {
		{ &s->tenants, &p->tenants }, { &s->algorithms, &p->algorithms }, { &s->types, &p->types },
		{ &s->kinds, &p->kinds }, { &s->scope_claims, &p->scope_claims },
		{ &s->required_scopes, &p->required_scopes }, { &s->org_claims, &p->org_claims },
		{ &s->org_values, &p->org_values }, { &s->client_claims, &p->client_claims },
		{ &s->clients, &p->clients }, { &s->required_claims, &p->required_claims }
	};
	enum mcp_err err = MCP_OK;

	for (size_t i = 0; i < sizeof(lists) / sizeof(lists[0]) && !err; i++)
		err = strlist_copy(lists[i].to, lists[i].from);
	p->audience_is_client = s->audience_claim == 1;
	p->aud_ignore_slash = s->aud_ignore_slash;
	p->strict_9068 = s->strict_9068;
	p->org_mode = (enum token_org_mode)s->org_mode;
	p->leeway_s = s->leeway_s;
	p->max_lifetime_s = s->max_lifetime_s;
	p->max_bytes = (size_t)s->max_bytes;
	return err;
}
