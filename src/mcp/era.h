/* SPDX-License-Identifier: MIT */
#ifndef MCP_MCP_ERA_H
#define MCP_MCP_ERA_H

#include <stdbool.h>
#include <stddef.h>

#include "mcp/registry.h"
#include "mcp/rpc.h"

struct tool_call;

/*
 * The two generations of the protocol, each one table. Modern (2026-07-28): every request says its version and
 * capabilities in params._meta and mirrors itself in headers. Legacy (2025-11-25, 2025-06-18, 2025-03-26): an
 * initialize handshake, then a version header. The era is chosen once a message; nobody asks for it afterwards, what
 * differs is in the table. Source: MCP 2026-07-28 basic/versioning, basic/transports/streamable-http; 2025-11-25
 * basic/lifecycle, basic/transports.
 */

/* A method that the era has. */
struct method {
	const char *name;
	int (*handle)(struct rpc *x);	/* answers; NULL for a notification that needs nothing done */
	const char *mirrored;			/* member of params that the header Mcp-Name repeats; NULL: none */
	bool (*offered)(const struct mcp_service *service);	/* whether there is the method; NULL: always */
};

/* HTTP status of a JSON-RPC error code; a code without row is 200. The last row has code 0. */
struct era_status {
	int code;
	int status;
};

/* How questions to the client travel. Each gets a request that may ask (ask_during() in ask.h), but for begin(). */
struct era_asking {
	/* Read what the request brings. Returns 0, or -1 with the answer. */
	int (*begin)(struct rpc *x, struct tool_call *call);
	/*
	 * As tool_ask(), for a client that has the capability. Steals "params". With MCP_EREMOTE, MCP_ECLOSED and
	 * MCP_ETIMEOUT call->ask_fault says why.
	 */
	enum mcp_err (*ask)(struct rpc *x, struct tool_call *call, const char *key, const char *method,
	    struct json_object *params, const struct json_object **result);
	int (*end)(struct rpc *x, struct tool_call *call);	/* call->asked is not NULL: answers; returns -1 */
	/*
	 * The function has failed with call->ask_err, which call->ask_fault explains. Returns 0: "call" is an error
	 * result now; or -1 with the answer.
	 */
	int (*failed)(struct rpc *x, struct tool_call *call);
};

struct era {
	const char *const *versions;		/* newest first, NULL at the end */
	const struct method *methods;		/* of requests; the last row has no name */
	const struct method *notifications;	/* the same; an unknown notification is accepted and ignored */
	const struct era_status *statuses;
	/* Steps, see rpc.h. Each may be NULL: nothing to do. */
	int (*open)(struct rpc *x);	/* whatever the message is */
	int (*check)(struct rpc *x);	/* before the method of a request is looked up */
	int (*check_name)(struct rpc *x, const struct method *method);	/* after it was found */
	/* before a tool is called with these arguments */
	int (*check_arguments)(struct rpc *x, const struct registry_entry *tool, const struct json_object *arguments);
	int (*response)(struct rpc *x);	/* the message is a response; answers */
	int resource_not_found;			/* JSON-RPC error code */
	enum registry_form form;		/* how entries are listed, and what structured content may be */
	const struct era_asking *asking;
	bool leaving_cancels;			/* a client that leaves cancels its request; else a notification does */
	/* Parts of results; each appends members with a comma before each. NULL: none. */
	void (*result_members)(struct rpc *x);
	void (*cache_hints)(struct rpc *x, int64_t ttl_ms, bool varies);
};

extern const struct era era_modern;
extern const struct era era_legacy;

#define META_PROTOCOL_VERSION "io.modelcontextprotocol/protocolVersion"
#define META_CLIENT_CAPABILITIES "io.modelcontextprotocol/clientCapabilities"
#define META_CLIENT_INFO "io.modelcontextprotocol/clientInfo"
#define META_LOG_LEVEL "io.modelcontextprotocol/logLevel"
#define META_SERVER_INFO "io.modelcontextprotocol/serverInfo"

/*
 * Choose x->era, and x->version where the headers tell it, by what the message claims: the version in params._meta, and
 * the header MCP-Protocol-Version. Legacy if everything claimed is one and the same legacy version, or nothing is
 * claimed (2025-03-26 then, which had no header); modern if a version is claimed in _meta otherwise, or the header
 * names a modern one. The method never decides. Returns 0, or -1: a header that names a version nobody knows, and no
 * claim in _meta, is answered with -32022, and so is a notification that claims one.
 */
int era_choose(struct rpc *x);

/* The era's own name of "version" (of "len" bytes), static, or NULL if it does not speak it. */
const char *era_version(const struct era *era, const char *version, size_t len);

/* Whether any era speaks "version". */
bool era_speaks(const char *version);

/* The row of "name" in a table, or NULL. */
const struct method *era_method(const struct method *table, const char *name, size_t len);

/* Answer -32022 with the versions of both eras and what was asked for ("len" bytes, cut to a bound). Returns -1. */
int era_refuse_version(struct rpc *x, const char *requested, size_t len);

/* Append all versions of both eras as the elements of a JSON array, without the brackets. */
void era_render_versions(struct buf *out);

#endif
