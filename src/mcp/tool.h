/* SPDX-License-Identifier: MIT */
#ifndef MCP_MCP_TOOL_H
#define MCP_MCP_TOOL_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/err.h"
#include "oauth/principal.h"

struct json_object;
struct resource;	/* resource.h */
struct rpc;		/* the server's own */

/*
 * The public API for tools, and for prompts (prompt.h) and resources (resource.h), which share struct tool_call. A tool
 * is one static row with a function; it sees who calls and with which arguments, and neither HTTP nor JSON-RPC, nor
 * which generation of the protocol the client speaks. Arguments were validated against input_schema before call() runs,
 * a structured result is validated against output_schema after it. call() runs in several threads at once. A JSON
 * number that is an integer by the schema may be written as 5.0 or 5e0, so read it with json_get_number(). Strings are
 * UTF-8 without NUL; those given to the functions below are copied.
 *
 * Every function that returns enum mcp_err returns MCP_OK or MCP_ENOMEM, and what its comment names besides.
 */

/* W3C trace context that came in params._meta; NULL: none, or not well-formed. Source: MCP basic "_meta". */
struct tool_trace {
	const char *parent;			/* traceparent */
	const char *state;			/* tracestate */
	const char *baggage;
};

enum tool_role { TOOL_USER = 1, TOOL_ASSISTANT = 2 };	/* as bits in audiences */

/* What one call knows and gives back. The fields before "rpc" are borrowed and read only. */
struct tool_call {
	const struct principal *principal;
	const char *organisation;		/* for which the call is, by the tool's rule; NULL: none is asked for */
	const struct json_object *arguments;	/* an object; empty when the client sent none */
	const char *uri;			/* of the resource that is read; NULL for tools and prompts */
	struct tool_trace trace;
	const char *request_id;			/* our own id of the request, for log lines */
	int64_t now_s;
	int64_t deadline_ms;			/* on the monotonic clock; be done by then; 0: none */
	void *context;				/* of the row: tool.context, prompt.context ... */
	/*
	 * The server's; use the functions below. What is called owned here is freed by call_clear() (call.h), which
	 * with call_begin() is what every method runs around such a function.
	 */
	struct rpc *rpc;			/* the request; NULL: there is none (a test calls the tool) */
	struct json_object *content;		/* owned array: content blocks, messages, resource contents or values */
	struct json_object *structured;		/* owned: structuredContent */
	bool has_structured;			/* "structured" was set, to null perhaps */
	bool is_error;
	enum tool_role role;			/* of the message of a prompt that comes next; 0: this is no prompt */
	const struct json_object *answers;	/* inputResponses of the request, borrowed; NULL: none came */
	struct json_object *asked;		/* owned: inputRequests by key; NULL: nothing was asked in this round */
	struct json_object *state;		/* owned: see tool_state(); NULL: none */
	struct json_object *answered;		/* owned: answers by key, of this round and those before it, judged */
	struct json_object *missing;		/* owned: requiredCapabilities, all that were missing; NULL: none */
	enum mcp_err ask_err;			/* what tool_ask() failed with last, */
	char ask_fault[256];			/* and a sentence about it for the client; "": none */
};

struct tool {
	const char *name;		/* [A-Za-z0-9_.-]{1,128} */
	const char *title;		/* for people; NULL: none */
	const char *description;
	const char *input_schema;	/* JSON text, JSON Schema 2020-12, "type": "object" */
	const char *output_schema;	/* the same for structuredContent; NULL: none */
	const char *annotations;	/* JSON text of ToolAnnotations; NULL: none */
	const char *icons;		/* JSON text of an array of Icon; NULL: none */
	const char *meta;		/* JSON text of the object _meta; NULL: none */
	/*
	 * Scopes that a caller needs, all of them, separated by blanks; "": any valid token. NULL: the author has not
	 * decided, so the operator must, or the tool is refused.
	 */
	const char *scopes;
	bool needs_organisation;	/* a caller without organisation is refused */
	/*
	 * Do the work. MCP_OK also for failures the caller should read (tool_error()). What tool_ask() returned may be
	 * passed on as it is. Anything else means the server failed: the client gets a fixed sentence, the log the
	 * reason.
	 */
	enum mcp_err (*call)(struct tool_call *call);
	void *context;			/* given back in tool_call.context */
};

