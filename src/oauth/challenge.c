/* SPDX-License-Identifier: MIT */
#include "oauth/challenge.h"

#include <stdbool.h>
#include <string.h>

#include "oauth/scopes.h"

/*
 * What error_description and scope may hold by RFC 6750 section 3, and a quoted-string without escapes: printable
 * ASCII but " and \.
 */
static bool
is_plain(char c)
{
	return c >= 0x20 && c <= 0x7e && c != '"' && c != '\\';
}

static void
put_plain(struct buf *out, const char *s)
{
	for (; *s; s++)
		if (is_plain(*s))
			buf_putc(out, *s);
}

static void
put_parameter(struct buf *out, const char *name, const char *value)
{
	if (!value)
		return;
	buf_printf(out, ", %s=\"", name);
	put_plain(out, value);
	buf_putc(out, '"');
}

/* A scope short of a byte would be another scope, so one that does not fit is left out whole. */
static void
put_scopes(struct buf *out, const struct strlist *scopes)
{
	const char *before = ", scope=\"";

	for (size_t i = 0; scopes && i < scopes->n; i++) {
		if (!scope_is_token(scopes->v[i], strlen(scopes->v[i])))
			continue;
		buf_puts(out, before);
		buf_puts(out, scopes->v[i]);
		before = " ";
	}
	if (*before == ' ')
		buf_putc(out, '"');
}

void
challenge_render(enum oauth_outcome outcome, const char *metadata_url, const struct strlist *scopes, struct buf *out)
{
	const struct oauth_outcome_row *row = oauth_outcome_row(outcome);

	/* 503 says nothing about the token; a challenge would make clients throw it away. */
	if (row->status < 400 || row->status >= 500)
		return;
	buf_puts(out, "Bearer realm=\"OAuth\"");
	put_parameter(out, "resource_metadata", metadata_url);
	put_parameter(out, "error", row->error);
	put_parameter(out, "error_description", row->description);
	put_scopes(out, scopes);
}
