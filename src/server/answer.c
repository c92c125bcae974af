/* SPDX-License-Identifier: MIT */
/* Refusals, each in one place. */
#include "server/answer.h"

#include <inttypes.h>
#include <string.h>

#include "base/json.h"
#include "oauth/challenge.h"
#include "store/stats.h"

bool
answer_error(struct exchange *x, int status, const char *text)
{
	http_response_reset(x->res);
	x->res->status = status;
	http_response_header(x->res, "Content-Type", "application/json");
	http_response_header(x->res, "Cache-Control", "no-store");
	buf_printf(&x->res->body, "{\"error\": \"%s\"}", text);
	return true;
}

void
answer_challenge(struct exchange *x, enum oauth_outcome outcome, const struct strlist *scopes)
{
	struct buf value;

	buf_init(&value, 8192);
	challenge_render(outcome, x->server->metadata_url, scopes, &value);
	if (buf_status(&value) == MCP_OK)
		http_response_header(x->res, "WWW-Authenticate", value.data);
	else
		x->res->headers.status = buf_status(&value);	/* an answer without its challenge must not leave */
	buf_clear(&value);
}

bool
answer_refused(struct exchange *x, enum oauth_outcome outcome)
{
	const struct oauth_outcome_row *row = oauth_outcome_row(outcome);

	x->outcome = outcome;
	stats_add(x->server->stats, COUNTER_OUTCOME + row->counter, 1);
	answer_error(x, row->status, row->body);
	if (row->retry_after_s)
		http_response_headerf(x->res, "Retry-After", "%" PRId64,
		    x->retry_after_s > row->retry_after_s ? x->retry_after_s : (int64_t)row->retry_after_s);
	else	/* no scope would mend a client or an organisation that is not wanted */
		answer_challenge(x, outcome, row->status == 403 && !row->error ? NULL : &x->server->challenge_scopes);
	return true;
}

void
answer_limit_fields(struct exchange *x)
{
	const struct limit_verdict *v = &x->verdict;
	const char *policy = v->policy == LIMIT_ADDRESS ? "address" : "principal";

	if (!v->limited)
		return;
	http_response_headerf(x->res, "RateLimit-Policy", "\"%s\";q=%" PRId64 ";w=%" PRId64, policy, v->rate.limit,
	    v->rate.window_s);
	http_response_headerf(x->res, "RateLimit", "\"%s\";r=%" PRId64 ";t=%" PRId64, policy, v->remaining, v->reset_s);
}

bool
answer_limited(struct exchange *x)
{
	const struct limit_rate *rate = &x->verdict.rate;

	stats_add(x->server->stats, COUNTER_RATE_LIMITED, 1);
	answer_error(x, 429, "");
	buf_reset(&x->res->body);
	buf_printf(&x->res->body, "{\"error\":\"Rate limit exceeded: %" PRId64 " per %" PRId64 " %s\"}", rate->limit,
	    rate->multiple,
	    rate->unit ? rate->unit : "window");
	http_response_headerf(x->res, "Retry-After", "%" PRId64, x->verdict.reset_s);
	answer_limit_fields(x);
	return true;
}

bool
answer_not_found(struct exchange *x)
{
	answer_error(x, 404, "");
	buf_reset(&x->res->body);
	buf_puts(&x->res->body, "{\"error\": \"Not found\", \"mcp_endpoint\": ");
	json_render_string(x->server->settings->mcp_path, strlen(x->server->settings->mcp_path), &x->res->body);
	buf_putc(&x->res->body, '}');
	return true;
}

bool
answer_method(struct exchange *x)
{
	answer_error(x, 405, "Method not allowed");
	http_response_header(x->res, "Allow", x->endpoint->allow);
	return true;
}
