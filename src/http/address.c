/* SPDX-License-Identifier: MIT */
/* Numeric addresses and networks, and who the client behind proxies is. */
#include "http/address.h"

#include <arpa/inet.h>
#include <stdio.h>
#include <string.h>

#include "base/text.h"

static const uint8_t mapped_prefix[12] = { 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff };

static bool
is_port(const char *text, size_t len)
{
	for (size_t i = 0; i < len; i++)
		if (text[i] < '0' || text[i] > '9')
			return false;
	return len >= 1 && len <= 5;
}

/* An address without brackets and port. */
static enum mcp_err
parse_bare(const char *text, size_t len, struct address *out)
{
	char copy[INET6_ADDRSTRLEN];
	struct address a;

	if (len == 0 || len >= sizeof copy)
		return MCP_ESYNTAX;
	memcpy(copy, text, len);
	copy[len] = '\0';
	if (strlen(copy) != len)
		return MCP_ESYNTAX;
	if (inet_pton(AF_INET, copy, a.bytes + sizeof mapped_prefix) == 1)
		memcpy(a.bytes, mapped_prefix, sizeof mapped_prefix);
	else if (inet_pton(AF_INET6, copy, a.bytes) != 1)
		return MCP_ESYNTAX;
	*out = a;
	return MCP_OK;
}

enum mcp_err
address_parse(const char *text, size_t len, struct address *out)
{
	const char *end;

	if (len && text[0] == '[') {
		end = memchr(text, ']', len);
		if (!end)
			return MCP_ESYNTAX;
		if (end + 1 != text + len && (end[1] != ':' || !is_port(end + 2, (size_t)(text + len - end) - 2)))
			return MCP_ESYNTAX;
		return parse_bare(text + 1, (size_t)(end - text) - 1, out);
	}
	/* One colon is an IPv4 address with a port; more are an IPv6 address. */
	end = len ? memchr(text, ':', len) : NULL;
	if (end && !memchr(end + 1, ':', (size_t)(text + len - end) - 1)) {
		if (!is_port(end + 1, (size_t)(text + len - end) - 1))
			return MCP_ESYNTAX;
		len = (size_t)(end - text);
	}
	return parse_bare(text, len, out);
}

enum mcp_err
network_parse(const char *text, struct network *out)
{
	const char *slash = strchr(text, '/');
	size_t len = slash ? (size_t)(slash - text) : strlen(text);
	struct network n;
	bool is_ipv4;
	int64_t bits;

	if (parse_bare(text, len, &n.address))
		return MCP_ESYNTAX;
	is_ipv4 = memchr(text, ':', len) == NULL;
	bits = is_ipv4 ? 32 : 128;
	if (slash && text_parse_int(slash + 1, 0, bits, &bits))
		return MCP_ESYNTAX;
	n.bits = (unsigned)bits + (is_ipv4 ? 96 : 0);
	*out = n;
	return MCP_OK;
}

bool
network_has(const struct network *n, const struct address *a)
{
	unsigned whole = n->bits / 8, rest = n->bits % 8;

	if (memcmp(n->address.bytes, a->bytes, whole) != 0)
		return false;
	return rest == 0 || (n->address.bytes[whole] ^ a->bytes[whole]) >> (8 - rest) == 0;
}

bool
address_is_loopback(const struct address *a)
{
	static const uint8_t one[16] = { [15] = 1 };

	return (memcmp(a->bytes, mapped_prefix, sizeof mapped_prefix) == 0 && a->bytes[12] == 127)
	    || memcmp(a->bytes, one, sizeof one) == 0;
}

void
address_format(const struct address *a, char out[46])
{
	bool is_ipv4 = memcmp(a->bytes, mapped_prefix, sizeof mapped_prefix) == 0;

	if (!inet_ntop(is_ipv4 ? AF_INET : AF_INET6, a->bytes + (is_ipv4 ? sizeof mapped_prefix : 0), out, 46))
		out[0] = '\0';
}

static bool
is_trusted(const struct address *a, const struct network *trusted, size_t n)
{
	for (size_t i = 0; i < n; i++)
		if (network_has(&trusted[i], a))
			return true;
	return false;
}

enum mcp_err
address_of_client(const char *peer, const char *forwarded, const struct network *trusted, size_t n, struct address *out)
{
	const char *end;

	memset(out, 0, sizeof *out);
	if (!peer || address_parse(peer, strlen(peer), out))
		return MCP_ESYNTAX;
	end = forwarded ? forwarded + strlen(forwarded) : NULL;
	while (end && is_trusted(out, trusted, n)) {
		const char *start = end, *element;
		struct address next;
		size_t len;

		while (start > forwarded && start[-1] != ',')
			start--;
		element = start;
		len = (size_t)(end - start);
		text_trim(&element, &len);
		if (address_parse(element, len, &next))
			break;
		*out = next;
		end = start > forwarded ? start - 1 : NULL;
	}
	return MCP_OK;
}
