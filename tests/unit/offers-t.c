/* SPDX-License-Identifier: MIT */
/* Prompts, resources, templates, completion and mirrored arguments, through the dispatch of both eras. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/json.h"
#include "mcp/dispatch.h"
#include "mcp/registry.h"
#include "store/secrets.h"
#include "store/state.h"
#include "tests/quotes.h"
#include "tests/tap.h"

static char scope_read[] = "usr:read";
static char *read_v[] = { scope_read };
static const struct strlist scopes_none = { NULL, 0 };

static enum mcp_err
get_greeting(struct tool_call *call)
{
	const char *name = "nobody", *extra;
	enum mcp_err err;

	if (json_get_string(call->arguments, "extra", &extra, NULL) == MCP_OK)
		return MCP_EINTERNAL;	/* not an argument of the prompt */
	if (json_get_string(call->arguments, "name", &name, NULL) != MCP_OK)
		return MCP_EINTERNAL;
	err = tool_textf(call, "Greet %s.", name);
	if (!err)
		err = tool_annotate(call, TOOL_USER | TOOL_ASSISTANT, 0.5, "2025-01-12T15:00:58Z");
	tool_role(call, TOOL_ASSISTANT);
	return err ? err : tool_image(call, "\x89PNG", 4, "image/png");
}

static enum mcp_err
complete_name(struct tool_call *call, const char *value)
{
	const char *language = "none";
	enum mcp_err err = MCP_OK;
	char text[64];

	if (strcmp(value, "many") == 0) {
		for (int i = 0; i < 250 && !err; i++) {
			snprintf(text, sizeof text, "%d", i);
			err = completion_add(call, text);
		}
		return err;
	}
	if (json_get_string(call->arguments, "language", &language, NULL) != MCP_OK)
		language = "none";
	snprintf(text, sizeof text, "%s-%s", value, language);
	return completion_add(call, text);
}

static enum mcp_err
read_static(struct tool_call *call)
{
	enum mcp_err err = resource_text(call, NULL, "text/plain", "hello", 5);

	return err ? err : resource_blob(call, "test://other", NULL, "\0\1", 2);
}

static enum mcp_err
read_template(struct tool_call *call)
{
	const char *id;

	if (json_get_string(call->arguments, "id", &id, NULL) != MCP_OK)
		return MCP_EINTERNAL;
	if (strcmp(id, "gone") == 0)
		return MCP_ENOENT;
	return resource_text(call, NULL, NULL, id, strlen(id));
}

static enum mcp_err
call_trace(struct tool_call *call)
{
	const struct tool_trace *t = &call->trace;

	return tool_textf(call, "%s|%s|%s", t->parent ? t->parent : "-", t->state ? t->state : "-",
	    t->baggage ? t->baggage : "-");
}

static const struct prompt_argument arguments[] = {
	{ .name = "name", .title = "Name", .description = "Whom", .required = true, .complete = complete_name },
	{ .name = "language" }, { .name = NULL }
};
static const struct prompt greeting = { .name = "greeting", .title = "Greeting", .description = "Greets",
	.arguments = arguments, .icons = "[{\"src\":\"https://example.com/i.png\"}]", .meta = "{\"example.com/a\":1}",
	.scopes = "", .get = get_greeting };
static const struct prompt secret_prompt = { .name = "secret", .scopes = "usr:read usr:write", .get = get_greeting };
static const struct resource fixed = { .uri = "test://static", .name = "static", .mime_type = "text/plain", .size = 5,
	.annotations = "{\"priority\":1}", .scopes = "", .read = read_static };
static const struct template_variable variables[] = { { "id", complete_name }, { NULL, NULL } };
static const struct resource_template records = { .uri_template = "test://template/{id}/data", .name = "records",
	.scopes = "", .ttl_s = 7, .variables = variables, .read = read_template };
static const struct resource_template vault = { .uri_template = "vault://{+id}", .name = "vault", .scopes = "admin",
	.read = read_template };
