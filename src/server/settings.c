/* SPDX-License-Identifier: MIT */
/* The tables of all settings and how a configuration is found. */
#include "server/settings.h"

#include <errno.h>
#include <pthread.h>
#include <pwd.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/log.h"
#include "base/text.h"
#include "oauth/organisation.h"
#include "oauth/scopes.h"
#include "server/modules.h"
#include "server/sections.h"
#include "store/leases.h"

#define PATH_MAX_BYTES 4096

static const char *
check_path(const char *value)
{
	size_t len = strlen(value);

	if (value[0] != '/' || strchr(value, '?') || strchr(value, '#') || strstr(value, "//")
	    || (len > 1 && value[len - 1] == '/'))
		return "is no absolute path without a slash at its end";
	return NULL;
}

static const char *
check_url(const char *value)
{
	return fetch_url_allowed(value) ? NULL
	    : "is no https:// URL (http:// only to loopback), without user and fragment";
}

static const char *
check_public_url(const char *value)
{
	if ((strncmp(value, "https://", 8) != 0 && strncmp(value, "http://", 7) != 0) || strpbrk(value, " \t\"<>\\#"))
		return "is no absolute http(s) URL";
	return NULL;
}

static const char *
check_scope_rules(const char *value)
{
	struct strlist words = { 0 };
	struct scope_rules rules = { 0 };
	const char *wrong = "has too many words";

	if (strlist_split(&words, value, ", \t\r\n", SCOPE_WORDS_MAX) == MCP_OK &&
	    scope_rules_read(&words, &rules, &wrong) == MCP_OK)
		wrong = NULL;
	scope_rules_clear(&rules);
	strlist_clear(&words);
	return wrong;
}

static const char *
check_organisations(const char *value)
{
	struct strlist words = { 0 };
	struct org_rule rule = { 0 };
	const char *wrong = "lists too many organisations";

	if (strlist_split(&words, value, ", \t\r\n", ORG_WORDS_MAX) == MCP_OK &&
	    org_rule_read(&words, &rule, &wrong) == MCP_OK)
		wrong = NULL;
	org_rule_clear(&rule);
	strlist_clear(&words);
	return wrong;
}

static const char *
check_level(const char *value)
{
	enum log_level level;

	return log_level_parse(value, &level) ? "is none of error, warning, info, debug" : NULL;
}

static const char *
check_header_name(const char *value)
{
	return text_is_tchar_token(value, strlen(value)) ? NULL : "is no header field name";
}

#define FIELD(name) offsetof(struct server_settings, name)

static const struct setting authorization_rows[] = {
	{ .name = "SK_ENV_URL", .aliases = "SCALEKIT_ENVIRONMENT_URL", .type = SETTING_STRING, .offset = FIELD(issuer),
	  .help = "The authorization server's environment URL, which is also the issuer of its tokens." },
	{ .name = "MCP_SERVER_ID", .aliases = "SCALEKIT_RESOURCE_ID", .type = SETTING_STRING,
	  .offset = FIELD(server_id),
	  .help = "Scalekit's id of this server (res_...): accepted as audience, and {SK_ENV_URL}/resources/{id} as "
	          "issuer." },
	{ .name = "EXPECTED_AUDIENCE", .aliases = "RESOURCE_IDENTIFIER MCP_URL BASE_URL", .type = SETTING_LIST,
	  .offset = FIELD(audiences),
	  .help = "Resource identifiers of which a token must name one, byte for byte." },
	{ .name = "PROTECTED_RESOURCE_METADATA", .aliases = "METADATA_JSON_RESPONSE", .type = SETTING_STRING,
	  .offset = FIELD(metadata),
	  .help = "The protected resource metadata as JSON, as the dashboard prints it, or auto to have it made." },
	{ .name = "RESOURCE_METADATA_URL", .aliases = "SCALEKIT_RESOURCE_METADATA_URL", .type = SETTING_STRING,
	  .offset = FIELD(metadata_url),
	  .check = check_public_url,
	  .help = "URL of the metadata in challenges; made from PUBLIC_URL when it is not set." },
	{ .name = "REGISTRATION_ENDPOINT", .type = SETTING_STRING, .offset = FIELD(registration_endpoint),
	  .check = check_url,
	  .help = "Where /oauth/register passes registrations on to when the authorization server's metadata names "
	          "no place." },
	{ .name = "CHALLENGE_SCOPES", .type = SETTING_LIST, .offset = FIELD(challenge_scopes),
	  .check = scope_list_check,
	  .help = "Scopes that a 401 asks for; those of all tools except admin when it is not set." },
	{ .name = "SCOPE_IMPLIES", .type = SETTING_LIST, .offset = FIELD(scope_implies), .check = check_scope_rules,
	  .help = "Scopes that stand for others: BROAD: and the scopes it implies, rule after rule." },
	{ .name = "STEP_UP", .type = SETTING_CHOICE, .offset = FIELD(step_up), .choices = "http403|result",
	  .fallback = "http403",
	  .help = "How a denied tool call is told: 403 and a challenge, or a result with isError." }
};

