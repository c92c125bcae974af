/* SPDX-License-Identifier: MIT */
/*
 * Answers for: the threads that answer, and that there are always enough of them. A thread whose request streams, or
 * takes its time, is "away": when no other waits for work, one more is started in its place. As soon as there are more
 * than wanted again, whoever has just finished ends. So calls wait neither for streams nor for somebody's slow calls.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/log.h"
#include "server/fcgi_loop.h"

#define LONG_MS 500	/* a request that is handled for so long takes its time */

/*
 * Thread stacks: handlers recurse to a bounded depth and put nothing large on the stack. The sanitizers' redzones
 * want more.
 */
#ifdef __has_feature
#if __has_feature(address_sanitizer) || __has_feature(thread_sanitizer)
#define SANITIZED
#endif
#elif defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
#define SANITIZED
#endif
#ifdef SANITIZED
#define STACK_SIZE (2 * 1024 * 1024)
#else
#define STACK_SIZE (256 * 1024)
#endif

int
fcgi_thread_create(pthread_t *thread, void *(*run)(void *arg), void *arg)
{
	pthread_attr_t attr;
	int error;

	pthread_attr_init(&attr);
	pthread_attr_setstacksize(&attr, STACK_SIZE);
	error = pthread_create(thread, &attr, run, arg);
	pthread_attr_destroy(&attr);
	return error;
}

/* How many workers are there to answer. Locked. */
static unsigned
present(struct fcgi_loop *loop)
{
	return atomic_load(&loop->running) - atomic_load(&loop->away);
}

void
fcgi_workers_reinforce(struct fcgi_loop *loop)
{
	bool wanted;

	if (atomic_load(&loop->idle) > 0)
		return;
	if (atomic_load(&loop->away) > 0) {
		pthread_mutex_lock(&loop->lock);
		wanted = present(loop) < loop->options.workers;
		pthread_mutex_unlock(&loop->lock);
		if (wanted && fcgi_worker_start(loop))
			return;
	}
	if (!atomic_exchange(&loop->keeper.watching, true))
		fcgi_loop_wake_keeper(loop);
}

bool
fcgi_worker_is_surplus(struct fcgi_worker *w)
{
	struct fcgi_loop *loop = w->loop;
	bool surplus;

	if (atomic_load(&loop->running) <= loop->options.workers)
		return false;
	pthread_mutex_lock(&loop->lock);
	surplus = present(loop) > loop->options.workers && !atomic_load(&loop->stopping);
	if (surplus) {
		atomic_fetch_sub(&loop->running, 1);
		w->ended = true;
	}
	pthread_mutex_unlock(&loop->lock);
	return surplus;
}

int
fcgi_listening_set(const struct fcgi_loop *loop)
{
	struct epoll_event event = { .events = EPOLLIN | EPOLLEXCLUSIVE, .data.ptr = NULL };
	int set = epoll_create1(EPOLL_CLOEXEC), saved;

	if (set >= 0 && epoll_ctl(set, EPOLL_CTL_ADD, loop->options.listen_fd, &event) != 0) {
		saved = errno;
		close(set);
		errno = saved;
		set = -1;
	}
	return set;
}

void
fcgi_worker_close_pipe(struct fcgi_worker *w)
{
	if (w->pipe_read >= 0)
		close(w->pipe_read);
	if (w->pipe_write >= 0)
		close(w->pipe_write);
	w->pipe_read = w->pipe_write = -1;
}

bool
fcgi_worker_open_pipe(struct fcgi_worker *w)
{
	int fd[2];

	w->pipe_read = w->pipe_write = -1;
	if (pipe2(fd, O_CLOEXEC | O_NONBLOCK) != 0)
		return false;
	w->pipe_read = fd[0];
	w->pipe_write = fd[1];
	w->pipe_size = fcntl(w->pipe_write, F_GETPIPE_SZ);
	return true;
}

/* What a worker holds for its requests. Returns false (errno) without resources; then clear too. */
static bool
prepare(struct fcgi_worker *w)
{
	buf_init(&w->params, HTTP_PARAMS_BYTES_MAX);
	buf_init(&w->head, HTTP_RESPONSE_HEADERS_MAX + 256);
	http_response_init(&w->response);
	/* libfcgi never accepts by itself. */
	FCGX_InitRequest(&w->fcgx, -1, 0);
	return fcgi_worker_open_pipe(w);
}

static void
clear(struct fcgi_worker *w)
{
	fcgi_worker_close_pipe(w);
	buf_clear(&w->params);
	buf_clear(&w->head);
	http_response_clear(&w->response);
}

void
fcgi_worker_free(struct fcgi_worker *w)
{
	if (w->epoll_fd >= 0)
		close(w->epoll_fd);
	clear(w);
	pthread_mutex_destroy(&w->lock);
	free(w);
}

