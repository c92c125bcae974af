/* SPDX-License-Identifier: MIT */
/* subscriptions/listen with a stream of ours in the front's place: kept ones, and ones that hold their thread. */
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/log.h"
#include "mcp/dispatch.h"
#include "mcp/listen.h"
#include "mcp/registry.h"
#include "mcp/stream.h"
#include "store/bus.h"
#include "tests/tap.h"

#define META "\"_meta\":{\"io.modelcontextprotocol/protocolVersion\":\"2026-07-28\"," \
	"\"io.modelcontextprotocol/clientCapabilities\":{}}"
#define ID "\"_meta\":{\"io.modelcontextprotocol/subscriptionId\":"
#define CHANGED(list, id) "{\"jsonrpc\":\"2.0\",\"method\":\"notifications/" list "/list_changed\",\"params\":{" \
	ID id "}}}"

static char dir[64] = "/tmp/listen-t-XXXXXX";
static struct bus *bus, *elsewhere;
static struct listeners *listeners;
static struct registry *registry;
static struct mcp_service service;

/* A client of a stream, and what keeps it. */
struct client {
	struct mcp_kept kept;		/* first, so that it can be found */
	pthread_mutex_t lock;
	char text[8192];		/* events, a line each */
	int events;
	bool ended;
	enum mcp_err fails;		/* of keep() and send() */
	struct mcp_kept_owner owner;
	atomic_int released;
	atomic_bool gone;
};

static enum mcp_err
take(struct client *c, const struct mcp_event *event)
{
	enum mcp_err err = c->fails;

	pthread_mutex_lock(&c->lock);
	if (!err) {
		size_t len = strlen(c->text);

		snprintf(c->text + len, sizeof c->text - len, "%s\n", event->json);
		c->events++;
	}
	pthread_mutex_unlock(&c->lock);
	return err;
}

static enum mcp_err
send_event(void *ctx, const struct mcp_event *event)
{
	return take(ctx, event);
}

static enum mcp_err
kept_send(struct mcp_kept *kept, const struct mcp_event *event)
{
	return take((struct client *)kept, event);
}

static void
kept_end(struct mcp_kept *kept, const struct mcp_event *last)
{
	struct client *c = (struct client *)kept;

	if (last)
		(void)take(c, last);
	c->ended = true;
	c->owner.released(c->owner.ctx);
	atomic_fetch_add(&c->released, 1);
}

static enum mcp_err
keep(void *ctx, const struct mcp_kept_owner *owner, struct mcp_kept **out)
{
	struct client *c = ctx;

	*out = NULL;
	if (c->fails)
		return c->fails;
	c->owner = *owner;
	c->kept = (struct mcp_kept){ .send = kept_send, .end = kept_end };
	*out = &c->kept;
	return MCP_OK;
}

static bool
is_gone(void *ctx)
{
	return atomic_load(&((struct client *)ctx)->gone);
}

static int
events_of(struct client *c)
{
	int n;

	pthread_mutex_lock(&c->lock);
	n = c->events;
	pthread_mutex_unlock(&c->lock);
	return n;
}

static bool
reaches(struct client *c, int n)
{
	for (int i = 0; i < 2000 && events_of(c) < n; i++)
		usleep(10000);
	return events_of(c) >= n;
}

static void
has(struct client *c, const char *want, const char *text)
{
	pthread_mutex_lock(&c->lock);
	is_str(c->text, want, "%s", text);
	c->text[0] = '\0';
	c->events = 0;
	pthread_mutex_unlock(&c->lock);
}

/* What a client is answered at once, besides its stream; to be freed. */
static char *
listen(struct client *c, const char *id, const char *filter, bool keeps, int64_t life_ms, int *status)
{
	struct mcp_stream stream = { .send = send_event, .keep = keeps ? keep : NULL, .ctx = c, .life_ms = life_ms };
	struct mcp_watch watch = { .is_gone = is_gone, .ctx = c };
	static char subject[] = "someone", issuer[] = "https://issuer";
	struct principal principal = { .subject = subject, .issuer = issuer };
	struct mcp_reply reply;
	char text[4096];
	struct mcp_message message = { .text = text, .protocol_version = "2026-07-28",
	    .method = "subscriptions/listen", .principal = &principal, .request_id = "r", .now_s = clock_now_s(),
	    .stream = c ? &stream : NULL, .watch = c ? &watch : NULL };

	snprintf(text, sizeof text, "{\"jsonrpc\":\"2.0\",\"id\":%s,\"method\":\"subscriptions/listen\",\"params\":{"
	    META "%s%s}}", id, filter ? ",\"notifications\":" : "", filter ? filter : "");
	message.len = strlen(text);
	buf_init(&reply.body, 65536);
	mcp_dispatch(&service, &message, &reply);
	*status = reply.status;
	mcp_reply_clear(&reply);
	return buf_steal(&reply.body, NULL);
}

static struct client *
new_client(void)
{
	struct client *c = calloc(1, sizeof *c);

	if (c)
		pthread_mutex_init(&c->lock, NULL);
	return c;
}

