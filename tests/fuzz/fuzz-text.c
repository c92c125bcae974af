/* SPDX-License-Identifier: MIT */
/*
 * The grammars of text.h: what a decoder accepts its encoder writes again, what is escaped is printable, and so on.
 */
#include <string.h>

#include "base/json.h"
#include "base/strlist.h"
#include "base/text.h"
#include "tests/fuzz/fuzz.h"

static void
decode(const char *text, size_t len)
{
	struct buf bytes, again;

	buf_init(&bytes, len);
	buf_init(&again, 2 * len + 8);
	if (text_base64url_decode(text, len, &bytes) == MCP_OK) {
		text_base64url_encode(bytes.data, bytes.len, &again);
		FUZZ_CLAIM(again.len == len && memcmp(again.data, text, len) == 0);
	} else {
		FUZZ_CLAIM(bytes.len == 0);
	}
	buf_reset(&bytes);
	buf_reset(&again);
	if (text_base64_decode(text, len, &bytes) == MCP_OK) {
		text_base64_encode(bytes.data, bytes.len, &again);
		FUZZ_CLAIM(again.len == len && memcmp(again.data, text, len) == 0);
	} else {
		FUZZ_CLAIM(bytes.len == 0);
	}
	buf_clear(&bytes);
	buf_clear(&again);
}

static void
encode(const char *text, size_t len)
{
	struct buf coded, back;

	buf_init(&coded, 4 * len + 8);
	buf_init(&back, len);
	text_base64url_encode(text, len, &coded);
	FUZZ_CLAIM(text_base64url_decode(coded.data, coded.len, &back) == MCP_OK);
	FUZZ_CLAIM(text_equal_constant_time(back.data, back.len, text, len));
	FUZZ_CLAIM(coded.len == 0 || text_is_b64token(coded.data, coded.len));
	buf_reset(&coded);
	buf_reset(&back);
	text_base64_encode(text, len, &coded);
	FUZZ_CLAIM(text_base64_decode(coded.data, coded.len, &back) == MCP_OK);
	FUZZ_CLAIM(text_equal_constant_time(back.data, back.len, text, len));
	buf_reset(&coded);
	text_hex(text, len, &coded);
	FUZZ_CLAIM(coded.len == 2 * len);
	buf_reset(&coded);
	text_escape(text, len, len / 2, &coded);
	for (size_t i = 0; i < coded.len; i++)
		FUZZ_CLAIM(coded.data[i] >= 0x20 && coded.data[i] < 0x7f);
	buf_clear(&coded);
	buf_clear(&back);
}

/* A string of any bytes becomes one JSON string, and the same one if it was UTF-8 without NUL. */
static void
as_json(const char *text, size_t len)
{
	static const struct json_bounds bounds = { 1 << 24, 0, 1 };
	struct json_object *v;
	struct buf out;
	const char *s;
	size_t n;

	if (memchr(text, 0, len))
		return;
	buf_init(&out, 1 << 24);
	json_render_string(text, len, &out);
	FUZZ_CLAIM(json_parse(out.data, out.len, &bounds, &v, NULL) == MCP_OK);
	FUZZ_CLAIM(json_as_string(v, &s, &n) == MCP_OK);
	FUZZ_CLAIM((n == len && memcmp(s, text, n) == 0) == text_is_utf8(text, len));
	json_free(v);
	buf_clear(&out);
}

static void
strings(const char *text, size_t len)
{
	struct strlist list = { 0 };
	char *s = text_dup(text, len);
	const char *trimmed = text;
	size_t n = len;
	int64_t number = 7;
	enum mcp_err err;

	if (!s)
		return;
	text_trim(&trimmed, &n);
	FUZZ_CLAIM(n <= len && trimmed >= text && trimmed + n <= text + len);
	FUZZ_CLAIM(
	    n == 0 || (trimmed[0] != ' ' && trimmed[0] != '\t' && trimmed[n - 1] != ' ' && trimmed[n - 1] != '\t'));
	err = text_parse_int(s, -1000000, INT64_MAX, &number);
	FUZZ_CLAIM(err == MCP_OK ? number >= -1000000 : number == 7);
	FUZZ_CLAIM(text_equal_nocase(s, s));
	FUZZ_CLAIM(!text_is_tchar_token(s, strlen(s)) || text_is_utf8(s, strlen(s)));
	err = strlist_split(&list, s, ", \t", 5);
	FUZZ_CLAIM(err == MCP_OK || err == MCP_ELIMIT);
	FUZZ_CLAIM(list.n <= 5);
	for (size_t i = 0; i < list.n; i++)
		FUZZ_CLAIM(list.v[i][0] && !strpbrk(list.v[i], ", \t") && strlist_has(&list, list.v[i]));
	strlist_clear(&list);
	text_free_secret(s);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	const char *text = (const char *)data;

	decode(text, size);
	encode(text, size);
	as_json(text, size);
	strings(text, size);
	return 0;
}
