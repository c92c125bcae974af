/* SPDX-License-Identifier: MIT */
/* The protocol without HTTP: what tests/cases cannot reach or would say at length. */
#include "mcp/dispatch.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/json.h"
#include "base/log.h"
#include "mcp/registry.h"
#include "tests/quotes.h"
#include "tests/tap.h"
#include "tools/tools.h"

static char scope_read[] = "usr:read", scope_admin[] = "admin", scope_write[] = "usr:write", organisation[] = "org_1";
static char *read_v[] = { scope_read }, *admin_v[] = { scope_admin }, *three_v[] = { scope_read, scope_write,
    scope_admin };
static const struct strlist scopes_none = { NULL, 0 }, scopes_read = { read_v, 1 }, scopes_admin = { admin_v, 1 },
    scopes_three = { three_v, 3 };

static enum mcp_err
call_fails(struct tool_call *call)
{
	(void)call;
	return MCP_ENET;
}

static enum mcp_err
call_error(struct tool_call *call)
{
	return tool_error(call, "no luck with %s", "it");
}

static enum mcp_err
call_nothing(struct tool_call *call)
{
	(void)call;
	return MCP_OK;
}

/* Structured as the schema has it, or not, by the argument "good". */
static enum mcp_err
call_structured(struct tool_call *call)
{
	struct json_object *value = json_new_object();
	bool good = false;

	if (json_get_bool(call->arguments, "good", &good) != MCP_OK || json_set_new(value, good ? "n" : "m",
	    json_new_int(1)) != MCP_OK) {
		json_free(value);
		return MCP_ENOMEM;
	}
	return tool_structured(call, value);
}

/* Shows what a tool sees. */
static enum mcp_err
call_shows(struct tool_call *call)
{
	return tool_textf(call, "org=%s request=%s now=%lld deadline=%d context=%s", call->principal->organisation,
	    call->request_id,
	    (long long)call->now_s, call->deadline_ms > 0, (const char *)call->context);
}

/* As many bytes as asked for. */
static enum mcp_err
call_large(struct tool_call *call)
{
	size_t n = 64 * 1024;
	char *text = malloc(n);
	enum mcp_err err;

	if (!text)
		return MCP_ENOMEM;
	memset(text, 'x', n);
	err = tool_text(call, text, n);
	free(text);
	return err;
}

#define ANY "{\"type\":\"object\"}"

static char context[] = "ctx";
static struct tool greet;
static const struct tool fails = { .name = "fails", .description = "d", .input_schema = ANY, .call = call_fails };
static const struct tool errs = { .name = "errs", .description = "d", .input_schema = ANY, .call = call_error };
static const struct tool empty = { .name = "empty", .description = "d", .input_schema = ANY, .call = call_nothing };
static const struct tool large = { .name = "large", .description = "d", .input_schema = ANY, .call = call_large };
static const struct tool three = { .name = "three", .description = "d", .input_schema = ANY, .call = call_nothing };
static const struct tool admin = { .name = "administer", .description = "d", .input_schema = ANY,
    .call = call_nothing };
static const struct tool shows = { .name = "shows", .description = "d", .input_schema = ANY, .call = call_shows,
	.needs_organisation = true, .context = context };
static const struct tool structured = { .name = "structured", .description = "d", .input_schema = ANY,
    .call = call_structured,
	.output_schema = "{\"type\":\"object\",\"properties\":{\"n\":{\"type\":\"integer\"}},\"required\":[\"n\"]}" };

static struct principal caller = { .scopes = { read_v, 1 } };
static struct mcp_service service = { .name = "srv", .title = "The Server", .version = "1.2", .list_ttl_ms = 300000,
	.tool_timeout_ms = 1000 };
static struct mcp_message message;
static struct mcp_reply reply;
static size_t body_max = 1 << 20;

#define META "'_meta':{'io.modelcontextprotocol/protocolVersion':'2026-07-28'," \
	"'io.modelcontextprotocol/clientCapabilities':{}}"
