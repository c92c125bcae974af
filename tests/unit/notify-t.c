/* SPDX-License-Identifier: MIT */
/* What a call tells its client while it runs, and how it learns that nobody waits for it any more. */
#include "mcp/notify.h"

#include <math.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/json.h"
#include "mcp/dispatch.h"
#include "mcp/registry.h"
#include "mcp/stream.h"
#include "tests/quotes.h"
#include "tests/tap.h"

static const struct strlist scopes_none = { NULL, 0 };

/* A stream that keeps what is sent. */
static struct {
	char events[400][512];
	int n;
	enum mcp_err err;
	atomic_bool gone;
} sent;

static enum mcp_err
keep_event(void *ctx, const struct mcp_event *event)
{
	(void)ctx;
	if (sent.err)
		return sent.err;
	if (sent.n < 400)
		snprintf(sent.events[sent.n], sizeof(sent.events[0]), "%.*s", (int)event->len, event->json);
	sent.n++;
	return MCP_OK;
}

static bool
is_gone(void *ctx)
{
	(void)ctx;
	return atomic_load(&sent.gone);
}

static const struct mcp_stream stream = { .send = keep_event };
static const struct mcp_watch watch = { .is_gone = is_gone };

static enum mcp_err
call_progress(struct tool_call *call)
{
	static const double steps[] = { 0, 50, 50, 20, 60.5, (double)INFINITY, (double)NAN, 100 };
	enum mcp_err err = MCP_OK;

	for (size_t i = 0; i < sizeof(steps) / sizeof(steps[0]) && !err; i++)
		err = tool_progress(call, steps[i], 100, steps[i] < 50 ? "Starting \"now\"" : NULL);
	return err;
}

static enum mcp_err
call_flood(struct tool_call *call)
{
	enum mcp_err err = MCP_OK;

	for (int i = 1; i <= 1000 && !err; i++)
		err = tool_progress(call, i, 1000, NULL);
	return err;
}

static enum mcp_err
call_log(struct tool_call *call)
{
	enum mcp_err err = tool_log(call, TOOL_LOG_DEBUG, NULL, json_new_string("fine", 4));

	if (!err)
		err = tool_log(call, TOOL_LOG_INFO, "part", json_new_int(7));
	if (!err)
		err = tool_log(call, TOOL_LOG_EMERGENCY, NULL, NULL);
	return err;
}

static atomic_bool waiting, held;

/* Works until it is cancelled, for half a second at least and for half a minute at most where it is held. */
static enum mcp_err
call_waits(struct tool_call *call)
{
	bool cancelled = false;

	atomic_store(&waiting, true);
	for (int i = 0; !cancelled && i < (atomic_load(&held) ? 6000 : 100); i++) {
		usleep(5000);
		cancelled = tool_cancelled(call);
	}
	return tool_textf(call, cancelled ? "cancelled" : "done");
}

#define ANY "{\"type\":\"object\"}"
static const struct tool tools[] = {
	{ .name = "progress", .description = "d", .input_schema = ANY, .call = call_progress },
	{ .name = "flood", .description = "d", .input_schema = ANY, .call = call_flood },
	{ .name = "log", .description = "d", .input_schema = ANY, .call = call_log },
	{ .name = "waits", .description = "d", .input_schema = ANY, .call = call_waits }
};

static char issuer[] = "https://as", alice[] = "alice", bob[] = "bob";
static char program[] = "skc_2";
static struct mcp_service service = { .name = "srv", .version = "1", .tool_timeout_ms = 60000 };

/* One call by "subject", of a modern client or of a legacy one; "meta" is what _meta has besides. */
static void
call(bool modern, char *subject, const char *tool, const char *meta, const struct mcp_stream *to,
    struct mcp_reply *reply)
{
	struct principal principal = { .issuer = issuer, .subject = subject };
	struct mcp_message m = { .protocol_version = modern ? "2026-07-28" : "2025-11-25", .method = "tools/call",
	    .name = tool, .principal = &principal, .request_id = "r", .now_s = 1700000000, .stream = to,
	    .watch = &watch };
	char text[2048];

