/* SPDX-License-Identifier: MIT */
/* Answers for what a question must have before it leaves. */
#include "mcp/ask_params.h"

#include <string.h>

#include "base/json.h"
#include "mcp/ask.h"
#include "mcp/uri_template.h"

/* Whether a field of a form is a text, a number, yes or no, or a choice. */
static bool
is_flat(void *ctx, const char *name, struct json_object *field)
{
	struct json_object *items, *choices;

	(void)ctx;
	(void)name;
	if (!ask_member_is(field, "type", "array"))
		return ask_member_is(field, "type", "string") || ask_member_is(field, "type", "number") ||
		    ask_member_is(field, "type", "integer") || ask_member_is(field, "type", "boolean");
	return json_get_object(field, "items", &items) == MCP_OK &&
	    (json_get_array(items, "enum", &choices) == MCP_OK || json_get_array(items, "anyOf", &choices) == MCP_OK);
}

static bool
check_elicitation(const struct json_object *params, const char **why)
{
	struct json_object *schema, *fields;
	const char *url;

	*why = "an elicitation has a message";
	if (!ask_has_string(params, "message"))
		return false;
	if (ask_member_is(params, "mode", "url")) {
		*why = "an elicitation by URL has a url, absolute and of RFC 3986, and an elicitationId";
		return json_get_string(params, "url", &url, NULL) == MCP_OK && uri_is_absolute(url) &&
		    ask_has_string(params, "elicitationId");
	}
	*why = "a form is an object of flat fields: string, number, integer, boolean, array of choices";
	return json_get_object(params, "requestedSchema", &schema) == MCP_OK &&
	    ask_member_is(schema, "type", "object") &&
	    json_get_object(schema, "properties", &fields) == MCP_OK && json_each(fields, is_flat, NULL);
}

/* The block "i" of a message, whose content is one or an array of them; NULL: there are no more. */
static const struct json_object *
block_at(const struct json_object *message, size_t i)
{
	struct json_object *content;

	if (json_get(message, "content", &content) != MCP_OK)
		return NULL;
	if (json_kind(content) == JSON_ARRAY)
		return i < json_count(content) ? json_at(content, i) : NULL;
	return i == 0 ? content : NULL;
}

/* How many blocks of the type a message has; *all, if others there are none. */
static size_t
count_blocks(const struct json_object *message, const char *type, bool *all)
{
	const struct json_object *block;
	size_t n = 0, i;

	for (i = 0; (block = block_at(message, i)); i++)
		n += ask_member_is(block, "type", type);
	*all = n == i;
	return n;
}

/* Whether "next" has the result of each tool that "message" uses. */
static bool
has_results(const struct json_object *message, const struct json_object *next)
{
	const struct json_object *use, *result;
	const char *id;

	for (size_t i = 0; (use = block_at(message, i)); i++) {
		if (!ask_member_is(use, "type", "tool_use"))
			continue;
		if (json_get_string(use, "id", &id, NULL) != MCP_OK)
			return false;
		for (size_t j = 0; (result = block_at(next, j)); j++)
			if (ask_member_is(result, "type", "tool_result") && ask_member_is(result, "toolUseId", id))
				break;
		if (!result)
			return false;
	}
	return true;
}

static bool
check_messages(const struct json_object *messages, const char **why)
{
	size_t uses = 0;
	bool all;

	for (size_t i = 0; i < json_count(messages); i++) {
		const struct json_object *m = json_at(messages, i);
		bool by_user = ask_member_is(m, "role", "user");
		size_t results = count_blocks(m, "tool_result", &all);

		*why = "a message has the role user or assistant, and content";
		if ((!by_user && !ask_member_is(m, "role", "assistant")) || !block_at(m, 0))
			return false;
		*why = "after a tool was used comes a message of the user's with its result, and with nothing else";
		if (((uses || results) && !(by_user && all)) || (uses && !has_results(json_at(messages, i - 1), m)) ||
		    (results && !uses))
			return false;
		uses = by_user ? 0 : count_blocks(m, "tool_use", &all);
	}
	return uses == 0;
}

/* Whether the field of a form takes one value; for json_each(). */
static bool
takes_one(void *ctx, const char *name, struct json_object *field)
{
	(void)ctx;
	(void)name;
	return !ask_member_is(field, "type", "array");
}

const char *
ask_params_since(const char *method, const struct json_object *params)
{
	struct json_object *messages, *content, *schema, *fields;

	if (strcmp(method, "elicitation/create") == 0) {
		if (ask_member_is(params, "mode", "url"))
			return "2025-11-25";
		return json_get_object(params, "requestedSchema", &schema) == MCP_OK &&
		    json_get_object(schema, "properties", &fields) == MCP_OK && !json_each(fields, takes_one, NULL) ?
		    "2025-11-25" : "2025-06-18";
	}
	if (json_get_array(params, "messages", &messages) == MCP_OK)
		for (size_t i = 0; i < json_count(messages); i++)
			if (json_get_array(json_at(messages, i), "content", &content) == MCP_OK)
				return "2025-11-25";
	return "2025-03-26";
}

static bool
check_sampling(const struct json_object *params, const char **why)
{
	struct json_object *messages;
	int64_t tokens;

	*why = "sampling has messages, and maxTokens";
	return json_get_array(params, "messages", &messages) == MCP_OK &&
	    json_get_int(params, "maxTokens", &tokens) == MCP_OK && check_messages(messages, why);
}

bool
ask_params_are_good(const char *method, const struct json_object *params, const char **why)
{
	if (strcmp(method, "elicitation/create") == 0)
		return check_elicitation(params, why);
	if (strcmp(method, "sampling/createMessage") == 0)
		return check_sampling(params, why);
	return true;
}
