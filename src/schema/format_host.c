/* SPDX-License-Identifier: MIT */
/* Answers for addresses: of hosts, of the network, of people. The only user of libidn2. */
#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <string.h>

#include <idn2.h>

#include "base/text.h"
#include "schema/format.h"

#define HOST_MAX 253		/* bytes of a name in ASCII */
#define LABEL_MAX 63		/* bytes of a label in ASCII */
#define LABEL_UTF8_MAX (4 * LABEL_MAX)

bool
format_ipv4(const char *text, size_t len)
{
	struct in_addr a;

	(void)len;
	return inet_pton(AF_INET, text, &a) == 1;
}

bool
format_ipv6(const char *text, size_t len)
{
	struct in6_addr a;

	(void)len;
	return inet_pton(AF_INET6, text, &a) == 1;
}

static bool
is_alphanumeric(char c)
{
	return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9');
}

/* A label of letters, digits and inner hyphens, 1 to 63 bytes. Source: RFC 1123 section 2.1. */
static bool
is_ldh(const char *label, size_t len)
{
	for (size_t i = 0; i < len; i++)
		if (!is_alphanumeric(label[i]) && label[i] != '-')
			return false;
	return len > 0 && len <= LABEL_MAX && label[0] != '-' && label[len - 1] != '-';
}

/*
 * Whether a name may have the label; *ascii becomes the length of its form in ASCII. One that has hyphens where "xn--"
 * has them must be what IDNA makes of some label. libidn2 checks by the rules of registration, which are those with
 * all of the contextual ones. Source: RFC 5891 section 4.
 */
static bool
is_label(const char *text, size_t len, bool international, size_t *ascii)
{
	uint8_t label[LABEL_UTF8_MAX + 1], *made = NULL;
	bool plain = true;
	int rc;

	if (len > LABEL_UTF8_MAX)
		return false;
	for (size_t i = 0; i < len; i++) {
		bool upper = text[i] >= 'A' && text[i] <= 'Z';

		label[i] = (uint8_t)(upper ? text[i] + ('a' - 'A') : text[i]);
		plain = plain && label[i] < 0x80;
	}
	label[len] = '\0';
	*ascii = len;
	if (plain && (!is_ldh(text, len) || len < 4 || text[2] != '-' || text[3] != '-'))
		return is_ldh(text, len);
	if (!plain && !international)
		return false;
	if (!plain)
		memcpy(label, text, len);
	rc = idn2_register_u8(plain ? NULL : label, plain ? label : NULL, &made, IDN2_NFC_INPUT);
	if (rc == IDN2_OK && made)
		*ascii = strlen((const char *)made);
	idn2_free(made);
	if (rc == IDN2_MALLOC)
		errno = ENOMEM;
	return rc == IDN2_OK;
}

/* The length of a dot at "at", 0 if there is none. Beyond ASCII those of RFC 3490 section 3.1. */
static size_t
dot_length(const char *at, bool international)
{
	if (*at == '.')
		return 1;
	return international && (strncmp(at, "\xe3\x80\x82", 3) == 0 || strncmp(at, "\xef\xbc\x8e", 3) == 0 ||
	    strncmp(at, "\xef\xbd\xa1", 3) == 0) ? 3 : 0;
}

static bool
is_host(const char *text, bool international)
{
	size_t total = 0, ascii, n, dot;

	for (;; text += n + dot) {
		for (n = 0; text[n] && dot_length(text + n, international) == 0; n++)
			if (n > LABEL_UTF8_MAX)
				return false;
		if (!is_label(text, n, international, &ascii))
			return false;
		total += ascii;
		if (total > HOST_MAX)
			return false;
		if (text[n] == '\0')
			return true;
		dot = dot_length(text + n, international);
		total++;
	}
}

/* Source: RFC 1123 section 2.1, RFC 5890 section 2.3.2.1. */
bool
format_hostname(const char *text, size_t len)
{
	(void)len;
	return is_host(text, false);
}

/* Source: RFC 5890 section 2.3.2.3. */
bool
format_idn_hostname(const char *text, size_t len)
{
	(void)len;
	return is_host(text, true);
}

static bool
is_atext(char c, bool international)
{
	return is_alphanumeric(c) || (c && strchr("!#$%&'*+-/=?^_`{|}~", c)) || (international && (c & 0x80));
}

/* A Local-part; *at moves behind it. Source: RFC 5321 section 4.1.2, RFC 6531 section 3.3. */
static bool
pass_local_part(const char **at, bool international)
{
	const char *s = *at;

	if (*s == '"') {
		for (s++; *s != '"'; s++) {
			if (*s == '\\')
				s++;
			if ((unsigned char)*s < 0x20 || *s == 0x7f || ((*s & 0x80) && !international))
				return false;
		}
		*at = s + 1;
		return true;
	}
	do {
		if (!is_atext(*s, international))
			return false;
		while (is_atext(*s, international))
			s++;
	} while (*s == '.' && s++);
	*at = s;
	return true;
}

/* An address-literal, brackets included. */
static bool
is_address_literal(const char *text, size_t len)
{
	char address[64];

	if (len < 3 || len > sizeof(address) || text[len - 1] != ']')
		return false;
	memcpy(address, text + 1, len - 2);
	address[len - 2] = '\0';
	if (strncasecmp(address, "IPv6:", 5) == 0)
		return format_ipv6(address + 5, len - 7);
	return format_ipv4(address, len - 2);
}

static bool
is_mailbox(const char *text, bool international)
{
	const char *at = text;
	size_t len;

	if (!pass_local_part(&at, international) || *at != '@')
		return false;
	len = strlen(++at);
	if (*at == '[')
		return is_address_literal(at, len);
	return is_host(at, international);
}

bool
format_email(const char *text, size_t len)
{
	(void)len;
	return is_mailbox(text, false);
}

bool
format_idn_email(const char *text, size_t len)
{
	(void)len;
	return is_mailbox(text, true);
}
