/* SPDX-License-Identifier: MIT */
/* What a configuration file and the environment say: entries and sections, whole files, who may write to them. */
#include "base/config.h"

#include <errno.h>
#include <fcntl.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/buf.h"
#include "base/config_grammar.h"
#include "base/text.h"

#define ENTRIES_MAX 4096

struct config {
	struct config_entry *entries;
	size_t n, from_environment;
	struct config_section *sections;
	size_t n_sections;
	char *path;
	unsigned mode;
};

/* Add an entry; "name" and "value" are stolen (NULL: out of memory at the caller's). */
static enum mcp_err
entry_add(struct config *c, char *name, char *value, int line, int section)
{
	struct config_entry *entries = NULL;
	enum mcp_err err = MCP_ENOMEM;

	if (!name || !value)
		goto out;
	if (c->n >= ENTRIES_MAX) {
		err = MCP_ELIMIT;
		goto out;
	}
	entries = reallocarray(c->entries, c->n + 1, sizeof *entries);
	if (!entries)
		goto out;
	c->entries = entries;
	entries[c->n++] = (struct config_entry){ .name = name, .value = value, .line = line, .section = section };
	return MCP_OK;
out:
	free(name);
	text_free_secret(value);
	return err;
}

/* For the grammar: an entry of the section that was begun last. */
static enum mcp_err
on_entry(void *ctx, char *name, char *value, int line)
{
	struct config *c = ctx;

	return entry_add(c, name, value, line, (int)c->n_sections - 1);
}

static enum mcp_err
on_section(void *ctx, char *kind, char *name, int line)
{
	struct config *c = ctx;
	struct config_section *sections = NULL;

	if (kind && name)
		sections = reallocarray(c->sections, c->n_sections + 1, sizeof *sections);
	if (!sections) {
		free(kind);
		free(name);
		return MCP_ENOMEM;
	}
	c->sections = sections;
	sections[c->n_sections++] = (struct config_section){ .kind = kind, .name = name, .line = line };
	return MCP_OK;
}

/* What ${NAME} stands for: an earlier key, then the environment. */
static const char *
on_lookup(void *ctx, const char *name, size_t len)
{
	const struct config *c = ctx;

	for (size_t i = c->n; i-- > 0;) {
		const struct config_entry *e = &c->entries[i];

		if (strlen(e->name) == len && memcmp(e->name, name, len) == 0)
			return e->value;
	}
	return NULL;
}

/* Read the whole file, which must be shorter than the bound of "text", into it. */
static enum mcp_err
slurp(const char *path, struct buf *text, unsigned *mode, uid_t *owner)
{
	enum mcp_err err = MCP_EIO;
	struct stat st;
	ssize_t n;
	int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);

	if (fd < 0)
		return errno == ENOENT ? MCP_ENOENT : MCP_EIO;
	if (fstat(fd, &st) != 0)
		goto out;
	if (!S_ISREG(st.st_mode)) {
		errno = EINVAL;
		goto out;
	}
	*mode = st.st_mode & 07777;
	*owner = st.st_uid;
	do {
		size_t room = text->max - text->len;

		err = room ? buf_reserve(text, room < 4096 ? room : 4096) : MCP_ELIMIT;
		if (err)
			goto out;
		n = read(fd, text->data + text->len, text->cap - text->len - 1);
		if (n < 0) {
			err = MCP_EIO;
			goto out;
		}
		text->len += (size_t)n;
		text->data[text->len] = '\0';
	} while (n > 0);
	err = MCP_OK;
out:
	close(fd);
	return err;
}

static enum mcp_err
read_environment(struct config *c, char *const *environ_)
{
	enum mcp_err err = MCP_OK;

	for (; environ_ && *environ_ && !err; environ_++) {
		const char *equals = strchr(*environ_, '=');

		if (equals && equals != *environ_ && strlen(equals + 1) <= CONFIG_VALUE_MAX)
			err = entry_add(c, text_dup(*environ_, (size_t)(equals - *environ_)),
			    text_dup(equals + 1, strlen(equals + 1)), 0, -1);
	}
	c->from_environment = c->n;
	return err;
}

/* Whoever may write to the file decides whose tokens are accepted. */
static void
check_writers(const char *path, unsigned mode, uid_t owner, struct config_faults *faults)
{
	if (mode & S_IWOTH)
		config_fault_add(faults, true, "%s: everybody may write to it (mode %03o)", path, mode & 0777);
	else if (mode & S_IWGRP)
		config_fault_add(faults, false, "%s: its group may write to it (mode %03o)", path, mode & 0777);
	if (owner != 0 && owner != geteuid())
		config_fault_add(faults, false, "%s: it belongs to another user (uid %lu)", path, (unsigned long)owner);
}

enum mcp_err
config_read(const char *path, char *const *environ_, struct config_faults *faults, struct config **out)
{
	struct config_receiver to = { .entry = on_entry, .section = on_section, .lookup = on_lookup };
	enum mcp_err err = MCP_ENOMEM;
	struct config *c;
	struct buf text;
	uid_t owner = 0;

	*out = NULL;
	buf_init(&text, CONFIG_FILE_MAX + 1);
	to.ctx = c = calloc(1, sizeof *c);
	if (!c)
		goto out;
	if (path && !(c->path = text_dup(path, strlen(path))))
		goto out;
	err = read_environment(c, environ_);
	if (!err && path)
		err = slurp(path, &text, &c->mode, &owner);
	if (err)
		goto out;
	if (path)
		check_writers(path, c->mode, owner, faults);
	if (text.len && memchr(text.data, '\0', text.len))
		config_fault_add(faults, true, "%s: has a NUL byte", path);
	else if (path)
		err = config_grammar_read(text.data, path, &to, faults);
	if (err)
		goto out;
	*out = c;
	c = NULL;
out:
	config_free(c);
	buf_clear_secret(&text);
	return err;
}

void
config_free(struct config *c)
{
	if (!c)
		return;
	for (size_t i = 0; i < c->n; i++) {
		free((void *)(uintptr_t)c->entries[i].name);
		text_free_secret((void *)(uintptr_t)c->entries[i].value);
	}
	free(c->entries);
	for (size_t i = 0; i < c->n_sections; i++) {
		free(c->sections[i].kind);
		free(c->sections[i].name);
	}
	free(c->sections);
	free(c->path);
	free(c);
}

const struct config_entry *
config_find(const struct config *c, const char *name)
{
	for (size_t i = 0; i < c->from_environment; i++)
		if (strcmp(c->entries[i].name, name) == 0)
			return &c->entries[i];
	for (size_t i = c->n; i-- > c->from_environment;)
		if (c->entries[i].section < 0 && strcmp(c->entries[i].name, name) == 0)
			return &c->entries[i];
	return NULL;
}

size_t
config_count(const struct config *c)
{
	return c->n;
}

const struct config_entry *
config_at(const struct config *c, size_t i)
{
	return &c->entries[i];
}

const char *
config_path(const struct config *c)
{
	return c->path;
}

unsigned
config_mode(const struct config *c)
{
	return c->mode;
}

size_t
config_sections(const struct config *c)
{
	return c->n_sections;
}

const struct config_section *
config_section(const struct config *c, size_t i)
{
	return &c->sections[i];
}
