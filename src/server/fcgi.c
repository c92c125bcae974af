/* SPDX-License-Identifier: MIT */
/*
 * Answers for: what each thread of a responder does, and stopping in good order.
 *
 * The life of a connection:
 *   1 accepted by a waiting thread (fcgi_connection.c)
 *   2 a request is read, answered and sent by that thread alone (fcgi_request.c); what is sent in pieces may outlive
 *     it (fcgi_stream.h)
 *   3 closed; or, if its front keeps it, put aside: into the epoll set that all threads share, where any of them
 *     finds it when it is readable, and goes on with 2
 *
 * No lock is held in 1 and 2; the one lock guards the list of connections put aside.
 *
 * Each thread also has an epoll set of its own with nothing but the listening socket in it, and waits there as long
 * as no connection is in the shared one: threads that wait in one set wake each other for every connection
 * accepted, and with fronts that keep none accepting is all there is.
 *
 * Stopping: SIGTERM, SIGINT and SIGUSR1 are blocked everywhere and taken by sigwait() in the main thread. Each
 * worker then gets FCGI_WAKE_SIGNAL, which is blocked too except while a thread waits (epoll_pwait, ppoll): it ends
 * waits and nothing else.
 */
#include "server/fcgi.h"

#include <errno.h>
#include <fcntl.h>
#include <malloc.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/ending.h"
#include "server/fcgi_loop.h"

#define STOP_QUIET_MS 100	/* how long a stopping process still takes what comes on connections it has accepted */
#define SWEEP_MS 1000
#define STOP_SILENCE_MS 500	/* how long it waits for a peer in the middle of a request */
#define LAST_WORD_MS 1000	/* of the grace, for answers to leave that waited for somebody else until then */
#define MOMENT_MS 20	/* fronts send a head at once or nearly so */
#define DESCRIPTORS_WANTED 65536
#define LARGE_BLOCK (256 * 1024)	/* allocations from here on go back to the system when they are freed */

/* How long to wait for the next event, or 0 when a stopping process is done. */
static int
wait_ms(struct fcgi_loop *loop)
{
	int64_t left_ms, quiet_ms;

	if (atomic_load(&loop->stopping)) {
		quiet_ms = atomic_load(&loop->heads) > 0 ? loop->patience.stopping_ms : STOP_QUIET_MS;
		left_ms = atomic_load(&loop->stop_ms) + quiet_ms - clock_monotonic_ms();
		return left_ms > 0 ? (int)left_ms : 0;
	}
	return atomic_load(&loop->timed) > 0 ? SWEEP_MS : -1;
}

static void
handle_event(struct fcgi_worker *w, struct fcgi_connection *c)
{
	struct fcgi_loop *loop = w->loop;
	int64_t deadline_ms;

	if (!c) {
		c = fcgi_connection_accept(loop);
		if (c)
			fcgi_request_serve(w, c);
	} else if (fcgi_connection_take_back(loop, c, &deadline_ms) == FCGI_ASIDE_CLOSING) {
		fcgi_connection_continue_closing(w, c, deadline_ms);
	} else {
		fcgi_request_serve(w, c);
	}
}

static void *
work(void *arg)
{
	struct fcgi_worker *w = arg;
	struct fcgi_loop *loop = w->loop;

	for (;;) {
		struct epoll_event event;
		int timeout_ms = wait_ms(loop), set, n;

		atomic_fetch_add(&loop->idle, 1);
		/* A change of "registered" from 0 comes with a wake signal, which is pending until the wait begins. */
		set = atomic_load(&loop->registered) > 0 ? loop->epoll_fd : w->epoll_fd;
		n = epoll_pwait(set, &event, 1, timeout_ms, &loop->wait_mask);
		atomic_fetch_sub(&loop->idle, 1);
		if (n == 0 && timeout_ms == 0)
			break;
		fcgi_connection_sweep(loop);
		if (n <= 0)
			continue;
		fcgi_workers_reinforce(loop);
		handle_event(w, event.data.ptr);
		if (fcgi_worker_is_surplus(w))
			return NULL;
	}
	pthread_mutex_lock(&loop->lock);
	atomic_fetch_sub(&loop->running, 1);
	w->ended = true;
	pthread_cond_signal(&loop->ended);
	pthread_mutex_unlock(&loop->lock);
	return NULL;
}

