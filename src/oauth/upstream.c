/* SPDX-License-Identifier: MIT */
/*
 * The authorization server's metadata and its registration, passed on to clients that ask us for them.
 *
 * Both are open to strangers, so the target is fixed, answers are bounded, failures are remembered for a moment, and
 * few threads can be held by a server that hangs. What is passed on is JSON and nothing else: an error page of a proxy
 * between would run as ours in a browser.
 */
#include "oauth/upstream.h"

#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "base/clock.h"
#include "base/json.h"
#include "base/text.h"

#define KEEP_S 300		/* a good document */
#define KEEP_FAILURE_S 10
#define CONNECT_MS 2000
#define METADATA_MS 5000	/* all forms together */
#define REGISTER_MS 15000	/* a registration creates something over there */
#define WAITING_MAX 3
#define RETRY_AFTER_MAX_S 3600

static const char no_metadata[] = "{\"error\": \"Failed to fetch authorization server metadata\"}";
static const char bad_metadata[] = "{\"error\": \"Authorization server metadata is not usable\"}";
static const char unreachable[] = "{\"error\": \"Unable to reach authorization server\"}";
static const char rubbish[] = "{\"error\": \"Authorization server sent an unusable answer\"}";
static const char no_registration[] =
    "{\"error\": \"Dynamic client registration is not available at the authorization server\"}";
static const char bad_request[] =
    "{\"error\": \"invalid_client_metadata\", \"error_description\": \"The body must be a JSON object\"}";
static const char too_large[] =
    "{\"error\": \"invalid_client_metadata\", \"error_description\": \"The body is too large\"}";

/* What asking for the metadata came to. */
struct document {
	int status;		/* 200, 502 or 503; 0: never asked */
	int64_t at_s;
	char *text;		/* owned, with 200 */
	size_t len;
	char *content_type;	/* owned, may be NULL */
	char *endpoint;		/* registration_endpoint, owned; NULL: it names none that may be used */
	bool bad_endpoint;	/* it names one that may not */
	int64_t retry_after_s;	/* with 503 */
	char fault[96];		/* with 502 and 503 */
};

struct upstream {
	char *issuer;
	char *host;		/* of the issuer; empty when that is no URL that may be fetched */
	char *registration;
	const struct fetch_policy *fetch;

	pthread_mutex_t lock;	/* of what follows; not held while the network is asked */
	pthread_cond_t done;
	struct document document;
	bool busy;
	unsigned waiting;
};

static const struct json_bounds metadata_bounds = { UPSTREAM_METADATA_MAX, 16, 20000 };
static const struct json_bounds registration_bounds = { UPSTREAM_REGISTRATION_MAX, 16, 5000 };

static void
document_clear(struct document *d)
{
	free(d->text);
	free(d->content_type);
	free(d->endpoint);
	memset(d, 0, sizeof(*d));
}

enum mcp_err
upstream_new(const char *issuer, const char *registration, const struct fetch_policy *fetch, struct upstream **out)
{
	struct upstream *u = calloc(1, sizeof(*u));
	pthread_condattr_t attributes;

	*out = NULL;
	if (!u)
		return MCP_ENOMEM;
	u->fetch = fetch;
	u->issuer = text_dup(issuer, strlen(issuer));
	u->host = fetch_url_allowed(issuer) ? fetch_url_host(issuer) : text_dup("", 0);
	u->registration = registration ? text_dup(registration, strlen(registration)) : NULL;
	pthread_mutex_init(&u->lock, NULL);
	pthread_condattr_init(&attributes);
	pthread_condattr_setclock(&attributes, CLOCK_MONOTONIC);
	pthread_cond_init(&u->done, &attributes);
	pthread_condattr_destroy(&attributes);
	if (!u->issuer || !u->host || (registration && !u->registration)) {
		upstream_free(u);
		return MCP_ENOMEM;
	}
	*out = u;
	return MCP_OK;
}

void
upstream_free(struct upstream *u)
{
	if (!u)
		return;
	document_clear(&u->document);
	pthread_cond_destroy(&u->done);
	pthread_mutex_destroy(&u->lock);
	free(u->issuer);
	free(u->host);
	free(u->registration);
	free(u);
}

/* ---- metadata ---------------------------------------------------------------------------------------------------- */

/* Where a metadata document may be. Source: RFC 8414 sections 3.1 and 5, OpenID Connect Discovery section 4. */
static const struct form {
	const char *word;
	bool inserted;		/* between host and path, else behind the path */
} forms[] = {
	{ "oauth-authorization-server", true },
	{ "oauth-authorization-server", false },
	{ "openid-configuration", true },
	{ "openid-configuration", false },
};

