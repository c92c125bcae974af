/* SPDX-License-Identifier: MIT */
#include "base/settings.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "../tap.h"

struct example {
	char *text, *secret;
	struct strlist list;
	int64_t number;
	bool flag;
	int choice;
};

static const char *
check_text(const char *value)
{
	return strcmp(value, "bad") == 0 ? "is bad" : NULL;
}

#define AT(name) offsetof(struct example, name)
static const struct setting rows[] = {
	{ .name = "TEXT", .aliases = "OLD_TEXT OLDER_TEXT", .type = SETTING_STRING, .offset = AT(text),
	  .fallback = "standard",
	  .check = check_text },
	{ .name = "SECRET", .type = SETTING_STRING, .flags = SETTING_SECRET, .offset = AT(secret) },
	{ .name = "LIST", .type = SETTING_LIST, .offset = AT(list), .fallback = "a b" },
	{ .name = "NUMBER", .type = SETTING_INT, .offset = AT(number), .fallback = "7", .min = 1, .max = 100 },
	{ .name = "FLAG", .type = SETTING_BOOL, .offset = AT(flag), .fallback = "off" },
	{ .name = "CHOICE", .type = SETTING_CHOICE, .offset = AT(choice), .fallback = "one", .choices = "one|two" }
};
static const struct setting_group group = { "Examples", rows, sizeof rows / sizeof rows[0], 0 };

static char path[] = "/tmp/mcp-config-t-XXXXXX";

static void
write_file(const char *content)
{
	FILE *f = fopen(path, "w");

	if (!f || fputs(content, f) < 0 || fclose(f) != 0)
		abort();
}

/* Read "content" as a file over "environment" and apply it. Returns the faults as one text, "" for none. */
static char *
load(const char *content, char *const *environment, struct example *e, struct config **config)
{
	struct config_faults faults = { 0 };
	struct config *c = NULL;
	struct buf all;

	write_file(content);
	memset(e, 0, sizeof *e);
	buf_init(&all, 10000);
	if (config_read(path, environment, &faults, &c) || settings_apply(c, &group, 1, e, &faults))
		buf_puts(&all, "failed");
	for (size_t i = 0; i < faults.n; i++) {
		const char *text = faults.v[i].text;
		bool ours = strncmp(text, path, strlen(path)) == 0;

		buf_printf(&all, "%s%s;", faults.v[i].is_error ? "E " : "W ", ours ? text + strlen(path) : text);
	}
	config_faults_clear(&faults);
	if (config)
		*config = c;
	else
		config_free(c);
	return buf_steal(&all, NULL);
}

static void
expect_faults(const char *content, char *const *environment, const char *want, const char *text)
{
	struct example e;
	char *got = load(content, environment, &e, NULL);

	is_str(got, want, "%s", text);
	free(got);
	settings_clear(&group, 1, &e);
}

static void
expect_text(const char *content, const char *want, const char *text)
{
	struct example e;
	char *faults = load(content, NULL, &e, NULL);

	is_str(e.text, want, "%s", text);
	if (*faults)
		diag("%s", faults);
	free(faults);
	settings_clear(&group, 1, &e);
}

static void
test_grammar(void)
{
	expect_text("TEXT=plain\n", "plain", "an unquoted value");
	expect_text("export TEXT = spaced out  # comment\n", "spaced out", "export, blanks and a comment");
	expect_text("TEXT=a#b", "a#b", "a # inside a word is no comment, and the last line needs no end");
	expect_text("TEXT='{\"a\": \"b\\'c\"} # $x ${Y}'\r\n", "{\"a\": \"b'c\"} # $x ${Y}",
	    "single quotes are literal; CRLF");
	expect_text("TEXT=\"a\\n\\\"b\\\"\\t\\$z\\q\"", "a\n\"b\"\t$z\\q", "double quotes know escapes");
	expect_text("TEXT='two\nlines'\nNUMBER=3", "two\nlines", "a quoted value may span lines");
	expect_text("A=x\nTEXT=${A}y${B:-z}${C}", "xyz", "replacements and their defaults");
	expect_text("TEXT=one\nTEXT=two", "two", "the last of several counts");
	expect_text("TEXT=", NULL, "an empty value takes the default away");
	expect_text("", "standard", "an empty file leaves the default");
	expect_text("\xef\xbb\xbfTEXT=bom", "bom", "a byte order mark is skipped");
	expect_text("OLDER_TEXT=alias", "alias", "an alias sets it");
	expect_text("[issuer other]\nTEXT=in section", "standard", "keys of a section are not ours");
}

