/* SPDX-License-Identifier: MIT */
#ifndef MCP_HTTP_REQUEST_H
#define MCP_HTTP_REQUEST_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include "base/err.h"

/*
 * One HTTP request as the front hands it over in CGI variables (RFC 3875 section 4.1). A view: all strings are borrowed
 * from "envp" and die with the request. No string here is empty: a variable that is empty counts as absent and is NULL.
 */

/* Header fields that the server reads; each has its CGI variable (HTTP_...) in the table of request.c. */
enum http_field {
	HTTP_ACCEPT,
	HTTP_AUTHORIZATION,		/* HTTP_AUTHORIZATION, else REDIRECT_HTTP_AUTHORIZATION */
	HTTP_HOST,
	HTTP_LAST_EVENT_ID,
	HTTP_MCP_METHOD,
	HTTP_MCP_NAME,
	HTTP_MCP_PROTOCOL_VERSION,
	HTTP_MCP_SESSION_ID,
	HTTP_ORIGIN,
	HTTP_REQUEST_HEADERS,		/* Access-Control-Request-Headers */
	HTTP_REQUEST_METHOD,		/* Access-Control-Request-Method */
	HTTP_TRACEPARENT,
	HTTP_USER_AGENT,
	HTTP_FIELD_COUNT
};

#define HTTP_PARAMS_MAX 512		/* CGI variables of one request */
#define HTTP_PARAMS_BYTES_MAX (192 * 1024)	/* bytes of all of them */

/* What is wrong with a request before anyone looks at its meaning; each but HTTP_FAULT_NONE is answered with 400. */
enum http_fault {
	HTTP_FAULT_NONE,
	HTTP_FAULT_TOO_MANY,		/* HTTP_PARAMS_MAX or HTTP_PARAMS_BYTES_MAX */
	HTTP_FAULT_TWICE,		/* a variable that we read is there twice */
	HTTP_FAULT_BYTES,		/* a control byte in a field that we read */
	HTTP_FAULT_LENGTH,		/* CONTENT_LENGTH is no number */
	HTTP_FAULT_METHOD		/* no REQUEST_METHOD */
};

struct http_request {
	enum http_fault fault;
	const char *method;		/* never NULL without fault */
	const char *field[HTTP_FIELD_COUNT];	/* trimmed value, or NULL */
	const char *content_type;
	int64_t content_length;		/* -1 when absent */
	const char *query;		/* QUERY_STRING */
	const char *remote_addr;	/* the front's peer, numeric */
	/* What http_request_path() looks at; see there. */
	const char *script_name, *path_info, *redirect_url, *request_uri;
	char *const *envp;		/* for http_request_variable() */
};

/*
 * Fill "req" from a NULL-terminated array of "NAME=value" (borrowed; values may be trimmed in place, so the strings
 * must be writable). Never fails: what is wrong with the request is told by req->fault, and the fields are NULL or good
 * then.
 */
void http_request_init(struct http_request *req, char **envp);

/*
 * Find which of "paths" (each absolute, decoded, no trailing slash but "/") the request names. Fronts split the path
 * differently, so the candidates are, in this order: SCRIPT_NAME + PATH_INFO, PATH_INFO, REDIRECT_URL, and REQUEST_URI
 * normalised (scheme and authority, query and fragment cut; decoded once; slashes merged; dots resolved). Returns the
 * index of the first path that a candidate equals byte for byte, or -1. *shown (may be NULL) gets a borrowed string for
 * messages: REQUEST_URI or what comes nearest.
 */
int http_request_path(const struct http_request *req, const char *const *paths, size_t n, const char **shown);

/* The value of any CGI variable, NULL if absent, empty, or there twice. "name" e.g. "HTTP_X_FORWARDED_FOR". */
const char *http_request_variable(const struct http_request *req, const char *name);

/*
 * Whether the media type of Content-Type is "type" (no parameters, compared without case). Source: RFC 9110 section
 * 8.3.1.
 */
bool http_request_is_type(const struct http_request *req, const char *type);

/*
 * Where the body comes from; the front's stream in the server, memory in tests. read() returns the number of bytes put
 * into "to" (at most "n"), 0 at the end, or -1 with *err set: MCP_ETIMEOUT (silent for too long), MCP_ECLOSED (cut
 * off), MCP_EIO.
 */
struct http_body_source {
	ssize_t (*read)(void *ctx, void *to, size_t n, enum mcp_err *err);
	void *ctx;
};

#endif
