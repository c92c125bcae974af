/* SPDX-License-Identifier: MIT */
/*
 * URLs and addresses of our own requests. The URL reader exists so that what we judged and what libcurl connects to
 * cannot differ: it refuses every spelling that two parsers could read in two ways.
 */
#include "net/target.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <stddef.h>
#include <string.h>
#include <strings.h>

static bool
is_digit(char c)
{
	return c >= '0' && c <= '9';
}

static bool
is_alnum(char c)
{
	return is_digit(c) || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
}

static bool
is_hex(char c)
{
	return is_digit(c) || (c >= 'a' && c <= 'f') || (c >= 'A' && c <= 'F');
}

/* Whether "s" is a path and query, or empty, in the characters of RFC 3986 section 3.3 and 3.4. */
static bool
path_is_good(const char *s)
{
	if (*s && *s != '/' && *s != '?')
		return false;
	for (; *s; s++) {
		if (*s == '%') {
			if (!is_hex(s[1]) || !is_hex(s[2]))
				return false;
		} else if (!is_alnum(*s) && !strchr("-._~!$&'()*+,;=:@/?", *s)) {
			return false;
		}
	}
	return true;
}

/*
 * A name of letters, digits, hyphens and underscores with dots between; a last label that begins with a digit is left
 * to inet_pton().
 */
static bool
name_is_good(const char *host, bool *literal)
{
	struct in_addr v4;
	const char *label = host;
	const char *p;

	*literal = inet_pton(AF_INET, host, &v4) == 1;
	if (*literal)
		return true;
	for (p = host;; p++) {
		if (*p == '.' || *p == '\0') {
			if (p == label || p - label > 63)
				return false;
			if (*p == '\0')
				break;
			label = p + 1;
		} else if (!is_alnum(*p) && *p != '-' && *p != '_') {
			return false;
		}
	}
	return !is_digit(*label);
}

static bool
parse_port(const char *s, size_t len, uint16_t *out)
{
	unsigned long port = 0;

	if (len == 0 || len > 5)
		return false;
	for (size_t i = 0; i < len; i++) {
		if (!is_digit(s[i]))
			return false;
		port = port * 10 + (unsigned long)(s[i] - '0');
	}
	if (port == 0 || port > 65535)
		return false;
	*out = (uint16_t)port;
	return true;
}

static bool
parse_authority(const char *s, size_t len, struct target *t)
{
	const char *end = s + len;
	const char *host = s;
	const char *host_end;
	struct in6_addr v6;
	bool brackets = len > 0 && *s == '[';
	size_t n;

	if (brackets) {
		host++;
		host_end = memchr(s, ']', len);
		if (!host_end)
			return false;
		s = host_end + 1;
	} else {
		host_end = memchr(s, ':', len);
		if (!host_end)
			host_end = end;
		s = host_end;
	}
	n = (size_t)(host_end - host);
	if (n == 0 || n > TARGET_HOST_MAX)
		return false;
	for (size_t i = 0; i < n; i++)
		t->host[i] = (char)(host[i] >= 'A' && host[i] <= 'Z' ? host[i] + ('a' - 'A') : host[i]);
	t->host[n] = '\0';
	if (brackets) {
		t->literal = true;
		if (inet_pton(AF_INET6, t->host, &v6) != 1)
			return false;
	} else if (!name_is_good(t->host, &t->literal)) {
		return false;
	}
	t->port = t->https ? 443 : 80;
	if (s == end)
		return true;
	return *s == ':' && parse_port(s + 1, (size_t)(end - s - 1), &t->port);
}

bool
target_parse(const char *url, struct target *out)
{
	struct target t = { 0 };
	const char *authority;

	*out = t;
	if (!url || strnlen(url, TARGET_URL_MAX + 1) > TARGET_URL_MAX)
		return false;
	if (strncasecmp(url, "https://", 8) == 0) {
		t.https = true;
		authority = url + 8;
	} else if (strncasecmp(url, "http://", 7) == 0) {
		authority = url + 7;
	} else {
		return false;
	}
	size_t len = strcspn(authority, "/?#");
	if (!parse_authority(authority, len, &t) || !path_is_good(authority + len))
		return false;
	*out = t;
	return true;
}

