/* SPDX-License-Identifier: MIT */
/* Sessions of the legacy era, and questions to its clients, whose answers come through another process. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include <sqlite3.h>

#include "base/clock.h"
#include "base/ending.h"
#include "base/json.h"
#include "base/log.h"
#include "mcp/dispatch.h"
#include "mcp/registry.h"
#include "mcp/resource.h"
#include "mcp/session.h"
#include "mcp/stream.h"
#include "store/bus.h"
#include "store/secrets.h"
#include "store/state.h"
#include "tests/quotes.h"
#include "tests/tap.h"

#define ANY "{\"type\":\"object\"}"
#define DAY (24 * 3600)

static char dir[64] = "/tmp/session-t-XXXXXX";
static char alice[] = "alice", bob[] = "bob", issuer[] = "https://as.example", client[] = "c1", other_client[] = "c2";
static struct principal caller = { .issuer = issuer, .subject = alice, .client_id = client };
static struct mcp_service service = { .name = "srv", .version = "1", .list_ttl_ms = 1000, .tool_timeout_ms = 60000,
	.request_state_s = 600, .page_size = 100 };
static struct mcp_reply reply;
static struct state *state;
static int64_t now_s;
static char session[1024];		/* sent with what is dispatched; "": none */

/* What a process has of its own. */
static bool
open_stores(void)
{
	return state_open(dir, &state, NULL) == MCP_OK && secrets_new(state, &service.secrets) == MCP_OK &&
	    bus_new(dir, &service.bus) == MCP_OK;
}

static void
close_stores(void)
{
	bus_free(service.bus);
	secrets_free(service.secrets);
	state_close(state);
}

/* A client that answers what it is asked, from another process: this is called for each event of the stream. */
struct peer {
	const char *answer;	/* members of the response, in single quotes; NULL: none comes */
	const char *session;	/* whose session the answer comes with; NULL: the right one */
	const char *subject;	/* who answers; NULL: the right one */
	bool is_gone;		/* the client has left */
	int questions, others;
	int status;		/* of the POST of the answer, as a process can tell it */
	char last[2048];	/* event */
	char id[64];		/* of the event without data */
	int64_t retry_ms;
	bool comes_back;	/* another process asks for what follows the id, as soon as there is one */
	pid_t elsewhere;	/* which is that */
	bool ending;		/* that process is about to end */
	bool leaves;		/* the client leaves with the first event */
	bool full;		/* no stream is to be had */
	bool cut;		/* nothing can be sent */
	bool ended;		/* the stream was ended */
};

static void
dispatch(const char *text, const char *version, const struct mcp_stream *stream, const struct mcp_watch *watch)
{
	struct mcp_message message = { .text = text, .len = strlen(text), .protocol_version = version,
		.session_id = session[0] ? session : NULL, .principal = &caller, .request_id = "r", .now_s = now_s,
		.stream = stream, .watch = watch };

	buf_clear(&reply.body);
	mcp_reply_clear(&reply);
	memset(&reply, 0, sizeof reply);
	buf_init(&reply.body, 1 << 20);
	mcp_dispatch(&service, &message, &reply);
}

static void
legacy(const char *text)
{
	dispatch(q(text), "2025-11-25", NULL, NULL);
}

static enum mcp_err take_event(void *ctx, const struct mcp_event *event);

/* In a process of its own: send the response of the peer. */
static void
answer_elsewhere(struct peer *p, const char *id)
{
	char text[1024];
	int status;
	pid_t child = fork();

	if (child == 0) {
		static char name[64];

		if (!open_stores())
			_exit(99);
		if (p->session)
			snprintf(session, sizeof session, "%s", p->session);
		if (p->subject) {
			snprintf(name, sizeof name, "%s", p->subject);
			caller.subject = name;
		}
		snprintf(text, sizeof text, "{'jsonrpc':'2.0','id':'%s',%s}", id, p->answer);
		legacy(text);
		_exit(reply.status == 202 ? 0 : reply.status == 404 ? 4 : 1);
	}
	waitpid(child, &status, 0);
	p->status = WEXITSTATUS(status);
}

