/* SPDX-License-Identifier: MIT */
/* Byte-level grammars that several layers need: encodings, character classes, numbers. No locale is consulted. */
#include "base/text.h"

#include <stdlib.h>
#include <string.h>

static const char base64_alphabet[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
static const char base64url_alphabet[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";

static bool
is_alpha(unsigned char c)
{
	return (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z');
}

static bool
is_digit(unsigned char c)
{
	return c >= '0' && c <= '9';
}

/* The six bits of a base64 digit, one more than they are worth; 0 for bytes that are none, and for the last two. */
static const uint8_t base64_digits_plus_1[256] = {
	['A'] = 1, ['B'] = 2, ['C'] = 3, ['D'] = 4, ['E'] = 5, ['F'] = 6, ['G'] = 7, ['H'] = 8, ['I'] = 9,
	['J'] = 10, ['K'] = 11, ['L'] = 12, ['M'] = 13, ['N'] = 14, ['O'] = 15, ['P'] = 16, ['Q'] = 17,
	['R'] = 18, ['S'] = 19, ['T'] = 20, ['U'] = 21, ['V'] = 22, ['W'] = 23, ['X'] = 24, ['Y'] = 25,
	['Z'] = 26, ['a'] = 27, ['b'] = 28, ['c'] = 29, ['d'] = 30, ['e'] = 31, ['f'] = 32, ['g'] = 33,
	['h'] = 34, ['i'] = 35, ['j'] = 36, ['k'] = 37, ['l'] = 38, ['m'] = 39, ['n'] = 40, ['o'] = 41,
	['p'] = 42, ['q'] = 43, ['r'] = 44, ['s'] = 45, ['t'] = 46, ['u'] = 47, ['v'] = 48, ['w'] = 49,
	['x'] = 50, ['y'] = 51, ['z'] = 52, ['0'] = 53, ['1'] = 54, ['2'] = 55, ['3'] = 56, ['4'] = 57,
	['5'] = 58, ['6'] = 59, ['7'] = 60, ['8'] = 61, ['9'] = 62
};

/* Decode "len" digits, of which "c62" and "c63" are the last two, unpadded; canonical: leftover bits must be zero. */
static enum mcp_err
base64_digits(const char *text, size_t len, char c62, char c63, struct buf *out)
{
	const unsigned char *p = (const unsigned char *)text;
	size_t start = out->len, rest = len % 4;
	uint8_t plus_1[256];
	unsigned acc = 0;

	if (rest == 1)
		return MCP_ESYNTAX;
	if (buf_reserve(out, len / 4 * 3 + (rest ? rest - 1 : 0)))
		return buf_status(out);
	memcpy(plus_1, base64_digits_plus_1, sizeof plus_1);
	plus_1[(unsigned char)c62] = 63;
	plus_1[(unsigned char)c63] = 64;
	for (; len >= 4; p += 4, len -= 4) {
		if (!plus_1[p[0]] || !plus_1[p[1]] || !plus_1[p[2]] || !plus_1[p[3]])
			goto malformed;
		acc = (plus_1[p[0]] - 1U) << 18 | (plus_1[p[1]] - 1U) << 12 | (plus_1[p[2]] - 1U) << 6 |
		    (plus_1[p[3]] - 1U);
		out->data[out->len++] = (char)(acc >> 16 & 0xff);
		out->data[out->len++] = (char)(acc >> 8 & 0xff);
		out->data[out->len++] = (char)(acc & 0xff);
	}
	acc = 0;
	for (size_t i = 0; i < rest; i++) {
		if (!plus_1[p[i]])
			goto malformed;
		acc = acc << 6 | (plus_1[p[i]] - 1U);
	}
	/* Two digits are a byte and four bits, three are two bytes and two bits. */
	if ((rest == 2 && acc & 0xf) || (rest == 3 && acc & 3))
		goto malformed;
	if (rest == 2)
		out->data[out->len++] = (char)(acc >> 4 & 0xff);
	if (rest == 3) {
		out->data[out->len++] = (char)(acc >> 10 & 0xff);
		out->data[out->len++] = (char)(acc >> 2 & 0xff);
	}
	out->data[out->len] = '\0';
	return MCP_OK;
malformed:
	out->len = start;
	out->data[out->len] = '\0';
	return MCP_ESYNTAX;
}

enum mcp_err
text_base64url_decode(const char *text, size_t len, struct buf *out)
{
	return base64_digits(text, len, '-', '_', out);
}

enum mcp_err
text_base64_decode(const char *text, size_t len, struct buf *out)
{
	size_t pad = 0;

	if (len % 4)
		return MCP_ESYNTAX;
	while (pad < 2 && pad < len && text[len - 1 - pad] == '=')
		pad++;
	return base64_digits(text, len - pad, '+', '/', out);
}

static void
base64_encode(const unsigned char *p, size_t len, const char *alphabet, bool pad, struct buf *out)
{
	while (len) {
		unsigned n = len < 3 ? (unsigned)len : 3;
		unsigned long v = (unsigned long)p[0] << 16 | (n > 1 ? (unsigned long)p[1] << 8 : 0)
		    | (n > 2 ? p[2] : 0);
		char quad[4] = { alphabet[v >> 18 & 63], alphabet[v >> 12 & 63], alphabet[v >> 6 & 63],
		    alphabet[v & 63] };

		for (unsigned i = n + 1; i < 4; i++)
			quad[i] = '=';
		buf_put(out, quad, pad ? 4 : n + 1);
		p += n;
		len -= n;
	}
}

void
text_base64url_encode(const void *data, size_t len, struct buf *out)
{
	base64_encode(data, len, base64url_alphabet, false, out);
}

void
text_base64_encode(const void *data, size_t len, struct buf *out)
{
	base64_encode(data, len, base64_alphabet, true, out);
}

void
text_form_encode(const char *text, size_t len, struct buf *out)
{
	for (size_t i = 0; i < len; i++) {
		char c = text[i];

		if ((c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') ||
		    (c && strchr("*-._", c)))
			buf_putc(out, c);
		else if (c == ' ')
			buf_putc(out, '+');
		else
			buf_printf(out, "%%%02X", (unsigned char)c);
	}
}

int
text_hex_value(char c)
{
	if (c >= '0' && c <= '9')
		return c - '0';
	c |= 0x20;
	return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

void
text_hex(const void *data, size_t len, struct buf *out)
{
	static const char digits[] = "0123456789abcdef";
	const unsigned char *p = data;

	for (size_t i = 0; i < len; i++) {
		char pair[2] = { digits[p[i] >> 4], digits[p[i] & 15] };

		buf_put(out, pair, 2);
	}
}

size_t
text_utf8_length(const char *text, size_t len)
{
	const unsigned char *p = (const unsigned char *)text;
	unsigned char low = 0x80, high = 0xbf;
	size_t n;

	if (len == 0)
		return 0;
	if (p[0] < 0x80)
		return 1;
	if (p[0] >= 0xc2 && p[0] <= 0xdf) {
		n = 2;
	} else if (p[0] >= 0xe0 && p[0] <= 0xef) {
		n = 3;
		if (p[0] == 0xe0)
			low = 0xa0;	/* shorter forms would do */
		else if (p[0] == 0xed)
			high = 0x9f;	/* surrogates */
	} else if (p[0] >= 0xf0 && p[0] <= 0xf4) {
		n = 4;
		if (p[0] == 0xf0)
			low = 0x90;
		else if (p[0] == 0xf4)
			high = 0x8f;	/* beyond U+10FFFF */
	} else {
		return 0;
	}
	if (len < n || p[1] < low || p[1] > high)
		return 0;
	for (size_t i = 2; i < n; i++)
		if (p[i] < 0x80 || p[i] > 0xbf)
			return 0;
	return n;
}

bool
text_is_utf8(const char *text, size_t len)
{
	while (len) {
		size_t n = text_utf8_length(text, len);

		if (n == 0)
			return false;
		text += n;
		len -= n;
	}
	return true;
}

void
text_escape(const char *text, size_t len, size_t max, struct buf *out)
{
	size_t shown = len < max ? len : max;

	for (size_t i = 0; i < shown; i++) {
		unsigned char c = (unsigned char)text[i];

		if (c == '\\' || c == '"')
			buf_printf(out, "\\%c", c);
		else if (c >= 0x20 && c < 0x7f)
			buf_putc(out, (char)c);
		else
			buf_printf(out, "\\x%02x", c);
	}
	if (shown < len)
		buf_puts(out, "...");
}

bool
text_equal_constant_time(const void *a, size_t a_len, const void *b, size_t b_len)
{
	const volatile unsigned char *x = a, *y = b;
	unsigned char difference = 0;

	if (a_len != b_len)
		return false;
	for (size_t i = 0; i < a_len; i++)
		difference |= x[i] ^ y[i];
	return difference == 0;
}

static bool
is_b64token_byte(unsigned char c)
{
	return is_alpha(c) || is_digit(c) || c == '-' || c == '.' || c == '_' || c == '~' || c == '+' || c == '/';
}

bool
text_is_b64token(const char *text, size_t len)
{
	size_t i = 0;

	/* Nearly every byte is one of the 62; the table says so at once. */
	while (i < len && (base64_digits_plus_1[(unsigned char)text[i]] || is_b64token_byte((unsigned char)text[i])))
		i++;
	if (i == 0)
		return false;
	while (i < len && text[i] == '=')
		i++;
	return i == len;
}

bool
text_is_tchar_token(const char *text, size_t len)
{
	for (size_t i = 0; i < len; i++) {
		unsigned char c = (unsigned char)text[i];

		if (!is_alpha(c) && !is_digit(c) && (c == 0 || !strchr("!#$%&'*+-.^_`|~", c)))
			return false;
	}
	return len > 0;
}

void
text_trim(const char **text, size_t *len)
{
	while (*len && (**text == ' ' || **text == '\t')) {
		(*text)++;
		(*len)--;
	}
	while (*len && ((*text)[*len - 1] == ' ' || (*text)[*len - 1] == '\t'))
		(*len)--;
}

enum mcp_err
text_parse_int(const char *text, int64_t min, int64_t max, int64_t *out)
{
	bool negative = *text == '-';
	const char *p = text + negative;
	int64_t n = 0;
	bool overflow = false;

	if (!is_digit((unsigned char)*p))
		return MCP_ESYNTAX;
	/* Counted downwards, because INT64_MIN has no positive twin. */
	for (; is_digit((unsigned char)*p); p++)
		if (__builtin_mul_overflow(n, 10, &n) || __builtin_sub_overflow(n, *p - '0', &n))
			overflow = true;
	if (*p)
		return MCP_ESYNTAX;
	if (overflow || (!negative && n == INT64_MIN))
		return MCP_ELIMIT;
	if (!negative)
		n = -n;
	if (n < min || n > max)
		return MCP_ELIMIT;
	*out = n;
	return MCP_OK;
}

bool
text_equal_nocase(const char *a, const char *b)
{
	for (; *a && *b; a++, b++) {
		unsigned char x = (unsigned char)*a, y = (unsigned char)*b;

		if (x != y && (!is_alpha(x) || !is_alpha(y) || (x | 0x20) != (y | 0x20)))
			return false;
	}
	return *a == *b;
}

char *
text_dup(const char *text, size_t len)
{
	char *copy = malloc(len + 1);

	if (!copy)
		return NULL;
	if (len)
		memcpy(copy, text, len);
	copy[len] = '\0';
	return copy;
}

void
text_free_secret(char *text)
{
	if (text)
		explicit_bzero(text, strlen(text));
	free(text);
}
