/* SPDX-License-Identifier: MIT */
#ifndef MCP_BASE_SETTINGS_H
#define MCP_BASE_SETTINGS_H

#include <stddef.h>
#include <stdint.h>

#include "base/buf.h"
#include "base/config.h"
#include "base/err.h"
#include "base/strlist.h"

/*
 * Settings: rows of tables that modules export, so that struct, defaults, parser, manual and "config show" come from
 * one list.
 */

/*
 * How a value is written and what it becomes in the struct. An empty value takes a text or a list away, and leaves the
 * other types at their default.
 */
enum setting_type {
	SETTING_STRING,		/* char *, owned; NULL when unset or empty */
	SETTING_LIST,		/* struct strlist, split at commas and blanks */
	SETTING_INT,		/* int64_t within [min, max] */
	SETTING_BOOL,		/* bool: on off true false yes no 1 0 */
	SETTING_CHOICE		/* int: index in "choices", a string of words with "|" between them */
};

enum setting_flags {
	SETTING_SECRET = 1,	/* never shown; NAME_FILE names a file whose content (last line end cut) is the value */
	SETTING_STARTUP = 2	/* read once when the process starts; a change needs a restart */
};

struct setting {
	const char *name;	/* upper case, as in a file and in the environment */
	/* further names, a blank between them, the first that is set wins after "name"; NULL: none */
	const char *aliases;
	enum setting_type type;
	unsigned flags;
	size_t offset;		/* offsetof() in the module's struct */
	const char *fallback;	/* the default as it would be written; NULL: unset */
	int64_t min, max;	/* SETTING_INT */
	const char *choices;	/* SETTING_CHOICE */
	/* NULL, or returns a static phrase saying what is wrong, else NULL */
	const char *(*check)(const char *value);
	const char *help;	/* one sentence for the manual and "config show" */
};

/* One module's table and where its struct lies in the whole. */
struct setting_group {
	const char *title;
	const struct setting *rows;
	size_t n;
	size_t offset;		/* of the module's struct within "settings" below */
};

/*
 * Fill the structs inside "settings" (all zero before) from "c". Values that do not fit their row are errors in
 * "faults" that name the source; so are two names of one setting with different values. Keys of the file that no row
 * knows get a warning (keys of the environment do not). Returns MCP_OK or MCP_ENOMEM; what holds a faulty value keeps
 * its default. Release with settings_clear().
 */
enum mcp_err settings_apply(const struct config *c, const struct setting_group *groups, size_t n, void *settings,
    struct config_faults *faults) MCP_MUST_CHECK;

/* Free the texts and lists that settings_apply() has put into the structs; texts are overwritten. */
void settings_clear(const struct setting_group *groups, size_t n, void *settings);

/* A value that takes the place of a row's default. */
struct setting_preset {
	const char *name, *value;
};

/* A section of the file in place of the keys before the first one; the environment does not count in it. */
struct setting_section {
	int index;		/* for config_section() */
	const char *title;	/* where presets come from, for settings_show_section() */
	const struct setting_preset *presets;
	size_t n;
};

/* settings_apply() for the keys of a section; one that no row knows is an error here. */
enum mcp_err settings_apply_section(const struct config *c, const struct setting_section *section,
    const struct setting_group *groups, size_t n, void *settings, struct config_faults *faults) MCP_MUST_CHECK;

/*
 * Append one row a line, "NAME=value  # source", secrets as "(set)" or "(not set)". "source" is the name used and
 * FILE:LINE, "from the environment", "default", or the title of presets.
 */
void settings_show(const struct config *c, const struct setting_group *groups, size_t n, struct buf *out);

/* The same for the keys of a section. */
void settings_show_section(const struct config *c, const struct setting_section *section,
    const struct setting_group *groups, size_t n, struct buf *out);

#endif
