/* SPDX-License-Identifier: MIT */
/* One request from its arrival to its log line. Building a server is build.c's, replacing it slot.c's. */
#include "server/server.h"

#include <inttypes.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/digest.h"
#include "base/log.h"
#include "base/text.h"
#include "server/chain.h"
#include "server/exchange.h"
#include "server/refusal_log.h"
#include "store/stats.h"

#define PATH_SHOWN 200	/* bytes of a path in the log */

/* An id for reading logs, nothing depends on it: random for the process, then counted. */
static struct {
	pthread_once_t once;
	uint32_t process;
	atomic_uint next;
} ids = { .once = PTHREAD_ONCE_INIT };

static void
begin_ids(void)
{
	if (digest_random(&ids.process, sizeof ids.process))
		ids.process = (uint32_t)getpid();
}

static void
set_id(struct exchange *x)
{
	pthread_once(&ids.once, begin_ids);
	snprintf(x->id, sizeof x->id, "%08x%08x", (unsigned)ids.process, atomic_fetch_add(&ids.next, 1));
}

/* An answer that could not be composed becomes the smallest one. */
static void
check_answer(struct exchange *x)
{
	struct http_response *res = x->res;

	if (buf_status(&res->headers) == MCP_OK && buf_status(&res->body) == MCP_OK && res->status)
		return;
	http_response_reset(res);
	http_response_json(res, 503, "{\"error\": \"The server is out of resources\"}");
	http_response_header(res, "Retry-After", "5");
	http_response_header(res, "Cache-Control", "no-store");
}

/* The one line of a request: who, what, and how it ended; never a token, an argument or a body. */
static void
log_exchange(const struct exchange *x)
{
	const struct mcp_reply *r = &x->reply;
	const char *path = x->path && *x->path ? x->path : "-";
	/* Without the query: people put tokens there, where none belongs. */
	size_t path_len = strcspn(path, "?#");
	struct buf line;

	if (!log_enabled(LOG_LEVEL_INFO))
		return;
	buf_init(&line, 1600);
	buf_printf(&line, "%s %.16s %.*s %d %" PRId64 " ms client %s", x->id, x->req->method ? x->req->method : "-",
	    path_len < PATH_SHOWN ? (int)path_len : PATH_SHOWN, path, x->res->status,
	    clock_monotonic_ms() - x->started_ms, x->client_text[0] ? x->client_text : "-");
	if (x->principal.subject)
		buf_printf(&line, ", Authentication successful, subject %.100s", x->principal.subject);
	if (x->outcome != OAUTH_OK)
		buf_printf(&line, ", %s", oauth_outcome_row(x->outcome)->word);
	if (x->res->status == 429)
		buf_puts(&line, ", rate_limited");
	if (r->version[0])
		buf_printf(&line, ", %s %s%s%s", r->version, r->method, r->tool[0] ? " " : "", r->tool);
	if (r->error_code)
		buf_printf(&line, ", error %d", r->error_code);
	if (r->tool_error)
		buf_puts(&line, ", tool error");
	if (r->trace[0])
		buf_printf(&line, ", trace %s", r->trace);
	stream_describe(x, &line);
	log_info("%s", line.data);
	buf_clear(&line);
}

void
server_handle(struct server *s, struct http_request *req, struct http_body_source *body, struct http_response *res)
{
	struct exchange x = { .server = s, .req = req, .body = body, .res = res, .now_s = clock_now_s(),
	    .started_ms = clock_monotonic_ms() };

	set_id(&x);
	buf_init(&x.message, (size_t)s->settings->body_max_bytes);
	buf_init(&x.reply.body, HTTP_RESPONSE_BODY_MAX);
	chain_run(&x);
	check_answer(&x);
	stats_add(s->stats, COUNTER_REQUESTS, 1);
	stats_add(s->stats, COUNTER_STATUS + (size_t)(res->status / 100), 1);
	atomic_fetch_add(&s->requests, 1);
	log_exchange(&x);
	stream_clear(&x);
	mcp_reply_clear(&x.reply);
	buf_clear(&x.reply.body);
	buf_clear(&x.message);
	principal_clear(&x.principal);
}

bool
server_is_due(struct server *s)
{
	return issuers_are_due(&s->issuers, clock_now_s());
}

void
server_maintain(struct server *s)
{
	issuers_maintain(&s->issuers, clock_now_s());
}