bool
target_is_loopback(const char *host)
{
	return strcasecmp(host, "localhost") == 0 || target_reach_of_text(host) == TARGET_LOOPBACK;
}

static enum target_reach
reach_of_v4(const uint8_t b[4])
{
	/* Networks that are not the public internet; 127.0.0.0/8 is handled before. */
	static const struct {
		uint32_t network;
		unsigned bits;
	} special[] = {
		{ 0x00000000, 8 },	/* this network, RFC 791 */
		{ 0x0a000000, 8 },	/* private, RFC 1918 */
		{ 0x64400000, 10 },	/* shared, RFC 6598 */
		{ 0xa9fe0000, 16 },	/* link local, RFC 3927; clouds serve credentials there */
		{ 0xac100000, 12 },	/* private */
		{ 0xc0000000, 24 },	/* protocol assignments, RFC 6890 */
		{ 0xc0000200, 24 },	/* documentation, RFC 5737 */
		{ 0xc0586300, 24 },	/* 6to4 relay, RFC 7526 */
		{ 0xc0a80000, 16 },	/* private */
		{ 0xc6120000, 15 },	/* benchmarks, RFC 2544 */
		{ 0xc6336400, 24 },	/* documentation */
		{ 0xcb007100, 24 },	/* documentation */
		{ 0xe0000000, 4 },	/* multicast */
		{ 0xf0000000, 4 },	/* reserved, broadcast */
	};
	uint32_t a = (uint32_t)b[0] << 24 | (uint32_t)b[1] << 16 | (uint32_t)b[2] << 8 | b[3];

	if (b[0] == 127)
		return TARGET_LOOPBACK;
	for (size_t i = 0; i < sizeof(special) / sizeof(special[0]); i++) {
		if ((a ^ special[i].network) >> (32 - special[i].bits) == 0)
			return TARGET_PRIVATE;
	}
	return TARGET_PUBLIC;
}

static enum target_reach
reach_of_v6(const uint8_t b[16])
{
	static const uint8_t zero[16] = { 0 };
	static const uint8_t mapped[12] = { 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff };
	static const uint8_t nat64[12] = { 0, 0x64, 0xff, 0x9b };

	if (memcmp(b, zero, 15) == 0)
		return b[15] == 1 ? TARGET_LOOPBACK : TARGET_PRIVATE;
	if (memcmp(b, mapped, 12) == 0 || memcmp(b, nat64, 12) == 0)
		return reach_of_v4(b + 12);
	if (b[0] == 0x20 && b[1] == 0x02)	/* 6to4, RFC 3056 */
		return reach_of_v4(b + 2);
	if ((b[0] & 0xe0) != 0x20)		/* only 2000::/3 is global unicast */
		return TARGET_PRIVATE;
	if (b[0] == 0x20 && b[1] == 0x01 && (b[2] < 2 || (b[2] == 0x0d && b[3] == 0xb8)))
		return TARGET_PRIVATE;		/* 2001::/23 (Teredo and others), documentation */
	if (b[0] == 0x3f && b[1] == 0xff && b[2] < 0x10)
		return TARGET_PRIVATE;		/* documentation, RFC 9637 */
	return TARGET_PUBLIC;
}

enum target_reach
target_reach_of(const struct sockaddr *address)
{
	if (address->sa_family == AF_INET) {
		struct sockaddr_in in;

		memcpy(&in, address, sizeof(in));
		return reach_of_v4((const uint8_t *)&in.sin_addr);
	}
	if (address->sa_family == AF_INET6) {
		struct sockaddr_in6 in6;

		memcpy(&in6, address, sizeof(in6));
		return reach_of_v6((const uint8_t *)&in6.sin6_addr);
	}
	return TARGET_PRIVATE;
}

enum target_reach
target_reach_of_text(const char *text)
{
	uint8_t b[16];
	char plain[INET6_ADDRSTRLEN];
	size_t n = strcspn(text, "%");

	if (n >= sizeof(plain))
		return TARGET_PRIVATE;
	memcpy(plain, text, n);
	plain[n] = '\0';
	if (inet_pton(AF_INET, plain, b) == 1)
		return reach_of_v4(b);
	if (inet_pton(AF_INET6, plain, b) == 1)
		return reach_of_v6(b);
	return TARGET_PRIVATE;
}
