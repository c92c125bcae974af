/* SPDX-License-Identifier: MIT */
/* Which shared objects are loaded as modules, and what the operator decides about what they add. */
#include "server/modules.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/config.h"
#include "base/text.h"
#include "mcp/registry.h"
#include "server/report.h"
#include "server/settings.h"
#include "tests/case.h"
#include "tests/tap.h"

static char work[] = "/tmp/mcp-fcgi-modules.XXXXXX";
static struct report report;

/* Copy a file of the build into the directory, with that mode. */
static void
place(const char *source, const char *name, mode_t mode)
{
	const char *top = getenv("top_builddir");
	char path[4096];
	struct buf b;
	FILE *f;

	buf_init(&b, 64 * 1024 * 1024);
	snprintf(path, sizeof path, "%s/%s", top ? top : ".", source);
	if (!case_read_file(path, &b)) {
		diag("cannot go on: there is no %s", path);
		exit(99);
	}
	snprintf(path, sizeof path, "%s/%s", work, name);
	unlink(path);
	f = fopen(path, "w");
	if (!f || fwrite(b.data, 1, b.len, f) != b.len || fclose(f) != 0 || chmod(path, mode) != 0)
		exit(99);
	buf_clear(&b);
}

/* Load the modules of this directory that "names" names, with these settings; the report stays for the caller. */
static struct registry *
load(const char *names, const char *scopes, const char *organisations, const char *section, struct modules **modules)
{
	struct server_settings set = { 0 };
	struct config_faults faults = { 0 };
	struct strlist bare = { 0 };
	struct registry *r = NULL;
	struct config *config = NULL;
	char path[4096];
	FILE *f;

	report_clear(&report);
	report.failed = false;
	snprintf(path, sizeof path, "%s/conf", work);
	f = fopen(path, "w");
	if (!f || fputs(section, f) == EOF || fclose(f) != 0 || chmod(path, 0600) != 0)
		exit(99);
	ok(config_read(path, NULL, &faults, &config) == MCP_OK && faults.n == 0, "a configuration");
	if (strlist_split(&bare, names, " ", 10) || strlist_split(&set.module_scopes, scopes, " ", 100) ||
	    strlist_split(&set.module_organisations, organisations, " ", 100) || registry_new(&r))
		exit(99);
	for (size_t i = 0; i < bare.n; i++) {
		snprintf(path, sizeof path, "%s%s%s", bare.v[i][0] == '/' ? "" : work, bare.v[i][0] == '/' ? "" : "/",
		    bare.v[i][0] == '=' ? bare.v[i] + 1 : bare.v[i]);
		if (bare.v[i][0] == '=')
			memmove(path, bare.v[i] + 1, strlen(bare.v[i]));
		if (strlist_add(&set.tool_modules, path, strlen(path)))
			exit(99);
	}
	ok(modules_load(&set, config, r, &report, modules) == MCP_OK, "modules_load(%s)", names);
	strlist_clear(&bare);
	strlist_clear(&set.tool_modules);
	strlist_clear(&set.module_scopes);
	strlist_clear(&set.module_organisations);
	config_faults_clear(&faults);
	config_free(config);
	return r;
}

/* Whether a line of the report has that text. */
static bool
reported(enum report_level level, const char *text)
{
	for (size_t i = 0; i < report.n; i++)
		if (report.v[i].level == level && strstr(report.v[i].text, text))
			return true;
	for (size_t i = 0; i < report.n; i++)
		diag("%d %s", report.v[i].level, report.v[i].text);
	return false;
}

static void
refused(const char *names, const char *text, const char *what)
{
	struct modules *modules = NULL;
	struct registry *r = load(names, "", "", "", &modules);

	ok(report.failed && reported(REPORT_FAIL, text), "%s: %s", what, text);
	registry_free(r);
	modules_free(modules);
}

static void
test_good(void)
{
	struct modules *modules = NULL;
	struct registry *r;
	const struct registry_entry *e;

	place("examples/hello.so", "hello.so", 0644);
	r = load("hello.so", "hello: usr:write usr:read hello://about: secret", "hello: org_1", "", &modules);
	ok(!report.failed && reported(REPORT_OK, "MODULE hello 1.0"), "the example is loaded");
	ok(reported(REPORT_OK, "1 tools, 1 prompts, 1 resources, 1 resource templates"), "... with all it has");
	e = registry_find(r, REGISTRY_TOOL, "hello");
	ok(e && e->scopes.n == 2 && strlist_has(&e->scopes, "usr:write"), "the operator's scopes are in force");
	ok(e && e->organisation->required && strlist_has(&e->organisation->allowed, "org_1"),
	    "... and the organisations");
	e = registry_find(r, REGISTRY_RESOURCE, "hello://about");
	ok(e && e->scopes.n == 1, "... for a resource by its URI");
	e = registry_find(r, REGISTRY_PROMPT, "introduce");
	ok(e && e->scopes.n == 0, "without a rule the module's own hold");
	registry_free(r);
	modules_free(modules);

	r = load("hello.so", "nobody: a", "no_tool: required", "[module nobody]\nA=1\n", &modules);
	ok(reported(REPORT_WARN, "MODULE_SCOPES no module has \"nobody\""), "a rule for nothing is a warning");
	ok(reported(REPORT_WARN, "no module has the tool \"no_tool\""), "... of organisations too");
	ok(reported(REPORT_WARN, "is called \"nobody\""), "... and so is a section");
	e = registry_find(r, REGISTRY_TOOL, "hello");
	ok(e && e->scopes.n == 1 && strlist_has(&e->scopes, "usr:read"), "the module's scopes");
	registry_free(r);
	modules_free(modules);
}

