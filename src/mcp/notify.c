/* SPDX-License-Identifier: MIT */
#include "mcp/notify.h"

#include <string.h>

#include "base/json.h"
#include "mcp/era.h"
#include "mcp/rpc.h"

/* By enum tool_log_level. */
static const char *const levels[] = { "debug", "info", "notice", "warning", "error", "critical", "alert", "emergency" };

const char *
notify_level_name(int level)
{
	return levels[level];
}

int
notify_level(const char *name, size_t len)
{
	for (size_t i = 0; i < sizeof(levels) / sizeof(levels[0]); i++)
		if (strlen(levels[i]) == len && memcmp(levels[i], name, len) == 0)
			return (int)i;
	return -1;
}

int
notify_begin(struct rpc *x)
{
	struct json_object *meta, *token;
	const char *name;
	int level;
	size_t len;

	if (json_get_object(x->in.params, "_meta", &meta) != MCP_OK)
		return 0;
	if (json_get(meta, "progressToken", &token) == MCP_OK) {
		if (json_kind(token) != JSON_STRING && json_kind(token) != JSON_INT)
			return rpc_error(x, JSONRPC_INVALID_PARAMS,
			    "Invalid params: \"progressToken\" must be a string or an integer");
		x->notify.token = token;
	}
	if (!x->era->logs_by_request)
		return 0;
	switch (json_get_string(meta, META_LOG_LEVEL, &name, &len)) {
	case MCP_OK:
		level = notify_level(name, len);
		break;
	case MCP_ENOENT:
		return 0;
	default:
		level = -1;
	}
	if (level < 0)
		return rpc_error(x, JSONRPC_INVALID_PARAMS, "Invalid params: \"" META_LOG_LEVEL "\" is no log level");
	x->notify.log_from = 1 + level;
	return 0;
}

bool
notify_allows(struct notify *n, int64_t now_ms)
{
	if (n->counted_ms == 0)
		n->allowance = NOTIFY_BURST;
	else
		n->allowance += (double)(now_ms - n->counted_ms) * NOTIFY_RATE / 1000;
	if (n->allowance > NOTIFY_BURST)
		n->allowance = NOTIFY_BURST;
	n->counted_ms = now_ms;
	if (n->allowance < 1)
		return false;
	n->allowance -= 1;
	return true;
}
