/* SPDX-License-Identifier: MIT */
/* Answers for regular expressions as JSON Schema has them. Source: ECMA-262 (2020) section 21.2.1. */
#include "schema/ecma.h"

#include <stdbool.h>
#include <stdint.h>
#include <string.h>

#include "base/text.h"

#define GROUPS_MAX 100

/* WhiteSpace and LineTerminator, and all that is neither, as members of a class. */
#define SPACE "\\t-\\r\\x{20}\\x{a0}\\x{1680}\\x{2000}-\\x{200a}\\x{2028}\\x{2029}\\x{202f}\\x{205f}\\x{3000}\\x{feff}"
#define NO_SPACE "\\x{0}-\\x{8}\\x{e}-\\x{1f}\\x{21}-\\x{9f}\\x{a1}-\\x{167f}\\x{1681}-\\x{1fff}\\x{200b}-\\x{2027}" \
	"\\x{202a}-\\x{202e}\\x{2030}-\\x{205e}\\x{2060}-\\x{2fff}\\x{3001}-\\x{fefe}\\x{ff00}-\\x{10ffff}"

struct reader {
	const char *at, *end;
	struct buf *out;
	const char *why;
	unsigned depth;
	unsigned groups;	/* that capture, in all */
	bool repeatable;	/* a quantifier may follow */
};

static enum mcp_err
refuse(struct reader *r, const char *why)
{
	r->why = why;
	return MCP_ESYNTAX;
}

static int
peek(const struct reader *r, size_t ahead)
{
	return (size_t)(r->end - r->at) > ahead ? (unsigned char)r->at[ahead] : -1;
}

static bool
is_digit(int c)
{
	return c >= '0' && c <= '9';
}

static bool
is_letter(int c)
{
	return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
}

static int
hex(int c)
{
	if (is_digit(c))
		return c - '0';
	if (c >= 'a' && c <= 'f')
		return c - 'a' + 10;
	return c >= 'A' && c <= 'F' ? c - 'A' + 10 : -1;
}

/* "n" hexadecimal digits; -1 if they are not there. */
static long
read_hex(struct reader *r, size_t n)
{
	long code = 0;

	for (size_t i = 0; i < n; i++) {
		if (hex(peek(r, i)) < 0)
			return -1;
		code = code * 16 + hex(peek(r, i));
	}
	r->at += n;
	return code;
}

/* What follows "\u"; -1 if it is no code point. */
static long
read_code_point(struct reader *r)
{
	long code = 0, low;

	if (peek(r, 0) == '{') {
		r->at++;
		do {
			if (hex(peek(r, 0)) < 0)
				return -1;
			code = code * 16 + hex(*r->at++);
		} while (code <= 0x10ffff && peek(r, 0) != '}');
		r->at++;
		return code <= 0x10ffff && (code < 0xd800 || code > 0xdfff) ? code : -1;
	}
	code = read_hex(r, 4);
	if (code < 0xd800 || code > 0xdfff)
		return code;
	if (code > 0xdbff || peek(r, 0) != '\\' || peek(r, 1) != 'u')
		return -1;
	r->at += 2;
	low = read_hex(r, 4);
	return low >= 0xdc00 && low <= 0xdfff ? 0x10000 + ((code - 0xd800) << 10) + (low - 0xdc00) : -1;
}

static void
put_code_point(struct reader *r, long code)
{
	buf_printf(r->out, "\\x{%lx}", (unsigned long)code);
}

