/* SPDX-License-Identifier: MIT */
/* From the settings to the authorization servers that are trusted. */
#include "server/authorization.h"

#include <stdlib.h>
#include <string.h>

#include "base/text.h"
#include "oauth/upstream.h"
#include "server/introspect.h"

/* Append the URL of "set"'s keys, or nothing when the metadata says it; "base" stands for ISSUER_PLACE. */
static void
put_jwks_uri(const struct issuer_settings *set, const char *base, struct buf *out)
{
	const char *uri = set->jwks_uri;
	size_t len = strlen(base);

	if (!uri)
		return;
	if (strncmp(uri, ISSUER_PLACE, strlen(ISSUER_PLACE)) == 0) {
		uri += strlen(ISSUER_PLACE);
		buf_put(out, base, len && base[len - 1] == '/' ? len - 1 : len);
	}
	buf_puts(out, uri);
}

/* Metadata and keys of an issuer: "name" is what its metadata calls it, "uri" where its keys are if that is known. */
static enum mcp_err
build_sources(struct server *s, struct issuer *issuer, const struct issuer_settings *set, const char *name,
    const char *uri)
{
	const struct fetch_policy *fetch = &s->settings->fetch;
	struct keystore_options options = { .fetch = fetch, .state = s->state, .file = set->jwks_file };
	enum mcp_err err = discovery_new(name, fetch, &issuer->discovery);

	options.uri = *uri ? uri : NULL;
	options.discovery = issuer->discovery;
	return err ? err : keystore_new(&options, &issuer->keys);
}

/* The issuer of SK_ENV_URL: both forms of its name are accepted, the resource's is that of its metadata. */
static enum mcp_err
build_default(struct server *s, struct report *report)
{
	const struct server_settings *set = s->settings;
	struct issuer *issuer = issuers_add(&s->issuers, "default");
	struct buf name, uri;
	enum mcp_err err;

	buf_init(&name, 8192);
	buf_init(&uri, 16384);
	buf_puts(&name, set->issuer);
	if (set->server_id)
		buf_printf(&name, "/resources/%s", set->server_id);
	put_jwks_uri(&set->tokens, set->issuer, &uri);
	if (uri.len == 0)
		buf_printf(&uri, "%s/keys", set->issuer);
	err = issuer && !buf_status(&name) && !buf_status(&uri) ? MCP_OK : MCP_ENOMEM;
	if (!err)
		err = issuer_settings_policy(&set->tokens, &issuer->policy);
	if (!err)
		err = strlist_copy(&issuer->policy.audiences, &set->audiences);
	if (!err && set->server_id)
		err = strlist_add_unique(&issuer->policy.audiences, set->server_id, strlen(set->server_id));
	if (!err)
		err = strlist_add(&issuer->policy.issuers, set->issuer, strlen(set->issuer));
	if (!err)
		err = strlist_add_unique(&issuer->policy.issuers, name.data, name.len);
	if (!err)
		err = strlist_add(&s->authorization_servers, name.data, name.len);
	if (!err)
		err = build_sources(s, issuer, &set->tokens, name.data, uri.data);
	if (!err)
		err = introspect_build(set, &set->tokens, &s->issuers, report);
	if (!err) {
		report_add(report, REPORT_OK, NULL, "JWKS from %s",
		    set->tokens.jwks_file ? set->tokens.jwks_file : uri.data);
		report_add(report, REPORT_OK, NULL, "MODE protected by %s", set->issuer);
	}
	buf_clear(&name);
	buf_clear(&uri);
	return err;
}

/*
 * What is put before a further issuer's organisations: two authorization servers may give one name to different ones,
 * and what belongs to the one must not be shown to the other.
 */
static char *
org_prefix(const char *name)
{
	struct buf b;

	buf_init(&b, 256);
	buf_printf(&b, "%s:", name);
	return buf_steal(&b, NULL);
}

static enum mcp_err
build_section(struct server *s, const struct server_section *section, struct report *report)
{
	const struct issuer_settings *set = &section->settings;
	bool is_first = s->issuers.n == 0;
	struct issuer *issuer = issuers_add(&s->issuers, section->name);
	const char *first = set->issuers.v[0];
	struct token_policy *p = issuer ? &issuer->policy : NULL;
	struct buf uri;
	enum mcp_err err;

	buf_init(&uri, 16384);
	put_jwks_uri(set, first, &uri);
	err = issuer && !buf_status(&uri) ? MCP_OK : MCP_ENOMEM;
	if (!err)
		err = issuer_settings_policy(set, p);
	if (!err)
		err = strlist_copy(&p->issuers, &set->issuers);
	if (!err)
		err = strlist_copy(&p->audiences, set->audiences.n ? &set->audiences : &s->settings->audiences);
	if (!err && !is_first && !set->org_shared && !(p->org_prefix = org_prefix(section->name)))
		err = MCP_ENOMEM;
	/* Clients are told of servers that they can ask; "{tid}" is none. */
	if (!err && !strstr(first, TOKEN_TENANT))
		err = strlist_add(&s->authorization_servers, first, strlen(first));
	if (!err)
		err = build_sources(s, issuer, set, first, uri.data);
	if (!err)
		err = introspect_build(s->settings, set, &s->issuers, report);
	if (!err)
		report_add(report, REPORT_OK, NULL, "ISSUER %s (%s): %s, keys from %s, audience \"%s\"%s",
		    section->name, section->profile->title, first,
		    set->jwks_file ? set->jwks_file : uri.len ? uri.data : "its metadata", p->audiences.v[0],
		    p->audiences.n > 1 ? " and others" : "");
	buf_clear(&uri);
	return err;
}

enum mcp_err
authorization_build(struct server *s, struct report *report)
{
	const struct server_settings *set = s->settings;
	enum mcp_err err = set->issuer ? build_default(s, report) : MCP_OK;

	for (size_t i = 0; i < set->n_sections && !err; i++)
		err = build_section(s, &set->sections[i], report);
	if (err)
		return err;
	return upstream_new(s->issuers.v[0].discovery, set->registration_endpoint, &set->fetch, &s->upstream);
}
