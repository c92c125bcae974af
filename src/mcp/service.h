/* SPDX-License-Identifier: MIT */
#ifndef MCP_MCP_SERVICE_H
#define MCP_MCP_SERVICE_H

#include "base/buf.h"
#include "mcp/dispatch.h"

/* What the server says of itself in the answers of both eras. */

/* Append the Implementation object: name, title, version. */
void service_render_info(const struct mcp_service *service, struct buf *out);

/*
 * Append ,"capabilities":{...} and, when there are any, ,"instructions":"...". A capability is told only when there is
 * something of its kind; its methods are there by the same functions. "listens": the client can listen to
 * changes. Any tool may log, so logging is always told.
 */
void service_render_offer(const struct mcp_service *service, bool listens, struct buf *out);
bool service_has_prompts(const struct mcp_service *service);
bool service_has_resources(const struct mcp_service *service);	/* or templates */
bool service_has_completions(const struct mcp_service *service);
bool service_has_streams(const struct mcp_service *service);	/* that tell of changes */

#endif
