/* SPDX-License-Identifier: MIT */
/*
 * The protocol when memory is short: each allocation in turn fails, of our own code and of json-c (wrapped by the
 * linker). Whatever fails, there is one whole answer or none, no refused tool runs, and nothing leaks (the sanitizers
 * and valgrind look).
 */
#include <stdlib.h>
#include <string.h>

#include "base/json.h"
#include "mcp/dispatch.h"
#include "mcp/registry.h"
#include "tests/quotes.h"
#include "tests/tap.h"
#include "tests/unit/nomem.h"
#include "tools/tools.h"

static unsigned secret_runs;

static enum mcp_err
call_secret(struct tool_call *call)
{
	secret_runs++;
	return tool_textf(call, "secret");
}

/* Gives its arguments back. */
static enum mcp_err
call_echo(struct tool_call *call)
{
	struct json_object *copy = json_new_object(), *list;

	if (!copy || json_get_array(call->arguments, "list", &list) != MCP_OK ||
	    json_set(copy, "list", json_ref(list)) != MCP_OK) {
		json_free(copy);
		return MCP_ENOMEM;
	}
	return tool_structured(call, copy);
}

static struct tool greet;
static const struct tool echo = { .name = "echo", .description = "d", .call = call_echo,
	.input_schema = "{\"type\":\"object\",\"properties\":{\"list\":{\"type\":\"array\","
	    "\"items\":{\"type\":\"number\"}}},\"required\":[\"list\"]}",
	.output_schema = "{\"type\":\"object\",\"additionalProperties\":true}", .annotations = "{}" };
static const struct tool secret = { .name = "secret", .description = "d", .call = call_secret,
	.input_schema = "{\"type\":\"object\"}" };

/* Two messages, one with an image and annotations. */
static enum mcp_err
get_prompt(struct tool_call *call)
{
	enum mcp_err err = tool_image(call, "bytes", 5, "image/png");

	if (!err)
		err = tool_annotate(call, TOOL_USER, 0.5, "2025-01-12T15:00:58Z");
	tool_role(call, TOOL_ASSISTANT);
	return err ? err : tool_embedded_blob(call, "test://x", NULL, "bytes", 5);
}

static enum mcp_err
complete(struct tool_call *call, const char *value)
{
	enum mcp_err err = completion_add(call, value);

	return err ? err : completion_add(call, "another");
}

static enum mcp_err
read_data(struct tool_call *call)
{
	const char *id;
	enum mcp_err err = resource_blob(call, NULL, "image/png", "bytes", 5);

	if (!err && json_get_string(call->arguments, "id", &id, NULL) == MCP_OK)
		err = resource_text(call, NULL, NULL, id, strlen(id));
	return err;
}

static enum mcp_err
call_region(struct tool_call *call)
{
	static const struct resource linked = { .uri = "test://x", .name = "x", .annotations = "{\"priority\":1}",
		.icons = "[{\"src\":\"data:,\"}]" };

	return tool_resource_link(call, &linked);
}

static const struct tool region = { .name = "region", .description = "d", .call = call_region, .scopes = "",
	.input_schema = "{\"type\":\"object\",\"properties\":{\"a\":{\"type\":\"string\",\"x-mcp-header\":\"A\"}}}",
	.icons = "[{\"src\":\"data:,\"}]", .meta = "{\"a\":1}" };
static const struct tool array = { .name = "array", .description = "d", .call = call_secret, .scopes = "admin",
	.input_schema = "{\"type\":\"object\"}", .output_schema = "{\"type\":\"array\"}" };
static const struct prompt_argument arguments[] = { { .name = "a", .required = true, .complete = complete },
    { .name = NULL } };
static const struct prompt prompt = { .name = "prompt", .description = "d", .arguments = arguments, .scopes = "a b",
	.get = get_prompt };
static const struct prompt open_prompt = { .name = "open", .arguments = arguments, .scopes = "", .get = get_prompt };
static const struct resource fixed = { .uri = "test://fixed", .name = "fixed", .scopes = "", .read = read_data };
static const struct template_variable variables[] = { { "id", complete }, { NULL, NULL } };
static const struct resource_template template = { .uri_template = "test://t/{id}", .name = "t", .scopes = "",
	.variables = variables, .read = read_data };

static const char *
header(const void *ctx, const char *name)
{
	(void)ctx;
	(void)name;
	return "=?base64?ZXU=?=";
}

static char scope_read[] = "usr:read", scope_admin[] = "admin", organisation[] = "org_1";
static char *read_v[] = { scope_read }, *secret_v[] = { scope_read, scope_admin };
static const struct strlist scopes_read = { read_v, 1 }, scopes_secret = { secret_v, 2 };
static const struct principal caller = { .scopes = { read_v, 1 }, .organisation = organisation };

