/* SPDX-License-Identifier: MIT */
/* Growing bytes under a bound; see buf.h for the rule of the sticky failure. */
#include "base/buf.h"

#include <stdio.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#define FIRST_ALLOCATION 256

/* What an unallocated buffer shows, so that "data" is always a string. Never written: cap is 0 then. */
static char empty[1];

void
buf_init(struct buf *b, size_t max)
{
	b->data = empty;
	b->len = 0;
	b->cap = 0;
	b->max = max;
	b->status = MCP_OK;
}

void
buf_clear(struct buf *b)
{
	if (!b)
		return;
	if (b->cap)
		free(b->data);
	buf_init(b, b->max);
}

void
buf_clear_secret(struct buf *b)
{
	if (b && b->cap)
		explicit_bzero(b->data, b->cap);
	buf_clear(b);
}

void
buf_reset(struct buf *b)
{
	b->len = 0;
	b->status = MCP_OK;
	if (b->cap)
		b->data[0] = '\0';
}

enum mcp_err
buf_reserve(struct buf *b, size_t more)
{
	size_t need, cap;
	char *data;

	if (b->status)
		return b->status;
	if (more > b->max || b->len > b->max - more)
		return b->status = MCP_ELIMIT;
	need = b->len + more + 1;
	if (need <= b->cap)
		return MCP_OK;
	cap = b->cap ? b->cap : FIRST_ALLOCATION;
	while (cap < need)
		cap = cap > SIZE_MAX / 2 ? need : cap * 2;
	/* No further than the bound asks for, so that the last doubling is not wasted. */
	if (cap > b->max && need <= b->max + 1)
		cap = b->max + 1;
	data = realloc(b->cap ? b->data : NULL, cap);
	if (!data)
		return b->status = MCP_ENOMEM;
	if (!b->cap)
		data[0] = '\0';
	b->data = data;
	b->cap = cap;
	return MCP_OK;
}

void
buf_put(struct buf *b, const void *data, size_t len)
{
	if (len == 0 || buf_reserve(b, len))
		return;
	memcpy(b->data + b->len, data, len);
	b->len += len;
	b->data[b->len] = '\0';
}

void
buf_puts(struct buf *b, const char *s)
{
	buf_put(b, s, strlen(s));
}

void
buf_putc(struct buf *b, char c)
{
	buf_put(b, &c, 1);
}

void
buf_vprintf(struct buf *b, const char *fmt, va_list ap)
{
	va_list again;
	int n;

	if (b->status)
		return;
	va_copy(again, ap);
	n = vsnprintf(b->cap ? b->data + b->len : NULL, b->cap ? b->cap - b->len : 0, fmt, ap);
	if (n < 0) {
		b->status = MCP_EINTERNAL;
	} else if (b->cap && (size_t)n < b->cap - b->len && b->len + (size_t)n <= b->max) {
		b->len += (size_t)n;
	} else {
		if (b->cap)
			b->data[b->len] = '\0';
		if (buf_reserve(b, (size_t)n) == MCP_OK) {
			vsnprintf(b->data + b->len, (size_t)n + 1, fmt, again);
			b->len += (size_t)n;
		}
	}
	va_end(again);
}

void
buf_printf(struct buf *b, const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	buf_vprintf(b, fmt, ap);
	va_end(ap);
}

enum mcp_err
buf_status(const struct buf *b)
{
	return b->status;
}

char *
buf_steal(struct buf *b, size_t *len)
{
	char *data;

	if (b->status || buf_reserve(b, 0)) {
		buf_clear(b);
		return NULL;
	}
	data = b->data;
	if (len)
		*len = b->len;
	buf_init(b, b->max);
	return data;
}