/* Append the URL of a form; false when it is the same as the one before, i.e. the issuer has no path. */
static bool
form_url(const char *issuer, const struct form *form, struct buf *url)
{
	const char *authority = strstr(issuer, "://") + 3;
	size_t root = (size_t)(authority - issuer) + strcspn(authority, "/");
	size_t len = strlen(issuer);

	if (len > root && issuer[len - 1] == '/')
		len--;
	if (!form->inserted && len == root)
		return false;
	buf_put(url, issuer, form->inserted ? root : len);
	buf_printf(url, "/.well-known/%s", form->word);
	if (form->inserted)
		buf_put(url, issuer + root, len - root);
	return true;
}

/* Judge a document that came with 200. Fills "d" if it is good. MCP_OK, MCP_ENOMEM, MCP_EREMOTE with d->fault. */
static enum mcp_err
read_document(const struct upstream *u, struct fetch_response *res, struct document *d)
{
	struct json_object *json = NULL;
	const char *issuer, *endpoint;
	enum mcp_err err;

	if (res->content_type && !fetch_response_is_json(res)) {
		snprintf(d->fault, sizeof(d->fault), "the metadata is %.60s and not JSON", res->content_type);
		return MCP_EREMOTE;
	}
	err = json_parse(res->body.data, res->body.len, &metadata_bounds, &json, NULL);
	if (err == MCP_ENOMEM)
		return err;
	if (err || json_get_string(json, "issuer", &issuer, NULL)) {
		snprintf(d->fault, sizeof(d->fault), "the metadata is no JSON object with an issuer");
		err = MCP_EREMOTE;
	} else if (strcmp(issuer, u->issuer) != 0) {
		snprintf(d->fault, sizeof(d->fault), "the metadata is of another issuer: %.50s", issuer);
		err = MCP_EREMOTE;
	} else if (json_get_string(json, "registration_endpoint", &endpoint, NULL) == MCP_OK) {
		d->bad_endpoint = !fetch_url_allowed(endpoint);
		if (!d->bad_endpoint && !(d->endpoint = text_dup(endpoint, strlen(endpoint))))
			err = MCP_ENOMEM;
	}
	if (!err) {
		d->status = 200;
		d->content_type = res->content_type;
		res->content_type = NULL;
		d->text = buf_steal(&res->body, &d->len);
		if (!d->text)
			err = MCP_ENOMEM;
	}
	json_free(json);
	return err;
}

/* Whether a fetch failed in a way that may pass. */
static bool
is_unreachable(enum mcp_err err)
{
	return err == MCP_ENET || err == MCP_ETIMEOUT || err == MCP_EREMOTE;
}

/*
 * Ask for one form. *next tells whether another form may do better: after an answer that is no document, not after
 * silence. Returns MCP_OK or MCP_ENOMEM.
 */
static enum mcp_err
ask_form(const struct upstream *u, const char *url, long left_ms, struct document *d, bool *next)
{
	static const char *const headers[] = { "Accept: application/json", NULL };
	struct fetch_request req = {
		.method = "GET", .url = url, .headers = headers, .connect_timeout_ms = CONNECT_MS,
		.total_timeout_ms = left_ms, .max_bytes = UPSTREAM_METADATA_MAX,
	};
	struct fetch_response res;
	enum mcp_err err = fetch(u->fetch, &req, &res);

	bool in_trouble = err ? is_unreachable(err) : res.status >= 500 || res.status == 429;

	*next = false;
	if (in_trouble) {
		d->status = 503;
		d->retry_after_s = res.retry_after_s;
		if (err)
			snprintf(d->fault, sizeof(d->fault), "%s", res.fault);
		else
			snprintf(d->fault, sizeof(d->fault), "the answer has status %d", res.status);
		err = MCP_OK;
	} else if (err && err != MCP_ENOMEM) {
		d->status = 502;
		snprintf(d->fault, sizeof(d->fault), "%s", res.fault);
		err = MCP_OK;
	} else if (!err && res.status == 200) {
		err = read_document(u, &res, d);
		if (err == MCP_EREMOTE) {
			d->status = 502;
			*next = true;
			err = MCP_OK;
		}
	} else if (!err) {
		if (d->status != 502) {
			d->status = 502;
			snprintf(d->fault, sizeof(d->fault), "there is no metadata: status %d", res.status);
		}
		*next = true;
	}
	fetch_response_clear(&res);
	return err;
}

