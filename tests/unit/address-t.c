/* SPDX-License-Identifier: MIT */
#include "http/address.h"

#include <stdio.h>
#include <string.h>

#include "../tap.h"

static void
expect_client(const char *peer, const char *forwarded, const char *want, const char *text)
{
	struct network trusted[2];
	struct address a;
	char shown[46];

	if (network_parse("10.0.0.0/8", &trusted[0]) || network_parse("2001:db8::/33", &trusted[1]))
		diag("a network of the test does not parse");
	if (address_of_client(peer, forwarded, trusted, 2, &a))
		snprintf(shown, sizeof(shown), "none");
	else
		address_format(&a, shown);
	is_str(shown, want, "%s", text);
}

int
main(void)
{
	static const char *const bad[] = { "", "1.2.3", "1.2.3.4:", "1.2.3.4:x", "1.2.3.4:123456", "[::1", "[::1]x",
	    "[::1]:", "::g",
	    "localhost", "1.2.3.4 ", "01.2.3.4.5", "%31.2.3.4" };
	static const char *const bad_networks[] = { "10.0.0.0/33", "::/129", "10.0.0.0/-1", "10.0.0.0/", "x/8",
	    "[::1]/128" };
	struct network n;
	struct address a;

	for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++)
		is_int(address_parse(bad[i], strlen(bad[i]), &a), MCP_ESYNTAX, "\"%s\" is no address", bad[i]);
	for (size_t i = 0; i < sizeof bad_networks / sizeof bad_networks[0]; i++)
		is_int(network_parse(bad_networks[i], &n), MCP_ESYNTAX, "\"%s\" is no network", bad_networks[i]);
	expect_client("192.0.2.7", "198.51.100.1", "192.0.2.7",
	    "a peer that is not trusted is the client, whatever it forwards");
	expect_client("10.1.1.1", "198.51.100.1", "198.51.100.1", "a trusted peer names the client");
	expect_client("10.1.1.1", "203.0.113.9, 198.51.100.1 , 10.2.2.2", "198.51.100.1",
	    "the walk goes from the right and ends at the first stranger");
	expect_client("10.1.1.1", NULL, "10.1.1.1", "without the header the peer is the client");
	expect_client("10.1.1.1", "unknown", "10.1.1.1", "an unreadable element ends the walk");
	expect_client("10.1.1.1", "10.3.3.3", "10.3.3.3", "when all are trusted the leftmost is the client");
	expect_client("10.1.1.1", "[2001:db8:8000::1]:443", "2001:db8:8000::1", "IPv6 with brackets and port");
	expect_client("2001:db8:7fff::1", "192.0.2.1:80", "192.0.2.1", "prefixes that end inside a byte");
	expect_client("::ffff:10.1.1.1", "192.0.2.1", "192.0.2.1", "a mapped IPv4 address is the IPv4 address");
	expect_client("", "192.0.2.1", "none", "no peer, no client");
	ok(address_parse("127.9.9.9", 9, &a) == MCP_OK && address_is_loopback(&a), "127.0.0.0/8 is loopback");
	ok(address_parse("::1", 3, &a) == MCP_OK && address_is_loopback(&a), "::1 is loopback");
	ok(address_parse("::2", 3, &a) == MCP_OK && !address_is_loopback(&a), "::2 is not");
	ok(network_parse("0.0.0.0/0", &n) == MCP_OK && address_parse("8.8.8.8", 7, &a) == MCP_OK && network_has(&n, &a),
	    "0.0.0.0/0 has every IPv4 address");
	ok(address_parse("2001:db8::1", 11, &a) == MCP_OK && !network_has(&n, &a), "and no IPv6 address");
	return tap_done();
}
