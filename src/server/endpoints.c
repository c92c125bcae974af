/* SPDX-License-Identifier: MIT */
/*
 * The endpoint table and the public documents. A public handler runs for methods that its row allows; HEAD is GET
 * without the bytes.
 */
#include "server/endpoints.h"

#include <inttypes.h>
#include <string.h>

#include "base/log.h"
#include "oauth/upstream.h"
#include "server/answer.h"
#include "server/body.h"

#define DOCUMENT_MAX_AGE "max-age=300"

static void
handle_health(struct exchange *x)
{
	http_response_json(x->res, 200, "{\"status\": \"healthy\"}");
	http_response_header(x->res, "Cache-Control", "no-store");
}

static void
handle_resource_metadata(struct exchange *x)
{
	const struct metadata *m = &x->server->metadata;

	http_response_json(x->res, m->status, m->body);
	http_response_header(x->res, "Cache-Control", m->status == 200 ? DOCUMENT_MAX_AGE : "no-store");
}

/* Pass an answer of the authorization server on. */
static void
relay(struct exchange *x, enum mcp_err err, const char *what, struct upstream_answer *a)
{
	if (err) {
		answer_error(x, 503, "The server is out of resources");
		http_response_header(x->res, "Retry-After", "5");
		return;
	}
	x->res->status = a->status;
	http_response_header(x->res, "Content-Type", a->content_type ? a->content_type : "application/json");
	http_response_header(x->res, "Cache-Control", "no-store");
	if (a->retry_after_s >= 0)
		http_response_headerf(x->res, "Retry-After", "%" PRId64, a->retry_after_s);
	buf_put(&x->res->body, a->body.data, a->body.len);
	if (a->fault[0])
		log_warning("%s %s: %s", x->id, what, a->fault);
}

static void
handle_authorization_server_metadata(struct exchange *x)
{
	struct upstream_answer a;
	enum mcp_err err = upstream_metadata(x->server->upstream, x->now_s, &a);

	relay(x, err, "metadata of the authorization server", &a);
	upstream_answer_clear(&a);
}

static void
handle_register(struct exchange *x)
{
	struct upstream_answer a;
	enum mcp_err err;

	if (!http_request_is_type(x->req, "application/json")) {
		answer_error(x, 415, "Content-Type must be application/json");
		return;
	}
	if (x->req->content_length > UPSTREAM_REGISTRATION_MAX) {
		answer_error(x, 413, "The body is too large");
		return;
	}
	if (body_read(x, UPSTREAM_REGISTRATION_MAX))
		return;
	err = upstream_register(x->server->upstream, x->message.data, x->message.len, x->now_s, &a);
	relay(x, err, "client registration", &a);
	upstream_answer_clear(&a);
}

static void
add(struct server *s, struct endpoint row)
{
	s->paths[s->n_endpoints] = row.path;
	s->endpoints[s->n_endpoints++] = row;
}

void
endpoints_init(struct server *s)
{
	static const char document[] = "GET, HEAD, OPTIONS";

	/* Public rows first: where MCP_PATH equals one of them, the public document wins (T7). */
	s->n_endpoints = 0;
	add(s, (struct endpoint){ "/health", document, true, false, handle_health });
	add(s, (struct endpoint){ "/.well-known/oauth-protected-resource", document, true, false,
	    handle_resource_metadata });
	if (strcmp(s->settings->mcp_path, "/") != 0)
		add(s, (struct endpoint){ s->own_metadata_path, document, true, false, handle_resource_metadata });
	add(s, (struct endpoint){ "/.well-known/oauth-authorization-server", document, true, true,
	    handle_authorization_server_metadata });
	add(s, (struct endpoint){ "/oauth/register", "POST, OPTIONS", true, true, handle_register });
	add(s, (struct endpoint){ s->settings->mcp_path, "POST, DELETE, OPTIONS", false, true, NULL });
}
