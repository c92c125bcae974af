/* SPDX-License-Identifier: MIT */
/*
 * Reading of configuration files; the grammar stands in config.h. The whole file is read first, then parsed byte by
 * byte by one cursor.
 */
#include "base/config.h"

#include <errno.h>
#include <fcntl.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/buf.h"
#include "base/text.h"

#define FAULTS_MAX 200		/* told of one configuration; the rest only counts */
#define ENTRIES_MAX 4096

struct config {
	struct config_entry *entries;
	size_t n, from_environment;
	struct config_section *sections;
	size_t n_sections;
	char *path;
	unsigned mode;
};

/* The cursor over a file. */
struct reader {
	struct config *config;
	struct config_faults *faults;
	const char *path, *p;
	int line;
	enum mcp_err err;	/* MCP_ENOMEM or MCP_ELIMIT ends the reading */
};

void
config_fault_add(struct config_faults *f, bool is_error, const char *fmt, ...)
{
	struct config_fault *v;
	struct buf raw, text;
	va_list ap;

	if (is_error)
		f->errors++;
	if (f->n >= FAULTS_MAX)
		return;
	buf_init(&raw, 4096);
	buf_init(&text, 4 * 4096 + 8);
	va_start(ap, fmt);
	buf_vprintf(&raw, fmt, ap);
	va_end(ap);
	for (size_t i = 0; i < raw.len; i++) {
		if ((unsigned char)raw.data[i] >= 0x20 && (unsigned char)raw.data[i] < 0x7f)
			buf_putc(&text, raw.data[i]);
		else
			text_escape(raw.data + i, 1, 1, &text);
	}
	v = reallocarray(f->v, f->n + 1, sizeof *v);
	if (v) {
		f->v = v;
		v[f->n].is_error = is_error;
		v[f->n].text = buf_steal(&text, NULL);
		if (v[f->n].text)
			f->n++;
		else
			v = NULL;
	}
	if (!v && !f->lost) {
		f->lost = true;
		f->errors++;
	}
	buf_clear(&raw);
	buf_clear(&text);
}

void
config_faults_clear(struct config_faults *f)
{
	for (size_t i = 0; i < f->n; i++)
		free(f->v[i].text);
	free(f->v);
	memset(f, 0, sizeof *f);
}

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