static const struct setting server_rows[] = {
	{ .name = "PUBLIC_URL", .type = SETTING_STRING, .offset = FIELD(public_url), .check = check_public_url,
	  .help = "The URL that clients connect to; the metadata's resource, else the first audience, when it "
	          "is not set." },
	{ .name = "MCP_PATH", .type = SETTING_STRING, .offset = FIELD(mcp_path), .fallback = "/mcp",
	  .check = check_path,
	  .help = "Path of the MCP endpoint." },
	{ .name = "PORT", .type = SETTING_INT, .offset = FIELD(port), .fallback = "3002", .min = 1, .max = 65535,
	  .help = "Port of the web server in front; the responder does not listen on it, quickstart does." },
	{ .name = "STATE_DIR", .type = SETTING_STRING, .flags = SETTING_STARTUP, .offset = FIELD(state_dir),
	  .help = "Directory of the databases, ours alone." },
	{ .name = "WORKERS", .type = SETTING_INT, .flags = SETTING_STARTUP, .offset = FIELD(workers), .fallback = "8",
	  .min = 1, .max = 256,
	  .help = "Threads a process." },
	{ .name = "MAX_REQUESTS", .type = SETTING_INT, .flags = SETTING_STARTUP, .offset = FIELD(max_requests),
	  .fallback = "0", .min = 0,
	  .max = INT64_C(1000000000), .help = "Requests after which a process ends in good order; 0: never." },
	{ .name = "LOG_LEVEL", .type = SETTING_STRING, .offset = FIELD(log_level), .fallback = "info",
	  .check = check_level,
	  .help = "error, warning, info or debug." },
	{ .name = "LOG_TO", .type = SETTING_STRING, .offset = FIELD(log_to), .fallback = "stderr",
	  .help = "stderr, syslog, or a file." },
	{ .name = "BODY_MAX_BYTES", .type = SETTING_INT, .offset = FIELD(body_max_bytes), .fallback = "4194304",
	  .min = 1024,
	  .max = 16 * 1024 * 1024, .help = "Largest request body." },
	{ .name = "BODY_GAP_S", .type = SETTING_INT, .flags = SETTING_STARTUP, .offset = FIELD(body_gap_s),
	  .fallback = "10", .min = 1, .max = 3600,
	  .help = "Seconds that a request may be silent before its end." },
	{ .name = "BODY_TOTAL_S", .type = SETTING_INT, .flags = SETTING_STARTUP, .offset = FIELD(body_total_s),
	  .fallback = "30", .min = 1, .max = 3600,
	  .help = "Seconds that a request body may take in all." },
	{ .name = "STOP_GRACE_S", .type = SETTING_INT, .flags = SETTING_STARTUP, .offset = FIELD(stop_grace_s),
	  .fallback = "5", .min = 1, .max = 600,
	  .help = "Seconds that running requests get when the process is told to stop." },
	{ .name = "MAX_STREAMS", .type = SETTING_INT, .offset = FIELD(max_streams), .fallback = "1000", .min = 0,
	  .max = LEASES_MAX,
	  .help = "Event streams that all processes may have open at a time; 0: every answer is plain JSON." },
	{ .name = "MAX_STREAMS_PRINCIPAL", .type = SETTING_INT, .offset = FIELD(max_streams_principal),
	  .fallback = "64", .min = 1, .max = LEASES_MAX,
	  .help = "How many of these one principal may have, whatever clients it uses." },
	{ .name = "MAX_STREAM_S", .type = SETTING_INT, .offset = FIELD(max_stream_s), .fallback = "3600", .min = 1,
	  .max = 86400,
	  .help = "Seconds that an event stream may last; one that waits ends with its token too." },
	{ .name = "STREAM_KEEPALIVE_S", .type = SETTING_INT, .offset = FIELD(stream_keepalive_s), .fallback = "15",
	  .min = 1, .max = 3600,
	  .help = "Seconds of silence after which an event stream gets a comment that keeps it open." },
	{ .name = "ALLOWED_ORIGINS", .type = SETTING_LIST, .offset = FIELD(allowed_origins),
	  .help = "Origins whose pages may call the MCP endpoint, besides its own; * for any." },
	{ .name = "ALLOWED_HOSTS", .type = SETTING_LIST, .offset = FIELD(allowed_hosts),
	  .help = "Values of Host that are accepted while the server is on loopback, besides loopback names." },
	{ .name = "TRUSTED_PROXIES", .type = SETTING_LIST, .offset = FIELD(trusted_proxies),
	  .help = "Networks whose TRUSTED_PROXY_HEADER is believed." },
	{ .name = "TRUSTED_PROXY_HEADER", .type = SETTING_STRING, .offset = FIELD(trusted_proxy_header),
	  .fallback = "X-Forwarded-For",
	  .check = check_header_name, .help = "The one header in which a trusted proxy names the client." }
};

