/* SPDX-License-Identifier: MIT */
#include "tests/unit/inspector.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/text.h"

struct inspector inspector = {.lock = PTHREAD_MUTEX_INITIALIZER, .changed = PTHREAD_COND_INITIALIZER, .status = 200,
    .type = "application/json", .body = "{\"active\":false}", .retry_after_s = -1};
struct token_policy policy;
static struct fetch_policy terms;

enum mcp_err
fetch(const struct fetch_policy *p, const struct fetch_request *req, struct fetch_response *res)
{
	size_t used = 0;
	enum mcp_err err;

	(void)p;
	memset(res, 0, sizeof(*res));
	buf_init(&res->body, req->max_bytes);
	pthread_mutex_lock(&inspector.lock);
	inspector.asked++;
	snprintf(inspector.last_url, sizeof(inspector.last_url), "%s %s", req->method, req->url);
	snprintf(inspector.last_body, sizeof(inspector.last_body), "%.*s", (int)req->body_len, req->body);
	inspector.last_headers[0] = '\0';
	for (size_t i = 0; req->headers && req->headers[i] && used < sizeof(inspector.last_headers); i++)
		used += (size_t)snprintf(inspector.last_headers + used, sizeof(inspector.last_headers) - used, "%s\n",
		    req->headers[i]);
	inspector.inside++;
	pthread_cond_broadcast(&inspector.changed);
	while (inspector.closed)
		pthread_cond_wait(&inspector.changed, &inspector.lock);
	inspector.inside--;
	err = inspector.err;
	res->status = inspector.status;
	res->max_age_s = res->date_s = -1;
	res->retry_after_s = inspector.retry_after_s;
	if (err) {
		snprintf(res->fault, sizeof(res->fault), "told to fail");
	} else {
		res->content_type = inspector.type ? text_dup(inspector.type, strlen(inspector.type)) : NULL;
		buf_puts(&res->body, inspector.body);
	}
	pthread_mutex_unlock(&inspector.lock);
	return err;
}

void
fetch_response_clear(struct fetch_response *res)
{
	free(res->content_type);
	buf_clear_secret(&res->body);
}

void
inspector_says(const char *body)
{
	pthread_mutex_lock(&inspector.lock);
	inspector.err = MCP_OK;
	inspector.status = 200;
	inspector.type = "application/json";
	inspector.retry_after_s = -1;
	inspector.body = body;
	pthread_mutex_unlock(&inspector.lock);
}

void
inspector_close(bool closed)
{
	pthread_mutex_lock(&inspector.lock);
	inspector.closed = closed;
	pthread_cond_broadcast(&inspector.changed);
	pthread_mutex_unlock(&inspector.lock);
}

void
inspector_await(int inside)
{
	pthread_mutex_lock(&inspector.lock);
	while (inspector.inside < inside)
		pthread_cond_wait(&inspector.changed, &inspector.lock);
	pthread_mutex_unlock(&inspector.lock);
}

struct introspection *
inspector_new(int64_t keep_s, unsigned max_held)
{
	const struct introspection_options options = {
		.endpoint = ISSUER "/oauth/introspect", .issuer = ISSUER,
		.auth = {.method = CLIENT_AUTH_BASIC, .client_id = "skc_1", .client_secret = "s3cret"},
		.fetch = &terms, .keep_s = keep_s, .max_held = max_held,
	};
	struct introspection *in;

	if (introspection_new(&options, &in))
		exit(99);
	return in;
}

static void
split(struct strlist *l, const char *text)
{
	if (strlist_split(l, text, " ", 100) != MCP_OK)
		exit(99);
}

void
inspector_begin(void)
{
	split(&policy.issuers, ISSUER " " ISSUER "/resources/res_1");
	split(&policy.audiences, AUDIENCE " res_1");
	split(&policy.algorithms, "RS256");
	split(&policy.kinds, "access access_token at+jwt Bearer");
	split(&policy.client_claims, "client_id azp");
	split(&policy.scope_claims, "scope scopes scp");
	split(&policy.org_claims, "oid org_id");
	policy.resource = text_dup(AUDIENCE, strlen(AUDIENCE));
	policy.leeway_s = 30;
	policy.max_bytes = 16384;
}

void
inspector_end(void)
{
	token_policy_clear(&policy);
}
