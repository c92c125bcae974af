/* SPDX-License-Identifier: MIT */
/*
 * Who asks the authorization server about which token, and when.
 *
 * A question is a flight: the thread that finds nothing kept and nobody under way takes off, others that want the same
 * token wait for it and share its answer. Threads that ask or wait hold a place each; there are fewer places than
 * workers, so that a server that hangs leaves us some. Who finds none waits QUEUE_MS for one, unless an answer is
 * overdue for so long already, and is then told that nobody can say.
 *
 * What decides nothing is never kept. Only what a token cannot cause counts against the server: a breaker that opens on
 * bad questions could be opened by whoever sends us bad tokens.
 */
#include "oauth/introspection.h"

#include <inttypes.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "base/clock.h"
#include "base/json.h"
#include "base/log.h"
#include "base/text.h"
#include "oauth/breaker.h"
#include "oauth/discovery.h"
#include "oauth/introspection_answer.h"
#include "oauth/introspection_cache.h"

#define CONNECT_MS 2000
#define QUEUE_MS 1000
#define LOG_PERIOD_S 60
#define FORM_MAX (256 * 1024)	/* a token of 64 KiB, three bytes for each, and a credential */

/* What is known of a token: nothing, a refusal, or the response for an active one, to be judged. */
struct verdict {
	enum oauth_outcome refusal;	/* OAUTH_OK: "text" is it */
	struct buf text;
	int64_t at_s;
};

struct flight {
	struct flight *next;
	uint8_t digest[DIGEST_SHA256_LEN];
	int64_t begun_ms;
	unsigned users;		/* threads that look at it, the one that asks included */
	bool landed;
	struct verdict verdict;	/* once landed */
};

struct introspection {
	char *endpoint;		/* NULL: as "discovery" says */
	char *issuer;
	struct discovery *discovery;
	struct client_auth auth;
	const struct fetch_policy *fetch;
	int64_t keep_s;
	unsigned max_held;

	pthread_mutex_t lock;	/* of what follows; not held while the network is asked */
	pthread_cond_t changed;	/* a flight has landed, a place is free */
	struct introspection_cache *cache;
	struct breaker breaker;
	struct flight *flights;
	unsigned held;
	bool troubled;		/* the last question failed */
	struct log_throttle throttle;
};

static void
verdict_init(struct verdict *v)
{
	*v = (struct verdict){ .refusal = OAUTH_INTROSPECTION_UNAVAILABLE };
	buf_init(&v->text, INTROSPECTION_BYTES_MAX);
}

enum mcp_err
introspection_new(const struct introspection_options *options, struct introspection **out)
{
	struct introspection *in = calloc(1, sizeof(*in));
	pthread_condattr_t attributes;

	*out = NULL;
	if (!in)
		return MCP_ENOMEM;
	in->auth = options->auth;
	in->fetch = options->fetch;
	in->keep_s = options->keep_s;
	in->max_held = options->max_held;
	in->discovery = options->discovery;
	in->endpoint = options->endpoint ? text_dup(options->endpoint, strlen(options->endpoint)) : NULL;
	in->issuer = text_dup(options->issuer, strlen(options->issuer));
	pthread_mutex_init(&in->lock, NULL);
	pthread_condattr_init(&attributes);
	pthread_condattr_setclock(&attributes, CLOCK_MONOTONIC);
	pthread_cond_init(&in->changed, &attributes);
	pthread_condattr_destroy(&attributes);
	if (introspection_cache_new(options->keep_s, &in->cache) || !in->issuer ||
	    (options->endpoint && !in->endpoint)) {
		introspection_free(in);
		return MCP_ENOMEM;
	}
	*out = in;
	return MCP_OK;
}

void
introspection_free(struct introspection *in)
{
	if (!in)
		return;
	introspection_cache_free(in->cache);
	pthread_cond_destroy(&in->changed);
	pthread_mutex_destroy(&in->lock);
	free(in->endpoint);
	free(in->issuer);
	free(in);
}

/* ---- one question ------------------------------------------------------------------------------------------------ */

/* What came of it, for the breaker. */
enum turn_out {
	ANSWERED,
	FAILED,		/* the server is in trouble, or does not know us */
	USELESS,	/* nothing is decided, and the token may be the reason */
	NO_MEMORY
};

struct question {
	const char *token;
	size_t len;
	int64_t now_s;
	int64_t asked_s;	/* how long the server wants to be left alone, -1 */
	char fault[96];
};

/* Judge a response with status 200; "v" is what everybody will get. */
static enum turn_out
read_response(const struct introspection *in, const struct token_policy *policy, struct question *q,
    struct fetch_response *res, struct verdict *v, int64_t *until_s)
{
	struct json_object *claims;
	struct principal who;
	const char *why;
	enum mcp_err err = introspection_read(res->content_type, res->body.data, res->body.len, &claims, &why);

