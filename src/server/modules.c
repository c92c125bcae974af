/* SPDX-License-Identifier: MIT */
/* Answers for shared objects with tools: which may be loaded, and what the operator has decided about what they add. */
#include "server/modules.h"

#include <dlfcn.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/buf.h"
#include "base/clock.h"
#include "base/config.h"
#include "base/json.h"
#include "base/log.h"
#include "base/text.h"
#include "mcp/module_host.h"
#include "oauth/organisation.h"
#include "oauth/scopes.h"
#include "server/report.h"
#include "server/settings.h"

#define MODULES_MAX 64
#define NAME_MAX_BYTES 64
#define RULES_MAX 1024		/* words of a setting */

/* One function of each file of the API, so that the linker keeps the file for what is loaded later. */
typedef void any_function(void);
static any_function *const kept[] __attribute__((used)) = {
	(any_function *)buf_init, (any_function *)clock_now_s, (any_function *)json_free, (any_function *)json_parse,
	(any_function *)json_render, (any_function *)log_error, (any_function *)mcp_strerror,
	(any_function *)module_add_tool, (any_function *)principal_clear, (any_function *)strlist_add,
	(any_function *)tool_ask, (any_function *)tool_end_stream, (any_function *)tool_list_changed,
	(any_function *)tool_progress, (any_function *)tool_text
};

/* A rule "NAME: WORD..." of a setting. */
struct rule {
	char *name;
	struct strlist words;
	struct org_rule organisation;
	bool used;
};

struct rules {
	struct rule *v;
	size_t n;
};

struct loaded {
	void *handle;
	const struct mcp_module *module;
	void *context;
};

struct modules {
	struct rules scopes, organisations;
	struct loaded loaded[MODULES_MAX];
	size_t n;
};

/* One module while it is loaded. */
struct loading {
	struct modules *all;
	struct registry *registry;
	const struct config *source;
	const struct mcp_module *module;
	struct report *report;
	size_t counts[REGISTRY_KINDS];
};

static void
rules_clear(struct rules *rules)
{
	for (size_t i = 0; i < rules->n; i++) {
		free(rules->v[i].name);
		strlist_clear(&rules->v[i].words);
		org_rule_clear(&rules->v[i].organisation);
	}
	free(rules->v);
	memset(rules, 0, sizeof *rules);
}

static struct rule *
rules_find(const struct rules *rules, const char *name)
{
	for (size_t i = 0; i < rules->n; i++)
		if (strcmp(rules->v[i].name, name) == 0)
			return &rules->v[i];
	return NULL;
}

/* Begin a rule for the name of "len" bytes. */
static enum mcp_err
rules_begin(struct rules *rules, const char *name, size_t len)
{
	struct rule *grown = reallocarray(rules->v, rules->n + 1, sizeof *grown);

	if (!grown)
		return MCP_ENOMEM;
	rules->v = grown;
	grown[rules->n] = (struct rule){ .name = text_dup(name, len) };
	if (!grown[rules->n].name)
		return MCP_ENOMEM;
	rules->n++;
	return MCP_OK;
}

/*
 * Read the words of a setting: a word with a colon at its end begins the rule of a name, the others belong to the last
 * rule. MCP_EINVAL with *why.
 */
static enum mcp_err
rules_read(const struct strlist *words, struct rules *rules, const char **why)
{
	enum mcp_err err = MCP_OK;

	memset(rules, 0, sizeof *rules);
	*why = NULL;
	for (size_t i = 0; i < words->n && !err && !*why; i++) {
		size_t len = strlen(words->v[i]);

		if (words->v[i][len - 1] != ':' && rules->n == 0)
			*why = "begins with a word that is no name with a colon behind it";
		else if (words->v[i][len - 1] != ':')
			err = strlist_add(&rules->v[rules->n - 1].words, words->v[i], len);
		else if (len == 1)
			*why = "has a colon without a name";
		else
			err = rules_begin(rules, words->v[i], len - 1);
		for (size_t j = 0; j + 1 < rules->n && !*why; j++)
			if (strcmp(rules->v[j].name, rules->v[rules->n - 1].name) == 0)
				*why = "has two rules for one name";
	}
	if (!err && !*why)
		return MCP_OK;
	rules_clear(rules);
	return err ? err : MCP_EINVAL;
}

static enum mcp_err
scopes_read(const struct strlist *words, struct rules *rules, const char **why)
{
	enum mcp_err err = rules_read(words, rules, why);

	for (size_t i = 0; i < rules->n && !err; i++)
		for (size_t j = 0; j < rules->v[i].words.n && !*why; j++)
			*why = scope_list_check(rules->v[i].words.v[j]);
	if (err || !*why)
		return err;
	rules_clear(rules);
	return MCP_EINVAL;
}

static enum mcp_err
organisations_read(const struct strlist *words, struct rules *rules, const char **why)
{
	enum mcp_err err = rules_read(words, rules, why);

	for (size_t i = 0; i < rules->n && !err; i++)
		err = org_rule_read(&rules->v[i].words, &rules->v[i].organisation, why);
	if (err)
		rules_clear(rules);
	return err;
}

