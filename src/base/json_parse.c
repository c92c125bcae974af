/* SPDX-License-Identifier: MIT */
/*
 * The strict parser. It does not recurse: containers that are open lie on a stack of its own, and each value joins its
 * container as soon as it begins, so that the root owns everything at any time and one json_free() undoes a refused
 * text.
 *
 * json-c's own parser is not used because it accepts what we must refuse even in its strict mode (duplicate members,
 * NaN, raw control characters) and changes what it reads (integers beyond int64 clamp, strings end at \u0000).
 */
#include "base/json.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include <json-c/json.h>

#include "base/text.h"

/* json-c counts the bytes of a string in an int. */
#define TEXT_BYTES_MAX ((size_t)1 << 30)

struct parser {
	const char *text;
	size_t len;
	size_t at;			/* the next byte */
	unsigned max_depth;
	size_t values_left;
	struct json_object *root;	/* owns all below it */
	struct json_object *open[JSON_DEPTH_MAX];	/* borrowed; containers that were not closed yet */
	unsigned depth;
	struct buf name;		/* of the member whose value is due */
	struct buf scratch;		/* text of a string with escapes, or of a number */
	size_t fault_at;
	const char *fault;		/* NULL: none, or memory is short */
};

static enum mcp_err
refuse(struct parser *p, enum mcp_err err, size_t at, const char *what)
{
	p->fault_at = at;
	p->fault = what;
	return err;
}

/* The next byte is not what the grammar wants here. */
static enum mcp_err
unexpected(struct parser *p, const char *what)
{
	return refuse(p, MCP_ESYNTAX, p->at, p->at < p->len ? what : "unexpected end");
}

/*
 * Blanks are those of RFC 8259 section 2 and no others. Returns the byte after them, or 0 at the end; a NUL fits no
 * rule either.
 */
static char
next_byte(struct parser *p)
{
	for (; p->at < p->len; p->at++) {
		char c = p->text[p->at];

		if (c != ' ' && c != '\t' && c != '\n' && c != '\r')
			return c;
	}
	return 0;
}

/* Read four hexadecimal digits at "p->at"; -1 if they are not there. */
static long
hex4(struct parser *p)
{
	long n = 0;

	if (p->len - p->at < 4)
		return -1;
	for (unsigned i = 0; i < 4; i++) {
		int digit = text_hex_value(p->text[p->at + i]);

		if (digit < 0)
			return -1;
		n = n * 16 + digit;
	}
	p->at += 4;
	return n;
}

static void
put_utf8(struct buf *b, long code)
{
	char out[4];
	size_t n;

	if (code < 0x80) {
		out[0] = (char)code;
		n = 1;
	} else if (code < 0x800) {
		out[0] = (char)(0xc0 | code >> 6);
		n = 2;
	} else if (code < 0x10000) {
		out[0] = (char)(0xe0 | code >> 12);
		n = 3;
	} else {
		out[0] = (char)(0xf0 | code >> 18);
		n = 4;
	}
	for (size_t i = 1; i < n; i++)
		out[i] = (char)(0x80 | (code >> 6 * (n - 1 - i) & 0x3f));
	buf_put(b, out, n);
}

/* The rest of \uXXXX, both halves of a pair; "start" is where the backslash is. */
static enum mcp_err
parse_unicode_escape(struct parser *p, size_t start, struct buf *out)
{
	long code = hex4(p), low;

	if (code < 0)
		return refuse(p, MCP_ESYNTAX, start, "\\u without four hexadecimal digits");
	if (code == 0)
		return refuse(p, MCP_ESYNTAX, start, "NUL in a string");
	if (code >= 0xdc00 && code <= 0xdfff)
		return refuse(p, MCP_ESYNTAX, start, "lone surrogate");
	if (code >= 0xd800 && code <= 0xdbff) {
		if (p->len - p->at < 2 || p->text[p->at] != '\\' || p->text[p->at + 1] != 'u')
			return refuse(p, MCP_ESYNTAX, start, "lone surrogate");
		p->at += 2;
		low = hex4(p);
		if (low < 0xdc00 || low > 0xdfff)
			return refuse(p, MCP_ESYNTAX, start, "lone surrogate");
		code = 0x10000 + ((code - 0xd800) << 10) + (low - 0xdc00);
	}
	put_utf8(out, code);
	return MCP_OK;
}

/* An escape; p->at is at the backslash. */
static enum mcp_err
parse_escape(struct parser *p, struct buf *out)
{
	static const char letters[] = "\"\\/bfnrt", meanings[] = "\"\\/\b\f\n\r\t";
	size_t start = p->at++;
	const char *letter;

	if (p->at == p->len)
		return unexpected(p, "unexpected end");
	if (p->text[p->at] == 'u') {
		p->at++;
		return parse_unicode_escape(p, start, out);
	}
	letter = p->text[p->at] ? strchr(letters, p->text[p->at]) : NULL;
	if (!letter)
		return refuse(p, MCP_ESYNTAX, start, "unknown escape");
	buf_putc(out, meanings[letter - letters]);
	p->at++;
	return MCP_OK;
}