#define TAIL "'resultType':'complete','_meta':{'io.modelcontextprotocol/serverInfo':" INFO "}}}"
#define INFO "{'name':'srv','title':'The Server','version':'1.2'}"

/* Dispatch "text"; the answer is in "reply" until the next call. */
static void
dispatch(const char *text)
{
	static bool used;

	if (used) {
		buf_clear(&reply.body);
		mcp_reply_clear(&reply);
	}
	used = true;
	memset(&reply, 0, sizeof(reply));
	buf_init(&reply.body, body_max);
	message.text = q(text);
	message.len = strlen(message.text);
	message.principal = &caller;
	message.request_id = "req-1";
	message.now_s = 1700000000;
	mcp_dispatch(&service, &message, &reply);
}

static void
modern(const char *text, const char *method, const char *name)
{
	message.protocol_version = "2026-07-28";
	message.method = method;
	message.name = name;
	dispatch(text);
}

static void
legacy(const char *text, const char *version)
{
	message.protocol_version = version;
	message.method = NULL;
	message.name = NULL;
	dispatch(text);
}

static void
expect(int status, int code, const char *body, const char *what)
{
	is_int(reply.status, status, "%s: status", what);
	is_int(reply.error_code, code, "%s: code", what);
	is_str(reply.body.data, q(body), "%s: body", what);
}

static void
setup(void)
{
	struct registry *r = NULL;

	tool_greet_user(&greet);
	ok(registry_new(&r) == MCP_OK &&
	    registry_add(r, &greet, &scopes_read, NULL) == MCP_OK &&
	    registry_add(r, &fails, &scopes_none, NULL) == MCP_OK &&
	    registry_add(r, &errs, &scopes_none, NULL) == MCP_OK &&
	    registry_add(r, &empty, &scopes_none, NULL) == MCP_OK &&
	    registry_add(r, &large, &scopes_none, NULL) == MCP_OK &&
	    registry_add(r, &structured, &scopes_none, NULL) == MCP_OK &&
	    registry_add(r, &three, &scopes_three, NULL) == MCP_OK &&
	    registry_add(r, &admin, &scopes_admin, NULL) == MCP_OK &&
	    registry_add(r, &shows, &scopes_none, NULL) == MCP_OK &&
	    registry_seal(r) == MCP_OK, "a registry of test tools");
	service.registry = r;
}

static void
test_modern(void)
{
	modern("{'jsonrpc':'2.0','id':'d','method':'server/discover','params':{" META "}}", "server/discover", NULL);
	expect(200, 0, "{'jsonrpc':'2.0','id':'d','result':{'supportedVersions':['2026-07-28','2025-11-25',"
	    "'2025-06-18','2025-03-26'],'capabilities':{'tools':{},'logging':{}},'ttlMs':300000,'cacheScope':'public',"
	    TAIL, "server/discover");
	is_str(reply.version, "2026-07-28", "... the version is noted");
	is_str(reply.method, "server/discover", "... and the method");

	modern("{'jsonrpc':'2.0','id':1,'method':'tools/call','params':{'name':'greet_user','arguments':{'name':'Ada'},"
	    "" META "}}",
	    "tools/call", "greet_user");
	expect(200, 0, "{'jsonrpc':'2.0','id':1,'result':{'content':[{'type':'text','text':'Hi Ada, welcome to "
	    "Scalekit!'}],"
	    "'isError':false," TAIL, "S43 S46: greet_user");
	is_str(reply.tool, "greet_user", "... the tool is noted");

	modern("{'jsonrpc':'2.0','id':1,'method':'tools/call','params':{'name':'greet_user','arguments':{'name':'Ada'},"
	    "" META "}}",
	    "tools/call", "=?base64?Z3JlZXRfdXNlcg==?=");
	is_int(reply.status, 200, "an encoded Mcp-Name is decoded");
	modern("{'jsonrpc':'2.0','id':1,'method':'tools/call','params':{'name':'greet_user','arguments':{'name':'Ada'},"
	    "" META "}}",
	    "tools/call", "=?base64?Z3JlZXRfdXNlcg?=");
	is_int(reply.error_code, -32020, "one without its padding is a mismatch");
	modern("{'jsonrpc':'2.0','id':1,'method':'tools/call','params':{'name':'=?base64?Z3JlZXRfdXNlcg=='," META "}}",
	    "tools/call", "=?base64?Z3JlZXRfdXNlcg==");
	is_int(reply.error_code, -32602, "without the end mark a value is literal (and this tool unknown)");
	modern("{'jsonrpc':'2.0','id':1,'method':'tools/call','params':{'name':'=?base64?='," META "}}",
	    "tools/call", "=?base64?=");
	is_int(reply.error_code, -32602, "marks that overlap are no marks");

	modern("{'jsonrpc':'2.0','id':1,'result':{}}", NULL, NULL);
	expect(400, -32600, "{'jsonrpc':'2.0','id':1,'error':{'code':-32600,'message':'Invalid Request: clients do not "
	    "send "
	    "responses in this version'}}", "a response");
	modern("{'jsonrpc':'2.0','method':'notifications/cancelled'}", NULL, NULL);
	expect(202, 0, "", "a notification");
	is_str(reply.method, "notifications/cancelled", "... is noted");
	modern("{'jsonrpc':'2.0','method':'notifications/nobody-knows'}", NULL, NULL);
	expect(202, 0, "", "an unknown notification");
	is_str(reply.method, "", "... is not noted");
}

