/* SPDX-License-Identifier: MIT */
/* Who the client is. Input: lines; the peer, the proxy header's value, then up to four trusted networks. */
#include <string.h>

#include "base/text.h"
#include "http/address.h"
#include "tests/fuzz/fuzz.h"

#define NETWORKS_MAX 4

static bool
is_trusted(const struct network *trusted, size_t n, const struct address *a)
{
	for (size_t i = 0; i < n; i++)
		if (network_has(&trusted[i], a))
			return true;
	return false;
}

/* What is written is read again as the same address. */
static void
round_trip(const struct address *a)
{
	struct address again;
	struct network own;
	char text[46];

	memset(text, 'x', sizeof(text));
	address_format(a, text);
	FUZZ_CLAIM(memchr(text, 0, sizeof(text)));
	FUZZ_CLAIM(address_parse(text, strlen(text), &again) == MCP_OK && memcmp(a, &again, sizeof(again)) == 0);
	FUZZ_CLAIM(network_parse(text, &own) == MCP_OK && own.bits == 128 && network_has(&own, a));
}

static void
examine(const char *peer, const char *forwarded, const struct network *trusted, size_t n)
{
	static const struct address zero;
	struct address who, direct;
	bool known = address_parse(peer, strlen(peer), &direct) == MCP_OK;
	enum mcp_err err = address_of_client(peer, forwarded, trusted, n, &who);

	FUZZ_CLAIM((err == MCP_OK) == known);
	if (err != MCP_OK) {
		FUZZ_CLAIM(memcmp(&who, &zero, sizeof(zero)) == 0);
		return;
	}
	round_trip(&who);
	/* Only a trusted peer may speak for another. */
	FUZZ_CLAIM(is_trusted(trusted, n, &direct) || memcmp(&who, &direct, sizeof(who)) == 0);
	FUZZ_CLAIM(address_of_client(peer, NULL, trusted, n, &direct) == MCP_OK);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct network trusted[NETWORKS_MAX];
	char *text = text_dup((const char *)data, size), *rest = text;
	const char *peer, *forwarded, *line;
	size_t n = 0;

	if (!text)
		return 0;
	peer = strsep(&rest, "\n");
	forwarded = strsep(&rest, "\n");
	while (n < NETWORKS_MAX && (line = strsep(&rest, "\n")) != NULL)
		if (network_parse(line, &trusted[n]) == MCP_OK)
			FUZZ_CLAIM(trusted[n++].bits <= 128);
	examine(peer, forwarded, trusted, n);
	free(text);
	return 0;
}
