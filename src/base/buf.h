/* SPDX-License-Identifier: MIT */
#ifndef MCP_BASE_BUF_H
#define MCP_BASE_BUF_H

#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>

#include "base/err.h"

/*
 * A growing run of bytes under a hard maximum. "data" is NUL-terminated after every call (the NUL is not counted in
 * "len"), and never NULL after buf_init(). The first failure sticks: later appends do nothing and buf_status() tells
 * it, so that a renderer appends freely and asks once at the end. A failed append leaves what was there before it.
 */
struct buf {
	char *data;		/* owned, unless empty */
	size_t len;		/* bytes used, without the NUL */
	size_t cap;		/* bytes allocated, 0 while nothing was appended */
	size_t max;		/* len never exceeds this */
	enum mcp_err status;	/* MCP_OK, MCP_ENOMEM or MCP_ELIMIT */
};

/*
 * Make "b" empty with the bound "max" bytes; allocates nothing. Release with buf_clear() or hand over with buf_steal().
 */
void buf_init(struct buf *b, size_t max);

/* Release the memory; "b" is then as after buf_init() with the same bound. NULL is fine. */
void buf_clear(struct buf *b);

/* As buf_clear(), and the bytes are overwritten first (tokens, secrets). */
void buf_clear_secret(struct buf *b);

/* Forget content and failure, keep the memory for the next use. */
void buf_reset(struct buf *b);

/* Make room for "more" further bytes. Returns MCP_OK, MCP_ENOMEM, MCP_ELIMIT; the failure sticks. */
enum mcp_err buf_reserve(struct buf *b, size_t more);

/* Append "len" bytes, which may be anywhere but in "b" itself. A failure sticks, see above; so with all that follow. */
void buf_put(struct buf *b, const void *data, size_t len);

/* Append a string without its NUL. */
void buf_puts(struct buf *b, const char *s);

/* Append one byte, also NUL. */
void buf_putc(struct buf *b, char c);

/* Append text composed as by printf(); all of it or, with a failure, nothing. */
void buf_printf(struct buf *b, const char *fmt, ...) MCP_PRINTF(2, 3);

/* As buf_printf() with the arguments of "ap", which is used up. */
void buf_vprintf(struct buf *b, const char *fmt, va_list ap) MCP_PRINTF(2, 0);

/* Returns MCP_OK if every append since buf_init() or buf_reset() succeeded, else the first failure. */
enum mcp_err buf_status(const struct buf *b);

/*
 * Hand the bytes over: returns a NUL-terminated heap string that the caller frees, "b" is empty afterwards. *len (may
 * be NULL) gets the length. Returns NULL if the buffer had failed or memory is short; "b" is cleared then.
 */
char *buf_steal(struct buf *b, size_t *len);

#endif
