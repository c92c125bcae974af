/* SPDX-License-Identifier: MIT */
/* Answers for telling all processes that something has changed. Who listens hears it from there. */
#include "base/log.h"
#include "mcp/rpc.h"
#include "mcp/tool.h"
#include "store/bus.h"

static void
publish(struct tool_call *call, enum bus_kind kind, const char *uri)
{
	struct bus *bus = call->rpc ? call->rpc->service->bus : NULL;
	enum mcp_err err = bus ? bus_publish(bus, call->now_s, kind, uri) : MCP_OK;

	if (err)
		log_warning("request %s: a change was not told to who listens: %s", call->request_id,
		    mcp_strerror(err));
}

void
tool_list_changed(struct tool_call *call, enum tool_list list)
{
	switch (list) {
	case TOOL_LIST_TOOLS: publish(call, BUS_TOOLS_CHANGED, NULL); break;
	case TOOL_LIST_PROMPTS: publish(call, BUS_PROMPTS_CHANGED, NULL); break;
	case TOOL_LIST_RESOURCES: publish(call, BUS_RESOURCES_CHANGED, NULL); break;
	}
}

void
tool_resource_updated(struct tool_call *call, const char *uri)
{
	publish(call, BUS_RESOURCE_UPDATED, uri);
}
