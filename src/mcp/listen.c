/* SPDX-License-Identifier: MIT */
/*
 * Answers for: who gets which event. The cursor of a stream is taken before its acknowledgment, so nothing that was
 * published after the client read the acknowledgment, or while it was on its way, is missed. One lock for all streams
 * of a process; they are written to under it, which never waits.
 */
#include "mcp/listen.h"

#include <pthread.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/json.h"
#include "base/log.h"
#include "base/text.h"
#include "mcp/listen_filter.h"
#include "mcp/rpc.h"
#include "mcp/session.h"
#include "mcp/stream.h"
#include "store/bus.h"
#include "store/wake.h"

#define EVENT_MAX (4 * BUS_URI_MAX + 4096)	/* a URI may be escaped, an id too */
#define LOOK_MS 250	/* how often the client of a stream that holds a thread is looked after */
#define NOTE "listens"	/* a session's note: the name of its stream */
#define META_SUBSCRIPTION "\"io.modelcontextprotocol/subscriptionId\":"

struct listener {
	struct listeners *hub;
	struct listen_filter filter;
	/* Of a request: */
	char *meta;			/* the member of _meta that names the stream */
	char *last;			/* the result, rendered */
	size_t last_len;
	/* Of a session, which may subscribe and unsubscribe meanwhile: */
	bool of_session;
	unsigned char session[DIGEST_SHA256_LEN];	/* owner of the notes that say to what */
	/* Which stream is the session's: each message goes out on one only. */
	char name[DIGEST_RANDOM_ID_LEN + 1];
	struct strlist updated;		/* resources that were read of on the bus just now; its notes come after */
	/* Under the lock of the hub; of a stream that holds a thread nobody else knows. */
	const struct mcp_stream *stream;	/* of the request, where it holds a thread */
	struct mcp_kept *kept;			/* or this */
	int64_t seq;			/* events up to here are not for it */
	unsigned changed;		/* lists to tell of, as bits of enum bus_kind */
	bool over;			/* the session has another stream, or was ended */
	bool linked, ended;
	struct listener *prev, *next;
};

struct listeners {
	struct bus *bus;
	pthread_mutex_t lock;
	/* Under the lock: */
	struct listener *first;
	int64_t seq;			/* events up to here were looked at for all */
};

static const char *const methods[] = {
	[BUS_TOOLS_CHANGED] = "notifications/tools/list_changed",
	[BUS_PROMPTS_CHANGED] = "notifications/prompts/list_changed",
	[BUS_RESOURCES_CHANGED] = "notifications/resources/list_changed",
	[BUS_RESOURCE_UPDATED] = "notifications/resources/updated"
};

enum mcp_err
listeners_new(struct bus *bus, struct listeners **out)
{
	struct listeners *h = calloc(1, sizeof *h);

	*out = h;
	if (!h)
		return MCP_ENOMEM;
	pthread_mutex_init(&h->lock, NULL);
	h->bus = bus;
	return MCP_OK;
}

void
listeners_free(struct listeners *h)
{
	if (!h)
		return;
	wake_rest(bus_wake(h->bus));
	pthread_mutex_destroy(&h->lock);
	free(h);
}

static void
listener_free(struct listener *l)
{
	if (!l)
		return;
	listen_filter_clear(&l->filter);
	strlist_clear(&l->updated);
	free(l->meta);
	free(l->last);
	free(l);
}

static enum mcp_err
send_text(struct listener *l, const struct buf *text)
{
	const struct mcp_event event = { .json = text->data, .len = text->len };

	if (buf_status(text))
		return MCP_ENOMEM;
	return l->kept ? l->kept->send(l->kept, &event) : l->stream->send(l->stream->ctx, &event);
}

