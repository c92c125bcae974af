/* SPDX-License-Identifier: MIT */
/* Answers for questions to clients of the legacy era: how they leave, and how their answers come back. */
#include "mcp/legacy_ask.h"

#include <string.h>

#include "base/clock.h"
#include "base/digest.h"
#include "base/ending.h"
#include "base/json.h"
#include "base/log.h"
#include "base/text.h"
#include "mcp/ask.h"
#include "mcp/ask_params.h"
#include "mcp/rpc.h"
#include "mcp/stream.h"
#include "mcp/tool.h"
#include "store/bus.h"
#include "store/wake.h"

#define ID_MAX 64		/* characters of an id that a response may have */
#define LOOK_MS 500		/* how often to see whether the client has left */
#define LATE_S 5		/* an answer that comes just at the deadline still finds its box */
#define QUESTION_MAX (1024 * 1024)
#define ANSWER_MAX (4 * 1024 * 1024)

/* A question on its way. */
struct question {
	char id[DIGEST_RANDOM_ID_LEN + 1];
	unsigned char box[DIGEST_SHA256_LEN];
	int64_t deadline_ms;
};

int
legacy_ask_begin(struct rpc *x, struct tool_call *call)
{
	(void)call;
	session_apply_level(x);
	resume_begin(x);
	return 0;
}

static enum mcp_err
make_question(const struct rpc *x, const struct tool_call *call, struct question *q)
{
	int64_t now_ms = clock_monotonic_ms();
	enum mcp_err err = digest_random_id(q->id);

	if (err)
		return err;
	/* People are slower than tools. */
	q->deadline_ms = now_ms + x->message->stream->life_ms;
	if (q->deadline_ms < call->deadline_ms)
		q->deadline_ms = call->deadline_ms;
	if (x->message->stream->until_ms > 0 && q->deadline_ms > x->message->stream->until_ms)
		q->deadline_ms = x->message->stream->until_ms;
	err = session_box(x, "answer", q->id, q->box);
	return err ? err : bus_mail_open(x->service->bus, q->box, x->session.principal, x->message->now_s,
	    clock_now_s() + (q->deadline_ms - now_ms) / 1000 + LATE_S);
}

/* Send a message on the request's stream. */
static enum mcp_err
send(struct rpc *x, const struct buf *text)
{
	struct mcp_event event = { .json = text->data, .len = text->len };

	return buf_status(text) ? buf_status(text) : x->message->stream->send(x->message->stream->ctx, &event);
}

static enum mcp_err
send_question(struct rpc *x, const struct question *q, const char *method, const struct json_object *params)
{
	struct buf text;
	enum mcp_err err;

	buf_init(&text, QUESTION_MAX);
	buf_printf(&text, "{\"jsonrpc\":\"2.0\",\"id\":\"%s\",\"method\":\"%s\"", q->id, method);
	if (params) {
		buf_puts(&text, ",\"params\":");
		json_render(params, &text);
	}
	buf_putc(&text, '}');
	err = send(x, &text);
	buf_clear(&text);
	return err;
}

/* Nobody waits for the answer any more, which the client may tell its user. */
static void
take_back(struct rpc *x, const struct question *q)
{
	struct buf text;

	buf_init(&text, 512);
	buf_printf(&text, "{\"jsonrpc\":\"2.0\",\"method\":\"notifications/cancelled\",\"params\":{"
	    "\"requestId\":\"%s\",\"reason\":\"no answer in time\"}}", q->id);
	if (send(x, &text))
		log_debug("request %s: its client has left", x->message->request_id);
	buf_clear(&text);
}

static bool
has_left(const struct rpc *x)
{
	const struct mcp_watch *watch = x->message->watch;

	return watch && watch->is_gone(watch->ctx);
}

/* Wait for the answer and append it. MCP_ETIMEOUT, MCP_ECLOSED; else as bus_mail_take(). */
static enum mcp_err
await(struct rpc *x, const struct question *q, struct buf *answer)
{
	struct wake *wake = bus_wake(x->service->bus);
	enum mcp_err err;

	for (;;) {
		uint64_t since = wake_now(wake);
		int64_t now_ms = clock_monotonic_ms();

		err = bus_mail_take(x->service->bus, q->box, answer);
		if (err != MCP_EAGAIN)
			return err;
		if (has_left(x) || inflight_is_cancelled(x))
			return MCP_ECLOSED;
		if (now_ms >= q->deadline_ms || now_ms >= ending_ms())
			return MCP_ETIMEOUT;
		(void)wake_wait(wake, since, now_ms + LOOK_MS < q->deadline_ms ? now_ms + LOOK_MS : q->deadline_ms);
	}
}

