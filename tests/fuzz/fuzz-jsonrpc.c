/* SPDX-License-Identifier: MIT */
/*
 * One message through the protocol. Input: three lines, the headers MCP-Protocol-Version, Mcp-Method and Mcp-Name (an
 * empty one is absent; "!" before the first takes the caller's scopes away), then the body. Whatever comes, the
 * answer is one whole JSON-RPC message with a status.
 */
#include <string.h>

#include "base/json.h"
#include "base/log.h"
#include "base/text.h"
#include "mcp/dispatch.h"
#include "mcp/registry.h"
#include "tests/fuzz/fuzz.h"
#include "tools/tools.h"

static const struct json_bounds bounds = { 1 << 24, JSON_DEPTH_MAX, 1 << 20 };

static void
swallow(void *ctx, enum log_level level, const char *text)
{
	(void)ctx;
	(void)level;
	for (; *text; text++)
		FUZZ_CLAIM(*text >= 0x20 && *text < 0x7f);
}

/* Gives its arguments back, so that values go all the way through. */
static enum mcp_err
call_echo(struct tool_call *call)
{
	struct json_object *copy = json_new_object(), *list;

	if (!copy || json_get_array(call->arguments, "list", &list) != MCP_OK
	    || json_set(copy, "list", json_ref(list)) != MCP_OK) {
		json_free(copy);
		return tool_error(call, "no list");
	}
	return tool_structured(call, copy);
}

static const struct tool echo = {
	.name = "echo",
	.title = "Echo",
	.description = "Says it again.",
	.input_schema = "{\"type\":\"object\",\"properties\":{\"list\":{\"type\":\"array\",\"maxItems\":3,\"items\":{"
			"\"type\":[\"number\",\"string\","
			"\"null\"],\"minLength\":1,\"maxLength\":5,\"minimum\":-5,\"exclusiveMaximum\":9.5}},\"kind\":{"
			"\"enum\":[\"a\",1,null]}},"
			"\"required\":[\"list\"],\"additionalProperties\":false}",
	.output_schema = "{\"type\":\"object\",\"properties\":{\"list\":{\"type\":\"array\"}},\"required\":[\"list\"]}",
	.annotations = "{\"readOnlyHint\":true}",
	.call = call_echo,
};
static struct tool greet;
static struct mcp_service service = {
	.name = "fuzz", .title = "Fuzz", .version = "1", .list_ttl_ms = 1000, .tool_timeout_ms = 1000
};

static void
prepare(void)
{
	static char read_scope[] = "usr:read", *scopes_v[] = { read_scope };
	static const struct strlist scopes = { scopes_v, 1 }, none;
	struct registry *r;

	if (service.registry)
		return;
	log_capture(swallow, NULL);
	tool_greet_user(&greet);
	FUZZ_CLAIM(registry_new(&r) == MCP_OK);
	FUZZ_CLAIM(registry_add(r, &greet, &scopes, NULL) == MCP_OK);
	FUZZ_CLAIM(registry_add(r, &echo, &none, NULL) == MCP_OK);
	FUZZ_CLAIM(registry_seal(r) == MCP_OK);
	service.registry = r;
}

/* The answer, held against the message if that is JSON. */
static void
examine(const struct mcp_message *message, const struct mcp_reply *reply)
{
	struct json_object *answer, *asked, *id, *error, *result, *want;
	const char *version;
	int64_t code;

	FUZZ_CLAIM(buf_status(&reply->body) == MCP_OK);
	FUZZ_CLAIM(reply->status == 200 || reply->status == 202 || reply->status == 400 || reply->status == 403
	    || reply->status == 404);
	FUZZ_CLAIM((reply->status == 202) == (reply->body.len == 0));
	FUZZ_CLAIM((reply->status == 403) == (reply->outcome != OAUTH_OK));
	if (reply->status == 202)
		return;
	FUZZ_CLAIM(json_parse(reply->body.data, reply->body.len, &bounds, &answer, NULL) == MCP_OK);
	FUZZ_CLAIM(json_get_string(answer, "jsonrpc", &version, NULL) == MCP_OK && strcmp(version, "2.0") == 0);
	if (json_get_object(answer, "error", &error) == MCP_OK) {
		FUZZ_CLAIM(json_get(answer, "result", &result) == MCP_ENOENT);
		FUZZ_CLAIM(json_get_int(error, "code", &code) == MCP_OK && code == reply->error_code && code != 0);
		FUZZ_CLAIM(json_get_string(error, "message", &version, NULL) == MCP_OK && *version);
	} else {
		FUZZ_CLAIM(json_get_object(answer, "result", &result) == MCP_OK && reply->error_code == 0
		    && reply->status == 200);
	}
	if (json_get(answer, "id", &id) == MCP_OK) {
		FUZZ_CLAIM(json_kind(id) == JSON_STRING || json_kind(id) == JSON_INT || json_kind(id) == JSON_DOUBLE);
		FUZZ_CLAIM(json_parse(message->text, message->len, &bounds, &asked, NULL) == MCP_OK);
		FUZZ_CLAIM(json_get(asked, "id", &want) == MCP_OK && json_equal(id, want));
		json_free(asked);
	} else {
		FUZZ_CLAIM(reply->error_code != 0);
	}
	json_free(answer);
}

/* Cut a line off; NULL when it is empty or there is none. */
static const char *
line(char **rest)
{
	char *s = *rest ? strsep(rest, "\n") : NULL;

	return s && *s ? s : NULL;
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static char read_scope[] = "usr:read", *scopes_v[] = { read_scope }, subject[] = "usr_1";
	struct principal caller = { .subject = subject, .scopes = { scopes_v, 1 } };
	struct mcp_message message = { .principal = &caller, .request_id = "r1", .now_s = 1700000000 };
	struct mcp_reply reply;
	char *text, *rest, *body;
	size_t used;

	prepare();
	text = text_dup((const char *)data, size);
	if (!text)
		return 0;
	rest = text;
	if (*rest == '!') {
		caller.scopes.n = 0;
		rest++;
	}
	message.protocol_version = line(&rest);
	message.method = line(&rest);
	message.name = line(&rest);
	used = rest ? (size_t)(rest - text) : size;
	body = malloc(size - used ? size - used : 1);
	if (body) {
		memcpy(body, (const char *)data + used, size - used);
		message.text = body;
		message.len = size - used;
		memset(&reply, 0, sizeof(reply));
		buf_init(&reply.body, 1 << 22);
		mcp_dispatch(&service, &message, &reply);
		examine(&message, &reply);
		buf_clear(&reply.body);
		mcp_reply_clear(&reply);
	}
	free(body);
	free(text);
	return 0;
}