/* What decides: the claim in _meta and the header, never the method. */
static const struct choice {
	const char *claim, *header;
	int code;
	const char *version, *what;
} choices[] = {
	{ NULL, NULL, 0, "2025-03-26", "neither claim nor header" },
	{ NULL, "2025-06-18", 0, "2025-06-18", "a legacy header" },
	{ NULL, "2026-07-28", -32602, "2026-07-28", "a modern header without claim" },
	{ NULL, "2024-11-05", -32022, "", "a header of a version that is too old" },
	{ NULL, "v999.0.0", -32022, "", "a header nobody knows" },
	{ "'2026-07-28'", "2026-07-28", 0, "2026-07-28", "a modern claim and header" },
	{ "'2026-07-28'", NULL, -32020, "", "a modern claim without header" },
	{ "'2026-07-28'", "2025-11-25", -32020, "", "a modern claim and a legacy header" },
	{ "'2025-11-25'", "2026-07-28", -32020, "", "a legacy claim and a modern header" },
	{ "'2025-11-25'", "2025-06-18", -32020, "", "two legacy versions" },
	{ "'2025-11-25'", "2025-11-25", 0, "2025-11-25", "the same legacy version twice" },
	{ "'2025-11-25'", NULL, 0, "2025-11-25", "a legacy claim without header" },
	{ "'v999.0.0'", "v999.0.0", -32022, "", "a claim and a header nobody knows" },
	{ "'v999.0.0'", "2026-07-28", -32020, "", "the mismatch is told before the version" },
	{ "7", "2026-07-28", -32602, "", "a claim that is no string" },
	{ "null", NULL, -32602, "", "a claim that is null" }
};

static void
test_choices(void)
{
	const struct choice *c;
	struct buf b;
	size_t i;

	buf_init(&b, 4096);
	for (i = 0; i < sizeof(choices) / sizeof(choices[0]); i++) {
		c = &choices[i];
		buf_reset(&b);
		buf_puts(&b, "{'jsonrpc':'2.0','id':1,'method':'tools/list','params':{");
		if (c->claim)
			buf_printf(&b, "'_meta':{'io.modelcontextprotocol/clientCapabilities':{},"
			    "'io.modelcontextprotocol/protocolVersion':%s}", c->claim);
		buf_puts(&b, "}}");
		message.protocol_version = c->header;
		message.method = "tools/list";
		message.name = NULL;
		dispatch(b.data);
		is_int(reply.error_code, c->code, "%s", c->what);
		is_str(reply.version, c->version, "... speaks %s", c->version[0] ? c->version : "nothing");
		is_int(reply.status, c->code ? 400 : 200, "... and has the right status");
		ok((strstr(reply.body.data, "resultType") != NULL) == (!c->code && c->claim && strstr(c->claim,
		    "2026")),
		    "... and the members of its era");
	}
	buf_clear(&b);
}

