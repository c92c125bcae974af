/* SPDX-License-Identifier: MIT */
/* A module that tells of changes: a tool that says what has changed, a prompt, resources. */
#include <string.h>

#include <base/json.h>
#include <mcp/module.h>

static enum mcp_err
change(struct tool_call *call)
{
	const char *what;

	if (json_get_string(call->arguments, "what", &what, NULL) != MCP_OK)
		return MCP_EINTERNAL;
	if (strcmp(what, "tools") == 0)
		tool_list_changed(call, TOOL_LIST_TOOLS);
	else if (strcmp(what, "prompts") == 0)
		tool_list_changed(call, TOOL_LIST_PROMPTS);
	else if (strcmp(what, "resources") == 0)
		tool_list_changed(call, TOOL_LIST_RESOURCES);
	else
		tool_resource_updated(call, what);
	return tool_textf(call, "told");
}

static const struct tool tool = {
	.name = "change", .description = "Tells of a change.", .scopes = "", .call = change,
	.input_schema = "{\"type\":\"object\",\"properties\":{\"what\":{\"type\":\"string\"}},\"required\":[\"what\"]}"
};

static enum mcp_err
get(struct tool_call *call)
{
	return tool_textf(call, "Hello.");
}

static enum mcp_err
read(struct tool_call *call)
{
	return resource_text(call, NULL, "text/plain", "contents", 8);
}

static const struct prompt prompt = { .name = "hello", .scopes = "", .get = get };

static const struct resource resources[] = {
	{ .uri = "test://open", .name = "open", .scopes = "", .read = read },
	{ .uri = "test://secret", .name = "secret", .scopes = "secret:read", .read = read }
};

static const struct resource_template template = {
	.uri_template = "test://item/{id}", .name = "item", .scopes = "", .read = read
};

static enum mcp_err
load(struct module *m, void **context)
{
	enum mcp_err err = module_add_tool(m, &tool);

	(void)context;
	if (!err)
		err = module_add_prompt(m, &prompt);
	for (int i = 0; i < 2 && !err; i++)
		err = module_add_resource(m, &resources[i]);
	return err ? err : module_add_template(m, &template);
}

const struct mcp_module mcp_fcgi_module = { .api = MCP_MODULE_API, .name = "changes", .load = load };
