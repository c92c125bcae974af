/* SPDX-License-Identifier: MIT */
/* The strict JSON module: what is refused and where, what the getters take, what is written back. */
#include <math.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/json.h"
#include "tests/tap.h"

static const struct json_bounds wide = { 1 << 20, JSON_DEPTH_MAX, 100000 };

static struct json_object *
parsed(const char *text)
{
	struct json_object *v = NULL;

	if (json_parse(text, strlen(text), &wide, &v, NULL) != MCP_OK)
		diag("does not parse: %s", text);
	return v;
}

/* The compact form of "v" (stolen), in a buffer that the next call uses again. */
static const char *
written(struct json_object *v)
{
	static char text[4096];
	struct buf out;

	buf_init(&out, sizeof(text) - 1);
	json_render(v, &out);
	snprintf(text, sizeof(text), "%s", buf_status(&out) == MCP_OK ? out.data : "(failed)");
	buf_clear(&out);
	json_free(v);
	return text;
}

static void
test_refusals(void)
{
#define TEXT(s) s, sizeof(s) - 1
	static const struct { const char *text; size_t len, offset; const char *what; } rows[] = {
		{ TEXT(""), 0, "unexpected end" },
		{ TEXT("  \n"), 3, "unexpected end" },
		{ TEXT("nul"), 0, "value expected" },
		{ TEXT("NaN"), 0, "value expected" },
		{ TEXT("Infinity"), 0, "value expected" },
		{ TEXT("-Infinity"), 1, "digit expected" },
		{ TEXT("True"), 0, "value expected" },
		{ TEXT("nullx"), 4, "bytes after the value" },
		{ TEXT("'a'"), 0, "value expected" },
		{ TEXT("/* c */ 1"), 0, "value expected" },
		{ TEXT("1 // c"), 2, "bytes after the value" },
		{ TEXT("\xef\xbb\xbf{}"), 0, "byte order mark" },
		{ TEXT("{} {}"), 3, "bytes after the value" },
		{ TEXT("1\0"), 1, "bytes after the value" },
		{ TEXT("\0"), 0, "value expected" },
		{ TEXT("1\f"), 1, "bytes after the value" },
		{ TEXT("\xc2\xa0" "1"), 0, "value expected" },
		{ TEXT("01"), 1, "leading zero in a number" },
		{ TEXT("-01"), 2, "leading zero in a number" },
		{ TEXT("00"), 1, "leading zero in a number" },
		{ TEXT("+1"), 0, "value expected" },
		{ TEXT(".5"), 0, "value expected" },
		{ TEXT("1."), 2, "unexpected end" },
		{ TEXT("1.]"), 2, "digit expected" },
		{ TEXT("1e"), 2, "unexpected end" },
		{ TEXT("1e+x"), 3, "digit expected" },
		{ TEXT("-"), 1, "unexpected end" },
		{ TEXT("0x10"), 1, "bytes after the value" },
		{ TEXT("1_000"), 1, "bytes after the value" },
		{ TEXT("1e400"), 0, "number out of range" },
		{ TEXT("[0,-1e400]"), 3, "number out of range" },
		{ TEXT("[,]"), 1, "value expected" },
		{ TEXT("[1,]"), 3, "value expected" },
		{ TEXT("[1 2]"), 3, "comma or closing bracket expected" },
		{ TEXT("[1}"), 2, "comma or closing bracket expected" },
		{ TEXT("[1"), 2, "unexpected end" },
		{ TEXT("]"), 0, "value expected" },
		{ TEXT("{"), 1, "unexpected end" },
		{ TEXT("{,}"), 1, "member name expected" },
		{ TEXT("{a:1}"), 1, "member name expected" },
		{ TEXT("{1:1}"), 1, "member name expected" },
		{ TEXT("{\"a\" 1}"), 5, "colon expected" },
		{ TEXT("{\"a\":}"), 5, "value expected" },
		{ TEXT("{\"a\":1,}"), 7, "member name expected" },
		{ TEXT("{\"a\":1]"), 6, "comma or closing bracket expected" },
		{ TEXT("{\"a\":1,\"a\":2}"), 7, "duplicate member name" },
		{ TEXT("{\"a\":null,\"a\":null}"), 10, "duplicate member name" },
		{ TEXT("{\"a\":1,\"\\u0061\":2}"), 7, "duplicate member name" },
		{ TEXT("{\"\\u00e9\":1,\"\xc3\xa9\":2}"), 12, "duplicate member name" },
		{ TEXT("{\"\":1,\"\":2}"), 6, "duplicate member name" },
		{ TEXT("{\"x\":{\"a\":1},\"x\":2}"), 13, "duplicate member name" },
		{ TEXT("\"abc"), 4, "unexpected end" },
		{ TEXT("\"abc\\"), 5, "unexpected end" },
		{ TEXT("\"a\0b\""), 2, "NUL in a string" },
		{ TEXT("\"a\\u0000b\""), 2, "NUL in a string" },
		{ TEXT("{\"aud\\u0000x\":1}"), 5, "NUL in a string" },
		{ TEXT("\"a\nb\""), 2, "control character in a string" },
		{ TEXT("\"a\tb\""), 2, "control character in a string" },
		{ TEXT("\"\x1f\""), 1, "control character in a string" },
		{ TEXT("\"\\x41\""), 1, "unknown escape" },
		{ TEXT("\"\\'\""), 1, "unknown escape" },
		{ TEXT("\"\\U0041\""), 1, "unknown escape" },
		{ TEXT("\"\\\0\""), 1, "unknown escape" },
		{ TEXT("\"\\u12\""), 1, "\\u without four hexadecimal digits" },
		{ TEXT("\"\\u12g4\""), 1, "\\u without four hexadecimal digits" },
		{ TEXT("\"\\u+123\""), 1, "\\u without four hexadecimal digits" },
		{ TEXT("\"\\u"), 1, "\\u without four hexadecimal digits" },
		{ TEXT("\"\\ud800\""), 1, "lone surrogate" },
		{ TEXT("\"\\ud800x\""), 1, "lone surrogate" },
		{ TEXT("\"\\ud800\\n\""), 1, "lone surrogate" },
		{ TEXT("\"\\ud800\\u0041\""), 1, "lone surrogate" },
		{ TEXT("\"\\ud800\\ud800\""), 1, "lone surrogate" },
		{ TEXT("\"\\ud800\\uzzzz\""), 1, "lone surrogate" },
		{ TEXT("\"\\udc00\""), 1, "lone surrogate" },
		{ TEXT("\"\\udc00\\ud800\""), 1, "lone surrogate" },
		{ TEXT("\"a\xff\""), 2, "ill-formed UTF-8" },
		{ TEXT("\"a\x80\""), 2, "ill-formed UTF-8" },
		{ TEXT("\"\xc0\xaf\""), 1, "ill-formed UTF-8" },
		{ TEXT("\"\xc1\xbf\""), 1, "ill-formed UTF-8" },
		{ TEXT("\"\xe0\x80\xaf\""), 1, "ill-formed UTF-8" },
		{ TEXT("\"\xf0\x80\x80\xaf\""), 1, "ill-formed UTF-8" },
		{ TEXT("\"\xed\xa0\x80\""), 1, "ill-formed UTF-8" },
		{ TEXT("\"\xf4\x90\x80\x80\""), 1, "ill-formed UTF-8" },
		{ TEXT("\"\xf5\x80\x80\x80\""), 1, "ill-formed UTF-8" },
		{ TEXT("\"\xc3\""), 1, "ill-formed UTF-8" },
		{ TEXT("\"\xe2\x82"), 1, "ill-formed UTF-8" },
		{ TEXT("{\"\xff\":1}"), 2, "ill-formed UTF-8" },
		{ TEXT("\xff"), 0, "value expected" },
	};

	struct json_object *before = json_new_int(1);

	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct json_object *v = before;
		struct json_fault fault = { 999, "none" };
		/* Without a byte after it, so that the sanitizer sees a read beyond the end. */
		char *text = malloc(rows[i].len + !rows[i].len);

		if (!text)
			return skip("no memory");
		memcpy(text, rows[i].text, rows[i].len);
		if (!ok(json_parse(text, rows[i].len, &wide, &v, &fault) == MCP_ESYNTAX && v == NULL
			    && fault.offset == rows[i].offset && strcmp(fault.what, rows[i].what) == 0,
			"refused at %zu, %s: text %zu", rows[i].offset, rows[i].what, i))
			diag("text %s: got \"%s\" at %zu", rows[i].text, fault.what, fault.offset);
		free(text);
	}
	json_free(before);
}

