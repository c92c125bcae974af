/* SPDX-License-Identifier: MIT */
/* Answers for: the bytes of answers that leave in pieces. */
#include "server/fcgi_stream.h"

#include <errno.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

#include <fastcgi.h>

#include "base/clock.h"
#include "server/fcgi_loop.h"

#define CONTENT_MAX 65528	/* of one record; FCGI_MAX_LENGTH down to a multiple of eight */
#define QUEUE_MAX (HTTP_RESPONSE_BODY_MAX + 1024 * 1024)
#define QUEUE_IDLE_MAX 4096	/* a queue that grew beyond this gives its memory back when it is empty */

bool
fcgi_peer_has_left(int fd)
{
	struct pollfd pfd = { .fd = fd, .events = POLLIN | POLLRDHUP };
	unsigned char header[FCGI_HEADER_LEN];
	ssize_t n;

	if (poll(&pfd, 1, 0) <= 0)
		return false;
	if (pfd.revents & (POLLRDHUP | POLLHUP | POLLERR))
		return true;
	n = recv(fd, header, sizeof(header), MSG_PEEK | MSG_DONTWAIT);
	return n == 0 || (n == sizeof(header) && header[1] == FCGI_ABORT_REQUEST);
}

/*
 * Append records of "type" with the bytes, or one empty record; none when they do not fit. Returns MCP_OK, MCP_ENOMEM,
 * MCP_ELIMIT.
 */
static enum mcp_err
queue_records(struct fcgi_stream *s, unsigned type, const char *data, size_t len)
{
	const unsigned id = s->connection->input.request_id;
	size_t records = len ? (len + CONTENT_MAX - 1) / CONTENT_MAX : 1;
	enum mcp_err err = buf_reserve(&s->queue, len + records * FCGI_HEADER_LEN);

	if (err) {
		/* What stands in it is whole, and leaves. */
		s->queue.status = MCP_OK;
		return err;
	}
	if (s->queue.len == s->sent)
		s->moved_ms = clock_monotonic_ms();
	do {
		size_t n = len < CONTENT_MAX ? len : CONTENT_MAX;
		const unsigned char header[FCGI_HEADER_LEN] = { FCGI_VERSION_1, (unsigned char)type,
			(unsigned char)(id >> 8), (unsigned char)id, (unsigned char)(n >> 8), (unsigned char)n };

		buf_put(&s->queue, header, sizeof(header));
		buf_put(&s->queue, data, n);
		data += n;
		len -= n;
	} while (len > 0);
	return MCP_OK;
}

enum mcp_err
fcgi_stream_put(struct fcgi_stream *s, const char *data, size_t len)
{
	return len > 0 ? queue_records(s, FCGI_STDOUT, data, len) : MCP_OK;
}

enum mcp_err
fcgi_stream_put_end(struct fcgi_stream *s)
{
	static const char complete[sizeof(FCGI_EndRequestBody)];	/* status 0, FCGI_REQUEST_COMPLETE */
	enum mcp_err err = queue_records(s, FCGI_STDOUT, "", 0);

	return err ? err : queue_records(s, FCGI_END_REQUEST, complete, sizeof(complete));
}

void
fcgi_stream_flush(struct fcgi_stream *s)
{
	while (!atomic_load(&s->gone) && s->sent < s->queue.len) {
		ssize_t n = send(s->connection->input.fd, s->queue.data + s->sent, s->queue.len - s->sent,
		    MSG_DONTWAIT | MSG_NOSIGNAL);

		if (n < 0 && errno == EAGAIN)
			return;
		if (n < 0 && errno != EINTR)
			atomic_store(&s->gone, true);
		if (n > 0) {
			s->sent += (size_t)n;
			s->moved_ms = clock_monotonic_ms();
		}
	}
	s->sent = 0;
	if (s->queue.cap > QUEUE_IDLE_MAX)
		buf_clear(&s->queue);
	else
		buf_reset(&s->queue);
}

bool
fcgi_stream_is_stuck(const struct fcgi_stream *s, int64_t now_ms)
{
	return s->sent < s->queue.len && now_ms - s->moved_ms >= s->loop->patience.between_bytes_ms;
}

enum mcp_err
fcgi_stream_flush_all(struct fcgi_stream *s)
{
	struct pollfd pfd = { .fd = s->connection->input.fd, .events = POLLOUT };

	fcgi_stream_flush(s);
	while (!atomic_load(&s->gone) && s->sent < s->queue.len) {
		int64_t now_ms = clock_monotonic_ms();
		int64_t left_ms = s->moved_ms + s->loop->patience.between_bytes_ms - now_ms;

		if (left_ms <= 0 || now_ms >= s->over_ms) {
			atomic_store(&s->gone, true);
			break;
		}
		if (left_ms > s->over_ms - now_ms)
			left_ms = s->over_ms - now_ms;
		(void)poll(&pfd, 1, (int)left_ms);
		fcgi_stream_flush(s);
	}
	return atomic_load(&s->gone) ? MCP_ECLOSED : MCP_OK;
}

void
fcgi_stream_pulse(struct fcgi_stream *s, int64_t now_ms, int64_t after_ms)
{
	if (s->ended || atomic_load(&s->gone) || s->sent < s->queue.len || now_ms - s->moved_ms < after_ms)
		return;
	if (fcgi_stream_put(s, s->terms.pulse, strlen(s->terms.pulse)) == MCP_OK)
		fcgi_stream_flush(s);
}

struct fcgi_stream *
fcgi_stream_new(struct fcgi_loop *loop, struct fcgi_connection *c, const struct http_channel_terms *terms)
{
	struct fcgi_stream *s = calloc(1, sizeof(*s));

	if (!s)
		return NULL;
	s->loop = loop;
	s->connection = c;
	s->terms = *terms;
	s->over_ms = clock_monotonic_ms() + terms->life_ms;
	pthread_mutex_init(&s->lock, NULL);
	buf_init(&s->queue, QUEUE_MAX);
	atomic_fetch_add(&loop->streams, 1);
	return s;
}

void
fcgi_stream_free(struct fcgi_stream *s)
{
	atomic_fetch_sub(&s->loop->streams, 1);
	buf_clear(&s->queue);
	pthread_mutex_destroy(&s->lock);
	free(s);
}
