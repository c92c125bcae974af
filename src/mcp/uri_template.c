/* SPDX-License-Identifier: MIT */
/*
 * Answers for URI templates. A template is a row of parts, literals and variables in turn. For each part it is computed
 * from left to right at which places of the URI it can end; from right to left the variables then choose theirs.
 */
#include "mcp/uri_template.h"

#include <stdlib.h>
#include <string.h>

#include "base/json.h"
#include "base/text.h"

#define PARTS_MAX (2 * URI_TEMPLATE_VARIABLES_MAX + 1)
#define NAME_MAX_BYTES 64

struct part {
	bool is_variable, reserved;
	const char *text;	/* in the template: the literal, or the variable's name */
	size_t len;
};

struct uri_template {
	char *text;
	struct part parts[PARTS_MAX];
	size_t n;
};

/* What a character of a URI is; '%' is judged by its two digits. Source: RFC 3986 section 2. */
static bool
is_unreserved(char c)
{
	return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || (c && strchr("-._~", c));
}

static bool
is_segment(char c)
{
	return is_unreserved(c) || (c && strchr("!$&'()*+,;=:@%", c));
}

static bool
is_uri_character(char c)
{
	return is_segment(c) || (c && strchr("/?#[]", c));
}

/* Whether "len" bytes are characters of a URI, with whole percent-encodings. */
static bool
is_uri_text(const char *s, size_t len)
{
	for (size_t i = 0; i < len; i++) {
		if (!is_uri_character(s[i]))
			return false;
		if (s[i] == '%' && (i + 2 >= len || text_hex_value(s[i + 1]) < 0 || text_hex_value(s[i + 2]) < 0))
			return false;
	}
	return true;
}