static void
test_accepted(void)
{
	static const struct { const char *text, *same; } rows[] = {
		{ "null", "null" },
		{ " true ", "true" },
		{ "\r\n\tfalse", "false" },
		{ "0", "0" },
		{ "-0", "0" },
		{ "-0.0", "-0.0" },
		{ "0e0", "0e0" },
		{ "9223372036854775807", "9223372036854775807" },
		{ "-9223372036854775808", "-9223372036854775808" },
		{ "9223372036854775808", "9223372036854775808" },
		{ "-9223372036854775809", "-9223372036854775809" },
		{ "18446744073709551616", "18446744073709551616" },
		{ "1.0", "1.0" },
		{ "1E2", "1E2" },
		{ "1e+02", "1e+02" },
		{ "0.10", "0.10" },
		{ "1e-400", "1e-400" },
		{ "1.7976931348623157e308", "1.7976931348623157e308" },
		{ "123456789012345678901234567890.123", "123456789012345678901234567890.123" },
		{ "\"\"", "\"\"" },
		{ "\"a\\/b\"", "\"a/b\"" },
		{ "\"\\u0041\"", "\"A\"" },
		{ "\"\\\"\\\\\\b\\f\\n\\r\\t\"", "\"\\\"\\\\\\b\\f\\n\\r\\t\"" },
		{ "\"\\u001f\\u007f\"", "\"\\u001f\x7f\"" },
		{ "\"\\u00e9\\u20AC\"", "\"\xc3\xa9\xe2\x82\xac\"" },
		{ "\"\\ud83d\\ude00\"", "\"\xf0\x9f\x98\x80\"" },
		{ "\"\\uDBFF\\uDFFF\"", "\"\xf4\x8f\xbf\xbf\"" },
		{ "\"\xf0\x9f\x98\x80\xef\xbf\xbf\"", "\"\xf0\x9f\x98\x80\xef\xbf\xbf\"" },
		{ "\"a\\nb\\nc\"", "\"a\\nb\\nc\"" },
		{ "[]", "[]" },
		{ "{}", "{}" },
		{ "[ [ ] , { } ]", "[[],{}]" },
		{ "[null,[null]]", "[null,[null]]" },
		{ "{ \"b\" : 1 , \"a\" : [ 1 , 2 ] , \"\" : null }", "{\"b\":1,\"a\":[1,2],\"\":null}" },
		{ "{\"a\":{\"a\":{\"a\":1}},\"A\":2}", "{\"a\":{\"a\":{\"a\":1}},\"A\":2}" },
		{ "{\"x\\ny\":\"\\u0061\"}", "{\"x\\ny\":\"a\"}" },
	};
	char one_big[400];

	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++)
		is_str(written(parsed(rows[i].text)), rows[i].same, "read and written back: %s", rows[i].same);

	memset(one_big, '9', sizeof(one_big));
	ok(json_parse(one_big, 400, &wide, &(struct json_object *){ NULL }, NULL) == MCP_ESYNTAX,
	    "400 digits are out of range");
	one_big[309] = 0;
	memcpy(one_big, "0.", 2);
	is_str(written(parsed(one_big)), one_big, "307 digits after the point are kept");
}

