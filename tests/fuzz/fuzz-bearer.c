/* SPDX-License-Identifier: MIT */
/*
 * The Authorization field, and the challenge. Input: the field's value; on a second line scopes, on a third the
 * metadata's URL.
 */
#include <string.h>

#include "base/strlist.h"
#include "base/text.h"
#include "oauth/bearer.h"
#include "oauth/challenge.h"
#include "tests/fuzz/fuzz.h"

#define TOKEN_MAX 64

/*
 * Read a challenge as RFC 9110 section 11.2 has it: Bearer, then NAME="VALUE" with a comma and a blank between them.
 * Returns whether it is one.
 */
static bool
well_formed(const char *s)
{
	if (strncmp(s, "Bearer ", 7) != 0)
		return false;
	for (s += 7;; s += 2) {
		size_t name = strspn(s, "abcdefghijklmnopqrstuvwxyz_");

		if (name == 0 || strncmp(s + name, "=\"", 2) != 0)
			return false;
		for (s += name + 2; *s != '"'; s++) {
			if (*s == '\\')
				s++;
			if ((unsigned char)*s < 0x20 || *s == 0x7f)
				return false;
		}
		s++;
		if (!*s)
			return true;
		if (strncmp(s, ", ", 2) != 0)
			return false;
	}
}

static void
challenge(const char *url, const char *scope_text)
{
	struct strlist scopes = { 0 };
	struct buf out;

	if (strlist_split(&scopes, scope_text, " ", 10) == MCP_ENOMEM)
		return;
	buf_init(&out, 1 << 20);
	for (int outcome = OAUTH_NO_CREDENTIALS; outcome <= OAUTH_OUTCOME_COUNT; outcome++) {
		buf_reset(&out);
		challenge_render((enum oauth_outcome)outcome, url, &scopes, &out);
		FUZZ_CLAIM(buf_status(&out) == MCP_OK);
		FUZZ_CLAIM(out.len == 0 || well_formed(out.data));
	}
	buf_clear(&out);
	strlist_clear(&scopes);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	char *text = text_dup((const char *)data, size), *rest = text, *value, *scopes, *url;
	enum oauth_outcome outcome;
	const char *token;
	size_t len;

	if (!text)
		return 0;
	value = strsep(&rest, "\n");
	scopes = rest ? strsep(&rest, "\n") : NULL;
	url = rest;
	outcome = oauth_bearer(value, TOKEN_MAX, &token, &len);
	FUZZ_CLAIM((outcome == OAUTH_OK) == (token != NULL));
	FUZZ_CLAIM(outcome == OAUTH_OK || outcome == OAUTH_NO_CREDENTIALS || outcome == OAUTH_OTHER_SCHEME
	    || outcome == OAUTH_BAD_HEADER || outcome == OAUTH_TOO_LONG);
	if (token) {
		FUZZ_CLAIM(len > 0 && len <= TOKEN_MAX && text_is_b64token(token, len));
		FUZZ_CLAIM(token > value && token + len <= value + strlen(value));
	}
	if (scopes)
		challenge(url ? url : "https://mcp.example/.well-known/oauth-protected-resource", scopes);
	free(text);
	return 0;
}
