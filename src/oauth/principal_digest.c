/* SPDX-License-Identifier: MIT */
#include "oauth/principal_digest.h"

#include <string.h>

#include "base/buf.h"

#define NAMES_MAX (64 * 1024)

enum mcp_err
principal_digest(const struct principal *p, unsigned char out[DIGEST_SHA256_LEN])
{
	const char *issuer = p && p->issuer ? p->issuer : "", *subject = p && p->subject ? p->subject : "";
	struct buf text;
	enum mcp_err err;

	buf_init(&text, NAMES_MAX);
	/* With the length, so that no two are written alike whatever their names have in them. */
	buf_printf(&text, "%zu %s%s", strlen(issuer), issuer, subject);
	err = buf_status(&text) ? MCP_ENOMEM : digest_sha256(text.data, text.len, out);
	buf_clear(&text);
	return err;
}