static void
test_bounds(void)
{
	static const struct { const char *text; struct json_bounds b; enum mcp_err want; const char *what; } rows[] = {
		{ "[1]", { 3, 1, 2 }, MCP_OK, "" },
		{ "[1]", { 2, 1, 2 }, MCP_ELIMIT, "text too long" },
		{ "[1]", { 3, 0, 2 }, MCP_ELIMIT, "nested too deep" },
		{ "[1]", { 3, 1, 1 }, MCP_ELIMIT, "too many values" },
		{ "1", { 1, 0, 1 }, MCP_OK, "" },
		{ "1", { 1, 0, 0 }, MCP_ELIMIT, "too many values" },
		{ "[[],[],[]]", { 99, 2, 4 }, MCP_OK, "" },
		{ "[[],[],[]]", { 99, 2, 3 }, MCP_ELIMIT, "too many values" },
		{ "{\"a\":{\"b\":[]}}", { 99, 3, 9 }, MCP_OK, "" },
		{ "{\"a\":{\"b\":[]}}", { 99, 2, 9 }, MCP_ELIMIT, "nested too deep" },
		{ "{\"a\":{\"b\":[]}}", { 99, 3, 2 }, MCP_ELIMIT, "too many values" },
		{ "", { 0, 0, 0 }, MCP_ELIMIT, "too many values" },
	};
	char deep[2 * (JSON_DEPTH_MAX + 1)];
	struct json_bounds any = { sizeof(deep), 100000, 100000 };
	struct json_object *v;
	struct json_fault fault;

	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		fault.what = "";
		ok(json_parse(rows[i].text, strlen(rows[i].text), &rows[i].b, &v, &fault) == rows[i].want
			&& (rows[i].want == MCP_OK || !v) && strcmp(fault.what, rows[i].what) == 0,
		    "bound %zu: %s", i, *rows[i].what ? rows[i].what : "just enough");
		json_free(v);
	}
	memset(deep, '[', sizeof(deep) / 2);
	memset(deep + sizeof(deep) / 2, ']', sizeof(deep) / 2);
	is_int(json_parse(deep, sizeof(deep), &any, &v, &fault), MCP_ELIMIT,
	    "no bounds allow more than JSON_DEPTH_MAX levels");
	is_int((long long)fault.offset, JSON_DEPTH_MAX, "the first level too many is named");
	is_int(json_parse(deep + 1, sizeof(deep) - 2, &any, &v, NULL), MCP_OK, "JSON_DEPTH_MAX levels are fine");
	json_free(v);
	is_int(json_parse(deep, 40, &any, &v, NULL), MCP_ESYNTAX, "40 open brackets at the end of the text");
}

