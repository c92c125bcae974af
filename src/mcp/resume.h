/* SPDX-License-Identifier: MIT */
#ifndef MCP_MCP_RESUME_H
#define MCP_MCP_RESUME_H

#include <pthread.h>
#include <stdbool.h>

#include "base/digest.h"
#include "base/err.h"
#include "mcp/stream.h"

struct rpc;

/*
 * Answers that a client of 2025-11-25 comes back for. The first event of a request's stream has an id and nothing else
 * ("priming"); a client whose stream ended before the answer came asks for what follows that id (GET with
 * Last-Event-ID), any process. The answer waits for it in a box on the bus that only its session can open, for a minute
 * at least. Source: MCP 2025-11-25 basic/transports "Resumability and Redelivery".
 */
struct resume {
	struct mcp_stream stream;	/* what the request sends on, in front of the real one */
	const struct mcp_stream *inner;	/* NULL: nothing is done here */
	pthread_mutex_t lock;
	bool primed, released;
	char id[DIGEST_RANDOM_ID_LEN + 1];
	unsigned char box[DIGEST_SHA256_LEN];
};

/* Put x->resume in front of the stream of x->message, if it has one and the session is of that version. */
void resume_begin(struct rpc *x);

/* The answer is in the reply: keep it if the client may come back for it. Nothing without resume_begin(). */
void resume_end(struct rpc *x);

/*
 * End the request's stream while the work goes on; the client comes back after "retry_ms". Returns MCP_OK: nothing can
 * be sent any more; MCP_ENOTSUP: not with this client, this web server or this connection, all is as before; else as
 * stream->send().
 */
enum mcp_err resume_release(struct rpc *x, int64_t retry_ms) MCP_MUST_CHECK;

/*
 * Answer a client that comes for what follows the event "id": the answer is the reply's body; or nothing, when the life
 * of this stream is over first; or 405, when there is no such event; or 503, with the answer kept, when no stream is
 * to be had. What is lost after its id was sent is lost. Returns -1.
 */
int resume_answer(struct rpc *x, const char *id);

#endif
