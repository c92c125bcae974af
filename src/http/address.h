/* SPDX-License-Identifier: MIT */
#ifndef MCP_HTTP_ADDRESS_H
#define MCP_HTTP_ADDRESS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/err.h"
#include "base/strlist.h"

/* An address as 16 bytes; IPv4 is mapped (::ffff:a.b.c.d), so one comparison serves both families. */
struct address {
	uint8_t bytes[16];
};

/*
 * Read a numeric IPv4 or IPv6 address, in brackets or with a port too ("1.2.3.4:80", "[::1]:80"); no names. MCP_OK or
 * MCP_ESYNTAX.
 */
enum mcp_err address_parse(const char *text, size_t len, struct address *out) MCP_MUST_CHECK;

/* A network: an address and how many leading bits count (of 128). */
struct network {
	struct address address;
	unsigned bits;
};

/* Read "10.0.0.0/8", "::1/128" or a bare address. MCP_OK or MCP_ESYNTAX. */
enum mcp_err network_parse(const char *text, struct network *out) MCP_MUST_CHECK;

/* Whether "a" is in the network. */
bool network_has(const struct network *n, const struct address *a);

/* Whether the address is loopback: 127.0.0.0/8 or ::1. */
bool address_is_loopback(const struct address *a);

/* Write the numeric form (IPv4 dotted) into "out", 46 bytes or more. */
void address_format(const struct address *a, char out[46]);

/*
 * Who the client is: "peer" (REMOTE_ADDR), unless it is in "trusted" and "forwarded" (the one trusted proxy header's
 * value, NULL if absent) names somebody: then the first address from the right that is not in "trusted"; an unreadable
 * element ends the walk with the last good address. Returns MCP_OK, or MCP_ESYNTAX when not even "peer" is an address
 * ("out" is all zero then).
 */
enum mcp_err address_of_client(const char *peer, const char *forwarded, const struct network *trusted, size_t n,
    struct address *out) MCP_MUST_CHECK;

#endif