static void
test_getters(void)
{
	struct json_object *o =
	    parsed("{\"s\":\"text\",\"i\":7,\"d\":7.5,\"w\":7.0,\"b\":true,\"f\":\"false\",\"n\":null,\"o\":{},\"a\":["
		   "1,null],\"e\":\"\",\"x\":\"12\",\"h\":9223372036854775808}");
	struct json_object *v, *keep = o;
	const char *s = "before";
	size_t len = 99;
	int64_t i = 99;
	double d = 99;
	bool b = false;

	ok(json_get(o, "n", &v) == MCP_OK && !v, "null is there and is NULL");
	ok(json_get(o, "zz", &v) == MCP_ENOENT && !v, "a missing member is told apart from null");
	ok(json_get(NULL, "s", &v) == MCP_ETYPE && json_at(o, 0) == NULL, "null is no object, an object no array");
	ok(json_get_string(o, "s", &s, &len) == MCP_OK && strcmp(s, "text") == 0 && len == 4, "a string");
	ok(json_get_string(o, "e", &s, NULL) == MCP_OK && !*s, "an empty string, no length asked for");
	s = "before";
	len = 99;
	for (const char *name = "idwbnoah"; *name; name++)
		ok(json_get_string(o, (char[]){ *name, 0 }, &s, &len) == MCP_ETYPE && strcmp(s, "before") == 0
			&& len == 99,
		    "member %c is no string, and the outputs stay", *name);
	ok(json_get_int(o, "i", &i) == MCP_OK && i == 7, "an integer");
	for (const char *name = "sdwbfnoaexh"; *name; name++)
		ok(json_get_int(o, (char[]){ *name, 0 }, &i) == MCP_ETYPE && i == 7, "member %c is no integer", *name);
	ok(json_get_number(o, "i", &d) == MCP_OK && d > 6.9 && d < 7.1, "an integer is a number");
	ok(json_get_number(o, "d", &d) == MCP_OK && d > 7.4 && d < 7.6, "7.5 is a number");
	for (const char *name = "sbfnoaex"; *name; name++)
		ok(json_get_number(o, (char[]){ *name, 0 }, &d) == MCP_ETYPE && d > 7.4, "member %c is no number",
		    *name);
	ok(json_get_bool(o, "b", &b) == MCP_OK && b, "a boolean");
	for (const char *name = "sidwfnoaex"; *name; name++)
		ok(json_get_bool(o, (char[]){ *name, 0 }, &b) == MCP_ETYPE && b, "member %c is no boolean", *name);
	ok(json_get_object(o, "o", &v) == MCP_OK && json_kind(v) == JSON_OBJECT && json_count(v) == 0, "an object");
	ok(json_get_array(o, "a", &v) == MCP_OK && json_count(v) == 2 && json_kind(json_at(v, 0)) == JSON_INT,
	    "an array");
	ok(json_at(v, 1) == NULL && json_at(v, 2) == NULL && json_at(v, (size_t)-1) == NULL,
	    "elements beyond the end are NULL");
	for (const char *name = "sidbna"; *name; name++)
		ok(json_get_object(o, (char[]){ *name, 0 }, &keep) == MCP_ETYPE && keep == o, "member %c is no object",
		    *name);
	for (const char *name = "sidbno"; *name; name++)
		ok(json_get_array(o, (char[]){ *name, 0 }, &keep) == MCP_ETYPE && keep == o, "member %c is no array",
		    *name);
	ok(json_get_int(v, "i", &i) == MCP_ETYPE && json_get_object(o, "zz", &keep) == MCP_ENOENT && keep == o,
	    "no members in an array");
	is_int(
	    (long long)(json_count(o) + json_count(json_at(v, 0)) + json_count(NULL)), 12, "scalars and null count 0");
	ok(json_kind(NULL) == JSON_NULL, "NULL is null");
	json_free(o);
	json_free(NULL);
}

