/* SPDX-License-Identifier: MIT */
/*
 * Answers for: one FastCGI request at a time in each of several threads, and for stopping in good order.
 *
 * The life of a connection:
 *   1 accepted by a thread that waits in the one epoll set of the process
 *   2 its head is read and checked (fcgi_input.c), then handed to libfcgi through a pipe: libfcgi makes the parameters'
 * array of it and writes the answer
 *   3 the handler answers; the answer leaves; then the connection is closed, or, if its front keeps it, put aside: back
 * into the epoll set, where any thread finds it when it is readable
 * So an idle connection holds no thread, neither a kept one nor a new one that says nothing. No lock is held in 1 to 3;
 * the one lock guards the list of connections put aside.
 *
 * Stopping: SIGTERM, SIGINT and SIGUSR1 are blocked everywhere and taken by sigwait() in the main thread. Each worker
 * then gets SIGUSR2, which is blocked too except while a thread
 * waits (epoll_pwait, ppoll), so that it ends waits and nothing else.
 */
#include "server/fcgi.h"

#include <errno.h>
#include <fcntl.h>
#include <malloc.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <sys/uio.h>
#include <time.h>
#include <unistd.h>

#include <fastcgi.h>
#include <fcgiapp.h>

#include "base/buf.h"
#include "base/clock.h"
#include "base/log.h"
#include "server/fcgi_input.h"

#define WAKE_SIGNAL SIGUSR2
#define STOP_QUIET_MS 100	/* how long a stopping process still takes what comes on connections it has accepted */
#define STOP_SILENCE_MS 500	/* how long it waits for a peer in the middle of a request */
/* how long the rest of an unwanted body is thrown away before the connection is closed */
#define CLOSING_MS 2000
#define SWEEP_MS 1000
/* PARAMS records of the largest head, the empty one too. */
#define HEAD_RECORDS (HTTP_PARAMS_BYTES_MAX / FCGI_MAX_LENGTH + 2)
#define ANSWER_KEPT_MAX (256 * 1024)	/* a thread's buffer that grew beyond this for one answer is given back */

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

/* Why a connection is put aside. */
enum aside {
	ASIDE_NOT,
	ASIDE_NEW,	/* nothing came yet; until the deadline */
	ASIDE_IDLE,	/* kept by its front between requests */
	ASIDE_CLOSING	/* answered; what the peer still sends is thrown away, until the deadline */
};

struct connection {
	struct fcgi_input input;	/* input.fd is owned here */
	bool in_epoll;
	/* Under loop.lock: */
	enum aside aside;
	int64_t deadline_ms;		/* 0: none */
	struct connection *prev, *next;
};

struct loop {
	struct fcgi_options options;
	struct fcgi_handler handler;
	struct fcgi_patience patience;
	sigset_t wait_mask;
	bool is_tcp;
	int epoll_fd;
	pthread_t main_thread;
	atomic_bool stopping;
	_Atomic int64_t stop_ms;	/* when stopping began */
	atomic_ulong served;
	atomic_int timed;		/* connections aside with a deadline */
	_Atomic int64_t swept_ms;
	pthread_mutex_t lock;
	pthread_cond_t ended;		/* a worker has ended; on CLOCK_MONOTONIC */
	unsigned running;
	struct connection *first, *last;	/* put aside, oldest first */
	struct log_throttle peer_fault, descriptor_fault;
};

struct worker {
	struct loop *loop;
	pthread_t thread;
	struct fcgi_buffer buffer;
	struct buf params;
	struct buf head;
	struct http_response response;
	FCGX_Request fcgx;
	int pipe_read, pipe_write;	/* libfcgi reads a checked head from here */
	int pipe_size;			/* what fits into the pipe */
	struct connection *current;
};

static void
unlink_aside(struct loop *loop, struct connection *c)
{
	*(c->prev ? &c->prev->next : &loop->first) = c->next;
	*(c->next ? &c->next->prev : &loop->last) = c->prev;
	c->prev = c->next = NULL;
	if (c->aside == ASIDE_NEW || c->aside == ASIDE_CLOSING)
		atomic_fetch_sub(&loop->timed, 1);
	c->aside = ASIDE_NOT;
}