bool
uri_is_absolute(const char *uri)
{
	size_t scheme = strspn(uri, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789+-."), len;

	len = strnlen(uri, URI_MAX + 1);
	return scheme > 0 && ((uri[0] | 0x20) >= 'a' && (uri[0] | 0x20) <= 'z') && uri[scheme] == ':' &&
	    uri[scheme + 1] && len <= URI_MAX && is_uri_text(uri, len);
}

static struct part *
add_part(struct uri_template *t)
{
	return t->n < PARTS_MAX ? &t->parts[t->n++] : NULL;
}

/* Read the expression at "p", behind its brace. Returns what is wrong, or NULL with *end behind the closing brace. */
static const char *
read_expression(struct uri_template *t, const char *p, const char **end)
{
	struct part *part;
	bool reserved = *p == '+';
	size_t len;

	p += reserved;
	len = strspn(p, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_.");
	if (len == 0 || len > NAME_MAX_BYTES || p[len] != '}')
		return "a URI template has an expression that is neither {name} nor {+name}";
	if (t->n > 0 && t->parts[t->n - 1].is_variable)
		return "a URI template has two expressions with nothing between them";
	for (size_t i = 0; i < t->n; i++)
		if (t->parts[i].is_variable && t->parts[i].len == len && memcmp(t->parts[i].text, p, len) == 0)
			return "a URI template has a variable twice";
	part = add_part(t);
	if (!part)
		return "a URI template has too many expressions";
	*part = (struct part){ true, reserved, p, len };
	*end = p + len + 1;
	return NULL;
}

static const char *
read_template(struct uri_template *t)
{
	const char *p = t->text, *why;
	bool has_variable = false;
	struct part *part;
	size_t len;

	if (strlen(p) > URI_MAX)
		return "a URI template is too long";
	while (*p) {
		len = strcspn(p, "{}");
		if (p[len] == '}' || !is_uri_text(p, len))
			return "a URI template has characters that no URI has";
		if (len > 0) {
			part = add_part(t);
			if (!part)
				return "a URI template has too many expressions";
			*part = (struct part){ false, false, p, len };
			p += len;
		}
		if (!*p)
			break;
		why = read_expression(t, p + 1, &p);
		if (why)
			return why;
		has_variable = true;
	}
	return has_variable ? NULL : "a URI template has no expression; register a resource instead";
}

enum mcp_err
uri_template_new(const char *text, struct uri_template **out, const char **why)
{
	struct uri_template *t = calloc(1, sizeof *t);

	*out = NULL;
	*why = "memory is short";
	if (t)
		t->text = text_dup(text, strlen(text));
	if (!t || !t->text) {
		uri_template_free(t);
		return MCP_ENOMEM;
	}
	*why = read_template(t);
	if (*why) {
		uri_template_free(t);
		return MCP_EINVAL;
	}
	*out = t;
	return MCP_OK;
}

void
uri_template_free(struct uri_template *t)
{
	if (!t)
		return;
	free(t->text);
	free(t);
}

bool
uri_template_has(const struct uri_template *t, const char *name)
{
	for (size_t i = 0; i < t->n; i++)
		if (t->parts[i].is_variable && strlen(name) == t->parts[i].len &&
		    memcmp(t->parts[i].text, name, t->parts[i].len) == 0)
			return true;
	return false;
}

static bool
takes(const struct part *part, char c)
{
	return part->reserved ? is_uri_character(c) : is_segment(c);
}

/* "from" and "to": for each place in the URI of "len" bytes, whether the part can begin there, and end there. */
static void
advance(const struct part *part, const char *uri, size_t len, const char *from, char *to)
{
	bool open = false;

	memset(to, 0, len + 1);
	if (!part->is_variable) {
		for (size_t i = 0; i + part->len <= len; i++)
			if (from[i] && memcmp(uri + i, part->text, part->len) == 0)
				to[i + part->len] = 1;
		return;
	}
	for (size_t i = 0; i < len; i++) {
		open = (open || from[i]) && takes(part, uri[i]);
		to[i + 1] = open;
	}
}

/* The place where the part that ends at "end" begins: the last one, so that what stands before it is longest. */
static size_t
begin_of(const struct part *part, const char *from, size_t end)
{
	if (!part->is_variable)
		return end - part->len;
	for (end--; !from[end]; end--)
		;
	return end;
}

/* Decode a value into "values". Returns MCP_ENOENT when it is none. */
static enum mcp_err
set_value(struct json_object *values, const struct part *part, const char *text, size_t len)
{
	char name[NAME_MAX_BYTES + 1];
	enum mcp_err err = MCP_ENOENT;
	struct buf b;

	buf_init(&b, URI_MAX);
	for (size_t i = 0; i < len; i++) {
		if (text[i] != '%')
			buf_putc(&b, text[i]);
		else {
			buf_putc(&b, (char)(text_hex_value(text[i + 1]) << 4 | text_hex_value(text[i + 2])));
			i += 2;
		}
	}
	memcpy(name, part->text, part->len);
	name[part->len] = '\0';
	if (buf_status(&b))
		err = MCP_ENOMEM;
	else if (!memchr(b.data, '\0', b.len) && text_is_utf8(b.data, b.len))
		err = json_set_new(values, name, json_new_string(b.data, b.len)) ? MCP_ENOMEM : MCP_OK;
	buf_clear(&b);
	return err;
}

/* Whether "text" begins or ends inside of a percent-encoding of "uri". */
static bool
cuts_encoding(const char *uri, const char *text, size_t len)
{
	for (size_t back = 1; back <= 2; back++) {
		if ((size_t)(text - uri) >= back && text[-(ptrdiff_t)back] == '%')
			return true;
		if (len >= back && text[len - back] == '%')
			return true;
	}
	return false;
}

enum mcp_err
uri_template_match(const struct uri_template *t, const char *uri, struct json_object **values)
{
	size_t len = strnlen(uri, URI_MAX + 1), end = len, begin;
	enum mcp_err err = MCP_ENOENT;
	char *ends;

	*values = NULL;
	if (!uri_is_absolute(uri))
		return MCP_ENOENT;
	ends = calloc(t->n + 1, len + 1);	/* row i: where part i can begin */
	if (!ends)
		return MCP_ENOMEM;
	ends[0] = 1;
	for (size_t i = 0; i < t->n; i++)
		advance(&t->parts[i], uri, len, ends + i * (len + 1), ends + (i + 1) * (len + 1));
	if (!ends[t->n * (len + 1) + len])
		goto out;
	*values = json_new_object();
	err = *values ? MCP_OK : MCP_ENOMEM;
	for (size_t i = t->n; i > 0 && !err; i--) {
		begin = begin_of(&t->parts[i - 1], ends + (i - 1) * (len + 1), end);
		if (t->parts[i - 1].is_variable && cuts_encoding(uri, uri + begin, end - begin))
			err = MCP_ENOENT;
		else if (t->parts[i - 1].is_variable)
			err = set_value(*values, &t->parts[i - 1], uri + begin, end - begin);
		end = begin;
	}
out:
	free(ends);
	if (err) {
		json_free(*values);
		*values = NULL;
	}
	return err;
}
