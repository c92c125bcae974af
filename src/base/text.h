/* SPDX-License-Identifier: MIT */
#ifndef MCP_BASE_TEXT_H
#define MCP_BASE_TEXT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/buf.h"
#include "base/err.h"

/*
 * Append the bytes that "text" encodes in base64url without padding. Strict: only A-Z a-z 0-9 - _, no padding, no
 * blanks, no length of 1 modulo 4, unused trailing bits zero. Returns MCP_OK, MCP_ESYNTAX ("out" as before), MCP_ENOMEM
 * or MCP_ELIMIT. Source: RFC 7515 section 2, RFC 4648 sections 3.5 and 5.
 */
enum mcp_err text_base64url_decode(const char *text, size_t len, struct buf *out) MCP_MUST_CHECK;

/* Append base64url without padding. Source: RFC 4648 section 5. */
void text_base64url_encode(const void *data, size_t len, struct buf *out);

/* As text_base64url_decode() for the standard alphabet (+ /) with mandatory padding. Source: RFC 4648 section 4. */
enum mcp_err text_base64_decode(const char *text, size_t len, struct buf *out) MCP_MUST_CHECK;

/* Append standard base64 with padding. Source: RFC 4648 section 4. */
void text_base64_encode(const void *data, size_t len, struct buf *out);

/*
 * Append a value as application/x-www-form-urlencoded has it: letters, digits and * - . _ as they are, a blank as "+",
 * any other byte as %XX. Source: RFC 6749 appendix B.
 */
void text_form_encode(const char *text, size_t len, struct buf *out);

/* The value of a hexadecimal digit, 0 to 15, in either case; -1 for any other byte. */
int text_hex_value(char c);

/* Append lower-case hexadecimal digits, two a byte. */
void text_hex(const void *data, size_t len, struct buf *out);

/*
 * The length (1 to 4) of the well-formed UTF-8 sequence at the beginning of "text", of which "len" bytes are left; 0 if
 * none begins there or "len" is 0. Source: RFC 3629 section 4.
 */
size_t text_utf8_length(const char *text, size_t len);

/*
 * Whether the bytes are well-formed UTF-8: no overlong forms, no surrogates, at most U+10FFFF. Source: RFC 3629 section
 * 4.
 */
bool text_is_utf8(const char *text, size_t len);

/*
 * Append "len" bytes from outside so that they are safe in a log line: printable ASCII as it is, except backslash and
 * double quote, which get a backslash; anything else as \xNN. At most "max" bytes of input are shown; the rest becomes
 * "...".
 */
void text_escape(const char *text, size_t len, size_t max, struct buf *out);

/* Whether two runs of bytes are equal; the time depends on the lengths only. */
bool text_equal_constant_time(const void *a, size_t a_len, const void *b, size_t b_len);

/*
 * Whether the bytes are a b64token: 1*( ALPHA / DIGIT / "-" / "." / "_" / "~" / "+" / "/" ) *"=". Source: RFC 6750
 * section 2.1.
 */
bool text_is_b64token(const char *text, size_t len);

/* Whether the bytes are a token of HTTP, 1*tchar. Source: RFC 9110 section 5.6.2. */
bool text_is_tchar_token(const char *text, size_t len);

/* Narrow *text and *len so that blanks and tabs at both ends are left out. Source: OWS, RFC 9110 section 5.6.3. */
void text_trim(const char **text, size_t *len);

/*
 * Read a whole decimal number: an optional "-", digits, nothing else. Returns MCP_OK with *out set; MCP_ESYNTAX;
 * MCP_ELIMIT when it is outside [min, max]. *out is untouched on failure.
 */
enum mcp_err text_parse_int(const char *text, int64_t min, int64_t max, int64_t *out) MCP_MUST_CHECK;

/* Whether the strings are equal when ASCII letters are compared without case. */
bool text_equal_nocase(const char *a, const char *b);

/* A heap copy of "len" bytes with a NUL after them, or NULL when memory is short. The caller frees. */
char *text_dup(const char *text, size_t len);

/* free() for strings that are secrets: the bytes are overwritten first. NULL is fine. */
void text_free_secret(char *text);

#endif
