/* SPDX-License-Identifier: MIT */
#include "mcp/era.h"

#include <string.h>

#include "base/json.h"

#define REQUESTED_MAX 64	/* bytes of a client's version that are echoed; ours have ten */

static const struct era *const eras[] = { &era_modern, &era_legacy };

#define ERAS (sizeof(eras) / sizeof(eras[0]))

/* What a request without MCP-Protocol-Version speaks: the last revision before the header was defined. */
#define VERSION_WITHOUT_HEADER "2025-03-26"

const char *
era_version(const struct era *era, const char *version, size_t len)
{
	const char *const *v;

	for (v = era->versions; *v; v++)
		if (strlen(*v) == len && memcmp(*v, version, len) == 0)
			return *v;
	return NULL;
}

const struct method *
era_method(const struct method *table, const char *name, size_t len)
{
	const struct method *m;

	for (m = table; m->name; m++)
		if (strlen(m->name) == len && memcmp(m->name, name, len) == 0)
			return m;
	return NULL;
}

/* Whether params._meta claims a version at all, and which: *claimed stays NULL for one that is no string. */
static bool
claims_version(const struct rpc *x, const char **claimed, size_t *len)
{
	struct json_object *meta, *value;

	*claimed = NULL;
	*len = 0;
	if (json_get(x->in.params, "_meta", &meta) != MCP_OK || json_get(meta, META_PROTOCOL_VERSION, &value) != MCP_OK)
		return false;
	if (json_as_string(value, claimed, len) != MCP_OK)
		*claimed = NULL;
	return true;
}

static int
choose_by_claim(struct rpc *x, const char *claimed, size_t len)
{
	const char *header = x->message->protocol_version;
	const char *legacy = claimed ? era_version(&era_legacy, claimed, len) : NULL;

	if (legacy && (!header || strcmp(header, legacy) == 0)) {
		x->era = &era_legacy;
		x->version = legacy;
		return 0;
	}
	x->era = &era_modern;
	/* A request is told when it is checked, after the rest of its _meta; nothing else of a notification is. */
	if (x->in.kind == JSONRPC_NOTIFICATION && claimed && !legacy && !era_version(&era_modern, claimed, len))
		return era_refuse_version(x, claimed, len);
	return 0;
}

bool
era_speaks(const char *version)
{
	bool speaks = false;

	for (size_t i = 0; i < ERAS && !speaks; i++)
		speaks = era_version(eras[i], version, strlen(version)) != NULL;
	return speaks;
}

int
era_choose(struct rpc *x)
{
	const char *header = x->message->protocol_version;
	const char *claimed;
	size_t len, i;

	if (claims_version(x, &claimed, &len))
		return choose_by_claim(x, claimed, len);
	if (!header)
		header = VERSION_WITHOUT_HEADER;
	for (i = 0; i < ERAS && !x->era; i++) {
		x->version = era_version(eras[i], header, strlen(header));
		if (x->version)
			x->era = eras[i];
	}
	if (!x->era)
		return era_refuse_version(x, header, strlen(header));
	return 0;
}

/* Cut at REQUESTED_MAX bytes, between code points. */
static size_t
bounded(const char *text, size_t len)
{
	if (len <= REQUESTED_MAX)
		return len;
	len = REQUESTED_MAX;
	while (len > 0 && ((unsigned char)text[len] & 0xc0) == 0x80)
		len--;
	return len;
}

int
era_refuse_version(struct rpc *x, const char *requested, size_t len)
{
	struct buf *out = &x->reply->body;

	buf_reset(out);
	x->reply->status = 400;
	x->reply->error_code = JSONRPC_UNSUPPORTED_VERSION;
	jsonrpc_render_head(x->in.id, out);
	buf_printf(out, "\"error\":{\"code\":%d,\"message\":\"Unsupported protocol version\",\"data\":{\"supported\":[",
	    JSONRPC_UNSUPPORTED_VERSION);
	era_render_versions(out);
	buf_puts(out, "],\"requested\":");
	json_render_string(requested, bounded(requested, len), out);
	buf_puts(out, "}}}");
	return -1;
}

void
era_render_versions(struct buf *out)
{
	const char *comma = "";
	const char *const *v;
	size_t i;

	for (i = 0; i < ERAS; i++)
		for (v = eras[i]->versions; *v; v++) {
			buf_printf(out, "%s\"%s\"", comma, *v);
			comma = ",";
		}
}
