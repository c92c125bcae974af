/* SPDX-License-Identifier: MIT */
#include "base/text.h"

#include <stdlib.h>
#include <string.h>

#include "../tap.h"

static void
test_base64(void)
{
	static const struct {
		const char *text, *plain;	/* plain NULL: refused */
	} rows[] = {
		{ "", "" }, { "Zg", "f" }, { "Zm8", "fo" }, { "Zm9v", "foo" }, { "Zm9vYg", "foob" },
		{ "-_-_", "\xfb\xff\xbf" },
		{ "Zg==", NULL }, { "Z", NULL }, { "Zm9vY", NULL }, { "+/+/", NULL }, { "Zg\n", NULL }, { "Zh", NULL },
		{ "Zm9", NULL }, { "Z m9", NULL }, { "Zg%3D", NULL }
	};
	struct buf b;

	for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
		enum mcp_err err;

		buf_init(&b, 100);
		err = text_base64url_decode(rows[i].text, strlen(rows[i].text), &b);
		if (rows[i].plain)
			ok(err == MCP_OK && strcmp(b.data, rows[i].plain) == 0, "base64url \"%s\" decodes",
			    rows[i].text);
		else
			ok(err == MCP_ESYNTAX && b.len == 0, "base64url row %zu is refused", i);
		buf_clear(&b);
	}
	buf_init(&b, 4);
	is_int(text_base64url_decode("Zm9vYg", 6, &b), MCP_OK, "what just fits the bound decodes");
	buf_clear(&b);
	buf_init(&b, 3);
	is_int(text_base64url_decode("Zm9vYg", 6, &b), MCP_ELIMIT, "one byte more does not");
	buf_clear(&b);
	buf_init(&b, 100);
	text_base64url_encode("foob", 4, &b);
	is_str(b.data, "Zm9vYg", "base64url has no padding");
	buf_reset(&b);
	text_base64_encode("foob", 4, &b);
	is_str(b.data, "Zm9vYg==", "base64 has padding");
	buf_reset(&b);
	is_int(text_base64_decode("Zm9vYg==", 8, &b), MCP_OK, "base64 with padding decodes");
	is_int(text_base64_decode("Zm9vYg", 6, &b), MCP_ESYNTAX, "base64 without padding is refused");
	is_int(text_base64_decode("Zm9v====", 8, &b), MCP_ESYNTAX, "base64 with too much padding is refused");
	buf_reset(&b);
	text_hex("\x01\xaf", 2, &b);
	is_str(b.data, "01af", "hexadecimal digits are lower case");
	buf_clear(&b);
}

static void
test_utf8(void)
{
	static const struct {
		const char *text;
		bool good;
	} rows[] = {
		{ "plain", true }, { "\xc3\xa9", true }, { "\xe2\x82\xac", true }, { "\xf0\x9f\x98\x80", true },
		{ "\xf4\x8f\xbf\xbf", true }, { "\xc0\x80", false }, { "\xc1\xbf", false }, { "\xe0\x9f\xbf", false },
		{ "\xed\xa0\x80", false }, { "\xf0\x8f\xbf\xbf", false }, { "\xf4\x90\x80\x80", false },
		{ "\xf5\x80\x80\x80", false }, { "\x80", false }, { "\xe2\x82", false }, { "\xff", false }
	};

	for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++)
		is_int(text_is_utf8(rows[i].text, strlen(rows[i].text)), rows[i].good, "UTF-8 row %zu is judged", i);
}

static void
test_classes(void)
{
	struct buf b;
	const char *t = " \t x y\t ";
	size_t len = strlen(t);

	ok(text_is_b64token("abc.-_~+/==", 11), "a b64token may end in equals signs");
	ok(!text_is_b64token("=", 1) && !text_is_b64token("", 0) && !text_is_b64token("a=b", 3) &&
	    !text_is_b64token("a b", 3) && !text_is_b64token("a\0", 2) && !text_is_b64token("a,b", 3),
	    "other bytes are no b64token");
	ok(text_is_tchar_token("Mcp-Method", 10) && !text_is_tchar_token("", 0) && !text_is_tchar_token("a:b", 3),
	    "tokens of HTTP");
	text_trim(&t, &len);
	is_mem(t, len, "x y", 3, "blanks and tabs at both ends are trimmed");
	buf_init(&b, 100);
	text_escape("a\"\\\n\x1b\x80z", 7, 100, &b);
	is_str(b.data, "a\\\"\\\\\\x0a\\x1b\\x80z", "what could break a log line is escaped");
	buf_reset(&b);
	text_escape("abcdef", 6, 3, &b);
	is_str(b.data, "abc...", "long input is cut");
	buf_clear(&b);
	ok(text_equal_nocase("BeaRer", "bearer") && !text_equal_nocase("a", "ab") && !text_equal_nocase("@", "`"),
	    "letters compare without case, others exactly");
	ok(text_equal_constant_time("abc", 3, "abc", 3) && !text_equal_constant_time("abc", 3, "abd", 3) &&
	    !text_equal_constant_time("ab", 2, "abc", 3), "comparison in constant time");
}

static void
test_int(void)
{
	static const struct {
		const char *text;
		enum mcp_err err;
		int64_t value;
	} rows[] = {
		{ "0", MCP_OK, 0 }, { "-1", MCP_OK, -1 }, { "0042", MCP_OK, 42 },
		{ "9223372036854775807", MCP_OK, INT64_MAX }, { "-9223372036854775808", MCP_OK, INT64_MIN },
		{ "9223372036854775808", MCP_ELIMIT, 0 }, { "-9223372036854775809", MCP_ELIMIT, 0 },
		{ "99999999999999999999999", MCP_ELIMIT, 0 }, { "", MCP_ESYNTAX, 0 }, { "-", MCP_ESYNTAX, 0 },
		{ "+1", MCP_ESYNTAX, 0 }, { " 1", MCP_ESYNTAX, 0 }, { "1 ", MCP_ESYNTAX, 0 }, { "0x1", MCP_ESYNTAX, 0 },
		{ "1.0", MCP_ESYNTAX, 0 }
	};
	int64_t n = 5;

	for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
		n = 0;
		is_int(text_parse_int(rows[i].text, INT64_MIN, INT64_MAX, &n), rows[i].err, "\"%s\" is judged",
		    rows[i].text);
		is_int(n, rows[i].value, "and has its value");
	}
	is_int(text_parse_int("7", 8, 9, &n), MCP_ELIMIT, "bounds are kept");
}

int
main(void)
{
	test_base64();
	test_utf8();
	test_classes();
	test_int();
	return tap_done();
}
