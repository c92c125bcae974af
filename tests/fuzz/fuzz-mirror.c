/* SPDX-License-Identifier: MIT */
/*
 * What clients say of their request: a header that repeats a value of the body, a URI that a template may match, a
 * traceparent. Input: a line each, the value of the body (JSON) last.
 */
#include <stdio.h>
#include <string.h>

#include "base/json.h"
#include "base/text.h"
#include "mcp/mirror.h"
#include "mcp/trace.h"
#include "mcp/uri_template.h"
#include "tests/fuzz/fuzz.h"

/* A header says one value: what is accepted for "value" is not for a longer one; base64 of any string is accepted. */
static void
mirror(const char *header, const struct json_object *value)
{
	struct json_object *other;
	const char *text;
	struct buf b;
	size_t len;
	bool says;

	says = mirror_says(header, value) == MCP_OK;
	if (json_as_string(value, &text, &len) != MCP_OK)
		return;
	buf_init(&b, 2 * len + 64);
	buf_put(&b, text, len);
	buf_putc(&b, 'x');
	other = json_new_string(b.data, b.len);
	FUZZ_CLAIM(other && !(says && mirror_says(header, other) == MCP_OK));
	json_free(other);
	buf_reset(&b);
	buf_puts(&b, "=?base64?");
	text_base64_encode(text, len, &b);
	buf_puts(&b, "?=");
	FUZZ_CLAIM(len > MIRROR_VALUE_MAX || mirror_says(b.data, value) == MCP_OK);
	buf_putc(&b, 'A');
	FUZZ_CLAIM(mirror_says(b.data, value) != MCP_OK);
	buf_clear(&b);
}

/* A value that a template gives is UTF-8 without NUL, and the URI that is made of it gives it again. */
static void
match(const char *uri)
{
	static const char *const texts[] = { "x:{a}", "x:{+a}/{b}", "{+a}", "x:/{a}/y{b}.{c}" };
	struct json_object *values, *again;
	struct uri_template *t;
	const char *why, *text;
	struct buf b;
	size_t len;

	for (size_t i = 0; i < sizeof texts / sizeof texts[0]; i++) {
		FUZZ_CLAIM(uri_template_new(texts[i], &t, &why) == MCP_OK);
		if (uri_template_match(t, uri, &values) == MCP_OK && i == 0) {
			FUZZ_CLAIM(json_get_string(values, "a", &text, &len) == MCP_OK && len > 0 &&
			    text_is_utf8(text, len) && strlen(text) == len);
			buf_init(&b, 3 * URI_MAX + 8);
			buf_puts(&b, "x:");
			for (size_t j = 0; j < len; j++)
				buf_printf(&b, "%%%02x", (unsigned char)text[j]);
			if (b.len <= URI_MAX) {
				FUZZ_CLAIM(uri_template_match(t, b.data, &again) == MCP_OK);
				FUZZ_CLAIM(json_equal(values, again));
				json_free(again);
			}
			buf_clear(&b);
		}
		json_free(values);
		uri_template_free(t);
	}
	if (uri_template_new(uri, &t, &why) == MCP_OK)
		uri_template_free(t);
	else
		FUZZ_CLAIM(why && !t);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static const struct json_bounds bounds = { 65536, 16, 1000 };
	struct json_object *value;
	char *lines[3], *text;

	text = text_dup((const char *)data, size);
	FUZZ_CLAIM(text);
	lines[0] = text;
	for (size_t i = 1; i < 3; i++) {
		lines[i] = lines[i - 1] + strcspn(lines[i - 1], "\n");
		if (*lines[i])
			*lines[i]++ = '\0';
	}
	if (json_parse(lines[2], strlen(lines[2]), &bounds, &value, NULL) == MCP_OK) {
		mirror(lines[0], value);
		json_free(value);
	}
	match(lines[1]);
	FUZZ_CLAIM(!trace_is_parent(lines[1]) || strspn(lines[1], "0123456789abcdef-") >= 55);
	free(text);
	return 0;
}
