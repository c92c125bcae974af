/* SPDX-License-Identifier: MIT */
/*
 * Answers for: connections between requests. An idle one holds no thread, neither a kept one nor a new one that
 * says nothing: it waits in the epoll set that all threads share, disarmed as soon as one of them was told of it
 * (EPOLLONESHOT).
 */
#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#include "base/clock.h"
#include "server/fcgi_loop.h"

#define CLOSING_MS 2000		/* how long the rest of an unwanted body is thrown away before a connection is closed */
#define SWEEP_MS 1000
#define FAULT_LOG_S 10

void
fcgi_connection_close(struct fcgi_loop *loop, struct fcgi_connection *c)
{
	if (c->registered)
		atomic_fetch_sub(&loop->registered, 1);
	fcgi_input_clear(&c->input);
	close(c->input.fd);
	free(c);
}

static bool
has_deadline(enum fcgi_aside why)
{
	return why == FCGI_ASIDE_NEW || why == FCGI_ASIDE_HEAD || why == FCGI_ASIDE_CLOSING;
}

static void
link_aside(struct fcgi_loop *loop, struct fcgi_connection *c)
{
	c->prev = loop->last;
	c->next = NULL;
	*(loop->last ? &loop->last->next : &loop->first) = c;
	loop->last = c;
	if (has_deadline(c->aside))
		atomic_fetch_add(&loop->timed, 1);
	if (c->aside == FCGI_ASIDE_HEAD)
		atomic_fetch_add(&loop->heads, 1);
}

static void
unlink_aside(struct fcgi_loop *loop, struct fcgi_connection *c)
{
	*(c->prev ? &c->prev->next : &loop->first) = c->next;
	*(c->next ? &c->next->prev : &loop->last) = c->prev;
	if (has_deadline(c->aside))
		atomic_fetch_sub(&loop->timed, 1);
	if (c->aside == FCGI_ASIDE_HEAD)
		atomic_fetch_sub(&loop->heads, 1);
	c->aside = FCGI_ASIDE_NOT;
}

void
fcgi_connection_put_aside(struct fcgi_loop *loop, struct fcgi_connection *c, enum fcgi_aside why, int64_t deadline_ms)
{
	struct epoll_event event = { .events = EPOLLIN | EPOLLRDHUP | EPOLLONESHOT, .data.ptr = c };
	bool registered = c->registered, first = false;

	pthread_mutex_lock(&loop->lock);
	c->aside = why;
	c->deadline_ms = deadline_ms;
	link_aside(loop, c);
	if (!registered) {
		c->registered = true;
		first = atomic_fetch_add(&loop->registered, 1) == 0;
	}
	/* Under the lock: as soon as it is armed another thread may be told of it, and must find it in the list. */
	if (epoll_ctl(loop->epoll_fd, registered ? EPOLL_CTL_MOD : EPOLL_CTL_ADD, c->input.fd, &event) != 0) {
		unlink_aside(loop, c);
		fcgi_connection_close(loop, c);
	}
	if (first)
		fcgi_loop_wake(loop);
	pthread_mutex_unlock(&loop->lock);
}

enum fcgi_aside
fcgi_connection_take_back(struct fcgi_loop *loop, struct fcgi_connection *c, int64_t *deadline_ms)
{
	enum fcgi_aside why;

	pthread_mutex_lock(&loop->lock);
	why = c->aside;
	*deadline_ms = c->deadline_ms;
	unlink_aside(loop, c);
	pthread_mutex_unlock(&loop->lock);
	return why;
}

/*
 * Shut a connection in the list. It becomes readable by that, so that the thread which is then told of it frees it:
 * nobody frees what another thread may just have been told of.
 */
static void
shut(struct fcgi_connection *c)
{
	shutdown(c->input.fd, SHUT_RDWR);
	/* Not again by the next sweep. */
	c->deadline_ms = INT64_MAX;
}

void
fcgi_connection_sweep(struct fcgi_loop *loop)
{
	int64_t now_ms;

	if (atomic_load(&loop->timed) == 0)
		return;
	now_ms = clock_monotonic_ms();
	if (now_ms - atomic_load(&loop->swept_ms) < SWEEP_MS)
		return;
	atomic_store(&loop->swept_ms, now_ms);
	pthread_mutex_lock(&loop->lock);
	for (struct fcgi_connection *c = loop->first; c; c = c->next)
		if (c->deadline_ms != 0 && c->deadline_ms <= now_ms)
			shut(c);
	pthread_mutex_unlock(&loop->lock);
}

/* Make room: shut the connection that its front has kept unused for longest. */
static void
shut_oldest_idle(struct fcgi_loop *loop)
{
	pthread_mutex_lock(&loop->lock);
	for (struct fcgi_connection *c = loop->first; c; c = c->next)
		if (c->aside == FCGI_ASIDE_IDLE && c->deadline_ms == 0) {
			shut(c);
			break;
		}
	pthread_mutex_unlock(&loop->lock);
}

