/* SPDX-License-Identifier: MIT */
/*
 * Answers for: one request at a time in one thread. Its head is read and checked (fcgi_input.c), then handed to
 * libfcgi through a pipe: libfcgi makes the parameters' array of it and writes the answer, unless that leaves in pieces
 * (fcgi_stream.c). The handler answers in between, and reads the body from the connection by fcgi_input.c. libfcgi
 * itself never reads from a peer.
 */
#include <fcntl.h>
#include <poll.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/uio.h>
#include <time.h>
#include <unistd.h>

#include <fastcgi.h>

#include "base/clock.h"
#include "server/fcgi_loop.h"

/* PARAMS records of the largest head, the empty one too. */
#define HEAD_RECORDS (HTTP_PARAMS_BYTES_MAX / FCGI_MAX_LENGTH + 2)
#define ANSWER_KEPT_MAX (256 * 1024)	/* a thread's buffer that grew beyond this for one answer is given back */
#define PIECE ((size_t)64 * 1024)	/* of an answer: how often to look at the time */
#define READER_BYTES_PER_S 16384	/* a client that takes its whole answer more slowly is given up */
#define HEADS_MAX 256	/* peers in the middle of a head that are waited for; each may keep HTTP_PARAMS_BYTES_MAX */
#define FIRST_BYTE_MS 20	/* how long a thread stays with a new connection that says nothing yet */

/*
 * Write BEGIN_REQUEST, the parameters and their end into the pipe. Returns false when they do not fit. Source: FastCGI
 * Specification 1.0, section 3.3.
 */
