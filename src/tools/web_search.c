/* SPDX-License-Identifier: MIT */
/*
 * One search: arguments become a request, the answer becomes text for people and structured content. What Tavily says is untrusted text; what it refuses is told to the caller as a tool error and
 * never as an HTTP status of ours, because a 401 of Tavily's would make the client throw its own token away.
 */
#include "tools/web_search.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "base/clock.h"
#include "base/digest.h"
#include "base/json.h"
#include "base/log.h"
#include "base/text.h"
#include "net/fetch.h"
#include "tools/web_search_schema.h"

#define ANSWER_MAX (4 * 1024 * 1024) /* bytes of Tavily's answer */
#define STRING_MAX (256 * 1024)      /* bytes kept of one string in it */
#define SHOWN_MAX 300                /* bytes shown of its error texts */
#define CONNECT_MS 3000
#define RETRY_LEAST_MS 200 /* before the second try after a 500; up to twice as long */

static const struct json_bounds answer_bounds = { ANSWER_MAX, 32, 50000 };

static bool
is_date(const char *s)
{
	static const char form[] = "dddd-dd-dd";

	for (size_t i = 0; i < sizeof form - 1; i++)
		if (form[i] == 'd' ? s[i] < '0' || s[i] > '9' : s[i] != form[i])
			return false;
	return s[sizeof form - 1] == '\0';
}

static const char *
text_of(const struct json_object *object, const char *name)
{
	const char *s;

	return json_get_string(object, name, &s, NULL) == MCP_OK ? s : NULL;
}

/* What Tavily would refuse, or silently ignore, and no schema of one member can say. NULL if all is well. */
static const char *
contradiction(const struct json_object *a)
{
	const char *topic = text_of(a, "topic"), *depth = text_of(a, "search_depth");
	const char *from = text_of(a, "start_date"), *to = text_of(a, "end_date");
	bool is_safe = false, is_general = !topic || strcmp(topic, "general") == 0;
	struct json_object *ignored;

	if ((from && !is_date(from)) || (to && !is_date(to)))
		return "start_date and end_date are days like 2026-01-31.";
	if (from && to && strcmp(from, to) > 0)
		return "start_date is after end_date.";
	if (text_of(a, "country") && !is_general)
		return "country can only be used with topic general.";
	if (json_get(a, "days", &ignored) == MCP_OK && (!topic || strcmp(topic, "news") != 0))
		return "days can only be used with topic news.";
	if (json_get(a, "chunks_per_source", &ignored) == MCP_OK && depth && strcmp(depth, "ultra-fast") == 0)
		return "chunks_per_source cannot be used with search_depth ultra-fast.";
	if (json_get_bool(a, "safe_search", &is_safe) == MCP_OK && is_safe && depth && strstr(depth, "fast"))
		return "safe_search cannot be used with search_depth fast or ultra-fast.";
	return NULL;
}

/* Append "s" without control characters (line ends and tabs stay), at most "max" bytes and no half character. */
static void
append_clean(const char *s, size_t max, struct buf *out)
{
	size_t len = strlen(s);

	if (len > max) {
		len = max;
		while (len && ((unsigned char)s[len] & 0xc0) == 0x80)
			len--;
	}
	for (size_t i = 0; i < len; i++) {
		unsigned char c = (unsigned char)s[i];

		if (c == 0xc2 && i + 1 < len && (unsigned char)s[i + 1] < 0xa0)
			i++; /* C1 controls, two bytes in UTF-8 */
		else if ((c >= 0x20 && c != 0x7f) || c == '\n' || c == '\t')
			buf_putc(out, (char)c);
	}
}

/* A copy of a value of Tavily's whose strings are clean. NULL for null, and with *err set when memory is short. */
static struct json_object *clean_copy(struct json_object *v, enum mcp_err *err);

struct copy {
	struct json_object *to;
	enum mcp_err *err;
};

static bool
copy_member(void *ctx, const char *name, struct json_object *value)
{
	struct copy *c = ctx;
	struct json_object *copied = clean_copy(value, c->err);

	/* Members without a value say nothing, and schemas of ours know no null. */
	if (!*c->err && copied)
		*c->err = json_set(c->to, name, copied);
	return !*c->err;
}

static struct json_object *
clean_copy(struct json_object *v, enum mcp_err *err)
{
	struct json_object *made = NULL;
	const char *s;
	struct buf b;

	switch (json_kind(v)) {
	case JSON_STRING:
		buf_init(&b, STRING_MAX);
		if (json_as_string(v, &s, NULL) == MCP_OK)
			append_clean(s, STRING_MAX, &b);
		made = buf_status(&b) ? NULL : json_new_string(b.data, b.len);
		buf_clear(&b);
		break;
	case JSON_ARRAY:
		made = json_new_array();
		for (size_t i = 0; made && i < json_count(v) && !*err; i++) {
			struct json_object *item = clean_copy(json_at(v, i), err);

			if (!*err && item)
				*err = json_push(made, item);
		}
		break;
	case JSON_OBJECT:
		made = json_new_object();
		if (made)
			json_each(v, copy_member, &(struct copy){ made, err });
		break;
	case JSON_NULL:
		return NULL;
	default:
		return json_ref(v);
	}
	if (!made)
		*err = MCP_ENOMEM;
	if (*err) {
		json_free(made);
		return NULL;
	}
	return made;
}