static void
come_back(struct peer *p, const char *id)
{
	struct mcp_stream stream = { .send = take_event, .ctx = p, .life_ms = 30000 };
	struct mcp_message message = { .session_id = session[0] ? session : NULL, .principal = &caller,
		.request_id = "r", .now_s = now_s, .stream = &stream };

	buf_clear(&reply.body);
	mcp_reply_clear(&reply);
	memset(&reply, 0, sizeof reply);
	buf_init(&reply.body, 1 << 20);
	mcp_resume(&service, &message, id, &reply);
}

/* In a process of its own: come back for the answer, which exits with 0 when it has it. */
static void
come_back_elsewhere(struct peer *p)
{
	p->elsewhere = fork();
	if (p->elsewhere == 0) {
		struct peer own = { .answer = NULL };

		if (!open_stores())
			_exit(99);
		if (p->ending)
			ending_set(clock_monotonic_ms());
		come_back(&own, p->id);
		if (p->ending)
			_exit(reply.status == 200 && reply.body.len == 0 ? 0 : 1);
		_exit(reply.status == 200 && strstr(reply.body.data, "logged") ? 0 : 1);
	}
}

static enum mcp_err
take_event(void *ctx, const struct mcp_event *event)
{
	struct peer *p = ctx;
	char id[64] = "";
	const char *at;

	if (p->full || p->cut)
		return p->full ? MCP_ELIMIT : MCP_ECLOSED;
	if (!event->json) {
		snprintf(p->id, sizeof p->id, "%s", event->id);
		p->retry_ms = event->retry_ms;
		p->is_gone = p->is_gone || p->leaves;
		if (p->comes_back)
			come_back_elsewhere(p);
		return MCP_OK;
	}
	snprintf(p->last, sizeof p->last, "%.*s", (int)event->len, event->json);
	at = strstr(p->last, "\"id\":\"");
	if (!at) {
		p->others++;
		return MCP_OK;
	}
	p->questions++;
	snprintf(id, sizeof id, "%.*s", (int)strcspn(at + 6, "\""), at + 6);
	if (p->answer)
		answer_elsewhere(p, id);
	return MCP_OK;
}

static struct peer *kept_by;
static struct mcp_kept kept;

static void
end_kept(struct mcp_kept *k, const struct mcp_event *last)
{
	kept_by->ended = k == &kept && !last;
}

static enum mcp_err
keep_stream(void *ctx, const struct mcp_kept_owner *owner, struct mcp_kept **out)
{
	(void)owner;
	kept_by = ctx;
	kept.end = end_kept;
	*out = &kept;
	return MCP_OK;
}

static bool
peer_is_gone(void *ctx)
{
	return ((struct peer *)ctx)->is_gone;
}

static void
call_by(const char *version, const char *name, struct peer *p)
{
	struct mcp_stream stream = { .send = take_event, .keep = keep_stream, .ctx = p, .life_ms = 300 };
	struct mcp_watch watch = { .is_gone = peer_is_gone, .ctx = p };
	char text[256];

	snprintf(text, sizeof text, "{'jsonrpc':'2.0','id':1,'method':'tools/call','params':{'name':'%s'}}", name);
	dispatch(q(text), version, &stream, &watch);
}

static void
call(const char *name, struct peer *p)
{
	call_by("2025-11-25", name, p);
}

static bool
says(const char *text)
{
	if (strstr(reply.body.data, q(text)))
		return true;
	diag("answer %d: %s", reply.status, reply.body.data);
	return false;
}

static struct json_object *
parsed(const char *text)
{
	static const struct json_bounds bounds = { 65536, 32, 1000 };
	struct json_object *v = NULL;

	if (json_parse(q(text), strlen(q(text)), &bounds, &v, NULL))
		diag("no JSON: %s", text);
	return v;
}

#define FORM "{'type':'object','properties':{'name':{'type':'string'}},'required':['name']}"

static enum mcp_err
call_elicits(struct tool_call *call)
{
	const struct json_object *answer, *again;
	struct json_object *content;
	const char *name = "nobody";
	enum mcp_err err = tool_elicit(call, "name", "Who?", parsed(FORM), &answer);

	if (err)
		return err;
	if (tool_elicit(call, "name", "Who?", parsed(FORM), &again) != MCP_OK || again != answer)
		return MCP_EINTERNAL;
	if (json_get_object(answer, "content", &content) == MCP_OK &&
	    json_get_string(content, "name", &name, NULL) != MCP_OK)
		name = "?";
	return tool_textf(call, "Hello, %s!", name);
}

