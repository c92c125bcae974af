/* SPDX-License-Identifier: MIT */
#ifndef MCP_HTTP_CHANNEL_H
#define MCP_HTTP_CHANNEL_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/err.h"
#include "http/response.h"

/*
 * The way back to the client of a request that is being answered, for answers that leave in pieces. Made by the front's
 * side of the server, used by whoever answers; an answer that leaves whole needs none of it.
 */
struct http_channel;

/* What holds for an answer that leaves in pieces. */
struct http_channel_terms {
	const char *pulse;	/* static: bytes that say nothing, sent when nothing else was for pulse_ms */
	int64_t pulse_ms;
	int64_t probe_ms;	/* once somebody has asked is_gone(), the pulse comes so often, as a probe; 0: never */
	int64_t life_ms;	/* after so long the client is given up as if it had left; a kept one's owner is told */
};

/* Who keeps a channel, see keep() below. */
struct http_channel_owner {
	/*
	 * It should end: "gone" tells that nothing more can be written, else its life is over or the process stops.
	 * Called once at most, by another thread, with no lock held; may come while end() is being called.
	 */
	void (*over)(void *ctx, bool gone);
	/* After end(), once: "ctx" will not be used any more. "delivered": every byte has left. By any thread. */
	void (*released)(void *ctx, bool delivered);
	void *ctx;
};

struct http_channel_ops {
	/*
	 * Compose the head of "res", which has a status, fields and no body, without a length. It leaves with the first
	 * bytes written, and what is in "res" later does not. Once a channel. Returns MCP_OK; MCP_ELIMIT: the process
	 * has no room for one more; MCP_ECLOSED; MCP_ENOMEM. The answer can leave whole then.
	 */
	enum mcp_err (*begin)(struct http_channel *c, const struct http_response *res,
	    const struct http_channel_terms *terms);
	/*
	 * Send bytes at once, after begin(). Waits for a slow client for as long as for a silent one, but not on a kept
	 * channel: there they are queued, within a bound. Any thread. Returns MCP_OK; MCP_ECLOSED: the client has left
	 * or was too slow, from then on always; MCP_ENOMEM.
	 */
	enum mcp_err (*write)(struct http_channel *c, const char *data, size_t len);
	/* Whether the client has left, or was too slow. Cheap. Any thread. Once true, always true. */
	bool (*is_gone)(struct http_channel *c);
	/*
	 * Have the channel, begun, outlive the request: *kept is it from then on, until end(). NULL: this front cannot.
	 * Returns MCP_OK; MCP_ECLOSED, MCP_ENOMEM with *kept NULL.
	 */
	enum mcp_err (*keep)(struct http_channel *c, const struct http_channel_owner *owner,
	    struct http_channel **kept);
	/* End a kept channel; what is queued still leaves. It must not be used again. Never waits. */
	void (*end)(struct http_channel *kept);
};

struct http_channel {
	const struct http_channel_ops *ops;
	bool shared;	/* the front sends other requests on the same connection once this answer has ended */
};

#endif