/* A worker without a thread. NULL (errno) without resources. */
static struct fcgi_worker *
new_worker(struct fcgi_loop *loop)
{
	struct fcgi_worker *w = calloc(1, sizeof(*w));
	int saved;

	if (!w)
		return NULL;
	w->loop = loop;
	w->epoll_fd = -1;
	pthread_mutex_init(&w->lock, NULL);
	if (prepare(w))
		w->epoll_fd = fcgi_listening_set(loop);
	if (w->epoll_fd >= 0)
		return w;
	saved = errno;
	fcgi_worker_free(w);
	errno = saved;
	return NULL;
}

/* Take a worker whose thread has ended out of the list; NULL: there is none. Locked. */
static struct fcgi_worker *
take_ended(struct fcgi_loop *loop)
{
	for (unsigned i = 0; i < loop->started; i++) {
		struct fcgi_worker *w = loop->workers[i];

		if (w->ended) {
			pthread_join(w->thread, NULL);
			w->ended = false;
			loop->workers[i] = loop->workers[--loop->started];
			return w;
		}
	}
	return NULL;
}

bool
fcgi_worker_start(struct fcgi_loop *loop)
{
	struct fcgi_worker *w;
	int error;

	/* Under the lock, because a thread that has begun may wake all others. */
	pthread_mutex_lock(&loop->lock);
	if (atomic_load(&loop->stopping) || present(loop) >= loop->options.workers) {
		pthread_mutex_unlock(&loop->lock);
		return false;
	}
	w = take_ended(loop);
	if (!w && loop->started == loop->options.workers + FCGI_AWAY_MAX) {
		/* Somebody counts as away for a moment, and takes it back. */
		pthread_mutex_unlock(&loop->lock);
		return false;
	}
	if (!w)
		w = new_worker(loop);
	error = w ? fcgi_thread_create(&w->thread, loop->work, w) : errno;
	if (!error) {
		loop->workers[loop->started++] = w;
		atomic_fetch_add(&loop->running, 1);
	}
	pthread_mutex_unlock(&loop->lock);
	if (error) {
		log_error("cannot start a thread: %s", strerror(error));
		if (w)
			fcgi_worker_free(w);
	}
	return !error;
}

/* Count "w" as away. Returns false when it was already, or too many are. */
static bool
mark_away(struct fcgi_worker *w)
{
	struct fcgi_loop *loop = w->loop;

	if (w->away)
		return false;
	/* Several may ask at once, each with a lock of its own: whoever counted one too many takes it back. */
	if (atomic_fetch_add(&loop->away, 1) >= FCGI_AWAY_MAX) {
		atomic_fetch_sub(&loop->away, 1);
		return false;
	}
	w->away = true;
	return true;
}

bool
fcgi_worker_goes_away(struct fcgi_worker *w)
{
	bool away;

	pthread_mutex_lock(&w->lock);
	away = w->away || mark_away(w);
	pthread_mutex_unlock(&w->lock);
	if (away)
		fcgi_workers_reinforce(w->loop);
	return away;
}

void
fcgi_worker_handles(struct fcgi_worker *w, struct fcgi_connection *c)
{
	pthread_mutex_lock(&w->lock);
	w->connection = c;
	w->since_ms = clock_monotonic_ms();
	pthread_mutex_unlock(&w->lock);
}

void
fcgi_worker_handled(struct fcgi_worker *w)
{
	pthread_mutex_lock(&w->lock);
	w->connection = NULL;
	if (w->away)
		atomic_fetch_sub(&w->loop->away, 1);
	w->away = false;
	pthread_mutex_unlock(&w->lock);
}

/* Whether all workers have something to do, and it matters. */
static bool
is_busy(struct fcgi_loop *loop)
{
	return atomic_load(&loop->idle) == 0 && !atomic_load(&loop->stopping);
}

bool
fcgi_loop_look_at_workers(struct fcgi_loop *loop)
{
	int64_t now_ms = clock_monotonic_ms();
	bool again = is_busy(loop), found = false;

	if (!again) {
		atomic_store(&loop->keeper.watching, false);
		/* Whoever became busy in between has found somebody watching. */
		again = is_busy(loop) && !atomic_exchange(&loop->keeper.watching, true);
	}
	pthread_mutex_lock(&loop->lock);
	for (unsigned i = 0; again && i < loop->started; i++) {
		struct fcgi_worker *w = loop->workers[i];

		pthread_mutex_lock(&w->lock);
		if (w->connection && now_ms - w->since_ms >= LONG_MS)
			found = mark_away(w) || found;
		pthread_mutex_unlock(&w->lock);
	}
	pthread_mutex_unlock(&loop->lock);
	if (found)
		fcgi_workers_reinforce(loop);
	return again;
}