static const struct setting tool_rows[] = {
	{ .name = "MCP_SERVER_NAME", .type = SETTING_STRING, .offset = FIELD(server_name), .fallback = "mcp-fcgi",
	  .help = "Name that the server gives itself in the protocol." },
	{ .name = "MCP_SERVER_TITLE", .type = SETTING_STRING, .offset = FIELD(server_title),
	  .help = "The same for people." },
	{ .name = "MCP_SERVER_INSTRUCTIONS", .type = SETTING_STRING, .offset = FIELD(instructions),
	  .help = "What a model should know about using this server." },
	{ .name = "LIST_TTL_S", .type = SETTING_INT, .offset = FIELD(list_ttl_s), .fallback = "300", .min = 0,
	  .max = 86400,
	  .help = "Seconds for which clients may keep lists." },
	{ .name = "PAGE_SIZE", .type = SETTING_INT, .offset = FIELD(page_size), .fallback = "200", .min = 1,
	  .max = 1000,
	  .help = "Entries of a list that are sent at once; the rest comes page by page." },
	{ .name = "FILTER_LISTS", .type = SETTING_BOOL, .offset = FIELD(filter_lists), .fallback = "off",
	  .help = "List only the tools that the caller may call." },
	{ .name = "TOOL_TIMEOUT_S", .type = SETTING_INT, .offset = FIELD(tool_timeout_s), .fallback = "60", .min = 1,
	  .max = 3600,
	  .help = "Seconds that one tool call may take." },
	{ .name = "REQUEST_STATE_S", .type = SETTING_INT, .offset = FIELD(request_state_s), .fallback = "900",
	  .min = 10, .max = 86400,
	  .help = "Seconds within which a client must bring what it was asked for." },
	{ .name = "TOOLS", .type = SETTING_LIST, .offset = FIELD(tools),
	  .fallback = "greet_user admin_tool get_org_data web_search",
	  .help = "Tools to offer." },
	{ .name = "TOOL_MODULES", .type = SETTING_LIST, .offset = FIELD(tool_modules),
	  .help = "Shared objects with further tools, prompts and resources, by absolute paths." },
	{ .name = "MODULE_SCOPES", .type = SETTING_LIST, .offset = FIELD(module_scopes),
	  .check = modules_check_scopes,
	  .help = "Scopes for what modules add, in place of those it declares: NAME: SCOPE SCOPE NAME: SCOPE." },
	{ .name = "MODULE_ORGANISATIONS", .type = SETTING_LIST, .offset = FIELD(module_organisations),
	  .check = modules_check_organisations,
	  .help = "Organisations that may call a module's tool, as of GREET_USER_ORGANISATIONS: NAME: ORGANISATION." },
	{ .name = "GREET_USER_SCOPES", .type = SETTING_LIST, .offset = FIELD(greet_user_scopes),
	  .check = scope_list_check,
	  .fallback = "usr:read",
	  .help = "Scopes that greet_user needs, all of them; empty: any valid token." },
	{ .name = "ADMIN_TOOL_SCOPES", .type = SETTING_LIST, .offset = FIELD(admin_tool_scopes),
	  .check = scope_list_check,
	  .fallback = "admin",
	  .help = "The same for admin_tool." },
	{ .name = "GET_ORG_DATA_SCOPES", .type = SETTING_LIST, .offset = FIELD(get_org_data_scopes),
	  .check = scope_list_check, .fallback = "",
	  .help = "The same for get_org_data, which also needs an organisation." },
	{ .name = "WEB_SEARCH_SCOPES", .type = SETTING_LIST, .offset = FIELD(web_search_scopes),
	  .check = scope_list_check,
	  .fallback = "web-search:read",
	  .help = "The same for web_search." },
	{ .name = "GREET_USER_ORGANISATIONS", .type = SETTING_LIST, .offset = FIELD(greet_user_organisations),
	  .check = check_organisations,
	  .help = "Organisations that may call greet_user, required for any; claim:NAME reads it from that claim." },
	{ .name = "ADMIN_TOOL_ORGANISATIONS", .type = SETTING_LIST, .offset = FIELD(admin_tool_organisations),
	  .check = check_organisations, .help = "The same for admin_tool." },
	{ .name = "GET_ORG_DATA_ORGANISATIONS", .type = SETTING_LIST, .offset = FIELD(get_org_data_organisations),
	  .check = check_organisations, .help = "The same for get_org_data, which needs one in any case." },
	{ .name = "WEB_SEARCH_ORGANISATIONS", .type = SETTING_LIST, .offset = FIELD(web_search_organisations),
	  .check = check_organisations, .help = "The same for web_search." }
};