static void
on_wake(int signal_number)
{
	(void)signal_number;
}

/* Block what main waits for and what wakes threads; libfcgi has put its own handlers on some of them. */
static void
take_signals(struct fcgi_loop *loop, sigset_t *stop_signals)
{
	static const int stops[] = { SIGTERM, SIGINT, SIGUSR1 };
	struct sigaction wake = { .sa_handler = on_wake };
	struct sigaction standard = { .sa_handler = SIG_DFL }, ignore = { .sa_handler = SIG_IGN };
	sigset_t blocked;

	sigaction(SIGHUP, &ignore, NULL);
	sigaction(SIGPIPE, &ignore, NULL);
	sigaction(FCGI_WAKE_SIGNAL, &wake, NULL);
	sigemptyset(stop_signals);
	for (size_t i = 0; i < sizeof(stops) / sizeof(stops[0]); i++) {
		sigaction(stops[i], &standard, NULL);
		sigaddset(stop_signals, stops[i]);
	}
	blocked = *stop_signals;
	sigaddset(&blocked, FCGI_WAKE_SIGNAL);
	pthread_sigmask(SIG_BLOCK, &blocked, NULL);
	pthread_sigmask(SIG_BLOCK, NULL, &loop->wait_mask);
	sigdelset(&loop->wait_mask, FCGI_WAKE_SIGNAL);
}

static enum mcp_err
open_listener(struct fcgi_loop *loop)
{
	int fd = loop->options.listen_fd, domain = 0, flags = fcntl(fd, F_GETFL);
	socklen_t len = sizeof(domain);

	if (flags < 0 || fcntl(fd, F_SETFL, flags | O_NONBLOCK) != 0
	    || getsockopt(fd, SOL_SOCKET, SO_DOMAIN, &domain, &len) != 0)
		return MCP_EIO;
	loop->is_tcp = domain == AF_INET || domain == AF_INET6;
	loop->epoll_fd = fcgi_listening_set(loop);
	return loop->epoll_fd < 0 ? MCP_EIO : MCP_OK;
}

static void
free_loop(struct fcgi_loop *loop)
{
	struct fcgi_connection *c, *next;

	for (c = loop->first; c; c = next) {
		next = c->next;
		fcgi_connection_close(loop, c);
	}
	for (unsigned i = 0; i < loop->started; i++)
		fcgi_worker_free(loop->workers[i]);
	free(loop->workers);
	if (loop->epoll_fd >= 0)
		close(loop->epoll_fd);
	pthread_cond_destroy(&loop->ended);
	pthread_mutex_destroy(&loop->keeper.lock);
	pthread_mutex_destroy(&loop->lock);
	free(loop);
}

static struct fcgi_loop *
new_loop(const struct fcgi_options *options, const struct fcgi_handler *handler)
{
	struct fcgi_loop *loop = calloc(1, sizeof(*loop));
	pthread_condattr_t attr;

	if (!loop)
		return NULL;
	loop->workers = calloc(options->workers + FCGI_AWAY_MAX, sizeof(*loop->workers));
	if (!loop->workers) {
		free(loop);
		return NULL;
	}
	loop->options = *options;
	loop->handler = *handler;
	loop->work = work;
	loop->epoll_fd = -1;
	loop->main_thread = pthread_self();
	loop->patience = (struct fcgi_patience){
		.moment_ms = MOMENT_MS,
		.between_bytes_ms = options->io_timeout_s * 1000,
		.total_ms = options->body_total_s * 1000,
		.stopping_ms = STOP_SILENCE_MS,
		.stopping = &loop->stopping,
		.mask = &loop->wait_mask
	};
	pthread_mutex_init(&loop->lock, NULL);
	loop->keeper.epoll_fd = loop->keeper.event_fd = -1;
	pthread_mutex_init(&loop->keeper.lock, NULL);
	pthread_condattr_init(&attr);
	pthread_condattr_setclock(&attr, CLOCK_MONOTONIC);
	pthread_cond_init(&loop->ended, &attr);
	pthread_condattr_destroy(&attr);
	return loop;
}