static enum mcp_err
call_samples(struct tool_call *call)
{
	const struct json_object *answer;
	enum mcp_err err = tool_sample(call, "m", parsed("{'messages':[],'maxTokens':9}"), &answer);

	return err ? err : tool_text(call, "sampled", 7);
}

/* What came with 2025-11-25: a choice of several; a message of several blocks. */
static enum mcp_err
call_chooses(struct tool_call *call)
{
	const struct json_object *answer;
	enum mcp_err err = tool_elicit(call, "c", "Which?", parsed("{'type':'object','properties':{'c':{'type':'array',"
	    "'items':{'type':'string','enum':['a','b']}}}}"), &answer);

	return err ? err : tool_text(call, "chosen", 6);
}

static enum mcp_err
call_converses(struct tool_call *call)
{
	const struct json_object *answer;
	enum mcp_err err = tool_sample(call, "m", parsed("{'maxTokens':9,'messages':[{'role':'user','content':["
	    "{'type':'text','text':'a'},{'type':'text','text':'b'}]}]}"), &answer);

	return err ? err : tool_text(call, "said", 4);
}

static enum mcp_err
call_logs(struct tool_call *call)
{
	enum mcp_err err = tool_log(call, TOOL_LOG_INFO, NULL, json_new_string("x", 1));

	if (!err)
		err = tool_log(call, TOOL_LOG_ERROR, NULL, json_new_string("y", 1));
	return err ? err : tool_text(call, "logged", 6);
}

/* Takes a while after its first event. */
static enum mcp_err
call_slow(struct tool_call *call)
{
	struct timespec t = { .tv_sec = 5 };
	enum mcp_err err = tool_log(call, TOOL_LOG_ERROR, NULL, json_new_string("x", 1));

	nanosleep(&t, NULL);
	return err ? err : tool_text(call, "logged", 6);
}

static enum mcp_err
call_ends(struct tool_call *call)
{
	enum mcp_err err = tool_end_stream(call, 700);

	if (err && err != MCP_ENOTSUP)
		return err;
	return tool_textf(call, "went on: %d", err);
}

static enum mcp_err
read_it(struct tool_call *call)
{
	return resource_text(call, NULL, NULL, "x", 1);
}

#define TOOL(n, f) { .name = n, .description = "d", .input_schema = ANY, .scopes = "", .call = f }
static const struct tool tools[] = { TOOL("elicits", call_elicits), TOOL("samples", call_samples),
	TOOL("chooses", call_chooses), TOOL("converses", call_converses),
	TOOL("logs", call_logs), TOOL("slow", call_slow), TOOL("ends", call_ends) };
static const struct resource resource = { .uri = "test://watched", .name = "watched", .scopes = "", .read = read_it };
static const struct resource_template items = { .uri_template = "test://item/{n}", .name = "item", .scopes = "",
	.read = read_it };

static void
initialize(const char *capabilities)
{
	char text[512];

	snprintf(text, sizeof text, "{'jsonrpc':'2.0','id':1,'method':'initialize','params':{'protocolVersion':"
	    "'2025-06-18','capabilities':%s,'clientInfo':{'name':'c','version':'1'}}}", capabilities);
	legacy(text);
	snprintf(session, sizeof session, "%s", reply.session_id);
}

#define LIST "{'jsonrpc':'2.0','id':1,'method':'tools/list'}"
#define ALL "{'elicitation':{},'sampling':{},'roots':{'listChanged':true}}"

static int
end_as(const char *version)
{
	struct mcp_message message = { .session_id = session, .principal = &caller, .request_id = "r", .now_s = now_s,
		.protocol_version = version };

	return session_end(&service, &message);
}

static int
listen_as(const char *version)
{
	struct mcp_message message = { .session_id = session, .principal = &caller, .request_id = "r", .now_s = now_s,
		.protocol_version = version };

	buf_clear(&reply.body);
	memset(&reply, 0, sizeof reply);
	buf_init(&reply.body, 1 << 20);
	mcp_resume(&service, &message, NULL, &reply);
	return reply.status;
}

static int
end_session(void)
{
	return end_as(NULL);
}