static void
append_part(struct buf *out, const char *label, const char *text)
{
	if (text && *text)
		buf_printf(out, "%s: %s\n", label, text);
}

/* The results as people read them. */
static void
render_text(const struct json_object *results, const struct json_object *whole, struct buf *out)
{
	const char *answer = text_of(whole, "answer");

	if (answer && *answer)
		buf_printf(out, "Answer: %s\n\n", answer);
	if (json_count(results) == 0) {
		buf_puts(out, "No results.");
		return;
	}
	buf_puts(out, "Detailed Results:\n");
	for (size_t i = 0; i < json_count(results); i++) {
		const struct json_object *r = json_at(results, i);

		buf_putc(out, '\n');
		append_part(out, "Title", text_of(r, "title"));
		append_part(out, "URL", text_of(r, "url"));
		append_part(out, "Published", text_of(r, "published_date"));
		append_part(out, "Content", text_of(r, "content"));
		append_part(out, "Raw Content", text_of(r, "raw_content"));
	}
}

/* A 200: its body becomes the result. */
static enum mcp_err
take_results(struct tool_call *call, const struct buf *body)
{
	struct json_object *raw = NULL, *clean = NULL, *results = NULL;
	enum mcp_err err = MCP_OK;
	const char *query = "";
	struct buf text;

	buf_init(&text, ANSWER_MAX * 2);
	if (json_parse(body->data, body->len, &answer_bounds, &raw, NULL) || json_get_array(raw, "results", &results)) {
		log_error("%s Tavily's answer is not what its documentation says", call->request_id);
		err = tool_error(call, "The search backend gave an answer that cannot be read.");
		goto out;
	}
	clean = clean_copy(raw, &err);
	if (err)
		goto out;
	if (!text_of(clean, "query") && json_get_string(call->arguments, "query", &query, NULL) == MCP_OK)
		err = json_set_new(clean, "query", json_new_string(query, strlen(query)));
	if (err || json_get_array(clean, "results", &results))
		goto out;
	render_text(results, clean, &text);
	err = buf_status(&text);
	if (!err)
		err = tool_text(call, text.data, text.len);
	if (!err) {
		call->structured = clean;
		clean = NULL;
	}
out:
	json_free(raw);
	json_free(clean);
	buf_clear(&text);
	return err;
}

/* What Tavily says of its refusal: detail.error, detail, error.message or nothing. */
static void
append_detail(const struct buf *body, struct buf *out)
{
	struct json_object *raw = NULL, *detail = NULL;
	const char *s = NULL;

	if (json_parse(body->data, body->len, &answer_bounds, &raw, NULL) == MCP_OK) {
		if (json_get(raw, "detail", &detail) == MCP_OK && json_as_string(detail, &s, NULL) != MCP_OK) {
			s = text_of(detail, "error");
			if (!s)
				s = text_of(json_at(detail, 0), "msg");
		} else if (!detail && json_get_object(raw, "error", &detail) == MCP_OK) {
			s = text_of(detail, "message");
		}
	}
	if (s && *s) {
		buf_puts(out, ": ");
		append_clean(s, SHOWN_MAX, out);
	} else {
		buf_putc(out, '.');
	}
	json_free(raw);
}

/* Any other status as a tool error. */
static enum mcp_err
tell_refusal(struct tool_call *call, const struct fetch_response *res)
{
	enum mcp_err err;
	struct buf detail;

	buf_init(&detail, 2048);
	append_detail(&res->body, &detail);
	log_warning("%s Tavily answered %d", call->request_id, res->status);
	switch (res->status) {
	case 401:
		log_error("Tavily rejects TAVILY_API_KEY");
		err = tool_error(call, "The search backend key was rejected. The operator of this server has to set TAVILY_API_KEY right.");
		break;
	case 429:
		err = tool_error(call, "The search backend is asked too often at the moment. Try again%s.",
		    res->retry_after_s > 0 ? " later" : " in a minute");
		break;
	case 432:
		err = tool_error(call, "The search plan's usage limit is reached. The operator of this server can upgrade it at Tavily.");
		break;
	case 433:
		err = tool_error(call, "The search plan's pay-as-you-go limit is reached. The operator of this server can raise it at Tavily.");
		break;
	case 400:
	case 403:
	case 422:
		err = tool_error(call, "The search backend refused the search%s", detail.data);
		break;
	default:
		err = tool_error(call, "The search backend failed (status %d)%s", res->status, detail.data);
		break;
	}
	buf_clear(&detail);
	return err;
}

