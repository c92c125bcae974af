/* SPDX-License-Identifier: MIT */
/*
 * Answers for the way of one message: read it, choose the era, and let the era's tables do the rest.
 */
#include "mcp/dispatch.h"

#include <stdio.h>
#include <string.h>

#include "mcp/era.h"
#include "mcp/listen.h"
#include "mcp/rpc.h"

static int
dispatch_request(struct rpc *x)
{
	const struct era *era = x->era;
	const struct method *method;
	char shown[RPC_SHOWN];

	method = era_method(era->methods, x->in.method, x->in.method_len);
	if (method && method->offered && !method->offered(x->service))
		method = NULL;
	if (method)
		snprintf(x->reply->method, sizeof(x->reply->method), "%s", method->name);
	if (era->check && era->check(x) < 0)
		return -1;
	if (!method)
		return rpc_error(x, JSONRPC_METHOD_NOT_FOUND, "Method not found: %s",
		    rpc_shown(x->in.method, x->in.method_len, shown));
	if (era->check_name && era->check_name(x, method) < 0)
		return -1;
	return method->handle(x);
}

static int
dispatch_notification(struct rpc *x)
{
	const struct method *method = era_method(x->era->notifications, x->in.method, x->in.method_len);

	if (method)
		snprintf(x->reply->method, sizeof(x->reply->method), "%s", method->name);
	if (method && method->handle)
		return method->handle(x);
	return rpc_accepted(x);
}

static int
dispatch(struct rpc *x)
{
	struct jsonrpc_fault fault;
	struct tool_trace trace;

	if (!jsonrpc_parse(x->message->text, x->message->len, &x->in, &fault))
		return rpc_error(x, fault.code, "%s", fault.text);
	trace_read(x->in.params, &trace);
	if (trace.parent)
		memcpy(x->reply->trace, trace.parent + TRACE_ID_AT, TRACE_ID_LEN);
	if (era_choose(x) < 0 || (x->era->open && x->era->open(x) < 0))
		return -1;
	switch (x->in.kind) {
	case JSONRPC_REQUEST:
		return dispatch_request(x);
	case JSONRPC_NOTIFICATION:
		return dispatch_notification(x);
	default:
		return x->era->response(x);
	}
}

static void
reply_begin(struct mcp_reply *reply)
{
	reply->status = 500;
	reply->outcome = OAUTH_OK;
	reply->event_id[0] = reply->session_id[0] = '\0';
	reply->version[0] = reply->method[0] = reply->tool[0] = '\0';
	memset(reply->trace, 0, sizeof reply->trace);
	reply->error_code = 0;
	reply->tool_error = false;
	reply->seen[0] = reply->expected[0] = '\0';
	reply->required_scopes.v = NULL;
	reply->required_scopes.n = 0;
}

void
mcp_dispatch(const struct mcp_service *service, const struct mcp_message *message, struct mcp_reply *reply)
{
	struct rpc x = { .service = service, .own = *message, .reply = reply };

	x.message = &x.own;
	reply_begin(reply);
	dispatch(&x);
	resume_end(&x);
	if (x.version)
		snprintf(reply->version, sizeof(reply->version), "%s", x.version);
	session_clear(&x.session);
	jsonrpc_clear(&x.in);
}

void
mcp_resume(const struct mcp_service *service, const struct mcp_message *message, const char *event_id,
    struct mcp_reply *reply)
{
	struct rpc x = { .service = service, .own = *message, .reply = reply, .era = &era_legacy };

	x.message = &x.own;
	reply_begin(reply);
	if (message->protocol_version && !era_speaks(message->protocol_version)) {
		era_refuse_version(&x, message->protocol_version, strlen(message->protocol_version));
	} else if (session_open(&x) == 0) {
		if (event_id)
			resume_answer(&x, event_id);
		else
			listen_session(&x);
	}
	session_clear(&x.session);
}

void
mcp_reply_clear(struct mcp_reply *reply)
{
	strlist_clear(&reply->required_scopes);
}