/* Change what state.db is made of, as nothing of ours does. */
static void
alter_state(const char *sql)
{
	char path[256];
	sqlite3 *db = NULL;

	snprintf(path, sizeof path, "%s/state.db", dir);
	if (sqlite3_open(path, &db) != SQLITE_OK || sqlite3_exec(db, sql, NULL, NULL, NULL) != SQLITE_OK)
		diag("%s: %s", sql, sqlite3_errmsg(db));
	sqlite3_close(db);
}

/* A process that has not read its keys yet, and cannot. */
static void
test_undecidable(void)
{
	struct secrets *known = service.secrets;

	initialize(ALL);
	if (secrets_new(state, &service.secrets) != MCP_OK)
		return;
	alter_state("ALTER TABLE sealing_key RENAME TO away");
	legacy(LIST);
	is_int(reply.status, 503, "a session that cannot be read now is not said to be none");
	is_int(end_session(), 503, "nor can it be ended now");
	alter_state("ALTER TABLE away RENAME TO sealing_key");
	legacy(LIST);
	is_int(reply.status, 200, "and is good again when it can be read");
	secrets_free(service.secrets);
	service.secrets = known;
}

static void
test_sessions(void)
{
	char good[1024], second[1024];

	initialize(ALL);
	ok(session[0] != '\0', "initialize begins a session");
	ok(strspn(session, "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_") == strlen(session) &&
	    strlen(session) < 512, "its id is short visible ASCII (%zu)", strlen(session));
	ok(says("'logging':{}"), "log levels are offered");
	snprintf(good, sizeof good, "%s", session);
	legacy(LIST);
	is_int(reply.status, 200, "it is good for requests");
	dispatch(q(LIST), NULL, NULL, NULL);
	is_str(reply.version, "2025-06-18", "which speak its version, when none is named");
	legacy("{'jsonrpc':'2.0','method':'notifications/initialized'}");
	is_int(reply.status, 202, "and for notifications");
	session[strlen(session) - 1] ^= 1;
	legacy(LIST);
	ok(reply.status == 404 && reply.error_code == -32001, "one that was changed is not found");
	snprintf(session, sizeof session, "x");
	legacy("{'jsonrpc':'2.0','method':'notifications/initialized'}");
	is_int(reply.status, 404, "nor is one that never was, whatever the message");
	snprintf(session, sizeof session, "%s", good);
	caller.subject = bob;
	legacy(LIST);
	is_int(reply.status, 404, "nor another person's");
	is_int(end_session(), 404, "who cannot end it either");
	caller.subject = alice;
	caller.client_id = other_client;
	legacy(LIST);
	is_int(reply.status, 404, "nor another client's");
	caller.client_id = client;
	now_s += DAY;
	legacy(LIST);
	is_int(reply.status, 404, "it lasts a day");
	now_s -= 1;
	legacy(LIST);
	is_int(reply.status, 200, "and no shorter");
	now_s -= DAY - 1;
	initialize(ALL);
	snprintf(second, sizeof second, "%s", session);
	snprintf(session, sizeof session, "%s", good);
	is_int(end_as("banana"), 400, "nor is it ended in a version that nobody speaks");
	is_int(listen_as("banana"), 400, "or listened to in one");
	is_int(listen_as("2025-11-25"), 405, "in its own it may be, by who takes events");
	is_int(end_session(), 204, "it is ended");
	legacy(LIST);
	is_int(reply.status, 404, "and not found any more");
	is_int(end_session(), 404, "nor ended twice");
	snprintf(session, sizeof session, "%s", second);
	legacy(LIST);
	is_int(reply.status, 200, "another one of the same client is as it was");
	session[0] = '\0';
	legacy(LIST);
	is_int(reply.status, 200, "none is needed");
}