/* A client that is gone is its owner's to notice; one that gets no event for want of memory has lost it. */
static void
send_notification(struct listener *l, enum bus_kind kind, const char *uri)
{
	struct buf text;

	buf_init(&text, EVENT_MAX);
	buf_printf(&text, "{\"jsonrpc\":\"2.0\",\"method\":\"%s\",\"params\":{", methods[kind]);
	if (l->meta)
		buf_printf(&text, "\"_meta\":{%s}", l->meta);
	if (kind == BUS_RESOURCE_UPDATED) {
		buf_puts(&text, l->meta ? ",\"uri\":" : "\"uri\":");
		json_render_string(uri, strlen(uri), &text);
	}
	buf_puts(&text, "}}");
	(void)send_text(l, &text);
	buf_clear(&text);
}

/* Note one event, or send it. Several changes of a list that are read together are told as one. */
static void
offer(struct listener *l, const struct bus_event *event)
{
	if (event->seq <= l->seq)
		return;
	if (event->kind == BUS_RESOURCE_UPDATED && l->of_session) {
		if (strlist_add_unique(&l->updated, event->uri, strlen(event->uri)))
			log_debug("a change of a resource is not told, memory is short");
		return;
	}
	if (!listen_filter_wants(&l->filter, event->kind, event->uri))
		return;
	if (event->kind == BUS_RESOURCE_UPDATED)
		send_notification(l, event->kind, event->uri);
	else
		l->changed |= 1u << event->kind;
}

/* Whether the session of "l" has subscribed to the resource. */
static bool
has_subscribed(struct listener *l, const char *uri, int64_t now_s)
{
	struct buf name;
	bool has;

	buf_init(&name, BUS_NOTE_NAME_MAX);
	buf_printf(&name, SESSION_SUBSCRIPTION "%s", uri);
	has = buf_status(&name) == MCP_OK && bus_note_get(l->hub->bus, l->session, name.data, now_s, NULL) == MCP_OK;
	buf_clear(&name);
	return has;
}

/* Whether "l" is the stream of its session. While that cannot be read it is, so that nothing is lost. */
static bool
is_the_stream(struct listener *l, int64_t now_s)
{
	struct buf name;
	enum mcp_err err;
	bool is;

	buf_init(&name, sizeof l->name);
	err = bus_note_get(l->hub->bus, l->session, NOTE, now_s, &name);
	is = err ? err != MCP_ENOENT : strcmp(name.data, l->name) == 0;
	buf_clear(&name);
	return is;
}

/* Tell a session of the resources that it has subscribed to; and of nothing once it has another stream, or none. */
static void
settle_session(struct listener *l)
{
	int64_t now_s = clock_now_s();

	if (!l->changed && !l->updated.n)
		return;
	if (!is_the_stream(l, now_s)) {
		l->over = true;
		l->changed = 0;
	} else {
		for (size_t i = 0; i < l->updated.n; i++)
			if (listen_filter_may_read(&l->filter, l->updated.v[i]) &&
			    has_subscribed(l, l->updated.v[i], now_s))
				send_notification(l, BUS_RESOURCE_UPDATED, l->updated.v[i]);
	}
	strlist_clear(&l->updated);
}

static void
settle(struct listener *l, int64_t seq)
{
	if (l->of_session)
		settle_session(l);
	for (unsigned kind = BUS_TOOLS_CHANGED; kind <= BUS_RESOURCES_CHANGED; kind++)
		if (l->changed & 1u << kind)
			send_notification(l, (enum bus_kind)kind, NULL);
	l->changed = 0;
	l->seq = seq;
}

static void
offer_to_one(void *ctx, const struct bus_event *event)
{
	offer(ctx, event);
}

static void
offer_to_all(void *ctx, const struct bus_event *event)
{
	const struct listeners *h = ctx;

	for (struct listener *l = h->first; l; l = l->next)
		offer(l, event);
}

/* Take it out of the hub's list; locked. Returns whether it is the caller's to end it. */
static bool
leave(struct listener *l)
{
	bool first = !l->ended;

	if (l->linked) {
		*(l->prev ? &l->prev->next : &l->hub->first) = l->next;
		if (l->next)
			l->next->prev = l->prev;
	}
	l->linked = false;
	l->ended = true;
	return first;
}

