/* SPDX-License-Identifier: MIT */
/* Answers for one row of an author: tool, prompt, resource or template. */
#include "mcp/registry_entry.h"

#include <stdlib.h>
#include <string.h>

#include "base/json.h"
#include "mcp/describe.h"
#include "mcp/mirror.h"
#include "mcp/registry.h"
#include "mcp/uri_template.h"
#include "schema/schema.h"

#define NAME_MAX_BYTES 128
#define ARGUMENTS_MAX 64

/* What is asked of callers' organisations unless the operator says more. */
static const struct org_rule no_rule = { 0 }, any_organisation = { .required = true };

/* Source: MCP 2026-07-28 server/tools, "Tool Names". */
static bool
is_tool_name(const char *name)
{
	size_t len = strspn(name, "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789_.-");

	return len > 0 && len <= NAME_MAX_BYTES && name[len] == '\0';
}

/* Whether a name is 1 to 128 bytes of printable ASCII. */
static bool
is_name(const char *name)
{
	size_t len = 0;

	while (name[len] > ' ' && name[len] <= '~')
		len++;
	return len > 0 && len <= NAME_MAX_BYTES && name[len] == '\0';
}

/* Whether the root of a schema says "type": "object". */
static bool
is_of_objects(const struct json_object *schema)
{
	const char *type;

	return json_get_string(schema, "type", &type, NULL) == MCP_OK && strcmp(type, "object") == 0;
}

/* Read and compile one schema, the tool's member "name". */
static enum mcp_err
read_schema(const char *name, const char *text, struct json_object **source, struct schema **out, const char **why,
    struct buf *where)
{
	enum mcp_err err = describe_parse(text, JSON_OBJECT, source, why);

	if (err)
		return err;
	buf_printf(where, "%s ", name);
	err = schema_compile(*source, 0, out, why, where);
	if (!err)
		buf_reset(where);
	return err == MCP_ELIMIT ? MCP_EINVAL : err;
}

/* Source of the object's members: MCP schema, Tool. The schemas are borrowed; "output" may be NULL. */
static void
describe_tool(struct describe *d, const struct tool *tool, struct json_object *input, struct json_object *output)
{
	describe_string(d, "name", tool->name);
	describe_string(d, "title", tool->title);
	describe_string(d, "description", tool->description);
	describe_value(d, "inputSchema", json_ref(input));
	if (output)
		describe_value(d, "outputSchema", json_ref(output));
	describe_tool_annotations(d, tool->annotations);
	describe_icons(d, tool->icons);
	describe_object(d, "_meta", tool->meta);
}

static enum mcp_err
prepare_tool(struct registry_entry *e, struct describe *d, const char **why, struct buf *where)
{
	struct json_object *input = NULL, *output = NULL;
	struct describe objects = { 0 };
	const struct tool *tool = e->tool;
	enum mcp_err err;

	if (tool->needs_organisation)
		e->organisation = &any_organisation;
	err = read_schema("inputSchema", tool->input_schema, &input, &e->input, why, where);
	if (!err && !is_of_objects(input)) {
		*why = "the input schema of a tool must have \"type\": \"object\"";
		err = MCP_EINVAL;
	}
	if (!err)
		err = mirror_new(input, &e->mirror, why);
	if (!err && tool->output_schema)
		err = read_schema("outputSchema", tool->output_schema, &output, &e->output, why, where);
	if (!err)
		describe_tool(d, tool, input, output);
	if (!err && output && !is_of_objects(output)) {
		describe_tool(&objects, tool, input, NULL);
		err = describe_finish(&objects, &e->objects.text, &e->objects.len);
		*why = objects.why;
	}
	json_free(input);
	json_free(output);
	return err;
}

/* Source: MCP schema, PromptArgument. */
static enum mcp_err
prepare_argument(struct json_object *list, const struct prompt *prompt, size_t i, const char **why)
{
	const struct prompt_argument *a = &prompt->arguments[i];
	struct describe d = { 0 };

	*why = "the names of a prompt's arguments are 1 to 128 bytes of printable ASCII, each there once, at most 64";
	if (i >= ARGUMENTS_MAX || !is_name(a->name))
		return MCP_EINVAL;
	for (size_t j = 0; j < i; j++)
		if (strcmp(prompt->arguments[j].name, a->name) == 0)
			return MCP_EINVAL;
	describe_string(&d, "name", a->name);
	describe_string(&d, "title", a->title);
	describe_string(&d, "description", a->description);
	if (a->required)
		describe_value(&d, "required", json_new_bool(true));
	*why = d.why ? d.why : "memory is short";
	if (!d.err)
		return json_push_new(list, d.object) ? MCP_ENOMEM : MCP_OK;
	json_free(d.object);
	return d.err;
}