static bool
collect(void *ctx, const char *name, struct json_object *value)
{
	struct buf *b = ctx;

	buf_printf(b, "%s%d", name, (int)json_kind(value));
	return strcmp(name, "stop") != 0;
}

static void
test_each(void)
{
	struct json_object *o = parsed("{\"z\":null,\"a\":1,\"stop\":[],\"never\":1}"),
			   *p = parsed("{\"z\":{},\"y\":\"\"}");
	struct buf b;

	buf_init(&b, 100);
	ok(!json_each(o, collect, &b), "a visit stops");
	is_str(b.data, "z0a2stop5", "members come in the order of the text, up to the stop");
	buf_reset(&b);
	ok(json_each(p, collect, &b) && strcmp(b.data, "z6y4") == 0, "all members are visited");
	ok(json_each(NULL, collect, &b) && json_each(json_at(o, 0), collect, &b), "nothing to visit in null");
	buf_clear(&b);
	json_free(o);
	json_free(p);
}

static void
test_equal(void)
{
	static const struct { const char *a, *b; bool equal; } rows[] = {
		{ "null", "null", true },
		{ "null", "false", false },
		{ "true", "true", true },
		{ "true", "false", false },
		{ "true", "1", false },
		{ "1", "1", true },
		{ "1", "1.0", true },
		{ "100", "1e2", true },
		{ "0", "-0.0", true },
		{ "1", "1.5", false },
		{ "1", "\"1\"", false },
		{ "9007199254740993", "9007199254740992.0", false },
		{ "9007199254740992", "9007199254740992.0", true },
		{ "9223372036854775807", "9223372036854775808", false },
		{ "-9223372036854775808", "-9.223372036854775808e18", true },
		{ "1e300", "1", false },
		{ "0.1", "0.10", true },
		{ "0.1", "0.10000000000000000000001", false },
		{ "12345678901234567890", "12345678901234567891", false },
		{ "123456789012345678901e-2", "1234567890123456789.01", true },
		{ "1E+2", "100", true },
		{ "1e-999999999999", "1e-999999999998", true },
		{ "1e-999999999", "0", false },
		{ "-1.50", "-15e-1", true },
		{ "-1.5", "1.5", false },
		{ "0.0e5", "-0", true },
		{ "0.1", "0.2", false },
		{ "\"a\"", "\"\\u0061\"", true },
		{ "\"a\"", "\"A\"", false },
		{ "\"\"", "null", false },
		{ "[1,2]", "[1,2]", true },
		{ "[1,2]", "[2,1]", false },
		{ "[1]", "[1,1]", false },
		{ "[]", "{}", false },
		{ "[]", "[]", true },
		{ "{\"a\":1,\"b\":2}", "{\"b\":2,\"a\":1}", true },
		{ "{\"a\":1}", "{\"a\":2}", false },
		{ "{\"a\":1}", "{\"b\":1}", false },
		{ "{\"a\":null}", "{\"b\":null}", false },
		{ "{\"a\":null}", "{}", false },
		{ "{\"a\":[{\"x\":1.0}]}", "{\"a\":[{\"x\":1}]}", true },
	};

	size_t values = 0;

	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct json_object *a = parsed(rows[i].a), *b = parsed(rows[i].b);

		ok(json_equal(a, b) == rows[i].equal && json_equal(b, a) == rows[i].equal, "%s %s %s", rows[i].a,
		    rows[i].equal ? "equals" : "does not equal", rows[i].b);
		if (rows[i].equal)
			ok(json_hash(a, &values) == json_hash(b, &values), "... and they have one hash");
		json_free(a);
		json_free(b);
	}
}

