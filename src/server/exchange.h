/* SPDX-License-Identifier: MIT */
#ifndef MCP_SERVER_EXCHANGE_H
#define MCP_SERVER_EXCHANGE_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

#include "base/buf.h"
#include "http/address.h"
#include "http/admission.h"
#include "http/request.h"
#include "http/response.h"
#include "limit/limiter.h"
#include "mcp/dispatch.h"
#include "mcp/tool.h"
#include "oauth/issuer.h"
#include "oauth/metadata.h"
#include "oauth/organisation.h"
#include "oauth/outcome.h"
#include "oauth/principal.h"
#include "oauth/scopes.h"
#include "server/server.h"
#include "server/stream.h"
#include "tools/web_search.h"

struct leases;
struct listeners;
struct refusal_log;
struct modules;
struct bus;
struct registry;
struct secrets;
struct state;
struct stats;
struct upstream;
struct exchange;

/* One row of the endpoint table. Exact paths only: what is not a row is not public. */
struct endpoint {
	const char *path;		/* borrowed from the server */
	const char *allow;		/* methods, as the Allow field says them */
	bool is_public;			/* answered before authentication, by "handle" */
	bool is_limited;		/* counts against the address's budget */
	void (*handle)(struct exchange *x);	/* NULL: the MCP endpoint, the chain goes on */
};

/* Slots of the shared counters (store/stats.h). */
enum { COUNTER_REQUESTS = 0, COUNTER_STATUS = 1 /* + status / 100, 1 to 5 */, COUNTER_RATE_LIMITED = 8,
    COUNTER_OUTCOME = 16 /* + the counter of the outcome's row */ };

#define ENDPOINTS_MAX 8

/* See server.h. Immutable once built, but for the counters and what the modules lock themselves. */
struct server {
	atomic_int references;
	struct server_config *config;
	const struct server_settings *settings;	/* of config */
	struct server_process process;
	int64_t generation, loaded_s;
	bool misconfigured;
	atomic_llong requests;		/* by this process under this configuration */

	char *state_directory, *public_url, *metadata_url, *trusted_proxy_variable;
	char *own_metadata_path;	/* /.well-known/oauth-protected-resource with the MCP path behind it */
	struct state *state;
	struct secrets *secrets;
	struct bus *bus;
	struct listeners *listeners;	/* NULL: without streams */
	struct stats *stats;
	struct limiter *limiter;
	struct leases *streams;			/* MAX_STREAMS of all processes */
	struct issuers issuers;			/* the first is that of SK_ENV_URL, if it is set */
	struct strlist authorization_servers;	/* their names for clients */
	struct upstream *upstream;		/* of the first issuer */
	struct metadata metadata;
	struct admission admission;
	struct network *trusted;
	size_t n_trusted;
	struct strlist challenge_scopes;
	struct scope_rules implies;
	struct org_rule organisations[4];	/* of "tools", the same places */
	struct registry *registry;
	struct modules *modules;	/* whose rows are in the registry */
	struct mcp_service service;
	struct tool tools[4];
	struct admin_source *admin;
	struct web_search search;
	struct endpoint endpoints[ENDPOINTS_MAX];
	const char *paths[ENDPOINTS_MAX];
	size_t n_endpoints;
	struct refusal_log *refusals;
};

/* All that lives as long as one request; cleared in one place. */
struct exchange {
	struct server *server;
	struct http_request *req;
	struct http_body_source *body;
	struct http_response *res;
	char id[17];			/* for log lines */
	int64_t now_s, started_ms;
	const struct endpoint *endpoint;	/* NULL: no such path */
	const char *path;		/* as the request had it, for messages */
	struct address client;
	char client_text[46];
	struct limit_verdict verdict;
	bool charged;
	enum oauth_outcome outcome;
	int64_t retry_after_s;		/* of a 503, where it is longer than its row says */
	const struct issuer *judge;	/* whose token it was, NULL while nobody knows */
	struct principal principal;
	struct buf message;		/* the body */
	struct mcp_reply reply;
	struct exchange_stream stream;
};

#endif
