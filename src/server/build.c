/* SPDX-License-Identifier: MIT */
/*
 * From a configuration to a server, part by part, lowest layer first; each part says in the report what it found. What
 * is built is never changed again; what cannot be built leaves the server refusing everything.
 */
#include "server/server.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "config.h"

#include "base/clock.h"
#include "base/json.h"
#include "base/text.h"
#include "mcp/listen.h"
#include "mcp/registry.h"
#include "oauth/keystore.h"
#include "oauth/upstream.h"
#include "server/admin.h"
#include "server/authorization.h"
#include "server/endpoints.h"
#include "server/exchange.h"
#include "server/modules.h"
#include "server/refusal_log.h"
#include "store/leases.h"
#include "store/bus.h"
#include "store/secrets.h"
#include "store/state.h"
#include "store/stats.h"
#include "tools/tools.h"

/* The directory and what is kept in it. */
static enum mcp_err
build_stores(struct server *s, struct report *report)
{
	const struct limit_settings *limits = &s->settings->limit;
	const char *why = NULL;
	enum mcp_err err;
	int shared = 0;
	struct buf dir;

	buf_init(&dir, 4096);
	err = server_state_directory(s->settings, &dir);
	if (err == MCP_ENOENT)
		report_add(report, REPORT_FAIL, "set STATE_DIR", "STATE_DIR not set, and there is no home directory");
	s->state_directory = buf_steal(&dir, NULL);
	if (err || !s->state_directory)
		return err == MCP_ENOENT ? MCP_OK : MCP_ENOMEM;
	err = state_open(s->state_directory, &s->state, &why);
	if (err == MCP_ENOMEM)
		return err;
	if (err)
		report_add(report, REPORT_FAIL, "STATE_DIR must be a directory of this user, mode 0700",
		    "STATE_DIR %s: %s", s->state_directory,
		    why ? why : mcp_strerror(err));
	else
		report_add(report, REPORT_OK, NULL, "STATE_DIR %s", s->state_directory);
	if (!err && (secrets_new(s->state, &s->secrets) || bus_new(s->state_directory, &s->bus)))
		return MCP_ENOMEM;
	if (!err && stats_open(s->state_directory, &s->stats, &shared))
		return MCP_ENOMEM;
	if (!err && !shared)
		report_add(report, REPORT_WARN, NULL, "STATS counters are not shared between processes");
	if (s->bus && s->settings->max_streams > 0 && listeners_new(s->bus, &s->listeners))
		return MCP_ENOMEM;
	if (leases_new(s->state_directory, "streams", (size_t)s->settings->max_streams,
	    (size_t)s->settings->max_streams_principal, &s->streams))
		return MCP_ENOMEM;
	err = limiter_new(limits, s->state_directory, &s->limiter);
	if (err == MCP_ENOMEM)
		return err;
	if (err)
		report_add(report, REPORT_FAIL, NULL, "RATE the rate limits do not parse");
	else
		report_add(report, REPORT_OK, NULL, "RATE %s per address, %s per principal",
		    limits->rate_address ? limits->rate_address : LIMIT_RATE_ADDRESS_DEFAULT,
		    limits->rate_principal ? limits->rate_principal : LIMIT_RATE_PRINCIPAL_DEFAULT);
	return MCP_OK;
}

/* The hierarchy of scopes and what the tools ask of organisations; the settings were read by the same functions. */
static enum mcp_err
build_rules(struct server *s)
{
	const struct server_settings *set = s->settings;
	const struct strlist *organisations[] = { &set->greet_user_organisations, &set->admin_tool_organisations,
	    &set->get_org_data_organisations, &set->web_search_organisations };
	const char *why;
	enum mcp_err err = scope_rules_read(&set->scope_implies, &s->implies, &why);

	for (size_t i = 0; i < sizeof organisations / sizeof organisations[0] && !err; i++)
		err = org_rule_read(organisations[i], &s->organisations[i], &why);
	return err;
}

/*
 * What a 401 asks for: what everything that is listed needs, but not the keys of the house, nor what is no scope of
 * ours.
 */
static enum mcp_err
add_challenge_scopes(struct server *s)
{
	enum mcp_err err = MCP_OK;

	for (int kind = 0; kind < REGISTRY_KINDS; kind++)
		for (size_t i = 0; i < registry_count(s->registry, kind); i++) {
			const struct strlist *scopes = &registry_at(s->registry, kind, i)->scopes;

			for (size_t j = 0; j < scopes->n && !err; j++)
				if (strcmp(scopes->v[j], "admin") != 0 && strcmp(scopes->v[j], "offline_access") != 0)
					err = strlist_add_unique(&s->challenge_scopes, scopes->v[j],
					    strlen(scopes->v[j]));
		}
	return err;
}