/*
 * Content. Each appends one block; of a prompt it is a message of its own, by the role last told.
 * Source: MCP schema, ContentBlock.
 */
enum mcp_err tool_text(struct tool_call *call, const char *text, size_t len) MCP_MUST_CHECK;
enum mcp_err tool_textf(struct tool_call *call, const char *fmt, ...) MCP_PRINTF(2, 3) MCP_MUST_CHECK;

/* Append a text block and mark the result as an error that the caller should read (isError). Tools only. */
enum mcp_err tool_error(struct tool_call *call, const char *fmt, ...) MCP_PRINTF(2, 3) MCP_MUST_CHECK;

/*
 * "len" bytes as they are; they travel in base64. More than TOOL_BYTES_MAX: MCP_ELIMIT; a "mime_type" that is none:
 * MCP_EINVAL.
 */
#define TOOL_BYTES_MAX (8 * 1024 * 1024)
enum mcp_err tool_image(struct tool_call *call, const void *bytes, size_t len, const char *mime_type) MCP_MUST_CHECK;
enum mcp_err tool_audio(struct tool_call *call, const void *bytes, size_t len, const char *mime_type) MCP_MUST_CHECK;

/*
 * A link to a resource that the client may read; its read() is not looked at, it need not be one of the server's.
 * Clients before 2025-06-18 get its name and URI as text.
 */
enum mcp_err tool_resource_link(struct tool_call *call, const struct resource *resource) MCP_MUST_CHECK;

/* A resource in the block itself, as text or as bytes (MCP_ELIMIT as above). "mime_type" may be NULL. */
enum mcp_err tool_embedded_text(struct tool_call *call, const char *uri, const char *mime_type, const char *text,
    size_t len) MCP_MUST_CHECK;
enum mcp_err tool_embedded_blob(struct tool_call *call, const char *uri, const char *mime_type, const void *bytes,
    size_t len) MCP_MUST_CHECK;

/*
 * Say for whom the block appended last is. "audience": bits of enum tool_role, 0 leaves it out; "priority": 0
 * (optional) to 1 (required), below 0 leaves it out; "last_modified": ISO 8601, NULL leaves it out. MCP_ENOENT: there
 * is no block. Source: MCP schema, Annotations.
 */
enum mcp_err tool_annotate(struct tool_call *call, unsigned audience, double priority,
    const char *last_modified) MCP_MUST_CHECK;

/*
 * Set structuredContent (stolen) and append its JSON text as a text block, as the specification asks of tools with an
 * output schema. Tools only. An object; other JSON values reach clients from 2026-07-28 on only.
 */
enum mcp_err tool_structured(struct tool_call *call, struct json_object *value) MCP_MUST_CHECK;

/* The role of the messages that come next; TOOL_USER until then. Prompts only. */
void tool_role(struct tool_call *call, enum tool_role role);

/*
 * Tell the client how far the work is: notifications/progress on the request's own stream, at once, if the client asked
 * for it (a progressToken) and takes streams; else nothing. "progress" must grow with each call; what does not is left
 * out. "total" of 0 or less: not known; "message" may be NULL. A client that has left is no error.
 * Source: MCP basic/patterns/progress.
 */
enum mcp_err tool_progress(struct tool_call *call, double progress, double total, const char *message) MCP_MUST_CHECK;

/*
 * End the request's stream while the work goes on: the client comes back for the answer after "retry_ms", and holds no
 * connection meanwhile. MCP_OK: from now on nothing can be sent or asked; MCP_ENOTSUP: not possible with this client or
 * this web server, all is as before; MCP_ECLOSED, MCP_ELIMIT, MCP_EDB: there is no stream to be ended. Source: MCP
 * 2025-11-25 basic/transports, "Sending Messages to the Server".
 */
enum mcp_err tool_end_stream(struct tool_call *call, int64_t retry_ms) MCP_MUST_CHECK;

/* Severities of RFC 5424. */
enum tool_log_level {
	TOOL_LOG_DEBUG,
	TOOL_LOG_INFO,
	TOOL_LOG_NOTICE,
	TOOL_LOG_WARNING,
	TOOL_LOG_ERROR,
	TOOL_LOG_CRITICAL,
	TOOL_LOG_ALERT,
	TOOL_LOG_EMERGENCY
};

