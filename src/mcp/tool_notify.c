/* SPDX-License-Identifier: MIT */
/* Answers for what a tool tells its client while it works, and for whether the client still wants it. */
#include "base/clock.h"
#include "base/json.h"
#include "mcp/tool.h"

enum mcp_err
tool_progress(struct tool_call *call, double progress, double total, const char *message)
{
	(void)call;
	(void)progress;
	(void)total;
	(void)message;
	return MCP_OK;
}

enum mcp_err
tool_log(struct tool_call *call, enum tool_log_level level, const char *logger, struct json_object *data)
{
	(void)call;
	(void)level;
	(void)logger;
	json_free(data);
	return MCP_OK;
}

bool
tool_cancelled(const struct tool_call *call)
{
	return call->deadline_ms && clock_monotonic_ms() >= call->deadline_ms;
}