static bool
feed(struct fcgi_worker *w, const struct fcgi_input *in, const char *params, size_t len)
{
	const unsigned char id1 = (unsigned char)(in->request_id >> 8), id0 = (unsigned char)in->request_id;
	unsigned char begin[16] = { FCGI_VERSION_1, FCGI_BEGIN_REQUEST, id1, id0,
	    0, sizeof(FCGI_BeginRequestBody), 0, 0, 0, FCGI_RESPONDER };
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
begin_request(struct fcgi_worker *w, struct fcgi_input *in, struct fcgi_head *head)
{
	FCGX_Request *r = &w->fcgx;
	bool fed;

	/* It was lost to a failure before, when there was no descriptor for a new one. */
	if (w->pipe_read < 0 && !fcgi_worker_open_pipe(w))
		return false;
	if (head->too_large || head->count >= HTTP_PARAMS_MAX) {
		head->too_large = true;
		buf_reset(&w->params);
	}
	fed = feed(w, in, w->params.data, w->params.len);
	if (!fed) {
		fcgi_worker_close_pipe(w);
		head->too_large = true;
		fed = fcgi_worker_open_pipe(w) && feed(w, in, NULL, 0);
	}
	if (!fed)
		return false;
	r->ipcFd = w->pipe_read;
	r->keepConnection = 1;	/* libfcgi closes nothing */
	if (FCGX_Accept_r(r) < 0) {
		/* It has closed the pipe. */
		w->pipe_read = -1;
		fcgi_worker_close_pipe(w);
		return false;
	}
	r->ipcFd = in->fd;
	r->keepConnection = 1;
	return true;
}

static ssize_t
read_body(void *ctx, void *to, size_t n, enum mcp_err *err)
{
	struct fcgi_worker *w = ctx;

	return fcgi_input_body(&w->connection->input, &w->buffer, &w->loop->patience, to, n, err);
}

/*
 * Have libfcgi write the body, which waits for the client at each write. One that takes little at a time is given up
 * after all: the connection is shut, so that nothing more is waited for.
 */
static bool
send_body(struct fcgi_worker *w, const struct fcgi_connection *c)
{
	const struct buf *body = &w->response.body;
	int64_t until_ms = clock_monotonic_ms() + w->loop->patience.between_bytes_ms
	    + (int64_t)body->len * 1000 / READER_BYTES_PER_S;

	for (size_t at = 0; at < body->len; at += PIECE) {
		int n = (int)(body->len - at < PIECE ? body->len - at : PIECE);

		if (FCGX_PutStr(body->data + at, n, w->fcgx.out) != n)
			return false;
		if (at + PIECE < body->len && clock_monotonic_ms() >= until_ms) {
			fcgi_loop_log_fault(w->loop, "it takes its answer too slowly");
			shutdown(c->input.fd, SHUT_RDWR);
			return false;
		}
	}
	return true;
}

/* Compose and write the answer whole. Returns whether all of it has left. */
static bool
send_answer(struct fcgi_worker *w, const struct fcgi_connection *c)
{
	struct http_response *res = &w->response;
	FCGX_Request *r = &w->fcgx;
	bool sent;

	buf_reset(&w->head);
	http_response_settle(res);
	sent = http_response_head(res, false, &w->head) == MCP_OK
	    && FCGX_PutStr(w->head.data, (int)w->head.len, r->out) == (int)w->head.len;
	if (sent && !res->no_body)
		sent = send_body(w, c);
	FCGX_FClose(r->err);
	if (FCGX_FClose(r->out) != 0)
		sent = false;
	return sent;
}

/* Answer one request. FCGI_CHANNEL_KEPT: the connection is not ours any more. */
static enum fcgi_channel_end
answer(struct fcgi_worker *w, struct fcgi_connection *c, struct fcgi_head *head)
{
	const struct fcgi_handler *handler = &w->loop->handler;
	struct http_body_source body = { .read = read_body, .ctx = w };
	struct http_request req;
	enum fcgi_channel_end end;

	if (!begin_request(w, &c->input, head)) {
		fcgi_loop_log_fault(w->loop, "no resources for its request");
		return FCGI_CHANNEL_LOST;
	}
	fcgi_worker_handles(w, c);
	http_request_init(&req, w->fcgx.envp);
	if (head->too_large)
		req.fault = HTTP_FAULT_TOO_MANY;
	else if (head->bad_bytes)
		req.fault = HTTP_FAULT_BYTES;
	fcgi_channel_init(&w->channel, w);
	w->response.channel = &w->channel.channel;
	handler->handle(handler->ctx, &req, &body, &w->response);
	end = fcgi_channel_end(&w->channel);
	if (end == FCGI_CHANNEL_UNUSED)
		end = send_answer(w, c) ? FCGI_CHANNEL_SENT : FCGI_CHANNEL_LOST;
	fcgi_worker_handled(w);
	FCGX_Free(&w->fcgx, 0);
	w->fcgx.ipcFd = -1;
	/* The memory is kept for the next answer, unless this one was unusually large. */
	if (w->response.body.cap > ANSWER_KEPT_MAX)
		http_response_clear(&w->response);
	else
		http_response_reset(&w->response);
	return end;
}

/*
 * Refuse a request for a role we do not play: END_REQUEST with FCGI_UNKNOWN_ROLE. Source: FastCGI Specification 1.0,
 * section 5.5.
 */
static void
refuse_role(struct fcgi_worker *w, struct fcgi_connection *c)
{
	const unsigned id = c->input.request_id;
	const unsigned char record[16] = { FCGI_VERSION_1, FCGI_END_REQUEST, (unsigned char)(id >> 8),
		(unsigned char)id, 0, sizeof(FCGI_EndRequestBody), 0, 0, 0, 0, 0, 0, FCGI_UNKNOWN_ROLE };
	bool sent = send(c->input.fd, record, sizeof(record), MSG_NOSIGNAL) == (ssize_t)sizeof(record);

	fcgi_loop_log_fault(w->loop, "its request is for another role than RESPONDER");
	fcgi_connection_end(w, c, sent);
}

static void
count_request(struct fcgi_loop *loop)
{
	unsigned long max = loop->options.max_requests;

	if (atomic_fetch_add(&loop->served, 1) + 1 == max)
		fcgi_loop_request_stop(loop);
}

/*
 * A front connects and writes at once, but not in one step: stay for a moment, which is cheaper than putting the
 * connection aside and being woken for it.
 */
static void
await_first_byte(const struct fcgi_loop *loop, const struct fcgi_connection *c)
{
	struct pollfd pfd = { .fd = c->input.fd, .events = POLLIN };
	struct timespec moment = { .tv_nsec = FIRST_BYTE_MS * 1000000 };

	ppoll(&pfd, 1, &moment, &loop->wait_mask);
}

/* Read the next head. MCP_OK, or any failure of fcgi_input_head() after the connection was closed or put aside. */
static enum mcp_err
next_head(struct fcgi_worker *w, struct fcgi_connection *c, bool buffered_only, struct fcgi_head *head)
{
	struct fcgi_loop *loop = w->loop;
	bool is_new = c->input.request_id == 0;
	const char *why;
	enum mcp_err err;

	err = fcgi_input_head(&c->input, &w->buffer, &loop->patience, buffered_only, &w->params, head, &why);
	if (err == MCP_ENOENT && is_new && !c->registered && !c->input.pending) {
		await_first_byte(loop, c);
		err = fcgi_input_head(&c->input, &w->buffer, &loop->patience, false, &w->params, head, &why);
	}
	if (err == MCP_ENOENT && c->input.pending && atomic_load(&loop->heads) >= HEADS_MAX) {
		fcgi_loop_log_fault(loop, "too many requests have come in part");
		fcgi_connection_end(w, c, false);
	} else if (err == MCP_ENOENT && c->input.pending) {
		fcgi_connection_put_aside(loop, c, FCGI_ASIDE_HEAD,
		    clock_monotonic_ms() + fcgi_input_patience_ms(&c->input, &loop->patience));
	} else if (err == MCP_ENOENT && is_new) {
		fcgi_connection_put_aside(loop, c, FCGI_ASIDE_NEW,
		    clock_monotonic_ms() + loop->patience.between_bytes_ms);
	} else if (err == MCP_ENOENT) {
		fcgi_connection_put_aside(loop, c, FCGI_ASIDE_IDLE, 0);
	} else if (err) {
		if (err != MCP_ECLOSED)
			fcgi_loop_log_fault(loop, why ? why : mcp_strerror(err));
		fcgi_connection_end(w, c, false);
	}
	return err;
}

void
fcgi_request_serve(struct fcgi_worker *w, struct fcgi_connection *c)
{
	struct fcgi_loop *loop = w->loop;
	const struct fcgi_handler *handler = &loop->handler;
	bool again = false, more = true;

	while (more) {
		struct fcgi_head head;
		enum fcgi_channel_end end;

		if (next_head(w, c, again, &head) != MCP_OK)
			return;
		if (head.role != FCGI_RESPONDER) {
			refuse_role(w, c);
			return;
		}
		end = answer(w, c, &head);
		count_request(loop);
		more = false;
		if (end == FCGI_CHANNEL_KEPT)
			w->buffer.start = w->buffer.end = 0;
		else if (end == FCGI_CHANNEL_LOST || !c->input.keep || c->input.broken || atomic_load(&loop->stopping))
			fcgi_connection_end(w, c, end == FCGI_CHANNEL_SENT);
		else if (w->buffer.start == w->buffer.end)
			fcgi_connection_put_aside(loop, c, FCGI_ASIDE_IDLE, 0);
		else
			more = again = true;
		if (handler->after)
			handler->after(handler->ctx);
	}
}