/* Long names of general categories that PCRE2 does not know. Source: Unicode, PropertyValueAliases.txt. */
static const struct {
	const char *name, *abbreviation;
} categories[] = {
	{ "cased_letter", "L&" }, { "lc", "L&" }, { "close_punctuation", "Pe" }, { "connector_punctuation", "Pc" },
	{ "control", "Cc" }, { "cntrl", "Cc" }, { "currency_symbol", "Sc" }, { "dash_punctuation", "Pd" },
	{ "decimal_number", "Nd" }, { "digit", "Nd" }, { "enclosing_mark", "Me" }, { "final_punctuation", "Pf" },
	{ "format", "Cf" }, { "initial_punctuation", "Pi" }, { "letter", "L" }, { "letter_number", "Nl" },
	{ "line_separator", "Zl" }, { "lowercase_letter", "Ll" }, { "mark", "M" }, { "combining_mark", "M" },
	{ "math_symbol", "Sm" }, { "modifier_letter", "Lm" }, { "modifier_symbol", "Sk" },
	{ "nonspacing_mark", "Mn" }, { "number", "N" }, { "open_punctuation", "Ps" }, { "other", "C" },
	{ "other_letter", "Lo" }, { "other_number", "No" }, { "other_punctuation", "Po" }, { "other_symbol", "So" },
	{ "paragraph_separator", "Zp" }, { "private_use", "Co" }, { "punctuation", "P" }, { "punct", "P" },
	{ "separator", "Z" }, { "space_separator", "Zs" }, { "spacing_mark", "Mc" }, { "surrogate", "Cs" },
	{ "symbol", "S" }, { "titlecase_letter", "Lt" }, { "unassigned", "Cn" }, { "uppercase_letter", "Lu" }
};

static bool
put_property_name(struct reader *r, const char *name, size_t len)
{
	char text[64];

	if (len == 0 || len >= sizeof(text))
		return false;
	memcpy(text, name, len);
	text[len] = '\0';
	for (size_t i = 0; i < sizeof(categories) / sizeof(categories[0]); i++)
		if (text_equal_nocase(text, categories[i].name)) {
			buf_puts(r->out, categories[i].abbreviation);
			return true;
		}
	for (size_t i = 0; i < len; i++)
		if (!is_letter(text[i]) && !is_digit(text[i]) && text[i] != '_')
			return false;
	buf_put(r->out, name, len);
	return true;
}

/* What follows "\p" or "\P" (given as "kind"). PCRE2 judges the name when it compiles. */
static enum mcp_err
read_property(struct reader *r, char kind)
{
	const char *close = peek(r, 0) == '{' ? memchr(r->at, '}', (size_t)(r->end - r->at)) : NULL, *name, *equals;
	bool good;

	if (!close)
		return refuse(r, "\\p without a property in braces");
	name = r->at + 1;
	r->at = close + 1;
	equals = memchr(name, '=', (size_t)(close - name));
	/* Unassigned code points are negated ones that are assigned, which PCRE2 has no name for. */
	if (close - name == 8 && memcmp(name, "Assigned", 8) == 0) {
		buf_printf(r->out, "\\%c{Cn}", kind == 'p' ? 'P' : 'p');
		return MCP_OK;
	}
	if (close - name == 5 && memcmp(name, "ASCII", 5) == 0 && kind == 'p') {
		buf_puts(r->out, "\\p{ASCII}");
		return MCP_OK;
	}
	buf_printf(r->out, "\\%c{", kind);
	if (equals) {
		size_t key = (size_t)(equals - name);

		if ((key == 6 && memcmp(name, "Script", 6) == 0) || (key == 2 && memcmp(name, "sc", 2) == 0))
			buf_puts(r->out, "sc:");
		else if ((key == 17 && memcmp(name, "Script_Extensions", 17) == 0) ||
		    (key == 3 && memcmp(name, "scx", 3) == 0))
			buf_puts(r->out, "scx:");
		else if (!(key == 16 && memcmp(name, "General_Category", 16) == 0) &&
		    !(key == 2 && memcmp(name, "gc", 2) == 0))
			return refuse(r, "\\p with an unknown property");
		name = equals + 1;
	}
	good = put_property_name(r, name, (size_t)(close - name));
	buf_putc(r->out, '}');
	return good ? MCP_OK : refuse(r, "\\p with an unknown property");
}

/*
 * An escape that stands for one character or for a set, in a class or outside; r->at is behind the backslash. *single
 * tells which.
 */
