/* SPDX-License-Identifier: MIT */
#ifndef MCP_BASE_CONFIG_H
#define MCP_BASE_CONFIG_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/err.h"

/*
 * Configuration: one .env grammar, read into names and values. This module reads; it knows no setting (settings.h
 * does).
 *
 * Grammar (what python-dotenv reads, and sections): a line is empty, a comment (#), "[kind NAME]", or "[export
 * ]KEY=VALUE". An unquoted VALUE ends at " #" or the line's end and is trimmed; '...' is literal (\' and \\ are
 * escapes); "..." knows \n \r \t \\ \" \$. Quoted values may span lines. ${NAME} and ${NAME:-default} in unquoted and
 * double-quoted values are replaced from earlier keys, then from the environment. After the first section header, keys
 * belong to the last header.
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

/* Free all faults; none is left, and no error counted. */
void config_faults_clear(struct config_faults *f);

struct config;

/*
 * Read the file at "path" (NULL: no file, an empty configuration) and lay "environ_" (as environ(7); may be NULL) over
 * it: every variable there is a key without section. Syntax faults go to "faults" as errors with file and line; so does
 * a file that everybody may write, and as a warning one that its group may write or that is another user's. Returns
 * MCP_OK with *out new (release with config_free()) also when faults were found; MCP_ENOENT or MCP_EIO (errno) when a
 * given file cannot be read; MCP_ELIMIT when it is too large; MCP_ENOMEM.
 */
enum mcp_err config_read(const char *path, char *const *environ_, struct config_faults *faults,
    struct config **out) MCP_MUST_CHECK;

/* Release; the values, which may be secrets, are overwritten. NULL is fine. */
void config_free(struct config *c);

/* One key as it was read. Borrowed until config_free(). */
struct config_entry {
	const char *name, *value;	/* an empty value counts as set */
	int line;			/* in the file; 0: from the environment */
	int section;			/* index for config_section(), -1: before the first header */
};

/*
 * The entry of "name" outside sections, environment before file, the last of several in the file; NULL if neither has
 * it.
 */
const struct config_entry *config_find(const struct config *c, const char *name);

/* How many entries there are: those of the environment, then those of the file in its order. */
size_t config_count(const struct config *c);

/* The entry at "i", below config_count(). Borrowed until config_free(). */
const struct config_entry *config_at(const struct config *c, size_t i);

/* The path of the file that was read, NULL for none. Borrowed until config_free(). */
const char *config_path(const struct config *c);

/* The permission bits of that file, 0 without one. */
unsigned config_mode(const struct config *c);

/* A section's header, "[kind NAME]". */
struct config_section {
	char *kind, *name;
	int line;
};

/* How many section headers the file has. */
size_t config_sections(const struct config *c);

/* The header at "i", below config_sections(), in the order of the file. Borrowed until config_free(). */
const struct config_section *config_section(const struct config *c, size_t i);

#endif