static void
test_builders(void)
{
	struct json_object *o = json_new_object(), *a = json_new_array(), *s = json_new_string("shared", 6);
	char name[] = "key";

	ok(json_set(o, name, json_new_int(INT64_MIN)) == MCP_OK, "a member is set");
	name[0] = 'X';
	ok(json_set(o, "key", json_new_bool(true)) == MCP_OK && json_count(o) == 1,
	    "names are copied, and a member of that name is replaced");
	ok(json_set(o, "null", NULL) == MCP_OK, "null is a value");
	ok(json_set_new(o, "lost", NULL) == MCP_ENOMEM && json_count(o) == 2, "a constructor that failed is told");
	ok(json_push(a, NULL) == MCP_OK && json_push_new(a, NULL) == MCP_ENOMEM && json_count(a) == 1,
	    "the same in an array");
	ok(json_push(a, json_ref(s)) == MCP_OK && json_push(a, s) == MCP_OK, "one value twice, by reference");
	ok(json_set(a, "x", json_new_int(1)) == MCP_ETYPE && json_set(NULL, "x", json_new_int(1)) == MCP_ETYPE,
	    "no members in an array or null");
	ok(json_push(o, json_new_int(1)) == MCP_ETYPE && json_push_new(NULL, json_new_int(1)) == MCP_ETYPE,
	    "no elements in an object or null");
	for (int64_t i = 0; i < 100; i++)
		if (json_push_new(a, json_new_int(i)) != MCP_OK)
			ok(false, "push %d", (int)i);
	is_int((long long)json_count(a), 103, "an array grows");
	json_free(a);
	is_str(written(o), "{\"key\":true,\"null\":null}", "what was built");
	is_str(written(json_new_string("a\"b", 2)), "\"a\\\"\"", "a string of part of a text");
	ok(!json_new_double((double)NAN) && !json_new_double((double)INFINITY), "no value for NaN and infinity");
}