/* There may be something new; called by the bus's thread. */
static void
look(void *ctx)
{
	struct listeners *h = ctx;
	struct listener *next;

	pthread_mutex_lock(&h->lock);
	if (!h->first) {
		wake_rest(bus_wake(h->bus));
	} else {
		/* What cannot be read now is read when the file can be used again. */
		if (bus_read(h->bus, &h->seq, offer_to_all, h) != MCP_OK)
			log_debug("events cannot be read at the moment");
		for (struct listener *l = h->first; l; l = next) {
			next = l->next;
			settle(l, h->seq);
			if (l->over && leave(l))
				l->kept->end(l->kept, NULL);
		}
	}
	pthread_mutex_unlock(&h->lock);
}

/* The stream should end: by the front's thread. */
static void
on_over(void *ctx, enum mcp_kept_end why)
{
	struct listener *l = ctx;
	const struct mcp_event last = { .json = l->last, .len = l->last_len };
	bool ours;

	pthread_mutex_lock(&l->hub->lock);
	ours = leave(l);
	pthread_mutex_unlock(&l->hub->lock);
	if (ours)
		l->kept->end(l->kept, why == MCP_KEPT_OVER && l->last ? &last : NULL);
}

static void
on_released(void *ctx)
{
	listener_free(ctx);
}

static enum mcp_err
send_acknowledgment(struct listener *l)
{
	enum mcp_err err;
	struct buf text;

	/* The URIs of the filter came in one message, and fit into one. */
	buf_init(&text, EVENT_MAX + LISTEN_URIS_MAX * EVENT_MAX);
	buf_printf(&text, "{\"jsonrpc\":\"2.0\",\"method\":\"notifications/subscriptions/acknowledged\",\"params\":"
	    "{\"_meta\":{%s},\"notifications\":", l->meta);
	listen_filter_render(&l->filter, &text);
	buf_puts(&text, "}}");
	err = send_text(l, &text);
	buf_clear(&text);
	return err;
}

/* Have the front keep the stream. It is on_released() that frees "l" then, perhaps before this returns. */
static enum mcp_err
keep(struct rpc *x, struct listener *l)
{
	const struct mcp_kept_owner owner = { .over = on_over, .released = on_released, .ctx = l };
	struct listeners *h = l->hub;
	enum mcp_err err;

	/* Under the lock: whoever tells that it is over waits until it can be ended. */
	pthread_mutex_lock(&h->lock);
	err = wake_attend(bus_wake(h->bus), look, h);
	if (!err)
		err = x->message->stream->keep(x->message->stream->ctx, &owner, &l->kept);
	if (!err) {
		/* Without the acknowledgment of a request nothing may follow; then it waits for its end. */
		if (l->of_session || send_acknowledgment(l) == MCP_OK) {
			if (!h->first || l->seq < h->seq)
				h->seq = l->seq;
			l->linked = true;
			l->prev = NULL;
			l->next = h->first;
			if (h->first)
				h->first->prev = l;
			h->first = l;
		}
		l = NULL;
	}
	pthread_mutex_unlock(&h->lock);
	listener_free(l);
	return err;
}

/* Serve the stream in this thread, until its life is over or the client has left. */
static enum mcp_err
wait_here(struct rpc *x, struct listener *l)
{
	const struct mcp_watch *watch = x->message->watch;
	int64_t until_ms = clock_monotonic_ms() + x->message->stream->life_ms;
	struct wake *wake = bus_wake(l->hub->bus);
	enum mcp_err err;

	l->stream = x->message->stream;
	err = send_acknowledgment(l);
	while (!err) {
		uint64_t number = wake_now(wake);
		int64_t now_ms = clock_monotonic_ms(), seq = l->seq;

		if (bus_read(l->hub->bus, &seq, offer_to_one, l) != MCP_OK)
			log_debug("events cannot be read at the moment");
		settle(l, seq);
		if (now_ms >= until_ms || (watch && watch->is_gone(watch->ctx)))
			break;
		(void)wake_wait(wake, number, now_ms + LOOK_MS < until_ms ? now_ms + LOOK_MS : until_ms);
	}
	if (!err) {
		buf_reset(&x->reply->body);
		buf_put(&x->reply->body, l->last, l->last_len);
		x->reply->status = 200;
	}
	listener_free(l);
	return err;
}

