/* SPDX-License-Identifier: MIT */
#include "mcp/notify.h"

#include <string.h>

#include "base/json.h"
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

	if (json_get_object(x->in.params, "_meta", &meta) != MCP_OK ||
	    json_get(meta, "progressToken", &token) != MCP_OK)
		return 0;
	if (json_kind(token) != JSON_STRING && json_kind(token) != JSON_INT)
		return rpc_error(x, JSONRPC_INVALID_PARAMS,
		    "Invalid params: \"progressToken\" must be a string or an integer");
	x->notify.token = token;
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
