/* SPDX-License-Identifier: MIT */
/*
 * A configuration file, read and applied to a table with a row of each type: any bytes give values or faults with a
 * line.
 */
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "base/config.h"
#include "base/settings.h"
#include "base/text.h"
#include "tests/fuzz/fuzz.h"

struct values {
	char *text, *secret;
	struct strlist list;
	int64_t number;
	bool flag;
	int choice;
};

static const char *
check(const char *value)
{
	return strchr(value, '!') ? "has an exclamation mark" : NULL;
}

static const struct setting rows[] = {
	{ .name = "TEXT",
	    .aliases = "ALIAS OTHER",
	    .type = SETTING_STRING,
	    .offset = offsetof(struct values, text),
	    .fallback = "none",
	    .check = check,
	    .help = "A text." },
	{ .name = "SECRET",
	    .type = SETTING_STRING,
	    .flags = SETTING_SECRET,
	    .offset = offsetof(struct values, secret),
	    .help = "A secret." },
	{ .name = "LIST",
	    .type = SETTING_LIST,
	    .offset = offsetof(struct values, list),
	    .fallback = "a b",
	    .help = "A list." },
	{ .name = "NUMBER",
	    .type = SETTING_INT,
	    .offset = offsetof(struct values, number),
	    .fallback = "5",
	    .min = 1,
	    .max = 10,
	    .help = "A number." },
	{ .name = "FLAG",
	    .type = SETTING_BOOL,
	    .offset = offsetof(struct values, flag),
	    .fallback = "on",
	    .help = "A flag." },
	{ .name = "CHOICE",
	    .type = SETTING_CHOICE,
	    .offset = offsetof(struct values, choice),
	    .fallback = "b",
	    .choices = "a|b|c",
	    .help = "A choice." },
};
static const struct setting_group groups[] = { { "Fuzz", rows, sizeof(rows) / sizeof(rows[0]), 0 } };

static void
apply(const struct config *c, struct config_faults *faults)
{
	struct values v;
	struct buf out;

	memset(&v, 0, sizeof(v));
	FUZZ_CLAIM(settings_apply(c, groups, 1, &v, faults) == MCP_OK);
	FUZZ_CLAIM(v.number >= 1 && v.number <= 10 && v.choice >= 0 && v.choice <= 2);
	FUZZ_CLAIM(!v.text || !strchr(v.text, '!'));
	buf_init(&out, 1 << 22);
	settings_show(c, groups, 1, &out);
	FUZZ_CLAIM(buf_status(&out) == MCP_OK && out.len > 0);
	buf_clear(&out);
	settings_clear(groups, 1, &v);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	char home[] = "HOME=/home/fuzz", number[] = "NUMBER=4", odd[] = "=";
	char *const variables[] = { home, number, odd, NULL };
	static char path[64];
	static int fd = -1;
	struct config_faults faults;
	struct config *c;
	enum mcp_err err;

	if (fd < 0) {
		fd = memfd_create("fuzz-config", MFD_CLOEXEC);
		FUZZ_CLAIM(fd >= 0);
		snprintf(path, sizeof(path), "/proc/self/fd/%d", fd);
	}
	FUZZ_CLAIM(ftruncate(fd, 0) == 0 && pwrite(fd, data, size, 0) == (ssize_t)size);
	memset(&faults, 0, sizeof(faults));
	err = config_read(path, size % 2 ? variables : NULL, &faults, &c);
	FUZZ_CLAIM((err == MCP_OK) == (c != NULL));
	FUZZ_CLAIM(err == MCP_OK || err == MCP_ELIMIT);
	if (c) {
		for (size_t i = 0; i < config_count(c); i++) {
			const struct config_entry *e = config_at(c, i);

			FUZZ_CLAIM(
			    e->name[0] && strlen(e->value) <= CONFIG_VALUE_MAX && e->section < (int)config_sections(c));
		}
		for (size_t i = 0; i < config_sections(c); i++) {
			const struct config_section *section = config_section(c, i);

			FUZZ_CLAIM(section->kind && section->name && section->line > 0);
		}
		apply(c, &faults);
	}
	for (size_t i = 0; i < faults.n; i++)
		for (const char *s = faults.v[i].text; *s; s++)
			FUZZ_CLAIM(*s >= 0x20 && *s < 0x7f);
	config_faults_clear(&faults);
	config_free(c);
	return 0;
}
