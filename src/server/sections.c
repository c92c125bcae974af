/* SPDX-License-Identifier: MIT */
/* From the sections of a configuration to the settings of further issuers. */
#include "server/sections.h"

#include <stdlib.h>
#include <string.h>

#include "base/text.h"
#include "oauth/issuer.h"

#define GROUPS 2

static void
section_groups(struct setting_group groups[GROUPS])
{
	groups[0] = (struct setting_group){ NULL, issuer_section_rows, issuer_section_row_count, 0 };
	groups[1] = (struct setting_group){ NULL, issuer_token_rows, issuer_token_row_count, 0 };
}

/* The value of PROFILE in a section, before its settings are read. */
static const char *
profile_of(const struct config *c, int section)
{
	const char *value = NULL;

	for (size_t i = 0; i < config_count(c); i++)
		if (config_at(c, i)->section == section && strcmp(config_at(c, i)->name, "PROFILE") == 0)
			value = config_at(c, i)->value;
	return value;
}

static void
fault(const struct config *c, const struct server_section *section, struct config_faults *faults, const char *what)
{
	config_fault_add(faults, true, "%s:%d: [issuer %s] %s", config_path(c), section->line, section->name, what);
}

/* Whether the section's header is good; tells if not. */
static bool
check_header(const struct config *c, const struct server_settings *s, const struct config_section *header,
    struct config_faults *faults)
{
	const char *letters = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_", *wrong = NULL;
	size_t len = strlen(header->name);

	if (strcmp(header->kind, "issuer") != 0)
		wrong = "there are only [issuer NAME] and [module NAME] sections";
	else if (len > SECTION_NAME_MAX || strspn(header->name, letters) != len || strcmp(header->name, "default") == 0)
		wrong = "this is no name for a section (letters, digits, - and _; not default)";
	else if (s->n_sections >= ISSUERS_MAX - 1)
		wrong = "there are too many sections";
	for (size_t i = 0; i < s->n_sections && !wrong; i++)
		if (strcmp(s->sections[i].name, header->name) == 0)
			wrong = "there is a section of this name already";
	if (wrong)
		config_fault_add(faults, true, "%s:%d: [%s %s]: %s", config_path(c), header->line, header->kind,
		    header->name, wrong);
	return !wrong;
}

/* Whether one of the issuers is among those of another section, or of SK_ENV_URL. */
static bool
is_taken(const struct server_settings *s, const struct server_section *section)
{
	for (size_t i = 0; i < section->settings.issuers.n; i++) {
		const char *issuer = section->settings.issuers.v[i];

		if (s->issuer && strcmp(issuer, s->issuer) == 0)
			return true;
		for (const struct server_section *other = s->sections; other != section; other++)
			if (strlist_has(&other->settings.issuers, issuer))
				return true;
	}
	return false;
}

static void
check_issuers(const struct config *c, const struct server_settings *s, const struct server_section *section,
    struct config_faults *faults)
{
	const struct issuer_settings *set = &section->settings;
	size_t templates = 0;

	if (set->issuers.n == 0)
		fault(c, section, faults, "has no ISSUER");
	if (strlist_has(&set->issuers, "*"))
		fault(c, section, faults, "has ISSUER=*, but the issuer is always checked");
	for (size_t i = 0; i < set->issuers.n; i++)
		templates += strstr(set->issuers.v[i], TOKEN_TENANT) != NULL;
	if (templates && set->tenants.n == 0)
		fault(c, section, faults, "has " TOKEN_TENANT " in ISSUER and no TENANTS");
	if (!templates && set->tenants.n > 0)
		fault(c, section, faults, "has TENANTS and no " TOKEN_TENANT " in ISSUER");
	if (is_taken(s, section))
		fault(c, section, faults, "has an ISSUER that is trusted already");
}

/* With the audiences and where the keys are. A file that is named comes before the URL of a profile. */
static void
check_rest(const struct config *c, const struct server_settings *s, struct server_section *section,
    struct config_faults *faults)
{
	struct issuer_settings *set = &section->settings;
	const char *first = set->issuers.n ? set->issuers.v[0] : NULL;
	bool by_issuer = set->jwks_uri && strncmp(set->jwks_uri, ISSUER_PLACE, strlen(ISSUER_PLACE)) == 0;

	if (set->jwks_file && by_issuer) {
		free(set->jwks_uri);
		set->jwks_uri = NULL;
		by_issuer = false;
	}
	if (set->jwks_file && set->jwks_uri)
		fault(c, section, faults, "has both JWKS_URI and JWKS_FILE");
	if (first && (by_issuer || (!set->jwks_file && !set->jwks_uri)) && !fetch_url_allowed(first))
		fault(c, section, faults, "needs JWKS_URI or JWKS_FILE, its first ISSUER is no URL to learn it from");
	if (set->audiences.n == 0 && (set->audience_claim != 0 || s->audiences.n == 0))
		fault(c, section, faults, "has no AUDIENCE");
	if (strlist_has(&set->audiences, "*"))
		fault(c, section, faults, "has AUDIENCE=*, but the audience is always checked");
}

static enum mcp_err
load_one(const struct config *c, int index, const struct config_section *header, struct server_settings *s,
    struct config_faults *faults)
{
	struct setting_group groups[GROUPS];
	struct server_section *section, *v = reallocarray(s->sections, s->n_sections + 1, sizeof *v);
	struct setting_section which = { .index = index };
	enum mcp_err err;

	if (!v)
		return MCP_ENOMEM;
	s->sections = v;
	section = &v[s->n_sections];
	*section = (struct server_section){ .name = text_dup(header->name, strlen(header->name)), .line = header->line,
	    .profile = issuer_profile(profile_of(c, index)) };
	if (!section->name)
		return MCP_ENOMEM;
	s->n_sections++;
	which.presets = section->profile->presets;
	which.n = section->profile->n;
	section_groups(groups);
	err = settings_apply_section(c, &which, groups, GROUPS, &section->settings, faults);
	if (!err) {
		check_issuers(c, s, section, faults);
		check_rest(c, s, section, faults);
	}
	return err;
}

enum mcp_err
server_sections_load(const struct config *c, struct server_settings *s, struct config_faults *faults)
{
	enum mcp_err err = MCP_OK;

	for (size_t i = 0; i < config_sections(c) && !err; i++) {
		const struct config_section *header = config_section(c, i);

		if (strcmp(header->kind, "module") == 0)
			continue;
		if (check_header(c, s, header, faults))
			err = load_one(c, (int)i, header, s, faults);
	}
	return err;
}

void
server_sections_clear(struct server_settings *s)
{
	struct setting_group groups[GROUPS];

	section_groups(groups);
	for (size_t i = 0; i < s->n_sections; i++) {
		settings_clear(groups, GROUPS, &s->sections[i].settings);
		free(s->sections[i].name);
	}
	free(s->sections);
	s->sections = NULL;
	s->n_sections = 0;
}

void
server_sections_show(const struct config *c, const struct server_settings *s, struct buf *out)
{
	struct setting_group groups[GROUPS];

	section_groups(groups);
	for (size_t i = 0; i < config_sections(c); i++) {
		const struct config_section *header = config_section(c, i);
		struct setting_section which = { .index = (int)i };

		for (size_t j = 0; j < s->n_sections; j++) {
			const struct server_section *section = &s->sections[j];

			if (section->line != header->line)
				continue;
			which.title = section->profile->title;
			which.presets = section->profile->presets;
			which.n = section->profile->n;
			buf_printf(out, "\n[issuer %s]\n", section->name);
			settings_show_section(c, &which, groups, GROUPS, out);
		}
	}
}
