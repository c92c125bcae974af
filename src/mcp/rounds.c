/* SPDX-License-Identifier: MIT */
/* Answers for what a request brings from the rounds before it, and for what it takes into the next one. */
#include "mcp/rounds.h"

#include <string.h>

#include "base/digest.h"
#include "base/json.h"
#include "base/log.h"
#include "mcp/ask.h"
#include "mcp/era.h"
#include "mcp/rpc.h"
#include "mcp/tool.h"
#include "oauth/principal.h"
#include "store/secrets.h"

#define PURPOSE "requestState"
#define PARTS 6

/* What a requestState is bound to. The parts borrow from the request and from "digest". */
struct binding {
	struct seal_part parts[PARTS];
	uint8_t digest[DIGEST_SHA256_LEN];
};

static struct seal_part
part_of(const char *text)
{
	return (struct seal_part){ text ? text : "", text ? strlen(text) : 0 };
}

static enum mcp_err
bind_to_request(struct rpc *x, const struct tool_call *call, struct binding *b)
{
	const struct method *method = era_method(x->era->methods, x->in.method, x->in.method_len);
	const struct principal *who = call->principal;
	const char *name = NULL;
	struct buf arguments;
	enum mcp_err err;

	if (method && method->mirrored && json_get_string(x->in.params, method->mirrored, &name, NULL) != MCP_OK)
		name = NULL;
	buf_init(&arguments, x->message->len * 6 + 64);	/* what came, each byte escaped */
	json_render(call->arguments, &arguments);
	err = buf_status(&arguments);
	if (!err)
		err = digest_sha256(arguments.data, arguments.len, b->digest);
	buf_clear(&arguments);
	b->parts[0] = part_of(who ? who->issuer : NULL);
	b->parts[1] = part_of(who ? who->subject : NULL);
	b->parts[2] = part_of(who ? who->client_id : NULL);
	b->parts[3] = (struct seal_part){ x->in.method, x->in.method_len };
	b->parts[4] = part_of(name);
	b->parts[5] = (struct seal_part){ b->digest, sizeof b->digest };
	return err;
}

/* Take a member out of what was unsealed, with a reference of its own. */
static struct json_object *
take(const struct json_object *object, const char *name)
{
	struct json_object *value;

	return json_get(object, name, &value) == MCP_OK ? json_ref(value) : NULL;
}

/* Read what was unsealed. MCP_EINVAL: it has expired. */
static enum mcp_err
read_state(const struct buf *plain, int64_t now_s, struct tool_call *call)
{
	static const struct json_bounds bounds = { SEAL_PLAIN_MAX, JSONRPC_DEPTH_MAX + 4, JSONRPC_VALUES_MAX };
	struct json_object *root;
	int64_t expires_s;
	enum mcp_err err = json_parse(plain->data, plain->len, &bounds, &root, NULL);

	if (err)
		return err == MCP_ENOMEM ? err : MCP_EINTERNAL;
	if (json_get_int(root, "expires", &expires_s) != MCP_OK)
		err = MCP_EINTERNAL;
	else if (expires_s <= now_s)
		err = MCP_EINVAL;
	if (!err) {
		call->state = take(root, "state");
		call->answered = take(root, "answers");
	}
	json_free(root);
	return err;
}

static enum mcp_err
unseal(struct rpc *x, struct tool_call *call, const char *text, size_t len)
{
	struct binding b;
	struct buf plain;
	enum mcp_err err;

	if (!x->service->secrets)
		return MCP_EINVAL;
	buf_init(&plain, SEAL_PLAIN_MAX);
	err = bind_to_request(x, call, &b);
	if (!err)
		err = secrets_open(x->service->secrets, x->message->now_s, PURPOSE, b.parts, PARTS, text, len, &plain);
	if (!err)
		err = read_state(&plain, x->message->now_s, call);
	buf_clear_secret(&plain);
	return err;
}

int
rounds_begin(struct rpc *x, struct tool_call *call)
{
	struct json_object *responses = NULL;
	const char *text;
	size_t len;

	if (!ask_during(x->in.method, x->in.method_len))
		return 0;
	if (json_get_object(x->in.params, "inputResponses", &responses) == MCP_ETYPE)
		return rpc_error(x, JSONRPC_INVALID_PARAMS, "Invalid params: \"inputResponses\" must be an object");
	call->answers = responses;
	switch (json_get_string(x->in.params, "requestState", &text, &len)) {
	case MCP_OK:
		break;
	case MCP_ENOENT:
		return 0;
	default:
		return rpc_error(x, JSONRPC_INVALID_PARAMS, "Invalid params: \"requestState\" must be a string");
	}
	switch (unseal(x, call, text, len)) {
	case MCP_OK:
		return 0;
	case MCP_EINVAL:
		return rpc_error(x, JSONRPC_INVALID_PARAMS, "Invalid params: \"requestState\" is not one of this "
		    "request, or has expired");
	default:
		log_error("request %s: its requestState could not be opened", x->message->request_id);
		return rpc_error(x, JSONRPC_INTERNAL_ERROR, "Internal error: \"requestState\" cannot be opened");
	}
}

