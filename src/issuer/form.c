/* SPDX-License-Identifier: MIT */
/* Answers for application/x-www-form-urlencoded, both ways. */
#include "issuer/form.h"

#include <stdlib.h>
#include <string.h>

#include "base/text.h"

enum mcp_err
form_decode(const char *text, size_t len, struct buf *out)
{
	size_t start = out->len;

	for (size_t i = 0; i < len; i++) {
		unsigned char c = (unsigned char)text[i];

		if (c == '+') {
			c = ' ';
		} else if (c == '%') {
			int high = i + 2 < len ? text_hex_value(text[i + 1]) : -1;
			int low = i + 2 < len ? text_hex_value(text[i + 2]) : -1;

			if (high < 0 || low < 0)
				return MCP_ESYNTAX;
			c = (unsigned char)(high * 16 + low);
			i += 2;
		}
		if (c < 0x20 || c == 0x7f)
			return MCP_ESYNTAX;
		buf_putc(out, (char)c);
	}
	if (buf_status(out))
		return buf_status(out);
	return text_is_utf8(out->data + start, out->len - start) ? MCP_OK : MCP_ESYNTAX;
}

static enum mcp_err
decode_copy(const char *text, size_t len, char **out)
{
	enum mcp_err err;
	struct buf b;

	*out = NULL;
	buf_init(&b, FORM_BYTES_MAX);
	err = form_decode(text, len, &b);
	if (err) {
		buf_clear_secret(&b);
		return err;
	}
	/* An empty buffer has nothing to hand over. */
	*out = b.len ? buf_steal(&b, NULL) : text_dup("", 0);
	buf_clear(&b);
	return *out ? MCP_OK : MCP_ENOMEM;
}

static enum mcp_err
add_field(struct form *f, const char *text, size_t len, const char *repeatable)
{
	const char *equals = memchr(text, '=', len);
	size_t name_len = equals ? (size_t)(equals - text) : len;
	struct form_field *field;
	enum mcp_err err;

	if (f->n == FORM_FIELDS_MAX)
		return MCP_ELIMIT;
	field = &f->v[f->n];
	field->name = field->value = NULL;
	f->n++;
	err = decode_copy(text, name_len, &field->name);
	if (err)
		return err;
	err = decode_copy(equals ? equals + 1 : "", equals ? len - name_len - 1 : 0, &field->value);
	if (err)
		return err;
	if (repeatable && strcmp(field->name, repeatable) == 0)
		return MCP_OK;
	for (size_t i = 0; i + 1 < f->n; i++)
		if (strcmp(f->v[i].name, field->name) == 0)
			return MCP_EINVAL;
	return MCP_OK;
}

enum mcp_err
form_parse(const char *text, size_t len, const char *repeatable, struct form *out)
{
	enum mcp_err err = MCP_OK;
	size_t i = 0;

	out->n = 0;
	out->v = NULL;
	if (len > FORM_BYTES_MAX)
		return MCP_ELIMIT;
	out->v = calloc(FORM_FIELDS_MAX, sizeof out->v[0]);
	if (!out->v)
		return MCP_ENOMEM;
	while (i < len && !err) {
		const char *end = memchr(text + i, '&', len - i);
		size_t n = end ? (size_t)(end - (text + i)) : len - i;

		if (n)
			err = add_field(out, text + i, n, repeatable);
		i += n + 1;
	}
	if (err)
		form_clear(out);
	return err;
}

void
form_clear(struct form *f)
{
	for (size_t i = 0; i < f->n; i++) {
		free(f->v[i].name);
		/* It may have been a secret. */
		text_free_secret(f->v[i].value);
	}
	free(f->v);
	f->v = NULL;
	f->n = 0;
}

const char *
form_get(const struct form *f, const char *name)
{
	for (size_t i = 0; i < f->n; i++)
		if (strcmp(f->v[i].name, name) == 0)
			return *f->v[i].value ? f->v[i].value : NULL;
	return NULL;
}

void
form_encode(const char *text, struct buf *out)
{
	static const char digits[] = "0123456789ABCDEF";

	for (; *text; text++) {
		unsigned char c = (unsigned char)*text;

		if ((c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || strchr("-._~", c)) {
			buf_putc(out, (char)c);
		} else {
			buf_putc(out, '%');
			buf_putc(out, digits[c >> 4]);
			buf_putc(out, digits[c & 15]);
		}
	}
}
