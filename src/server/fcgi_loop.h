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

/*
 * What the files of the FastCGI side share: fcgi.c (threads and stopping), fcgi_loop.c (what each
 * of them may do to the whole), fcgi_connection.c (accepting, putting
 * aside), fcgi_request.c (one request at a time). Nobody else includes this.
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

/* One thread. */
struct fcgi_worker {
	struct fcgi_loop *loop;
	pthread_t thread;
	int epoll_fd;			/* its own: the listening socket and nothing else */
	struct fcgi_buffer buffer;
	struct buf params;
	struct buf head;
	struct http_response response;
	FCGX_Request fcgx;
	int pipe_read, pipe_write;	/* libfcgi reads a checked head from here */
	int pipe_size;			/* what fits into the pipe */
	struct fcgi_connection *current;	/* whose request is being handled */
};

/* One call of fcgi_serve(). */
struct fcgi_loop {
	struct fcgi_options options;
	struct fcgi_handler handler;
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
	pthread_mutex_t lock;		/* of what follows; held for list operations only */
	struct fcgi_connection *first, *last;	/* put aside, oldest first */
	struct log_throttle peer_fault, descriptor_fault;
	struct fcgi_worker **workers;	/* "started" of them */
	unsigned started;
	unsigned running;
	pthread_cond_t ended;		/* a worker has ended; on CLOCK_MONOTONIC */
};

/* Begin to stop, as a signal would. */
void fcgi_loop_request_stop(struct fcgi_loop *loop);

/* Make all waiting threads look again at where they should wait, and whether to stop. */
void fcgi_loop_wake(struct fcgi_loop *loop);

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

/* Throw away what came on a connection that is being closed. */
void fcgi_connection_continue_closing(struct fcgi_worker *w, struct fcgi_connection *c, int64_t deadline_ms);

/* Shut connections whose deadline is over, at most once a second; cheap when none has one. */
void fcgi_connection_sweep(struct fcgi_loop *loop);

/* Answer what has come on a connection; it is closed or put aside in the end. */
void fcgi_request_serve(struct fcgi_worker *w, struct fcgi_connection *c);

/* Prepare and release what a worker holds for its requests. Returns false (errno) without resources; then clear too. */
bool fcgi_request_init(struct fcgi_worker *w);
void fcgi_request_clear(struct fcgi_worker *w);

#endif
