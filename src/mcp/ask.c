/* SPDX-License-Identifier: MIT */
/* Answers for the three questions: which capability each needs, and what an answer to it must look like. */
#include "mcp/ask.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "base/buf.h"
#include "base/json.h"
#include "mcp/tool.h"
#include "schema/schema.h"

#define ROOTS_MAX 1000		/* of one answer */
#define BLOCKS_MAX 1000		/* content blocks of one answer */

static bool
has_object(const struct json_object *object, const char *name)
{
	struct json_object *member;

	return json_get_object(object, name, &member) == MCP_OK;
}

static bool
has(const struct json_object *object, const char *name)
{
	struct json_object *member;

	return json_get(object, name, &member) == MCP_OK;
}

bool
ask_member_is(const struct json_object *object, const char *name, const char *want)
{
	const char *text;

	return json_get_string(object, name, &text, NULL) == MCP_OK && strcmp(text, want) == 0;
}

bool
ask_has_string(const struct json_object *object, const char *name)
{
	const char *text;

	return json_get_string(object, name, &text, NULL) == MCP_OK;
}

/* Add NAME:{} or NAME:{PART:{}} to what is in *all, which is made when it is NULL. */
static enum mcp_err
add_capability(struct json_object **all, const char *name, const char *part)
{
	struct json_object *one = NULL;
	enum mcp_err err = MCP_OK;

	if (!*all && !(*all = json_new_object()))
		return MCP_ENOMEM;
	if (json_get_object(*all, name, &one) != MCP_OK)
		err = json_set_new(*all, name, one = json_new_object());
	return !err && part ? json_set_new(one, part, json_new_object()) : err;
}

/* Elicitation without a mode named is the form mode, which came first. */
static bool
can_elicit(const struct json_object *capabilities, bool by_url, const char **part)
{
	struct json_object *modes;

	*part = by_url ? "url" : "form";
	if (json_get_object(capabilities, "elicitation", &modes) != MCP_OK)
		return false;
	if (by_url)
		return has_object(modes, "url");
	return has_object(modes, "form") || !has(modes, "url");
}

static bool
can_sample(const struct json_object *capabilities, const struct json_object *params, const char **part)
{
	struct json_object *parts;
	bool known = json_get_object(capabilities, "sampling", &parts) == MCP_OK;

	*part = NULL;
	if (has(params, "tools") || has(params, "toolChoice"))
		*part = "tools";
	else if (has(params, "includeContext") && !ask_member_is(params, "includeContext", "none"))
		*part = "context";
	return known && (!*part || has_object(parts, *part));
}

enum mcp_err
ask_fault(struct tool_call *call, enum mcp_err err, const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(call->ask_fault, sizeof call->ask_fault, fmt, ap);
	va_end(ap);
	call->ask_err = err;
	return err;
}

bool
ask_during(const char *method, size_t len)
{
	static const char *const askers[] = { "tools/call", "prompts/get", "resources/read" };

	for (size_t i = 0; i < sizeof askers / sizeof askers[0]; i++)
		if (strlen(askers[i]) == len && memcmp(askers[i], method, len) == 0)
			return true;
	return false;
}

enum mcp_err
ask_capable(const struct json_object *capabilities, const char *method, const struct json_object *params,
    struct json_object **missing)
{
	const char *name, *part = NULL;
	enum mcp_err err;
	bool can;

	if (strcmp(method, "elicitation/create") == 0) {
		name = "elicitation";
		can = can_elicit(capabilities, ask_member_is(params, "mode", "url"), &part);
	} else if (strcmp(method, "sampling/createMessage") == 0) {
		name = "sampling";
		can = can_sample(capabilities, params, &part);
	} else if (strcmp(method, "roots/list") == 0) {
		name = "roots";
		can = has_object(capabilities, name);
	} else {
		return MCP_EINVAL;
	}
	if (can)
		return MCP_OK;
	err = add_capability(missing, name, part);
	return err ? err : MCP_ENOTSUP;
}

