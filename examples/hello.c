/* SPDX-License-Identifier: MIT */
/*
 * A module for mcp-fcgi: a tool, a prompt, a resource and a resource template. Build and use it:
 *
 *   cc -shared -fPIC -I /usr/local/include/mcp-fcgi -o hello.so hello.c
 *   echo 'TOOL_MODULES=/usr/local/lib/mcp-fcgi/hello.so' >>mcp-fcgi.conf
 *
 * A section in the configuration file tells it how to greet:
 *
 *   [module hello]
 *   GREETING=Good evening
 */
#include <stdlib.h>
#include <string.h>

#include <base/json.h>
#include <mcp/module.h>

static const char *const languages[] = { "de", "en", "es", "fr", "it", "ja", "pt" };

/* What one configuration has; the rows point to it. */
struct hello {
	char *greeting;
	struct tool tool;
};

/* Greets, and tells how far it is to a client that wants to know. */
static enum mcp_err
hello(struct tool_call *call)
{
	const struct hello *h = call->context;
	struct json_object *result = json_new_object();
	const char *name;
	enum mcp_err err;

	if (json_get_string(call->arguments, "name", &name, NULL) != MCP_OK)
		name = "world";
	err = json_set_new(result, "greeting", json_new_string(h->greeting, strlen(h->greeting)));
	if (!err)
		err = json_set_new(result, "name", json_new_string(name, strlen(name)));
	if (!err)
		err = tool_progress(call, 1, 1, "greeted");
	if (err) {
		json_free(result);
		return err;
	}
	return tool_structured(call, result);
}

/* Two messages for a model; the language was completed by the function below. */
static enum mcp_err
introduce(struct tool_call *call)
{
	const char *language = "en";
	enum mcp_err err;

	if (json_get_string(call->arguments, "language", &language, NULL) != MCP_OK)
		language = "en";
	err = tool_textf(call, "Introduce yourself in the language \"%s\".", language);
	tool_role(call, TOOL_ASSISTANT);
	return err ? err : tool_textf(call, "Hello, I am");
}

static enum mcp_err
complete_language(struct tool_call *call, const char *value)
{
	enum mcp_err err = MCP_OK;

	for (size_t i = 0; i < sizeof languages / sizeof languages[0] && !err; i++)
		if (strncmp(languages[i], value, strlen(value)) == 0)
			err = completion_add(call, languages[i]);
	return err;
}

static enum mcp_err
read_about(struct tool_call *call)
{
	static const char text[] = "An example of a module.\n";

	return resource_text(call, NULL, "text/plain", text, sizeof text - 1);
}

/* One resource for each language that there is. */
static enum mcp_err
read_language(struct tool_call *call)
{
	const char *language;

	if (json_get_string(call->arguments, "language", &language, NULL) != MCP_OK)
		return MCP_EINTERNAL;
	for (size_t i = 0; i < sizeof languages / sizeof languages[0]; i++)
		if (strcmp(languages[i], language) == 0)
			return resource_text(call, NULL, "text/plain", language, strlen(language));
	return MCP_ENOENT;
}

static const struct prompt_argument introduce_arguments[] = {
	{ .name = "language", .description = "In which language, as ISO 639 has it.", .complete = complete_language },
	{ .name = NULL }
};
static const struct prompt introduce_prompt = {
	.name = "introduce", .title = "Introduce yourself", .description = "Asks for an introduction.",
	.arguments = introduce_arguments, .scopes = "", .get = introduce
};
static const struct resource about_resource = {
	.uri = "hello://about", .name = "about", .title = "About this module", .mime_type = "text/plain",
	.scopes = "", .ttl_s = 3600, .read = read_about
};
static const struct template_variable language_variables[] = { { "language", complete_language }, { NULL, NULL } };
static const struct resource_template language_template = {
	.uri_template = "hello://languages/{language}", .name = "languages", .mime_type = "text/plain",
	.variables = language_variables, .scopes = "", .read = read_language
};

static enum mcp_err
load(struct module *m, void **context)
{
	const char *greeting = module_setting(m, "GREETING");
	struct hello *h = calloc(1, sizeof *h);
	enum mcp_err err;

	*context = h;
	if (!h || !(h->greeting = strdup(greeting ? greeting : "Hello")))
		return MCP_ENOMEM;
	h->tool = (struct tool) {
		.name = "hello", .title = "Hello", .description = "Greets somebody.",
		.input_schema = "{\"type\":\"object\",\"properties\":{\"name\":{\"type\":\"string\","
		    "\"maxLength\":100}}}",
		.output_schema = "{\"type\":\"object\",\"properties\":{\"greeting\":{\"type\":\"string\"},"
		    "\"name\":{\"type\":\"string\"}},\"required\":[\"greeting\",\"name\"]}",
		.annotations = "{\"readOnlyHint\":true}", .scopes = "usr:read", .call = hello, .context = h
	};
	err = module_add_tool(m, &h->tool);
	if (!err)
		err = module_add_prompt(m, &introduce_prompt);
	if (!err)
		err = module_add_resource(m, &about_resource);
	return err ? err : module_add_template(m, &language_template);
}

static void
unload(void *context)
{
	struct hello *h = context;

	if (h)
		free(h->greeting);
	free(h);
}

const struct mcp_module mcp_fcgi_module = {
	.api = MCP_MODULE_API, .name = "hello", .version = "1.0", .load = load, .unload = unload
};
