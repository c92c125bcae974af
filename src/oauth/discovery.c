/* SPDX-License-Identifier: MIT */
/*
 * An authorization server's metadata: where it may be, what of it is believed, and how long it is kept.
 *
 * Strangers can make us ask for it, so there is one place to ask, answers are bounded, failures are remembered for a
 * moment, and few threads wait.
 */
#include "oauth/discovery.h"

#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "base/clock.h"
#include "base/json.h"
#include "base/text.h"
#include "net/fetch.h"
#include "net/target.h"

#define KEEP_S 300		/* a good document */
#define KEEP_FAILURE_S 10
#define CONNECT_MS 2000
#define TOTAL_MS 5000		/* all forms together */
#define WAITING_MAX 3

/* A document with its count of references. */
struct counted {
	struct discovery_document document;	/* first, so that a pointer to it is one to this */
	atomic_uint references;
};

struct discovery {
	char *issuer;
	char *host;		/* of the issuer; empty when that is no URL that may be fetched */
	const struct fetch_policy *fetch;

	pthread_mutex_t lock;	/* of what follows; not held while the network is asked */
	pthread_cond_t done;
	struct counted *current;	/* NULL: never asked */
	bool busy;
	unsigned waiting;
};

static const struct json_bounds bounds = { DISCOVERY_BYTES_MAX, 16, 20000 };

static const char *const members[DISCOVERY_URLS] = {
	[DISCOVERY_JWKS] = "jwks_uri",
	[DISCOVERY_REGISTRATION] = "registration_endpoint",
	[DISCOVERY_INTROSPECTION] = "introspection_endpoint",
};

enum mcp_err
discovery_new(const char *issuer, const struct fetch_policy *fetch, struct discovery **out)
{
	struct discovery *d = calloc(1, sizeof(*d));
	pthread_condattr_t attributes;

	*out = NULL;
	if (!d)
		return MCP_ENOMEM;
	d->fetch = fetch;
	d->issuer = text_dup(issuer, strlen(issuer));
	d->host = fetch_url_allowed(issuer) ? fetch_url_host(issuer) : text_dup("", 0);
	pthread_mutex_init(&d->lock, NULL);
	pthread_condattr_init(&attributes);
	pthread_condattr_setclock(&attributes, CLOCK_MONOTONIC);
	pthread_cond_init(&d->done, &attributes);
	pthread_condattr_destroy(&attributes);
	if (!d->issuer || !d->host) {
		discovery_free(d);
		return MCP_ENOMEM;
	}
	*out = d;
	return MCP_OK;
}

void
discovery_free(struct discovery *d)
{
	if (!d)
		return;
	if (d->current)
		discovery_release(&d->current->document);
	pthread_cond_destroy(&d->done);
	pthread_mutex_destroy(&d->lock);
	free(d->issuer);
	free(d->host);
	free(d);
}

const char *
discovery_issuer(const struct discovery *d)
{
	return d->issuer;
}

const char *
discovery_host(const struct discovery *d)
{
	return d->host;
}

/* Free what a document owns; all zero afterwards. */
static void
document_clear(struct discovery_document *d)
{
	free(d->text);
	free(d->content_type);
	for (size_t i = 0; i < DISCOVERY_URLS; i++)
		free(d->url[i]);
	memset(d, 0, sizeof(*d));
}

void
discovery_release(const struct discovery_document *document)
{
	struct counted *c = (struct counted *)(uintptr_t)document;

	if (!c || atomic_fetch_sub_explicit(&c->references, 1, memory_order_acq_rel) != 1)
		return;
	document_clear(&c->document);
	free(c);
}

/* ---- asking ------------------------------------------------------------------------------------------------------ */

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

/* Whether a URL that the document names may be used. Source: docs/decisions.md, "Keys and our own requests". */
static bool
url_is_good(const struct discovery *self, const char *url)
{
	struct target ours, t;

	if (!fetch_url_allowed(url) || !target_parse(url, &t) || !target_parse(self->issuer, &ours))
		return false;
	return (t.https || !ours.https) &&
	    (!t.literal || strcmp(t.host, ours.host) == 0 || strlist_has(&self->fetch->allow, t.host));
}

/* Take the URLs that we use out of the document. */
static enum mcp_err
take_urls(const struct discovery *self, const struct json_object *json, struct discovery_document *d)
{
	for (size_t i = 0; i < DISCOVERY_URLS; i++) {
		const char *url;

		if (json_get_string(json, members[i], &url, NULL))
			continue;
		d->is_bad[i] = !url_is_good(self, url);
		if (d->is_bad[i])
			continue;
		d->url[i] = text_dup(url, strlen(url));
		if (!d->url[i])
			return MCP_ENOMEM;
	}
	return MCP_OK;
}