static enum mcp_err
read_escape(struct reader *r, bool in_class, bool *single)
{
	static const char controls[] = "tnvfr", codes[] = "\t\n\v\f\r";
	int c = peek(r, 0);
	long code = -1;

	*single = true;
	if (c < 0)
		return refuse(r, "a backslash at the end");
	r->at++;
	if (strchr("dDwW", c)) {
		*single = false;
		buf_printf(r->out, "\\%c", c);
		return MCP_OK;
	}
	if (c == 's' || c == 'S') {
		*single = false;
		buf_printf(r->out, in_class ? "%s" : "[%s]", c == 's' ? SPACE : NO_SPACE);
		return MCP_OK;
	}
	if (c == 'p' || c == 'P') {
		*single = false;
		return read_property(r, (char)c);
	}
	if (strchr(controls, c))
		code = codes[strchr(controls, c) - controls];
	else if (c == 'c' && is_letter(peek(r, 0)))
		code = *r->at++ % 32;
	else if (c == '0' && !is_digit(peek(r, 0)))
		code = 0;
	else if (c == 'x')
		code = read_hex(r, 2);
	else if (c == 'u')
		code = read_code_point(r);
	else if (c == 'b' && in_class)
		code = '\b';
	else if (c < 0x80 && c > ' ' && !is_letter(c) && !is_digit(c))
		code = c;
	if (code < 0)
		return refuse(r, "an escape that ECMA-262 does not have");
	put_code_point(r, code);
	return MCP_OK;
}

/* A character that stands for itself. */
static enum mcp_err
read_literal(struct reader *r)
{
	size_t n = text_utf8_length(r->at, (size_t)(r->end - r->at));

	if (n == 0)
		return refuse(r, "ill-formed UTF-8");
	r->repeatable = true;
	if (n == 1 && !is_letter(*r->at) && !is_digit(*r->at))
		put_code_point(r, *r->at);
	else
		buf_put(r->out, r->at, n);
	r->at += n;
	return MCP_OK;
}

/* One member of a class; a "-" is written so that it can only be what it is here. */
static enum mcp_err
read_class_atom(struct reader *r, bool *single)
{
	*single = true;
	if (peek(r, 0) != '\\')
		return read_literal(r);
	r->at++;
	return read_escape(r, true, single);
}

/* Source: ECMA-262 section 21.2.1, CharacterClass; B.1.4 for a set beside a "-". */
static enum mcp_err
read_class(struct reader *r)
{
	enum mcp_err err = MCP_OK;
	bool negated = peek(r, 1) == '^', first, second = false;

	r->at += negated ? 2 : 1;
	if (peek(r, 0) == ']') {
		r->at++;
		buf_puts(r->out, negated ? "(?s:.)" : "(?!)");
		return MCP_OK;
	}
	buf_puts(r->out, negated ? "[^" : "[");
	while (err == MCP_OK && peek(r, 0) != ']') {
		if (r->at == r->end)
			return refuse(r, "a class that is not closed");
		err = read_class_atom(r, &first);
		if (err || peek(r, 0) != '-' || peek(r, 1) == ']' || peek(r, 1) < 0)
			continue;
		r->at++;
		if (!first) {
			put_code_point(r, '-');
			continue;
		}
		buf_putc(r->out, '-');
		err = read_class_atom(r, &second);
		if (!err && !second)
			return refuse(r, "a range that ends in a set");
	}
	buf_putc(r->out, ']');
	r->at++;
	return err;
}

/* The name of a group, up to and with its ">". */
static enum mcp_err
read_name(struct reader *r)
{
	const char *from = r->at;

	while (is_letter(peek(r, 0)) || peek(r, 0) == '_' || (r->at > from && is_digit(peek(r, 0))))
		r->at++;
	if (r->at == from || r->at - from > 32 || peek(r, 0) != '>')
		return refuse(r, "a group's name is 1 to 32 letters, digits and _");
	r->at++;
	buf_put(r->out, from, (size_t)(r->at - from));
	return MCP_OK;
}

static enum mcp_err
read_group(struct reader *r)
{
	static const char *const kinds[] = { "(?:", "(?=", "(?!", "(?<=", "(?<!" };
	size_t left = (size_t)(r->end - r->at);

	r->repeatable = false;
	if (++r->depth > ECMA_DEPTH_MAX) {
		r->why = "groups are nested too deep";
		return MCP_ELIMIT;
	}
	for (size_t i = 0; i < sizeof(kinds) / sizeof(kinds[0]); i++) {
		size_t n = strlen(kinds[i]);

		if (left < n || memcmp(r->at, kinds[i], n) != 0)
			continue;
		buf_put(r->out, kinds[i], n);
		r->at += n;
		return MCP_OK;
	}
	r->at++;
	buf_putc(r->out, '(');
	if (peek(r, 0) != '?')
		return MCP_OK;
	if (peek(r, 1) != '<')
		return refuse(r, "a kind of group that ECMA-262 does not have");
	r->at += 2;
	buf_puts(r->out, "?<");
	return read_name(r);
}