static void
test_doubles(void)
{
	static const struct { double d; const char *text; } rows[] = {
		/* what Python's repr() prints */
		{ 0.0, "0.0" },
		{ -0.0, "-0.0" },
		{ 1.0, "1.0" },
		{ -1.0, "-1.0" },
		{ 0.5, "0.5" },
		{ 0.1, "0.1" },
		{ 1.5, "1.5" },
		{ 100.0, "100.0" },
		{ 12345.678, "12345.678" },
		{ 0.98, "0.98" },
		{ 1.0 / 3, "0.3333333333333333" },
		{ 2.0 / 3, "0.6666666666666666" },
		{ 0.1 + 0.2, "0.30000000000000004" },
		{ 0.0001, "0.0001" },
		{ 0.00012345, "0.00012345" },
		{ 0.00001, "1e-05" },
		{ 1.25e-7, "1.25e-07" },
		{ 1e15, "1000000000000000.0" },
		{ 1e16, "1e+16" },
		{ 1.5e16, "1.5e+16" },
		{ 9007199254740993.0, "9007199254740992.0" },
		{ 123456789012345680.0, "1.2345678901234568e+17" },
		{ 1e22, "1e+22" },
		{ 1.7976931348623157e308, "1.7976931348623157e+308" },
		{ 5e-324, "5e-324" },
		{ 2.2250738585072014e-308, "2.2250738585072014e-308" },
	};

	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct json_object *v = json_new_double(rows[i].d), *again = parsed(rows[i].text);

		ok(json_equal(v, again), "%s reads back", rows[i].text);
		json_free(again);
		is_str(written(v), rows[i].text, "%s is written as Python does", rows[i].text);
	}
}

static void
test_rendering(void)
{
	struct json_object *v = parsed("{\"a\":[1,2.50,\"x\"],\"e\":[],\"o\":{},\"n\":{\"m\":[[],{},[null]]},\"t\":"
				       "true,\"u\":\"\\u00e9\\ud83d\\ude00\\u0001\\u007f/\"}");
	struct buf out;

	buf_init(&out, 4096);
	json_render_indented(v, 2, &out);
	is_str(
	    out.data, /* json.dumps(v, indent=2, ensure_ascii=False) of Python 3, with its 2.5 as it was written here */
	    "{\n  \"a\": [\n    1,\n    2.50,\n    \"x\"\n  ],\n  \"e\": [],\n  \"o\": {},\n  \"n\": {\n    \"m\": [\n "
	    "     [],\n      {},\n      [\n        null\n"
	    "      ]\n    ]\n  },\n  \"t\": true,\n  \"u\": \"\xc3\xa9\xf0\x9f\x98\x80\\u0001\x7f/\"\n}",
	    "indented by two");
	buf_reset(&out);
	json_render_indented(json_at(v, 0), 2, &out);
	is_str(out.data, "null", "a scalar has no lines");
	json_free(v);
	v = parsed("[{\"a\":1}]");
	buf_reset(&out);
	json_render_indented(v, 0, &out);
	is_str(out.data, "[\n{\n\"a\": 1\n}\n]", "an indent of 0 breaks lines, as in Python");
	json_free(v);
	buf_reset(&out);
	json_render_string("a\xff\xc0\xafz\xe2\x82\"\0\x1b\xed\xa0\x80", 13, &out);
	is_mem(out.data, out.len,
	    "\"a\xef\xbf\xbd\xef\xbf\xbd\xef\xbf\xbdz\xef\xbf\xbd\xef\xbf\xbd\\\"\\u0000\\u001b\xef\xbf\xbd\xef\xbf\xbd"
	    "\xef\xbf\xbd\"",
	    42, "each byte that is no UTF-8 becomes U+FFFD");
	buf_reset(&out);
	json_render_string(NULL, 0, &out);
	is_str(out.data, "\"\"", "no bytes are an empty string");
	buf_clear(&out);
	buf_init(&out, 10);
	v = parsed("[\"0123456789\"]");
	json_render(v, &out);
	is_int(buf_status(&out), MCP_ELIMIT, "a full buffer is told by its status");
	json_free(v);
	buf_clear(&out);
}