/*
 * Send a log message to the client: notifications/message on the request's own stream, if the client asked for this
 * level or a lower one; else nothing. "logger" names the part that speaks, NULL: none; "data" (stolen) is any JSON
 * value. Source: MCP server/utilities/logging.
 */
enum mcp_err tool_log(struct tool_call *call, enum tool_log_level level, const char *logger,
    struct json_object *data) MCP_MUST_CHECK;

/*
 * Whether the work is no longer wanted: the deadline has passed or the request was cancelled (by a client of 2026-07-28
 * that left, by notifications/cancelled of an older one). Cheap; a tool that runs for long asks often and returns.
 */
bool tool_cancelled(const struct tool_call *call);

/*
 * Ask the client: a person to fill in a form or to open a URL, its model for a message, its roots. "key" names the
 * question within this call, 1 to 128 bytes, the same each time; "params" is stolen. The result, borrowed for the life
 * of the call, is the client's, checked against the method's shape (and an elicitation's content against the schema
 * that it was asked with). Returns
 *   MCP_OK       *result is the answer
 *   MCP_EAGAIN   the client has been asked: return MCP_OK or MCP_EAGAIN soon, ask further questions before that if you
 *                like. The function is then called anew, with the same arguments and the same state, when the client
 *                comes back with answers; so nothing may have been done yet that must not be done twice
 *   MCP_ENOTSUP  the client does not have the capability, or speaks a version that has no such question; a tool that
 *                cannot do without it returns this, and the client is told what is required
 *   MCP_ECLOSED, MCP_ETIMEOUT   the client left, or did not answer in time
 *   MCP_EREMOTE  the client answered with an error, or with what is no answer to this question
 *   MCP_EINVAL   key, method or params are not what they should be
 *   MCP_ELIMIT, MCP_EDB   the question could not be carried to the client
 *
 * A tool passes on what it does not handle: the client is told.
 * Clients of the legacy era are asked on the request's stream and waited for, so that these never see MCP_EAGAIN.
 * Source: MCP 2026-07-28 basic/patterns/mrtr, client/elicitation, client/sampling, client/roots; 2025-11-25 the same.
 */
enum mcp_err tool_ask(struct tool_call *call, const char *key, const char *method, struct json_object *params,
    const struct json_object **result) MCP_MUST_CHECK;

/*
 * The same for one method each. tool_elicit(): "schema" (stolen) is an object schema of flat fields;
 * tool_elicit_url(): "id" names the interaction, and the person goes to "url". tool_sample(): "params" (stolen) is a
 * CreateMessageRequestParams.
 */
enum mcp_err tool_elicit(struct tool_call *call, const char *key, const char *message, struct json_object *schema,
    const struct json_object **result) MCP_MUST_CHECK;
enum mcp_err tool_elicit_url(struct tool_call *call, const char *key, const char *message, const char *id,
    const char *url, const struct json_object **result) MCP_MUST_CHECK;
enum mcp_err tool_sample(struct tool_call *call, const char *key, struct json_object *params,
    const struct json_object **result) MCP_MUST_CHECK;
enum mcp_err tool_roots(struct tool_call *call, const char *key, const struct json_object **result) MCP_MUST_CHECK;

/*
 * What the tool remembers from one round of questions to the next. It travels through the client, sealed so that it is
 * neither read nor changed there, and only this caller can bring it back, to this call. tool_state(): what was set
 * last, in this round or in one before; NULL: nothing yet; borrowed until it is set anew. tool_set_state(): replaces it
 * ("state" is stolen; NULL counts as MCP_ENOMEM).
 */
const struct json_object *tool_state(const struct tool_call *call);
enum mcp_err tool_set_state(struct tool_call *call, struct json_object *state) MCP_MUST_CHECK;

/*
 * Tell all clients that listen, whichever process they are connected to, that a list has changed or that the contents
 * of a resource have. Failures are logged and not told: no tool fails because nobody hears it.
 * Source: MCP basic/patterns/subscriptions.
 */
enum tool_list { TOOL_LIST_TOOLS, TOOL_LIST_PROMPTS, TOOL_LIST_RESOURCES };
void tool_list_changed(struct tool_call *call, enum tool_list list);
void tool_resource_updated(struct tool_call *call, const char *uri);

#endif