static void
test_notes(void)
{
	struct peer p = { .answer = NULL };

	initialize(ALL);
	call("logs", &p);
	is_int(p.others, 0, "no log messages before they were asked for");
	legacy("{'jsonrpc':'2.0','id':1,'method':'logging/setLevel','params':{'level':'warning'}}");
	is_str(reply.body.data, q("{'jsonrpc':'2.0','id':1,'result':{}}"), "a level is set");
	call("logs", &p);
	is_int(p.others, 1, "those of that level and above come");
	legacy("{'jsonrpc':'2.0','id':1,'method':'logging/setLevel','params':{'level':'debug'}}");
	call("logs", &p);
	is_int(p.others, 3, "and of another");
	initialize(ALL);
	call("logs", &p);
	is_int(p.others, 3, "another session has its own");
	legacy("{'jsonrpc':'2.0','id':1,'method':'logging/setLevel','params':{'level':'loud'}}");
	is_int(reply.error_code, -32602, "a level that is none is refused");
	legacy("{'jsonrpc':'2.0','id':1,'method':'resources/subscribe','params':{'uri':'test://watched'}}");
	is_str(reply.body.data, q("{'jsonrpc':'2.0','id':1,'result':{}}"), "a resource is subscribed to");
	legacy("{'jsonrpc':'2.0','id':1,'method':'resources/subscribe','params':{'uri':'test://none'}}");
	is_int(reply.error_code, -32002, "one that does not exist is not");
	legacy("{'jsonrpc':'2.0','id':1,'method':'resources/unsubscribe','params':{'uri':'test://watched'}}");
	is_str(reply.body.data, q("{'jsonrpc':'2.0','id':1,'result':{}}"), "and unsubscribed from");
	session[0] = '\0';
	legacy("{'jsonrpc':'2.0','id':1,'method':'logging/setLevel','params':{'level':'debug'}}");
	is_int(reply.error_code, -32602, "without a session nothing is kept");
	initialize(ALL);
	for (int i = 0; i <= BUS_NOTES_OF_ONE_MAX; i++) {
		char text[160];

		snprintf(text, sizeof text, "{'jsonrpc':'2.0','id':1,'method':'resources/subscribe','params':{"
		    "'uri':'test://item/%d'}}", i);
		legacy(text);
		if (i == 0)
			is_str(reply.body.data, q("{'jsonrpc':'2.0','id':1,'result':{}}"), "the first of many");
	}
	is_int(reply.error_code, -32602, "a session that has subscribed to very much is told");
	legacy("{'jsonrpc':'2.0','id':1,'method':'logging/setLevel','params':{'level':'info'}}");
	is_str(reply.body.data, q("{'jsonrpc':'2.0','id':1,'result':{}}"), "it sets a level all the same");
	is_int(end_session(), 204, "and is ended");
	legacy(LIST);
	is_int(reply.status, 404, "for good");
}

#define CHOICE "'result':{'action':'accept','content':{'c':['a']}}"
#define MESSAGE "'result':{'role':'assistant','model':'m','content':{'type':'text','text':'t'}}"
#define ACCEPT "'result':{'action':'accept','content':{'name':'Ann'}}"

static void
test_answers(void)
{
	struct peer p = { .answer = ACCEPT };

	initialize(ALL);
	call("elicits", &p);
	ok(says("Hello, Ann!") && p.questions == 1, "a question is answered through another process");
	ok(strstr(p.last, q("'method':'elicitation/create','params':{'mode':'form','message':'Who?',"
	    "'requestedSchema':" FORM "}}")) != NULL, "it was sent on the stream");
	is_int(p.status, 0, "and the answer accepted");
	p.answer = "'result':{'role':'assistant','content':{'type':'text','text':'hi'},'model':'m'}";
	call("samples", &p);
	ok(says("sampled"), "so is one to the client's model");
	p.answer = "'result':{'action':'decline'}";
	call("elicits", &p);
	ok(says("Hello, nobody!"), "a person may decline");
	p.answer = "'error':{'code':-1,'message':'no'}";
	call("elicits", &p);
	ok(says("'isError':true") && says("it is an error"), "an error is told");
	p.answer = "'result':{'action':'accept','content':{'name':7}}";
	call("elicits", &p);
	ok(says("'isError':true") && says("does not fit the schema"), "so is an answer that does not fit the form");
}