static const struct tool region = { .name = "region", .description = "d", .scopes = "", .call = call_trace,
	.input_schema = "{\"type\":\"object\",\"properties\":{"
	    "\"region\":{\"type\":\"string\",\"x-mcp-header\":\"Region\"},"
	    "\"in\":{\"type\":\"object\",\"properties\":{\"n\":{\"type\":\"integer\",\"x-mcp-header\":\"N\"}}},"
	    "\"sure\":{\"type\":\"boolean\",\"x-mcp-header\":\"Sure\"}}}" };

static enum mcp_err
call_array(struct tool_call *call)
{
	struct json_object *list = json_new_array();

	if (!list || json_push_new(list, json_new_int(1)))
		return MCP_ENOMEM;
	return tool_structured(call, list);
}

static const struct tool array = { .name = "array", .description = "d", .scopes = "", .call = call_array,
	.input_schema = "{\"type\":\"object\"}", .output_schema = "{\"type\":\"array\"}" };

static enum mcp_err
call_link(struct tool_call *call)
{
	is_int(tool_image(call, "x", 1, NULL), MCP_EINVAL, "an image without a type is none");
	is_int(tool_audio(call, "x", 1, "wav"), MCP_EINVAL, "nor is a sound with a type that is none");
	return tool_resource_link(call, &fixed);
}

static const struct tool links = { .name = "links", .description = "d", .scopes = "", .call = call_link,
	.input_schema = "{\"type\":\"object\"}" };
static const struct tool same_name = { .name = "c", .description = "d", .scopes = "", .call = call_array,
	.input_schema = "{\"type\":\"object\"}" };

static struct principal caller = { .scopes = { read_v, 1 } };
static struct mcp_service service = { .name = "srv", .version = "1", .list_ttl_ms = 1000, .tool_timeout_ms = 1000 };
static struct mcp_message message;
static struct mcp_reply reply;
static const char *region_header, *n_header, *sure_header;

#define VERSION "'io.modelcontextprotocol/protocolVersion':'2026-07-28','io.modelcontextprotocol/clientCapabilities':{}"
#define TAIL "'resultType':'complete','_meta':{'io.modelcontextprotocol/serverInfo':{'name':'srv','version':'1'}}}}"

static const char *
header(const void *ctx, const char *name)
{
	(void)ctx;
	return strcmp(name, "Region") == 0 ? region_header : strcmp(name, "N") == 0 ? n_header :
	    strcmp(name, "Sure") == 0 ? sure_header : NULL;
}

/* Dispatch a request with these members of params. */
static void
ask(bool modern, const char *method, const char *name, const char *params)
{
	static char text[8192];
	static bool used;

	if (used) {
		buf_clear(&reply.body);
		mcp_reply_clear(&reply);
	}
	used = true;
	memset(&reply, 0, sizeof reply);
	buf_init(&reply.body, 1 << 20);
	snprintf(text, sizeof text, "{'jsonrpc':'2.0','id':1,'method':'%s','params':{%s%s%s}}", method, params,
	    modern && params[0] ? "," : "", !modern ? "" : strstr(params, "_meta") ? "'x':0" : "'_meta':{" VERSION "}");
	message = (struct mcp_message){ .text = q(text), .protocol_version = modern ? "2026-07-28" : "2025-11-25",
	    .method = modern ? method : NULL, .name = modern ? name : NULL, .principal = &caller, .request_id = "r",
	    .param = header };
	message.len = strlen(message.text);
	mcp_dispatch(&service, &message, &reply);
}

static void
answers(const char *result, const char *what)
{
	static char text[8192];

	snprintf(text, sizeof text, "{'jsonrpc':'2.0','id':1,'result':{%s", result);
	is_str(reply.body.data, q(text), "%s", what);
}

static void
refuses(int status, int code, const char *part, const char *what)
{
	is_int(reply.error_code, code, "%s: %d", what, code);
	is_int(reply.status, status, "... with status %d", status);
	if (!ok(strstr(reply.body.data, q(part)) != NULL, "... and says %s", part))
		diag("%s", reply.body.data);
}