/* Objects and arrays in turn, as deep as can be, read, compared, written and freed. */
static void *
deep_run(void *failed)
{
	size_t n = 0, levels = JSON_DEPTH_MAX;
	char *text = malloc(levels * 6);
	struct json_object *a = NULL, *b = NULL;
	struct buf out;
	bool good;

	if (!text)
		return failed;
	for (size_t i = 0; i < levels; i++) {
		size_t part = i % 2 ? 1 : 5;

		memcpy(text + n, i % 2 ? "[" : "{\"a\":", part);
		n += part;
	}
	text[n++] = '1';
	for (size_t i = levels; i-- > 0;)
		text[n++] = i % 2 ? ']' : '}';
	buf_init(&out, 1 << 20);
	good = json_parse(text, n, &wide, &a, NULL) == MCP_OK && json_parse(text, n, &wide, &b, NULL) == MCP_OK
	    && json_equal(a, b);
	json_render(a, &out);
	good = good && out.len == n && memcmp(out.data, text, n) == 0;
	json_render_indented(b, 2, &out);
	good = good && buf_status(&out) == MCP_OK;
	json_free(a);
	json_free(b);
	buf_clear(&out);
	free(text);
	return good ? NULL : failed;
}

static void
test_small_stack(void)
{
	pthread_attr_t attr;
	pthread_t thread;
	void *result = &attr;
	/* Sanitizers make frames several times as large. */
#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
	size_t stack = 1024 * 1024;
#else
	size_t stack = 128 * 1024;
#endif

	pthread_attr_init(&attr);
	pthread_attr_setstacksize(&attr, stack);
	if (pthread_create(&thread, &attr, deep_run, &stack) != 0)
		return skip("no thread with a stack of %zu bytes", stack);
	pthread_join(thread, &result);
	ok(result == NULL, "%d levels are read, compared, written and freed on a stack of %zu KiB", JSON_DEPTH_MAX,
	    stack / 1024);
	pthread_attr_destroy(&attr);
}

/* Many members and elements take time in proportion: this would take minutes otherwise. */
static void
test_wide(void)
{
	struct json_bounds b = { 8 << 20, 2, 300000 };
	struct json_object *v = NULL;
	struct buf text, again;

	buf_init(&text, 8 << 20);
	buf_init(&again, 8 << 20);
	buf_putc(&text, '{');
	for (int i = 0; i < 200000; i++)
		buf_printf(&text, "%s\"k%d\":%d", i ? "," : "", i, i);
	buf_putc(&text, '}');
	ok(json_parse(text.data, text.len, &b, &v, NULL) == MCP_OK && json_count(v) == 200000,
	    "an object of 200,000 members");
	json_render(v, &again);
	is_mem(again.data, again.len, text.data, text.len, "and back");
	json_free(v);
	buf_clear(&text);
	buf_clear(&again);
}

int
main(void)
{
	test_refusals();
	test_accepted();
	test_bounds();
	test_getters();
	test_each();
	test_equal();
	test_builders();
	test_doubles();
	test_rendering();
	test_small_stack();
	test_wide();
	return tap_done();
}
