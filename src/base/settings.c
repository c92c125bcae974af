/* SPDX-License-Identifier: MIT */
/* From names and values to the modules' structs, by the modules' tables. */
#include "base/settings.h"

#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/text.h"

#define LIST_MAX 1024		/* strings of one list */
#define NAME_MAX_BYTES 128	/* of a setting's name with "_FILE" */

/* Where a setting's value comes from. */
struct source {
	const struct config_entry *entry;	/* NULL: the default */
	bool is_file_name;			/* NAME_FILE: the value is the content of that file */
};

/* What is before the first section. */
static const struct setting_section top = { .index = -1 };

static const struct config_entry *
find(const struct config *c, const struct setting_section *section, const char *name, bool in_file)
{
	for (size_t i = config_count(c); i-- > 0;) {
		const struct config_entry *e = config_at(c, i);

		if (e->section == section->index && (e->line > 0) == in_file && strcmp(e->name, name) == 0)
			return e;
	}
	return NULL;
}

/* Write name number "i" of a row (0: its own, then its aliases) into "out". Returns false behind the last. */
static bool
row_name(const struct setting *row, size_t i, char out[NAME_MAX_BYTES])
{
	const char *p = row->aliases;

	if (i == 0)
		return snprintf(out, NAME_MAX_BYTES, "%s", row->name) < NAME_MAX_BYTES;
	for (; p && *p; p += strcspn(p, " "), p += strspn(p, " "))
		if (--i == 0)
			return snprintf(out, NAME_MAX_BYTES, "%.*s", (int)strcspn(p, " "), p) < NAME_MAX_BYTES;
	return false;
}

/* "FILE:LINE: NAME what": one fault of one entry. */
static void
entry_fault(const struct config *c, struct config_faults *faults, const struct config_entry *e, bool is_error,
    const char *what)
{
	if (e->line)
		config_fault_add(faults, is_error, "%s:%d: %s %s", config_path(c), e->line, e->name, what);
	else
		config_fault_add(faults, is_error, "environment: %s %s", e->name, what);
}

/* Find what sets a row: environment before file, the row's name before its aliases, NAME before NAME_FILE. */
static struct source
choose(const struct config *c, const struct setting_section *section, const struct setting *row,
    struct config_faults *faults)
{
	struct source chosen = { NULL, false };
	char name[NAME_MAX_BYTES + 8];

	for (int in_file = 0; in_file < 2 && !chosen.entry; in_file++) {
		for (size_t i = 0; row_name(row, i, name); i++) {
			const struct config_entry *e = find(c, section, name, in_file);
			bool is_file_name = false;

			if (!e && (row->flags & SETTING_SECRET)) {
				snprintf(name + strlen(name), 6, "_FILE");
				e = find(c, section, name, in_file);
				is_file_name = e != NULL;
			}
			if (e && !chosen.entry) {
				chosen = (struct source){ e, is_file_name };
			} else if (e && faults
			    && (is_file_name != chosen.is_file_name || strcmp(e->value, chosen.entry->value) != 0)) {
				char what[64 + NAME_MAX_BYTES];

				snprintf(what, sizeof what, "and %s are names of one setting and differ",
				    chosen.entry->name);
				entry_fault(c, faults, e, true, what);
			}
		}
	}
	return chosen;
}

/*
 * The content of a secret's file without its last line end; *is_open says that others may read or change it. Returns
 * MCP_OK, MCP_EIO (errno), MCP_ELIMIT, MCP_ENOMEM.
 */
static enum mcp_err
read_secret(const char *path, char **out, bool *is_open)
{
	struct stat st;
	struct buf b;
	enum mcp_err err;
	ssize_t n = 1;
	int fd = open(path, O_RDONLY | O_CLOEXEC);

	*out = NULL;
	if (fd < 0)
		return MCP_EIO;
	*is_open = fstat(fd, &st) == 0 && S_ISREG(st.st_mode) && (st.st_mode & (S_IWGRP | S_IROTH | S_IWOTH));
	buf_init(&b, CONFIG_VALUE_MAX);
	do {
		err = buf_reserve(&b, b.max - b.len < 1024 ? b.max - b.len : 1024);
		if (err)
			break;
		n = read(fd, b.data + b.len, b.cap - b.len - 1);
		if (n < 0) {
			err = MCP_EIO;
		} else {
			b.len += (size_t)n;
			b.data[b.len] = '\0';
			if (b.len == b.max)
				err = MCP_ELIMIT;
		}
	} while (!err && n > 0);
	close(fd);
	if (!err && b.len && b.data[b.len - 1] == '\n')
		b.data[--b.len] = '\0';
	if (!err && b.len && b.data[b.len - 1] == '\r')
		b.data[--b.len] = '\0';
	if (!err && !(*out = text_dup(b.data, b.len)))
		err = MCP_ENOMEM;
	buf_clear_secret(&b);
	return err;
}