static void
test_nothing(void)
{
	static const char *const methods[] = { "prompts/list", "prompts/get", "resources/list", "resources/read",
	    "resources/templates/list", "completion/complete" };
	struct registry *r;

	ok(registry_new(&r) == MCP_OK && registry_add(r, &region, &scopes_none, NULL) == MCP_OK &&
	    registry_seal(r) == MCP_OK, "a registry with a tool only");
	service.registry = r;
	ask(true, "server/discover", NULL, "");
	ok(strstr(reply.body.data, q("'capabilities':{'tools':{},'logging':{}}")) != NULL,
	    "no capability is told that is not there");
	for (size_t i = 0; i < sizeof methods / sizeof methods[0]; i++) {
		ask(true, methods[i], NULL, "");
		refuses(404, -32601, "Method not found", methods[i]);
		ask(false, methods[i], NULL, "");
		refuses(200, -32601, "Method not found", methods[i]);
	}
	registry_free(r);
}

static struct registry *
setup(void)
{
	struct registry *r = NULL;
	const char *why = "";

	ok(registry_new(&r) == MCP_OK && registry_add(r, &region, NULL, &why) == MCP_OK &&
	    registry_add(r, &links, NULL, &why) == MCP_OK && registry_add(r, &array, NULL, &why) == MCP_OK &&
	    registry_add_prompt(r, &greeting, NULL, &why) == MCP_OK &&
	    registry_add_prompt(r, &secret_prompt, NULL, &why) == MCP_OK &&
	    registry_add_resource(r, &fixed, NULL, &why) == MCP_OK &&
	    registry_add_template(r, &records, &scopes_none, &why) == MCP_OK &&
	    registry_add_template(r, &vault, NULL, &why) == MCP_OK &&
	    registry_seal(r) == MCP_OK, "a registry of everything %s", why ? why : "");
	service.registry = r;
	return r;
}

static void
test_lists(void)
{
	ask(true, "server/discover", NULL, "");
	ok(strstr(reply.body.data,
	    q("'capabilities':{'tools':{},'prompts':{},'resources':{},'completions':{},'logging':{}}")) != NULL,
	    "each capability is told");
	ask(true, "prompts/list", NULL, "");
	answers("'prompts':[{'name':'greeting','title':'Greeting','description':'Greets','arguments':[{'name':'name',"
	    "'title':'Name','description':'Whom','required':true},{'name':'language'}],"
	    "'icons':[{'src':'https://example.com/i.png'}],'_meta':{'example.com/a':1}},{'name':'secret'}],"
	    "'ttlMs':1000,'cacheScope':'public'," TAIL, "prompts/list");
	ask(false, "prompts/list", NULL, "");
	ok(strstr(reply.body.data, "ttlMs") == NULL && strstr(reply.body.data, "greeting"), "... in the legacy era");
	ask(true, "resources/list", NULL, "");
	answers("'resources':[{'uri':'test://static','name':'static','mimeType':'text/plain','annotations':"
	    "{'priority':1},'size':5}],'ttlMs':1000,'cacheScope':'public'," TAIL, "resources/list");
	ask(true, "resources/templates/list", NULL, "");
	answers("'resourceTemplates':[{'uriTemplate':'test://template/{id}/data','name':'records'},"
	    "{'uriTemplate':'vault://{+id}','name':'vault'}],'ttlMs':1000,'cacheScope':'public'," TAIL,
	    "resources/templates/list");
	service.filter_lists = true;
	ask(true, "prompts/list", NULL, "");
	ok(!strstr(reply.body.data, "secret") && strstr(reply.body.data, q("'cacheScope':'private'")),
	    "a filtered list has what the caller may use, and is private");
	ask(true, "resources/templates/list", NULL, "");
	ok(!strstr(reply.body.data, "vault"), "so has one of templates");
	service.filter_lists = false;
}