static const char *
check(const char *value, enum mcp_err (*read)(const struct strlist *, struct rules *, const char **))
{
	struct strlist words = { 0 };
	struct rules rules = { 0 };
	const char *wrong = "has too many words";

	if (strlist_split(&words, value, ", \t\r\n", RULES_MAX) == MCP_OK && read(&words, &rules, &wrong) == MCP_OK)
		wrong = NULL;
	rules_clear(&rules);
	strlist_clear(&words);
	return wrong;
}

const char *
modules_check_scopes(const char *value)
{
	return check(value, scopes_read);
}

const char *
modules_check_organisations(const char *value)
{
	return check(value, organisations_read);
}

static const struct strlist *
decided_scopes(void *ctx, const char *name)
{
	struct loading *l = ctx;
	struct rule *rule = rules_find(&l->all->scopes, name);

	if (!rule)
		return NULL;
	rule->used = true;
	return &rule->words;
}

/* A key of the section "[module NAME]", the last of several. */
static const char *
find_setting(void *ctx, const char *key)
{
	const struct loading *l = ctx;
	const char *value = NULL;

	for (size_t i = 0; i < config_count(l->source); i++) {
		const struct config_entry *e = config_at(l->source, i);
		const struct config_section *section = e->section < 0 ? NULL :
		    config_section(l->source, (size_t)e->section);

		if (section && strcmp(section->kind, "module") == 0 && strcmp(section->name, l->module->name) == 0 &&
		    strcmp(e->name, key) == 0)
			value = e->value;
	}
	return value;
}

static void
note_added(void *ctx, enum registry_kind kind, const char *name, enum mcp_err err, const char *why)
{
	struct loading *l = ctx;
	struct rule *rule = rules_find(&l->all->organisations, name);

	if (err == MCP_EINVAL)
		report_add(l->report, REPORT_FAIL, NULL, "MODULE %s: %s: %s", l->module->name, name,
		    why ? why : "refused");
	if (err)
		return;
	l->counts[kind]++;
	if (rule && kind == REGISTRY_TOOL) {
		rule->used = true;
		registry_restrict(l->registry, name, &rule->organisation);
	}
}

/* Whether only root and this user can write here; what is wrong, or NULL. */
static const char *
objection(const struct stat *st)
{
	if (st->st_uid != 0 && st->st_uid != geteuid())
		return "belongs to another user";
	if (st->st_mode & (S_IWGRP | S_IWOTH))
		return "can be written by others";
	return NULL;
}

/* The real path of a file that may be loaded (the caller frees it); NULL after a report. */
static char *
judge_file(const char *path, struct report *report)
{
	char *real = path[0] == '/' ? realpath(path, NULL) : NULL, *slash;
	const char *wrong = path[0] == '/' ? strerror(errno) : "is no absolute path", *place = "";
	struct stat st;

	if (!real) {
		report_add(report, REPORT_FAIL, NULL, "TOOL_MODULES %s: %s", path, wrong);
		return NULL;
	}
	wrong = stat(real, &st) != 0 ? strerror(errno) : !S_ISREG(st.st_mode) ? "is no file" : objection(&st);
	slash = strrchr(real, '/');
	if (!wrong && slash) {
		*slash = '\0';
		wrong = stat(*real ? real : "/", &st) != 0 ? strerror(errno) : objection(&st);
		*slash = '/';
		place = "its directory ";
	}
	if (!wrong)
		return real;
	report_add(report, REPORT_FAIL, "it must belong to root or to this user, and only the owner may write it",
	    "TOOL_MODULES %s: %s%s", path, place, wrong);
	free(real);
	return NULL;
}

static const char *
judge_module(const struct mcp_module *m)
{
	const char *letters = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";

	if (!m)
		return "does not define mcp_fcgi_module";
	if (m->api != MCP_MODULE_API)
		return "was built for another version of the module API";
	if (!m->name || !m->name[0] || strlen(m->name) > NAME_MAX_BYTES || m->name[strspn(m->name, letters)])
		return "has no good name";
	return m->load ? NULL : "has no function load";
}

/* Have the module add its rows. */
static enum mcp_err
run_load(struct loading *l, struct loaded *into, const char *path)
{
	struct module host = { l->registry, l, decided_scopes, find_setting, note_added };
	bool failed = l->report->failed;
	enum mcp_err err = l->module->load(&host, &into->context);

	if (err == MCP_ENOMEM)
		return err;
	if (err && (failed || !l->report->failed))
		report_add(l->report, REPORT_FAIL, NULL, "MODULE %s could not be loaded: %s", l->module->name,
		    mcp_strerror(err));
	if (!err)
		report_add(l->report, REPORT_OK, NULL, "MODULE %s %s (%s): %zu tools, %zu prompts, %zu resources, "
		    "%zu resource templates", l->module->name, l->module->version ? l->module->version : "", path,
		    l->counts[REGISTRY_TOOL], l->counts[REGISTRY_PROMPT], l->counts[REGISTRY_RESOURCE],
		    l->counts[REGISTRY_TEMPLATE]);
	return MCP_OK;
}