static void
test_no_answers(void)
{
	struct peer p = { .answer = NULL };
	char foreign[1024];
	int64_t begun_ms, took_ms;

	initialize(ALL);
	snprintf(foreign, sizeof foreign, "%s", session);
	initialize(ALL);
	service.tool_timeout_ms = 1000;
	begun_ms = clock_monotonic_ms();
	call("elicits", &p);
	took_ms = clock_monotonic_ms() - begun_ms;
	ok(says("'isError':true") && says("in time"), "no answer comes");
	ok(took_ms >= 1000 && took_ms < 15000, "which is waited for until the deadline (%lld ms)", (long long)took_ms);
	ok(p.others == 1 && strstr(p.last, "notifications/cancelled"), "then the question is taken back");
	service.tool_timeout_ms = 60000;
	begun_ms = clock_monotonic_ms();
	ending_set(begun_ms + 1000);
	call("elicits", &p);
	ending_set(INT64_MAX);
	service.tool_timeout_ms = 1000;
	ok(says("in time") && p.others == 2 && clock_monotonic_ms() - begun_ms < 30000, "and so it is when the process "
	    "is to end before that");
	p.answer = ACCEPT;
	p.session = foreign;
	call("elicits", &p);
	ok(says("in time") && p.status == 0, "an answer of another session of the same client is not taken");
	p.session = NULL;
	p.subject = bob;
	call("elicits", &p);
	ok(says("in time") && p.status == 4, "another person's is refused");
	service.tool_timeout_ms = 60000;
	p = (struct peer){ .is_gone = true };
	begun_ms = clock_monotonic_ms();
	call("elicits", &p);
	ok(says("left before it answered") && clock_monotonic_ms() - begun_ms < 15000, "a client that leaves is not "
	    "waited for");
	p = (struct peer){ .answer = ACCEPT };
	legacy("{'jsonrpc':'2.0','id':'0123','result':{}}");
	is_int(reply.status, 202, "an answer that nobody waits for is accepted");
}

static void
test_capabilities(void)
{
	static const struct {
		const char *version, *tool, *answer, *since;
	} rows[] = {
		{ "2025-03-26", "elicits", ACCEPT, "older than 2025-06-18" },
		{ "2025-06-18", "elicits", ACCEPT, NULL },
		{ "2025-06-18", "chooses", CHOICE, "older than 2025-11-25" },
		{ "2025-11-25", "chooses", CHOICE, NULL },
		{ "2025-03-26", "samples", MESSAGE, NULL },
		{ "2025-06-18", "converses", MESSAGE, "older than 2025-11-25" },
		{ "2025-11-25", "converses", MESSAGE, NULL }
	};
	struct peer p = { .answer = ACCEPT };

	initialize("{'sampling':{}}");
	call("elicits", &p);
	ok(says("'isError':true") && says("Missing required client capability") && p.questions == 0,
	    "what a client cannot do it is not asked");
	initialize("{'elicitation':{'url':{}}}");
	call("elicits", &p);
	ok(says("Missing required") && p.questions == 0, "nor for a form when it opens URLs only");
	initialize("{'elicitation':7,'sampling':[]}");
	call("elicits", &p);
	ok(says("Missing required") && p.questions == 0, "a capability that is no object is none");
	session[0] = '\0';
	call("elicits", &p);
	ok(says("Missing required") && p.questions == 0, "without a session nobody knows");
	initialize(ALL);
	legacy("{'jsonrpc':'2.0','id':1,'method':'tools/call','params':{'name':'elicits'}}");
	ok(says("'isError':true") && says("takes no event stream"), "a client that takes no stream cannot be asked");
	for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
		p = (struct peer){ .answer = rows[i].answer };
		call_by(rows[i].version, rows[i].tool, &p);
		if (rows[i].since)
			ok(p.questions == 0 && says("'isError':true") && says(rows[i].since), "%s by %s: not asked, %s",
			    rows[i].tool, rows[i].version, rows[i].since);
		else
			ok(p.questions == 1 && says("'isError':false"), "%s by %s: asked", rows[i].tool,
			    rows[i].version);
	}
}

