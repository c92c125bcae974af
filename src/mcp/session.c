/* SPDX-License-Identifier: MIT */
/* Answers for sessions: what is in an id, and whether one that comes back is good. */
#include "mcp/session.h"

#include <string.h>

#include "base/json.h"
#include "base/log.h"
#include "mcp/era.h"
#include "mcp/notify.h"
#include "mcp/rpc.h"
#include "oauth/principal_digest.h"
#include "store/bus.h"
#include "store/secrets.h"

#define PURPOSE "session"
#define PARTS 3
#define PLAIN_MAX 512		/* bytes of what is sealed */

static void
bind_to_principal(const struct principal *who, struct seal_part parts[PARTS])
{
	const char *text[PARTS] = { who ? who->issuer : NULL, who ? who->subject : NULL, who ? who->client_id : NULL };

	for (int i = 0; i < PARTS; i++)
		parts[i] = (struct seal_part){ text[i] ? text[i] : "", text[i] ? strlen(text[i]) : 0 };
}

/* Append "NAME":{...} with those of the parts that the capability has; nothing when it is not there. */
static void
render_capability(const struct json_object *all, const char *name, const char *const *parts, struct buf *out)
{
	struct json_object *one, *part;
	const char *comma = "";

	if (json_get_object(all, name, &one) != MCP_OK)
		return;
	buf_printf(out, "%s\"%s\":{", out->data[out->len - 1] == '{' ? "" : ",", name);
	for (; *parts; parts++)
		if (json_get_object(one, *parts, &part) == MCP_OK) {
			buf_printf(out, "%s\"%s\":{}", comma, *parts);
			comma = ",";
		}
	buf_putc(out, '}');
}

/* What is sealed: only what the server will ask by, so that the id stays short whatever a client says of itself. */
static void
render_plain(const struct rpc *x, const struct json_object *capabilities, struct buf *out)
{
	static const char *const modes[] = { "form", "url", NULL }, *const parts[] = { "tools", "context", NULL },
	    *const none[] = { NULL };

	buf_printf(out, "{\"version\":\"%s\",\"ends\":%lld,\"capabilities\":{", x->version,
	    (long long)(x->message->now_s + SECRETS_AGE_S));
	render_capability(capabilities, "elicitation", modes, out);
	render_capability(capabilities, "sampling", parts, out);
	render_capability(capabilities, "roots", none, out);
	buf_puts(out, "}}");
}

void
session_begin(struct rpc *x, const struct json_object *capabilities)
{
	struct seal_part parts[PARTS];
	struct buf plain, id;
	enum mcp_err err;

	if (!x->service->secrets)
		return;
	buf_init(&plain, PLAIN_MAX);
	buf_init(&id, sizeof x->reply->session_id - 1);
	render_plain(x, capabilities, &plain);
	bind_to_principal(x->message->principal, parts);
	err = buf_status(&plain);
	if (!err)
		err = secrets_seal(x->service->secrets, x->message->now_s, PURPOSE, parts, PARTS, plain.data, plain.len,
		    &id);
	if (!err)
		memcpy(x->reply->session_id, id.data, id.len + 1);
	else
		log_warning("request %s: no session can be begun: %s", x->message->request_id, mcp_strerror(err));
	buf_clear(&plain);
	buf_clear(&id);
}

/* Read what was sealed. MCP_OK; MCP_EINVAL: it is over, or nothing of ours; MCP_ENOMEM. */
static enum mcp_err
read_plain(const struct buf *plain, int64_t now_s, struct session *s)
{
	static const struct json_bounds bounds = { PLAIN_MAX, 8, 64 };
	struct json_object *root = NULL, *capabilities;
	const char *version;
	size_t len;

	if (json_parse(plain->data, plain->len, &bounds, &root, NULL) == MCP_ENOMEM)
		return MCP_ENOMEM;
	if (root && json_get_string(root, "version", &version, &len) == MCP_OK &&
	    json_get_int(root, "ends", &s->ends_s) == MCP_OK && s->ends_s > now_s &&
	    json_get_object(root, "capabilities", &capabilities) == MCP_OK) {
		s->version = era_version(&era_legacy, version, len);
		s->capabilities = json_ref(capabilities);
	}
	json_free(root);
	return s->version ? MCP_OK : MCP_EINVAL;
}

/*
 * Whether the id is good as such: MCP_OK, or MCP_EINVAL; anything else: that cannot be found out now, which is no
 * reason to have the client drop its session.
 */
static enum mcp_err
unseal(const struct mcp_service *service, const struct mcp_message *m, struct session *s)
{
	struct seal_part parts[PARTS];
	size_t len = strlen(m->session_id);
	struct buf plain;
	enum mcp_err err;

	if (!service->secrets)
		return MCP_EINVAL;
	buf_init(&plain, PLAIN_MAX);
	bind_to_principal(m->principal, parts);
	err = secrets_open(service->secrets, m->now_s, PURPOSE, parts, PARTS, m->session_id, len, &plain);
	if (!err)
		err = read_plain(&plain, m->now_s, s);
	if (!err)
		err = digest_sha256(m->session_id, len, s->key);
	if (!err)
		err = principal_digest(m->principal, s->principal);
	buf_clear(&plain);
	if (err && err != MCP_EINVAL)
		log_warning("request %s: its session cannot be read: %s", m->request_id, mcp_strerror(err));
	return err;
}

