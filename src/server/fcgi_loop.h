/* SPDX-License-Identifier: MIT */
#ifndef MCP_SERVER_FCGI_LOOP_H
#define MCP_SERVER_FCGI_LOOP_H

#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

#include <fcgiapp.h>

#include "base/buf.h"
#include "base/err.h"
#include "base/log.h"
#include "http/response.h"
#include "server/fcgi.h"
#include "server/fcgi_input.h"
#include "server/fcgi_stream.h"

/*
 * What the files of the FastCGI side share: fcgi.c (starting and stopping), fcgi_workers.c (the threads that answer),
 * fcgi_connection.c (accepting, putting aside), fcgi_request.c (one request at a time), fcgi_channel.c, fcgi_stream.c
 * and fcgi_keeper.c (answers in pieces). Nobody else includes this.
 */

/* Ends waits, and nothing else: blocked in every thread except while it waits. */
#define FCGI_WAKE_SIGNAL SIGUSR2

/* Why a connection is put aside. */
enum fcgi_aside {
	FCGI_ASIDE_NOT,
	FCGI_ASIDE_NEW,		/* nothing came yet; until the deadline */
	FCGI_ASIDE_HEAD,	/* a part of a request's head came; until the deadline */
	FCGI_ASIDE_IDLE,	/* kept by its front between requests */
	FCGI_ASIDE_CLOSING	/* answered; what the peer still sends is thrown away, until the deadline */
};

struct fcgi_connection {
	struct fcgi_input input;	/* input.fd is owned here */
	bool registered;		/* in the shared epoll set, until it is closed */
	/* Under loop.lock: */
	enum fcgi_aside aside;
	int64_t deadline_ms;		/* 0: none */
	struct fcgi_connection *prev, *next;
};

/*
 * Threads that may be away at a time in one process: that stream, or are at one call for long. Others take their
 * places, so that calls are answered as before.
 */
#define FCGI_AWAY_MAX 128

/* One thread. */
struct fcgi_worker {
	struct fcgi_loop *loop;
	pthread_t thread;
	bool ended;			/* nobody runs in it; under loop.lock */
	int epoll_fd;			/* its own: the listening socket and nothing else */
	struct fcgi_buffer buffer;
	struct buf params;
	struct buf head;
	struct http_response response;
	FCGX_Request fcgx;
	int pipe_read, pipe_write;	/* libfcgi reads a checked head from here */
	int pipe_size;			/* what fits into the pipe */
	struct fcgi_connection *connection;	/* whose request is being handled; written under the lock */
	struct fcgi_channel channel;
	pthread_mutex_t lock;
	/* Under the lock: */
	int64_t since_ms;		/* when handling it began */
	bool away;
};

/* One call of fcgi_serve(). */
struct fcgi_loop {
	struct fcgi_options options;
	struct fcgi_handler handler;
	void *(*work)(void *worker);	/* what its threads do */
	struct fcgi_patience patience;
	sigset_t wait_mask;		/* while waiting */
	bool is_tcp;
	pthread_t main_thread;
	int epoll_fd;			/* shared: the listening socket, and connections put aside */
	atomic_int registered;		/* connections in it */
	atomic_int timed;		/* connections aside with a deadline */
	atomic_int heads;		/* connections aside with a part of a head */
	_Atomic int64_t swept_ms;
	atomic_bool stopping;
	_Atomic int64_t stop_ms;	/* when stopping began */
	atomic_ulong served;
	atomic_uint idle;		/* workers that wait for something to do */
	atomic_uint away;		/* workers that do not count, see FCGI_AWAY_MAX */
	atomic_uint streams;		/* that there are */
	struct fcgi_keeper keeper;
	pthread_mutex_t lock;		/* of what follows; held for list operations, and to start a thread */
	struct fcgi_connection *first, *last;	/* put aside, oldest first */
	struct log_throttle peer_fault, descriptor_fault;
	struct fcgi_worker **workers;	/* "started" of them, room for all that may be */
	unsigned started;
	atomic_uint running;		/* those that have not ended; changed under the lock */
	pthread_cond_t ended;		/* a worker has ended; on CLOCK_MONOTONIC */
};

