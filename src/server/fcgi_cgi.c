/* SPDX-License-Identifier: MIT */
/*
 * Answers for: being a plain CGI program. libfcgi's fcgiapp has no CGI emulation, and asking it (FCGX_IsCGI) makes the
 * process ignore SIGTERM, so it is not used here:
 * parameters are the environment, the body is fd 0, the answer goes to fd 1. Source: RFC 3875 sections 4 and 6.
 */
#include "server/fcgi.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <poll.h>
#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/buf.h"
#include "base/clock.h"
#include "http/channel.h"

#define ANSWER_FD 1
#define LATE_S 20		/* what is done after the answer ends the process when it takes longer */

struct cgi_body {
	const struct fcgi_options *options;
	int64_t left;		/* bytes of CONTENT_LENGTH not yet read, -1: up to the end of file */
	int64_t deadline_ms;	/* 0 until first asked */
	bool ended;
};

bool
fcgi_is_cgi(void)
{
	int listening = 0;
	socklen_t len = sizeof(listening);

	return getsockopt(STDIN_FILENO, SOL_SOCKET, SO_ACCEPTCONN, &listening, &len) != 0 || !listening;
}

/* Wait until fd 0 has something. MCP_OK, MCP_ETIMEOUT, MCP_EIO. */
static enum mcp_err
wait_readable(const struct cgi_body *body)
{
	struct pollfd pfd = { .fd = STDIN_FILENO, .events = POLLIN };
	int64_t left_ms = body->deadline_ms - clock_monotonic_ms();
	int between_ms = body->options->io_timeout_s * 1000, n;

	if (left_ms <= 0)
		return MCP_ETIMEOUT;
	do
		n = poll(&pfd, 1, left_ms < between_ms ? (int)left_ms : between_ms);
	while (n < 0 && errno == EINTR);
	return n > 0 ? MCP_OK : n == 0 ? MCP_ETIMEOUT : MCP_EIO;
}

static ssize_t
read_body(void *ctx, void *to, size_t n, enum mcp_err *err)
{
	struct cgi_body *body = ctx;
	ssize_t count;

	*err = MCP_OK;
	if (body->left >= 0 && (int64_t)n > body->left)
		n = (size_t)body->left;
	if (body->ended || n == 0)
		return 0;
	if (body->deadline_ms == 0)
		body->deadline_ms = clock_monotonic_ms() + body->options->body_total_s * (int64_t)1000;
	do {
		*err = wait_readable(body);
		if (*err)
			return -1;
		count = read(STDIN_FILENO, to, n);
	} while (count < 0 && errno == EINTR);
	if (count < 0) {
		*err = MCP_EIO;
		return -1;
	}
	body->ended = count == 0;
	if (body->left > 0)
		body->left -= count;
	return count;
}

/*
 * A web server that still sends the body when we end gives the client an empty answer: read it all, within the
 * deadlines.
 */
static void
drain(struct cgi_body *body)
{
	char trash[16 * 1024];
	enum mcp_err err;

	while (read_body(body, trash, sizeof(trash), &err) > 0)
		;
}

static enum mcp_err
write_all(const char *data, size_t len)
{
	while (len > 0) {
		ssize_t n = write(ANSWER_FD, data, len);

		if (n < 0 && errno == EINTR)
			continue;
		if (n <= 0)
			return MCP_EIO;
		data += n;
		len -= (size_t)n;
	}
	return MCP_OK;
}

/* An answer in pieces. The front takes them from us one by one; there is no keeper, nobody else to keep it for. */
struct cgi_channel {
	struct http_channel channel;	/* first, so that it can be found */
	const struct fcgi_options *options;
	struct http_channel_terms terms;
	bool begun;
	atomic_bool gone;
	int64_t over_ms;
	pthread_mutex_t lock;
	/* Under the lock: */
	struct buf head;		/* until it has left */
	int64_t wrote_ms;
};

/* Write, waiting for a slow front as for a silent one. Locked. */
static enum mcp_err
write_piece(struct cgi_channel *c, const char *data, size_t len)
{
	struct pollfd pfd = { .fd = ANSWER_FD, .events = POLLOUT };

	while (len > 0 && !atomic_load(&c->gone)) {
		/* What can be written to a pipe at once when poll() says that something can. */
		size_t part = len < PIPE_BUF ? len : PIPE_BUF;
		ssize_t n;

		errno = ETIMEDOUT;
		n = clock_monotonic_ms() >= c->over_ms || poll(&pfd, 1, c->options->io_timeout_s * 1000) <= 0 ? -1
		    : send(ANSWER_FD, data, part, MSG_DONTWAIT | MSG_NOSIGNAL);
		if (n < 0 && errno == ENOTSOCK)
			n = write(ANSWER_FD, data, part);
		if (n < 0 && errno != EAGAIN && errno != EINTR)
			atomic_store(&c->gone, true);
		if (n > 0) {
			data += n;
			len -= (size_t)n;
		}
	}
	c->wrote_ms = clock_monotonic_ms();
	return len > 0 ? MCP_ECLOSED : MCP_OK;
}

