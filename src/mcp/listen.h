/* SPDX-License-Identifier: MIT */
#ifndef MCP_MCP_LISTEN_H
#define MCP_MCP_LISTEN_H

#include <stdbool.h>

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

/* Whether a session can listen here: the front keeps streams, and they cost it no process each. */
bool listen_has_place(const struct rpc *x);

/*
 * Answer a client of the legacy era that listens for its session (GET): notifications of changed lists, and of the
 * resources that the session has subscribed to at that time, until the client leaves or the stream is to end. A
 * session has one such stream: with the next message an older one ends, and so does any when the session was ended. 405
 * without a session, and where it has no place: it would cost a thread, or a process, for each client. Returns -1.
 * Source: MCP 2025-11-25 basic/transports "Listening for Messages from the Server", "Multiple Connections".
 */
int listen_session(struct rpc *x);

#endif