static void
test_prompts(void)
{
	ask(true, "prompts/get", "greeting", "'name':'greeting','arguments':{'name':'Ada','extra':'x'}");
	answers("'description':'Greets','messages':[{'role':'user','content':{'type':'text','text':'Greet Ada.',"
	    "'annotations':{'audience':['user','assistant'],'priority':0.5,'lastModified':'2025-01-12T15:00:58Z'}}},"
	    "{'role':'assistant','content':{'type':'image','data':'iVBORw==','mimeType':'image/png'}}]," TAIL,
	    "prompts/get: messages of both roles; an argument that nobody declared is left out");
	is_str(reply.tool, "greeting", "... its name is noted for the log");
	ask(true, "prompts/get", "other", "'name':'greeting','arguments':{'name':'Ada'}");
	refuses(400, -32020, "Mcp-Name", "Mcp-Name of another prompt");
	ask(true, "prompts/get", "greeting", "'name':'greeting'");
	refuses(200, -32602, "the argument \\\"name\\\" is required", "a required argument that is missing");
	ask(false, "prompts/get", NULL, "'name':'greeting','arguments':{'name':7}");
	refuses(200, -32602, "the argument \\\"name\\\" must be a string", "an argument that is no string");
	ask(false, "prompts/get", NULL, "'name':'greeting','arguments':[]");
	refuses(200, -32602, "must be an object", "arguments that are no object");
	ask(false, "prompts/get", NULL, "'name':'none'");
	refuses(200, -32602, "Unknown prompt: none", "an unknown prompt");
	ask(false, "prompts/get", NULL, "");
	refuses(200, -32602, "must be a string", "no name");
	ask(true, "prompts/get", "secret", "'name':'secret'");
	refuses(403, 403, "'requiredScopes':['usr:read','usr:write']", "a prompt that the caller may not use");
	is_int((long long)reply.required_scopes.n, 2, "... all scopes are there for the challenge");
	service.deny_by_result = true;
	ask(true, "prompts/get", "secret", "'name':'secret'");
	refuses(403, 403, "requiredScopes", "... which has no result to say so, whatever STEP_UP says");
	service.deny_by_result = false;
	service.filter_lists = true;
	ask(true, "prompts/get", "secret", "'name':'secret'");
	refuses(200, -32602, "Unknown prompt", "... and where lists are filtered does not exist");
	service.filter_lists = false;
}

static void
test_resources(void)
{
	ask(true, "resources/read", "test://static", "'uri':'test://static'");
	answers("'contents':[{'uri':'test://static','mimeType':'text/plain','text':'hello'},{'uri':'test://other',"
	    "'blob':'AAE='}],'ttlMs':0,'cacheScope':'private'," TAIL, "resources/read: text and bytes");
	ask(true, "resources/read", "test://template/a%2Fb/data", "'uri':'test://template/a%2Fb/data'");
	answers("'contents':[{'uri':'test://template/a%2Fb/data','text':'a/b'}],"
	    "'ttlMs':7000,'cacheScope':'private'," TAIL,
	    "a template: the variable's value decoded");
	ask(true, "resources/read", "test://template/1/data", "'uri':'test://template/1/data','inputResponses':{}");
	ok(strstr(reply.body.data, q("'ttlMs':0")) != NULL, "what answers of the client went into is not to be kept");
	ask(true, "resources/read", "test://nobody", "'uri':'test://nobody'");
	refuses(200, -32602, "'data':{'uri':'test://nobody'}", "one that does not exist, modern");
	ask(false, "resources/read", NULL, "'uri':'test://nobody'");
	refuses(200, -32002, "'data':{'uri':'test://nobody'}", "one that does not exist, legacy");
	ask(false, "resources/read", NULL, "'uri':'test://template/gone/data'");
	refuses(200, -32002, "'data':{'uri':'test://template/gone/data'}", "one that its template does not have");
	ask(false, "resources/read", NULL, "'uri':'test://template/a/b/data'");
	refuses(200, -32002, "not found", "a value with a slash is none");
	ask(false, "resources/read", NULL, "'uri':7");
	refuses(200, -32602, "must be a string", "a URI that is no string");
	ask(true, "resources/read", "vault://a/b", "'uri':'vault://a/b'");
	refuses(403, 403, "Requires admin scope", "one that the caller may not read");
	service.filter_lists = true;
	ask(true, "resources/read", "vault://a/b", "'uri':'vault://a/b'");
	refuses(200, -32602, "Resource not found", "... which does not exist where lists are filtered");
	service.filter_lists = false;
	ask(true, "resources/read", "test://else", "'uri':'test://static'");
	refuses(400, -32020, "Mcp-Name", "Mcp-Name with another URI");
}

