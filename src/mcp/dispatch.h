/* SPDX-License-Identifier: MIT */
#ifndef MCP_MCP_DISPATCH_H
#define MCP_MCP_DISPATCH_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/buf.h"
#include "base/err.h"
#include "base/strlist.h"
#include "mcp/trace.h"
#include "oauth/outcome.h"
#include "oauth/principal.h"

/*
 * The protocol: one JSON-RPC message in, one out. Sees no HTTP and no socket; what the Streamable HTTP transport
 * mirrors in headers comes as strings, and what it must do with its status comes back as a number.
 */

struct bus;			/* store/bus.h */
struct listeners;	/* listen.h */
struct secrets;		/* store/secrets.h */
struct registry;	/* registry.h: the sealed set of tools */
struct mcp_stream;	/* stream.h */
struct mcp_watch;

struct mcp_message {
	const char *text;		/* the body, "len" bytes, untrusted */
	size_t len;
	/* Mirrored headers, NULL when absent. Source: MCP 2026-07-28 basic/transports, 2025-11-25 basic/transports. */
	const char *protocol_version;	/* MCP-Protocol-Version */
	const char *method;		/* Mcp-Method */
	const char *name;		/* Mcp-Name */
	const char *session_id;		/* Mcp-Session-Id */
	/* Mcp-Param-"name", see mirror_get in mirror.h; NULL: not compared, as when the transport has no headers */
	const char *(*param)(const void *ctx, const char *name);
	const void *param_ctx;
	const struct principal *principal;
	const struct strlist *required_scopes;	/* of every token, besides a tool's; the principal has them; or NULL */
	const char *request_id;		/* our own, for log lines */
	int64_t now_s;
	/* Where messages before the answer go; NULL: nowhere, the client or the front takes one JSON answer only. */
	const struct mcp_stream *stream;
	const struct mcp_watch *watch;	/* whether the client is still there; NULL: nobody knows */
};

struct mcp_reply {
	int status;			/* 200, 202 (nothing to say), 400, 403, 404; with JSON in "body" unless 202 */
	struct buf body;		/* initialised by the caller */
	char session_id[1024];		/* for Mcp-Session-Id, "" for none */
	char event_id[128];		/* id of the event that the body becomes on a stream, "" for none */
	/* OAUTH_INSUFFICIENT_SCOPE or OAUTH_WRONG_ORGANISATION if a tool was denied (403 or 200), else OAUTH_OK */
	enum oauth_outcome outcome;
	struct strlist required_scopes;	/* all scopes of the operation, with OAUTH_INSUFFICIENT_SCOPE */
	/* For the log line: */
	char version[16];		/* protocol version chosen, "" if none */
	char method[48];		/* JSON-RPC method if it is one we know, else "" */
	char tool[132];			/* name of the tool, prompt or resource if it is one we have, cut; else "" */
	char trace[TRACE_ID_LEN + 1];	/* trace id that the client sent, "" if none */
	int error_code;			/* JSON-RPC error code, 0 for a result */
	bool tool_error;		/* the result has isError */
	char seen[256], expected[256];	/* when a tool was denied: what the caller has and what the tool asks for */
};

/* What the server is, for initialize and server/discover; built once a configuration. */
struct mcp_service {
	const char *name, *title, *version;	/* SERVER_NAME, SERVER_TITLE, the package's version */
	const char *instructions;		/* SERVER_INSTRUCTIONS or NULL */
	const struct registry *registry;
	int64_t list_ttl_ms;
	size_t page_size;		/* entries on a page of a list */
	bool filter_lists;		/* lists show only what the caller may call (then cacheScope is private) */
	int64_t tool_timeout_ms;
	struct secrets *secrets;	/* seals what travels through clients; NULL: nothing can */
	struct bus *bus;		/* what processes tell each other; NULL: nothing */
	struct listeners *listeners;	/* who hears of changes on streams; NULL: there are none */
	int64_t request_state_s;	/* how long a requestState is good */
	bool deny_by_result;		/* a denied call is a result with isError, not a 403 */
	const char *metadata_url;	/* for the challenge in such a result; NULL: without */
};

/*
 * Answer one message. Always leaves a whole answer in "reply" (body JSON, or empty with 202). Never fails: faults of
 * ours are JSON-RPC errors -32603. Thread-safe. reply->body must be initialised; mcp_reply_clear() releases the rest.
 */
void mcp_dispatch(const struct mcp_service *service, const struct mcp_message *message, struct mcp_reply *reply);

/*
 * Answer a client of the legacy era that comes back for what follows the event "event_id" of a stream that ended before
 * its answer came (GET with Last-Event-ID), or that listens for its session ("event_id" is NULL). message->text is not
 * looked at. As mcp_dispatch(); reply->status may be 405 also: there is no such event, or no such stream; and 503:
 * there is no stream to be had.
 */
void mcp_resume(const struct mcp_service *service, const struct mcp_message *message, const char *event_id,
    struct mcp_reply *reply);

/* Release what hangs off the reply, but for its body. */
void mcp_reply_clear(struct mcp_reply *reply);

#endif