#define ROWS(table) (table), sizeof(table) / sizeof((table)[0])

static struct setting_group groups[] = {
	{ "Authorization", ROWS(authorization_rows), 0 },
	{ "Tokens", issuer_token_rows, 0, offsetof(struct server_settings, tokens) },
	{ "Our own requests", fetch_setting_rows, 0, offsetof(struct server_settings, fetch) },
	{ "Server", ROWS(server_rows), 0 },
	{ "Protocol and tools", ROWS(tool_rows), 0 },
	{ "Rate limit", limit_setting_rows, 0, offsetof(struct server_settings, limit) },
	{ "Web search", web_search_setting_rows, 0, offsetof(struct server_settings, web_search) }
};

/* The lengths of other modules' tables are no constant expressions. */
static void
complete_groups(void)
{
	groups[1].n = issuer_token_row_count;
	groups[2].n = fetch_setting_count;
	groups[5].n = limit_setting_count;
	groups[6].n = web_search_setting_count;
}

const struct setting_group *
server_setting_groups(size_t *n)
{
	static pthread_once_t once = PTHREAD_ONCE_INIT;

	pthread_once(&once, complete_groups);
	*n = sizeof groups / sizeof groups[0];
	return groups;
}

/*
 * Append "~/TAIL" with the home directory of the password file, because a process under a web server has none in its
 * environment.
 */
static bool
in_home(const char *tail, struct buf *out)
{
	char space[4096];
	struct passwd entry, *found = NULL;

	if (getpwuid_r(geteuid(), &entry, space, sizeof space, &found) != 0 || !found || !entry.pw_dir
	    || entry.pw_dir[0] != '/')
		return false;
	buf_printf(out, "%s/%s", entry.pw_dir, tail);
	return buf_status(out) == MCP_OK;
}

static char *
find_path(const char *asked, char *const *environ_)
{
	static const char variable[] = "MCP_FCGI_CONF=", site[] = MCP_SYSCONFDIR "/mcp-fcgi/mcp-fcgi.conf";
	struct buf b;
	char *found = NULL;

	for (; !asked && environ_ && *environ_; environ_++)
		if (strncmp(*environ_, variable, sizeof variable - 1) == 0 && (*environ_)[sizeof variable - 1])
			asked = *environ_ + sizeof variable - 1;
	if (asked)
		return text_dup(asked, strlen(asked));
	if (access(site, F_OK) == 0)
		return text_dup(site, sizeof site - 1);
	buf_init(&b, PATH_MAX_BYTES);
	if (in_home(".config/mcp-fcgi/mcp-fcgi.conf", &b) && access(b.data, F_OK) == 0)
		found = buf_steal(&b, NULL);
	buf_clear(&b);
	return found;
}

