/* SPDX-License-Identifier: MIT */
/*
 * The renderer: values back to text, byte for byte as Python's json module writes them (ensure_ascii off, but without
 * blanks in the compact form). Recursion is as deep as the value: what a text had (JSON_DEPTH_MAX) and what our own
 * code put around it.
 */
#include "base/json.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <json-c/json.h>

#include "base/text.h"

struct renderer {
	struct buf *out;
	bool pretty;
	unsigned indent;	/* blanks a level, when pretty */
	unsigned level;
	bool first;		/* no member of the open object was written yet */
};

static void render_value(struct renderer *r, const struct json_object *v);

void
json_render_string(const char *s, size_t len, struct buf *out)
{
	static const char named[] = "\"\\\b\f\n\r\t", letters[] = "\"\\bfnrt";
	size_t from = 0, at = 0;

	buf_putc(out, '"');
	while (at < len) {
		unsigned char c = (unsigned char)s[at];
		size_t n = text_utf8_length(s + at, len - at);
		const char *name;

		if (n > 0 && c >= 0x20 && c != '"' && c != '\\') {
			at += n;
			continue;
		}
		buf_put(out, s + from, at - from);
		name = c ? strchr(named, c) : NULL;
		if (n == 0)
			buf_puts(out, "\xef\xbf\xbd");
		else if (name)
			buf_printf(out, "\\%c", letters[name - named]);
		else
			buf_printf(out, "\\u%04x", c);
		from = ++at;
	}
	buf_put(out, s + from, at - from);
	buf_putc(out, '"');
}

/* The fewest digits that read back as "d", as "D.DDDe+XX". */
static void
shortest(double d, char *text, size_t size)
{
	/* 15 digits, less the zeros at their end, are the fewest where they suffice; but not for subnormal numbers. */
	for (int digits = isnormal(d) ? 15 : 1; digits <= 17; digits++) {
		double back;

		snprintf(text, size, "%.*e", digits - 1, d);
		back = strtod(text, NULL);
		if (!(back < d) && !(back > d))
			return;
	}
}

/*
 * A number that did not come from a text, as Python's repr() has it: positional from 1e-4 to below 1e16, with a point
 * in any case; otherwise with an exponent.
 */
static void
render_double(double d, struct buf *out)
{
	char text[40], digits[20];
	int exponent, n = 0;

	shortest(d, text, sizeof(text));
	if (text[0] == '-')
		buf_putc(out, '-');
	for (const char *c = text; *c != 'e'; c++)
		if (*c >= '0' && *c <= '9')
			digits[n++] = *c;
	exponent = (int)strtol(strchr(text, 'e') + 1, NULL, 10);
	while (n > 1 && digits[n - 1] == '0')
		n--;
	if (exponent < -4 || exponent >= 16) {
		buf_putc(out, digits[0]);
		if (n > 1)
			buf_putc(out, '.');
		buf_put(out, digits + 1, (size_t)n - 1);
		buf_printf(out, "e%c%02d", exponent < 0 ? '-' : '+', abs(exponent));
		return;
	}
	if (exponent < 0)
		buf_puts(out, "0.");
	for (int i = -1; i > exponent; i--)
		buf_putc(out, '0');
	for (int i = 0; i < n || i <= exponent; i++) {
		if (exponent >= 0 && i == exponent + 1)
			buf_putc(out, '.');
		buf_putc(out, i < n ? digits[i] : '0');
	}
	if (exponent >= n - 1)
		buf_puts(out, ".0");
}

const char *
json_number_text(const struct json_object *v, char *scratch)
{
	enum json_kind kind = json_kind(v);
	const char *text = json_object_get_userdata((struct json_object *)(uintptr_t)v);

	if (kind == JSON_DOUBLE && text)
		return text;
	if (kind == JSON_INT)
		snprintf(scratch, JSON_NUMBER_BYTES, "%lld", (long long)json_object_get_int64(v));
	else
		shortest(kind == JSON_DOUBLE ? json_object_get_double(v) : 0, scratch, JSON_NUMBER_BYTES);
	return scratch;
}

static void
render_number(const struct json_object *v, struct buf *out)
{
	/* A number that was parsed remembers its text, so that what is passed on is what was said. */
	const char *text = json_object_get_userdata((struct json_object *)(uintptr_t)v);

	if (json_kind(v) == JSON_INT)
		buf_printf(out, "%lld", (long long)json_object_get_int64(v));
	else if (text)
		buf_puts(out, text);
	else
		render_double(json_object_get_double(v), out);
}

static void
break_line(struct renderer *r)
{
	if (!r->pretty)
		return;
	buf_putc(r->out, '\n');
	for (unsigned i = 0; i < r->level * r->indent; i++)
		buf_putc(r->out, ' ');
}

static bool
render_member(void *ctx, const char *name, struct json_object *value)
{
	struct renderer *r = ctx;

	if (!r->first)
		buf_putc(r->out, ',');
	break_line(r);
	json_render_string(name, strlen(name), r->out);
	buf_puts(r->out, r->pretty ? ": " : ":");
	render_value(r, value);
	r->first = false;
	return true;
}

static void
render_array(struct renderer *r, const struct json_object *v)
{
	for (size_t i = 0, n = json_count(v); i < n; i++) {
		if (i > 0)
			buf_putc(r->out, ',');
		break_line(r);
		render_value(r, json_at(v, i));
	}
}

static void
render_container(struct renderer *r, const struct json_object *v)
{
	bool array = json_kind(v) == JSON_ARRAY;

	buf_putc(r->out, array ? '[' : '{');
	if (json_count(v) > 0) {
		r->level++;
		r->first = true;
		if (array)
			render_array(r, v);
		else
			json_each(v, render_member, r);
		r->level--;
		break_line(r);
	}
	buf_putc(r->out, array ? ']' : '}');
}

static void
render_value(struct renderer *r, const struct json_object *v)
{
	const char *s;
	size_t len;
	bool b = false;

	switch (json_kind(v)) {
	case JSON_NULL:
		buf_puts(r->out, "null");
		break;
	case JSON_BOOL:
		buf_puts(r->out, json_as_bool(v, &b) == MCP_OK && b ? "true" : "false");
		break;
	case JSON_INT:
	case JSON_DOUBLE:
		render_number(v, r->out);
		break;
	case JSON_STRING:
		if (json_as_string(v, &s, &len) == MCP_OK)
			json_render_string(s, len, r->out);
		break;
	case JSON_ARRAY:
	case JSON_OBJECT:
		render_container(r, v);
		break;
	}
}

void
json_render(const struct json_object *v, struct buf *out)
{
	struct renderer r = { .out = out };

	render_value(&r, v);
}

void
json_render_indented(const struct json_object *v, unsigned indent, struct buf *out)
{
	struct renderer r = { .out = out, .pretty = true, .indent = indent };

	render_value(&r, v);
}
