/* SPDX-License-Identifier: MIT */
#ifndef MCP_OAUTH_BEARER_H
#define MCP_OAUTH_BEARER_H

#include <stddef.h>

#include "oauth/outcome.h"

/*
 * Take the token out of an Authorization field value (NULL: the field did not arrive). Returns OAUTH_OK with *token
 * (borrowed from "value", *len bytes, not NUL-terminated), else OAUTH_NO_CREDENTIALS, OAUTH_OTHER_SCHEME,
 * OAUTH_BAD_HEADER, or OAUTH_TOO_LONG (more than "max" bytes), with *token NULL. Over-long values are refused before
 * any byte is looked at. The scheme is compared without case, blanks around the token are not part of it. Source: RFC
 * 6750 section 2.1.
 */
enum oauth_outcome oauth_bearer(const char *value, size_t max, const char **token, size_t *len);

#endif
