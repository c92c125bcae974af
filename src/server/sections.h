/* SPDX-License-Identifier: MIT */
#ifndef MCP_SERVER_SECTIONS_H
#define MCP_SERVER_SECTIONS_H

#include "server/settings.h"

/*
 * The sections "[issuer NAME]" of a configuration, one a further issuer. NAME is 1 to SECTION_NAME_MAX letters, digits,
 * "-" and "_".
 */
#define SECTION_NAME_MAX 64

/*
 * Read the sections of "c" into s->sections; the settings before them are there already. Sections "[module NAME]" are
 * passed over (modules.h). What is wrong goes to "faults" as errors with file and line: another kind of section, a name
 * twice, no ISSUER, an issuer that another one has too, no audience, {tid} without TENANTS and the other way round, no
 * place for the keys. Returns MCP_OK or MCP_ENOMEM; server_sections_clear() releases in both cases.
 */
enum mcp_err server_sections_load(const struct config *c, struct server_settings *s, struct config_faults *faults)
    MCP_MUST_CHECK;
void server_sections_clear(struct server_settings *s);

/* Append what settings_show_section() says of each. */
void server_sections_show(const struct config *c, const struct server_settings *s, struct buf *out);

#endif