static const char *
parse_bool(const char *value, bool *out)
{
	static const char *const yes[] = { "on", "true", "yes", "1" }, *const no[] = { "off", "false", "no", "0" };

	for (size_t i = 0; i < 4; i++) {
		if (text_equal_nocase(value, yes[i]) || text_equal_nocase(value, no[i])) {
			*out = text_equal_nocase(value, yes[i]);
			return NULL;
		}
	}
	return "is neither on nor off";
}

static const char *
parse_choice(const char *value, const char *choices, int *out)
{
	size_t len;
	int index = 0;

	for (const char *p = choices;; p += len + 1, index++) {
		len = strcspn(p, "|");
		if (strlen(value) == len && strncmp(p, value, len) == 0) {
			*out = index;
			return NULL;
		}
		if (!p[len])
			return "is none of its choices";
	}
}

/* Put "value" into its place. Returns NULL or what is wrong; *err is MCP_ENOMEM when memory was short. */
static const char *
store_value(const struct setting *row, const char *value, void *place, enum mcp_err *err)
{
	const char *wrong = NULL;
	int64_t number;

	if (row->check && *value && (wrong = row->check(value)))
		return wrong;
	switch (row->type) {
	case SETTING_STRING:
		free(*(char **)place);
		*(char **)place = NULL;
		if (*value && !(*(char **)place = text_dup(value, strlen(value))))
			*err = MCP_ENOMEM;
		break;
	case SETTING_LIST:
		strlist_clear(place);
		*err = strlist_split(place, value, ", \t\r\n", LIST_MAX);
		if (*err == MCP_ELIMIT) {
			*err = MCP_OK;
			wrong = "has too many elements";
		}
		break;
	case SETTING_INT:
		if (text_parse_int(value, row->min, row->max, &number))
			wrong = "is no whole number within its bounds";
		else
			*(int64_t *)place = number;
		break;
	case SETTING_BOOL:
		wrong = parse_bool(value, place);
		break;
	case SETTING_CHOICE:
		wrong = parse_choice(value, row->choices, place);
		break;
	}
	return wrong;
}

/* The preset of a row, NULL if it has none. */
static const char *
preset(const struct setting_section *section, const struct setting *row)
{
	for (size_t i = 0; i < section->n; i++)
		if (strcmp(section->presets[i].name, row->name) == 0)
			return section->presets[i].value;
	return NULL;
}

static enum mcp_err
apply_row(const struct config *c, const struct setting_section *section, const struct setting *row, void *place,
    struct config_faults *faults)
{
	struct source s = choose(c, section, row, faults);
	const char *value = preset(section, row), *wrong;
	char *content = NULL;
	enum mcp_err err = MCP_OK;
	bool is_open = false;

	if (!value)
		value = row->fallback;
	if (value)
		(void)store_value(row, value, place, &err);
	if (err || !s.entry)
		return err;
	value = s.entry->value;
	if (s.is_file_name) {
		err = read_secret(value, &content, &is_open);
		if (err == MCP_ENOMEM)
			return err;
		if (err) {
			entry_fault(c, faults, s.entry, true,
			    err == MCP_EIO ? strerror(errno) : "names a file that is too large");
			return MCP_OK;
		}
		value = content;
	}
	/* An empty value takes a text or a list away; for the other types it is as if nothing was said. */
	if (*value || row->type == SETTING_STRING || row->type == SETTING_LIST) {
		wrong = store_value(row, value, place, &err);
		if (wrong)
			entry_fault(c, faults, s.entry, true, wrong);
	}
	if ((row->flags & SETTING_SECRET) && *value && s.entry->line && !s.is_file_name && (config_mode(c) & 077))
		entry_fault(c, faults, s.entry, false, "is a secret in a file that others may read; chmod 600 it");
	if (is_open)
		entry_fault(c, faults, s.entry, false, "names a file that others may read or change; chmod 600 it");
	text_free_secret(content);
	return err;
}

