/* SPDX-License-Identifier: MIT */
/* Lists of owned strings: scopes, audiences, origins. */
#include "base/strlist.h"

#include <stdlib.h>
#include <string.h>

#include "base/text.h"

void
strlist_clear(struct strlist *l)
{
	if (!l)
		return;
	for (size_t i = 0; i < l->n; i++)
		free(l->v[i]);
	free(l->v);
	l->v = NULL;
	l->n = 0;
}

enum mcp_err
strlist_add(struct strlist *l, const char *s, size_t len)
{
	char **v, *copy = NULL;

	/* Room grows at powers of two, so the capacity follows from the count. */
	if ((l->n & (l->n - 1)) == 0) {
		v = reallocarray(l->v, l->n ? l->n * 2 : 1, sizeof *v);
		if (!v)
			return MCP_ENOMEM;
		l->v = v;
	}
	copy = text_dup(s, len);
	if (!copy)
		return MCP_ENOMEM;
	l->v[l->n++] = copy;
	return MCP_OK;
}

static bool
has_bytes(const struct strlist *l, const char *s, size_t len)
{
	for (size_t i = 0; i < l->n; i++)
		if (strlen(l->v[i]) == len && memcmp(l->v[i], s, len) == 0)
			return true;
	return false;
}

enum mcp_err
strlist_add_unique(struct strlist *l, const char *s, size_t len)
{
	return has_bytes(l, s, len) ? MCP_OK : strlist_add(l, s, len);
}

enum mcp_err
strlist_copy(struct strlist *l, const struct strlist *from)
{
	enum mcp_err err = MCP_OK;

	for (size_t i = 0; i < from->n && !err; i++)
		err = strlist_add_unique(l, from->v[i], strlen(from->v[i]));
	return err;
}

enum mcp_err
strlist_split(struct strlist *l, const char *text, const char *separators, size_t max)
{
	enum mcp_err err;

	while (*(text += strspn(text, separators))) {
		size_t len = strcspn(text, separators);

		if (l->n >= max)
			return MCP_ELIMIT;
		err = strlist_add(l, text, len);
		if (err)
			return err;
		text += len;
	}
	return MCP_OK;
}

bool
strlist_has(const struct strlist *l, const char *s)
{
	return has_bytes(l, s, strlen(s));
}

void
strlist_join(const struct strlist *l, const char *separator, struct buf *b)
{
	for (size_t i = 0; i < l->n; i++) {
		if (i)
			buf_puts(b, separator);
		buf_puts(b, l->v[i]);
	}
}
