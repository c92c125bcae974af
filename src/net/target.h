/* SPDX-License-Identifier: MIT */
#ifndef MCP_NET_TARGET_H
#define MCP_NET_TARGET_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/socket.h>

/*
 * Where a request would go: the parts of a URL, read more strictly than libcurl reads them, and what kind of place an
 * address is.
 */

#define TARGET_URL_MAX 4096	/* bytes of a URL */
#define TARGET_HOST_MAX 253	/* bytes of a host name, RFC 1035 section 2.3.4 */

struct target {
	bool https;
	bool literal;			/* "host" is a numeric address */
	char host[TARGET_HOST_MAX + 1];	/* lower case, IPv6 without brackets */
	uint16_t port;			/* the scheme's default if the URL names none */
};

/*
 * Read an absolute http or https URL. Refused: userinfo, a fragment, anything outside the characters of RFC 3986, a
 * host that is neither a plain name nor a canonical address ("127.1", "0x7f.0.0.1" and zone ids are neither), port 0,
 * more than TARGET_URL_MAX bytes. Returns whether it was good; "out" is all zero otherwise.
 */
bool target_parse(const char *url, struct target *out);

/* Whether "host" (as in struct target) names this machine: "localhost", 127.0.0.0/8, ::1. No look-up. */
bool target_is_loopback(const char *host);

/*
 * How far an address reaches. Only TARGET_PUBLIC is fit for URLs that the operator did not choose. Source: RFC 6890,
 * IANA's special-purpose registries.
 */
enum target_reach {
	TARGET_LOOPBACK,
	TARGET_PRIVATE,		/* private, link-local, shared, documentation, multicast, reserved, not IP */
	TARGET_PUBLIC
};

/* IPv4 addresses inside IPv6 ones (mapped, NAT64, 6to4) are judged as the IPv4 address. */
enum target_reach target_reach_of(const struct sockaddr *address);

/* The same for numeric text ("192.0.2.1", "2001:db8::1", "fe80::1%eth0"); TARGET_PRIVATE if it is no address. */
enum target_reach target_reach_of_text(const char *text);

#endif