static void
test_resuming(void)
{
	struct peer p = { .leaves = true }, again = { .answer = NULL }, none = { .full = true };
	char own[1024];
	int status = 1;

	initialize(ALL);
	snprintf(own, sizeof own, "%s", session);
	legacy("{'jsonrpc':'2.0','id':1,'method':'logging/setLevel','params':{'level':'debug'}}");
	call("logs", &p);
	ok(p.id[0] && p.retry_ms > 0, "a stream begins with an event to come back for");
	initialize(ALL);
	come_back(&again, p.id);
	is_int(reply.status, 405, "another session does not get what follows it");
	snprintf(session, sizeof session, "%s", own);
	caller.subject = bob;
	come_back(&again, p.id);
	is_int(reply.status, 404, "nor another person");
	caller.subject = alice;
	come_back(&again, p.id);
	ok(reply.status == 200 && says("logged") && strcmp(again.id, p.id) == 0,
	    "a client that had left gets the answer");
	come_back(&again, p.id);
	is_int(reply.status, 405, "once");
	p = (struct peer){ .answer = NULL };
	call("logs", &p);
	come_back(&again, p.id);
	ok(p.id[0] && reply.status == 405, "what a client has is not kept for it");
	p = (struct peer){ .comes_back = true };
	call("slow", &p);
	ok(waitpid(p.elsewhere, &status, 0) == p.elsewhere && status == 0,
	    "a client that comes back before the answer is there waits for it, in another process");
	is_int((long)reply.body.len, 0, "and gets it on that stream alone");
	p = (struct peer){ .comes_back = true, .ending = true };
	call("slow", &p);
	ok(waitpid(p.elsewhere, &status, 0) == p.elsewhere && status == 0,
	    "it does not wait in a process that is about to end");
	p = (struct peer){ .answer = NULL };
	call("ends", &p);
	ok(p.ended && p.retry_ms == 700 && reply.body.len == 0, "a tool ends its stream and goes on");
	come_back(&none, p.id);
	is_int(reply.status, 503, "when no stream is to be had for its answer, the client is told to come again");
	none = (struct peer){ .cut = true };
	come_back(&none, p.id);
	is_int((long)reply.body.len, 0, "when it has left again, it gets nothing");
	come_back(&again, p.id);
	ok(says("went on: 0"), "its answer waits");
	come_back(&again, "no such id");
	is_int(reply.status, 405, "an event that nobody knows is not gone on from");
	legacy("{'jsonrpc':'2.0','id':1,'method':'tools/call','params':{'name':'ends'}}");
	ok(says("went on: ") && !strstr(reply.body.data, "went on: 0"), "without a stream there is none to end");
	p = (struct peer){ .answer = NULL };
	{
		struct mcp_stream stream = { .send = take_event, .keep = keep_stream, .ctx = &p, .life_ms = 300,
		    .shared = true };

		dispatch(q("{'jsonrpc':'2.0','id':1,'method':'tools/call','params':{'name':'ends'}}"), "2025-11-25",
		    &stream, NULL);
		ok(says("went on: ") && !strstr(reply.body.data, "went on: 0") && !p.ended,
		    "nor is one ended on a connection that somebody else's request may be waiting on");
	}
	{
		struct mcp_stream stream = { .send = take_event, .ctx = &p, .life_ms = 300 };

		dispatch(q("{'jsonrpc':'2.0','id':1,'method':'tools/call','params':{'name':'ends'}}"), "2025-06-18",
		    &stream, NULL);
		ok(says("went on: ") && !p.id[0], "nor of an older version");
	}
}

static void
say_nothing(void *ctx, enum log_level level, const char *text)
{
	(void)ctx;
	(void)level;
	diag("logged: %s", text);
}

int
main(void)
{
	struct registry *r = NULL;
	char command[96];
	bool good;

	log_capture(say_nothing, NULL);
	if (!mkdtemp(dir))
		return 99;
	now_s = clock_now_s();
	good = registry_new(&r) == MCP_OK;
	for (size_t i = 0; good && i < sizeof tools / sizeof tools[0]; i++)
		good = registry_add(r, &tools[i], NULL, NULL) == MCP_OK;
	ok(good && registry_add_resource(r, &resource, NULL, NULL) == MCP_OK &&
	    registry_add_template(r, &items, NULL, NULL) == MCP_OK && registry_seal(r) == MCP_OK, "tools");
	ok(open_stores(), "a place for what is kept");
	service.registry = r;
	test_sessions();
	test_undecidable();
	test_notes();
	test_answers();
	test_no_answers();
	test_capabilities();
	test_resuming();
	buf_clear(&reply.body);
	mcp_reply_clear(&reply);
	close_stores();
	registry_free(r);
	snprintf(command, sizeof command, "rm -rf %s", dir);
	if (system(command) != 0)
		diag("%s was not removed", dir);
	return tap_done();
}