/* Outside of classes; r->at is at the backslash. */
static enum mcp_err
read_atom_escape(struct reader *r)
{
	unsigned n = 0;
	bool single;
	int c = peek(r, 1);

	r->repeatable = true;
	r->at++;
	if (c == 'b' || c == 'B') {
		r->repeatable = false;
		buf_printf(r->out, "\\%c", c);
		r->at++;
		return MCP_OK;
	}
	if (c == 'k') {
		if (peek(r, 1) != '<')
			return refuse(r, "\\k without a group's name");
		r->at += 2;
		buf_puts(r->out, "\\k<");
		return read_name(r);
	}
	if (c < '1' || c > '9')
		return read_escape(r, false, &single);
	while (is_digit(peek(r, 0)) && n <= GROUPS_MAX)
		n = n * 10 + (unsigned)(*r->at++ - '0');
	if (n > r->groups)
		return refuse(r, "a back-reference to a group that is not there");
	buf_printf(r->out, "\\g{%u}", n);
	return MCP_OK;
}

/* "{n}", "{n,}" or "{n,m}" at r->at: its length, or 0. */
static size_t
repetition_length(const struct reader *r)
{
	size_t n = 1;

	while (is_digit(peek(r, n)))
		n++;
	if (n == 1)
		return 0;
	if (peek(r, n) == ',')
		for (n++; is_digit(peek(r, n)); n++)
			;
	return peek(r, n) == '}' ? n + 1 : 0;
}

static enum mcp_err
read_quantifier(struct reader *r, size_t len)
{
	if (!r->repeatable)
		return refuse(r, "nothing to repeat");
	r->repeatable = false;
	buf_put(r->out, r->at, len);
	r->at += len;
	if (peek(r, 0) == '?') {
		buf_putc(r->out, '?');
		r->at++;
	}
	return MCP_OK;
}

static enum mcp_err
read_one(struct reader *r)
{
	char c = *r->at;
	size_t n = c == '{' ? repetition_length(r) : 1;

	switch (c) {
	case '^':
	case '$':
	case '|':
		r->repeatable = false;
		buf_putc(r->out, c);
		r->at++;
		return MCP_OK;
	case '(':
		return read_group(r);
	case ')':
		if (r->depth-- == 0)
			return refuse(r, "a bracket that was not opened");
		r->repeatable = true;
		buf_putc(r->out, c);
		r->at++;
		return MCP_OK;
	case '.':
		r->repeatable = true;
		buf_puts(r->out, "[^\\n\\r\\x{2028}\\x{2029}]");
		r->at++;
		return MCP_OK;
	case '[':
		r->repeatable = true;
		return read_class(r);
	case '\\':
		return read_atom_escape(r);
	case '*':
	case '+':
	case '?':
	case '{':
		return n ? read_quantifier(r, n) : read_literal(r);
	default:
		return read_literal(r);
	}
}

/* Groups that capture, so that back-references can be judged wherever they stand. */
static unsigned
count_groups(const char *at, const char *end)
{
	bool in_class = false;
	unsigned n = 0;

	for (; at < end; at++) {
		if (*at == '\\')
			at++;
		else if (*at == '[')
			in_class = true;
		else if (*at == ']')
			in_class = false;
		else if (*at == '(' && !in_class)
			n += end - at < 4 || at[1] != '?' || (at[2] == '<' && at[3] != '=' && at[3] != '!');
	}
	return n;
}

enum mcp_err
ecma_translate(const char *text, size_t len, struct buf *out, const char **why)
{
	struct reader r = { .at = text, .end = text + len, .out = out };
	enum mcp_err err = MCP_OK;

	r.groups = count_groups(text, r.end);
	if (r.groups > GROUPS_MAX)
		err = refuse(&r, "more than 100 groups");
	while (!err && r.at < r.end)
		err = read_one(&r);
	if (!err && r.depth > 0)
		err = refuse(&r, "a bracket that is not closed");
	*why = err ? r.why : NULL;
	return err;
}