/* Take the result out of the client's message, and keep it for the life of the call. */
static enum mcp_err
read_answer(struct tool_call *call, const char *key, const char *method, const struct json_object *params,
    const struct buf *text, const struct json_object **result)
{
	struct jsonrpc_message m;
	struct jsonrpc_fault fault;
	struct json_object *answer = NULL;
	const char *why = "it is an error";
	enum mcp_err err = MCP_EREMOTE;

	if (!jsonrpc_parse(text->data, text->len, &m, &fault))
		why = fault.text;
	else if (json_get(m.root, "result", &answer) == MCP_OK)
		err = ask_judge(method, params, answer, &why);
	if (!err && !call->answered && !(call->answered = json_new_object()))
		err = MCP_ENOMEM;
	if (!err)
		err = json_set_new(call->answered, key, json_ref(answer));
	if (!err)
		*result = answer;
	else if (err == MCP_EREMOTE)
		ask_fault(call, err, "the client's answer to \"%.128s\" is none: %s", key, why);
	jsonrpc_clear(&m);
	return err;
}

/* As legacy_ask(), of a client that can be asked. */
static enum mcp_err
ask(struct rpc *x, struct tool_call *call, const char *key, const char *method, const struct json_object *params,
    const struct json_object **result)
{
	struct question q;
	struct buf answer;
	enum mcp_err err = make_question(x, call, &q);
	int64_t begun_ms = clock_monotonic_ms();

	if (err)
		return err;
	buf_init(&answer, ANSWER_MAX);
	err = send_question(x, &q, method, params);
	if (!err)
		err = await(x, &q, &answer);
	if (!err)
		err = read_answer(call, key, method, params, &answer, result);
	else if (bus_mail_close(x->service->bus, q.box))
		log_debug("request %s: the box of an answer was not closed", x->message->request_id);
	/* The time was the client's. */
	if (call->deadline_ms)
		call->deadline_ms += clock_monotonic_ms() - begun_ms;
	if (err == MCP_ETIMEOUT)
		take_back(x, &q);
	buf_clear(&answer);
	return err;
}

enum mcp_err
legacy_ask(struct rpc *x, struct tool_call *call, const char *key, const char *method, struct json_object *params,
    const struct json_object **result)
{
	struct json_object *known;
	enum mcp_err err;

	if (json_get(call->answered, key, &known) == MCP_OK) {
		*result = known;
		err = MCP_OK;
	} else if (!x->session.open || !x->service->bus || !x->message->stream) {
		err = ask_fault(call, MCP_ENOTSUP, "The client cannot be asked: it takes no event stream");
	} else if (strcmp(x->version, ask_params_since(method, params)) < 0) {
		/* Versions are dates. */
		err = ask_fault(call, MCP_ENOTSUP, "The client cannot be asked this: its version of the protocol is "
		    "older than %s", ask_params_since(method, params));
	} else {
		err = ask(x, call, key, method, params, result);
	}
	if (err == MCP_ETIMEOUT)
		ask_fault(call, err, "The client did not answer \"%.128s\" in time", key);
	else if (err == MCP_ECLOSED)
		ask_fault(call, err, "The client left before it answered \"%.128s\"", key);
	else if (err == MCP_ELIMIT)
		ask_fault(call, err, "The client cannot be asked: too much is going on");
	json_free(params);
	return err;
}

/* Of the three methods that may ask only a tool's result can be an error that the model reads. */
int
legacy_ask_failed(struct rpc *x, struct tool_call *call)
{
	if (strcmp(x->reply->method, "tools/call") != 0)
		return rpc_error(x, JSONRPC_INTERNAL_ERROR, "%s", call->ask_fault);
	json_free(call->content);
	call->content = NULL;
	json_free(call->structured);
	call->structured = NULL;
	call->has_structured = false;
	if (tool_error(call, "%s", call->ask_fault))
		return rpc_error(x, JSONRPC_INTERNAL_ERROR, "Internal error: out of memory");
	return 0;
}

int
legacy_ask_response(struct rpc *x)
{
	unsigned char box[DIGEST_SHA256_LEN];
	const char *id;
	size_t len;
	enum mcp_err err;

	if (!x->session.open || !x->service->bus || json_as_string(x->in.id, &id, &len) || len > ID_MAX)
		return rpc_accepted(x);
	err = session_box(x, "answer", id, box);
	if (!err)
		err = bus_mail_put(x->service->bus, box, x->message->now_s, x->message->text, x->message->len);
	if (!err || err == MCP_ENOENT)
		return rpc_accepted(x);
	return rpc_error_as(x, 503, JSONRPC_INTERNAL_ERROR, "Internal error: the answer cannot be taken", NULL);
}