/* Begin to stop, as a signal would. */
void fcgi_loop_request_stop(struct fcgi_loop *loop);

/* Make all waiting threads look again at where they should wait, and whether to stop. */
void fcgi_loop_wake(struct fcgi_loop *loop);

/* Create a thread with our stack. Returns 0 or an errno. */
int fcgi_thread_create(pthread_t *thread, void *(*run)(void *arg), void *arg);

/* A new epoll set with the listening socket in it; -1 (errno) on failure. */
int fcgi_listening_set(const struct fcgi_loop *loop);

/* Start one more worker. Returns false when there are enough, when stopping, or (in the log) without resources. */
bool fcgi_worker_start(struct fcgi_loop *loop);

/* Release a worker whose thread has ended, or was never there. */
void fcgi_worker_free(struct fcgi_worker *w);

/* Make the pipe through which libfcgi reads heads. Returns false (errno) without descriptors. */
bool fcgi_worker_open_pipe(struct fcgi_worker *w);
void fcgi_worker_close_pipe(struct fcgi_worker *w);

/*
 * A worker has got something to do. When none is left to wait for more, and some are away, another one is started in
 * their place; with none away, the keeper looks whether one should be.
 */
void fcgi_workers_reinforce(struct fcgi_loop *loop);

/* Whether "w" has become one too many; it counts as ended then. */
bool fcgi_worker_is_surplus(struct fcgi_worker *w);

/*
 * The request that "w" handles takes its time: "w" counts as away until fcgi_worker_handled(),
 * and others take its place. Returns false when too many are away.
 */
bool fcgi_worker_goes_away(struct fcgi_worker *w);

/* Its request begins to be handled, on connection "c"; and was. */
void fcgi_worker_handles(struct fcgi_worker *w, struct fcgi_connection *c);
void fcgi_worker_handled(struct fcgi_worker *w);

/*
 * For the keeper, while all workers are busy: find those whose request takes long, and have others take their places.
 * Returns whether to look again.
 */
bool fcgi_loop_look_at_workers(struct fcgi_loop *loop);

/* Have the keeper look at all it has, soon. */
void fcgi_loop_wake_keeper(struct fcgi_loop *loop);

/* Log why a peer's connection was closed, throttled. */
void fcgi_loop_log_fault(struct fcgi_loop *loop, const char *why);

/* Accept one connection. Returns it, or NULL: there was none, or no resources (then after a pause). */
struct fcgi_connection *fcgi_connection_accept(struct fcgi_loop *loop);
void fcgi_connection_close(struct fcgi_loop *loop, struct fcgi_connection *c);

/*
 * Give the connection to the shared epoll set; from then on it is whoever's finds it readable. "deadline_ms": 0 for
 * none.
 */
void fcgi_connection_put_aside(struct fcgi_loop *loop, struct fcgi_connection *c, enum fcgi_aside why,
    int64_t deadline_ms);

/* Take a connection that epoll told of. Returns why it was aside and its deadline. */
enum fcgi_aside fcgi_connection_take_back(struct fcgi_loop *loop, struct fcgi_connection *c, int64_t *deadline_ms);

/*
 * The answer has left ("answered"), or there is none: close, now or when the peer has stopped sending, so that closing
 * resets nothing the peer has yet to read.
 */
void fcgi_connection_end(struct fcgi_worker *w, struct fcgi_connection *c, bool answered);

/* The same for a connection that no worker has, after an answer that has left whole. */
void fcgi_connection_let_go(struct fcgi_loop *loop, struct fcgi_connection *c);

/* Throw away what came on a connection that is being closed. */
void fcgi_connection_continue_closing(struct fcgi_worker *w, struct fcgi_connection *c, int64_t deadline_ms);

/* Shut connections whose deadline is over, at most once a second; cheap when none has one. */
void fcgi_connection_sweep(struct fcgi_loop *loop);

/* Answer what has come on a connection; it is closed or put aside in the end. */
void fcgi_request_serve(struct fcgi_worker *w, struct fcgi_connection *c);

#endif