/* Pass over bytes that stand for themselves, up to a quote, a backslash, or the end. */
static enum mcp_err
pass_plain(struct parser *p)
{
	while (p->at < p->len) {
		unsigned char c = (unsigned char)p->text[p->at];
		size_t n = 1;

		if (c == '"' || c == '\\')
			return MCP_OK;
		if (c == 0)
			return unexpected(p, "NUL in a string");
		if (c < 0x20)
			return unexpected(p, "control character in a string");
		if (c >= 0x80)
			n = text_utf8_length(p->text + p->at, p->len - p->at);
		if (n == 0)
			return unexpected(p, "ill-formed UTF-8");
		p->at += n;
	}
	return unexpected(p, "unexpected end");
}

/*
 * A string; p->at is at its opening quote. *s and *n become its bytes: a part of the text when it has no escapes, else
 * what "scratch" holds, until that is used again.
 */
static enum mcp_err
parse_string(struct parser *p, struct buf *scratch, const char **s, size_t *n)
{
	size_t from = ++p->at;
	enum mcp_err err = pass_plain(p);

	if (err == MCP_OK && p->text[p->at] == '"') {
		*s = p->text + from;
		*n = p->at++ - from;
		return MCP_OK;
	}
	buf_reset(scratch);
	while (err == MCP_OK) {
		buf_put(scratch, p->text + from, p->at - from);
		if (p->text[p->at] == '"')
			break;
		err = parse_escape(p, scratch);
		from = p->at;
		if (err == MCP_OK)
			err = pass_plain(p);
	}
	if (err != MCP_OK)
		return err;
	p->at++;
	*s = scratch->data;
	*n = scratch->len;
	return buf_status(scratch);
}

static size_t
pass_digits(struct parser *p)
{
	size_t from = p->at;

	while (p->at < p->len && p->text[p->at] >= '0' && p->text[p->at] <= '9')
		p->at++;
	return p->at - from;
}

/* Pass over a number; *integer tells whether it has neither a fraction nor an exponent. Source: RFC 8259 section 6. */
static enum mcp_err
pass_number(struct parser *p, bool *integer)
{
	*integer = true;
	if (p->text[p->at] == '-')
		p->at++;
	if (p->at < p->len && p->text[p->at] == '0') {
		p->at++;
		if (p->at < p->len && p->text[p->at] >= '0' && p->text[p->at] <= '9')
			return unexpected(p, "leading zero in a number");
	} else if (pass_digits(p) == 0) {
		return unexpected(p, "digit expected");
	}
	if (p->at < p->len && p->text[p->at] == '.') {
		*integer = false;
		p->at++;
		if (pass_digits(p) == 0)
			return unexpected(p, "digit expected");
	}
	if (p->at < p->len && (p->text[p->at] == 'e' || p->text[p->at] == 'E')) {
		*integer = false;
		p->at++;
		if (p->at < p->len && (p->text[p->at] == '+' || p->text[p->at] == '-'))
			p->at++;
		if (pass_digits(p) == 0)
			return unexpected(p, "digit expected");
	}
	return MCP_OK;
}

/* Whether the digits of "s" ("-" before them or not) fit int64; counts below zero, where there is one more number. */
static bool
fits_int64(const char *s, size_t len, int64_t *out)
{
	bool negative = s[0] == '-';
	int64_t n = 0;

	for (size_t i = negative; i < len; i++)
		if (__builtin_mul_overflow(n, 10, &n) || __builtin_sub_overflow(n, s[i] - '0', &n))
			return false;
	if (!negative && n == INT64_MIN)
		return false;
	*out = negative ? n : -n;
	return true;
}

static enum mcp_err
parse_number(struct parser *p, struct json_object **out)
{
	size_t from = p->at;
	bool integer;
	int64_t n;
	double d;
	enum mcp_err err = pass_number(p, &integer);

	if (err != MCP_OK)
		return err;
	if (integer && fits_int64(p->text + from, p->at - from, &n)) {
		*out = json_object_new_int64(n);
		return *out ? MCP_OK : MCP_ENOMEM;
	}
	buf_reset(&p->scratch);
	buf_put(&p->scratch, p->text + from, p->at - from);
	if (buf_status(&p->scratch) != MCP_OK)
		return buf_status(&p->scratch);
	/* The point is "." here because no program of ours calls setlocale(). */
	d = strtod(p->scratch.data, NULL);
	if (!isfinite(d))
		return refuse(p, MCP_ESYNTAX, from, "number out of range");
	*out = json_object_new_double_s(d, p->scratch.data);
	return *out ? MCP_OK : MCP_ENOMEM;
}

static enum mcp_err
parse_word(struct parser *p, struct json_object **out)
{
	static const struct {
		const char *word;
		size_t len;
	} words[] = { { "null", 4 }, { "true", 4 }, { "false", 5 } };

	for (size_t i = 0; i < sizeof(words) / sizeof(words[0]); i++) {
		if (p->len - p->at < words[i].len || memcmp(p->text + p->at, words[i].word, words[i].len) != 0)
			continue;
		p->at += words[i].len;
		if (i == 0)
			return MCP_OK;
		*out = json_object_new_boolean(i == 1);
		return *out ? MCP_OK : MCP_ENOMEM;
	}
	if (p->at == 0 && p->len >= 3 && memcmp(p->text, "\xef\xbb\xbf", 3) == 0)
		return unexpected(p, "byte order mark");
	return unexpected(p, "value expected");
}

