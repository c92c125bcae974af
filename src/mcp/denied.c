/* SPDX-License-Identifier: MIT */
/* Answers for telling a caller what it lacks, so that a client that asks for exactly that comes through next time. */
#include "mcp/denied.h"

#include <stdio.h>
#include <string.h>

#include "base/json.h"
#include "mcp/registry.h"
#include "mcp/rpc.h"
#include "oauth/challenge.h"
#include "oauth/claims.h"

#define MESSAGE_MAX (16 * 1024)		/* bytes of a sentence with all scopes of a tool in it */
#define META_MAX (64 * 1024)

/* Whether "admin" is the one scope of the entry that the caller lacks. */
static bool
lacks_only_admin(const struct registry_entry *e, const struct principal *principal)
{
	bool lacks_admin = false;

	for (size_t i = 0; i < e->scopes.n; i++) {
		if (registry_grants(e, principal, e->scopes.v[i]))
			continue;
		if (strcmp(e->scopes.v[i], "admin") != 0)
			return false;
		lacks_admin = true;
	}
	return lacks_admin;
}

/* For the log: what fits is enough. */
static void
keep(char *to, size_t size, const struct buf *b)
{
	snprintf(to, size, "%s", b->data);
}

static void
note_scopes(struct rpc *x, const struct registry_entry *e)
{
	struct mcp_reply *reply = x->reply;
	struct buf b;

	buf_init(&b, sizeof reply->seen - 1);
	if (x->message->principal)
		strlist_join(&x->message->principal->scopes, " ", &b);
	keep(reply->seen, sizeof reply->seen, &b);
	buf_reset(&b);
	strlist_join(&e->scopes, " ", &b);
	keep(reply->expected, sizeof reply->expected, &b);
	buf_clear(&b);
}

static void
note_organisation(struct rpc *x, const struct registry_entry *e)
{
	const struct principal *p = x->message->principal;
	struct mcp_reply *reply = x->reply;
	struct json_object *claim;
	struct buf b;

	buf_init(&b, sizeof reply->seen - 1);
	if (!e->organisation->claim)
		buf_puts(&b, p && p->organisation ? p->organisation : "");
	else if (p && p->claims && claims_find(p->claims, e->organisation->claim, &claim))
		json_render(claim, &b);
	keep(reply->seen, sizeof reply->seen, &b);
	buf_reset(&b);
	org_rule_describe(e->organisation, &b);
	keep(reply->expected, sizeof reply->expected, &b);
	buf_clear(&b);
}

/*
 * The member "data" of a refusal, {"requiredScopes": [...]}; NULL when memory is short: the refusal goes out without
 * it.
 */
static struct json_object *
refusal_data(const struct strlist *scopes)
{
	struct json_object *data = json_new_object(), *list = json_new_array();
	enum mcp_err err = data && list ? MCP_OK : MCP_ENOMEM;
	size_t i;

	for (i = 0; i < scopes->n && !err; i++)
		err = json_push_new(list, json_new_string(scopes->v[i], strlen(scopes->v[i])));
	if (!err) {
		err = json_set(data, "requiredScopes", list);
		list = NULL;
	}
	json_free(list);
	if (!err)
		return data;
	json_free(data);
	return NULL;
}

/* Append as a JSON array all scopes that the call needs, or only those that the caller lacks. */
static void
render_scopes(const struct rpc *x, const struct registry_entry *e, bool missing_only, struct buf *out)
{
	const struct strlist *scopes = missing_only ? &e->scopes : &x->reply->required_scopes;
	const char *comma = "";

	buf_putc(out, '[');
	for (size_t i = 0; i < scopes->n; i++) {
		if (missing_only && registry_grants(e, x->message->principal, scopes->v[i]))
			continue;
		buf_puts(out, comma);
		json_render_string(scopes->v[i], strlen(scopes->v[i]), out);
		comma = ",";
	}
	buf_putc(out, ']');
}

/* The members of _meta. The name of the first is what clients that cannot see a 403 of a tool call have agreed on. */
static void
render_meta(const struct rpc *x, const struct registry_entry *e, struct buf *out)
{
	struct buf challenge;

	buf_init(&challenge, MESSAGE_MAX);
	challenge_render(x->reply->outcome, x->service->metadata_url, &x->reply->required_scopes, &challenge);
	buf_puts(out, "\"mcp/www_authenticate\":[");
	json_render_string(challenge.data, challenge.len, out);
	buf_puts(out, "],\"requiredScopes\":");
	render_scopes(x, e, false, out);
	buf_puts(out, ",\"missingScopes\":");
	render_scopes(x, e, true, out);
	buf_clear(&challenge);
}

/* A result with isError and one block of text. */
static int
answer_result(struct rpc *x, const struct registry_entry *e, const char *text)
{
	struct buf meta, *out = &x->reply->body;
	int rc;

	buf_init(&meta, META_MAX);
	if (x->reply->outcome == OAUTH_INSUFFICIENT_SCOPE) {
		render_meta(x, e, &meta);
		x->meta = buf_status(&meta) ? NULL : meta.data;
	}
	x->reply->tool_error = true;
	rpc_result_begin(x);
	buf_puts(out, "\"content\":[{\"type\":\"text\",\"text\":");
	json_render_string(text, strlen(text), out);
	buf_puts(out, "}],\"isError\":true");
	rc = rpc_result_end(x);
	x->meta = NULL;
	buf_clear(&meta);
	return rc;
}

/* Only tools have results that can say so. */
static bool
deny_by_result(const struct rpc *x, const struct registry_entry *e)
{
	return x->service->deny_by_result && e->kind == REGISTRY_TOOL;
}

static int
deny_scopes(struct rpc *x, const struct registry_entry *e)
{
	const struct strlist *base = x->message->required_scopes;
	struct strlist *required = &x->reply->required_scopes;
	struct buf message;
	const char *text;

	if ((base && strlist_copy(required, base)) || strlist_copy(required, &e->scopes))
		strlist_clear(required);	/* a part of them would cost another round */
	note_scopes(x, e);
	buf_init(&message, MESSAGE_MAX);
	if (lacks_only_admin(e, x->message->principal))
		buf_puts(&message, "Requires admin scope");
	else {
		buf_puts(&message, "Requires scope ");
		strlist_join(&e->scopes, " ", &message);
	}
	if (deny_by_result(x, e)) {
		buf_puts(&message, ". The access token lacks:");
		for (size_t i = 0; i < e->scopes.n; i++)
			if (!registry_grants(e, x->message->principal, e->scopes.v[i]))
				buf_printf(&message, " %s", e->scopes.v[i]);
		answer_result(x, e, message.data);
	} else {
		text = buf_status(&message) ? "Requires further scopes" : message.data;
		rpc_error_as(x, 403, JSONRPC_FORBIDDEN, text, refusal_data(required));
	}
	buf_clear(&message);
	return -1;
}

static int
deny_organisation(struct rpc *x, const struct registry_entry *e)
{
	const char *text;

	note_organisation(x, e);
	text = x->reply->seen[0] ? "Requires another organisation" : "Requires an organisation";
	if (deny_by_result(x, e))
		return answer_result(x, e, text);
	return rpc_error_as(x, 403, JSONRPC_FORBIDDEN, text, NULL);
}

int
denied(struct rpc *x, const struct registry_entry *e)
{
	return x->reply->outcome == OAUTH_WRONG_ORGANISATION ? deny_organisation(x, e) : deny_scopes(x, e);
}
