/* SPDX-License-Identifier: MIT */
/*
 * The way of a request, one flat chain. Each step returns true when it has answered. Nothing of a stranger's request is
 * read or parsed before authentication, so an anonymous request to anything that is not public is 401 whatever its
 * method, type or path.
 */
#include "server/chain.h"

#include <string.h>

#include "base/log.h"
#include "mcp/mirror.h"
#include "mcp/session.h"
#include "oauth/bearer.h"
#include "oauth/token.h"
#include "server/answer.h"
#include "server/body.h"
#include "server/refusal_log.h"
#include "store/stats.h"

static bool
step_fault(struct exchange *x)
{
	if (x->server->misconfigured) {
		answer_error(x, 503, "server misconfigured");
		http_response_header(x->res, "Retry-After", "60");
		return true;
	}
	switch (x->req->fault) {
	case HTTP_FAULT_NONE:
		return false;
	case HTTP_FAULT_TOO_MANY:
		return answer_error(x, 400, "Too many or too large header fields");
	case HTTP_FAULT_TWICE:
		return answer_error(x, 400, "A header field is there twice");
	case HTTP_FAULT_BYTES:
		return answer_error(x, 400, "A header field has forbidden bytes");
	case HTTP_FAULT_LENGTH:
		return answer_error(x, 400, "Content-Length is no number");
	case HTTP_FAULT_METHOD:
		break;
	}
	return answer_error(x, 400, "Bad request");
}

static bool
is_preflight(const struct http_request *req)
{
	return strcmp(req->method, "OPTIONS") == 0 && req->field[HTTP_ORIGIN] && req->field[HTTP_REQUEST_METHOD];
}

/* 1: the row of the path; a preflight never carries credentials and is answered here, for every path. */
static bool
step_look_up(struct exchange *x)
{
	int i = http_request_path(x->req, x->server->paths, x->server->n_endpoints, &x->path);

	x->endpoint = i < 0 ? NULL : &x->server->endpoints[i];
	if (is_preflight(x->req)) {
		x->res->status = 204;
		return true;
	}
	return false;
}

/* 2: pages of strangers and rebound names have no business at the MCP endpoint. Public documents are for everybody. */
static bool
step_admit(struct exchange *x)
{
	if (x->endpoint && x->endpoint->is_public)
		return false;
	if (!admission_host_allowed(&x->server->admission, x->req))
		return answer_error(x, 403, "Host not allowed");
	if (!admission_origin_allowed(&x->server->admission, x->req))
		return answer_error(x, 403, "Origin not allowed");
	return false;
}

/* 3: who asks, and whether the address's budget is spent; a read only. */
static bool
step_address(struct exchange *x)
{
	const char *forwarded = x->server->n_trusted ? http_request_variable(x->req,
	    x->server->trusted_proxy_variable) : NULL;

	if (address_of_client(x->req->remote_addr, forwarded, x->server->trusted, x->server->n_trusted,
	    &x->client) == MCP_OK)
		address_format(&x->client, x->client_text);
	if (x->endpoint && !x->endpoint->is_limited)
		return false;
	limiter_peek(x->server->limiter, x->client_text, x->now_s, &x->verdict);
	return x->verdict.admitted ? false : answer_limited(x);
}

static bool
allows(const char *allow, const char *method)
{
	size_t len = strlen(method);

	for (const char *p = allow; *p; p += strspn(p, ", ")) {
		size_t n = strcspn(p, ",");

		if (n == len && strncmp(p, method, n) == 0)
			return true;
		p += n;
	}
	return false;
}

/* 4: public documents. */
static bool
step_public(struct exchange *x)
{
	if (!x->endpoint || !x->endpoint->is_public)
		return false;
	if (!allows(x->endpoint->allow, x->req->method))
		return answer_method(x);
	if (strcmp(x->req->method, "OPTIONS") == 0) {
		x->res->status = 204;
		http_response_header(x->res, "Allow", x->endpoint->allow);
		return true;
	}
	if (x->endpoint->is_limited) {
		limiter_charge(x->server->limiter, x->client_text, NULL, x->now_s, &x->verdict);
		if (!x->verdict.admitted)
			return answer_limited(x);
	}
	x->endpoint->handle(x);
	return true;
}

/*
 * Say what a refused token was for; issuer and audience are no secrets. The token's own issuer judged it, or none
 * ("judge" is NULL).
 */