static void
test_completion(void)
{
	ask(true, "completion/complete", NULL, "'ref':{'type':'ref/prompt','name':'greeting'},"
	    "'argument':{'name':'name','value':'ad'},'context':{'arguments':{'language':'c'}}");
	answers("'completion':{'values':['ad-c'],'total':1,'hasMore':false}," TAIL,
	    "an argument of a prompt, in context");
	ask(false, "completion/complete", NULL, "'ref':{'type':'ref/resource','uri':'test://template/{id}/data'},"
	    "'argument':{'name':'id','value':'many'}");
	ok(strstr(reply.body.data, q("'99'],'total':250,'hasMore':true")) != NULL,
	    "a variable of a template: 100 of 250");
	ask(true, "completion/complete", NULL, "'ref':{'type':'ref/prompt','name':'greeting'},'argument':"
	    "{'name':'language','value':''}");
	answers("'completion':{'values':[],'total':0,'hasMore':false}," TAIL, "one that nobody completes");
	ask(true, "completion/complete", NULL, "'ref':{'type':'ref/prompt','name':'secret'},'argument':"
	    "{'name':'a','value':''}");
	refuses(403, 403, "requiredScopes", "of a prompt that the caller may not use");
}

static void
test_bad_completion(void)
{
	static const char wrong_context[] = "'ref':{'type':'ref/prompt','name':'greeting'},"
	    "'argument':{'name':'name','value':''},'context':{'arguments':{'language':1}}";
	static const char *const bad[] = {
		"'argument':{'name':'a','value':''}",
		"'ref':{'type':'ref/tool','name':'greeting'},'argument':{'name':'name','value':''}",
		"'ref':{'type':'ref/prompt'},'argument':{'name':'name','value':''}",
		"'ref':{'type':'ref/prompt','name':'none'},'argument':{'name':'name','value':''}",
		"'ref':{'type':'ref/prompt','name':'greeting'},'argument':{'name':'none','value':''}",
		"'ref':{'type':'ref/prompt','name':'greeting'},'argument':{'name':'name'}",
		"'ref':{'type':'ref/prompt','name':'greeting'}",
		"'ref':{'type':'ref/resource','uri':'test://none/{id}'},'argument':{'name':'id','value':''}",
		"'ref':{'type':'ref/resource','uri':'test://static'},'argument':{'name':'id','value':''}",
		wrong_context,
		"'ref':{'type':'ref/prompt','name':'greeting'},'argument':{'name':'name','value':''},'context':[]"
	};

	for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
		ask(true, "completion/complete", NULL, bad[i]);
		refuses(200, -32602, "Invalid params", bad[i]);
	}
}