static enum mcp_err
channel_begin(struct http_channel *channel, const struct http_response *res, const struct http_channel_terms *terms)
{
	struct cgi_channel *c = (struct cgi_channel *)channel;
	enum mcp_err err = http_response_head(res, true, &c->head);

	c->terms = *terms;
	c->wrote_ms = clock_monotonic_ms();
	c->over_ms = c->wrote_ms + terms->life_ms;
	c->begun = !err;
	return err ? MCP_ENOMEM : MCP_OK;
}

static enum mcp_err
channel_write(struct http_channel *channel, const char *data, size_t len)
{
	struct cgi_channel *c = (struct cgi_channel *)channel;
	enum mcp_err err;

	pthread_mutex_lock(&c->lock);
	err = write_piece(c, c->head.data, c->head.len);
	buf_reset(&c->head);
	if (!err)
		err = write_piece(c, data, len);
	pthread_mutex_unlock(&c->lock);
	return err;
}

static bool
channel_is_gone(struct http_channel *channel)
{
	struct cgi_channel *c = (struct cgi_channel *)channel;
	struct pollfd pfd = { .fd = ANSWER_FD };
	int64_t pulse_ms;

	if (poll(&pfd, 1, 0) > 0)
		atomic_store(&c->gone, true);
	/* Who holds the lock is writing. */
	if (c->begun && pthread_mutex_trylock(&c->lock) == 0) {
		pulse_ms = c->terms.probe_ms > 0 ? c->terms.probe_ms : c->terms.pulse_ms;
		if (c->head.len == 0 && clock_monotonic_ms() - c->wrote_ms >= pulse_ms)
			(void)write_piece(c, c->terms.pulse, strlen(c->terms.pulse));
		pthread_mutex_unlock(&c->lock);
	}
	return atomic_load(&c->gone);
}

static const struct http_channel_ops channel_ops = {
	.begin = channel_begin, .write = channel_write, .is_gone = channel_is_gone
};

static enum mcp_err
send_answer(struct http_response *res)
{
	enum mcp_err err;
	struct buf head;

	buf_init(&head, HTTP_RESPONSE_HEADERS_MAX + 256);
	http_response_settle(res);
	err = http_response_head(res, false, &head);
	if (!err)
		err = write_all(head.data, head.len);
	if (!err && !res->no_body)
		err = write_all(res->body.data, res->body.len);
	buf_clear(&head);
	return err ? MCP_EIO : MCP_OK;
}

/* Have "fd" lead nowhere. Returns false, with it closed, when that cannot be. */
static bool
let_go(int fd)
{
	int null = open("/dev/null", O_RDWR | O_CLOEXEC);
	bool done = null >= 0 && dup2(null, fd) == fd;

	if (!done)
		close(fd);
	if (null > STDERR_FILENO)
		close(null);
	return done;
}

/*
 * The answer is complete: make the front see that, and live on for a moment. Apache's mod_cgid gives one socket as
 * input and output and waits until nobody has it; mod_cgi waits for a piped stderr as well. Returns false when nothing
 * more should be done.
 */
static bool
leave_front(void)
{
	struct stat st;
	bool left;

	alarm(LATE_S);
	left = let_go(STDIN_FILENO);
	left = let_go(ANSWER_FD) && left;
	if (fstat(STDERR_FILENO, &st) == 0 && !S_ISREG(st.st_mode) && !S_ISCHR(st.st_mode))
		left = let_go(STDERR_FILENO) && left;
	return left;
}

enum mcp_err
fcgi_serve_cgi(const struct fcgi_options *options, const struct fcgi_handler *handler)
{
	struct sigaction ignore = { .sa_handler = SIG_IGN };
	struct cgi_body body = { .options = options, .left = -1 };
	struct http_body_source source = { .read = read_body, .ctx = &body };
	struct cgi_channel channel = { .channel.ops = &channel_ops, .options = options,
	    .lock = PTHREAD_MUTEX_INITIALIZER };
	struct http_response res;
	struct http_request req;
	enum mcp_err err;

	sigaction(SIGPIPE, &ignore, NULL);
	buf_init(&channel.head, HTTP_RESPONSE_HEADERS_MAX + 256);
	http_response_init(&res);
	res.channel = &channel.channel;
	http_request_init(&req, environ);
	/*
	 * Without a length there is a body only when the request was chunked (Apache); a script must not read further
	 * than the length, since not every server
	 * closes our input. Source: RFC 3875 section 4.2.
	 */
	if (req.content_length >= 0)
		body.left = req.content_length;
	else if (!http_request_variable(&req, "HTTP_TRANSFER_ENCODING"))
		body.left = 0;
	handler->handle(handler->ctx, &req, &source, &res);
	drain(&body);
	/*
	 * lighttpd sends SIGTERM to a script as soon as it has the whole answer; Apache does too, and kills it three
	 * seconds later.
	 */
	if (handler->after)
		sigaction(SIGTERM, &ignore, NULL);
	if (!channel.begun)
		err = send_answer(&res);
	else
		err = atomic_load(&channel.gone) ? MCP_EIO : MCP_OK;
	if (handler->after && leave_front())
		handler->after(handler->ctx);
	http_response_clear(&res);
	buf_clear(&channel.head);
	return err;
}
