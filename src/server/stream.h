/* SPDX-License-Identifier: MIT */
#ifndef MCP_SERVER_STREAM_H
#define MCP_SERVER_STREAM_H

#include <pthread.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

#include "base/buf.h"
#include "mcp/stream.h"

/* Streams of the protocol (mcp/stream.h) as Server-Sent Events on the channel of an exchange's response. */
struct exchange;
struct mcp_message;

struct exchange_stream {
	struct mcp_stream stream;
	struct mcp_watch watch;
	bool offered;		/* there is something to release */
	pthread_mutex_t lock;
	/* Under the lock: */
	bool begun;
	bool refused;		/* it was tried in vain; the answer leaves whole */
	bool kept;
	bool lost;		/* an event could not be sent */
	int lease;		/* of MAX_STREAMS, once begun */
	unsigned events;
	int64_t begun_ms;
};

/*
 * Offer "m" what the client and the front allow: whether the client is still there; and, if it reads events and streams
 * are not switched off, a stream.
 */
void stream_offer(struct exchange *x, struct mcp_message *m);

/*
 * After mcp_dispatch(): if a stream was begun, send the reply as its last event, unless it is kept, and return true.
 * False: the reply leaves whole.
 */
bool stream_finish(struct exchange *x);

/* Release what stream_offer() made; it may not have been called. */
void stream_clear(struct exchange *x);

/* Append what the log line of the exchange says about its stream; nothing when there was none. */
void stream_describe(const struct exchange *x, struct buf *line);

#endif