static void
test_legacy(void)
{
	legacy("{'jsonrpc':'2.0','id':0,'method':'initialize','params':{'protocolVersion':'2025-06-18',"
	    "'capabilities':{},"
	    "'clientInfo':{'name':'c','version':'1'}}}", NULL);
	expect(200, 0, "{'jsonrpc':'2.0','id':0,'result':{'protocolVersion':'2025-06-18','capabilities':{'tools':{},"
	    "'logging':{}},"
	    "'serverInfo':" INFO "}}", "initialize");
	is_str(reply.version, "2025-06-18", "... the version negotiated is noted");
	service.instructions = "Read \"this\".";
	legacy("{'jsonrpc':'2.0','id':0,'method':'initialize','params':{'protocolVersion':'2026-07-28',"
	    "'capabilities':{},"
	    "'clientInfo':{'name':'c','version':'1'}}}", "2025-03-26");
	expect(200, 0, "{'jsonrpc':'2.0','id':0,'result':{'protocolVersion':'2025-11-25','capabilities':{'tools':{},"
	    "'logging':{}},"
	    "'instructions':'Read \\\"this\\\".','serverInfo':" INFO "}}",
	    "initialize with a version it does not have");
	service.instructions = NULL;

	legacy("{'jsonrpc':'2.0','id':1,'method':'ping'}", "2025-11-25");
	expect(200, 0, "{'jsonrpc':'2.0','id':1,'result':{}}", "ping");
	legacy("{'jsonrpc':'2.0','id':1,'method':'server/discover'}", "2025-11-25");
	expect(200, -32601, "{'jsonrpc':'2.0','id':1,'error':{'code':-32601,'message':'Method not found: "
	    "server/discover'}}",
	    "a modern method");
	legacy("{'jsonrpc':'2.0','id':1,'result':{}}", "2025-11-25");
	expect(202, 0, "", "a response");
	legacy("{'jsonrpc':'2.0','method':'notifications/initialized'}", NULL);
	expect(202, 0, "", "a notification");
	legacy("{'jsonrpc':'2.0','id':1,'method':'a\\u001b[31m\\\"\\u00e4'}", NULL);
	expect(200, -32601, "{'jsonrpc':'2.0','id':1,'error':{'code':-32601,'message':'Method not found: "
	    "a\\\\x1b[31m\\\\\\\"\\\\xc3\\\\xa4'}}", "a method of strange bytes is quoted harmlessly");
}

static void
call(const char *tool, const char *arguments)
{
	static char text[1024];

	snprintf(text, sizeof(text), "{'jsonrpc':'2.0','id':1,'method':'tools/call','params':{'name':'%s'%s%s}}", tool,
	    arguments ? ",'arguments':" : "", arguments ? arguments : "");
	legacy(text, "2025-11-25");
}

static char logged[512];

static void
keep_log(void *ctx, enum log_level level, const char *text)
{
	(void)ctx;
	(void)level;
	snprintf(logged, sizeof(logged), "%s", text);
}