/* Render what every message of the stream says, and the result. Returns MCP_OK, MCP_ENOMEM. */
static enum mcp_err
prepare(struct rpc *x, struct listener *l)
{
	struct buf meta;

	buf_init(&meta, EVENT_MAX);
	buf_puts(&meta, META_SUBSCRIPTION);
	json_render(x->in.id, &meta);
	l->meta = buf_steal(&meta, NULL);
	if (!l->meta)
		return MCP_ENOMEM;
	x->meta = l->meta;
	rpc_result_begin(x);
	rpc_result_end(x);
	x->meta = NULL;
	if (x->reply->error_code)
		return MCP_ENOMEM;
	l->last = buf_steal(&x->reply->body, &l->last_len);
	return l->last ? MCP_OK : MCP_ENOMEM;
}

/* Why there is no stream. */
static int
refuse(struct rpc *x, enum mcp_err err)
{
	switch (err) {
	case MCP_ELIMIT:
		return rpc_error_as(x, 503, JSONRPC_INTERNAL_ERROR, "Too many streams are open; try again later", NULL);
	case MCP_ENOMEM:
		return rpc_error(x, JSONRPC_INTERNAL_ERROR, "Internal error: out of memory");
	case MCP_ECLOSED:
		return rpc_error(x, JSONRPC_INTERNAL_ERROR, "The client has left");
	default:
		return rpc_error_as(x, 503, JSONRPC_INTERNAL_ERROR, "Events cannot be had at the moment", NULL);
	}
}

int
listen_request(struct rpc *x)
{
	struct listeners *h = x->service->listeners;
	struct listener *l = calloc(1, sizeof *l);
	enum mcp_err err = MCP_ENOMEM;

	if (!l)
		return refuse(x, err);
	l->hub = h;
	if (listen_filter_read(x, &l->filter) < 0) {
		listener_free(l);
		return -1;
	}
	if (!x->message->stream) {
		listener_free(l);
		return rpc_error(x, JSONRPC_INVALID_REQUEST, "Invalid Request: subscriptions/listen is answered with a "
		    "stream, so the client must accept text/event-stream");
	}
	err = prepare(x, l);
	if (!err)
		err = bus_cursor(h->bus, &l->seq);
	if (err) {
		listener_free(l);
		return refuse(x, err);
	}
	err = x->message->stream->keep ? keep(x, l) : wait_here(x, l);
	return err ? refuse(x, err) : -1;
}

bool
listen_has_place(const struct rpc *x)
{
	const struct mcp_stream *stream = x->message->stream;

	return x->service->listeners && stream && stream->keep && !stream->costs_process;
}

/* Make "l" the stream of the session; another one that it had ends. */
static enum mcp_err
take_over(struct rpc *x, struct listener *l)
{
	enum mcp_err err = digest_random_id(l->name);

	if (!err)
		err = bus_note_set(l->hub->bus, l->session, x->session.principal, NOTE, l->name, x->message->now_s,
		    x->session.ends_s);
	return err;
}

int
listen_session(struct rpc *x)
{
	struct listeners *h = x->service->listeners;
	struct listener *l = NULL;
	enum mcp_err err = MCP_ENOMEM;

	if (!x->session.open || !listen_has_place(x))
		return rpc_error_as(x, 405, JSONRPC_INVALID_REQUEST, "There is no stream to listen to here", NULL);
	l = calloc(1, sizeof *l);
	if (!l)
		return refuse(x, err);
	l->hub = h;
	l->of_session = true;
	memcpy(l->session, x->session.key, sizeof l->session);
	err = listen_filter_of_session(x, &l->filter);
	if (!err)
		err = bus_cursor(h->bus, &l->seq);
	if (!err)
		err = take_over(x, l);
	if (err)
		listener_free(l);
	else
		err = keep(x, l);
	return err ? refuse(x, err) : -1;
}