static void
test_faults(void)
{
	char old[] = "OLD_TEXT=env", unrelated[] = "UNRELATED=1", a[] = "TEXT=a", b[] = "OLD_TEXT=b";
	char *mixed[] = { old, unrelated, NULL }, *twice[] = { a, b, NULL };

	expect_faults("TEXT\n", NULL, "E :1: a line reads KEY=VALUE;", "a line without = is told with its number");
	expect_faults("# c\n\n1X=2\n", NULL, "E :3: a line reads KEY=VALUE;", "comments and empty lines count");
	expect_faults("TEXT='abc\n", NULL, "E :1: the closing quote is missing;", "a missing quote is told");
	expect_faults("TEXT='abc' x\nNUMBER=5", NULL, "E :1: something follows the closing quote;",
	    "rubbish behind a quote is told");
	expect_faults("NUMBER=0\n", NULL, "E :1: NUMBER is no whole number within its bounds;", "bounds are kept");
	expect_faults("NUMBER=\n", NULL, "", "an empty number means the default");
	expect_faults("FLAG=maybe\nCHOICE=three\nTEXT=bad", NULL, "E :3: TEXT is bad;E :1: FLAG is neither on nor off;"
	    "E :2: CHOICE is none of its choices;", "each type says what is wrong");
	expect_faults("TXET=1", NULL, "W :1: TXET is no setting;", "a misspelt key is a warning");
	expect_faults("TEXT=file", mixed, "", "the environment over the file is no fault, foreign variables are none");
	expect_faults("", twice, "E environment: OLD_TEXT and TEXT are names of one setting and differ;",
	    "T41: two names that differ are told");
	expect_faults("[broken\n", NULL, "E :1: a section header reads [kind NAME];", "a broken header is told");
}

static void
test_values(void)
{
	char number[] = "NUMBER=42", *environment[] = { number, NULL };
	struct config *c = NULL;
	struct example e;
	struct buf shown;
	char *faults = load("LIST=x, y  z\nFLAG=Yes\nCHOICE=two\nNUMBER=8\nSECRET=hush\n[issuer a]\nX=1\n", environment,
	    &e, &c);
	const struct config_section *section;

	is_str(faults, "", "a good file has no faults");
	is_int((long long)e.list.n, 3, "lists are split at commas and blanks");
	is_int(e.number, 42, "the environment wins");
	ok(e.flag && e.choice == 1, "flags and choices");
	is_int((long long)config_sections(c), 1, "sections are counted");
	section = config_section(c, 0);
	ok(strcmp(section->kind, "issuer") == 0 && strcmp(section->name, "a") == 0 && section->line == 6,
	    "and named, with their lines");
	buf_init(&shown, 10000);
	settings_show(c, &group, 1, &shown);
	ok(strstr(shown.data, "SECRET=(set)") && !strstr(shown.data, "hush"), "a secret is never shown");
	ok(strstr(shown.data, "NUMBER=42  # NUMBER from the environment\n") &&
	    strstr(shown.data, "TEXT=standard  # default\n"), "sources are shown");
	buf_clear(&shown);
	settings_clear(&group, 1, &e);
	config_free(c);
	free(faults);
}

static void
test_secret_files(void)
{
	char secret[] = "/tmp/mcp-config-t-secret-XXXXXX", content[200];
	int fd = mkstemp(secret);
	struct example e;
	char *faults;

	if (fd < 0 || write(fd, "from file\n", 10) != 10 || close(fd) != 0)
		abort();
	snprintf(content, sizeof content, "SECRET_FILE=%s\n", secret);
	faults = load(content, NULL, &e, NULL);
	is_str(e.secret, "from file", "S25: a secret comes from its file, the last line end cut");
	is_str(faults, "", "without faults");
	free(faults);
	settings_clear(&group, 1, &e);
	chmod(secret, 0640);
	expect_faults(content, NULL, "", "its group may read it");
	for (size_t i = 0; i < 3; i++) {
		static const mode_t bad[] = {0644, 0620, 0602};

		chmod(secret, bad[i]);
		faults = load(content, NULL, &e, NULL);
		ok(strstr(faults, "names a file that others may read or change; chmod 600 it"),
		    "mode %03o of a secret's file is told", (unsigned)bad[i]);
		free(faults);
		settings_clear(&group, 1, &e);
	}
	unlink(secret);
	expect_faults("SECRET_FILE=/nonexistent/x\n", NULL, "E :1: SECRET_FILE No such file or directory;",
	    "a missing secret file is told");
	chmod(path, 0644);
	expect_faults("SECRET=x\n", NULL, "W :1: SECRET is a secret in a file that others may read; chmod 600 it;",
	    "a readable file with a secret is told");
	chmod(path, 0600);
}

static void
test_size(void)
{
	struct config_faults faults = { 0 };
	struct config *c;
	char *text = malloc(CONFIG_FILE_MAX + 2);

	if (!text)
		abort();
	memset(text, '#', CONFIG_FILE_MAX + 1);
	text[CONFIG_FILE_MAX + 1] = '\0';
	write_file(text);
	is_int(config_read(path, NULL, &faults, &c), MCP_ELIMIT, "a file of one byte too many is refused");
	ok(!c, "and gives no configuration");
	text[CONFIG_FILE_MAX] = '\0';
	write_file(text);
	is_int(config_read(path, NULL, &faults, &c), MCP_OK, "a file of CONFIG_FILE_MAX bytes is read");
	is_int((long long)faults.n, 0, "without a fault");
	config_free(c);
	config_faults_clear(&faults);
	free(text);
}

int
main(void)
{
	struct config_faults faults = { 0 };
	struct config *c;
	int fd = mkstemp(path);

	if (fd < 0 || close(fd) != 0)
		abort();
	test_grammar();
	test_faults();
	test_values();
	test_secret_files();
	test_size();
	is_int(config_read("/nonexistent/file", NULL, &faults, &c), MCP_ENOENT, "a missing file is told apart");
	is_int(config_read("/tmp", NULL, &faults, &c), MCP_EIO, "a directory is no configuration");
	is_int(config_read(NULL, NULL, &faults, &c), MCP_OK, "no file is an empty configuration");
	config_free(c);
	config_faults_clear(&faults);
	unlink(path);
	return tap_done();
}