/* The tools that are on, each with its scopes. */
static enum mcp_err
build_tools(struct server *s, struct report *report)
{
	const struct server_settings *set = s->settings;
	const struct strlist *scopes[] = { &set->greet_user_scopes, &set->admin_tool_scopes, &set->get_org_data_scopes,
	    &set->web_search_scopes };
	bool has_search = web_search_enabled(&set->web_search);
	struct buf names;
	enum mcp_err err;

	tool_greet_user(&s->tools[0]);
	tool_admin_tool(&s->tools[1], s->admin);
	tool_get_org_data(&s->tools[2], s->state);
	s->search = (struct web_search){ &set->web_search, &set->fetch };
	if (has_search)
		tool_web_search(&s->tools[3], &s->search);
	else if (strlist_has(&set->tools, "web_search"))
		report_add(report, REPORT_OK, "get a key from Tavily and set TAVILY_API_KEY, or TAVILY_KEYLESS=on",
		    "TAVILY-KEY web_search is not listed (TAVILY_API_KEY environment variable not set)");
	err = build_rules(s);
	if (!err)
		err = registry_new(&s->registry);
	for (size_t i = 0; i < s->issuers.n && !err; i++)
		err = strlist_copy(&s->challenge_scopes, &s->issuers.v[i].policy.required_scopes);
	if (!err)
		registry_imply(s->registry, &s->implies);
	buf_init(&names, 4096);
	for (size_t i = 0; i < sizeof scopes / sizeof scopes[0] && !err; i++) {
		const char *why = NULL;

		if (!s->tools[i].name || !strlist_has(&set->tools, s->tools[i].name))
			continue;
		err = registry_add(s->registry, &s->tools[i], scopes[i], &why);
		if (err == MCP_EINVAL) {
			report_add(report, REPORT_FAIL, NULL, "TOOLS %s: %s", s->tools[i].name, why ? why : "refused");
			err = MCP_OK;
		} else if (!err) {
			buf_printf(&names, "%s%s", names.len ? ", " : "", s->tools[i].name);
			registry_restrict(s->registry, s->tools[i].name, &s->organisations[i]);
		}
	}
	if (!err)
		err = modules_load(set, s->config->source, s->registry, report, &s->modules);
	if (!err && !set->challenge_scopes.n)
		err = add_challenge_scopes(s);
	if (!err && set->challenge_scopes.n)
		err = strlist_copy(&s->challenge_scopes, &set->challenge_scopes);
	if (!err && strlist_has(&s->challenge_scopes, "offline_access"))
		report_add(report, REPORT_WARN, "take it out of CHALLENGE_SCOPES; clients that want refresh tokens ask "
		    "for it by themselves", "SCOPE-OFFLINE offline_access is no scope of a resource");
	if (!err)
		err = registry_seal(s->registry);
	if (!err && registry_count(s->registry, REGISTRY_TOOL) == 0)
		report_add(report, REPORT_FAIL, "name some in TOOLS, or a module in TOOL_MODULES",
		    "TOOLS none enabled");
	else if (!err)
		report_add(report, REPORT_OK, NULL, "TOOLS %zu%s%s", registry_count(s->registry, REGISTRY_TOOL),
		    names.len ? ": " : "", names.data);
	for (size_t i = 0; i < set->tools.n; i++) {
		static const char *const known[] = { "greet_user", "admin_tool", "get_org_data", "web_search" };
		bool found = false;

		for (size_t j = 0; j < sizeof known / sizeof known[0]; j++)
			found = found || strcmp(set->tools.v[i], known[j]) == 0;
		if (!found)
			report_add(report, REPORT_WARN, NULL, "TOOLS there is no tool \"%s\"", set->tools.v[i]);
	}
	buf_clear(&names);
	return err;
}

