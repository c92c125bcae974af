/* SPDX-License-Identifier: MIT */
/*
 * Answers for: answers as Server-Sent Events. The first event takes a lease of MAX_STREAMS and composes the head; the
 * reply becomes the last one. A stream that is kept goes on without the exchange, with what it needs of it.
 */
#include "server/stream.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/log.h"
#include "http/channel.h"
#include "http/sse.h"
#include "oauth/principal_digest.h"
#include "server/answer.h"
#include "server/exchange.h"
#include "store/leases.h"

#define EVENT_MAX (HTTP_RESPONSE_BODY_MAX + 4096)
/* A client that asks for it is looked for so often where the front tells only by failing to pass bytes on. */
#define PROBE_MS 400
#define LAST_WORD_MS 500	/* so long before a stream is given up whoever waits on it should say why it ends */
#define SHORT_LIFE_MS 5000	/* of a stream that waits, where each costs the front a process */

/* A stream that outlives its exchange. */
struct kept {
	struct mcp_kept kept;		/* first, so that it can be found */
	struct http_channel *channel;
	struct mcp_kept_owner owner;
	struct server *server;		/* a reference */
	char id[17];
	int lease;
	int64_t begun_ms;
	atomic_uint events;
	atomic_int over;		/* 0: its owner ended it by itself; else 1 + enum mcp_kept_end */
};

/* Render and write one event. */
static enum mcp_err
write_event(struct http_channel *c, const struct mcp_event *event)
{
	enum mcp_err err;
	struct buf text;

	buf_init(&text, EVENT_MAX);
	sse_render(event->id, event->retry_ms, event->json, event->len, &text);
	err = buf_status(&text) ? MCP_ENOMEM : c->ops->write(c, text.data, text.len);
	buf_clear(&text);
	return err;
}

/* Compose the head of a stream. Source: MCP 2026-07-28 basic/transports/streamable-http, "Receiving Messages". */
static void
compose_head(struct exchange *x)
{
	x->res->status = 200;
	http_response_header(x->res, "Content-Type", SSE_TYPE);
	http_response_header(x->res, "Cache-Control", "no-store");
	http_response_header(x->res, "X-Accel-Buffering", "no");
	answer_limit_fields(x);
	admission_cors(&x->server->admission, x->req, false, false, x->res);
}

/* Whose stream it is. Two of whom the first eight bytes are the same share what one may have. */
static uint64_t
holder(const struct exchange *x)
{
	unsigned char digest[DIGEST_SHA256_LEN];
	uint64_t number = 0;

	if (principal_digest(&x->principal, digest) == MCP_OK)
		memcpy(&number, digest, sizeof(number));
	return number;
}

/* Begin the stream, "life_ms" long at most. Locked. Returns MCP_OK, MCP_ELIMIT, MCP_ECLOSED, MCP_ENOMEM. */
static enum mcp_err
begin(struct exchange *x, int64_t life_ms)
{
	const struct server_settings *set = x->server->settings;
	const char *software = http_request_variable(x->req, "SERVER_SOFTWARE");
	/* nginx closes our connection at once. */
	const bool tells = software && strncmp(software, "nginx", 5) == 0;
	const struct http_channel_terms terms = { .pulse = SSE_COMMENT, .pulse_ms = set->stream_keepalive_s * 1000,
	    .probe_ms = tells ? 0 : PROBE_MS, .life_ms = life_ms };
	struct exchange_stream *s = &x->stream;
	enum mcp_err err;

	if (s->begun)
		return MCP_OK;
	if (s->refused)
		return MCP_ELIMIT;
	s->lease = leases_take(x->server->streams, holder(x));
	if (s->lease < 0) {
		s->refused = true;
		return MCP_ELIMIT;
	}
	compose_head(x);
	err = x->res->channel->ops->begin(x->res->channel, x->res, &terms);
	s->begun = !err;
	s->begun_ms = clock_monotonic_ms();
	if (err) {
		leases_give(x->server->streams, s->lease);
		http_response_reset(x->res);
		s->refused = err == MCP_ELIMIT;
	}
	return err;
}

static enum mcp_err
send_event(void *ctx, const struct mcp_event *event)
{
	struct exchange *x = ctx;
	struct exchange_stream *s = &x->stream;
	enum mcp_err err;

	pthread_mutex_lock(&s->lock);
	err = begin(x, x->server->settings->max_stream_s * 1000);
	if (!err) {
		err = write_event(x->res->channel, event);
		s->events += !err;
		s->lost = s->lost || err;
	}
	pthread_mutex_unlock(&s->lock);
	return err;
}

static enum mcp_err
kept_send(struct mcp_kept *kept, const struct mcp_event *event)
{
	struct kept *k = (struct kept *)kept;
	enum mcp_err err = write_event(k->channel, event);

	if (!err)
		atomic_fetch_add(&k->events, 1);
	return err;
}

static void
kept_end(struct mcp_kept *kept, const struct mcp_event *last)
{
	struct kept *k = (struct kept *)kept;

	if (last)
		(void)kept_send(kept, last);
	k->channel->ops->end(k->channel);
}

static void
on_over(void *ctx, bool gone)
{
	struct kept *k = ctx;
	enum mcp_kept_end why = gone ? MCP_KEPT_GONE : MCP_KEPT_OVER;

	atomic_store(&k->over, 1 + (int)why);
	k->owner.over(k->owner.ctx, why);
}