static struct client *
opened(const char *id, const char *filter)
{
	struct client *c = new_client();
	int status;

	free(listen(c, id, filter, true, 60000, &status));
	return c;
}

static void
over(struct client *c, enum mcp_kept_end why)
{
	c->owner.over(c->owner.ctx, why);
	ok(atomic_load(&c->released) == 1 && c->ended, "it is ended and released");
	pthread_mutex_destroy(&c->lock);
	free(c);
}

static void
publish(enum bus_kind kind, const char *uri)
{
	if (bus_publish(elsewhere, clock_now_s(), kind, uri) != MCP_OK)
		ok(false, "published");
}

static void
test_kept(void)
{
	struct client *a, *b, *none;

	publish(BUS_TOOLS_CHANGED, NULL);
	a = opened("1", "{\"toolsListChanged\":true,\"promptsListChanged\":true,\"resourceSubscriptions\":"
	    "[\"test://a\",\"test://none\"]}");
	has(a, "{\"jsonrpc\":\"2.0\",\"method\":\"notifications/subscriptions/acknowledged\",\"params\":{" ID "1},"
	    "\"notifications\":{\"toolsListChanged\":true,\"resourceSubscriptions\":[\"test://a\"]}}}\n",
	    "the acknowledgment has what there is of what was asked for, and no event of before");
	b = opened("\"b\"", "{\"resourcesListChanged\":true}");
	none = opened("2", "{}");
	(void)(reaches(b, 1) && reaches(none, 1));
	has(b, "{\"jsonrpc\":\"2.0\",\"method\":\"notifications/subscriptions/acknowledged\",\"params\":{" ID "\"b\"},"
	    "\"notifications\":{\"resourcesListChanged\":true}}}\n", "a second stream has its own id");
	has(none, "{\"jsonrpc\":\"2.0\",\"method\":\"notifications/subscriptions/acknowledged\",\"params\":{" ID "2},"
	    "\"notifications\":{}}}\n", "a third asks for nothing");
	publish(BUS_TOOLS_CHANGED, NULL);
	ok(reaches(a, 1), "an event of elsewhere arrives");
	has(a, CHANGED("tools", "1") "\n", "with the stream's id");
	publish(BUS_RESOURCE_UPDATED, "test://b");
	publish(BUS_RESOURCE_UPDATED, "test://a");
	publish(BUS_PROMPTS_CHANGED, NULL);
	publish(BUS_RESOURCES_CHANGED, NULL);
	(void)(reaches(a, 1) && reaches(b, 1));
	has(a, "{\"jsonrpc\":\"2.0\",\"method\":\"notifications/resources/updated\",\"params\":{" ID "1},"
	    "\"uri\":\"test://a\"}}\n", "who watches one resource hears of that one");
	has(b, CHANGED("resources", "\"b\"") "\n", "who asked for the list of resources hears of that");
	usleep(200000);
	ok(events_of(a) == 0 && events_of(b) == 0 && events_of(none) == 0, "and nobody of anything else");
	a->fails = MCP_ECLOSED;
	publish(BUS_TOOLS_CHANGED, NULL);
	usleep(100000);
	over(a, MCP_KEPT_GONE);
	publish(BUS_RESOURCES_CHANGED, NULL);
	ok(reaches(b, 1), "one whose client has left does not keep others from theirs");
	has(b, CHANGED("resources", "\"b\"") "\n", "which come");
	over(none, MCP_KEPT_OVER);
	b->owner.over(b->owner.ctx, MCP_KEPT_OVER);
	has(b, "{\"jsonrpc\":\"2.0\",\"id\":\"b\",\"result\":{\"resultType\":\"complete\",\"_meta\":{"
	    "\"io.modelcontextprotocol/serverInfo\":{\"name\":\"n\",\"version\":\"1\"},"
	    "\"io.modelcontextprotocol/subscriptionId\":\"b\"}}}\n", "a stream that we end, ends with its result");
	pthread_mutex_destroy(&b->lock);
	free(b);
}

static void
test_refused(void)
{
	static const struct {
		enum mcp_err err;
		int status;
		const char *text;
	} rows[] = {
		{ MCP_ELIMIT, 503, "{\"jsonrpc\":\"2.0\",\"id\":1,\"error\":{\"code\":-32603,\"message\":"
		    "\"Too many streams are open; try again later\"}}" },
		{ MCP_ENOMEM, 200, "{\"jsonrpc\":\"2.0\",\"id\":1,\"error\":{\"code\":-32603,\"message\":"
		    "\"Internal error: out of memory\"}}" },
		{ MCP_ECLOSED, 200, "{\"jsonrpc\":\"2.0\",\"id\":1,\"error\":{\"code\":-32603,\"message\":"
		    "\"The client has left\"}}" }
	};
	struct client *c = new_client();
	int status;
	char *text;

	for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++)
		for (int keeps = 0; keeps < 2; keeps++) {
			c->fails = rows[i].err;
			text = listen(c, "1", "{\"toolsListChanged\":true}", keeps, 1000, &status);
			is_str(text, rows[i].text, "a stream that cannot be had is told: %s",
			    mcp_strerror(rows[i].err));
			is_int(status, rows[i].status, "with a status");
			free(text);
		}
	c->fails = MCP_OK;
	free(listen(NULL, "1", "{}", true, 1000, &status));
	is_int(status, 400, "a client that takes no stream cannot listen");
	text = listen(c, "1", NULL, true, 1000, &status);
	ok(strstr(text, "-32602") != NULL && c->events == 0, "without a filter nothing is begun");
	free(text);
	pthread_mutex_destroy(&c->lock);
	free(c);
}

