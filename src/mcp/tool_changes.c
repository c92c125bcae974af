/* SPDX-License-Identifier: MIT */
/* Answers for telling clients that a list or a resource has changed. */
#include "mcp/tool.h"

void
tool_list_changed(struct tool_call *call, enum tool_list list)
{
	(void)call;
	(void)list;
}

void
tool_resource_updated(struct tool_call *call, const char *uri)
{
	(void)call;
	(void)uri;
}