static void
on_released(void *ctx, bool delivered)
{
	static const char *const words[] = { "ended", "client left", "life over" };
	struct kept *k = ctx;

	k->owner.released(k->owner.ctx);
	leases_give(k->server->streams, k->lease);
	/* Whoever reads this finds its place free. */
	log_info("%s stream of %u events closed after %" PRId64 " ms, %s%s", k->id, atomic_load(&k->events),
	    clock_monotonic_ms() - k->begun_ms, words[atomic_load(&k->over)],
	    delivered || atomic_load(&k->over) == 1 + MCP_KEPT_GONE ? "" : ", its end not delivered");
	server_unref(k->server);
	free(k);
}

static enum mcp_err
keep(void *ctx, const struct mcp_kept_owner *owner, struct mcp_kept **out)
{
	struct exchange *x = ctx;
	struct exchange_stream *s = &x->stream;
	struct kept *k = calloc(1, sizeof *k);
	struct http_channel_owner mine = { .over = on_over, .released = on_released, .ctx = k };
	enum mcp_err err = MCP_ENOMEM;

	*out = NULL;
	if (!k)
		return MCP_ENOMEM;
	pthread_mutex_lock(&s->lock);
	err = begin(x, s->stream.life_ms);
	if (!err) {
		*k = (struct kept){ .kept = { .send = kept_send, .end = kept_end }, .owner = *owner,
		    .server = server_ref(x->server), .lease = s->lease, .begun_ms = s->begun_ms };
		atomic_init(&k->events, s->events);
		memcpy(k->id, x->id, sizeof k->id);
		err = x->res->channel->ops->keep(x->res->channel, &mine, &k->channel);
		s->kept = !err;
	}
	pthread_mutex_unlock(&s->lock);
	if (err) {
		server_unref(k->server);
		free(k);
	} else {
		*out = &k->kept;
	}
	return err;
}

static bool
is_gone(void *ctx)
{
	struct http_channel *c = ((struct exchange *)ctx)->res->channel;

	return c->ops->is_gone(c);
}

/*
 * Whether a stream keeps a whole process of the front's from other requests: as plain CGI, and behind mod_fcgid, which
 * sends a process one request at a time. Seen: only mod_proxy_fcgi has a script of "proxy:...", unless it is told to do
 * otherwise; what cannot be told apart is taken for mod_fcgid.
 */
static bool
costs_process(const struct exchange *x)
{
	const char *software = http_request_variable(x->req, "SERVER_SOFTWARE");
	const char *script = http_request_variable(x->req, "SCRIPT_FILENAME");

	if (!x->res->channel->ops->keep)
		return true;
	return software && strncmp(software, "Apache", 6) == 0 && !(script && strncmp(script, "proxy:", 6) == 0);
}

/* How long a stream may wait for things to happen: no longer than its token is valid. */
static int64_t
waiting_life_ms(const struct exchange *x)
{
	int64_t life_ms = x->server->settings->max_stream_s * 1000;
	int64_t valid_ms = (x->principal.expires_at_s - x->now_s) * 1000;

	if (x->principal.expires_at_s > 0 && valid_ms < life_ms)
		life_ms = valid_ms > 0 ? valid_ms : 0;
	if (costs_process(x) && life_ms > SHORT_LIFE_MS)
		life_ms = SHORT_LIFE_MS;
	return life_ms;
}

void
stream_offer(struct exchange *x, struct mcp_message *m)
{
	struct exchange_stream *s = &x->stream;

	if (!x->res->channel)
		return;
	pthread_mutex_init(&s->lock, NULL);
	s->offered = true;
	s->watch = (struct mcp_watch){ .is_gone = is_gone, .ctx = x };
	m->watch = &s->watch;
	if (x->server->settings->max_streams == 0 || !sse_is_accepted(x->req->field[HTTP_ACCEPT]))
		return;
	/* It has not begun, so its life is counted from later on. */
	s->stream = (struct mcp_stream){ .send = send_event, .keep = x->res->channel->ops->keep ? keep : NULL,
	    .ctx = x, .life_ms = waiting_life_ms(x), .costs_process = costs_process(x),
	    .shared = x->res->channel->shared,
	    .until_ms = clock_monotonic_ms() + x->server->settings->max_stream_s * 1000 - LAST_WORD_MS };
	m->stream = &s->stream;
}

bool
stream_finish(struct exchange *x)
{
	const struct mcp_reply *r = &x->reply;
	const struct mcp_event last = { .json = r->body.data, .len = r->body.len,
	    .id = r->event_id[0] ? r->event_id : NULL };
	struct exchange_stream *s = &x->stream;

	if (!s->begun)
		return false;
	if (!s->kept && r->body.len > 0)
		(void)send_event(x, &last);
	return true;
}

void
stream_clear(struct exchange *x)
{
	struct exchange_stream *s = &x->stream;

	if (!s->offered)
		return;
	if (s->begun && !s->kept)
		leases_give(x->server->streams, s->lease);
	pthread_mutex_destroy(&s->lock);
}

void
stream_describe(const struct exchange *x, struct buf *line)
{
	const struct exchange_stream *s = &x->stream;

	if (s->refused)
		buf_puts(line, ", no stream to be had");
	if (!s->begun)
		return;
	buf_printf(line, ", stream of %u events for %" PRId64 " ms, %s", s->events,
	    clock_monotonic_ms() - s->begun_ms, s->kept ? "kept open" : x->res->channel->ops->is_gone(x->res->channel) ?
	    "client left" : s->lost ? "an event lost" : "complete");
}