static void
test_bad(void)
{
	refused("none.so", "No such file", "a file that is not there");
	refused("=hello.so", "is no absolute path", "a relative path");
	refused("/dev/null", "is no file", "a device");
	refused("conf", "file too short", "no shared object");
	place("examples/hello.so", "hello.so", 0664);
	refused("hello.so", "can be written by others", "a file that the group can write");
	place("examples/hello.so", "hello.so", 0602);
	refused("hello.so", "can be written by others", "one that everybody can write");
	place("examples/hello.so", "hello.so", 0644);
	chmod(work, 0770);
	refused("hello.so", "its directory can be written by others", "a directory that others can write");
	chmod(work, 0700);
	if (geteuid() == 0) {
		char path[4096];

		snprintf(path, sizeof path, "%s/hello.so", work);
		ok(chown(path, 65534, 65534) == 0, "the file is given away");
		refused("hello.so", "belongs to another user", "a file of another user");
	} else
		skip("only root gives files away");
	place("examples/hello.so", "hello.so", 0644);
	place("examples/hello.so", "again.so", 0644);
	refused("hello.so again.so", "has the name of another module", "a module twice");
	place("tests/modules/none.so", "odd.so", 0644);
	refused("odd.so", "does not define mcp_fcgi_module", "no module");
	place("tests/modules/version.so", "odd.so", 0644);
	refused("odd.so", "was built for another version", "another version of the API");
	place("tests/modules/refused.so", "odd.so", 0644);
	refused("odd.so", "MODULE refused: undecided: nobody has decided which scopes it needs",
	    "a tool without scopes");
	place("tests/modules/fails.so", "odd.so", 0644);
	refused("odd.so", "MODULE fails could not be loaded: not found", "a module that fails");
}

static void
test_settings(void)
{
	static const struct { const char *value, *wrong; } bad[] = {
		{ "usr:read", "begins with a word that is no name with a colon behind it" },
		{ "a: usr:read :", "has a colon without a name" },
		{ "a: x b: y a: z", "has two rules for one name" },
		{ "a: s\"", "has a byte that no scope may have (RFC 6749 section 3.3)" }
	};

	for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++)
		is_str(modules_check_scopes(bad[i].value), bad[i].wrong, "MODULE_SCOPES=%s", bad[i].value);
	is_str(modules_check_scopes("a: b: usr:read, usr:write test://{id}: admin"), NULL, "good rules");
	ok(modules_check_organisations("a: claim:x claim:y") != NULL, "MODULE_ORGANISATIONS with two claims");
	is_str(modules_check_organisations("a: claim:x b: required"), NULL, "good rules of organisations");
}

/* A reload with a new file in the place of one whose code is still loaded. */
static void
test_replaced(void)
{
	struct modules *first = NULL, *second = NULL;
	struct registry *r, *again;

	place("examples/hello.so", "replaced.so", 0644);
	r = load("replaced.so", "hello: usr:read hello://about: usr:read", "", "", &first);
	place("examples/hello.so", "replaced.so", 0644);
	again = load("replaced.so", "hello: usr:read hello://about: usr:read", "", "", &second);
	ok(!report.failed && reported(REPORT_WARN, "the code loaded before stays in use"),
	    "a module that was replaced while it was loaded: said so");
	registry_free(again);
	modules_free(second);
	registry_free(r);
	modules_free(first);
	r = load("replaced.so", "hello: usr:read hello://about: usr:read", "", "", &first);
	ok(!reported(REPORT_WARN, "stays in use"), "and loaded when nobody uses the old one any more");
	registry_free(r);
	modules_free(first);
}

int
main(void)
{
	char path[4096];

	if (!mkdtemp(work))
		return 99;
	test_settings();
	test_good();
	test_bad();
	test_replaced();
	report_clear(&report);
	for (size_t i = 0; i < 5; i++) {
		static const char *const names[] = { "hello.so", "again.so", "odd.so", "replaced.so", "conf" };

		snprintf(path, sizeof path, "%s/%s", work, names[i]);
		unlink(path);
	}
	rmdir(work);
	return tap_done();
}