static void
test_tools(void)
{
	log_capture(keep_log, NULL);
	call("fails", NULL);
	expect(200, -32603, "{'jsonrpc':'2.0','id':1,'error':{'code':-32603,'message':'Internal error: the tool fails "
	    "failed'}}",
	    "a tool that fails");
	ok(strstr(logged, "request req-1: tool fails failed: "), "... and the log says why: %s", logged);
	call("errs", "{}");
	expect(200, 0, "{'jsonrpc':'2.0','id':1,'result':{'content':[{'type':'text','text':'no luck with it'}],"
	    "'isError':true}}", "a tool that has bad news");
	ok(reply.tool_error, "... which is noted");
	call("empty", NULL);
	expect(200, 0, "{'jsonrpc':'2.0','id':1,'result':{'content':[],'isError':false}}",
	    "a tool that says nothing, without arguments");
	call("structured", "{'good':true}");
	expect(200, 0, "{'jsonrpc':'2.0','id':1,'result':{'content':[{'type':'text','text':'{\\\"n\\\":1}'}],"
	    "'structuredContent':{'n':1},'isError':false}}", "structured content");
	call("structured", "{'good':false}");
	is_int(reply.error_code, -32603, "structured content that breaks its promise");
	ok(strstr(logged, "tool structured: its result does not fit its output schema: ") && strstr(logged,
	    "/n: is required"),
	    "... and the log says where: %s", logged);
	body_max = 8192;
	call("large", NULL);
	expect(200, -32603, "{'jsonrpc':'2.0','id':1,'error':{'code':-32603,'message':'Internal error: the result is "
	    "too "
	    "large'}}", "a result over the bound of the answer");
	body_max = 1 << 20;
	log_capture(NULL, NULL);

	call("greet_user", "{}");
	expect(200, 0, "{'jsonrpc':'2.0','id':1,'result':{'content':[{'type':'text','text':'Invalid arguments for "
	    "greet_user:\\n/name: is required (#/required)'}],'isError':true}}", "arguments that fail the schema");
	call("greet_user", "{'name':1,'x':2}");
	expect(200, 0, "{'jsonrpc':'2.0','id':1,'result':{'content':[{'type':'text','text':'Invalid arguments for "
	    "greet_user:\\n/name: must be a string (#/properties/name/type)"
	    "\\n/x: is not allowed (#/additionalProperties)'}],'isError':true}}", "several faults at once");
	call("greet_user", "[]");
	is_int(reply.error_code, -32602, "arguments that are no object");
	call("greet_user", "null");
	is_int(reply.error_code, -32602, "arguments null");
	call("GREET_USER", "{}");
	expect(200, -32602, "{'jsonrpc':'2.0','id':1,'error':{'code':-32602,'message':'Unknown tool: GREET_USER'}}",
	    "an unknown tool");
	is_str(reply.tool, "", "... is not noted");
}

static void
test_refusals(void)
{
	call("three", NULL);
	expect(403, 403, "{'jsonrpc':'2.0','id':1,'error':{'code':403,'message':'Requires scope usr:read usr:write "
	    "admin',"
	    "'data':{'requiredScopes':['usr:read','usr:write','admin']}}}",
	    "scopes that are missing: all of the operation are named");
	is_int(reply.outcome, OAUTH_INSUFFICIENT_SCOPE, "... the outcome is told");
	is_int((long long)reply.required_scopes.n, 3, "... with the scopes");
	call("administer", NULL);
	expect(403, 403, "{'jsonrpc':'2.0','id':1,'error':{'code':403,'message':'Requires admin scope',"
	    "'data':{'requiredScopes':['admin']}}}", "S79: admin is missing");
	caller.scopes = (struct strlist) { three_v, 2 };
	call("three", NULL);
	expect(403, 403, "{'jsonrpc':'2.0','id':1,'error':{'code':403,'message':'Requires admin scope',"
	    "'data':{'requiredScopes':['usr:read','usr:write','admin']}}}", "only admin is missing");
	caller.scopes = scopes_three;
	call("three", NULL);
	is_int(reply.status, 200, "all scopes are there");
	is_int(reply.outcome, OAUTH_OK, "... nothing is refused");
	caller.scopes = scopes_none;
	call("greet_user", "{'bad':1}");
	is_int(reply.status, 403, "scopes are judged before the arguments");
	caller.scopes = scopes_read;

	call("shows", NULL);
	expect(403, 403, "{'jsonrpc':'2.0','id':1,'error':{'code':403,'message':'Requires an organisation'}}",
	    "no organisation where one is needed");
	is_int(reply.outcome, OAUTH_WRONG_ORGANISATION, "... the outcome is told");
	caller.organisation = organisation;
	call("shows", NULL);
	expect(200, 0, "{'jsonrpc':'2.0','id':1,'result':{'content':[{'type':'text','text':'org=org_1 request=req-1 "
	    "now=1700000000 deadline=1 context=ctx'}],'isError':false}}", "S45 S77: what a tool sees");
	caller.organisation = NULL;
}