/* Whether some row, or NAME_FILE of a secret, has this name. */
static bool
is_known(const struct setting_group *groups, size_t n, const char *name)
{
	char candidate[NAME_MAX_BYTES + 8];

	for (size_t g = 0; g < n; g++) {
		for (size_t r = 0; r < groups[g].n; r++) {
			const struct setting *row = &groups[g].rows[r];

			for (size_t i = 0; row_name(row, i, candidate); i++) {
				if (strcmp(candidate, name) == 0)
					return true;
				snprintf(candidate + strlen(candidate), 6, "_FILE");
				if ((row->flags & SETTING_SECRET) && strcmp(candidate, name) == 0)
					return true;
			}
		}
	}
	return false;
}

enum mcp_err
settings_apply_section(const struct config *c, const struct setting_section *section,
    const struct setting_group *groups, size_t n, void *settings, struct config_faults *faults)
{
	for (size_t g = 0; g < n; g++) {
		for (size_t r = 0; r < groups[g].n; r++) {
			const struct setting *row = &groups[g].rows[r];
			void *place = (char *)settings + groups[g].offset + row->offset;
			enum mcp_err err = apply_row(c, section, row, place, faults);

			if (err)
				return err;
		}
	}
	for (size_t i = 0; i < config_count(c); i++) {
		const struct config_entry *e = config_at(c, i);

		if (e->line && e->section == section->index && !is_known(groups, n, e->name))
			entry_fault(c, faults, e, section->index >= 0, "is no setting");
	}
	return MCP_OK;
}

enum mcp_err
settings_apply(const struct config *c, const struct setting_group *groups, size_t n, void *settings,
    struct config_faults *faults)
{
	return settings_apply_section(c, &top, groups, n, settings, faults);
}

void
settings_clear(const struct setting_group *groups, size_t n, void *settings)
{
	for (size_t g = 0; g < n; g++) {
		for (size_t r = 0; r < groups[g].n; r++) {
			const struct setting *row = &groups[g].rows[r];
			void *place = (char *)settings + groups[g].offset + row->offset;

			if (row->type == SETTING_STRING) {
				text_free_secret(*(char **)place);
				*(char **)place = NULL;
			} else if (row->type == SETTING_LIST) {
				strlist_clear(place);
			}
		}
	}
}

static void
show_value(const char *name, const char *value, struct buf *out)
{
	buf_printf(out, "%s=", name);
	text_escape(value, strlen(value), CONFIG_VALUE_MAX, out);
}

/* One line of one row. */
static void
show_row(const struct config *c, const struct setting_section *section, const struct setting *row, struct buf *out)
{
	struct source s = choose(c, section, row, NULL);
	const char *set = preset(section, row), *value = set ? set : row->fallback ? row->fallback : "";

	if (s.entry)
		value = s.entry->value;
	if ((row->flags & SETTING_SECRET) && !s.is_file_name)
		buf_printf(out, "%s=%s", row->name, *value ? "(set)" : "(not set)");
	else
		show_value(row->name, value, out);
	if (!s.entry)
		buf_printf(out, "  # %s\n", set ? section->title : "default");
	else if (s.entry->line)
		buf_printf(out, "  # %s %s:%d\n", s.entry->name, config_path(c), s.entry->line);
	else
		buf_printf(out, "  # %s from the environment\n", s.entry->name);
}

void
settings_show_section(const struct config *c, const struct setting_section *section,
    const struct setting_group *groups, size_t n, struct buf *out)
{
	for (size_t g = 0; g < n; g++) {
		if (groups[g].title)
			buf_printf(out, "%s# %s\n", g ? "\n" : "", groups[g].title);
		for (size_t r = 0; r < groups[g].n; r++)
			show_row(c, section, &groups[g].rows[r], out);
	}
}

void
settings_show(const struct config *c, const struct setting_group *groups, size_t n, struct buf *out)
{
	settings_show_section(c, &top, groups, n, out);
}