static void
close_connection(struct connection *c)
{
	close(c->input.fd);
	free(c);
}

/* Give the connection to the epoll set; whoever finds it readable goes on with it. */
static void
put_aside(struct loop *loop, struct connection *c, enum aside why, int64_t deadline_ms)
{
	struct epoll_event event = { .events = EPOLLIN | EPOLLRDHUP | EPOLLONESHOT, .data.ptr = c };
	bool added = c->in_epoll;

	pthread_mutex_lock(&loop->lock);
	c->aside = why;
	c->deadline_ms = deadline_ms;
	c->prev = loop->last;
	c->next = NULL;
	*(loop->last ? &loop->last->next : &loop->first) = c;
	loop->last = c;
	if (why == ASIDE_NEW || why == ASIDE_CLOSING)
		atomic_fetch_add(&loop->timed, 1);
	/* Armed under the lock: as soon as it is armed another thread may take it, and free it. */
	c->in_epoll = true;
	if (epoll_ctl(loop->epoll_fd, added ? EPOLL_CTL_MOD : EPOLL_CTL_ADD, c->input.fd, &event) != 0) {
		unlink_aside(loop, c);
		close_connection(c);
	}
	pthread_mutex_unlock(&loop->lock);
}

static enum aside
take_back(struct loop *loop, struct connection *c, int64_t *deadline_ms)
{
	enum aside why;

	pthread_mutex_lock(&loop->lock);
	why = c->aside;
	*deadline_ms = c->deadline_ms;
	unlink_aside(loop, c);
	pthread_mutex_unlock(&loop->lock);
	return why;
}

/*
 * Shut connections whose time is over, or with "oldest_idle" one that its front has kept longest. They become readable
 * by that, so that the thread which is
 * then woken frees them: nobody frees what another thread may just have been told of.
 */
static void
sweep(struct loop *loop, bool oldest_idle)
{
	int64_t now_ms = clock_monotonic_ms();

	atomic_store(&loop->swept_ms, now_ms);
	pthread_mutex_lock(&loop->lock);
	for (struct connection *c = loop->first; c; c = c->next) {
		bool idle = oldest_idle && c->aside == ASIDE_IDLE;

		if (!idle && (c->deadline_ms == 0 || c->deadline_ms > now_ms))
			continue;
		shutdown(c->input.fd, SHUT_RDWR);
		/* Not again by the next sweep. */
		c->deadline_ms = INT64_MAX;
		if (idle) {
			c->aside = ASIDE_NEW;
			atomic_fetch_add(&loop->timed, 1);
			oldest_idle = false;
		}
	}
	pthread_mutex_unlock(&loop->lock);
}

static void
log_peer_fault(struct loop *loop, const char *why)
{
	unsigned long held = 0;
	bool open;

	pthread_mutex_lock(&loop->lock);
	open = log_throttle_open(&loop->peer_fault, clock_now_s(), 10, &held);
	pthread_mutex_unlock(&loop->lock);
	if (open)
		log_warning("a FastCGI connection was closed: %s (%lu more since the last such line)", why, held);
}

/* No descriptor or no memory for a connection: make room, and let the kernel's queue hold the peer meanwhile. */
static void
relieve(struct loop *loop, int error)
{
	struct timespec pause = { .tv_nsec = 10 * 1000000 };
	unsigned long held = 0;
	bool open;

	sweep(loop, true);
	pthread_mutex_lock(&loop->lock);
	open = log_throttle_open(&loop->descriptor_fault, clock_now_s(), 10, &held);
	pthread_mutex_unlock(&loop->lock);
	if (open)
		log_error("cannot accept a connection: %s", strerror(error));
	ppoll(NULL, 0, &pause, &loop->wait_mask);
}

