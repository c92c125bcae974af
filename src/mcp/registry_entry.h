/* SPDX-License-Identifier: MIT */
#ifndef MCP_MCP_REGISTRY_ENTRY_H
#define MCP_MCP_REGISTRY_ENTRY_H

#include "base/buf.h"
#include "base/err.h"

struct registry_entry;

/*
 * What the registry makes of one row: check it, compile its schemas or its template, render its object of the list.
 * "e" is all zero but for the kind and the row. Returns MCP_OK with all filled but the scopes; MCP_EINVAL with *why a
 * static phrase and, if a schema does not compile, the place of the fault appended to "where"; MCP_ENOMEM (*why too).
 * entry_clear() releases what was filled in each case.
 */
enum mcp_err entry_prepare(struct registry_entry *e, const char **why, struct buf *where) MCP_MUST_CHECK;
void entry_clear(struct registry_entry *e);

/* The scopes that the row declares, as its author wrote them; NULL: none were. */
const char *entry_scopes(const struct registry_entry *e);

#endif