struct waiting {
	struct client *client;
	int64_t life_ms;
	char *answer;
	atomic_bool over;
};

static void *
wait_in_thread(void *arg)
{
	struct waiting *w = arg;
	int status;

	w->answer = listen(w->client, "7", "{\"toolsListChanged\":true}", false, w->life_ms, &status);
	atomic_store(&w->over, true);
	return NULL;
}

static void
test_waiting(void)
{
	struct waiting w = { .client = new_client(), .life_ms = 8000 };
	int64_t begun_ms = clock_monotonic_ms();
	pthread_t thread;

	if (pthread_create(&thread, NULL, wait_in_thread, &w) != 0)
		return;
	ok(reaches(w.client, 1), "where the front keeps no stream its thread serves it");
	publish(BUS_TOOLS_CHANGED, NULL);
	ok(reaches(w.client, 2) && !atomic_load(&w.over), "events arrive while it waits");
	pthread_join(thread, NULL);
	ok(clock_monotonic_ms() - begun_ms >= 8000, "until its life is over");
	ok(strstr(w.answer, "\"id\":7,\"result\":{\"resultType\":\"complete\"") != NULL, "its answer is the result");
	free(w.answer);
	w.life_ms = 60000;
	w.client->events = 0;
	begun_ms = clock_monotonic_ms();
	if (pthread_create(&thread, NULL, wait_in_thread, &w) != 0)
		return;
	(void)reaches(w.client, 1);
	atomic_store(&w.client->gone, true);
	pthread_join(thread, NULL);
	ok(clock_monotonic_ms() - begun_ms < 30000, "a client that leaves ends it");
	free(w.answer);
	pthread_mutex_destroy(&w.client->lock);
	free(w.client);
}

/* Streams come and go in threads, while events are published. */
static void *
come_and_go(void *arg)
{
	static const char first[] = "{\"jsonrpc\":\"2.0\",\"method\":\"notifications/subscriptions/acknowledged\"";
	atomic_int *bad = arg;

	for (int i = 0; i < 50; i++) {
		struct client *c = opened("1", "{\"toolsListChanged\":true}");

		if (i % 5 == 0)
			publish(BUS_TOOLS_CHANGED, NULL);
		pthread_mutex_lock(&c->lock);
		if (strncmp(c->text, first, sizeof first - 1) != 0)
			atomic_fetch_add(bad, 1);
		pthread_mutex_unlock(&c->lock);
		usleep(1000);
		c->owner.over(c->owner.ctx, MCP_KEPT_OVER);
		if (atomic_load(&c->released) != 1)
			atomic_fetch_add(bad, 1);
		pthread_mutex_destroy(&c->lock);
		free(c);
	}
	return NULL;
}

static void
test_threads(void)
{
	pthread_t threads[4];
	atomic_int bad;
	int n = 0;

	atomic_init(&bad, 0);
	while (n < 4 && pthread_create(&threads[n], NULL, come_and_go, &bad) == 0)
		n++;
	for (int i = 0; i < n; i++)
		pthread_join(threads[i], NULL);
	ok(n == 4 && atomic_load(&bad) == 0, "streams that come and go in threads, each with its acknowledgment first");
}

static enum mcp_err
nothing(struct tool_call *call)
{
	(void)call;
	return MCP_OK;
}

int
main(void)
{
	static const struct tool tool = { .name = "t", .description = "A tool.", .scopes = "", .call = nothing,
	    .input_schema = "{\"type\":\"object\"}" };
	static const struct resource resource = { .uri = "test://a", .name = "a", .scopes = "", .read = nothing };

	if (!mkdtemp(dir) || bus_new(dir, &bus) || bus_new(dir, &elsewhere) || listeners_new(bus, &listeners) ||
	    registry_new(&registry) || registry_add(registry, &tool, NULL, NULL) ||
	    registry_add_resource(registry, &resource, NULL, NULL) || registry_seal(registry))
		return 99;
	service = (struct mcp_service){ .name = "n", .version = "1", .registry = registry, .bus = bus,
	    .listeners = listeners };
	test_kept();
	test_refused();
	test_waiting();
	test_threads();
	listeners_free(listeners);
	listeners_free(NULL);
	bus_free(bus);
	bus_free(elsewhere);
	registry_free(registry);
	if (chdir(dir) != 0 || unlink("bus.db") != 0 || rmdir(dir) != 0)
		diag("files are left");
	return tap_done();
}