/* No descriptor or no memory for a connection: make room, and let the kernel's queue hold the peer meanwhile. */
static void
relieve(struct fcgi_loop *loop, int error)
{
	struct timespec pause = { .tv_nsec = 10 * 1000000 };
	unsigned long held = 0;
	bool open;

	shut_oldest_idle(loop);
	pthread_mutex_lock(&loop->lock);
	open = log_throttle_open(&loop->descriptor_fault, clock_now_s(), FAULT_LOG_S, &held);
	pthread_mutex_unlock(&loop->lock);
	if (open)
		log_error("cannot accept a connection: %s", strerror(error));
	ppoll(NULL, 0, &pause, &loop->wait_mask);
}

static void
accept_failed(struct fcgi_loop *loop, int error)
{
	switch (error) {
	case EMFILE:
	case ENFILE:
	case ENOBUFS:
	case ENOMEM:
		relieve(loop, error);
		break;
	case EBADF:
	case EINVAL:
	case ENOTSOCK:
		log_error("the listening socket is gone: %s", strerror(error));
		fcgi_loop_request_stop(loop);
		relieve(loop, error);
		break;
	default:
		/* Another thread was quicker, or the peer has gone. */
		break;
	}
}

/* Whether the peer is one of those that may connect. Source: FastCGI Specification 1.0, section 3.2. */
static bool
may_connect(const struct fcgi_peers *peers, const struct sockaddr_storage *from)
{
	char text[INET6_ADDRSTRLEN] = "";
	struct address host;

	if (!peers->limited)
		return true;
	if (from->ss_family == AF_INET)
		inet_ntop(AF_INET, &((const struct sockaddr_in *)from)->sin_addr, text, sizeof(text));
	else if (from->ss_family == AF_INET6)
		inet_ntop(AF_INET6, &((const struct sockaddr_in6 *)from)->sin6_addr, text, sizeof(text));
	if (!text[0] || address_parse(text, strlen(text), &host) != MCP_OK)
		return false;
	for (size_t i = 0; i < peers->n; i++)
		if (memcmp(peers->v[i].bytes, host.bytes, sizeof(host.bytes)) == 0)
			return true;
	return false;
}

struct fcgi_connection *
fcgi_connection_accept(struct fcgi_loop *loop)
{
	struct timeval timeout = { .tv_sec = loop->options.io_timeout_s };
	struct sockaddr_storage from = { .ss_family = AF_UNSPEC };
	socklen_t len = sizeof(from);
	struct fcgi_connection *c;
	int fd, one = 1;

	fd = accept4(loop->options.listen_fd, (struct sockaddr *)&from, &len, SOCK_CLOEXEC);
	if (fd < 0) {
		accept_failed(loop, errno);
		return NULL;
	}
	if (!may_connect(&loop->options.peers, &from)) {
		fcgi_loop_log_fault(loop, "its peer is not in FCGI_WEB_SERVER_ADDRS");
		close(fd);
		return NULL;
	}
	/* A peer that does not read its answer gives up its connection; reading has its own deadlines. */
	setsockopt(fd, SOL_SOCKET, SO_SNDTIMEO, &timeout, sizeof(timeout));
	if (loop->is_tcp)
		setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof(one));
	c = calloc(1, sizeof(*c));
	if (!c) {
		close(fd);
		relieve(loop, ENOMEM);
		return NULL;
	}
	c->input.fd = fd;
	return c;
}

/* Tell the peer that nothing more will come, and wait for a moment until it has closed. */
static void
close_gently(struct fcgi_loop *loop, struct fcgi_connection *c)
{
	shutdown(c->input.fd, SHUT_WR);
	c->input.discarded = 0;
	fcgi_connection_put_aside(loop, c, FCGI_ASIDE_CLOSING, clock_monotonic_ms() + CLOSING_MS);
}

void
fcgi_connection_end(struct fcgi_worker *w, struct fcgi_connection *c, bool answered)
{
	bool clean = !answered;

	if (answered && !c->input.broken)
		clean = fcgi_input_drain(&c->input, &w->buffer) == MCP_OK;
	w->buffer.start = w->buffer.end = 0;
	if (clean) {
		fcgi_connection_close(w->loop, c);
		return;
	}
	close_gently(w->loop, c);
}

void
fcgi_connection_let_go(struct fcgi_loop *loop, struct fcgi_connection *c)
{
	if (c->input.keep && !c->input.open && !c->input.broken && !atomic_load(&loop->stopping))
		fcgi_connection_put_aside(loop, c, FCGI_ASIDE_IDLE, 0);
	else
		close_gently(loop, c);
}

void
fcgi_connection_continue_closing(struct fcgi_worker *w, struct fcgi_connection *c, int64_t deadline_ms)
{
	struct fcgi_loop *loop = w->loop;

	for (;;) {
		ssize_t n = recv(c->input.fd, w->buffer.data, FCGI_BUFFER_SIZE, MSG_DONTWAIT);

		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0 && errno == EAGAIN && !atomic_load(&loop->stopping)) {
			fcgi_connection_put_aside(loop, c, FCGI_ASIDE_CLOSING, deadline_ms);
			return;
		}
		c->input.discarded += n;
		if (n <= 0 || c->input.discarded > FCGI_DISCARD_MAX || clock_monotonic_ms() >= deadline_ms) {
			fcgi_connection_close(loop, c);
			return;
		}
	}
}
