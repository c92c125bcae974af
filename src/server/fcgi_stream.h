/* SPDX-License-Identifier: MIT */
#ifndef MCP_SERVER_FCGI_STREAM_H
#define MCP_SERVER_FCGI_STREAM_H

#include <pthread.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

#include "base/buf.h"
#include "http/channel.h"

/*
 * Answers that leave in pieces. libfcgi has no part in them: it writes with calls that block, from one thread. Records
 * are composed here and sent without blocking; what a client does not take waits in a queue, for a while.
 *
 * The life of such an answer:
 *   1 begun by the thread that answers (fcgi_channel.c); from then on the keeper, one thread of the process, sends its
 *     pulse when it is silent (fcgi_keeper.c)
 *   2 either that thread ends it when the request was handled,
 *   3 or somebody keeps it: the connection then belongs to the keeper, which watches it, sends what was queued, tells
 *     the owner when to end it, and sees to the connection after that.
 */
struct fcgi_connection;
struct fcgi_loop;
struct fcgi_worker;

struct fcgi_stream {
	struct http_channel channel;	/* what the owner of a kept one has; first, so that it can be found */
	struct fcgi_loop *loop;
	struct fcgi_connection *connection;
	struct http_channel_terms terms;
	int64_t over_ms;		/* when its life is over */
	atomic_bool gone;		/* nothing more can be sent */
	atomic_bool asked;		/* somebody wants to know soon whether the client has left */
	atomic_bool handed;		/* the thread that answered has let go of it; set under the lock */
	struct http_channel_owner owner;	/* set before "kept" */
	pthread_mutex_t lock;
	/* Under the lock: */
	struct buf queue;		/* records; those before "sent" have left */
	size_t sent;
	int64_t moved_ms;		/* when bytes left last, or were queued behind nothing */
	bool kept;			/* has an owner */
	bool ended;			/* the owner has let go of it */
	bool told;			/* the owner was told to end it; touched by the keeper only */
	/* Under the keeper's lock: */
	struct fcgi_stream *prev, *next;
	struct fcgi_stream *then;	/* in a list of the keeper's own */
};

/* A worker's channel, for the request that it handles. */
struct fcgi_channel {
	struct http_channel channel;	/* first, so that it can be found */
	struct fcgi_worker *worker;
	struct fcgi_stream *_Atomic stream;	/* NULL: not begun */
	atomic_bool gone;		/* the client was seen to have left before anything was begun */
	_Atomic int64_t looked_ms;
};

/* Watches the streams of a process. */
struct fcgi_keeper {
	pthread_t thread;
	bool started;
	int epoll_fd;			/* the streams that are kept, and event_fd */
	int event_fd;			/* written to have it look at everything */
	atomic_bool stopping;		/* kept streams are to end */
	atomic_bool leaving;		/* and then the keeper: no worker is left */
	atomic_bool watching;		/* all workers are busy: look for those whose request takes long */
	pthread_mutex_t lock;
	/* Under the lock: */
	struct fcgi_stream *first;
	int64_t due_ms;			/* when it looks at them next */
};

/* Make the channel of a worker ready for a request. */
void fcgi_channel_init(struct fcgi_channel *c, struct fcgi_worker *w);

/* How a request was answered through its channel. */
enum fcgi_channel_end {
	FCGI_CHANNEL_UNUSED,	/* it was not: the answer leaves whole */
	FCGI_CHANNEL_SENT,
	FCGI_CHANNEL_LOST,	/* the client did not get all of it */
	FCGI_CHANNEL_KEPT	/* the keeper has the connection now */
};

/* The request was handled: end what was begun. */
enum fcgi_channel_end fcgi_channel_end(struct fcgi_channel *c);

/* Whether a front has closed its side of a connection or asks to abort, as far as that shows without reading. */
bool fcgi_peer_has_left(int fd);

/* A stream without bytes yet; NULL without memory. */
struct fcgi_stream *fcgi_stream_new(struct fcgi_loop *loop, struct fcgi_connection *c,
    const struct http_channel_terms *terms);

/* Release it, but not its connection. */
void fcgi_stream_free(struct fcgi_stream *s);

/* What follows is called with s->lock held, or while nobody else has the stream. */

/*
 * Queue bytes of the answer, or its end. Returns MCP_OK; MCP_ENOMEM, MCP_ELIMIT: they are not queued. Source: FastCGI
 * Specification 1.0, sections 3.3 and 5.5.
 */
enum mcp_err fcgi_stream_put(struct fcgi_stream *s, const char *data, size_t len) MCP_MUST_CHECK;
enum mcp_err fcgi_stream_put_end(struct fcgi_stream *s) MCP_MUST_CHECK;

/* Send what is queued, without waiting; sets s->gone when that is in vain. */
void fcgi_stream_flush(struct fcgi_stream *s);

/* Send it, waiting for the client as for one that is silent. Returns MCP_OK, or MCP_ECLOSED with s->gone set. */
enum mcp_err fcgi_stream_flush_all(struct fcgi_stream *s) MCP_MUST_CHECK;

/* Send the pulse if nothing was sent for "after_ms". */
void fcgi_stream_pulse(struct fcgi_stream *s, int64_t now_ms, int64_t after_ms);

/* Whether the client takes nothing of what is queued for too long. */
bool fcgi_stream_is_stuck(const struct fcgi_stream *s, int64_t now_ms);

/* Start the keeper of "loop". Returns false (errno) without resources; then stop it too. */
bool fcgi_keeper_start(struct fcgi_loop *loop);

/* Have all kept streams end; what is begun later is told to end at once. */
void fcgi_keeper_begin_stop(struct fcgi_loop *loop);

/* After the last worker: returns when no stream is kept any more, or after a bound. */
void fcgi_keeper_stop(struct fcgi_loop *loop);

/* A stream has begun, or will be ended by the thread that began it. */
void fcgi_keeper_add(struct fcgi_stream *s);
void fcgi_keeper_remove(struct fcgi_stream *s);

/* The connection of a kept stream is the keeper's from now on. */
void fcgi_keeper_take(struct fcgi_stream *s);

#endif