/* Have no more accepted, and make every thread look at "stopping". */
static void
begin_stop(struct fcgi_loop *loop)
{
	int64_t now_ms = clock_monotonic_ms(), grace_ms = loop->options.stop_grace_s * INT64_C(1000);
	int fd = loop->options.listen_fd;

	ending_set(now_ms + grace_ms - (grace_ms > 2 * LAST_WORD_MS ? LAST_WORD_MS : grace_ms / 2));
	atomic_store(&loop->stop_ms, now_ms);
	atomic_store(&loop->stopping, true);
	epoll_ctl(loop->epoll_fd, EPOLL_CTL_DEL, fd, NULL);
	pthread_mutex_lock(&loop->lock);
	for (unsigned i = 0; i < loop->started; i++)
		epoll_ctl(loop->workers[i]->epoll_fd, EPOLL_CTL_DEL, fd, NULL);
	fcgi_loop_wake(loop);
	pthread_mutex_unlock(&loop->lock);
	fcgi_keeper_begin_stop(loop);
}

/* Wait until all workers have ended. Returns false when the grace is over before that. */
static bool
await_workers(struct fcgi_loop *loop)
{
	struct timespec until;
	int error = 0;
	bool all;

	clock_gettime(CLOCK_MONOTONIC, &until);
	until.tv_sec += loop->options.stop_grace_s;
	pthread_mutex_lock(&loop->lock);
	while (atomic_load(&loop->running) > 0 && error != ETIMEDOUT)
		error = pthread_cond_timedwait(&loop->ended, &loop->lock, &until);
	all = atomic_load(&loop->running) == 0;
	pthread_mutex_unlock(&loop->lock);
	return all;
}

/* Each stream costs a descriptor; what we are allowed beyond the usual 1024 we take. */
static void
raise_descriptors(void)
{
	struct rlimit limit;

	if (getrlimit(RLIMIT_NOFILE, &limit) != 0 || limit.rlim_cur >= DESCRIPTORS_WANTED)
		return;
	limit.rlim_cur = limit.rlim_max < DESCRIPTORS_WANTED ? limit.rlim_max : DESCRIPTORS_WANTED;
	if (setrlimit(RLIMIT_NOFILE, &limit) != 0)
		log_warning("no more descriptors can be had: %s", strerror(errno));
}

enum mcp_err
fcgi_serve(const struct fcgi_options *options, const struct fcgi_handler *handler)
{
	struct fcgi_loop *loop = new_loop(options, handler);
	enum mcp_err err = MCP_ENOMEM;
	int signal_number = 0;
	sigset_t stop_signals;

	if (!loop)
		return MCP_ENOMEM;
	/*
	 * glibc raises these two by itself as soon as one large block is freed, and then keeps blocks of that size:
	 * one large answer a thread would stay for ever.
	 */
	mallopt(M_MMAP_THRESHOLD, LARGE_BLOCK);
	mallopt(M_TRIM_THRESHOLD, 2 * LARGE_BLOCK);
	if (FCGX_Init() != 0)
		goto out;
	raise_descriptors();
	take_signals(loop, &stop_signals);
	err = open_listener(loop);
	if (err)
		goto out;
	if (!fcgi_keeper_start(loop)) {
		err = MCP_EIO;
		goto out;
	}
	err = MCP_ENOMEM;
	while (atomic_load(&loop->running) < options->workers && fcgi_worker_start(loop))
		;
	if (atomic_load(&loop->running) == 0)
		goto out;

	sigwait(&stop_signals, &signal_number);
	log_info("stopping: %s, %lu requests served", strsignal(signal_number), atomic_load(&loop->served));
	begin_stop(loop);
	if (!await_workers(loop))
		/* Threads still use the loop: the caller exits. */
		return MCP_ETIMEOUT;
	for (unsigned i = 0; i < loop->started; i++)
		pthread_join(loop->workers[i]->thread, NULL);
	err = MCP_OK;
out:
	fcgi_keeper_stop(loop);
	free_loop(loop);
	return err;
}