/* Accepted content against the schema that was asked with. */
static enum mcp_err
judge_content(const struct json_object *params, const struct json_object *answer, const char **why)
{
	struct json_object *source, *content, *empty = NULL;
	struct schema *schema = NULL;
	struct buf faults;
	enum mcp_err err;

	buf_init(&faults, 1024);
	if (json_get_object(params, "requestedSchema", &source) != MCP_OK) {
		*why = "the question has no requestedSchema";
		return MCP_EINVAL;
	}
	err = json_get_object(answer, "content", &content);
	if (err == MCP_ENOENT)
		err = (content = empty = json_new_object()) ? MCP_OK : MCP_ENOMEM;
	else if (err)
		err = MCP_EREMOTE;
	*why = "\"content\" must be an object";
	if (!err)
		err = schema_compile(source, SCHEMA_ASSERT_FORMATS, &schema, why, NULL);
	if (err == MCP_ELIMIT)
		err = MCP_EINVAL;
	if (!err && !schema_validate(schema, content, &faults)) {
		*why = "\"content\" does not fit the schema that was asked for";
		err = buf_status(&faults) == MCP_ENOMEM ? MCP_ENOMEM : MCP_EREMOTE;
	}
	schema_free(schema);
	json_free(empty);
	buf_clear(&faults);
	return err;
}

static enum mcp_err
judge_elicitation(const struct json_object *params, const struct json_object *answer, const char **why)
{
	*why = "\"action\" must be accept, decline or cancel";
	if (ask_member_is(answer, "action", "decline") || ask_member_is(answer, "action", "cancel"))
		return MCP_OK;
	if (!ask_member_is(answer, "action", "accept"))
		return MCP_EREMOTE;
	return ask_member_is(params, "mode", "url") ? MCP_OK : judge_content(params, answer, why);
}

/* What a content block of each type must have besides its type; others are left to the tool. */
static bool
is_block(const struct json_object *block)
{
	if (!ask_has_string(block, "type"))
		return false;
	if (ask_member_is(block, "type", "text"))
		return ask_has_string(block, "text");
	if (ask_member_is(block, "type", "image") || ask_member_is(block, "type", "audio"))
		return ask_has_string(block, "data") && ask_has_string(block, "mimeType");
	if (ask_member_is(block, "type", "tool_use"))
		return ask_has_string(block, "id") && ask_has_string(block, "name") && has_object(block, "input");
	return true;
}

static bool
is_content(const struct json_object *content)
{
	if (json_kind(content) != JSON_ARRAY)
		return is_block(content);
	if (json_count(content) > BLOCKS_MAX)
		return false;
	for (size_t i = 0; i < json_count(content); i++)
		if (!is_block(json_at(content, i)))
			return false;
	return true;
}

static enum mcp_err
judge_message(const struct json_object *answer, const char **why)
{
	struct json_object *content = NULL;

	*why = "\"role\" must be user or assistant";
	if (!ask_member_is(answer, "role", "user") && !ask_member_is(answer, "role", "assistant"))
		return MCP_EREMOTE;
	*why = "\"model\" must be a string";
	if (!ask_has_string(answer, "model"))
		return MCP_EREMOTE;
	*why = "\"content\" must be a content block or an array of them";
	return json_get(answer, "content", &content) == MCP_OK && is_content(content) ? MCP_OK : MCP_EREMOTE;
}

static enum mcp_err
judge_roots(const struct json_object *answer, const char **why)
{
	struct json_object *roots;

	*why = "\"roots\" must be an array";
	if (json_get_array(answer, "roots", &roots) != MCP_OK || json_count(roots) > ROOTS_MAX)
		return MCP_EREMOTE;
	*why = "each root must have a \"uri\" that begins with file://";
	for (size_t i = 0; i < json_count(roots); i++) {
		const struct json_object *root = json_at(roots, i);
		const char *uri;

		if (json_get_string(root, "uri", &uri, NULL) != MCP_OK || strncmp(uri, "file://", 7) != 0 ||
		    (has(root, "name") && !ask_has_string(root, "name")))
			return MCP_EREMOTE;
	}
	return MCP_OK;
}

enum mcp_err
ask_judge(const char *method, const struct json_object *params, const struct json_object *answer, const char **why)
{
	*why = "it must be an object";
	if (json_kind(answer) != JSON_OBJECT)
		return MCP_EREMOTE;
	if (strcmp(method, "elicitation/create") == 0)
		return judge_elicitation(params, answer, why);
	if (strcmp(method, "sampling/createMessage") == 0)
		return judge_message(answer, why);
	if (strcmp(method, "roots/list") == 0)
		return judge_roots(answer, why);
	*why = "there is no such method";
	return MCP_EINVAL;
}