static const struct mirrored {
	const char *arguments, *region, *n;
	bool good;
	const char *what;
} mirrored[] = {
	{ "'region':'eu'", "eu", NULL, true, "the header says the argument" },
	{ "'region':'eu'", "us", NULL, false, "it says another" },
	{ "'region':'eu'", "EU", NULL, false, "values have case" },
	{ "'region':'eu'", NULL, NULL, false, "it is missing" },
	{ "'region':null", NULL, NULL, true, "null has no header" },
	{ "'region':null", "null", NULL, false, "... and must have none" },
	{ "", "eu", NULL, false, "no argument and a header" },
	{ "'region':''", NULL, NULL, true, "an empty string needs none" },
	{ "'region':'Hello'", "=?base64?SGVsbG8=?=", NULL, true, "base64" },
	{ "'region':'Hello'", "=?base64?SGVsbG8?=", NULL, false, "without its padding" },
	{ "'region':'Hello'", "=?base64?SGVs!!!bG8=?=", NULL, false, "with other characters" },
	{ "'region':'Hello'", "=?BASE64?SGVsbG8=?=", NULL, false, "with another mark" },
	{ "'region':'SGVsbG8='", "SGVsbG8=", NULL, true, "no marks: literal" },
	{ "'region':'=?base64?SGVsbG8='", "=?base64?SGVsbG8=", NULL, true, "half of the marks: literal" },
	{ "'region':'\\u00e4'", "=?base64?w6Q=?=", NULL, true, "beyond ASCII, in base64" },
	{ "'region':'\\u00e4'", "\xc3\xa4", NULL, false, "... but not as it is" },
	{ "'in':{'n':42}", NULL, "42", true, "a nested integer" },
	{ "'in':{'n':42}", NULL, "42.0", true, "... compared by value" },
	{ "'in':{'n':42.0}", NULL, "42", true, "... both ways" },
	{ "'in':{'n':-7}", NULL, "-7", true, "... below zero" },
	{ "'in':{'n':42}", NULL, "0x2a", false, "... but not in hexadecimal" },
	{ "'in':{'n':42}", NULL, "+42", false, "... nor with a plus" },
	{ "'in':{'n':42}", NULL, " 42x", false, "... nor with more behind it" },
	{ "'in':{'n':9007199254740993}", NULL, "9007199254740993", false, "... nor beyond 2^53-1" },
	{ "'in':7", NULL, NULL, true, "no object where the path leads: the schema's business" }
};

static void
test_mirrored(void)
{
	char params[256];

	for (size_t i = 0; i < sizeof mirrored / sizeof mirrored[0]; i++) {
		const struct mirrored *m = &mirrored[i];

		region_header = m->region;
		n_header = m->n;
		snprintf(params, sizeof params, "'name':'region','arguments':{%s}", m->arguments);
		ask(true, "tools/call", "region", params);
		is_int(reply.error_code, m->good ? 0 : -32020, "Mcp-Param: %s", m->what);
		is_int(reply.status, m->good ? 200 : 400, "... status");
	}
	region_header = n_header = NULL;
	sure_header = "true";
	ask(true, "tools/call", "region", "'name':'region','arguments':{'sure':true}");
	is_int(reply.error_code, 0, "a boolean");
	ask(true, "tools/call", "region", "'name':'region','arguments':{'sure':false}");
	refuses(400, -32020, "Mcp-Param-Sure", "another boolean");
	ask(false, "tools/call", NULL, "'name':'region','arguments':{'sure':false,'region':'eu'}");
	is_int(reply.error_code, 0, "the legacy era has no such headers");
	sure_header = NULL;
}

#define PARENT "00-0af7651916cd43dd8448eb211c80319c-00f067aa0ba902b7-01"

static const struct traced {
	const char *meta, *seen, *id;
} traced[] = {
	{ "'traceparent':'" PARENT "','tracestate':'a=1','baggage':'k=v'", PARENT "|a=1|k=v",
	    "0af7651916cd43dd8448eb211c80319c" },
	{ "'traceparent':'" PARENT "'", PARENT "|-|-", "0af7651916cd43dd8448eb211c80319c" },
	{ "'traceparent':'01-0af7651916cd43dd8448eb211c80319c-00f067aa0ba902b7-01-more'",
	    "01-0af7651916cd43dd8448eb211c80319c-00f067aa0ba902b7-01-more|-|-", "0af7651916cd43dd8448eb211c80319c" },
	{ "'traceparent':'" PARENT "-more','tracestate':'a=1'", "-|-|-", "" },
	{ "'traceparent':'ff-0af7651916cd43dd8448eb211c80319c-00f067aa0ba902b7-01'", "-|-|-", "" },
	{ "'traceparent':'00-00000000000000000000000000000000-00f067aa0ba902b7-01'", "-|-|-", "" },
	{ "'traceparent':'00-0AF7651916CD43DD8448EB211C80319C-00f067aa0ba902b7-01'", "-|-|-", "" },
	{ "'traceparent':'00-short','baggage':'k=v'", "-|-|k=v", "" },
	{ "'traceparent':7,'baggage':'k=\\u0001'", "-|-|-", "" }
};

