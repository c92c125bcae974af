/* SPDX-License-Identifier: MIT */
#ifndef MCP_BASE_CONFIG_H
#define MCP_BASE_CONFIG_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/buf.h"
#include "base/err.h"
#include "base/strlist.h"

/*
 * Configuration: one .env grammar, read into names and values; and settings, rows of tables that modules export, so that struct, parser,
 * manual and "config show" come from one list. This module reads; it knows no setting.
 *
 * Grammar (what python-dotenv reads, and sections): a line is empty, a comment (#), "[kind NAME]", or "[export ]KEY=VALUE". An unquoted
 * VALUE ends at " #" or the line's end and is trimmed; '...' is literal (\' and \\ are escapes); "..." knows \n \r \t \\ \" \$. Quoted values may
 * span lines. ${NAME} and ${NAME:-default} in unquoted and double-quoted values are replaced from earlier keys, then from the environment. After the first
 * section header, keys belong to the last header.
 */

#define CONFIG_FILE_MAX (256 * 1024)	/* bytes of a configuration file */
#define CONFIG_VALUE_MAX (64 * 1024)	/* bytes of one value */

/* What reading or applying found, in order; an error makes the configuration unusable, a warning does not. */
struct config_fault {
	bool is_error;
	char *text;		/* "FILE:LINE: what" or "environment: what"; never a secret's value */
};
struct config_faults {
	struct config_fault *v;
	size_t n;
	size_t errors;		/* how many of them are errors */
	bool lost;		/* memory was short and a fault is missing; counts as an error */
};

/* Append a fault. The text is composed as by printf and escaped. */
void config_fault_add(struct config_faults *f, bool is_error, const char *fmt, ...) MCP_PRINTF(3, 4);
void config_faults_clear(struct config_faults *f);

struct config;

/*
 * Read the file at "path" (NULL: no file, an empty configuration) and lay "environ_" (as environ(7); may be NULL) over it: every variable there is a
 * key without section. Syntax faults go to "faults" as errors with file and line. A file that others may read or write while it holds a key that "is_secret" (may be NULL)
 * names gets a warning. Returns MCP_OK with *out new (release with config_free()) also when faults were found; MCP_ENOENT or MCP_EIO (errno)
 * when a given file cannot be read; MCP_ELIMIT when it is too large; MCP_ENOMEM.
 */
enum mcp_err config_read(const char *path, char *const *environ_, struct config_faults *faults, struct config **out) MCP_MUST_CHECK;
void config_free(struct config *c);

/* The value of "name" outside sections, environment before file; NULL if neither has it. Borrowed until config_free(). An empty value counts as set. */
const char *config_get(const struct config *c, const char *name);

/* Sections in the order of the file: how many, and the header's kind and name of section "i" (borrowed). */
size_t config_sections(const struct config *c);
void config_section(const struct config *c, size_t i, const char **kind, const char **name);

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
	const char *aliases;	/* further names, a blank between them, the first that is set wins after "name"; NULL: none */
	enum setting_type type;
	unsigned flags;
	size_t offset;		/* offsetof() in the module's struct */
	const char *fallback;	/* the default as it would be written; NULL: unset */
	int64_t min, max;	/* SETTING_INT */
	const char *choices;	/* SETTING_CHOICE */
	const char *(*check)(const char *value);	/* NULL, or returns a static phrase saying what is wrong, else NULL */
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
 * Fill the structs inside "settings" (all zero before) from "c". Values that do not fit their row are errors in "faults" that name the source; so are two names of one
 * setting with different values. Keys of the file that no row knows get a warning (keys of the environment do not). Returns MCP_OK or MCP_ENOMEM; what holds a faulty
 * value keeps its default. Release with settings_clear().
 */
enum mcp_err settings_apply(const struct config *c, const struct setting_group *groups, size_t n, void *settings,
    struct config_faults *faults) MCP_MUST_CHECK;
void settings_clear(const struct setting_group *groups, size_t n, void *settings);

/* Append one row a line, "NAME=value  # source", secrets as "(set, N bytes)" or "(not set)". "source" is FILE:LINE, environment, or default. */
void settings_show(const struct config *c, const struct setting_group *groups, size_t n, struct buf *out);

#endif
