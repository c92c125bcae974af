/* SPDX-License-Identifier: MIT */
/* The grammar of configuration files, which stands in config.h: the text is read byte by byte by one cursor. */
#include "base/config_grammar.h"

#include <string.h>

#include "base/buf.h"
#include "base/text.h"

/* The cursor over a text. */
struct reader {
	const struct config_receiver *to;
	struct config_faults *faults;
	const char *path, *p;
	int line;
	enum mcp_err err;	/* MCP_ENOMEM or MCP_ELIMIT ends the reading */
};

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
	found = r->to->lookup(r->to->ctx, name, (size_t)(end - name));
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
	const char *kind = ++r->p, *name;
	size_t kind_len, name_len;

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
	r->err = r->to->section(r->to->ctx, text_dup(kind, kind_len), text_dup(name, name_len), r->line);
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
		r->err = r->to->entry(r->to->ctx, text_dup(name, name_len), buf_steal(&value, NULL), line);
out:
	buf_clear_secret(&value);
}

enum mcp_err
config_grammar_read(const char *text, const char *path, const struct config_receiver *to, struct config_faults *faults)
{
	struct reader r = { .to = to, .faults = faults, .path = path, .p = text, .line = 1 };

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