/* Put the question into inputRequests. Steals "params". */
static enum mcp_err
put_question(struct tool_call *call, const char *key, const char *method, struct json_object *params)
{
	struct json_object *question = json_new_object();
	enum mcp_err err;

	err = json_set_new(question, "method", json_new_string(method, strlen(method)));
	if (!err && params)
		err = json_set(question, "params", json_ref(params));
	json_free(params);
	if (!err && !call->asked && !(call->asked = json_new_object()))
		err = MCP_ENOMEM;
	if (err) {
		json_free(question);
		return err;
	}
	return json_set_new(call->asked, key, question);
}

/* Keep an answer for the rounds to come. */
static enum mcp_err
keep_answer(struct tool_call *call, const char *key, struct json_object *answer)
{
	if (!call->answered && !(call->answered = json_new_object()))
		return MCP_ENOMEM;
	return json_set_new(call->answered, key, json_ref(answer));
}

enum mcp_err
rounds_ask(struct rpc *x, struct tool_call *call, const char *key, const char *method, struct json_object *params,
    const struct json_object **result)
{
	struct json_object *answer = NULL;
	const char *why = NULL;
	enum mcp_err err;

	if (json_get(call->answered, key, &answer) == MCP_OK) {
		json_free(params);
		*result = answer;
		return MCP_OK;
	}
	if (json_get(call->answers, key, &answer) != MCP_OK) {
		json_remove(params, "elicitationId");	/* of the legacy era */
		err = put_question(call, key, method, params);
		return err ? err : MCP_EAGAIN;
	}
	err = ask_judge(method, params, answer, &why);
	json_free(params);
	if (!err)
		err = keep_answer(call, key, answer);
	if (!err)
		*result = answer;
	else if (err == MCP_EREMOTE)
		ask_fault(call, err, "the answer to \"%.128s\" is none: %s", key, why);
	else if (why)
		log_error("request %s: the question \"%.128s\": %s", x->message->request_id, key, why);
	return err;
}

/* Append the sealed state; nothing when there is nothing to carry. */
static enum mcp_err
render_state(struct rpc *x, const struct tool_call *call, struct buf *out)
{
	struct binding b;
	struct buf plain;
	enum mcp_err err;

	if (!call->state && !json_count(call->answered))
		return MCP_OK;
	if (!x->service->secrets)
		return MCP_EINTERNAL;
	buf_init(&plain, SEAL_PLAIN_MAX);
	buf_printf(&plain, "{\"expires\":%lld", (long long)(x->message->now_s + x->service->request_state_s));
	if (call->state) {
		buf_puts(&plain, ",\"state\":");
		json_render(call->state, &plain);
	}
	if (call->answered) {
		buf_puts(&plain, ",\"answers\":");
		json_render(call->answered, &plain);
	}
	buf_putc(&plain, '}');
	err = buf_status(&plain);
	if (!err)
		err = bind_to_request(x, call, &b);
	buf_puts(out, ",\"requestState\":\"");
	if (!err)
		err = secrets_seal(x->service->secrets, x->message->now_s, PURPOSE, b.parts, PARTS, plain.data,
		    plain.len, out);
	buf_putc(out, '"');
	buf_clear_secret(&plain);
	return err;
}

int
rounds_end(struct rpc *x, struct tool_call *call)
{
	enum mcp_err err;

	x->result_type = "input_required";
	rpc_result_begin(x);
	buf_puts(&x->reply->body, "\"inputRequests\":");
	json_render(call->asked, &x->reply->body);
	err = render_state(x, call, &x->reply->body);
	if (!err)
		return rpc_result_end(x);
	log_error("request %s: its state cannot be sealed: %s", x->message->request_id, mcp_strerror(err));
	return rpc_error(x, JSONRPC_INTERNAL_ERROR, "Internal error: %s", err == MCP_ELIMIT ?
	    "the answers so far and the state are too large to be carried on" : "the state cannot be sealed");
}

int
rounds_failed(struct rpc *x, struct tool_call *call)
{
	struct json_object *data;

	if (call->ask_err != MCP_ENOTSUP)
		return rpc_error(x, JSONRPC_INVALID_PARAMS, "Invalid params: %s", call->ask_fault);
	data = json_new_object();
	if (json_set_new(data, "requiredCapabilities", json_ref(call->missing))) {
		json_free(data);
		return rpc_error(x, JSONRPC_INTERNAL_ERROR, "Internal error: out of memory");
	}
	return rpc_error_as(x, 400, JSONRPC_MISSING_CAPABILITY, call->ask_fault, data);
}
