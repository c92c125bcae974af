/* SPDX-License-Identifier: MIT */
/* Answers for URIs, IRIs, references to them, and templates of them. */
#include <string.h>

#include "base/text.h"
#include "schema/format.h"

#define UNRESERVED "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-._~"
#define SUB_DELIMS "!$&'()*+,;="
#define HEX "0123456789abcdefABCDEF"

/* Whether a character beyond ASCII may stand in an IRI; private ones only in a query. Source: RFC 3987 section 2.2. */
static bool
is_ucs(const char *at, size_t n, bool private)
{
	unsigned long code = 0;

	if (n < 2)
		return false;
	code = (unsigned char)at[0] & (0xff >> (n + 1));
	for (size_t i = 1; i < n; i++)
		code = code << 6 | ((unsigned char)at[i] & 0x3f);
	if ((code >= 0xe000 && code <= 0xf8ff) || code >= 0xf0000)
		return private && (code & 0xfffe) != 0xfffe;
	if (code < 0xa0 || (code >= 0xfdd0 && code <= 0xfdef) || (code >= 0xfff0 && code <= 0xffff))
		return false;
	return (code & 0xfffe) != 0xfffe && (code < 0xe0000 || code >= 0xe1000);
}

/* Whether all of a part is unreserved, %XX, of "more", or (in IRIs) beyond ASCII. */
static bool
is_part(const char *at, size_t len, const char *more, bool iri, bool private)
{
	const char *end = at + len;

	while (at < end) {
		size_t n = text_utf8_length(at, (size_t)(end - at));

		if (n == 1 && *at == '%') {
			if (end - at < 3 || !strchr(HEX, at[1]) || !strchr(HEX, at[2]))
				return false;
			n = 3;
		} else if (n == 1 ? !strchr(UNRESERVED, *at) && !strchr(more, *at) :
		    !iri || !is_ucs(at, n, private)) {
			return false;
		}
		at += n;
	}
	return true;
}

/* IP-literal with its brackets. Source: RFC 3986 section 3.2.2. */
static bool
is_literal(const char *at, size_t len)
{
	char address[64];
	size_t n;

	if (len < 4 || at[len - 1] != ']')
		return false;
	at++;
	len -= 2;
	if (*at == 'v' || *at == 'V') {
		n = strspn(at + 1, HEX);
		return n > 0 && n + 2 < len && at[n + 1] == '.' &&
		    is_part(at + n + 2, len - n - 2, SUB_DELIMS ":", false, false) && !memchr(at, '%', len);
	}
	if (len >= sizeof(address))
		return false;
	memcpy(address, at, len);
	address[len] = '\0';
	return format_ipv6(address, len);
}

/* Source: RFC 3986 section 3.2. */
static bool
is_authority(const char *at, size_t len, bool iri)
{
	const char *host = memrchr(at, '@', len), *port;
	size_t n;

	if (host && !is_part(at, (size_t)(host - at), SUB_DELIMS ":", iri, false))
		return false;
	host = host ? host + 1 : at;
	len -= (size_t)(host - at);
	port = memrchr(host, ':', len);
	if (port && *host == '[' && memchr(port, ']', len - (size_t)(port - host)))
		port = NULL;
	n = port ? (size_t)(port - host) : len;
	if (port && strspn(port + 1, "0123456789") < len - n - 1)
		return false;
	return n > 0 && *host == '[' ? is_literal(host, n) : is_part(host, n, SUB_DELIMS, iri, false);
}

/* "scheme" tells whether there must be one. Source: RFC 3986 section 4.1. */
static bool
is_uri(const char *at, bool scheme, bool iri)
{
	size_t n = strspn(at, "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+-.");

	if (n > 0 && at[n] == ':' && !strchr("0123456789+-.", *at)) {
		at += n + 1;
		scheme = true;
	} else if (scheme || at[strcspn(at, ":/?#")] == ':') {
		return false;	/* in a reference no segment before the first slash has a colon */
	}
	if (at[0] == '/' && at[1] == '/') {
		at += 2;
		n = strcspn(at, "/?#");
		if (!is_authority(at, n, iri))
			return false;
		at += n;
	}
	n = strcspn(at, "?#");
	if (!is_part(at, n, SUB_DELIMS ":@/", iri, false))
		return false;
	at += n;
	if (*at == '?') {
		n = strcspn(++at, "#");
		if (!is_part(at, n, SUB_DELIMS ":@/?", iri, true))
			return false;
		at += n;
	}
	return *at == '\0' || is_part(at + 1, strlen(at + 1), SUB_DELIMS ":@/?", iri, false);
}

bool
format_uri(const char *text, size_t len)
{
	(void)len;
	return is_uri(text, true, false);
}

bool
format_uri_reference(const char *text, size_t len)
{
	(void)len;
	return is_uri(text, false, false);
}

bool
format_iri(const char *text, size_t len)
{
	(void)len;
	return is_uri(text, true, true);
}

bool
format_iri_reference(const char *text, size_t len)
{
	(void)len;
	return is_uri(text, false, true);
}

/* varspec; *at moves behind it. Source: RFC 6570 section 2.3 and 2.4. */
static bool
pass_variable(const char **at)
{
	const char *s = *at;
	size_t n;

	do {
		for (n = 0;; n++) {
			if (*s == '%' && s[1] && strchr(HEX, s[1]) && s[2] && strchr(HEX, s[2]))
				s += 3;
			else if (*s && strchr(UNRESERVED, *s) && !strchr("-.~", *s))
				s++;
			else
				break;
		}
		if (n == 0)
			return false;
	} while (*s == '.' && s++);
	if (*s == '*') {
		s++;
	} else if (*s == ':') {
		n = strspn(s + 1, "0123456789");
		if (n < 1 || n > 4 || s[1] == '0')
			return false;
		s += n + 1;
	}
	*at = s;
	return true;
}

/* An expression in braces; *at moves behind it. */
static bool
pass_expression(const char **at)
{
	(*at)++;
	if (**at && strchr("+#./;?&=,!@|", **at))
		(*at)++;
	do {
		if (!pass_variable(at))
			return false;
	} while (**at == ',' && (*at)++);
	return **at == '}' && (*at)++;
}

bool
format_uri_template(const char *text, size_t len)
{
	const char *end = text + len;

	while (text < end) {
		size_t n = text_utf8_length(text, (size_t)(end - text));

		if (*text == '{') {
			if (!pass_expression(&text))
				return false;
			continue;
		}
		if (n == 1 && *text == '%') {
			if (!text[1] || !strchr(HEX, text[1]) || !text[2] || !strchr(HEX, text[2]))
				return false;
		} else if (n == 1 ? (unsigned char)*text <= 0x20 || strchr("\"<>\\^`|}\x7f", *text) != NULL :
		    !is_ucs(text, n, true)) {
			return false;
		}
		text += n;
	}
	return true;
}
