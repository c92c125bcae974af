/* SPDX-License-Identifier: MIT */
/* Answers for streams that end before their answer comes. */
#include "mcp/resume.h"

#include <stdio.h>
#include <string.h>

#include "base/clock.h"
#include "base/ending.h"
#include "base/log.h"
#include "base/text.h"
#include "mcp/era.h"
#include "mcp/rpc.h"
#include "store/bus.h"
#include "store/wake.h"

#define RETRY_MS 1000
#define KEPT_S 60		/* an answer waits so long at least */
#define LOOK_MS 500		/* how often to see whether the client has left */
#define RESUMED "resumed "	/* note of the session, with the id: the client has come back */

static enum mcp_err
send_id(const struct mcp_stream *stream, const char *id, int64_t retry_ms)
{
	struct mcp_event event = { .json = NULL, .id = id, .retry_ms = retry_ms };

	return stream->send(stream->ctx, &event);
}

/* How long from now an answer may be waited for that goes out on the stream, or on the one after it. */
static int64_t
lasts_s(const struct rpc *x, const struct mcp_stream *stream)
{
	return (x->service->tool_timeout_ms + stream->life_ms) / 1000 + KEPT_S;
}

/* Open the box and send the id. What fails here only means that there is nothing to come back for. Locked. */
static enum mcp_err
prime(struct rpc *x, int64_t retry_ms)
{
	struct resume *r = &x->resume;
	enum mcp_err err = digest_random_id(r->id);

	if (!err)
		err = session_box(x, "event", r->id, r->box);
	if (!err)
		err = bus_mail_open(x->service->bus, r->box, x->session.principal, x->message->now_s,
		    x->message->now_s + lasts_s(x, r->inner));
	if (err)
		return err;
	r->primed = true;
	return send_id(r->inner, r->id, retry_ms);
}

static enum mcp_err
send(void *ctx, const struct mcp_event *event)
{
	struct rpc *x = ctx;
	struct resume *r = &x->resume;
	enum mcp_err err = MCP_ECLOSED;

	pthread_mutex_lock(&r->lock);
	if (!r->released) {
		if (!r->primed && prime(x, RETRY_MS))
			log_debug("request %s: its stream cannot be resumed", x->message->request_id);
		err = r->inner->send(r->inner->ctx, event);
	}
	pthread_mutex_unlock(&r->lock);
	return err;
}

void
resume_begin(struct rpc *x)
{
	struct resume *r = &x->resume;

	/* Older clients take an event without data for a fault. */
	if (!x->session.open || !x->service->bus || !x->own.stream || x->version != era_legacy.versions[0])
		return;
	pthread_mutex_init(&r->lock, NULL);
	r->inner = x->own.stream;
	r->stream = (struct mcp_stream){ .send = send, .ctx = x, .life_ms = r->inner->life_ms,
	    .until_ms = r->inner->until_ms };
	x->own.stream = &r->stream;
}

static bool
has_come_back(const struct rpc *x)
{
	char name[sizeof RESUMED + sizeof x->resume.id];

	snprintf(name, sizeof name, RESUMED "%s", x->resume.id);
	return bus_note_get(x->service->bus, x->session.key, name, x->message->now_s, NULL) == MCP_OK;
}

void
resume_end(struct rpc *x)
{
	const struct mcp_watch *watch = x->message->watch;
	struct resume *r = &x->resume;
	struct buf *body = &x->reply->body;
	bool gone, elsewhere;
	enum mcp_err err = MCP_OK;

	if (!r->inner)
		return;
	x->own.stream = r->inner;
	gone = watch && watch->is_gone(watch->ctx);
	elsewhere = r->released || (r->primed && !gone && has_come_back(x));
	if (r->primed && (gone || elsewhere))
		err = bus_mail_put(x->service->bus, r->box, clock_now_s(), body->data, body->len);
	else if (r->primed)
		err = bus_mail_close(x->service->bus, r->box);
	if (err)
		log_warning("request %s: its answer is not kept: %s", x->message->request_id, mcp_strerror(err));
	/* One stream alone gets it. */
	if (elsewhere && (r->released || !err))
		buf_reset(body);
	pthread_mutex_destroy(&r->lock);
}

static void
ignore_over(void *ctx, enum mcp_kept_end why)
{
	(void)ctx;
	(void)why;
}

static void
ignore_released(void *ctx)
{
	(void)ctx;
}

