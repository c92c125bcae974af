/* SPDX-License-Identifier: MIT */
#include "oauth/bearer.h"

#include <stdint.h>
#include <string.h>
#include <strings.h>

#include "base/text.h"

#define SCHEME "Bearer"
#define SCHEME_LEN (sizeof(SCHEME) - 1)

/* Room for the scheme and some blanks beside a token of the greatest length; a value beyond that is not looked at. */
#define AROUND_MAX 64

enum oauth_outcome
oauth_bearer(const char *value, size_t max, const char **token, size_t *len)
{
	size_t n, limit = max > SIZE_MAX - AROUND_MAX - 1 ? SIZE_MAX - 1 : max + AROUND_MAX;

	*token = NULL;
	*len = 0;
	if (!value)
		return OAUTH_NO_CREDENTIALS;
	n = strnlen(value, limit + 1);
	if (n > limit)
		return OAUTH_TOO_LONG;
	text_trim(&value, &n);
	if (n == 0)
		return OAUTH_NO_CREDENTIALS;
	if (n < SCHEME_LEN || strncasecmp(value, SCHEME, SCHEME_LEN) != 0)
		return OAUTH_OTHER_SCHEME;
	if (n == SCHEME_LEN)
		return OAUTH_OTHER_SCHEME;
	/* Only a blank ends the scheme (RFC 9110 section 11.4: 1*SP); a longer name is another scheme. */
	if (value[SCHEME_LEN] != ' ')
		return text_is_tchar_token(value, SCHEME_LEN + 1) ? OAUTH_OTHER_SCHEME : OAUTH_BAD_HEADER;
	value += SCHEME_LEN;
	n -= SCHEME_LEN;
	text_trim(&value, &n);
	if (n > max)
		return OAUTH_TOO_LONG;
	if (!text_is_b64token(value, n))
		return OAUTH_BAD_HEADER;
	*token = value;
	*len = n;
	return OAUTH_OK;
}
