/* SPDX-License-Identifier: MIT */
/* Answers for how places in schemas and instances are written. */
#include <string.h>

#include "schema/node.h"

#define NAME_SHOWN 64	/* bytes of a name */

void
schema_put_name(const char *name, struct buf *out)
{
	size_t i, len = strlen(name), n = len;

	if (n > NAME_SHOWN) {
		n = NAME_SHOWN;
		while (n > 0 && ((unsigned char)name[n] & 0xc0) == 0x80)
			n--;
	}
	for (i = 0; i < n; i++) {
		if (name[i] == '~')
			buf_puts(out, "~0");
		else if (name[i] == '/')
			buf_puts(out, "~1");
		else if ((unsigned char)name[i] < 0x20 || name[i] == 0x7f)
			buf_puts(out, "\xef\xbf\xbd");
		else
			buf_putc(out, name[i]);
	}
	if (n < len)
		buf_puts(out, "...");
}

/* Recursion is as deep as schemas are nested, which compiling bounds. */
static void
put_node(const struct schema_node *n, struct buf *out)
{
	if (!n->parent) {
		buf_puts(out, n->resource->uri);
		buf_putc(out, '#');
		return;
	}
	put_node(n->parent, out);
	buf_printf(out, "/%s", n->keyword);
	if (n->name) {
		buf_putc(out, '/');
		schema_put_name(n->name, out);
	} else if (n->index != SIZE_MAX) {
		buf_printf(out, "/%zu", n->index);
	}
}

void
schema_put_location(const struct schema_node *n, const char *keyword, struct buf *out)
{
	put_node(n, out);
	if (keyword)
		buf_printf(out, "/%s", keyword);
}
