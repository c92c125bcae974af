/* SPDX-License-Identifier: MIT */
#include "tools/tools.h"

#include "base/buf.h"
#include "base/json.h"

static enum mcp_err
greet_user(struct tool_call *call)
{
	const char *name;
	enum mcp_err err = json_get_string(call->arguments, "name", &name, NULL);

	if (err)
		return MCP_EINTERNAL;
	return tool_textf(call, "Hi %s, welcome to Scalekit!", name);
}

void
tool_greet_user(struct tool *out)
{
	*out = (struct tool) {
		.name = "greet_user",
		.title = "Greet user",
		.description = "Greets the user with a personalized message.",
		.input_schema =
		    "{\"type\":\"object\","
		    "\"properties\":{\"name\":{\"type\":\"string\",\"description\":\"Whom to greet.\","
		    "\"maxLength\":1000}},"
		    "\"required\":[\"name\"],\"additionalProperties\":false}",
		.annotations = "{\"readOnlyHint\":true,\"openWorldHint\":false}",
		.call = greet_user
	};
}