/* How long to wait before a second try, in milliseconds; -1: there is none. */
static int64_t
retry_delay_ms(const struct fetch_response *res, int64_t left_ms)
{
	uint8_t jitter = 0;
	int64_t delay = -1;

	if (res->status == 429 && res->retry_after_s >= 0)
		delay = res->retry_after_s * 1000;
	else if (res->status == 500 && digest_random(&jitter, sizeof jitter) == MCP_OK)
		delay = RETRY_LEAST_MS + RETRY_LEAST_MS * jitter / 255;
	return delay >= 0 && delay < left_ms - RETRY_LEAST_MS ? delay : -1;
}

static void
sleep_ms(int64_t ms)
{
	struct timespec ts = { .tv_sec = (time_t)(ms / 1000), .tv_nsec = (long)(ms % 1000) * 1000000 };

	nanosleep(&ts, NULL);
}

static enum mcp_err
ask(const struct web_search *w, const char *const *headers, const struct buf *body, const char *url, int64_t until_ms,
    struct fetch_response *res)
{
	int64_t left_ms = until_ms - clock_monotonic_ms();
	struct fetch_request req = {
		.method = "POST",
		.url = url,
		.headers = headers,
		.body = body->data,
		.body_len = body->len,
		.connect_timeout_ms = CONNECT_MS,
		.total_timeout_ms = left_ms > 1 ? (long)left_ms : 1,
		.max_bytes = ANSWER_MAX
	};

	return fetch(w->fetch, &req, res);
}

/* Ask, once more if that may help, and tell what came of it. */
static enum mcp_err
search(struct tool_call *call, const struct web_search *w, const char *const *headers, const struct buf *body, const char *url)
{
	int64_t until_ms = clock_monotonic_ms() + w->settings->timeout_s * 1000, delay_ms;
	struct fetch_response res;
	enum mcp_err err;

	if (until_ms > call->deadline_ms)
		until_ms = call->deadline_ms;
	err = ask(w, headers, body, url, until_ms, &res);
	if (!err && (delay_ms = retry_delay_ms(&res, until_ms - clock_monotonic_ms())) >= 0) {
		fetch_response_clear(&res);
		sleep_ms(delay_ms);
		err = ask(w, headers, body, url, until_ms, &res);
	}
	if (!err && res.status == 200) {
		err = take_results(call, &res.body);
	} else if (!err) {
		err = tell_refusal(call, &res);
	} else if (err != MCP_ENOMEM) {
		log_warning("%s Tavily: %s", call->request_id, res.fault[0] ? res.fault : mcp_strerror(err));
		err = tool_error(call, err == MCP_ETIMEOUT ? "The search backend did not answer in time. Try again later."
							   : "The search backend could not be reached. Try again later.");
	}
	fetch_response_clear(&res);
	return err;
}

static enum mcp_err
web_search(struct tool_call *call)
{
	const struct web_search *w = call->context;
	const char *wrong = contradiction(call->arguments), *headers[5];
	struct buf body, url, credential, project;
	enum mcp_err err;
	size_t n = 0;

	if (wrong)
		return tool_error(call, "%s", wrong);
	buf_init(&body, 512 * 1024);
	buf_init(&url, 4096);
	buf_init(&credential, 4096);
	buf_init(&project, 1024);
	json_render(call->arguments, &body);
	buf_printf(&url, "%s/search", w->settings->api_url);
	if (w->settings->api_key)
		buf_printf(&credential, "Authorization: Bearer %s", w->settings->api_key);
	else
		buf_puts(&credential, "X-Tavily-Access-Mode: keyless");
	headers[n++] = "Content-Type: application/json";
	headers[n++] = "X-Client-Source: mcp-fcgi";
	headers[n++] = credential.data;
	if (w->settings->project) {
		buf_printf(&project, "X-Project-ID: %s", w->settings->project);
		headers[n++] = project.data;
	}
	headers[n] = NULL;
	if (buf_status(&body) || buf_status(&url) || buf_status(&credential) || buf_status(&project))
		err = MCP_ENOMEM;
	else
		err = search(call, w, headers, &body, url.data);
	buf_clear(&body);
	buf_clear(&url);
	buf_clear_secret(&credential);
	buf_clear(&project);
	return err;
}

void
tool_web_search(struct tool *out, const struct web_search *context)
{
	*out = (struct tool){
		.name = "web_search",
		.title = "Web search",
		.description = "Use this tool to search the web for information.",
		.input_schema = web_search_input_schema,
		.output_schema = web_search_output_schema,
		.annotations = "{\"readOnlyHint\":true,\"openWorldHint\":true}",
		.call = web_search,
		.context = (void *)(uintptr_t)context
	};
}