/* Give "v" (stolen) to the container that is open, or make it the root. */
static enum mcp_err
attach(struct parser *p, struct json_object *v)
{
	struct json_object *parent = p->depth ? p->open[p->depth - 1] : NULL;
	int failed;

	if (!parent) {
		p->root = v;
		return MCP_OK;
	}
	if (json_object_is_type(parent, json_type_array))
		failed = json_object_array_add(parent, v);
	else
		failed = json_object_object_add_ex(parent, p->name.data, v, JSON_C_OBJECT_ADD_KEY_IS_NEW);
	if (failed)
		json_free(v);
	return failed ? MCP_ENOMEM : MCP_OK;
}

/* A value up to its end, or a container up to its first byte inside; *opened tells which. */
static enum mcp_err
parse_value(struct parser *p, bool *opened)
{
	struct json_object *v = NULL;
	const char *s;
	size_t n;
	char c = next_byte(p);
	enum mcp_err err = MCP_OK;

	*opened = c == '{' || c == '[';
	if (p->values_left-- == 0)
		return refuse(p, MCP_ELIMIT, p->at, "too many values");
	if (*opened) {
		if (p->depth == p->max_depth)
			return refuse(p, MCP_ELIMIT, p->at, "nested too deep");
		v = c == '{' ? json_new_object() : json_new_array();
		err = v ? MCP_OK : MCP_ENOMEM;
		p->at++;
	} else if (c == '"') {
		err = parse_string(p, &p->scratch, &s, &n);
		if (err == MCP_OK) {
			v = json_new_string(s, n);
			err = v ? MCP_OK : MCP_ENOMEM;
		}
	} else if (c == '-' || (c >= '0' && c <= '9')) {
		err = parse_number(p, &v);
	} else {
		err = parse_word(p, &v);
	}
	if (err == MCP_OK)
		err = attach(p, v);
	if (err == MCP_OK && *opened)
		p->open[p->depth++] = v;
	return err;
}

/* A member's name and colon, into p->name. */
static enum mcp_err
parse_name(struct parser *p)
{
	const char *s;
	size_t n, start;
	enum mcp_err err;

	if (next_byte(p) != '"')
		return unexpected(p, "member name expected");
	start = p->at;
	err = parse_string(p, &p->scratch, &s, &n);
	if (err != MCP_OK)
		return err;
	buf_reset(&p->name);
	buf_put(&p->name, s, n);
	if (buf_status(&p->name) != MCP_OK)
		return buf_status(&p->name);
	if (json_object_object_get_ex(p->open[p->depth - 1], p->name.data, NULL))
		return refuse(p, MCP_ESYNTAX, start, "duplicate member name");
	if (next_byte(p) != ':')
		return unexpected(p, "colon expected");
	p->at++;
	return MCP_OK;
}

/*
 * After a value or an opening bracket: close what ends here, pass a comma and a member's name. *more tells whether a
 * value is due; if not, the root is whole.
 */
static enum mcp_err
parse_between(struct parser *p, bool opened, bool *more)
{
	*more = false;
	while (p->depth) {
		bool array = json_object_is_type(p->open[p->depth - 1], json_type_array);
		char c = next_byte(p);

		if (c == (array ? ']' : '}')) {
			p->at++;
			p->depth--;
			opened = false;
			continue;
		}
		if (!opened) {
			if (c != ',')
				return unexpected(p, "comma or closing bracket expected");
			p->at++;
		}
		*more = true;
		return array ? MCP_OK : parse_name(p);
	}
	return MCP_OK;
}

enum mcp_err
json_parse(const char *text, size_t len, const struct json_bounds *bounds, struct json_object **out,
    struct json_fault *fault)
{
	struct parser p = { .text = text, .len = len, .values_left = bounds->max_values };
	bool opened = false, more = true;
	enum mcp_err err = MCP_OK;

	*out = NULL;
	p.max_depth = bounds->max_depth < JSON_DEPTH_MAX ? bounds->max_depth : JSON_DEPTH_MAX;
	buf_init(&p.name, len);
	buf_init(&p.scratch, len);
	if (len > bounds->max_bytes || len > TEXT_BYTES_MAX)
		err = refuse(&p, MCP_ELIMIT, 0, "text too long");
	while (err == MCP_OK && more) {
		err = parse_value(&p, &opened);
		if (err == MCP_OK)
			err = parse_between(&p, opened, &more);
	}
	if (err == MCP_OK && next_byte(&p) == 0 && p.at == len) {
		*out = p.root;
		p.root = NULL;
	} else if (err == MCP_OK) {
		err = unexpected(&p, "bytes after the value");
	}
	if (fault && p.fault) {
		fault->offset = p.fault_at;
		fault->what = p.fault;
	}
	json_free(p.root);
	buf_clear(&p.name);
	buf_clear(&p.scratch);
	return err;
}
