/* SPDX-License-Identifier: MIT */
/* Answers for: what whoever answers a request can do with its channel, and with one that is kept. */
#include "server/fcgi_stream.h"

#include <sys/resource.h>

#include "base/clock.h"
#include "server/fcgi_loop.h"

#define LOOK_EVERY_MS 20	/* how often is_gone() really looks */
#define DESCRIPTORS_OF_THREAD 3	/* its pipe and its epoll set */
#define DESCRIPTORS_KEPT 512	/* connections that wait to be served or have part of a head, databases, our requests */
#define KEPT_QUEUE_MAX (256 * 1024)	/* a client that lets so much wait is given up */

static enum mcp_err
kept_write(struct http_channel *c, const char *data, size_t len)
{
	struct fcgi_stream *s = (struct fcgi_stream *)c;
	enum mcp_err err = MCP_ECLOSED;

	pthread_mutex_lock(&s->lock);
	if (s->queue.len - s->sent + len > KEPT_QUEUE_MAX) {
		atomic_store(&s->gone, true);
		fcgi_loop_wake_keeper(s->loop);
	}
	if (!atomic_load(&s->gone))
		err = fcgi_stream_put(s, data, len);
	if (!err) {
		fcgi_stream_flush(s);
		err = atomic_load(&s->gone) ? MCP_ECLOSED : MCP_OK;
	}
	pthread_mutex_unlock(&s->lock);
	return err == MCP_ELIMIT ? MCP_ENOMEM : err;
}

static bool
kept_is_gone(struct http_channel *c)
{
	return atomic_load(&((struct fcgi_stream *)c)->gone);
}

static void
kept_end(struct http_channel *c)
{
	struct fcgi_stream *s = (struct fcgi_stream *)c;
	struct fcgi_loop *loop = s->loop;

	pthread_mutex_lock(&s->lock);
	if (fcgi_stream_put_end(s) != MCP_OK)
		atomic_store(&s->gone, true);
	if (!atomic_load(&s->gone))
		fcgi_stream_flush(s);
	s->ended = true;
	pthread_mutex_unlock(&s->lock);
	/* It may be freed by now. */
	fcgi_loop_wake_keeper(loop);
}

static const struct http_channel_ops kept_ops = {
	.write = kept_write, .is_gone = kept_is_gone, .end = kept_end
};

/*
 * Whether one more stream leaves descriptors for calls: for every thread that may be there, for connections that wait,
 * and for files.
 */
static bool
has_room(struct fcgi_loop *loop)
{
	const rlim_t kept_back = DESCRIPTORS_OF_THREAD * (loop->options.workers + FCGI_AWAY_MAX) + DESCRIPTORS_KEPT;
	struct rlimit limit;

	if (getrlimit(RLIMIT_NOFILE, &limit) != 0)
		return true;
	return limit.rlim_cur > kept_back && atomic_load(&loop->streams) < limit.rlim_cur - kept_back;
}

static enum mcp_err
channel_begin(struct http_channel *channel, const struct http_response *res, const struct http_channel_terms *terms)
{
	struct fcgi_channel *c = (struct fcgi_channel *)channel;
	struct fcgi_worker *w = c->worker;
	struct fcgi_stream *s;
	enum mcp_err err;

	if (channel->ops->is_gone(channel))
		return MCP_ECLOSED;
	if (!has_room(w->loop))
		return MCP_ELIMIT;
	buf_reset(&w->head);
	err = http_response_head(res, true, &w->head);
	if (err)
		return MCP_ENOMEM;
	s = fcgi_stream_new(w->loop, w->connection, terms);
	if (!s)
		return MCP_ENOMEM;
	s->channel.ops = &kept_ops;
	err = fcgi_stream_put(s, w->head.data, w->head.len) ? MCP_ENOMEM : MCP_OK;
	if (!err && !fcgi_worker_goes_away(w))
		err = MCP_ELIMIT;
	if (err) {
		fcgi_stream_free(s);
		return err;
	}
	atomic_store(&c->stream, s);
	fcgi_keeper_add(s);
	return MCP_OK;
}

static enum mcp_err
channel_write(struct http_channel *channel, const char *data, size_t len)
{
	struct fcgi_stream *s = atomic_load(&((struct fcgi_channel *)channel)->stream);
	enum mcp_err err = MCP_ECLOSED;

	pthread_mutex_lock(&s->lock);
	if (!atomic_load(&s->gone))
		err = fcgi_stream_put(s, data, len);
	if (!err)
		err = fcgi_stream_flush_all(s);
	pthread_mutex_unlock(&s->lock);
	return err == MCP_ELIMIT ? MCP_ENOMEM : err;
}

static bool
channel_is_gone(struct http_channel *channel)
{
	struct fcgi_channel *c = (struct fcgi_channel *)channel;
	struct fcgi_stream *s = atomic_load(&c->stream);
	atomic_bool *gone = s ? &s->gone : &c->gone;
	int64_t now_ms = clock_monotonic_ms();

	if (atomic_load(gone))
		return true;
	if (now_ms - atomic_load(&c->looked_ms) < LOOK_EVERY_MS)
		return false;
	atomic_store(&c->looked_ms, now_ms);
	/* Some fronts notice only when they cannot pass something on: the keeper sends probes from now on. */
	if (s && s->terms.probe_ms > 0 && !atomic_exchange(&s->asked, true))
		fcgi_loop_wake_keeper(s->loop);
	if (!fcgi_peer_has_left(c->worker->connection->input.fd))
		return false;
	atomic_store(gone, true);
	return true;
}

static enum mcp_err
channel_keep(struct http_channel *channel, const struct http_channel_owner *owner, struct http_channel **kept)
{
	struct fcgi_stream *s = atomic_load(&((struct fcgi_channel *)channel)->stream);

	*kept = NULL;
	if (atomic_load(&s->gone))
		return MCP_ECLOSED;
	s->owner = *owner;
	pthread_mutex_lock(&s->lock);
	s->kept = true;
	pthread_mutex_unlock(&s->lock);
	*kept = &s->channel;
	return MCP_OK;
}

static const struct http_channel_ops channel_ops = {
	.begin = channel_begin, .write = channel_write, .is_gone = channel_is_gone, .keep = channel_keep
};

void
fcgi_channel_init(struct fcgi_channel *c, struct fcgi_worker *w)
{
	c->channel = (struct http_channel){ .ops = &channel_ops, .shared = w->connection->input.keep };
	c->worker = w;
	atomic_init(&c->stream, NULL);
	atomic_init(&c->gone, false);
	atomic_init(&c->looked_ms, INT64_MIN / 2);
}

enum fcgi_channel_end
fcgi_channel_end(struct fcgi_channel *c)
{
	struct fcgi_stream *s = atomic_exchange(&c->stream, NULL);
	enum mcp_err err;

	if (!s)
		return FCGI_CHANNEL_UNUSED;
	if (s->kept) {
		/* What follows the request is not read by anybody then. */
		if (c->worker->buffer.start != c->worker->buffer.end)
			s->connection->input.broken = true;
		fcgi_keeper_take(s);
		return FCGI_CHANNEL_KEPT;
	}
	fcgi_keeper_remove(s);
	err = fcgi_stream_put_end(s);
	if (!err)
		err = fcgi_stream_flush_all(s);
	fcgi_stream_free(s);
	return err ? FCGI_CHANNEL_LOST : FCGI_CHANNEL_SENT;
}