	if (err) {
		snprintf(q->fault, sizeof(q->fault), "%s", why ? why : mcp_strerror(err));
		return err == MCP_ENOMEM ? NO_MEMORY : USELESS;
	}
	v->at_s = q->now_s;
	v->refusal = OAUTH_INACTIVE;
	if (!claims)
		return ANSWERED;
	v->refusal = introspection_judge(policy, in->issuer, claims, *until_s, q->now_s, &who, &v->text);
	*until_s = v->refusal ? *until_s : who.expires_at_s;
	principal_clear(&who);
	if (v->refusal == OAUTH_OK) {
		buf_clear(&v->text);
		v->text = res->body;	/* handed over */
		buf_init(&res->body, 0);
	}
	return v->refusal == OAUTH_OUT_OF_RESOURCES ? NO_MEMORY : ANSWERED;
}

/* Make the request. "header" and "body" are secret. */
static enum mcp_err
compose(const struct introspection *in, const struct question *q, struct buf *header, struct buf *body)
{
	enum mcp_err err;

	buf_puts(body, "token=");
	text_form_encode(q->token, q->len, body);
	buf_puts(body, "&token_type_hint=access_token");
	err = client_auth_put(&in->auth, q->now_s, header, body);
	return err ? err : buf_status(body);
}

static enum turn_out
judge_status(struct question *q, const struct fetch_response *res, struct verdict *v)
{
	int status = res->status;

	if (status == 400 && introspection_is_unsupported(res->content_type, res->body.data, res->body.len)) {
		v->at_s = q->now_s;
		v->refusal = OAUTH_INACTIVE;
		return ANSWERED;
	}
	if (status == 401 || status == 403)
		snprintf(q->fault, sizeof(q->fault), "it does not accept our credentials (status %d)", status);
	else
		snprintf(q->fault, sizeof(q->fault), "the answer has status %d", status);
	q->asked_s = status == 429 || status == 503 ? res->retry_after_s : -1;
	return status == 401 || status == 403 || status == 429 || status >= 500 || status < 400 ? FAILED : USELESS;
}

/* Send the question to "req"'s URL and read what comes back. */
static enum turn_out
send_question(const struct introspection *in, const struct token_policy *policy, struct question *q,
    struct fetch_request *req, struct verdict *v, int64_t *until_s)
{
	struct fetch_response res = { 0 };
	enum turn_out turn_out = NO_MEMORY;
	struct buf header, body;
	enum mcp_err err;

	buf_init(&header, FORM_MAX);
	buf_init(&body, FORM_MAX);
	err = compose(in, q, &header, &body);
	if (!err) {
		const char *const headers[] = { "Accept: application/json",
			"Content-Type: application/x-www-form-urlencoded", header.len ? header.data : NULL, NULL };

		req->method = "POST";
		req->headers = headers;
		req->body = body.data;
		req->body_len = body.len;
		req->connect_timeout_ms = CONNECT_MS;
		req->total_timeout_ms = INTROSPECTION_TOTAL_MS;
		req->max_bytes = INTROSPECTION_BYTES_MAX;
		err = fetch(in->fetch, req, &res);
		req->headers = NULL;
		if (err && err != MCP_ENOMEM) {
			snprintf(q->fault, sizeof(q->fault), "%s", res.fault);
			/* An answer that is too large says something of the token, and the end something of us. */
			turn_out = err == MCP_ELIMIT || err == MCP_ECLOSED ? USELESS : FAILED;
		} else if (!err && res.status != 200) {
			turn_out = judge_status(q, &res, v);
		} else if (!err) {
			turn_out = read_response(in, policy, q, &res, v, until_s);
		}
		fetch_response_clear(&res);
	}
	buf_clear_secret(&header);
	buf_clear_secret(&body);
	return turn_out;
}

static enum turn_out
ask(const struct introspection *in, const struct token_policy *policy, struct question *q, struct verdict *v,
    int64_t *until_s)
{
	const struct discovery_document *document = NULL;
	struct fetch_request req = { .url = in->endpoint };
	enum turn_out turn_out = NO_MEMORY;
	enum mcp_err err;

	if (in->endpoint)
		return send_question(in, policy, q, &req, v, until_s);
	err = discovery_get(in->discovery, q->now_s, false, &document);
	if (err == MCP_ELIMIT || err == MCP_ECLOSED) {
		snprintf(q->fault, sizeof(q->fault), "%s", err == MCP_ELIMIT ? "too many wait for its metadata" :
		    "the process ends");
		turn_out = USELESS;
	} else if (!err && document->status != 200) {
		snprintf(q->fault, sizeof(q->fault), "its metadata: %.80s", document->fault);
		turn_out = FAILED;
	} else if (!err && !document->url[DISCOVERY_INTROSPECTION]) {
		snprintf(q->fault, sizeof(q->fault), "its metadata names no introspection_endpoint%s",
		    document->is_bad[DISCOVERY_INTROSPECTION] ? " that may be used" : "");
		turn_out = FAILED;
	} else if (!err) {
		req.url = document->url[DISCOVERY_INTROSPECTION];
		req.learnt = true;
		req.origin_host = discovery_host(in->discovery);
		turn_out = send_question(in, policy, q, &req, v, until_s);
	}
	discovery_release(document);
	return turn_out;
}

