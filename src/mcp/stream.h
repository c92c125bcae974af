/* SPDX-License-Identifier: MIT */
#ifndef MCP_MCP_STREAM_H
#define MCP_MCP_STREAM_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/err.h"

/*
 * An answer that leaves in pieces, as the protocol sees it: messages one after the other, of which the answer itself is
 * the last. What carries them (Server-Sent Events) and where they go is the server's. Source: MCP 2026-07-28
 * basic/transports/streamable-http, 2025-11-25 basic/transports.
 */

/* One message on its way to the client. All borrowed for the time of the call. */
struct mcp_event {
	const char *json;	/* one whole JSON-RPC message, compact (no line breaks); NULL: an event without data */
	size_t len;
	const char *id;		/* the event's id, for Last-Event-ID: printable ASCII; NULL: none */
	int64_t retry_ms;	/* after how long to come again when the stream ends; 0: not told */
};

/* Why a stream that is kept should end. */
enum mcp_kept_end {
	MCP_KEPT_GONE,		/* the client has left, or was too slow: nothing more can be sent */
	MCP_KEPT_OVER		/* its life is over, or the server stops: say the last word and end it */
};

/* Who keeps a stream. */
struct mcp_kept_owner {
	/*
	 * The stream should end: called once at most, by a thread of the server's, with no lock held. The owner answers
	 * by mcp_kept.end(), here or soon after from any thread. May come although end() is just being called.
	 */
	void (*over)(void *ctx, enum mcp_kept_end why);
	/* After end(), once, by any thread: nothing will ask for "ctx" any more. */
	void (*released)(void *ctx);
	void *ctx;
};

/* A stream that holds no thread. Comments that keep it alive are sent by the server, which also watches its client. */
struct mcp_kept {
	/*
	 * Send an event. Never waits: what the client does not take now is queued, within a bound, and sent later. Any
	 * thread. Returns MCP_OK; MCP_ECLOSED: the client is gone or too slow (the owner is told too); MCP_ENOMEM: this
	 * event is lost.
	 */
	enum mcp_err (*send)(struct mcp_kept *kept, const struct mcp_event *event);
	/*
	 * End it: "last" (NULL: none) is sent as its last event. "kept" must not be used again. Never waits for the
	 * client. owner.released() comes then or later.
	 */
	void (*end)(struct mcp_kept *kept, const struct mcp_event *last);
};

/*
 * The stream of one request, there for as long as mcp_dispatch() runs. It begins with its first event. Without one the
 * answer is plain JSON with its own status. With one the status is 200, whatever the reply says, and the reply's body
 * is sent as the last event, with reply->event_id; a reply without body ends the stream without one.
 */
struct mcp_stream {
	/*
	 * Send an event at once. Waits for a slow client, within bounds. Any thread. Returns MCP_OK; MCP_ECLOSED: the
	 * client is gone, or was too slow (from then on always); MCP_ELIMIT: too many streams are open, so the answer
	 * stays plain JSON and what was to be sent is lost (from then on always); MCP_ENOMEM: this event is lost.
	 */
	enum mcp_err (*send)(void *ctx, const struct mcp_event *event);
	/*
	 * Have the stream outlive mcp_dispatch() and hold no thread. Begins it. On MCP_OK *out is the stream, and the
	 * reply is left without body; send() must not be called any more. MCP_ECLOSED, MCP_ELIMIT, MCP_ENOMEM as above,
	 * *out NULL. keep is NULL where the front cannot: the caller may wait in its own thread.
	 */
	enum mcp_err (*keep)(void *ctx, const struct mcp_kept_owner *owner, struct mcp_kept **out);
	void *ctx;
	int64_t life_ms;	/* how long a stream that waits for things to happen may last */
	/* On the monotonic clock: what is sent by then comes before the stream is given up; 0: not known. */
	int64_t until_ms;
	bool costs_process;	/* each stream costs the front a process, so that one that waits should not be */
	bool shared;		/* if ended before mcp_dispatch() returns, it holds up another request until then */
};

/* Whether the client of a request is still there; for as long as mcp_dispatch() runs. */
struct mcp_watch {
	/* Cheap. Any thread. True also when what was sent was not taken in time. Once true, always true. */
	bool (*is_gone)(void *ctx);
	void *ctx;
};

#endif