static void
log_refusal(struct exchange *x, enum oauth_outcome outcome, const struct buf *seen, const struct issuer *judge)
{
	const struct issuers *trusted = &x->server->issuers;
	const struct token_policy *policy = &(judge ? judge : trusted->v)->policy;
	struct buf text;

	buf_init(&text, 8192);
	if (outcome == OAUTH_NO_CREDENTIALS)
		buf_puts(&text, "no Authorization field arrived; if the client sent one, the web server in front did "
		    "not pass it on");
	else
		buf_printf(&text, "token refused: %s%s%s", oauth_outcome_row(outcome)->word,
		    seen->len ? ", seen " : "", seen->data);
	if (outcome == OAUTH_WRONG_AUDIENCE)
		buf_printf(&text, ", expected \"%s\"%s", policy->audiences.v[0],
		    policy->audiences.n > 1 ? " or another of EXPECTED_AUDIENCE" : "");
	else if (outcome == OAUTH_WRONG_ISSUER)
		buf_printf(&text, ", expected \"%s\"%s", policy->issuers.v[0],
		    trusted->n > 1 || policy->issuers.n > 1 ? " or another that is configured" : "");
	else if (outcome == OAUTH_WRONG_RESOURCE)
		buf_printf(&text, ", expected \"%s\"", policy->resource);
	refusal_log_tell(x->server->refusals, x->id, outcome, text.data, x->now_s);
	buf_clear(&text);
}

/* The same for the call of a tool. */
static void
log_denial(struct exchange *x)
{
	const struct mcp_reply *r = &x->reply;
	struct buf text;

	buf_init(&text, 1024);
	buf_printf(&text, "call of %s refused: %s, seen \"%s\", expected \"%s\"", r->tool,
	    oauth_outcome_row(r->outcome)->word, r->seen, r->expected);
	refusal_log_tell(x->server->refusals, x->id, r->outcome, text.data, x->now_s);
	buf_clear(&text);
}

/* Whether the token has what its issuer's settings ask of every token. */
static enum oauth_outcome
check_required_scopes(const struct exchange *x, const struct issuer *judge)
{
	const struct strlist *required = &judge->policy.required_scopes;

	for (size_t i = 0; i < required->n; i++)
		if (!scopes_grant(&x->server->implies, &x->principal.scopes, required->v[i]))
			return OAUTH_INSUFFICIENT_SCOPE;
	return OAUTH_OK;
}

/* 5: authentication. A refusal costs the address, so that guessing is limited too. */
static bool
step_authenticate(struct exchange *x)
{
	const struct issuers *trusted = &x->server->issuers;
	const struct issuer *judge = NULL;
	enum oauth_outcome outcome;
	const char *token;
	struct buf seen;
	size_t len;

	buf_init(&seen, 4096);
	outcome = oauth_bearer(x->req->field[HTTP_AUTHORIZATION], token_bytes_max(trusted), &token, &len);
	if (outcome == OAUTH_OK)
		outcome = token_validate(trusted, token, len, x->now_s, &x->principal, &seen, &judge);
	if (outcome == OAUTH_OK)
		outcome = check_required_scopes(x, judge);
	x->outcome = outcome;
	if (outcome == OAUTH_INTROSPECTION_UNAVAILABLE && judge && judge->introspection)
		x->retry_after_s = introspection_retry_after_s(judge->introspection);
	if (outcome != OAUTH_OK)
		log_refusal(x, outcome, &seen, judge);
	x->judge = judge;
	buf_clear(&seen);
	if (outcome == OAUTH_OK)
		return false;
	/* Guesses that came at the same moment had all passed the look at the budget; it holds for them too. */
	limiter_charge(x->server->limiter, x->client_text, NULL, x->now_s, &x->verdict);
	return x->verdict.admitted ? answer_refused(x, outcome) : answer_limited(x);
}

/* 6: one request of the address's and of the principal's budget. */
static bool
step_charge(struct exchange *x)
{
	const struct principal *p = &x->principal;
	struct buf key;

	buf_init(&key, 65536);
	/* With the lengths, so that no two principals are written alike whatever their names have in them. */
	buf_printf(&key, "%zu %zu %s%s%s", strlen(p->issuer), strlen(p->subject), p->issuer, p->subject,
	    p->client_id ? p->client_id : "");
	limiter_charge(x->server->limiter, x->client_text, buf_status(&key) == MCP_OK ? key.data : p->subject, x->now_s,
	    &x->verdict);
	buf_clear(&key);
	return x->verdict.admitted ? false : answer_limited(x);
}

/* 7: what remains is the MCP endpoint, by POST, with JSON. */
static bool
step_method_and_type(struct exchange *x)
{
	if (!x->endpoint)
		return answer_not_found(x);
	if (strcmp(x->req->method, "OPTIONS") == 0) {
		x->res->status = 204;
		http_response_header(x->res, "Allow", x->endpoint->allow);
		return true;
	}
	/* A session may listen, or ask for what follows an event. */
	if (strcmp(x->req->method, "GET") == 0 && x->req->field[HTTP_MCP_SESSION_ID])
		return false;
	if (!allows(x->endpoint->allow, x->req->method))
		return answer_method(x);
	/* Only sessions can be deleted, and these have a name. */
	if (strcmp(x->req->method, "DELETE") == 0)
		return x->req->field[HTTP_MCP_SESSION_ID] ? false : answer_method(x);
	if (!http_request_is_type(x->req, "application/json"))
		return answer_error(x, 415, "Content-Type must be application/json");
	return false;
}