static enum mcp_err
ask(const struct upstream *u, struct document *d)
{
	int64_t end_ms = clock_monotonic_ms() + METADATA_MS;
	enum mcp_err err = MCP_OK;
	bool next = true;

	memset(d, 0, sizeof(*d));
	if (!u->host[0]) {
		d->status = 502;
		snprintf(d->fault, sizeof(d->fault), "the issuer is no URL that may be fetched");
		return MCP_OK;
	}
	for (size_t i = 0; i < sizeof(forms) / sizeof(forms[0]) && next && !err; i++) {
		int64_t left_ms = end_ms - clock_monotonic_ms();
		struct buf url;

		if (left_ms <= 0)
			break;
		buf_init(&url, 8192);
		if (form_url(u->issuer, &forms[i], &url))
			err = buf_status(&url) ? MCP_ENOMEM : ask_form(u, url.data, (long)left_ms, d, &next);
		buf_clear(&url);
	}
	if (err)
		document_clear(d);
	return err;
}

static bool
is_fresh(const struct document *d, int64_t now_s)
{
	int64_t age_s = now_s > d->at_s ? now_s - d->at_s : d->at_s - now_s;

	return d->status && age_s < (d->status == 200 ? KEEP_S : KEEP_FAILURE_S);
}

/*
 * Bring u->document up to date, or wait while another thread does. Returns with the lock held; the document may still
 * be stale when too many wait. MCP_OK or MCP_ENOMEM.
 */
static enum mcp_err
lock_fresh(struct upstream *u, int64_t now_s)
{
	struct document d;
	struct timespec end;
	enum mcp_err err;

	pthread_mutex_lock(&u->lock);
	if (is_fresh(&u->document, now_s) || (u->busy && u->waiting >= WAITING_MAX))
		return MCP_OK;
	if (u->busy) {
		clock_gettime(CLOCK_MONOTONIC, &end);
		end.tv_sec += METADATA_MS / 1000 + 1;
		u->waiting++;
		while (u->busy && pthread_cond_timedwait(&u->done, &u->lock, &end) == 0)
			continue;
		u->waiting--;
		return MCP_OK;
	}
	u->busy = true;
	pthread_mutex_unlock(&u->lock);
	err = ask(u, &d);
	pthread_mutex_lock(&u->lock);
	if (!err) {
		document_clear(&u->document);
		u->document = d;
		u->document.at_s = now_s;
	}
	u->busy = false;
	pthread_cond_broadcast(&u->done);
	return err;
}

/* ---- answers ----------------------------------------------------------------------------------------------------- */

static void
answer_init(struct upstream_answer *a, size_t max)
{
	memset(a, 0, sizeof(*a));
	a->retry_after_s = -1;
	buf_init(&a->body, max);
}

void
upstream_answer_clear(struct upstream_answer *a)
{
	if (!a)
		return;
	free(a->content_type);
	a->content_type = NULL;
	buf_clear_secret(&a->body);	/* a registration may have secrets in it */
}

/* An answer of our own. */
static enum mcp_err
own_answer(struct upstream_answer *a, int status, const char *body, const char *fault)
{
	a->status = status;
	buf_reset(&a->body);
	buf_puts(&a->body, body);
	if (fault != a->fault)
		snprintf(a->fault, sizeof(a->fault), "%s", fault);
	if (status == 503 && a->retry_after_s < 0)
		a->retry_after_s = KEEP_FAILURE_S;
	if (a->retry_after_s > RETRY_AFTER_MAX_S)
		a->retry_after_s = RETRY_AFTER_MAX_S;
	return buf_status(&a->body) ? MCP_ENOMEM : MCP_OK;
}

enum mcp_err
upstream_metadata(struct upstream *u, int64_t now_s, struct upstream_answer *a)
{
	const struct document *d = &u->document;
	enum mcp_err err;

	answer_init(a, UPSTREAM_METADATA_MAX + 1);
	err = lock_fresh(u, now_s);
	if (err) {
		pthread_mutex_unlock(&u->lock);
		return err;
	}
	if (!is_fresh(d, now_s)) {
		a->retry_after_s = 1;
		err = own_answer(a, 503, no_metadata, "");
	} else if (d->status == 200) {
		a->status = 200;
		buf_put(&a->body, d->text, d->len);
		if (d->content_type)
			a->content_type = text_dup(d->content_type, strlen(d->content_type));
		if (buf_status(&a->body) || (d->content_type && !a->content_type))
			err = MCP_ENOMEM;
	} else {
		a->retry_after_s = d->status == 503 ? d->retry_after_s : -1;
		err = own_answer(a, d->status, d->status == 503 ? no_metadata : bad_metadata, d->fault);
	}
	pthread_mutex_unlock(&u->lock);
	return err;
}