/* ---- flights ----------------------------------------------------------------------------------------------------- */

/* Keep what was decided, but for a token that is not valid yet, which will be. Needs the lock. */
static void
keep(struct introspection *in, const uint8_t digest[DIGEST_SHA256_LEN], const struct verdict *v, int64_t until_s)
{
	if (v->refusal == OAUTH_OK)
		introspection_cache_answer(in->cache, digest, v->at_s, until_s, v->text.data, v->text.len);
	else if (v->refusal != OAUTH_NOT_YET_VALID)
		introspection_cache_refusal(in->cache, digest, v->at_s, v->refusal);
}

/* Who is asked, for the log. */
static const char *
name_of(const struct introspection *in)
{
	return in->endpoint ? in->endpoint : discovery_issuer(in->discovery);
}

/* Tell breaker and log. Needs the lock. */
static void
settle(struct introspection *in, enum turn_out turn_out, const struct question *q)
{
	unsigned long held = 0;

	if (turn_out == ANSWERED)
		breaker_success(&in->breaker);
	else if (turn_out == FAILED)
		breaker_failure(&in->breaker, clock_monotonic_ms(), q->asked_s);
	else
		breaker_neither(&in->breaker);
	if (turn_out == ANSWERED && in->troubled)
		log_info("introspection: %s answers again", name_of(in));
	else if ((turn_out == FAILED || turn_out == USELESS) &&
	    log_throttle_open(&in->throttle, q->now_s, LOG_PERIOD_S, &held))
		log_error("introspection: %s: %s; tokens that it was not asked about before get 503 (%lu more of "
		    "this kind were not told)", name_of(in), q->fault, held);
	in->troubled = turn_out != ANSWERED && (in->troubled || turn_out == FAILED);
}

static void
leave(struct flight *f)
{
	if (--f->users > 0)
		return;
	buf_clear(&f->verdict.text);
	free(f);
}

static void
copy_verdict(const struct flight *f, struct verdict *v)
{
	v->refusal = f->verdict.refusal;
	v->at_s = f->verdict.at_s;
	buf_put(&v->text, f->verdict.text.data, f->verdict.text.len);
	if (buf_status(&v->text))
		v->refusal = OAUTH_OUT_OF_RESOURCES;
}

/* Ask, and share the answer. Needs the lock, which is released meanwhile. */
static void
take_off(struct introspection *in, const struct token_policy *policy, const uint8_t digest[DIGEST_SHA256_LEN],
    struct question *q, struct verdict *v)
{
	struct flight *f = calloc(1, sizeof(*f)), **place;
	int64_t until_s = q->now_s + (in->keep_s > 0 ? in->keep_s : 1);
	enum turn_out turn_out;

	if (!f) {
		breaker_neither(&in->breaker);
		v->refusal = OAUTH_OUT_OF_RESOURCES;
		return;
	}
	memcpy(f->digest, digest, DIGEST_SHA256_LEN);
	verdict_init(&f->verdict);
	f->begun_ms = clock_monotonic_ms();
	f->users = 1;
	f->next = in->flights;
	in->flights = f;
	pthread_mutex_unlock(&in->lock);
	turn_out = ask(in, policy, q, &f->verdict, &until_s);
	pthread_mutex_lock(&in->lock);
	for (place = &in->flights; *place != f; place = &(*place)->next)
		continue;
	*place = f->next;
	settle(in, turn_out, q);
	if (turn_out == NO_MEMORY)
		f->verdict.refusal = OAUTH_OUT_OF_RESOURCES;
	else if (turn_out == ANSWERED)
		keep(in, digest, &f->verdict, until_s);
	f->landed = true;
	pthread_cond_broadcast(&in->changed);
	copy_verdict(f, v);
	leave(f);
}

static struct timespec
moment_in(int64_t ms)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	t.tv_sec += ms / 1000;
	t.tv_nsec += ms % 1000 * 1000000L;
	if (t.tv_nsec >= 1000000000L) {
		t.tv_sec++;
		t.tv_nsec -= 1000000000L;
	}
	return t;
}