static void
test_trace(void)
{
	char params[1024], text[256];

	for (size_t i = 0; i < sizeof traced / sizeof traced[0]; i++) {
		snprintf(params, sizeof params, "'name':'region','_meta':{" VERSION ",%s}", traced[i].meta);
		ask(true, "tools/call", "region", params);
		snprintf(text, sizeof text, "'text':'%s'", traced[i].seen);
		if (!ok(strstr(reply.body.data, q(text)) != NULL, "a tool sees %s", traced[i].seen))
			diag("%s", reply.body.data);
		is_str(reply.trace, traced[i].id, "... and the log \"%s\"", traced[i].id);
	}
}

/* Structured content that is no object, which clients know from 2026-07-28 on. */
static void
test_array(void)
{
	ask(true, "tools/call", "array", "'name':'array'");
	answers("'content':[{'type':'text','text':'[1]'}],'structuredContent':[1],'isError':false," TAIL,
	    "an array as structured content");
	ask(true, "tools/list", NULL, "");
	ok(strstr(reply.body.data, q("'outputSchema':{'type':'array'}")) != NULL, "... and its schema");
	ask(false, "tools/call", NULL, "'name':'array'");
	answers("'content':[{'type':'text','text':'[1]'}],'isError':false}}", "... older ones get the text");
	ask(false, "tools/list", NULL, "");
	ok(!strstr(reply.body.data, "outputSchema") && strstr(reply.body.data, q("'region'")) &&
	    strstr(reply.body.data, q("{'name':'array','description':'d','inputSchema':{'type':'object'}}]")),
	    "... and no schema");
	service.filter_lists = true;
	ask(false, "tools/list", NULL, "");
	ok(!strstr(reply.body.data, "outputSchema"), "... nor in a filtered list");
	service.filter_lists = false;
}

/* Links to resources, which clients know from 2025-06-18 on. */
static void
test_link(void)
{
	ask(false, "tools/call", NULL, "'name':'links'");
	answers("'content':[{'type':'resource_link','uri':'test://static','name':'static','mimeType':'text/plain',"
	    "'annotations':{'priority':1},'size':5}],'isError':false}}", "a link to a resource");
	ask(false, "tools/call", NULL,
	    "'name':'links','_meta':{'io.modelcontextprotocol/protocolVersion':'2025-03-26'}");
	message.protocol_version = "2025-03-26";
	mcp_reply_clear(&reply);
	buf_reset(&reply.body);
	mcp_dispatch(&service, &message, &reply);
	answers("'content':[{'type':'text','text':'static: test://static'}],'isError':false}}",
	    "... is text where links were not known");
}

/* Take the next cursor out of the answer; false: there is none. */
static bool
next_cursor(char out[512])
{
	const char *at = strstr(reply.body.data, "\"nextCursor\":\"");

	out[0] = '\0';
	if (at)
		snprintf(out, 512, "'cursor':'%.*s'", (int)strcspn(at + 14, "\""), at + 14);
	return at != NULL;
}

/* Go through all pages of prompts, and say which names came: "abc" for a, b and c. */
static size_t
walk(char names[64])
{
	char cursor[512] = "";
	size_t pages = 0;

	names[0] = '\0';
	do {
		ask(pages % 2 == 0, "prompts/list", NULL, cursor);
		for (const char *p = reply.body.data; (p = strstr(p, "{\"name\":\"")); p++)
			if (p[10] == '"')	/* the server's own is longer */
				strncat(names, p + 9, 1);
	} while (++pages < 20 && next_cursor(cursor));
	return pages;
}