	snprintf(text, sizeof(text), "{'jsonrpc':'2.0','id':5,'method':'tools/call','params':{'name':'%s','_meta':{%s%s"
	    "%s}}}", tool, modern ? "'io.modelcontextprotocol/protocolVersion':'2026-07-28',"
	    "'io.modelcontextprotocol/clientCapabilities':{}" : "", modern && *meta ? "," : "", meta);
	m.text = q(text);
	m.len = strlen(m.text);
	memset(reply, 0, sizeof(*reply));
	buf_init(&reply->body, 1 << 20);
	mcp_dispatch(&service, &m, reply);
}

/* The same, and look whether the answer has "want" in it. */
static void
answers(bool modern, const char *tool, const char *meta, const struct mcp_stream *to, const char *want,
    const char *text)
{
	struct mcp_reply reply;

	sent.n = 0;
	call(modern, alice, tool, meta, to, &reply);
	if (!ok(strstr(reply.body.data, want) != NULL, "%s", text))
		diag("got %s", reply.body.data);
	buf_clear(&reply.body);
	mcp_reply_clear(&reply);
}

static void
test_progress(void)
{
	answers(true, "progress", "'progressToken':'t-1'", &stream, "\"result\"", "a call that tells its progress");
	is_int(sent.n, 4, "tells it as far as it grows, and is a number");
	is_str(sent.events[0], q("{'jsonrpc':'2.0','method':'notifications/progress','params':{'progressToken':'t-1',"
	    "'progress':0,'total':100,'message':'Starting \\'now\\''}}"), "with token, total and message");
	is_str(sent.events[2], q("{'jsonrpc':'2.0','method':'notifications/progress','params':{'progressToken':'t-1',"
	    "'progress':60.5,'total':100}}"), "a fraction is a fraction");
	answers(false, "progress", "'progressToken':7", &stream, "\"result\"", "a legacy client is told too");
	ok(strstr(sent.events[3], q("'progressToken':7,'progress':100,")) != NULL, "a number stays a number");
	answers(true, "progress", "", &stream, "\"result\"", "who gives no token");
	is_int(sent.n, 0, "is told nothing");
	answers(true, "progress", "'progressToken':1", NULL, "\"result\"", "who reads no events is told nothing");
	answers(true, "progress", "'progressToken':1.5", &stream, "-32602", "a token that is a fraction is refused");
	answers(true, "progress", "'progressToken':null", &stream, "-32602", "so is null");
	answers(true, "flood", "'progressToken':1", &stream, "\"result\"", "a tool in a tight loop");
	ok(sent.n >= NOTIFY_BURST && sent.n <= 2 * NOTIFY_BURST, "is slowed down (%d of 1000 were sent)", sent.n);
	ok(sent.n < 400 && strstr(sent.events[sent.n - 1], "\"progress\":1000,"), "but its end is told");
	sent.err = MCP_ECLOSED;
	answers(true, "progress", "'progressToken':1", &stream, "\"result\"", "a client that has left fails no tool");
	sent.err = MCP_ELIMIT;
	answers(true, "progress", "'progressToken':1", &stream, "\"result\"", "nor does a stream that cannot be had");
	sent.err = MCP_ENOMEM;
	answers(true, "progress", "'progressToken':1", &stream, "-32603", "want of memory does");
	sent.err = MCP_OK;
}

static void
test_log(void)
{
	answers(true, "log", "'io.modelcontextprotocol/logLevel':'info'", &stream, "\"result\"", "a call that logs");
	is_int(sent.n, 2, "sends what is as severe as was asked for");
	is_str(sent.events[0], q("{'jsonrpc':'2.0','method':'notifications/message','params':{'level':'info',"
	    "'logger':'part','data':7}}"), "with level, logger and data");
	is_str(sent.events[1], q("{'jsonrpc':'2.0','method':'notifications/message','params':{'level':'emergency',"
	    "'data':null}}"), "without a logger, null is data");
	answers(true, "log", "'io.modelcontextprotocol/logLevel':'debug'", &stream, "\"result\"", "the lowest level");
	is_int(sent.n, 3, "asks for all");
	answers(true, "log", "", &stream, "\"result\"", "who names no level");
	is_int(sent.n, 0, "gets nothing");
	answers(true, "log", "'io.modelcontextprotocol/logLevel':'loud'", &stream, "-32602", "no level is refused");
	answers(true, "log", "'io.modelcontextprotocol/logLevel':3", &stream, "-32602", "so is a number");
	answers(true, "none", "'io.modelcontextprotocol/logLevel':'loud'", &stream, "logLevel", "of any request");
	answers(false, "log", "'io.modelcontextprotocol/logLevel':'debug'", &stream, "\"result\"",
	    "a legacy request cannot ask for a level of its own");
	is_int(sent.n, 0, "and gets nothing by it");
}