#define META "'_meta':{'io.modelcontextprotocol/protocolVersion':'2026-07-28'," \
	"'io.modelcontextprotocol/clientCapabilities':{}}"

static const struct scenario {
	const char *what, *text, *method, *name;
	int status, code;
} scenarios[] = {
	{ "tools/call", "{'jsonrpc':'2.0','id':'one','method':'tools/call','params':{'name':'greet_user',"
	    "'arguments':{'name':'Ada'}," META "}}", "tools/call", "=?base64?Z3JlZXRfdXNlcg==?=", 200, 0 },
	{ "a structured result", "{'jsonrpc':'2.0','id':1,'method':'tools/call','params':{'name':'echo',"
	    "'arguments':{'list':[1,2.5,3]}," META "}}", "tools/call", "echo", 200, 0 },
	{ "arguments that fail", "{'jsonrpc':'2.0','id':1,'method':'tools/call','params':{'name':'echo',"
	    "'arguments':{'list':['a','b']}," META "}}", "tools/call", "echo", 200, 0 },
	{ "tools/list", "{'jsonrpc':'2.0','id':1,'method':'tools/list','params':{" META "}}", "tools/list", NULL,
	    200, 0 },
	{ "server/discover", "{'jsonrpc':'2.0','id':1,'method':'server/discover','params':{" META "}}",
	    "server/discover", NULL, 200, 0 },
	{ "an unknown method", "{'jsonrpc':'2.0','id':1,'method':'x/\\u0001','params':{" META "}}", "x/\001", NULL, 404,
	    -32601 },
	{ "an argument that a header repeats", "{'jsonrpc':'2.0','id':1,'method':'tools/call','params':{"
	    "'name':'region','arguments':{'a':'eu'}," META "}}", "tools/call", "region", 200, 0 },
	{ "one that it does not", "{'jsonrpc':'2.0','id':1,'method':'tools/call','params':{"
	    "'name':'region','arguments':{'a':'us'}," META "}}", "tools/call", "region", 400, -32020 },
	{ "prompts/list", "{'jsonrpc':'2.0','id':1,'method':'prompts/list','params':{" META "}}", "prompts/list", NULL,
	    200, 0 },
	{ "prompts/get", "{'jsonrpc':'2.0','id':1,'method':'prompts/get','params':{'name':'open','arguments':"
	    "{'a':'b'}," META "}}", "prompts/get", "open", 200, 0 },
	{ "a prompt of others", "{'jsonrpc':'2.0','id':1,'method':'prompts/get','params':{'name':'prompt'," META "}}",
	    "prompts/get", "prompt", 403, 403 },
	{ "resources/read", "{'jsonrpc':'2.0','id':1,'method':'resources/read','params':{'uri':'test://fixed'," META
	    "}}", "resources/read", "test://fixed", 200, 0 },
	{ "... by a template", "{'jsonrpc':'2.0','id':1,'method':'resources/read','params':{'uri':'test://t/1%202',"
	    META "}}", "resources/read", "test://t/1%202", 200, 0 },
	{ "... of none", "{'jsonrpc':'2.0','id':1,'method':'resources/read','params':{'uri':'test://none'," META "}}",
	    "resources/read", "test://none", 200, -32602 },
	{ "completion/complete", "{'jsonrpc':'2.0','id':1,'method':'completion/complete','params':{'ref':{"
	    "'type':'ref/resource','uri':'test://t/{id}'},'argument':{'name':'id','value':'x'}," META "}}",
	    "completion/complete", NULL, 200, 0 },
	{ "a tool of others", "{'jsonrpc':'2.0','id':1,'method':'tools/call','params':{'name':'secret'," META "}}",
	    "tools/call", "secret", 403, 403 }
};

/* The last one where denials are results. */
static const struct scenario denied_by_result = { "a tool of others, by a result",
	"{'jsonrpc':'2.0','id':1,'method':'tools/call','params':{'name':'secret'," META "}}", "tools/call", "secret",
	200, 0 };

/* One whole JSON-RPC answer, the usual one or -32603; or a body that says that it failed. */
static bool
is_answer(const struct mcp_reply *reply, int code)
{
	const struct json_bounds bounds = { 1 << 20, 64, 10000 };
	struct json_object *v = NULL, *member;
	long kept = nomem_left;
	bool good;

	if (reply->status < 200 || reply->status > 499 || (reply->error_code != code && reply->error_code != -32603))
		return false;
	if (buf_status(&reply->body) != MCP_OK)
		return true;
	nomem_left = -1;
	good = json_parse(reply->body.data, reply->body.len, &bounds, &v, NULL) == MCP_OK &&
	    (json_get(v, "result", &member) == MCP_OK) == (reply->error_code == 0);
	json_free(v);
	nomem_left = kept;
	return good;
}