/* The metadata document and the URLs that follow from it. */
static enum mcp_err
build_documents(struct server *s, struct report *report)
{
	const struct server_settings *set = s->settings;
	const char *public_url = server_public_url(set, NULL);
	struct json_fault fault = { 0 };
	struct buf b;
	enum mcp_err err = metadata_build(set->metadata, public_url, &s->authorization_servers, &s->challenge_scopes,
	    &s->metadata, &fault);

	if (err)
		return err;
	public_url = server_public_url(set, s->metadata.resource);
	if (!public_url) {
		report_add(report, REPORT_FAIL, "set PUBLIC_URL to the URL that clients connect to",
		    "PUBLIC_URL not set, and no audience is a URL");
		return MCP_OK;
	}
	s->public_url = text_dup(public_url, strlen(public_url));
	for (size_t i = 0; i < s->issuers.n && s->public_url; i++)
		if (!(s->issuers.v[i].policy.resource = text_dup(public_url, strlen(public_url))))
			return MCP_ENOMEM;
	if (!s->public_url)
		return MCP_ENOMEM;
	if (!set->metadata) {
		report_add(report, REPORT_FAIL_PART,
		    "dashboard > MCP server > Metadata JSON, or PROTECTED_RESOURCE_METADATA=auto",
		    "PRM-MISSING PROTECTED_RESOURCE_METADATA is not set");
	} else if (s->metadata.status != 200) {
		size_t at = fault.offset < strlen(set->metadata) ? fault.offset : strlen(set->metadata);

		report_add(report, REPORT_FAIL_PART,
		    "put the JSON in single quotes, on one line, as the dashboard prints it",
		    "PRM-JSON invalid at byte %zu: %s, near \"%.12s\"", fault.offset,
		    fault.what ? fault.what : "not an object", set->metadata + at);
	} else {
		report_add(report, REPORT_OK, NULL, "PRM resource %s",
		    s->metadata.resource ? s->metadata.resource : "(none)");
	}
	if (s->metadata.resource && set->audiences.n && !strlist_has(&set->audiences, s->metadata.resource))
		report_add(report, REPORT_WARN,
		    "make EXPECTED_AUDIENCE and the metadata's resource the same, byte for byte",
		    "AUD-RESOURCE EXPECTED_AUDIENCE \"%s\" is not the metadata's resource \"%s\"", set->audiences.v[0],
		    s->metadata.resource);
	if (set->metadata_url) {
		s->metadata_url = text_dup(set->metadata_url, strlen(set->metadata_url));
		return s->metadata_url ? MCP_OK : MCP_ENOMEM;
	}
	buf_init(&b, 8192);
	/* The root form, which the servers before this one had in their challenges. */
	err = metadata_url(s->public_url, true, &b);
	if (err)
		report_add(report, REPORT_FAIL, NULL, "PUBLIC_URL %s is no absolute URL", s->public_url);
	s->metadata_url = buf_steal(&b, NULL);
	return s->metadata_url ? MCP_OK : MCP_ENOMEM;
}

static enum mcp_err
build_admission(struct server *s, struct report *report)
{
	const struct server_settings *set = s->settings;
	enum mcp_err err;
	struct buf b;

	if (!s->public_url)
		return MCP_OK;
	err = admission_init(&s->admission, s->public_url, &set->allowed_origins, &set->allowed_hosts);
	if (err == MCP_ESYNTAX)
		report_add(report, REPORT_FAIL, NULL, "PUBLIC_URL %s is no absolute URL", s->public_url);
	else if (err)
		return err;
	if (s->admission.any_origin)
		report_add(report, REPORT_WARN, NULL, "CORS-STAR any origin allowed");
	s->trusted = calloc(set->trusted_proxies.n ? set->trusted_proxies.n : 1, sizeof *s->trusted);
	if (!s->trusted)
		return MCP_ENOMEM;
	for (size_t i = 0; i < set->trusted_proxies.n; i++) {
		if (network_parse(set->trusted_proxies.v[i], &s->trusted[s->n_trusted]))
			report_add(report, REPORT_FAIL, NULL, "TRUSTED_PROXIES \"%s\" is no network",
			    set->trusted_proxies.v[i]);
		else
			s->n_trusted++;
	}
	buf_init(&b, 512);
	buf_puts(&b, "HTTP_");
	for (const char *p = set->trusted_proxy_header; p && *p; p++)
		buf_putc(&b, *p == '-' ? '_' : *p >= 'a' && *p <= 'z' ? (char)(*p - 'a' + 'A') : *p);
	s->trusted_proxy_variable = buf_steal(&b, NULL);
	return s->trusted_proxy_variable ? MCP_OK : MCP_ENOMEM;
}

static enum mcp_err
build_endpoints(struct server *s, struct report *report)
{
	struct buf b;

	buf_init(&b, 8192);
	buf_printf(&b, "/.well-known/oauth-protected-resource%s", s->settings->mcp_path);
	s->own_metadata_path = buf_steal(&b, NULL);
	if (!s->own_metadata_path)
		return MCP_ENOMEM;
	endpoints_init(s);
	report_add(report, REPORT_OK, NULL, "ROUTES %zu, public: /health, /.well-known/oauth-protected-resource, "
	    "/.well-known/oauth-authorization-server, /oauth/register; MCP at %s", s->n_endpoints,
	    s->settings->mcp_path);
	if (s->public_url)
		report_add(report, REPORT_OK, NULL, "PUBLIC_URL listening on %s", s->public_url);
	return MCP_OK;
}