static void *
run_waiting(void *arg)
{
	struct mcp_reply *reply = arg;

	call(false, alice, "waits", "", &stream, reply);
	return NULL;
}

/* A legacy call that runs while "subject" says by "client" (NULL: none) that the request "id" is cancelled. */
static void
cancelling(char *subject, char *client, const char *id, const char *session, const char *want, const char *text)
{
	struct principal principal = { .issuer = issuer, .subject = subject, .client_id = client };
	struct mcp_message m = { .protocol_version = "2025-11-25", .principal = &principal, .request_id = "r",
	    .session_id = session };
	struct mcp_reply reply, other;
	char message[200];
	pthread_t thread;

	atomic_store(&waiting, false);
	atomic_store(&held, true);
	pthread_create(&thread, NULL, run_waiting, &reply);
	while (!atomic_load(&waiting))
		usleep(1000);
	snprintf(message, sizeof(message), "{'jsonrpc':'2.0','method':'notifications/cancelled','params':{%s}}", id);
	memset(&other, 0, sizeof(other));
	buf_init(&other.body, 1 << 20);
	m.text = q(message);
	m.len = strlen(m.text);
	mcp_dispatch(&service, &m, &other);
	is_int(other.status, session ? 404 : 202, "a cancellation is %s", session ? "of a session" : "accepted");
	atomic_store(&held, !*want);
	pthread_join(thread, NULL);
	if (*want)
		ok(reply.status == 200 && strstr(reply.body.data, want), "%s", text);
	else
		ok(reply.status == 202 && reply.body.len == 0, "%s", text);
	buf_clear(&reply.body);
	mcp_reply_clear(&reply);
	buf_clear(&other.body);
	mcp_reply_clear(&other);
}

static void
test_cancelling(void)
{
	atomic_store(&sent.gone, true);
	atomic_store(&held, true);
	answers(true, "waits", "", &stream, "cancelled", "a modern client that has left cancels its call");
	atomic_store(&held, false);
	answers(false, "waits", "", &stream, "done", "a legacy one does not");
	atomic_store(&sent.gone, false);
	cancelling(alice, NULL, "'requestId':5", NULL, "", "a legacy client cancels by a notification, "
	    "and gets no answer");
	cancelling(bob, NULL, "'requestId':5", NULL, "done", "nobody else cancels it");
	cancelling(alice, program, "'requestId':5", NULL, "done", "nor another program of the same person");
	cancelling(alice, NULL, "'requestId':6", NULL, "done", "nor does another id");
	cancelling(alice, NULL, "'requestId':'5'", NULL, "done", "nor one of another type");
	cancelling(alice, NULL, "'requestId':5", "s-1", "done", "nor another session");
	cancelling(alice, NULL, "", NULL, "done", "nor none");
	service.tool_timeout_ms = 50;
	atomic_store(&held, true);
	answers(false, "waits", "", &stream, "cancelled", "the deadline cancels in both eras");
	service.tool_timeout_ms = 60000;
}

int
main(void)
{
	struct registry *registry;

	if (registry_new(&registry) != MCP_OK)
		return 1;
	for (size_t i = 0; i < sizeof(tools) / sizeof(tools[0]); i++)
		if (registry_add(registry, &tools[i], &scopes_none, NULL) != MCP_OK)
			return 1;
	if (registry_seal(registry) != MCP_OK)
		return 1;
	service.registry = registry;
	test_progress();
	test_log();
	test_cancelling();
	registry_free(registry);
	return tap_done();
}
