/* SPDX-License-Identifier: MIT */
#ifndef MCP_SCHEMA_ECMA_H
#define MCP_SCHEMA_ECMA_H

#include <stddef.h>

#include "base/buf.h"
#include "base/err.h"

/*
 * Append the regular expression of ECMA-262 (2020, with the flag "u") in "text" as one that means the same to PCRE2 in
 * UTF mode, with PCRE2_DOLLAR_ENDONLY and PCRE2_MATCH_UNSET_BACKREF. Where the flag "u" is strict and what people write
 * has one meaning, that is taken: a backslash before any ASCII character that is no letter and no digit, and "]", "{"
 * and "}" that stand for themselves. Not translated: names in other scripts than ASCII; look-behind without a bounded
 * length (PCRE2 refuses it). A capture inside a repeated group keeps its last value, while ECMA-262 forgets it at each
 * turn; only a back-reference could tell. Returns MCP_OK; MCP_ESYNTAX (no such expression) or MCP_ELIMIT (groups nested
 * deeper than ECMA_DEPTH_MAX) with *why a static phrase; the status of "out" tells a lack of memory.
 */
#define ECMA_DEPTH_MAX 40
enum mcp_err ecma_translate(const char *text, size_t len, struct buf *out, const char **why) MCP_MUST_CHECK;

#endif