static enum mcp_err
build(struct server *s, struct report *report)
{
	const struct server_settings *set = s->settings;
	enum mcp_err err = build_stores(s, report);

	/* Without these nothing further can be judged; the report has said so. */
	if (err || report->failed)
		return err;
	err = authorization_build(s, report);
	if (!err)
		err = admin_source_new(s, &s->admin);
	if (!err)
		err = build_tools(s, report);
	if (!err)
		err = build_documents(s, report);
	if (!err)
		err = build_admission(s, report);
	if (!err)
		err = build_endpoints(s, report);
	if (err)
		return err;
	s->service = (struct mcp_service){
		.name = set->server_name ? set->server_name : "mcp-fcgi", .title = set->server_title,
		.version = PACKAGE_VERSION,
		.instructions = set->instructions, .registry = s->registry, .list_ttl_ms = set->list_ttl_s * 1000,
		.page_size = (size_t)set->page_size,
		.filter_lists = set->filter_lists, .tool_timeout_ms = set->tool_timeout_s * 1000,
		.secrets = s->secrets, .bus = s->bus, .listeners = s->listeners,
		.request_state_s = set->request_state_s,
		.deny_by_result = set->step_up == STEP_UP_RESULT, .metadata_url = s->metadata_url
	};
	return MCP_OK;
}

enum mcp_err
server_new(struct server_config *config, const struct server_process *process, struct report *report,
    struct server **out)
{
	static atomic_llong generations;
	struct server *s = calloc(1, sizeof *s);
	enum mcp_err err;

	*out = NULL;
	if (!s) {
		server_config_free(config);
		return MCP_ENOMEM;
	}
	atomic_init(&s->references, 1);
	s->config = config;
	s->settings = &config->settings;
	s->process = *process;
	s->generation = atomic_fetch_add(&generations, 1) + 1;
	s->loaded_s = clock_now_s();
	err = refusal_log_new(&s->refusals);
	if (!err)
		err = build(s, report);
	if (err) {
		server_unref(s);
		return err;
	}
	s->misconfigured = report->failed;
	*out = s;
	return MCP_OK;
}

struct server *
server_ref(struct server *s)
{
	atomic_fetch_add(&s->references, 1);
	return s;
}

void
server_unref(struct server *s)
{
	if (!s || atomic_fetch_sub(&s->references, 1) != 1)
		return;
	registry_free(s->registry);
	modules_free(s->modules);
	upstream_free(s->upstream);
	issuers_clear(&s->issuers);
	limiter_free(s->limiter);
	leases_free(s->streams);
	refusal_log_free(s->refusals);
	stats_close(s->stats);
	listeners_free(s->listeners);
	bus_free(s->bus);
	secrets_free(s->secrets);
	state_close(s->state);
	metadata_clear(&s->metadata);
	admission_clear(&s->admission);
	strlist_clear(&s->challenge_scopes);
	scope_rules_clear(&s->implies);
	for (size_t i = 0; i < sizeof s->organisations / sizeof s->organisations[0]; i++)
		org_rule_clear(&s->organisations[i]);
	free(s->trusted);
	free(s->admin);
	free(s->trusted_proxy_variable);
	free(s->own_metadata_path);
	strlist_clear(&s->authorization_servers);
	free(s->metadata_url);
	free(s->public_url);
	free(s->state_directory);
	server_config_free(s->config);
	free(s);
}

/* What is to be said of the keys of all issuers together; *is_bad when some cannot be had for a reason of ours. */
static const char *
try_keys(const struct server *s, int64_t now_s, bool *is_bad)
{
	const char *word = "ok";

	*is_bad = false;
	issuers_maintain(&s->issuers, now_s);	/* nobody has asked for keys yet, so this only looks at the disk */
	for (size_t i = 0; i < s->issuers.n; i++) {
		struct keystore_figures keys;

		keystore_figures(s->issuers.v[i].keys, now_s, &keys);
		*is_bad = *is_bad || (!keys.usable && keys.is_file);
		if (!keys.usable)
			word = *is_bad ? "unusable" : "none yet";
	}
	return word;
}

void
server_try(struct server *s, struct report *report)
{
	const char *db, *jwks, *tavily;
	struct limiter_figures limiter;
	bool is_bad;

	if (s->misconfigured)
		return;
	limiter_figures(s->limiter, &limiter);
	db = limiter.usable ? "ok" : "unusable";
	jwks = try_keys(s, clock_now_s(), &is_bad);
	tavily = s->tools[3].name && strlist_has(&s->settings->tools, s->tools[3].name) ? "ok" : "off";
	report_add(report, is_bad || !limiter.usable ? REPORT_WARN : REPORT_OK, NULL,
	    "startup: db %s, jwks %s, tavily %s", db, jwks, tavily);
}

const struct server_settings *
server_settings(const struct server *s)
{
	return s->settings;
}
