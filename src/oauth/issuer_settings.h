/* SPDX-License-Identifier: MIT */
#ifndef MCP_OAUTH_ISSUER_SETTINGS_H
#define MCP_OAUTH_ISSUER_SETTINGS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/settings.h"
#include "base/strlist.h"
#include "oauth/policy.h"

/*
 * What is configured of one issuer. issuer_token_rows say how its tokens are judged, and how it is asked about them:
 * they stand before the sections, for the issuer of SK_ENV_URL, and in each section "[issuer NAME]";
 * issuer_section_rows stand in sections only.
 */
struct issuer_settings {
	/* issuer_section_rows */
	int profile;
	struct strlist issuers, tenants, audiences;
	int audience_claim;		/* 0: aud, 1: client_id */
	bool org_shared;
	/* issuer_token_rows */
	char *jwks_uri;			/* may begin with ISSUER_PLACE, which stands for the first issuer */
	char *jwks_file;
	int validation;			/* enum token_validation */
	int introspection_auth;
	char *introspection_endpoint, *introspection_audience;
	int64_t introspection_cache_s;
	char *client_id, *client_secret;	/* SK_CLIENT_ID, SK_CLIENT_SECRET */
	char *client_key, *client_key_id;	/* SK_CLIENT_KEY (PEM text), SK_CLIENT_KEY_ID */
	struct strlist algorithms, types, kinds;
	bool strict_9068, aud_ignore_slash;
	struct strlist scope_claims, required_scopes;
	struct strlist org_claims, org_values;
	int org_mode;			/* enum token_org_mode */
	struct strlist client_claims, clients, required_claims;
	int64_t leeway_s, max_lifetime_s, max_bytes;
};

#define ISSUER_PLACE "{issuer}"

extern const struct setting issuer_token_rows[], issuer_section_rows[];
extern const size_t issuer_token_row_count, issuer_section_row_count;

/*
 * A profile: what the tokens of a product look like, as presets of the rows above. Settings that are written win. Each
 * is shown to fit by tokens in tests/unit/profile-t.c.
 */
struct issuer_profile {
	const char *name, *title;	/* title: for settings_show_section() */
	const struct setting_preset *presets;
	size_t n;
};

/* The profile of this name, or of PROFILE's default for NULL and names that there are not. Static. */
const struct issuer_profile *issuer_profile(const char *name);

/*
 * Copy what the settings say into "p" (all zero before): everything but issuers, audiences, resource and org_prefix,
 * which are not the settings' alone. Returns MCP_OK or MCP_ENOMEM; token_policy_clear() releases in both cases.
 */
enum mcp_err issuer_settings_policy(const struct issuer_settings *s, struct token_policy *p) MCP_MUST_CHECK;

#endif
