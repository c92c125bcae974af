/* SPDX-License-Identifier: MIT */
#ifndef MCP_SERVER_SETTINGS_H
#define MCP_SERVER_SETTINGS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>
#include <time.h>

#include "base/buf.h"
#include "base/err.h"
#include "base/settings.h"
#include "base/strlist.h"
#include "limit/limiter.h"
#include "net/fetch.h"
#include "oauth/issuer_settings.h"
#include "server/report.h"
#include "tools/web_search.h"

/* STEP_UP: how a denied tool call is told. */
enum step_up { STEP_UP_HTTP403, STEP_UP_RESULT };

/*
 * All settings, as the modules' tables fill them in. The tables and their help texts stand in settings.c and in the
 * modules named.
 */
struct server_settings {
	/* Authorization */
	char *issuer;			/* SK_ENV_URL, without a slash at its end */
	char *server_id;		/* MCP_SERVER_ID, the res_... id */
	struct strlist audiences;	/* EXPECTED_AUDIENCE */
	char *metadata;			/* PROTECTED_RESOURCE_METADATA */
	char *metadata_url;		/* RESOURCE_METADATA_URL */
	char *registration_endpoint;	/* REGISTRATION_ENDPOINT */
	struct strlist challenge_scopes, scope_implies;
	int step_up;			/* enum step_up */
	struct issuer_settings tokens;	/* how tokens of "issuer" are judged */
	struct server_section *sections;	/* owned; the further issuers, see sections.h */
	size_t n_sections;
	/* Server */
	char *public_url, *mcp_path, *state_dir, *log_level, *log_to;
	int64_t max_streams, max_streams_principal, max_stream_s, stream_keepalive_s;
	int64_t port, workers, max_requests, body_max_bytes, body_gap_s, body_total_s, stop_grace_s;
	struct strlist allowed_origins, allowed_hosts, trusted_proxies;
	char *trusted_proxy_header;
	/* Protocol and tools */
	char *server_name, *server_title, *instructions;
	int64_t list_ttl_s, page_size, tool_timeout_s, request_state_s;
	bool filter_lists;
	struct strlist tools, tool_modules, module_scopes, module_organisations;
	struct strlist greet_user_scopes, admin_tool_scopes, get_org_data_scopes, web_search_scopes;
	struct strlist greet_user_organisations, admin_tool_organisations, get_org_data_organisations,
	    web_search_organisations;
	/* Of the modules */
	struct fetch_policy fetch;
	struct limit_settings limit;
	struct web_search_settings web_search;
};

/* One section "[issuer NAME]". */
struct server_section {
	char *name;			/* owned */
	int line;			/* of its header in the file */
	const struct issuer_profile *profile;
	struct issuer_settings settings;
};

/* What tells one version of a file from another; all zero when there is none. */
struct server_config_version {
	bool exists;
	dev_t device;
	ino_t inode;
	off_t size;
	struct timespec modified;
};

/* A configuration as it was read: the values and where they came from. */
struct server_config {
	struct server_settings settings;
	struct config *source;		/* for settings_show() */
	char *path;			/* the file, owned; NULL: none was found */
	struct server_config_version version;	/* of the file just before it was read, so that a later change shows */
};

/*
 * Find, read and apply the configuration. "path" is what --config said (NULL: MCP_FCGI_CONF, then
 * SYSCONFDIR/mcp-fcgi/mcp-fcgi.conf, then ~/.config/mcp-fcgi/mcp-fcgi.conf with the home directory of getpwuid(), the
 * first that exists; none is fine too). Faults go to "report": what makes the server refuse everything as REPORT_FAIL.
 * Returns MCP_OK with *out new, also with faults (release with server_config_free()); MCP_ENOMEM.
 */
enum mcp_err server_config_load(const char *path, char *const *environ_, struct report *report,
    struct server_config **out) MCP_MUST_CHECK;

/* Release; secrets are overwritten. NULL is fine. */
void server_config_free(struct server_config *c);

/* The version of the file at "path" (NULL: none) as it is now. */
struct server_config_version server_config_version(const char *path);

/* The groups of all settings, for "config show", the manual's check and tests. */
const struct setting_group *server_setting_groups(size_t *n);

/*
 * The directory for state: STATE_DIR, else LOCALSTATEDIR/lib/mcp-fcgi if it is there and ours, else
 * ~/.local/state/mcp-fcgi. Appends to "out". Returns MCP_OK, or MCP_ENOENT when there is no home directory either.
 */
enum mcp_err server_state_directory(const struct server_settings *s, struct buf *out) MCP_MUST_CHECK;

/*
 * The URL clients connect to: PUBLIC_URL, else the "resource" of "metadata" (may be NULL), else the first audience that
 * is a URL; NULL if there is none. Borrowed from the arguments.
 */
const char *server_public_url(const struct server_settings *s, const char *metadata_resource);

#endif