/* Source: MCP schema, Prompt. */
static enum mcp_err
prepare_prompt(struct registry_entry *e, struct describe *d, const char **why)
{
	const struct prompt *prompt = e->prompt;
	struct json_object *arguments = NULL;
	enum mcp_err err = MCP_OK;

	if (prompt->arguments && prompt->arguments[0].name) {
		arguments = json_new_array();
		err = arguments ? MCP_OK : MCP_ENOMEM;
	}
	for (size_t i = 0; arguments && prompt->arguments[i].name && !err; i++)
		err = prepare_argument(arguments, prompt, i, why);
	if (err) {
		json_free(arguments);
		return err;
	}
	describe_string(d, "name", prompt->name);
	describe_string(d, "title", prompt->title);
	describe_string(d, "description", prompt->description);
	if (arguments)
		describe_value(d, "arguments", arguments);
	describe_icons(d, prompt->icons);
	describe_object(d, "_meta", prompt->meta);
	return MCP_OK;
}

/* Source: MCP schema, ResourceTemplate. */
static enum mcp_err
prepare_template(struct registry_entry *e, struct describe *d, const char **why)
{
	const struct resource_template *t = e->template;
	enum mcp_err err = uri_template_new(t->uri_template, &e->pattern, why);

	for (const struct template_variable *v = t->variables; !err && v && v->name; v++)
		if (!uri_template_has(e->pattern, v->name)) {
			*why = "a variable that is completed does not stand in the URI template";
			err = MCP_EINVAL;
		}
	describe_string(d, "uriTemplate", t->uri_template);
	describe_string(d, "name", t->name);
	describe_string(d, "title", t->title);
	describe_string(d, "description", t->description);
	describe_string(d, "mimeType", t->mime_type);
	describe_annotations(d, t->annotations);
	describe_icons(d, t->icons);
	describe_object(d, "_meta", t->meta);
	return err;
}

/* What can be said against a row before its texts are read; NULL: nothing. Sets e->name. */
static const char *
objection(struct registry_entry *e)
{
	switch (e->kind) {
	case REGISTRY_TOOL:
		e->name = e->tool->name;
		if (!e->name || !is_tool_name(e->name))
			return "the name of a tool is 1 to 128 of A-Z a-z 0-9 _ . -";
		if (!e->tool->description || !e->tool->description[0])
			return "the tool has no description";
		if (!e->tool->input_schema)
			return "the tool has no input schema";
		return e->tool->call ? NULL : "the tool has no function";
	case REGISTRY_PROMPT:
		e->name = e->prompt->name;
		if (!e->name || !is_name(e->name))
			return "the name of a prompt is 1 to 128 bytes of printable ASCII";
		return e->prompt->get ? NULL : "the prompt has no function";
	case REGISTRY_RESOURCE:
		e->name = e->resource->uri;
		if (!e->name || !uri_is_absolute(e->name))
			return "the URI of a resource is absolute and at most 2048 bytes of RFC 3986";
		if (!e->resource->name || !e->resource->name[0])
			return "the resource has no name";
		return e->resource->read ? NULL : "the resource has no function";
	default:
		e->name = e->template->uri_template;
		if (!e->name)
			return "the resource template has no URI template";
		if (!e->template->name || !e->template->name[0])
			return "the resource template has no name";
		return e->template->read ? NULL : "the resource template has no function";
	}
}

enum mcp_err
entry_prepare(struct registry_entry *e, const char **why, struct buf *where)
{
	struct describe d = { 0 };
	enum mcp_err err = MCP_OK;

	*why = objection(e);
	if (*why)
		return MCP_EINVAL;
	e->organisation = &no_rule;
	*why = "memory is short";
	if (e->kind == REGISTRY_TOOL)
		err = prepare_tool(e, &d, why, where);
	else if (e->kind == REGISTRY_PROMPT)
		err = prepare_prompt(e, &d, why);
	else if (e->kind == REGISTRY_RESOURCE)
		describe_resource(&d, e->resource);
	else
		err = prepare_template(e, &d, why);
	if (err) {
		json_free(d.object);
		return err;
	}
	err = describe_finish(&d, &e->full.text, &e->full.len);
	if (err)
		*why = d.why ? d.why : "memory is short";
	return err;
}

void
entry_clear(struct registry_entry *e)
{
	strlist_clear(&e->scopes);
	schema_free(e->input);
	schema_free(e->output);
	mirror_free(e->mirror);
	uri_template_free(e->pattern);
	free(e->full.text);
	free(e->objects.text);
	memset(e, 0, sizeof *e);
}

const char *
entry_scopes(const struct registry_entry *e)
{
	switch (e->kind) {
	case REGISTRY_TOOL:
		return e->tool->scopes;
	case REGISTRY_PROMPT:
		return e->prompt->scopes;
	case REGISTRY_RESOURCE:
		return e->resource->scopes;
	default:
		return e->template->scopes;
	}
}