/* What no table can say: relations and the two settings without which nothing can be judged. */
static void
check(struct server_settings *s, struct report *report)
{
	size_t len = s->issuer ? strlen(s->issuer) : 0;

	if (!s->issuer && s->n_sections > 0) {
		/* The issuers are those of the sections. */
	} else if (!s->issuer) {
		report_add(report, REPORT_FAIL, "set SK_ENV_URL to the environment URL of the dashboard",
		    "ENV-SK_ENV_URL not set (SCALEKIT_ENVIRONMENT_URL environment variable not set)");
	} else if (strcmp(s->issuer, "*") == 0) {
		report_add(report, REPORT_FAIL, NULL, "ISS-OFF the issuer is always checked; SK_ENV_URL cannot be *");
	} else {
		if (len && s->issuer[len - 1] == '/') {
			report_add(report, REPORT_WARN, NULL, "SK_ENV_URL \"%s\" ends with a slash, which is left out",
			    s->issuer);
			while (len && s->issuer[len - 1] == '/')
				s->issuer[--len] = '\0';
		}
		if (!strstr(s->issuer, "://"))
			report_add(report, REPORT_FAIL, "write it with https://", "SK_ENV_URL \"%s\" has no https://",
			    s->issuer);
		else if (!fetch_url_allowed(s->issuer))
			report_add(report, REPORT_FAIL, "use https://; http:// is for loopback only",
			    "SK_ENV_URL \"%s\" is no usable URL", s->issuer);
	}
	if (s->audiences.n == 0 && (s->issuer || s->n_sections == 0))
		report_add(report, REPORT_FAIL,
		    "set EXPECTED_AUDIENCE to the Server URL of the dashboard, byte for byte",
		    "ENV-EXPECTED_AUDIENCE not set (RESOURCE_IDENTIFIER environment variable not set)");
	if (strlist_has(&s->audiences, "*"))
		report_add(report, REPORT_FAIL, NULL,
		    "AUD-OFF the audience is always checked; EXPECTED_AUDIENCE cannot be *");
	if (s->tokens.jwks_uri && s->tokens.jwks_file)
		report_add(report, REPORT_FAIL, "keep one of them", "JWKS_URI and JWKS_FILE are both set");
}

enum mcp_err
server_config_load(const char *path, char *const *environ_, struct report *report, struct server_config **out)
{
	size_t n;
	const struct setting_group *all = server_setting_groups(&n);
	struct config_faults faults = { 0 };
	struct server_config *c = calloc(1, sizeof *c);
	enum mcp_err err;

	*out = NULL;
	if (!c)
		return MCP_ENOMEM;
	c->path = find_path(path, environ_);
	c->version = server_config_version(c->path);
	err = config_read(c->path, environ_, &faults, &c->source);
	if (err && err != MCP_ENOMEM) {
		report_add(report, REPORT_FAIL, NULL, "CONFIG %s: %s", c->path,
		    err == MCP_ELIMIT ? mcp_strerror(err) : strerror(errno));
		err = config_read(NULL, environ_, &faults, &c->source);
	}
	if (!err)
		err = settings_apply(c->source, all, n, &c->settings, &faults);
	if (!err)
		err = server_sections_load(c->source, &c->settings, &faults);
	for (size_t i = 0; i < faults.n; i++)
		report_add(report, faults.v[i].is_error ? REPORT_FAIL : REPORT_WARN, NULL, "CONFIG %s",
		    faults.v[i].text);
	if (faults.lost)
		err = MCP_ENOMEM;
	config_faults_clear(&faults);
	if (err) {
		server_config_free(c);
		return err;
	}
	check(&c->settings, report);
	*out = c;
	return MCP_OK;
}

struct server_config_version
server_config_version(const char *path)
{
	struct server_config_version v;
	struct stat st;

	memset(&v, 0, sizeof v);
	if (path && stat(path, &st) == 0) {
		v.exists = true;
		v.device = st.st_dev;
		v.inode = st.st_ino;
		v.size = st.st_size;
		v.modified = st.st_mtim;
	}
	return v;
}

void
server_config_free(struct server_config *c)
{
	size_t n;
	const struct setting_group *all = server_setting_groups(&n);

	if (!c)
		return;
	settings_clear(all, n, &c->settings);
	server_sections_clear(&c->settings);
	config_free(c->source);
	free(c->path);
	free(c);
}

enum mcp_err
server_state_directory(const struct server_settings *s, struct buf *out)
{
	static const char site[] = MCP_LOCALSTATEDIR "/lib/mcp-fcgi";
	struct stat st;

	if (s->state_dir)
		buf_puts(out, s->state_dir);
	else if (stat(site, &st) == 0 && S_ISDIR(st.st_mode) && st.st_uid == geteuid())
		buf_puts(out, site);
	else if (!in_home(".local/state/mcp-fcgi", out))
		return buf_status(out) ? buf_status(out) : MCP_ENOENT;
	return buf_status(out);
}

const char *
server_public_url(const struct server_settings *s, const char *metadata_resource)
{
	if (s->public_url)
		return s->public_url;
	if (metadata_resource && check_public_url(metadata_resource) == NULL)
		return metadata_resource;
	for (size_t i = 0; i < s->audiences.n; i++)
		if (check_public_url(s->audiences.v[i]) == NULL)
			return s->audiences.v[i];
	return NULL;
}