static void
request_stop(struct loop *loop)
{
	pthread_kill(loop->main_thread, SIGUSR1);
}

static struct connection *
accept_connection(struct loop *loop)
{
	struct timeval timeout = { .tv_sec = loop->options.io_timeout_s };
	struct connection *c;
	int fd, one = 1;

	fd = accept4(loop->options.listen_fd, NULL, NULL, SOCK_CLOEXEC);
	if (fd < 0) {
		if (errno == EMFILE || errno == ENFILE || errno == ENOBUFS || errno == ENOMEM) {
			relieve(loop, errno);
		} else if (errno == EBADF || errno == EINVAL || errno == ENOTSOCK) {
			log_error("the listening socket is gone: %s", strerror(errno));
			request_stop(loop);
			relieve(loop, errno);
		}
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

/* The answer has left, or there is none: close, without resetting what the peer has yet to read. */
static void
end_connection(struct worker *w, struct connection *c, bool answered)
{
	bool clean = !answered;

	if (answered && !c->input.broken)
		clean = fcgi_input_drain(&c->input, &w->buffer) == MCP_OK;
	w->buffer.start = w->buffer.end = 0;
	if (clean) {
		close_connection(c);
		return;
	}
	shutdown(c->input.fd, SHUT_WR);
	c->input.discarded = 0;
	put_aside(w->loop, c, ASIDE_CLOSING, clock_monotonic_ms() + CLOSING_MS);
}

/* Throw away what came on a connection that is being closed. */
static void
continue_closing(struct worker *w, struct connection *c, int64_t deadline_ms)
{
	for (;;) {
		ssize_t n = recv(c->input.fd, w->buffer.data, FCGI_BUFFER_SIZE, MSG_DONTWAIT);

		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0 && errno == EAGAIN) {
			if (atomic_load(&w->loop->stopping))
				close_connection(c);
			else
				put_aside(w->loop, c, ASIDE_CLOSING, deadline_ms);
			return;
		}
		c->input.discarded += n;
		if (n <= 0 || c->input.discarded > FCGI_DISCARD_MAX || clock_monotonic_ms() >= deadline_ms) {
			close_connection(c);
			return;
		}
	}
}

static void
close_pipe(struct worker *w)
{
	if (w->pipe_read >= 0)
		close(w->pipe_read);
	if (w->pipe_write >= 0)
		close(w->pipe_write);
	w->pipe_read = w->pipe_write = -1;
}

static bool
open_pipe(struct worker *w)
{
	int fd[2];

	if (pipe2(fd, O_CLOEXEC | O_NONBLOCK) != 0)
		return false;
	w->pipe_read = fd[0];
	w->pipe_write = fd[1];
	w->pipe_size = fcntl(w->pipe_write, F_GETPIPE_SZ);
	return true;
}

/*
 * Write BEGIN_REQUEST, the parameters and their end into the pipe. Returns false when they do not fit. Source:
 * FastCGI Specification 1.0, section 3.3.
 */
static bool
feed(struct worker *w, const struct fcgi_input *in, const char *params, size_t len)
{
	const unsigned char id1 = (unsigned char)(in->request_id >> 8), id0 = (unsigned char)in->request_id;
	unsigned char begin[16] = { FCGI_VERSION_1, FCGI_BEGIN_REQUEST, id1, id0, 0, sizeof(FCGI_BeginRequestBody),
	    0, 0,
	    0, FCGI_RESPONDER };
	unsigned char headers[HEAD_RECORDS][FCGI_HEADER_LEN];
	struct iovec iov[1 + 2 * HEAD_RECORDS];
	size_t total = sizeof(begin), left = len;
	unsigned n = 0, record = 0;

	iov[n++] = (struct iovec){ .iov_base = begin, .iov_len = sizeof(begin) };
	for (;;) {
		size_t size = left < FCGI_MAX_LENGTH ? left : FCGI_MAX_LENGTH;
		unsigned char *h = headers[record++];

		memcpy(h, (unsigned char[FCGI_HEADER_LEN]){ FCGI_VERSION_1, FCGI_PARAMS, id1, id0,
		    (unsigned char)(size >> 8), (unsigned char)size }, FCGI_HEADER_LEN);
		iov[n++] = (struct iovec){ .iov_base = h, .iov_len = FCGI_HEADER_LEN };
		total += FCGI_HEADER_LEN + size;
		if (size == 0)
			break;
		iov[n++] = (struct iovec){ .iov_base = (void *)(uintptr_t)(params + (len - left)), .iov_len = size };
		left -= size;
	}
	/*
	 * Usually 64 KiB fit. Where the user's pipes are at their limit it may be less, and what does not fit is
	 * refused as too large.
	 */
	if (total > (size_t)w->pipe_size)
		w->pipe_size = fcntl(w->pipe_write, F_SETPIPE_SZ, 2 * HTTP_PARAMS_BYTES_MAX);
	return writev(w->pipe_write, iov, (int)n) == (ssize_t)total;
}

/* Have libfcgi make a request of a checked head. On success w->fcgx writes to the connection. */
static bool
begin_request(struct worker *w, struct fcgi_input *in, struct fcgi_head *head)
{
	FCGX_Request *r = &w->fcgx;
	bool fed;

	if (w->pipe_read < 0 && !open_pipe(w))
		return false;
	if (head->too_large || head->count >= HTTP_PARAMS_MAX) {
		head->too_large = true;
		buf_reset(&w->params);
	}
	fed = feed(w, in, w->params.data, w->params.len);
	if (!fed) {
		close_pipe(w);
		head->too_large = true;
		fed = open_pipe(w) && feed(w, in, NULL, 0);
	}
	if (!fed)
		return false;
	r->ipcFd = w->pipe_read;
	r->keepConnection = 1;	/* libfcgi closes nothing */
	if (FCGX_Accept_r(r) < 0) {
		/* It has closed the pipe. */
		w->pipe_read = -1;
		close_pipe(w);
		return false;
	}
	r->ipcFd = in->fd;
	r->keepConnection = 1;
	return true;
}

static ssize_t
read_body(void *ctx, void *to, size_t n, enum mcp_err *err)
{
	struct worker *w = ctx;

	return fcgi_input_body(&w->current->input, &w->buffer, &w->loop->patience, to, n, err);
}

/* Compose and write the answer. Returns whether all of it has left. */
static bool
send_answer(struct worker *w)
{
	struct http_response *res = &w->response;
	FCGX_Request *r = &w->fcgx;
	bool sent;

	buf_reset(&w->head);
	http_response_settle(res);
	sent = http_response_head(res, &w->head) == MCP_OK
	    && FCGX_PutStr(w->head.data, (int)w->head.len, r->out) == (int)w->head.len;
	if (sent && !res->no_body && res->body.len > 0)
		sent = FCGX_PutStr(res->body.data, (int)res->body.len, r->out) == (int)res->body.len;
	FCGX_FClose(r->err);
	if (FCGX_FClose(r->out) != 0)
		sent = false;
	FCGX_Free(r, 0);
	r->ipcFd = -1;
	return sent;
}

static bool
answer(struct worker *w, struct connection *c, struct fcgi_head *head)
{
	const struct fcgi_handler *handler = &w->loop->handler;
	struct http_body_source body = { .read = read_body, .ctx = w };
	struct http_request req;
	bool sent;

	if (!begin_request(w, &c->input, head)) {
		log_peer_fault(w->loop, "no resources for its request");
		return false;
	}
	w->current = c;
	http_request_init(&req, w->fcgx.envp);
	if (head->too_large)
		req.fault = HTTP_FAULT_TOO_MANY;
	else if (head->bad_bytes)
		req.fault = HTTP_FAULT_BYTES;
	handler->handle(handler->ctx, &req, &body, &w->response);
	w->current = NULL;
	sent = send_answer(w);
	/* The memory is kept for the next answer, unless this one was unusually large. */
	if (w->response.body.cap > ANSWER_KEPT_MAX)
		http_response_clear(&w->response);
	else
		http_response_reset(&w->response);
	return sent;
}

/*
 * Refuse a request for a role we do not play: END_REQUEST with FCGI_UNKNOWN_ROLE. Source: FastCGI Specification
 * 1.0, section 5.5.
 */
static void
refuse_role(struct worker *w, struct connection *c)
{
	const unsigned id = c->input.request_id;
	const unsigned char record[16] = { FCGI_VERSION_1, FCGI_END_REQUEST, (unsigned char)(id >> 8),
	    (unsigned char)id,
	    0, sizeof(FCGI_EndRequestBody), 0, 0, 0, 0, 0, 0, FCGI_UNKNOWN_ROLE };
	bool sent = send(c->input.fd, record, sizeof(record), MSG_NOSIGNAL) == (ssize_t)sizeof(record);

	log_peer_fault(w->loop, "its request is for another role than RESPONDER");
	end_connection(w, c, sent);
}

static void
count_request(struct loop *loop)
{
	unsigned long max = loop->options.max_requests;

	if (atomic_fetch_add(&loop->served, 1) + 1 == max)
		request_stop(loop);
}

/* Answer what has come on a connection; it is closed or put aside in the end. */
static void
serve_connection(struct worker *w, struct connection *c)
{
	struct loop *loop = w->loop;
	const struct fcgi_handler *handler = &loop->handler;
	bool again = false, more = true;

	while (more) {
		struct fcgi_head head;
		const char *why;
		bool sent;
		enum mcp_err err = fcgi_input_head(&c->input, &w->buffer, &loop->patience, again, &w->params, &head,
		    &why);

		if (err == MCP_ENOENT) {
			bool idle = c->input.request_id != 0;

			put_aside(loop, c, idle ? ASIDE_IDLE : ASIDE_NEW,
			    idle ? 0 : clock_monotonic_ms() + loop->patience.between_bytes_ms);
			return;
		}
		if (err) {
			if (err != MCP_ECLOSED)
				log_peer_fault(loop, why ? why : mcp_strerror(err));
			end_connection(w, c, false);
			return;
		}
		if (head.role != FCGI_RESPONDER) {
			refuse_role(w, c);
			return;
		}
		sent = answer(w, c, &head);
		count_request(loop);
		more = false;
		if (!sent || !c->input.keep || c->input.broken || atomic_load(&loop->stopping)) {
			end_connection(w, c, sent);
		} else if (w->buffer.start == w->buffer.end) {
			put_aside(loop, c, ASIDE_IDLE, 0);
		} else {
			more = again = true;
		}
		if (handler->after)
			handler->after(handler->ctx);
	}
}

/* How long to wait for the next event, or 0 when a stopping process is done. */
static int
wait_ms(struct loop *loop)
{
	int64_t left_ms;

	if (atomic_load(&loop->stopping)) {
		left_ms = atomic_load(&loop->stop_ms) + STOP_QUIET_MS - clock_monotonic_ms();
		return left_ms > 0 ? (int)left_ms : 0;
	}
	return atomic_load(&loop->timed) > 0 ? SWEEP_MS : -1;
}

static void *
work(void *arg)
{
	struct worker *w = arg;
	struct loop *loop = w->loop;

	for (;;) {
		struct epoll_event event;
		struct connection *c;
		int64_t deadline_ms = 0;
		int timeout_ms = wait_ms(loop), n;

		n = epoll_pwait(loop->epoll_fd, &event, 1, timeout_ms, &loop->wait_mask);
		if (n == 0 && timeout_ms == 0)
			break;
		if (atomic_load(&loop->timed) > 0 && clock_monotonic_ms() - atomic_load(&loop->swept_ms) >= SWEEP_MS)
			sweep(loop, false);
		if (n <= 0)
			continue;
		c = event.data.ptr;
		if (!c) {
			c = accept_connection(loop);
			if (c)
				serve_connection(w, c);
		} else if (take_back(loop, c, &deadline_ms) == ASIDE_CLOSING) {
			continue_closing(w, c, deadline_ms);
		} else {
			serve_connection(w, c);
		}
	}
	pthread_mutex_lock(&loop->lock);
	loop->running--;
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
take_signals(struct loop *loop, sigset_t *stop_signals)
{
	struct sigaction wake = { .sa_handler = on_wake };
	struct sigaction standard = { .sa_handler = SIG_DFL }, ignore = { .sa_handler = SIG_IGN };
	sigset_t blocked;

	sigemptyset(stop_signals);
	sigaddset(stop_signals, SIGTERM);
	sigaddset(stop_signals, SIGINT);
	sigaddset(stop_signals, SIGUSR1);
	blocked = *stop_signals;
	sigaddset(&blocked, WAKE_SIGNAL);
	pthread_sigmask(SIG_BLOCK, &blocked, &loop->wait_mask);
	sigaddset(&loop->wait_mask, SIGTERM);
	sigaddset(&loop->wait_mask, SIGINT);
	sigaddset(&loop->wait_mask, SIGUSR1);
	sigdelset(&loop->wait_mask, WAKE_SIGNAL);
	sigaction(SIGTERM, &standard, NULL);
	sigaction(SIGINT, &standard, NULL);
	sigaction(SIGUSR1, &standard, NULL);
	sigaction(SIGHUP, &ignore, NULL);
	sigaction(SIGPIPE, &ignore, NULL);
	sigaction(WAKE_SIGNAL, &wake, NULL);
}

static enum mcp_err
open_listener(struct loop *loop)
{
	struct epoll_event event = { .events = EPOLLIN | EPOLLEXCLUSIVE, .data.ptr = NULL };
	int fd = loop->options.listen_fd, domain = 0, flags;
	socklen_t len = sizeof(domain);

	loop->epoll_fd = epoll_create1(EPOLL_CLOEXEC);
	flags = fcntl(fd, F_GETFL);
	if (loop->epoll_fd < 0 || flags < 0 || fcntl(fd, F_SETFL, flags | O_NONBLOCK) != 0
	    || getsockopt(fd, SOL_SOCKET, SO_DOMAIN, &domain, &len) != 0
	    || epoll_ctl(loop->epoll_fd, EPOLL_CTL_ADD, fd, &event) != 0)
		return MCP_EIO;
	loop->is_tcp = domain == AF_INET || domain == AF_INET6;
	return MCP_OK;
}

static void
free_loop(struct loop *loop)
{
	struct connection *c, *next;

	for (c = loop->first; c; c = next) {
		next = c->next;
		close_connection(c);
	}
	if (loop->epoll_fd >= 0)
		close(loop->epoll_fd);
	pthread_cond_destroy(&loop->ended);
	pthread_mutex_destroy(&loop->lock);
	free(loop);
}

static struct loop *
new_loop(const struct fcgi_options *options, const struct fcgi_handler *handler)
{
	struct loop *loop = calloc(1, sizeof(*loop));
	pthread_condattr_t attr;

	if (!loop)
		return NULL;
	loop->options = *options;
	loop->handler = *handler;
	loop->epoll_fd = -1;
	loop->main_thread = pthread_self();
	loop->patience = (struct fcgi_patience){
		.between_bytes_ms = options->io_timeout_s * 1000,
		.total_ms = options->body_total_s * 1000,
		.stopping_ms = STOP_SILENCE_MS,
		.stopping = &loop->stopping,
		.mask = &loop->wait_mask
	};
	pthread_mutex_init(&loop->lock, NULL);
	pthread_condattr_init(&attr);
	pthread_condattr_setclock(&attr, CLOCK_MONOTONIC);
	pthread_cond_init(&loop->ended, &attr);
	pthread_condattr_destroy(&attr);
	return loop;
}

static void
free_workers(struct worker **workers, unsigned n)
{
	for (unsigned i = 0; i < n; i++) {
		struct worker *w = workers[i];

		close_pipe(w);
		buf_clear(&w->params);
		buf_clear(&w->head);
		http_response_clear(&w->response);
		free(w);
	}
	free(workers);
}

static struct worker *
start_worker(struct loop *loop)
{
	struct worker *w = calloc(1, sizeof(*w));
	pthread_attr_t attr;
	int error;

	if (!w)
		return NULL;
	w->loop = loop;
	w->pipe_read = w->pipe_write = -1;
	buf_init(&w->params, HTTP_PARAMS_BYTES_MAX);
	buf_init(&w->head, HTTP_RESPONSE_HEADERS_MAX + 256);
	http_response_init(&w->response);
	/* Never accepts by itself. */
	FCGX_InitRequest(&w->fcgx, -1, 0);
	pthread_attr_init(&attr);
	pthread_attr_setstacksize(&attr, STACK_SIZE);
	pthread_mutex_lock(&loop->lock);
	error = pthread_create(&w->thread, &attr, work, w);
	if (!error)
		loop->running++;
	pthread_mutex_unlock(&loop->lock);
	pthread_attr_destroy(&attr);
	if (error) {
		log_error("cannot start a thread: %s", strerror(error));
		free(w);
		return NULL;
	}
	return w;
}

/* Wait until all workers have ended. Returns false when the grace is over before that. */
static bool
await_workers(struct loop *loop)
{
	struct timespec until;
	int error = 0;
	bool all;

	clock_gettime(CLOCK_MONOTONIC, &until);
	until.tv_sec += loop->options.stop_grace_s;
	pthread_mutex_lock(&loop->lock);
	while (loop->running > 0 && error != ETIMEDOUT)
		error = pthread_cond_timedwait(&loop->ended, &loop->lock, &until);
	all = loop->running == 0;
	pthread_mutex_unlock(&loop->lock);
	return all;
}

enum mcp_err
fcgi_serve(const struct fcgi_options *options, const struct fcgi_handler *handler)
{
	struct worker **workers = calloc(options->workers, sizeof(*workers));
	struct loop *loop = new_loop(options, handler);
	enum mcp_err err = MCP_ENOMEM;
	unsigned started = 0;
	sigset_t stop_signals;
	int signal_number = 0;

	if (!workers || !loop)
		goto out;
	/*
	 * glibc raises these two by itself as soon as one large block is freed, and then keeps blocks of that size: one
	 * large answer a thread would stay for ever.
	 */
	mallopt(M_MMAP_THRESHOLD, ANSWER_KEPT_MAX);
	mallopt(M_TRIM_THRESHOLD, 2 * ANSWER_KEPT_MAX);
	err = MCP_EIO;
	if (FCGX_Init() != 0)
		goto out;
	take_signals(loop, &stop_signals);
	err = open_listener(loop);
	if (err)
		goto out;
	while (started < options->workers && (workers[started] = start_worker(loop)) != NULL)
		started++;
	if (started == 0) {
		err = MCP_ENOMEM;
		goto out;
	}

	sigwait(&stop_signals, &signal_number);
	log_info("stopping: %s, %lu requests served", strsignal(signal_number), atomic_load(&loop->served));
	atomic_store(&loop->stop_ms, clock_monotonic_ms());
	atomic_store(&loop->stopping, true);
	epoll_ctl(loop->epoll_fd, EPOLL_CTL_DEL, options->listen_fd, NULL);
	for (unsigned i = 0; i < started; i++)
		pthread_kill(workers[i]->thread, WAKE_SIGNAL);
	if (!await_workers(loop))
		/* Threads still use loop and workers: the caller exits. */
		return MCP_ETIMEOUT;
	for (unsigned i = 0; i < started; i++)
		pthread_join(workers[i]->thread, NULL);
	err = MCP_OK;
out:
	if (workers)
		free_workers(workers, started);
	if (loop)
		free_loop(loop);
	return err;
}
