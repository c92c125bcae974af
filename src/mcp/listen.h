/* SPDX-License-Identifier: MIT */
#ifndef MCP_MCP_LISTEN_H
#define MCP_MCP_LISTEN_H

#include "base/err.h"

struct bus;
struct rpc;

/*
 * Streams of subscriptions/listen: what was published on the bus (store/bus.h), by whichever process, is sent to those
 * clients of this process that asked for it. Where the front can keep a stream it holds no thread; else it holds the
 * one that answers. Source: MCP 2026-07-28 basic/patterns/subscriptions.
 */
struct listeners;

/* "bus" is borrowed. MCP_OK with *out new, MCP_ENOMEM with *out NULL. */
enum mcp_err listeners_new(struct bus *bus, struct listeners **out) MCP_MUST_CHECK;

/* No stream may be left, and none of its callbacks be running. NULL is fine. */
void listeners_free(struct listeners *h);

/*
 * Answer subscriptions/listen: the acknowledgment as the first event; then notifications, until the client leaves or
 * the stream is to end; and the result as the last event. Only what the caller may read is watched. Returns -1.
 */
int listen_request(struct rpc *x);

#endif