static bool
is_name_byte(char c, bool first)
{
	return (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z') || c == '_' || (!first && c >= '0' && c <= '9');
}

static void
skip_blanks(struct reader *r)
{
	while (*r->p == ' ' || *r->p == '\t')
		r->p++;
}

static bool
at_line_end(const struct reader *r)
{
	return *r->p == '\0' || *r->p == '\n' || (r->p[0] == '\r' && r->p[1] == '\n');
}

/* Go behind the end of this line. */
static void
next_line(struct reader *r)
{
	while (*r->p && *r->p != '\n')
		r->p++;
	if (*r->p) {
		r->p++;
		r->line++;
	}
}

static void
fault(struct reader *r, int line, const char *what)
{
	config_fault_add(r->faults, true, "%s:%d: %s", r->path, line, what);
}

/* The value that ${NAME} stands for: an earlier key, then the environment; NULL if there is none. */
static const char *
lookup(const struct config *c, const char *name, size_t len)
{
	for (size_t i = c->n; i-- > 0;) {
		const struct config_entry *e = &c->entries[i];

		if (strlen(e->name) == len && memcmp(e->name, name, len) == 0)
			return e->value;
	}
	return NULL;
}

/*
 * At "${": append what it stands for and go behind the "}". Returns false when it is no replacement and stays as it is
 * written.
 */
static bool
interpolate(struct reader *r, struct buf *value)
{
	const char *name = r->p + 2, *end = name, *fallback = NULL, *found;
	size_t fallback_len = 0;

	while (is_name_byte(*end, end == name))
		end++;
	if (end == name)
		return false;
	found = lookup(r->config, name, (size_t)(end - name));
	if (end[0] == ':' && end[1] == '-') {
		fallback = end + 2;
		fallback_len = strcspn(fallback, "}\r\n");
		if (!found || !*found) {
			buf_put(value, fallback, fallback_len);
			found = "";
		}
		end = fallback + fallback_len;
	}
	if (*end != '}')
		return false;
	if (found)
		buf_puts(value, found);
	r->p = end + 1;
	return true;
}

static void
read_unquoted(struct reader *r, struct buf *value)
{
	while (!at_line_end(r)) {
		if (*r->p == '#' && (value->len == 0 || r->p[-1] == ' ' || r->p[-1] == '\t'))
			break;
		if (r->p[0] == '$' && r->p[1] == '{' && interpolate(r, value))
			continue;
		buf_putc(value, *r->p++);
	}
	while (value->len && (value->data[value->len - 1] == ' ' || value->data[value->len - 1] == '\t'))
		value->data[--value->len] = '\0';
}

/* The byte that "\" and "c" stand for inside double quotes, or 0 when the backslash stays. */
static char
unescape(char c)
{
	switch (c) {
	case 'n': return '\n';
	case 'r': return '\r';
	case 't': return '\t';
	case '\\': case '"': case '\'': case '$': return c;
	default: return '\0';
	}
}

/* At the opening quote: append the content and go behind the closing one. Returns false if there is none. */
static bool
read_quoted(struct reader *r, struct buf *value)
{
	char quote = *r->p++;

	while (*r->p && *r->p != quote) {
		if (*r->p == '\n')
			r->line++;
		if (*r->p == '\\' && quote == '\'' && (r->p[1] == '\'' || r->p[1] == '\\')) {
			buf_putc(value, r->p[1]);
			r->p += 2;
		} else if (*r->p == '\\' && quote == '"' && unescape(r->p[1])) {
			buf_putc(value, unescape(r->p[1]));
			r->p += 2;
		} else if (quote == '"' && r->p[0] == '$' && r->p[1] == '{' && interpolate(r, value)) {
			continue;
		} else {
			buf_putc(value, *r->p++);
		}
	}
	if (*r->p != quote)
		return false;
	r->p++;
	return true;
}

/* "[kind NAME]" */
static void
read_section(struct reader *r)
{
	struct config *c = r->config;
	const char *kind = ++r->p, *name;
	size_t kind_len, name_len;
	struct config_section *sections;

	kind_len = strcspn(kind, " \t]\r\n");
	name = kind + kind_len + strspn(kind + kind_len, " \t");
	name_len = strcspn(name, " \t]\r\n");
	r->p = name + name_len;
	skip_blanks(r);
	if (*r->p != ']' || kind_len == 0 || name_len == 0) {
		fault(r, r->line, "a section header reads [kind NAME]");
		next_line(r);
		return;
	}
	sections = reallocarray(c->sections, c->n_sections + 1, sizeof *sections);
	if (sections) {
		c->sections = sections;
		sections[c->n_sections].kind = text_dup(kind, kind_len);
		sections[c->n_sections].name = text_dup(name, name_len);
		sections[c->n_sections].line = r->line;
		c->n_sections++;
	}
	if (!sections || !sections[c->n_sections - 1].kind || !sections[c->n_sections - 1].name)
		r->err = MCP_ENOMEM;
	next_line(r);
}

/* "[export ]KEY=VALUE" */
static void
read_assignment(struct reader *r)
{
	const char *name;
	size_t name_len = 0;
	struct buf value;
	int line = r->line;

	if (strncmp(r->p, "export", 6) == 0 && (r->p[6] == ' ' || r->p[6] == '\t')) {
		r->p += 6;
		skip_blanks(r);
	}
	name = r->p;
	while (is_name_byte(name[name_len], name_len == 0))
		name_len++;
	r->p += name_len;
	skip_blanks(r);
	if (name_len == 0 || *r->p != '=') {
		fault(r, line, "a line reads KEY=VALUE");
		next_line(r);
		return;
	}
	r->p++;
	skip_blanks(r);
	buf_init(&value, CONFIG_VALUE_MAX);
	if (*r->p == '\'' || *r->p == '"') {
		if (!read_quoted(r, &value)) {
			fault(r, line, "the closing quote is missing");
			goto out;
		}
		skip_blanks(r);
		if (!at_line_end(r) && *r->p != '#') {
			fault(r, r->line, "something follows the closing quote");
			next_line(r);
			goto out;
		}
	} else {
		read_unquoted(r, &value);
	}
	next_line(r);
	if (buf_status(&value) == MCP_ELIMIT)
		fault(r, line, "the value is too long");
	else
		r->err = entry_add(r->config, text_dup(name, name_len), buf_steal(&value, NULL), line,
		    (int)r->config->n_sections - 1);
out:
	buf_clear_secret(&value);
}

static enum mcp_err
parse(struct config *c, const char *text, struct config_faults *faults)
{
	struct reader r = { .config = c, .faults = faults, .path = c->path, .p = text, .line = 1 };

	if (strncmp(r.p, "\xef\xbb\xbf", 3) == 0)
		r.p += 3;	/* editors of some systems begin files so */
	while (*r.p && !r.err) {
		skip_blanks(&r);
		if (at_line_end(&r) || *r.p == '#')
			next_line(&r);
		else if (*r.p == '[')
			read_section(&r);
		else
			read_assignment(&r);
	}
	return r.err;
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
	enum mcp_err err = MCP_ENOMEM;
	struct config *c;
	struct buf text;
	uid_t owner = 0;

	*out = NULL;
	buf_init(&text, CONFIG_FILE_MAX + 1);
	c = calloc(1, sizeof *c);
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
		err = parse(c, text.data, faults);
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
