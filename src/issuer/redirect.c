/* SPDX-License-Identifier: MIT */
/* Answers for what a redirect URI may be and when two are the same. */
#include "issuer/redirect.h"

#include <string.h>
#include <strings.h>

/* The parts of a URI that was found good, as runs in its text. "rest" begins with the path and ends with the string. */
struct parts {
	const char *scheme, *host, *port, *rest;
	size_t scheme_len, host_len, port_len;
	bool hierarchical; /* "//" follows the scheme */
};

static bool
is_alpha(char c)
{
	return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
}

static bool
is_digit(char c)
{
	return c >= '0' && c <= '9';
}

static bool
run_is(const char *run, size_t len, const char *word)
{
	return strlen(word) == len && strncasecmp(run, word, len) == 0;
}

/* Split at the host; false when there is no scheme or the authority is no host[:port]. */
static bool
split(const char *uri, struct parts *p)
{
	const char *s = uri, *end;

	memset(p, 0, sizeof *p);
	p->scheme = uri;
	if (!is_alpha(*s))
		return false;
	while (is_alpha(*s) || is_digit(*s) || *s == '+' || *s == '-' || *s == '.')
		s++;
	if (*s != ':')
		return false;
	p->scheme_len = (size_t)(s - uri);
	s++;
	p->host = p->port = p->rest = s;
	if (strncmp(s, "//", 2) != 0)
		return true;
	p->hierarchical = true;
	s += 2;
	p->host = s;
	if (*s == '[') {
		while (*s && *s != ']')
			s++;
		if (*s++ != ']')
			return false;
	} else {
		while (is_alpha(*s) || is_digit(*s) || *s == '-' || *s == '.' || *s == '_')
			s++;
	}
	p->host_len = (size_t)(s - p->host);
	if (*s == ':') {
		p->port = ++s;
		while (is_digit(*s))
			s++;
		p->port_len = (size_t)(s - p->port);
		if (p->port_len == 0 || p->port_len > 5)
			return false;
	}
	end = s;
	if (*end && *end != '/' && *end != '?')
		return false;
	p->rest = end;
	return true;
}

static bool
host_is_loopback(const struct parts *p)
{
	return run_is(p->host, p->host_len, "127.0.0.1") || run_is(p->host, p->host_len, "[::1]")
	    || run_is(p->host, p->host_len, "localhost");
}

static bool
is_http(const struct parts *p)
{
	return run_is(p->scheme, p->scheme_len, "http");
}

/* Schemes that a browser would run, show or handle itself: none of them leads to a program of the user's. */
static bool
scheme_is_dangerous(const struct parts *p)
{
	static const char *const words[] = { "about", "blob", "chrome", "data", "file", "filesystem", "ftp",
		"javascript", "jar", "mailto", "resource", "sms", "tel", "urn", "vbscript", "view-source", "ws",
		"wss" };

	for (size_t i = 0; i < sizeof words / sizeof words[0]; i++)
		if (run_is(p->scheme, p->scheme_len, words[i]))
			return true;
	return false;
}

const char *
redirect_fault(const char *uri)
{
	struct parts p;

	if (strlen(uri) > REDIRECT_URI_MAX)
		return "a redirect URI is too long";
	for (const char *s = uri; *s; s++)
		if (*s <= ' ' || *s >= 0x7f || strchr("\"<>\\^`{|}", *s))
			return "a redirect URI has a byte that a URI cannot have";
	if (strchr(uri, '#'))
		return "a redirect URI must not have a fragment";
	if (!split(uri, &p))
		return "a redirect URI must be absolute, with a plain host";
	if (is_http(&p) || run_is(p.scheme, p.scheme_len, "https")) {
		if (!p.hierarchical || p.host_len == 0)
			return "a redirect URI needs a host";
		if (is_http(&p) && !host_is_loopback(&p))
			return "a redirect URI with http must be on 127.0.0.1, [::1] or localhost";
		return NULL;
	}
	if (scheme_is_dangerous(&p))
		return "a redirect URI has a scheme that is not allowed";
	return NULL;
}

bool
redirect_matches(const char *registered, const char *given)
{
	struct parts r, g;

	if (strcmp(registered, given) == 0)
		return true;
	if (redirect_fault(given) || !split(registered, &r) || !split(given, &g))
		return false;
	return is_http(&r) && is_http(&g) && host_is_loopback(&r) && r.host_len == g.host_len
	    && memcmp(r.host, g.host, r.host_len) == 0 && strcmp(r.rest, g.rest) == 0;
}

bool
redirect_is_loopback(const char *uri)
{
	struct parts p;

	return split(uri, &p) && host_is_loopback(&p);
}

void
redirect_target(const char *uri, struct buf *out)
{
	struct parts p;

	if (!split(uri, &p))
		return;
	if (!is_http(&p) && !run_is(p.scheme, p.scheme_len, "https")) {
		buf_put(out, p.scheme, p.scheme_len);
		buf_putc(out, ':');
		return;
	}
	buf_put(out, p.host, (size_t)(p.rest - p.host));
}

void
redirect_source(const char *uri, struct buf *out)
{
	struct parts p;

	if (!split(uri, &p))
		return;
	buf_put(out, p.scheme, p.scheme_len);
	buf_putc(out, ':');
	/* The policy's grammar has no IPv6 addresses: the scheme alone has to do for them. */
	if ((is_http(&p) || run_is(p.scheme, p.scheme_len, "https")) && *p.host != '[') {
		buf_puts(out, "//");
		buf_put(out, p.host, (size_t)(p.rest - p.host));
	}
}