enum mcp_err
resume_release(struct rpc *x, int64_t retry_ms)
{
	static const struct mcp_kept_owner owner = { .over = ignore_over, .released = ignore_released };
	struct resume *r = &x->resume;
	struct mcp_kept *kept;
	enum mcp_err err = MCP_OK;

	if (!r->inner || !r->inner->keep || r->inner->shared)
		return MCP_ENOTSUP;
	pthread_mutex_lock(&r->lock);
	if (!r->released && !r->primed)
		err = prime(x, retry_ms);
	if (!err && !r->released && (err = r->inner->keep(r->inner->ctx, &owner, &kept)) == MCP_OK) {
		r->released = true;
		kept->end(kept, NULL);
	}
	pthread_mutex_unlock(&r->lock);
	return err;
}

/* Wait for the answer. MCP_ETIMEOUT: the life of the stream is over, or the client has left; else bus_mail_take(). */
static enum mcp_err
await(struct rpc *x, const unsigned char box[DIGEST_SHA256_LEN])
{
	const struct mcp_watch *watch = x->message->watch;
	int64_t deadline_ms = clock_monotonic_ms() + x->message->stream->life_ms;
	struct wake *wake = bus_wake(x->service->bus);
	enum mcp_err err;

	for (;;) {
		uint64_t since = wake_now(wake);
		int64_t now_ms = clock_monotonic_ms();

		if (watch && watch->is_gone(watch->ctx))
			return MCP_ETIMEOUT;
		err = bus_mail_take(x->service->bus, box, &x->reply->body);
		if (err != MCP_EAGAIN)
			return err;
		if (now_ms >= deadline_ms || now_ms >= ending_ms())
			return MCP_ETIMEOUT;
		(void)wake_wait(wake, since, now_ms + LOOK_MS < deadline_ms ? now_ms + LOOK_MS : deadline_ms);
	}
}

static int
no_such_event(struct rpc *x)
{
	return rpc_error_as(x, 405, JSONRPC_INVALID_REQUEST, "There is no event to go on from", NULL);
}

/* An answer that was taken out of its box could not be sent: it waits for the next time. */
static void
put_back(struct rpc *x, const unsigned char box[DIGEST_SHA256_LEN])
{
	const struct buf *body = &x->reply->body;
	enum mcp_err err = bus_mail_open(x->service->bus, box, x->session.principal, x->message->now_s,
	    x->message->now_s + KEPT_S);

	if (!err)
		err = bus_mail_put(x->service->bus, box, x->message->now_s, body->data, body->len);
	if (err)
		log_warning("request %s: an answer that could not be sent is not kept: %s", x->message->request_id,
		    mcp_strerror(err));
}

int
resume_answer(struct rpc *x, const char *id)
{
	unsigned char box[DIGEST_SHA256_LEN];
	char name[sizeof RESUMED + sizeof x->resume.id];
	struct buf *body = &x->reply->body;
	enum mcp_err err = MCP_ENOENT, sent;

	if (x->session.open && x->service->bus && x->message->stream && strlen(id) < sizeof x->resume.id)
		err = session_box(x, "event", id, box);
	if (!err)
		err = bus_mail_take(x->service->bus, box, body);
	if (err && err != MCP_EAGAIN)
		return no_such_event(x);
	/* First of all: an answer that comes meanwhile waits for this client, whether it gets a stream or not. */
	snprintf(name, sizeof name, RESUMED "%s", id);
	if (err && bus_note_set(x->service->bus, x->session.key, x->session.principal, name, "", x->message->now_s,
	    x->message->now_s + lasts_s(x, x->message->stream)))
		log_debug("request %s: it is not known that the client came back", x->message->request_id);
	x->reply->status = 200;
	sent = send_id(x->message->stream, id, RETRY_MS);
	if (sent && !err)
		put_back(x, box);
	if (sent == MCP_ELIMIT)
		return rpc_error_as(x, 503, JSONRPC_INTERNAL_ERROR, "Too many streams are open; try again later", NULL);
	if (sent == MCP_ENOMEM)
		return rpc_error_as(x, 503, JSONRPC_INTERNAL_ERROR, "Internal error: out of memory", NULL);
	if (sent) {
		buf_reset(body);
		return -1;
	}
	if (err && await(x, box))
		buf_reset(body);	/* the client comes again */
	return -1;
}