/*
 * The files that code was loaded from, in this process. A path whose code is loaded is not read again, whatever lies
 * there now, so a reload with a new file goes on with the old one. Touched by the one thread that loads.
 */
static struct origin {
	char *path;
	dev_t device;
	ino_t inode;
	struct timespec modified;
} origins[MODULES_MAX];

/* Whether the code of "path" that is loaded already is of another file than lies there now; else remember that file. */
static bool
is_outdated(const char *path)
{
	void *already = dlopen(path, RTLD_NOW | RTLD_LOCAL | RTLD_NOLOAD);
	struct origin *o = origins;
	struct stat st;

	while (o < origins + MODULES_MAX && o->path && strcmp(o->path, path) != 0)
		o++;
	if (already)
		dlclose(already);
	if (o == origins + MODULES_MAX || stat(path, &st) != 0)
		return false;
	if (already && o->path)
		return o->device != st.st_dev || o->inode != st.st_ino || o->modified.tv_sec != st.st_mtim.tv_sec ||
		    o->modified.tv_nsec != st.st_mtim.tv_nsec;
	if (!o->path)
		o->path = text_dup(path, strlen(path));
	o->device = st.st_dev;
	o->inode = st.st_ino;
	o->modified = st.st_mtim;
	return false;
}

static enum mcp_err
load_one(struct loading *l, const char *path)
{
	struct loaded *into = &l->all->loaded[l->all->n];
	enum mcp_err err = MCP_OK;
	const char *wrong = NULL;
	char *real;

	real = judge_file(path, l->report);
	if (!real)
		return MCP_OK;
	if (is_outdated(real))
		report_add(l->report, REPORT_WARN, "restart the responders",
		    "TOOL_MODULES %s: the file is another one now; the code loaded before stays in use", path);
	into->handle = dlopen(real, RTLD_NOW | RTLD_LOCAL);
	if (!into->handle)
		wrong = dlerror();
	if (!wrong) {
		l->all->n++;
		l->module = dlsym(into->handle, "mcp_fcgi_module");
		wrong = judge_module(l->module);
	}
	for (size_t i = 0; !wrong && i + 1 < l->all->n; i++)
		if (l->all->loaded[i].module && strcmp(l->all->loaded[i].module->name, l->module->name) == 0)
			wrong = "has the name of another module";
	if (wrong)
		report_add(l->report, REPORT_FAIL, NULL, "TOOL_MODULES %s: %s", path, wrong);
	else {
		into->module = l->module;
		err = run_load(l, into, real);
	}
	free(real);
	return err;
}

/* Rules and sections for what is not there. */
static void
report_unused(const struct modules *m, const struct config *source, struct report *report)
{
	for (size_t i = 0; i < m->scopes.n; i++)
		if (!m->scopes.v[i].used)
			report_add(report, REPORT_WARN, NULL, "MODULE_SCOPES no module has \"%s\"",
			    m->scopes.v[i].name);
	for (size_t i = 0; i < m->organisations.n; i++)
		if (!m->organisations.v[i].used)
			report_add(report, REPORT_WARN, NULL, "MODULE_ORGANISATIONS no module has the tool \"%s\"",
			    m->organisations.v[i].name);
	for (size_t i = 0; i < config_sections(source); i++) {
		const struct config_section *section = config_section(source, i);
		bool found = strcmp(section->kind, "module") != 0;

		for (size_t j = 0; j < m->n && !found; j++)
			found = m->loaded[j].module && strcmp(m->loaded[j].module->name, section->name) == 0;
		if (!found)
			report_add(report, REPORT_WARN, NULL, "MODULE no module of TOOL_MODULES is called \"%s\"",
			    section->name);
	}
}

enum mcp_err
modules_load(const struct server_settings *set, const struct config *source, struct registry *registry,
    struct report *report, struct modules **out)
{
	struct modules *m = calloc(1, sizeof *m);
	const char *why;
	enum mcp_err err = MCP_ENOMEM;

	*out = m;
	if (m)
		err = scopes_read(&set->module_scopes, &m->scopes, &why);
	if (!err)
		err = organisations_read(&set->module_organisations, &m->organisations, &why);
	/* What is wrong with these settings was said when they were read. */
	if (err == MCP_EINVAL)
		err = MCP_OK;
	for (size_t i = 0; i < set->tool_modules.n && !err; i++) {
		struct loading l = { .all = m, .registry = registry, .source = source, .report = report };

		if (m->n < MODULES_MAX)
			err = load_one(&l, set->tool_modules.v[i]);
		else
			report_add(report, REPORT_FAIL, NULL, "TOOL_MODULES too many");
	}
	if (!err)
		report_unused(m, source, report);
	return err;
}

void
modules_free(struct modules *m)
{
	if (!m)
		return;
	for (size_t i = m->n; i > 0; i--) {
		struct loaded *l = &m->loaded[i - 1];

		if (l->module && l->module->unload)
			l->module->unload(l->context);
		dlclose(l->handle);
	}
	rules_clear(&m->scopes);
	rules_clear(&m->organisations);
	free(m);
}