static void
test_pages(void)
{
	static struct prompt prompts[7];
	static char names[7][2];
	char dir[] = "/tmp/offers-t-XXXXXX", seen[64], cursor[512], bad[512], file[64];
	struct secrets *here, *there;
	struct registry *r = NULL;
	struct state *state = NULL;

	ok(mkdtemp(dir) && state_open(dir, &state, NULL) == MCP_OK && secrets_new(state, &here) == MCP_OK &&
	    secrets_new(state, &there) == MCP_OK && registry_new(&r) == MCP_OK, "keys of two processes");
	for (size_t i = 0; i < 7; i++) {
		names[i][0] = (char)('a' + i);
		prompts[i] = (struct prompt){ .name = names[i], .scopes = i % 3 == 1 ? "admin" : "",
		    .get = get_greeting };
		if (registry_add_prompt(r, &prompts[i], NULL, NULL))
			diag("not added");
	}
	ok(registry_add_resource(r, &fixed, NULL, NULL) == MCP_OK &&
	    registry_add(r, &same_name, NULL, NULL) == MCP_OK && registry_seal(r) == MCP_OK, "seven prompts");
	service.registry = r;
	service.secrets = here;
	for (service.page_size = 1; service.page_size <= 8; service.page_size++) {
		is_int((long long)walk(seen), (long long)((7 + service.page_size - 1) / service.page_size),
		    "pages of %zu", service.page_size);
		is_str(seen, "abcdefg", "... show each once, in order");
		service.filter_lists = true;
		is_int((long long)walk(seen), (long long)((5 + service.page_size - 1) / service.page_size),
		    "... filtered");
		is_str(seen, "acdfg", "... what the caller may use");
		service.filter_lists = false;
	}
	service.page_size = 3;
	ask(true, "prompts/list", NULL, "");
	ok(next_cursor(cursor), "the first of three pages");
	service.secrets = there;
	ask(true, "prompts/list", NULL, cursor);
	ok(strstr(reply.body.data, q("'prompts':[{'name':'d'}")) != NULL, "another process goes on");
	ask(true, "resources/list", NULL, cursor);
	refuses(200, -32602, "unknown cursor", "a cursor for another list");
	ask(true, "tools/list", NULL, cursor);
	refuses(200, -32602, "unknown cursor", "... even where there is an entry of that name");
	for (size_t i = 10; i < strlen(cursor) - 1; i += 7) {
		memcpy(bad, cursor, sizeof bad);
		bad[i] = bad[i] == 'A' ? 'B' : 'A';
		ask(true, "prompts/list", NULL, bad);
		is_int(reply.error_code, -32602, "a cursor with another byte at %zu", i);
	}
	snprintf(bad, sizeof bad, "%.*sAAAA'", (int)strlen(cursor) - 1, cursor);
	ask(true, "prompts/list", NULL, bad);
	refuses(200, -32602, "unknown cursor", "one with more behind it");
	ask(true, "prompts/list", NULL, "'cursor':7");
	refuses(200, -32602, "unknown cursor", "one that is no string");
	ask(true, "prompts/list", NULL, "'cursor':null");
	refuses(200, -32602, "unknown cursor", "... or null");
	prompts[2].name = "z";	/* "c" is gone */
	registry_free(r);
	ok(registry_new(&r) == MCP_OK && registry_add_prompt(r, &prompts[0], NULL, NULL) == MCP_OK &&
	    registry_add_prompt(r, &prompts[2], NULL, NULL) == MCP_OK && registry_seal(r) == MCP_OK, "another set");
	service.registry = r;
	ask(true, "prompts/list", NULL, cursor);
	refuses(200, -32602, "unknown cursor", "a cursor behind an entry that is gone");
	registry_free(r);
	service.secrets = NULL;
	secrets_free(here);
	secrets_free(there);
	state_close(state);
	for (size_t i = 0; i < 3; i++) {
		static const char *const ends[] = { "", "-wal", "-shm" };

		snprintf(file, sizeof file, "%s/state.db%s", dir, ends[i]);
		unlink(file);
	}
	ok(rmdir(dir) == 0, "nothing is left");
}

int
main(void)
{
	struct registry *r;

	test_nothing();
	r = setup();
	test_lists();
	test_prompts();
	test_resources();
	test_completion();
	test_bad_completion();
	test_mirrored();
	test_trace();
	test_array();
	test_link();
	test_pages();
	buf_clear(&reply.body);
	mcp_reply_clear(&reply);
	registry_free(r);
	return tap_done();
}
