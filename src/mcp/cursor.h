/* SPDX-License-Identifier: MIT */
#ifndef MCP_MCP_CURSOR_H
#define MCP_MCP_CURSOR_H

#include <stddef.h>

#include "base/buf.h"
#include "base/err.h"
#include "mcp/registry.h"

struct json_object;
struct rpc;

/*
 * Where the next page of a list begins, for a client to bring back: sealed (base/seal.h), so that nobody reads or makes
 * one, bound to the list, good for a day at least, in every process. It holds the name of the last entry shown, so it
 * stays good when entries come and go before it. Source: MCP server/utilities/pagination.
 */

/*
 * The index of the first entry behind the cursor. Returns MCP_OK; MCP_EINVAL: it is none of ours for this list, or its
 * entry is gone; else what kept it from being read, which is no fault of the client's.
 */
enum mcp_err cursor_read(struct rpc *x, enum registry_kind kind, const struct json_object *cursor,
    size_t *next) MCP_MUST_CHECK;

/* Append a cursor for the page behind entry "e". Returns MCP_OK, or what kept it from being sealed. */
enum mcp_err cursor_write(struct rpc *x, const struct registry_entry *e, struct buf *out) MCP_MUST_CHECK;

#endif