/* Judge a document that came with 200. Fills "d" if it is good. MCP_OK, MCP_ENOMEM, MCP_EREMOTE with d->fault. */
static enum mcp_err
read_document(const struct discovery *self, struct fetch_response *res, struct discovery_document *d)
{
	struct json_object *json = NULL;
	const char *issuer;
	enum mcp_err err;

	if (res->content_type && !fetch_response_is_json(res)) {
		snprintf(d->fault, sizeof(d->fault), "the metadata is %.60s and not JSON", res->content_type);
		return MCP_EREMOTE;
	}
	err = json_parse(res->body.data, res->body.len, &bounds, &json, NULL);
	if (err == MCP_ENOMEM)
		return err;
	if (err || json_get_string(json, "issuer", &issuer, NULL)) {
		snprintf(d->fault, sizeof(d->fault), "the metadata is no JSON object with an issuer");
		err = MCP_EREMOTE;
	} else if (strcmp(issuer, self->issuer) != 0) {
		snprintf(d->fault, sizeof(d->fault), "the metadata is of another issuer: %.50s", issuer);
		err = MCP_EREMOTE;
	} else {
		err = take_urls(self, json, d);
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
 * silence. Returns MCP_OK, MCP_ENOMEM, or MCP_ECLOSED: the process ends, which says nothing of the issuer.
 */
static enum mcp_err
ask_form(const struct discovery *self, const char *url, long left_ms, struct discovery_document *d, bool *next)
{
	static const char *const headers[] = { "Accept: application/json", NULL };
	struct fetch_request req = {
		.method = "GET", .url = url, .headers = headers, .connect_timeout_ms = CONNECT_MS,
		.total_timeout_ms = left_ms, .max_bytes = DISCOVERY_BYTES_MAX,
	};
	struct fetch_response res;
	enum mcp_err err = fetch(self->fetch, &req, &res);

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
	} else if (err && err != MCP_ENOMEM && err != MCP_ECLOSED) {
		d->status = 502;
		snprintf(d->fault, sizeof(d->fault), "%s", res.fault);
		err = MCP_OK;
	} else if (!err && res.status == 200) {
		err = read_document(self, &res, d);
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
ask(const struct discovery *self, struct discovery_document *d)
{
	int64_t end_ms = clock_monotonic_ms() + TOTAL_MS;
	enum mcp_err err = MCP_OK;
	bool next = true;

	memset(d, 0, sizeof(*d));
	if (!self->host[0]) {
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
		if (form_url(self->issuer, &forms[i], &url))
			err = buf_status(&url) ? MCP_ENOMEM : ask_form(self, url.data, (long)left_ms, d, &next);
		buf_clear(&url);
	}
	if (err)
		document_clear(d);
	return err;
}

/* ---- keeping ----------------------------------------------------------------------------------------------------- */

static bool
is_fresh(const struct counted *c, int64_t now_s)
{
	const struct discovery_document *d = c ? &c->document : NULL;
	int64_t age_s;

	if (!d)
		return false;
	age_s = now_s > d->at_s ? now_s - d->at_s : d->at_s - now_s;
	return age_s < (d->status == 200 ? KEEP_S : KEEP_FAILURE_S);
}

/* Wait for the thread that asks, for as long as that can take. Needs the lock. */
static void
wait_for_thread(struct discovery *self)
{
	struct timespec end;

	clock_gettime(CLOCK_MONOTONIC, &end);
	end.tv_sec += TOTAL_MS / 1000 + 1;
	self->waiting++;
	while (self->busy && pthread_cond_timedwait(&self->done, &self->lock, &end) == 0)
		continue;
	self->waiting--;
}

/* Ask, and keep what comes. Needs the lock, which is released meanwhile. Returns as ask_form(). */
static enum mcp_err
renew(struct discovery *self, int64_t now_s)
{
	struct counted *fresh = calloc(1, sizeof(*fresh)), *old = NULL;
	enum mcp_err err = MCP_ENOMEM;

	if (!fresh)
		return err;
	self->busy = true;
	pthread_mutex_unlock(&self->lock);
	atomic_init(&fresh->references, 1);
	err = ask(self, &fresh->document);
	fresh->document.at_s = now_s;
	pthread_mutex_lock(&self->lock);
	if (!err) {
		old = self->current;
		self->current = fresh;
		fresh = NULL;
	}
	self->busy = false;
	pthread_cond_broadcast(&self->done);
	free(fresh);		/* a failed ask() has left nothing in it */
	if (old)
		discovery_release(&old->document);
	return err;
}

enum mcp_err
discovery_get(struct discovery *d, int64_t now_s, bool patient, const struct discovery_document **out)
{
	enum mcp_err err = MCP_OK;
	bool waited = false;

	*out = NULL;
	pthread_mutex_lock(&d->lock);
	if (!is_fresh(d->current, now_s) && d->busy && (patient || d->waiting < WAITING_MAX)) {
		wait_for_thread(d);
		waited = true;
	}
	if (!is_fresh(d->current, now_s) && !d->busy && (patient || !waited))
		err = renew(d, now_s);
	if (!err && !is_fresh(d->current, now_s))
		err = MCP_ELIMIT;
	if (!err) {
		atomic_fetch_add_explicit(&d->current->references, 1, memory_order_relaxed);
		*out = &d->current->document;
	}
	pthread_mutex_unlock(&d->lock);
	return err;
}