/*
 * Where to register. Returns MCP_OK with *url owned by the caller and *learnt; MCP_EREMOTE with an answer in "a" when
 * there is no place; MCP_ENOMEM.
 */
static enum mcp_err
registration_target(struct upstream *u, int64_t now_s, char **url, bool *learnt, struct upstream_answer *a)
{
	const struct document *d = &u->document;
	enum mcp_err err = lock_fresh(u, now_s);
	bool fresh = !err && is_fresh(d, now_s);
	const char *from = fresh && d->endpoint ? d->endpoint : u->registration;

	*url = NULL;
	*learnt = from != u->registration;
	if (err)
		goto out;
	err = MCP_EREMOTE;
	if (from) {
		*url = text_dup(from, strlen(from));
		err = *url ? MCP_OK : MCP_ENOMEM;
	} else if (!fresh || d->status == 503) {
		a->retry_after_s = fresh ? d->retry_after_s : 1;
		if (own_answer(a, 503, unreachable, fresh ? d->fault : ""))
			err = MCP_ENOMEM;
	} else if (d->status != 200 || d->bad_endpoint) {
		const char *fault = d->bad_endpoint ? "registration_endpoint is no URL that may be used" : d->fault;

		if (own_answer(a, 502, rubbish, fault))
			err = MCP_ENOMEM;
	} else if (own_answer(a, 404, no_registration, "the metadata has no registration_endpoint")) {
		err = MCP_ENOMEM;
	}
out:
	pthread_mutex_unlock(&u->lock);
	return err;
}

/* Pass an answer on if it is fit for that. */
static enum mcp_err
relay(struct fetch_response *res, struct upstream_answer *a)
{
	bool sane = (res->status >= 200 && res->status < 300) || (res->status >= 400 && res->status < 600);

	a->retry_after_s = res->retry_after_s;
	if (!sane || (res->body.len > 0 && !fetch_response_is_json(res))) {
		snprintf(a->fault, sizeof(a->fault), "status %d, %.50s", res->status,
		    res->content_type ? res->content_type : "no content type");
		if (sane && res->status >= 500)
			return own_answer(a, 503, unreachable, a->fault);
		return own_answer(a, 502, rubbish, a->fault);
	}
	a->status = res->status;
	a->content_type = res->content_type;
	res->content_type = NULL;
	buf_put(&a->body, res->body.data, res->body.len);
	return buf_status(&a->body) ? MCP_ENOMEM : MCP_OK;
}

static enum mcp_err
pass_on(const struct upstream *u, const char *url, bool learnt, const char *body, size_t len, struct upstream_answer *a)
{
	static const char *const headers[] = { "Content-Type: application/json", "Accept: application/json", NULL };
	struct fetch_request req = {
		.method = "POST", .url = url, .learnt = learnt, .origin_host = u->host, .headers = headers,
		.body = body, .body_len = len, .connect_timeout_ms = CONNECT_MS, .total_timeout_ms = REGISTER_MS,
		.max_bytes = UPSTREAM_REGISTRATION_MAX,
	};
	struct fetch_response res;
	enum mcp_err err = fetch(u->fetch, &req, &res);

	if (err == MCP_OK)
		err = relay(&res, a);
	else if (is_unreachable(err))
		err = own_answer(a, 503, unreachable, res.fault);
	else if (err != MCP_ENOMEM)
		err = own_answer(a, 502, rubbish, res.fault);
	fetch_response_clear(&res);
	return err;
}

enum mcp_err
upstream_register(struct upstream *u, const char *body, size_t len, int64_t now_s, struct upstream_answer *a)
{
	struct json_object *json = NULL;
	char *url = NULL;
	bool learnt;
	enum mcp_err err;

	answer_init(a, UPSTREAM_REGISTRATION_MAX + 1);
	if (len > UPSTREAM_REGISTRATION_MAX)
		return own_answer(a, 413, too_large, "the body is too large");
	err = json_parse(body, len, &registration_bounds, &json, NULL);
	if (err == MCP_ENOMEM)
		return err;
	if (err || json_kind(json) != JSON_OBJECT) {
		err = own_answer(a, 400, bad_request, "the body is no JSON object");
		goto out;
	}
	err = registration_target(u, now_s, &url, &learnt, a);
	if (!err)
		err = pass_on(u, url, learnt, body, len, a);
	else if (err == MCP_EREMOTE)
		err = MCP_OK;		/* the answer says why */
out:
	free(url);
	json_free(json);
	return err;
}