/* The names in the tools/list answer. */
static void
names(char *out, size_t size)
{
	const char *at = reply.body.data;
	size_t used = 0;
	int n;

	out[0] = '\0';
	while ((at = strstr(at, q("{'name':'"))) && used < size) {
		at += 9;
		n = snprintf(out + used, size - used, "%.*s ", (int)strcspn(at, "\""), at);
		used += (size_t)n;
	}
}

static void
test_lists(void)
{
	char text[256];

	legacy("{'jsonrpc':'2.0','id':1,'method':'tools/list'}", "2025-11-25");
	names(text, sizeof(text));
	is_str(text, "greet_user fails errs empty large structured three administer shows ",
	    "T1: all tools are listed, in order");
	ok(!strstr(reply.body.data, "ttlMs"), "without hints for caches");
	legacy("{'jsonrpc':'2.0','id':1,'method':'tools/list','params':{'cursor':'x'}}", "2025-11-25");
	expect(200, -32602, "{'jsonrpc':'2.0','id':1,'error':{'code':-32602,'message':'Invalid params: unknown cursor'}"
	    "}", "a cursor");

	modern("{'jsonrpc':'2.0','id':1,'method':'tools/list','params':{" META "}}", "tools/list", NULL);
	ok(strstr(reply.body.data, q("],'ttlMs':300000,'cacheScope':'public'," TAIL)),
	    "modern: a list for everybody is public");
	service.filter_lists = true;
	modern("{'jsonrpc':'2.0','id':1,'method':'tools/list','params':{" META "}}", "tools/list", NULL);
	ok(strstr(reply.body.data, q("],'ttlMs':300000,'cacheScope':'private'," TAIL)),
	    "modern: a filtered list is private");
	names(text, sizeof(text));
	is_str(text, "greet_user fails errs empty large structured srv ",
	    "a filtered list has what the caller may call");
	call("administer", NULL);
	expect(200, -32602, "{'jsonrpc':'2.0','id':1,'error':{'code':-32602,'message':'Unknown tool: administer'}}",
	    "a hidden tool is an unknown one");
	is_int(reply.outcome, OAUTH_OK, "... without a word of scopes");
	service.filter_lists = false;
}

static void
test_limits(void)
{
	char text[2048], name[1200];

	memset(name, 'n', sizeof(name) - 1);
	name[sizeof(name) - 1] = '\0';
	snprintf(text, sizeof(text), "{'jsonrpc':'2.0','id':1,'method':'tools/call','params':{'name':'%s'}}", name);
	legacy(text, "2025-11-25");
	is_int(reply.error_code, -32602, "a tool name of a kilobyte");
	ok(reply.body.len < 256 && strstr(reply.body.data, q("nnn...'")), "... is quoted in part");
	snprintf(text, sizeof(text), "{'jsonrpc':'2.0','id':1,'method':'tools/list','params':{'_meta':{"
	    "'io.modelcontextprotocol/clientCapabilities':{},'io.modelcontextprotocol/protocolVersion':'%s'}}}", name);
	message.protocol_version = name;
	message.method = "tools/list";
	dispatch(text);
	is_int(reply.error_code, -32022, "a version of a kilobyte");
	ok(reply.body.len < 300, "... is echoed in part");
	legacy("{'jsonrpc':'2.0','id':1,'method':'tools/list','params':{'_meta':5}}", NULL);
	is_int(reply.status, 200, "legacy: _meta of another type claims nothing");
}

int
main(void)
{
	setup();
	test_modern();
	test_choices();
	test_legacy();
	test_tools();
	test_refusals();
	test_lists();
	test_limits();
	buf_clear(&reply.body);
	mcp_reply_clear(&reply);
	registry_free((struct registry *)(uintptr_t)service.registry);
	return tap_done();
}