/* 8: the body, within its bound and deadlines. */
static bool
step_body(struct exchange *x)
{
	return body_read(x, (size_t)x->server->settings->body_max_bytes);
}

/* Mcp-Param-"name", which has letters, digits and "-" only, by its CGI variable. */
static const char *
mirrored_param(const void *ctx, const char *name)
{
	static const char prefix[] = "HTTP_MCP_PARAM_";
	char variable[sizeof prefix + MIRROR_NAME_MAX];
	size_t n = sizeof prefix - 1;

	memcpy(variable, prefix, n);
	for (; *name && n < sizeof variable - 1; name++, n++)
		variable[n] = *name == '-' ? '_' : *name >= 'a' && *name <= 'z' ? (char)(*name - 'a' + 'A') : *name;
	variable[n] = '\0';
	return http_request_variable(ctx, variable);
}

/* 9 to 13: the protocol, which knows no HTTP but tells the status. */
static bool
step_dispatch(struct exchange *x)
{
	const struct http_request *req = x->req;
	struct mcp_message message = {
		.text = x->message.data, .len = x->message.len,
		.protocol_version = req->field[HTTP_MCP_PROTOCOL_VERSION],
		.method = req->field[HTTP_MCP_METHOD],
		.name = req->field[HTTP_MCP_NAME],
		.session_id = req->field[HTTP_MCP_SESSION_ID],
		.param = mirrored_param, .param_ctx = req,
		.principal = &x->principal,
		.required_scopes = &x->judge->policy.required_scopes,
		.request_id = x->id,
		.now_s = x->now_s
	};

	if (strcmp(req->method, "DELETE") == 0) {
		x->res->status = session_end(&x->server->service, &message);
		return true;
	}
	stream_offer(x, &message);
	if (strcmp(req->method, "GET") == 0)
		mcp_resume(&x->server->service, &message, req->field[HTTP_LAST_EVENT_ID], &x->reply);
	else
		mcp_dispatch(&x->server->service, &message, &x->reply);
	if (stream_finish(x))
		return true;
	if (x->reply.session_id[0])
		http_response_header(x->res, "Mcp-Session-Id", x->reply.session_id);
	if (x->reply.status == 405)
		return answer_method(x);
	x->res->status = x->reply.status;
	if (x->reply.status != 202) {
		http_response_header(x->res, "Content-Type", "application/json");
		buf_clear(&x->res->body);
		x->res->body = x->reply.body;	/* handed over, not copied */
		buf_init(&x->reply.body, x->reply.body.max);
	}
	http_response_header(x->res, "Cache-Control", "no-store");
	if (x->reply.outcome != OAUTH_OK) {
		x->outcome = x->reply.outcome;
		log_denial(x);
		stats_add(x->server->stats, COUNTER_OUTCOME + oauth_outcome_row(x->outcome)->counter, 1);
		if (x->reply.status == 403)
			answer_challenge(x, x->outcome, &x->reply.required_scopes);
	}
	answer_limit_fields(x);
	return true;
}

void
chain_run(struct exchange *x)
{
	static const struct {
		const char *name;
		bool (*run)(struct exchange *x);
	} steps[] = {
		{ "fault", step_fault }, { "look up", step_look_up }, { "admit", step_admit },
		{ "address", step_address },
		{ "public", step_public }, { "authenticate", step_authenticate }, { "charge", step_charge },
		{ "method and type", step_method_and_type }, { "body", step_body }, { "dispatch", step_dispatch }
	};
	bool is_public, answered = false;

	for (size_t i = 0; i < sizeof steps / sizeof steps[0] && !answered; i++) {
		answered = steps[i].run(x);
		if (answered)
			log_debug("%s stage %s: answered with %d", x->id, steps[i].name, x->res->status);
		else
			log_debug("%s stage %s: passed", x->id, steps[i].name);
	}
	/* A server that refuses everything knows no origins either; its one sentence is for everybody. */
	is_public = x->server->misconfigured || (x->endpoint && x->endpoint->is_public);
	admission_cors(&x->server->admission, x->req, is_public,
	    x->req->fault == HTTP_FAULT_NONE && is_preflight(x->req), x->res);
	if (x->req->method && strcmp(x->req->method, "HEAD") == 0)
		x->res->no_body = true;
}