/* While the bus cannot be asked a session is taken as not ended: it lets nobody in, the token does. */
static bool
is_ended(const struct mcp_service *service, const struct mcp_message *m, const struct session *s)
{
	return service->bus && bus_note_get(service->bus, s->key, SESSION_ENDED, m->now_s, NULL) == MCP_OK;
}

int
session_open(struct rpc *x)
{
	struct session *s = &x->session;
	enum mcp_err err;

	if (!x->message->session_id)
		return 0;
	err = unseal(x->service, x->message, s);
	if (err && err != MCP_EINVAL)
		return rpc_error_as(x, 503, JSONRPC_INTERNAL_ERROR, "Internal error: the session cannot be read", NULL);
	if (err || is_ended(x->service, x->message, s))
		return rpc_error_as(x, 404, JSONRPC_SESSION_NOT_FOUND, "Session not found", NULL);
	s->open = true;
	x->capabilities = s->capabilities;
	if (!x->message->protocol_version)
		x->version = s->version;
	return 0;
}

void
session_clear(struct session *s)
{
	json_free(s->capabilities);
	s->capabilities = NULL;
}

int
session_end(const struct mcp_service *service, const struct mcp_message *message)
{
	struct session s = { .open = false };
	int status = 204;
	enum mcp_err err;

	if (message->protocol_version && !era_speaks(message->protocol_version))
		return 400;
	err = unseal(service, message, &s);
	if (err && err != MCP_EINVAL)
		status = 503;
	else if (err || is_ended(service, message, &s))
		status = 404;
	else if (!service->bus || bus_note_last(service->bus, s.key, s.principal, SESSION_ENDED, message->now_s,
	    s.ends_s))
		status = 503;
	session_clear(&s);
	return status;
}

/* Nothing to keep it with. */
static int
no_session(struct rpc *x)
{
	return rpc_error(x, JSONRPC_INVALID_PARAMS, "%s needs a session: send Mcp-Session-Id", x->reply->method);
}

static int
not_kept(struct rpc *x, enum mcp_err err)
{
	if (err == MCP_ELIMIT)
		return rpc_error(x, JSONRPC_INVALID_PARAMS, "%s: that is too much for one session", x->reply->method);
	return rpc_error(x, JSONRPC_INTERNAL_ERROR, "Internal error: it cannot be kept");
}

static int
empty_result(struct rpc *x)
{
	rpc_result_begin(x);
	return rpc_result_end(x);
}

int
session_set_level(struct rpc *x)
{
	const char *name;
	size_t len;
	enum mcp_err err;

	if (json_get_string(x->in.params, "level", &name, &len) != MCP_OK || notify_level(name, len) < 0)
		return rpc_error(x, JSONRPC_INVALID_PARAMS, "Invalid params: \"level\" is no log level");
	if (!x->session.open || !x->service->bus)
		return no_session(x);
	err = bus_note_set(x->service->bus, x->session.key, x->session.principal, SESSION_LEVEL, name,
	    x->message->now_s, x->session.ends_s);
	return err ? not_kept(x, err) : empty_result(x);
}

enum mcp_err
session_box(const struct rpc *x, const char *kind, const char *id, unsigned char box[DIGEST_SHA256_LEN])
{
	struct buf text;
	enum mcp_err err;

	buf_init(&text, 1024);
	buf_put(&text, x->session.key, sizeof x->session.key);
	buf_printf(&text, "%s %s", kind, id);
	err = buf_status(&text);
	if (!err)
		err = digest_sha256(text.data, text.len, box);
	buf_clear(&text);
	return err;
}

void
session_apply_level(struct rpc *x)
{
	struct buf name;

	if (!x->session.open || !x->service->bus)
		return;
	buf_init(&name, 32);
	if (bus_note_get(x->service->bus, x->session.key, SESSION_LEVEL, x->message->now_s, &name) == MCP_OK)
		x->notify.log_from = 1 + notify_level(name.data, name.len);
	buf_clear(&name);
}

int
session_subscribe(struct rpc *x, const char *uri, bool wanted)
{
	struct buf name;
	enum mcp_err err;

	if (!x->session.open || !x->service->bus)
		return no_session(x);
	buf_init(&name, BUS_NOTE_NAME_MAX);
	buf_printf(&name, SESSION_SUBSCRIPTION "%s", uri);
	err = buf_status(&name);
	if (!err && wanted)
		err = bus_note_set(x->service->bus, x->session.key, x->session.principal, name.data, "",
		    x->message->now_s, x->session.ends_s);
	else if (!err)
		err = bus_note_delete(x->service->bus, x->session.key, name.data);
	buf_clear(&name);
	return err ? not_kept(x, err) : empty_result(x);
}
