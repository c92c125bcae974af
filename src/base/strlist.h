/* SPDX-License-Identifier: MIT */
#ifndef MCP_BASE_STRLIST_H
#define MCP_BASE_STRLIST_H

#include <stdbool.h>
#include <stddef.h>

#include "base/buf.h"
#include "base/err.h"

/* An ordered list of strings that the list owns. All zero is the empty list. */
struct strlist {
	char **v;
	size_t n;
};

/* Free all strings; the list is empty afterwards. NULL is fine. */
void strlist_clear(struct strlist *l);

/* Append a copy of the "len" bytes at "s" (no NUL among them). Returns MCP_OK or MCP_ENOMEM (list unchanged). */
enum mcp_err strlist_add(struct strlist *l, const char *s, size_t len) MCP_MUST_CHECK;

/* As strlist_add(), and nothing happens when an equal string is in the list already. */
enum mcp_err strlist_add_unique(struct strlist *l, const char *s, size_t len) MCP_MUST_CHECK;

/* Append what is in "from" and not in "l" yet. Returns MCP_OK or MCP_ENOMEM (some may have been added). */
enum mcp_err strlist_copy(struct strlist *l, const struct strlist *from) MCP_MUST_CHECK;

/*
 * Append each maximal run of "text" that has no byte of "separators"; empty runs are left out. Returns MCP_OK,
 * MCP_ENOMEM, or MCP_ELIMIT when the list would exceed "max" strings; the list then holds what fitted.
 */
enum mcp_err strlist_split(struct strlist *l, const char *text, const char *separators, size_t max) MCP_MUST_CHECK;

/* Whether a string equal to "s", byte for byte, is in the list. */
bool strlist_has(const struct strlist *l, const char *s);

/* Append the strings of "l" to "b", "separator" between them. */
void strlist_join(const struct strlist *l, const char *separator, struct buf *b);

#endif