/* Fail the first allocation, then the second ..., until none fails and the answer is the usual one. */
static void
try_scenario(const struct mcp_service *service, const struct scenario *s)
{
	const char *text = q(s->text);
	const struct mcp_message message = { .text = text, .len = strlen(text), .protocol_version = "2026-07-28",
		.method = s->method, .name = s->name, .principal = &caller, .request_id = "r",
		.param = header };
	struct mcp_reply reply;
	unsigned long before;
	bool good = true;
	long n = -1;

	do {
		before = nomem_failed;
		memset(&reply, 0, sizeof(reply));
		buf_init(&reply.body, 1 << 20);
		nomem_left = ++n;
		mcp_dispatch(service, &message, &reply);
		nomem_left = -1;
		good = is_answer(&reply, s->code) && good;
		buf_clear(&reply.body);
		mcp_reply_clear(&reply);
	} while (nomem_failed != before && n < 10000);
	ok(good && n > 0 && n < 10000, "%s: %ld allocations fail%s, each leaves a whole answer or none", s->what, n,
	    nomem_for_good ? " with all after them" : "");
	is_int(reply.status, s->status, "... and without a failure it is the usual one");
}

static bool
fill(struct registry *r, enum mcp_err *err)
{
	*err = registry_add(r, &greet, &scopes_read, NULL);
	if (!*err)
		*err = registry_add(r, &echo, &scopes_read, NULL);
	if (!*err)
		*err = registry_add(r, &secret, &scopes_secret, NULL);
	if (!*err)
		*err = registry_add(r, &region, NULL, NULL);
	if (!*err)
		*err = registry_add(r, &array, NULL, NULL);
	if (!*err)
		*err = registry_add_prompt(r, &prompt, NULL, NULL);
	if (!*err)
		*err = registry_add_prompt(r, &open_prompt, NULL, NULL);
	if (!*err)
		*err = registry_add_resource(r, &fixed, NULL, NULL);
	if (!*err)
		*err = registry_add_template(r, &template, NULL, NULL);
	if (!*err)
		*err = registry_seal(r);
	return *err == MCP_OK;
}

/* The registry the same way: it is whole or says MCP_ENOMEM. */
static struct registry *
try_registry(void)
{
	struct registry *r = NULL;
	bool good = true, filled;
	unsigned long before;
	enum mcp_err err = MCP_OK;
	long n = -1;

	do {
		registry_free(r);
		before = nomem_failed;
		nomem_left = ++n;
		filled = registry_new(&r) == MCP_OK && fill(r, &err);
		nomem_left = -1;
		if (!filled && r && err != MCP_ENOMEM)
			good = false;
	} while (nomem_failed != before && n < 10000);
	ok(filled && good && n > 0, "a registry: %ld allocations fail, each is told", n);
	return r;
}

/* The rules of an operator: whole, or MCP_ENOMEM with nothing left. */
static void
try_rules(void)
{
	struct strlist scopes = { 0 }, organisations = { 0 };
	struct scope_rules implies = { 0 };
	struct org_rule rule = { 0 };
	unsigned long before;
	bool good = strlist_split(&scopes, "a: b c b: d d: a", " ", 10) == MCP_OK &&
	    strlist_split(&organisations, "org_1 claim:tid org_2", " ", 10) == MCP_OK;
	const char *why;
	enum mcp_err err;
	long n = -1;

	do {
		before = nomem_failed;
		nomem_left = ++n;
		err = scope_rules_read(&scopes, &implies, &why);
		good = good && (err ? err == MCP_ENOMEM && !implies.v : implies.n == 3);
		err = org_rule_read(&organisations, &rule, &why);
		good = good && (err ? err == MCP_ENOMEM && !rule.claim : rule.allowed.n == 2);
		nomem_left = -1;
		scope_rules_clear(&implies);
		org_rule_clear(&rule);
	} while (nomem_failed != before && n < 10000);
	ok(good && n > 0, "rules: %ld allocations fail, each is told", n);
	strlist_clear(&scopes);
	strlist_clear(&organisations);
}

int
main(void)
{
	struct mcp_service service = { .name = "srv", .version = "1", .list_ttl_ms = 1, .tool_timeout_ms = 1000 };
	struct registry *r;
	size_t i;
	int pass;

	nomem_hush_log();
	tool_greet_user(&greet);
	r = try_registry();
	service.registry = r;
	for (pass = 0; pass < 2; pass++) {
		nomem_for_good = pass == 1;
		for (i = 0; i < sizeof(scenarios) / sizeof(scenarios[0]); i++)
			try_scenario(&service, &scenarios[i]);
		service.deny_by_result = true;
		try_scenario(&service, &denied_by_result);
		service.deny_by_result = false;
	}
	nomem_for_good = false;
	try_rules();
	is_int(secret_runs, 0, "a tool that is refused never ran");
	registry_free(r);
	return tap_done();
}