/* Wait for another thread's answer. Needs the lock. */
static void
board(struct introspection *in, struct flight *f, struct verdict *v)
{
	struct timespec end = moment_in(2 * INTROSPECTION_TOTAL_MS + 1000);

	f->users++;
	while (!f->landed && pthread_cond_timedwait(&in->changed, &in->lock, &end) == 0)
		continue;
	if (f->landed)
		copy_verdict(f, v);
	leave(f);
}

/* Whether a wait for a place is likely to be in vain: the last answer was none, or one takes long. Needs the lock. */
static bool
is_slow(const struct introspection *in)
{
	int64_t now_ms = clock_monotonic_ms();

	for (const struct flight *f = in->flights; f; f = f->next)
		if (now_ms - f->begun_ms >= QUEUE_MS)
			return true;
	return in->troubled;
}

/* Get one of the places. Needs the lock. */
static bool
take_place(struct introspection *in)
{
	struct timespec end = moment_in(QUEUE_MS);

	while (in->held >= in->max_held && !is_slow(in) &&
	    pthread_cond_timedwait(&in->changed, &in->lock, &end) == 0)
		continue;
	if (in->held >= in->max_held)
		return false;
	in->held++;
	return true;
}

static struct flight *
flight_of(const struct introspection *in, const uint8_t digest[DIGEST_SHA256_LEN])
{
	struct flight *f = in->flights;

	while (f && memcmp(f->digest, digest, DIGEST_SHA256_LEN) != 0)
		f = f->next;
	return f;
}

/* Whether "v" could be filled in from what is kept. Needs the lock. */
static bool
is_kept(struct introspection *in, const uint8_t digest[DIGEST_SHA256_LEN], int64_t now_s, struct verdict *v)
{
	enum oauth_outcome refusal = OAUTH_OK;

	if (introspection_cache_find(in->cache, digest, now_s, &v->text, &v->at_s, &refusal) ==
	    INTROSPECTION_KEPT_NOTHING)
		return false;
	v->refusal = refusal;
	return true;
}

/* Needs the lock. */
static void
find_out(struct introspection *in, const struct token_policy *policy, const uint8_t digest[DIGEST_SHA256_LEN],
    struct question *q, struct verdict *v)
{
	struct flight *f;

	if (is_kept(in, digest, q->now_s, v))
		return;
	/* A server that is left alone costs nobody a wait. */
	if (!flight_of(in, digest) && breaker_is_open(&in->breaker, clock_monotonic_ms()))
		return;
	if (!take_place(in))
		return;
	f = flight_of(in, digest);
	if (f)
		board(in, f, v);
	else if (!is_kept(in, digest, q->now_s, v) && breaker_admit(&in->breaker, clock_monotonic_ms()))
		take_off(in, policy, digest, q, v);
	in->held--;
	pthread_cond_broadcast(&in->changed);
}

enum oauth_outcome
introspection_validate(struct introspection *in, const struct token_policy *policy, const char *token, size_t len,
    int64_t now_s, struct principal *out, struct buf *seen)
{
	struct question q = { .token = token, .len = len, .now_s = now_s, .asked_s = -1 };
	uint8_t digest[DIGEST_SHA256_LEN];
	struct json_object *claims = NULL;
	enum oauth_outcome outcome;
	struct verdict v;
	const char *why;

	memset(out, 0, sizeof(*out));
	if (len > policy->max_bytes)
		return OAUTH_TOO_LONG;
	if (digest_sha256(token, len, digest))
		return OAUTH_OUT_OF_RESOURCES;
	verdict_init(&v);
	pthread_mutex_lock(&in->lock);
	find_out(in, policy, digest, &q, &v);
	pthread_mutex_unlock(&in->lock);
	outcome = v.refusal;
	if (outcome == OAUTH_OK) {
		/* What was kept is judged again at every use: times, audience, scopes, organisation. */
		if (introspection_read("application/json", v.text.data, v.text.len, &claims, &why) || !claims)
			outcome = OAUTH_OUT_OF_RESOURCES;
		else
			outcome = introspection_judge(policy, in->issuer, claims,
			    v.at_s + (in->keep_s > 0 ? in->keep_s : 1), now_s, out, seen);
	} else if (seen) {
		buf_put(seen, v.text.data, v.text.len);
	}
	buf_clear(&v.text);
	return outcome;
}

int64_t
introspection_retry_after_s(struct introspection *in)
{
	int64_t s;

	pthread_mutex_lock(&in->lock);
	s = breaker_retry_after_s(&in->breaker, clock_monotonic_ms());
	pthread_mutex_unlock(&in->lock);
	return s;
}
