/* SPDX-License-Identifier: MIT */
#ifndef MCP_MCP_JSONRPC_H
#define MCP_MCP_JSONRPC_H

#include <stdbool.h>
#include <stddef.h>

#include "base/buf.h"

struct json_object;

/*
 * JSON-RPC 2.0 as MCP narrows it: one message, read strictly. An id is a string or an integer and never null; params,
 * when present, is an object; an array of messages (a batch) is refused in every protocol version. Members that nobody
 * defined are ignored. Source: jsonrpc.org/specification, MCP basic "Messages".
 */

/*
 * Error codes. -32001, by which clients know it, and -32002 are of the legacy era, the three below them are the
 * specification's own of 2026-07-28; 403 is ours for a refusal by scopes or organisation.
 */
enum jsonrpc_code {
	JSONRPC_PARSE_ERROR = -32700,
	JSONRPC_INVALID_REQUEST = -32600,
	JSONRPC_METHOD_NOT_FOUND = -32601,
	JSONRPC_INVALID_PARAMS = -32602,
	JSONRPC_INTERNAL_ERROR = -32603,
	JSONRPC_SESSION_NOT_FOUND = -32001,
	JSONRPC_RESOURCE_NOT_FOUND = -32002,
	JSONRPC_HEADER_MISMATCH = -32020,
	JSONRPC_MISSING_CAPABILITY = -32021,
	JSONRPC_UNSUPPORTED_VERSION = -32022,
	JSONRPC_FORBIDDEN = 403
};

#define JSONRPC_DEPTH_MAX 64		/* containers inside containers */
#define JSONRPC_VALUES_MAX 100000	/* JSON values in one message; each costs about a hundred bytes of memory */
#define JSONRPC_ID_MAX 1024		/* bytes of a string id */

enum jsonrpc_kind { JSONRPC_REQUEST, JSONRPC_NOTIFICATION, JSONRPC_RESPONSE };

/* One message that was read. Everything but "root" is borrowed from it. */
struct jsonrpc_message {
	enum jsonrpc_kind kind;
	struct json_object *root;	/* owned */
	struct json_object *id;		/* NULL: none, or not readable */
	const char *method;		/* NULL for a response */
	size_t method_len;
	struct json_object *params;	/* an object, or NULL when absent */
};

/* Why a message was refused. */
struct jsonrpc_fault {
	int code;		/* JSONRPC_PARSE_ERROR, JSONRPC_INVALID_REQUEST, or JSONRPC_INTERNAL_ERROR (memory) */
	char text[160];		/* for the client: fixed words, at most a byte offset from the input */
};

/*
 * Read the "len" bytes at "text" as one message. Returns true with *m filled, or false with *fault filled; m->id is
 * then set if an id could be read all the same. In both cases jsonrpc_clear() releases *m. Time and memory are linear
 * in "len".
 */
bool jsonrpc_parse(const char *text, size_t len, struct jsonrpc_message *m, struct jsonrpc_fault *fault);

/* Release what jsonrpc_parse() has put into "m". */
void jsonrpc_clear(struct jsonrpc_message *m);

/*
 * Append the beginning of an answer, {"jsonrpc":"2.0","id":ID, -- the id is left out when NULL. The caller goes on with
 * "result": or "error": and the last brace.
 */
void jsonrpc_render_head(const struct json_object *id, struct buf *out);

/* Append a whole error answer. "data" is borrowed; NULL leaves the member out. "message" is UTF-8 of any content. */
void jsonrpc_render_error(const struct json_object *id, int code, const char *message, const struct json_object *data,
    struct buf *out);

#endif
