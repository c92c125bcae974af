/* SPDX-License-Identifier: MIT */
/*
 * The authorization server's metadata and its registration, passed on to clients that ask us for them.
 *
 * Both are open to strangers, so the target is fixed and answers are bounded. What is passed on is JSON and nothing
 * else: an error page of a proxy between would run as ours in a browser.
 */
#include "oauth/upstream.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/json.h"
#include "base/text.h"

#define RETRY_AFTER_S 10	/* as long as discovery.c remembers a failure */
#define CONNECT_MS 2000
#define REGISTER_MS 15000	/* a registration creates something over there */
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

struct upstream {
	char *registration;
	struct discovery *discovery;
	const struct fetch_policy *fetch;
};

static const struct json_bounds registration_bounds = { UPSTREAM_REGISTRATION_MAX, 16, 5000 };

enum mcp_err
upstream_new(struct discovery *discovery, const char *registration, const struct fetch_policy *fetch,
    struct upstream **out)
{
	struct upstream *u = calloc(1, sizeof(*u));

	*out = NULL;
	if (!u)
		return MCP_ENOMEM;
	u->fetch = fetch;
	u->discovery = discovery;
	u->registration = registration ? text_dup(registration, strlen(registration)) : NULL;
	if (registration && !u->registration) {
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
	free(u->registration);
	free(u);
}

/* Whether a fetch failed in a way that may pass. */
static bool
is_unreachable(enum mcp_err err)
{
	return err == MCP_ENET || err == MCP_ETIMEOUT || err == MCP_EREMOTE;
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
		a->retry_after_s = RETRY_AFTER_S;
	if (a->retry_after_s > RETRY_AFTER_MAX_S)
		a->retry_after_s = RETRY_AFTER_MAX_S;
	return buf_status(&a->body) ? MCP_ENOMEM : MCP_OK;
}

enum mcp_err
upstream_metadata(struct upstream *u, int64_t now_s, struct upstream_answer *a)
{
	const struct discovery_document *d;
	enum mcp_err err;

	answer_init(a, DISCOVERY_BYTES_MAX + 1);
	err = discovery_get(u->discovery, now_s, false, &d);
	if (err == MCP_ELIMIT || err == MCP_ECLOSED) {
		a->retry_after_s = 1;
		err = own_answer(a, 503, no_metadata, "");
	} else if (!err && d->status == 200) {
		a->status = 200;
		buf_put(&a->body, d->text, d->len);
		if (d->content_type)
			a->content_type = text_dup(d->content_type, strlen(d->content_type));
		if (buf_status(&a->body) || (d->content_type && !a->content_type))
			err = MCP_ENOMEM;
	} else if (!err) {
		a->retry_after_s = d->status == 503 ? d->retry_after_s : -1;
		err = own_answer(a, d->status, d->status == 503 ? no_metadata : bad_metadata, d->fault);
	}
	discovery_release(d);
	return err;
}

/*
 * Where to register. Returns MCP_OK with *url owned by the caller and *learnt; MCP_EREMOTE with an answer in "a" when
 * there is no place; MCP_ENOMEM.
 */
static enum mcp_err
registration_target(struct upstream *u, int64_t now_s, char **url, bool *learnt, struct upstream_answer *a)
{
	const struct discovery_document *d;
	enum mcp_err err = discovery_get(u->discovery, now_s, false, &d);
	bool fresh = !err;
	const char *named = fresh ? d->url[DISCOVERY_REGISTRATION] : NULL;
	const char *from = named ? named : u->registration;

	*url = NULL;
	*learnt = named != NULL;
	if (err == MCP_ENOMEM)
		return err;
	err = MCP_EREMOTE;
	if (from) {
		*url = text_dup(from, strlen(from));
		err = *url ? MCP_OK : MCP_ENOMEM;
	} else if (!fresh || d->status == 503) {
		a->retry_after_s = fresh ? d->retry_after_s : 1;
		if (own_answer(a, 503, unreachable, fresh ? d->fault : ""))
			err = MCP_ENOMEM;
	} else if (d->status != 200 || d->is_bad[DISCOVERY_REGISTRATION]) {
		const char *fault = d->status != 200 ? d->fault :
		    "registration_endpoint is no URL that may be used";

		if (own_answer(a, 502, rubbish, fault))
			err = MCP_ENOMEM;
	} else if (own_answer(a, 404, no_registration, "the metadata has no registration_endpoint")) {
		err = MCP_ENOMEM;
	}
	discovery_release(d);
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
		.method = "POST", .url = url, .learnt = learnt, .origin_host = discovery_host(u->discovery),
		.headers = headers, .body = body, .body_len = len, .connect_timeout_ms = CONNECT_MS,
		.total_timeout_ms = REGISTER_MS, .max_bytes = UPSTREAM_REGISTRATION_MAX,
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
