/* SPDX-License-Identifier: MIT */
#ifndef MCP_MCP_RPC_H
#define MCP_MCP_RPC_H

#include <stdbool.h>

#include "base/err.h"
#include "mcp/dispatch.h"
#include "mcp/inflight.h"
#include "mcp/jsonrpc.h"
#include "mcp/notify.h"
#include "mcp/resume.h"
#include "mcp/session.h"

struct era;
struct json_object;

/*
 * One message on its way from bytes to an answer, and the ways to answer it. Every step has the same shape: it gets the
 * struct, returns 0 to go on or -1 when it has answered; "return rpc_error(...)" does both. The struct and what hangs
 * off it live as long as mcp_dispatch() runs.
 */
struct rpc {
	const struct mcp_service *service;
	const struct mcp_message *message;
	struct mcp_reply *reply;
	struct jsonrpc_message in;	/* what came */
	const struct era *era;		/* NULL until it was chosen */
	const char *version;		/* static: the protocol version that is spoken; NULL until it is known */
	const char *meta;		/* JSON text of members for the _meta of the result; NULL: none */
	const char *result_type;	/* static; NULL: "complete" */
	const struct json_object *capabilities;	/* of the client, borrowed; NULL: not known */
	struct notify notify;
	struct inflight inflight;
	struct session session;		/* of the legacy era; not open: there is none */
	struct mcp_message own;		/* what "message" points to */
	struct resume resume;
};

/*
 * Answer with a JSON-RPC error; what was written before is forgotten. The status is the era's for "code" (400 while no
 * era is chosen). The message is composed as by printf; bytes from outside go through rpc_shown() first. Returns -1,
 * always.
 */
int rpc_error(struct rpc *x, int code, const char *fmt, ...) MCP_PRINTF(3, 4);

/* The same with another status than the era's, and with data (stolen, NULL: none). */
int rpc_error_as(struct rpc *x, int status, int code, const char *message, struct json_object *data);

/* Answer with 202 and no body: the message was a notification or a response and asks for nothing. Returns -1. */
int rpc_accepted(struct rpc *x);

/*
 * Begin a result: {"jsonrpc":"2.0","id":ID,"result":{ -- the caller appends members to reply->body, if there are any,
 * commas between them, and then calls rpc_result_end(), which adds the members that every result of the era has and
 * closes it. A result that the buffer refused (memory, or the bound of the answer) becomes an error. Returns -1.
 */
void rpc_result_begin(struct rpc *x);
int rpc_result_end(struct rpc *x);

/*
 * Append the members that tell a client how long it may keep a result, "ttl_ms" milliseconds, each with a comma before
 * it; nothing in the legacy era. "varies" says that the result depends on who asks.
 */
void rpc_cache_hints(struct rpc *x, int64_t ttl_ms, bool varies);

/*
 * Write text from outside into "out" so that a message can quote it: printable ASCII (text_escape()), at most 128 bytes
 * of input. Returns "out".
 */
#define RPC_SHOWN 528
const char *rpc_shown(const char *text, size_t len, char out[RPC_SHOWN]);

#endif
