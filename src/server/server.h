/* SPDX-License-Identifier: MIT */
#ifndef MCP_SERVER_SERVER_H
#define MCP_SERVER_SERVER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/err.h"
#include "http/request.h"
#include "http/response.h"
#include "server/report.h"
#include "server/settings.h"

/*
 * A server: all that one configuration makes. It is built whole, shared read-only by the threads, counted, and replaced
 * whole when the configuration file changes. A server that could not be built right is a server too: it refuses
 * everything with 503 and its report says why.
 */
struct server;

/* What the process knows and no configuration can say. */
struct server_process {
	const char *mode;		/* static: "fastcgi" or "cgi" */
	int64_t started_s;
};

/*
 * Build a server from a configuration (stolen, also on failure). What is found goes to "report". Returns MCP_OK with
 * *out new, one reference; MCP_ENOMEM.
 */
enum mcp_err server_new(struct server_config *config, const struct server_process *process, struct report *report,
    struct server **out) MCP_MUST_CHECK;

/* Take one more reference. Returns "s". */
struct server *server_ref(struct server *s);

/* Give a reference back; the last one frees the server. NULL is fine. */
void server_unref(struct server *s);

/*
 * Try what requests will need, without fetching anything, and add one line to "report": "startup: db ok, jwks ok,
 * tavily ok". "db" is the databases; "jwks" the keys at hand ("none yet": fetched for the first token); "tavily" the
 * key of the web search ("off": none). Says nothing of a misconfigured server. Not for CGI, where each request would
 * pay for it.
 */
void server_try(struct server *s, struct report *report);

/* The settings a server was built from; borrowed. */
const struct server_settings *server_settings(const struct server *s);

/* Answer one request: the whole chain. Leaves a complete answer in "res" and one line in the log. Thread-safe. */
void server_handle(struct server *s, struct http_request *req, struct http_body_source *body,
    struct http_response *res);

/* Work that must not delay an answer: refresh keys. It can take seconds for each issuer. */
void server_maintain(struct server *s);

/* Whether server_maintain() has anything to do; cheap. */
bool server_is_due(struct server *s);

/*
 * A place for the current server, which looks at the configuration file at most once a second and replaces the server
 * when the file has changed and is good; a bad one is told in the log and the last good one stays.
 */
struct server_slot;

/*
 * "path" as for server_config_load(), "environ_" is borrowed. "report" gets what was found. Returns MCP_OK with *out
 * new also for a misconfigured server; MCP_ENOMEM. Release with server_slot_free().
 */
enum mcp_err server_slot_new(const char *path, char *const *environ_, const struct server_process *process,
    struct report *report, struct server_slot **out) MCP_MUST_CHECK;

/* Waits for a refresh of keys that runs (KEYFETCH_TOTAL_MS for each issuer at most). NULL is fine. */
void server_slot_free(struct server_slot *slot);

/* A reference to the current server; the caller gives it back with server_unref(). */
struct server *server_slot_get(struct server_slot *slot);

/* For struct fcgi_handler; "ctx" is the slot: answer a request with the current server. */
void server_slot_handle(void *ctx, struct http_request *req, struct http_body_source *body, struct http_response *res);

/*
 * For struct fcgi_handler; "ctx" is the slot. What is due after an answer is done by a thread of its own, one at a
 * time, so that no thread which could serve is held by it; in CGI, where the process ends, by the caller.
 */
void server_slot_after(void *ctx);

#endif
