/* SPDX-License-Identifier: MIT */
/* Multi round-trip requests: what is asked, what comes back, and what a client could try with the state between. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/json.h"
#include "mcp/dispatch.h"
#include "mcp/registry.h"
#include "mcp/resource.h"
#include "store/secrets.h"
#include "store/state.h"
#include "tests/quotes.h"
#include "tests/tap.h"

#define NOW INT64_C(1800000000)
#define FORM "{'type':'object','properties':{'name':{'type':'string','minLength':2}},'required':['name']}"
#define ANY "{\"type\":\"object\"}"

static char dir[64] = "/tmp/rounds-t-XXXXXX";
static char alice[] = "alice", bob[] = "bob", issuer[] = "https://as.example", client[] = "c1", other_client[] = "c2";
static struct principal caller = { .issuer = issuer, .subject = alice, .client_id = client };
static struct mcp_service service = { .name = "srv", .version = "1", .list_ttl_ms = 1000, .tool_timeout_ms = 1000,
	.request_state_s = 600 };
static struct mcp_reply reply;
static int64_t now_s = NOW;

static struct json_object *
parsed(const char *text)
{
	static const struct json_bounds bounds = { 65536, 32, 1000 };
	struct json_object *v = NULL;

	if (json_parse(q(text), strlen(q(text)), &bounds, &v, NULL))
		diag("no JSON: %s", text);
	return v;
}

static const char *
name_of(const struct json_object *answer)
{
	struct json_object *content;
	const char *name = "?", *action = "?";

	if (json_get_string(answer, "action", &action, NULL) != MCP_OK || strcmp(action, "accept") != 0)
		return action;
	if (json_get_object(answer, "content", &content) != MCP_OK ||
	    json_get_string(content, "name", &name, NULL) != MCP_OK)
		return "?";
	return name;
}

static enum mcp_err
ask_name(struct tool_call *call, const char *key, const struct json_object **answer)
{
	return tool_elicit(call, key, "Who?", parsed(FORM), answer);
}

static enum mcp_err
call_one(struct tool_call *call)
{
	const struct json_object *answer;
	enum mcp_err err = ask_name(call, "user_name", &answer);

	return err ? err : tool_textf(call, "Hello, %s!", name_of(answer));
}

/* Three questions at once, and a state. */
static enum mcp_err
call_many(struct tool_call *call)
{
	const struct json_object *name, *message, *roots;
	enum mcp_err err[3];

	err[0] = ask_name(call, "name", &name);
	err[1] = tool_sample(call, "message", parsed("{'messages':[],'maxTokens':10}"), &message);
	err[2] = tool_roots(call, "roots", &roots);
	for (int i = 0; i < 3; i++)
		if (err[i] && err[i] != MCP_EAGAIN)
			return err[i];
	if (err[0] || err[1] || err[2])
		return tool_set_state(call, json_new_string("mine", 4));
	return tool_textf(call, "%s, state %s", name_of(name), tool_state(call) ? "kept" : "lost");
}

/* One question after the other; the answers before are there in each round. */
static enum mcp_err
call_steps(struct tool_call *call)
{
	const struct json_object *first, *second;
	enum mcp_err err = ask_name(call, "first", &first);

	if (!err)
		err = ask_name(call, "second", &second);
	if (err == MCP_EAGAIN && tool_set_state(call, json_new_int(1)))
		return MCP_ENOMEM;
	return err ? err : tool_textf(call, "%s and %s", name_of(first), name_of(second));
}

static enum mcp_err
call_url(struct tool_call *call)
{
	const struct json_object *answer;
	enum mcp_err err = tool_elicit_url(call, "go", "Please sign in", "id-1", "https://example.com/", &answer);
	const char *action = "?";

	if (err)
		return err;
	return json_get_string(answer, "action", &action, NULL) ? MCP_EINVAL : tool_textf(call, "%s", action);
}

/* Uses what the client has: does without a form when there is none. */
static enum mcp_err
call_either(struct tool_call *call)
{
	const struct json_object *answer;
	enum mcp_err err = ask_name(call, "name", &answer);

	if (err == MCP_ENOTSUP)
		err = tool_sample(call, "message", parsed("{'messages':[],'maxTokens':10}"), &answer);
	return err ? err : tool_text(call, "done", 4);
}

/* A form and a page. */
static enum mcp_err
call_both(struct tool_call *call)
{
	const struct json_object *answer;
	enum mcp_err form = ask_name(call, "name", &answer), page;

	page = tool_elicit_url(call, "go", "Please sign in", "id-1", "https://example.com/", &answer);
	return form ? form : page;
}

static enum mcp_err
call_wrong(struct tool_call *call)
{
	const struct json_object *answer;

	return tool_ask(call, "key", "tools/list", NULL, &answer);
}

/* Asks with the method and the params of its arguments. */
static enum mcp_err
call_raw(struct tool_call *call)
{
	const struct json_object *answer;
	struct json_object *params = NULL;
	const char *method;

	if (json_get_string(call->arguments, "method", &method, NULL) != MCP_OK ||
	    json_get_object(call->arguments, "params", &params) != MCP_OK)
		return MCP_ENOMEM;
	return tool_ask(call, "key", method, json_ref(params), &answer);
}

static enum mcp_err
call_no_schema(struct tool_call *call)
{
	const struct json_object *answer;

	return tool_elicit(call, "name", "Who?", parsed("{'type':12}"), &answer);
}

static enum mcp_err
call_large(struct tool_call *call)
{
	const struct json_object *answer;
	char *text = malloc(SEAL_PLAIN_MAX);
	enum mcp_err err;

	if (!text)
		return MCP_ENOMEM;
	memset(text, 'x', SEAL_PLAIN_MAX);
	err = tool_set_state(call, json_new_string(text, SEAL_PLAIN_MAX));
	free(text);
	return err ? err : ask_name(call, "name", &answer);
}

static enum mcp_err
read_asked(struct tool_call *call)
{
	const struct json_object *answer;
	enum mcp_err err = ask_name(call, "name", &answer);

	return err ? err : resource_text(call, NULL, NULL, name_of(answer), strlen(name_of(answer)));
}

static enum mcp_err
complete_asks(struct tool_call *call, const char *value)
{
	const struct json_object *answer;

	(void)value;
	return ask_name(call, "name", &answer);
}

#define TOOL(n, f) { .name = n, .description = "d", .input_schema = ANY, .scopes = "", .call = f }
static const struct tool tools[] = {
	TOOL("one", call_one), TOOL("many", call_many), TOOL("steps", call_steps), TOOL("url", call_url),
	TOOL("either", call_either), TOOL("both", call_both), TOOL("wrong", call_wrong),
	TOOL("raw", call_raw),
	TOOL("no_schema", call_no_schema), TOOL("large", call_large)
};
static const struct prompt_argument arguments[] = { { .name = "a", .complete = complete_asks }, { .name = NULL } };
static const struct prompt prompt = { .name = "asks", .description = "d", .arguments = arguments, .scopes = "",
	.get = call_one };
static const struct resource resource = { .uri = "test://asks", .name = "asks", .scopes = "", .read = read_asked };

#define ALL "{'elicitation':{'form':{},'url':{}},'sampling':{},'roots':{}}"

/* Dispatch a request with these capabilities and further members of params (with a comma before each). */
static void
request(const char *method, const char *named, const char *name, const char *capabilities, const char *more)
{
	struct mcp_message message = { .protocol_version = "2026-07-28", .method = method, .name = name,
		.principal = &caller, .request_id = "r", .now_s = now_s };
	struct buf text;

	buf_init(&text, 1 << 20);
	buf_printf(&text, "{'jsonrpc':'2.0','id':1,'method':'%s','params':{'_meta':{"
	    "'io.modelcontextprotocol/protocolVersion':'2026-07-28',"
	    "'io.modelcontextprotocol/clientCapabilities':%s},'%s':'%s'%s}}", method, capabilities, named, name, more);
	for (size_t i = 0; i < text.len; i++)
		if (text.data[i] == '\'')
			text.data[i] = '"';
	buf_clear(&reply.body);
	mcp_reply_clear(&reply);
	memset(&reply, 0, sizeof reply);
	buf_init(&reply.body, 1 << 20);
	message.text = text.data;
	message.len = text.len;
	mcp_dispatch(&service, &message, &reply);
	buf_clear(&text);
}

static void
call(const char *name, const char *more)
{
	request("tools/call", "name", name, ALL, more);
}

/* Whether the answer has the text. */
static bool
says(const char *text)
{
	if (strstr(reply.body.data, q(text)))
		return true;
	diag("answer %d: %s", reply.status, reply.body.data);
	return false;
}

/* The requestState of the answer, "" if none; good until the next call. */
static const char *
state_of(void)
{
	static char state[4096];
	const char *at = strstr(reply.body.data, "\"requestState\":\"");
	size_t len = at ? strcspn(at + 16, "\"") : 0;

	snprintf(state, sizeof state, "%.*s", (int)len, at ? at + 16 : "");
	return state;
}

static const char *
with_state(const char *responses, const char *state)
{
	static char more[8192];

	snprintf(more, sizeof more, ",'inputResponses':%s,'requestState':'%s'", responses, state);
	return more;
}

#define NAME(key, n) "{'" key "':{'action':'accept','content':{'name':'" n "'}}}"

static void
test_questions(void)
{
	call("one", "");
	is_int(reply.status, 200, "a question is an answer with 200");
	ok(says("{'inputRequests':{'user_name':{'method':'elicitation/create','params':{'mode':'form','message':'Who?',"
	    "'requestedSchema':" FORM "}}},'resultType':'input_required','_meta':"),
	    "it has key, method, params and type");
	is_str(state_of(), "", "and no state where nothing is to be remembered");
	call("one", ",'inputResponses':" NAME("user_name", "Ann"));
	ok(says("Hello, Ann!") && says("'resultType':'complete'"), "the answer completes the call, without a state");
	call("one", ",'inputResponses':{'user_name':{'action':'accept','content':{'name':'Ann'}},'x':1,'y':{}}");
	ok(says("Hello, Ann!"), "answers that nobody asked for are ignored, whatever they are");
	call("one", ",'inputResponses':{'wrong_key':{'action':'accept'}}");
	ok(says("'resultType':'input_required'"), "an answer to something else only: asked again");
	call("one", ",'inputResponses':{'user_name':{'action':'decline'}}");
	ok(says("Hello, decline!"), "a person may decline");
	call("url", "");
	ok(says("'go':{'method':'elicitation/create','params':{'mode':'url','message':'Please sign in',"
	    "'url':'https://example.com/'}}"), "a URL to be opened is asked for, by the members of this version");
	call("url", ",'inputResponses':{'go':{'action':'accept'}}");
	ok(says("'text':'accept'"), "and consented to");
	request("prompts/get", "name", "asks", ALL, "");
	ok(says("'resultType':'input_required'") && says("'user_name':"), "a prompt may ask");
	request("prompts/get", "name", "asks", ALL, ",'inputResponses':" NAME("user_name", "Ann"));
	ok(says("Hello, Ann!") && says("'messages':"), "and be answered");
	request("resources/read", "uri", "test://asks", ALL, "");
	ok(says("'resultType':'input_required'") && !strstr(reply.body.data, "ttlMs"), "so may a resource");
	request("resources/read", "uri", "test://asks", ALL, ",'inputResponses':" NAME("name", "Ann"));
	ok(says("'contents':") && says("Ann"), "and be answered");
}

static void
test_no_answers(void)
{
	static const char *const wrong[] = {
		"{'user_name':12345}", "{'user_name':null}", "{'user_name':[]}", "{'user_name':{}}",
		"{'user_name':{'action':'ACCEPT'}}", "{'user_name':{'action':1}}", "{'user_name':{'action':'accept'}}",
		"{'user_name':{'action':'accept','content':[]}}", "{'user_name':{'action':'accept','content':{}}}",
		"{'user_name':{'action':'accept','content':{'name':1}}}",
		"{'user_name':{'action':'accept','content':{'name':'A'}}}", "null", "[]", "'x'", "1"
	};
	char more[256];

	for (size_t i = 0; i < sizeof wrong / sizeof wrong[0]; i++) {
		snprintf(more, sizeof more, ",'inputResponses':%s", wrong[i]);
		call("one", more);
		ok(reply.error_code == -32602 && says("'error':{'code':-32602"), "no answer: %s", wrong[i]);
	}
	call("many", ",'inputResponses':{'message':{'role':'assistant','content':{'type':'text'},'model':'m'}}");
	is_int(reply.error_code, -32602, "a message without text is none");
	call("many", ",'inputResponses':{'message':{'role':'system','content':{'type':'text','text':''},'model':'m'}}");
	is_int(reply.error_code, -32602, "nor one with another role");
	call("many", ",'inputResponses':{'message':{'role':'user','model':'m',"
	    "'content':[{'type':'text','text':''},1]}}");
	is_int(reply.error_code, -32602, "nor one with content that is no block");
	call("many", ",'inputResponses':{'roots':{'roots':[{'uri':'https://x/'}]}}");
	is_int(reply.error_code, -32602, "a root that is no file is none");
	call("one", ",'requestState':null");
	is_int(reply.error_code, -32602, "a state that is no string is refused");
	call("wrong", "");
	is_int(reply.error_code, -32603, "a tool that asks for what cannot be asked fails");
	call("no_schema", ",'inputResponses':" NAME("name", "Ann"));
	is_int(reply.error_code, -32603, "a schema that is none is the tool's failure");
	call("large", "");
	is_int(reply.error_code, -32603, "a state that is too large is told");
	ok(says("too large to be carried on"), "by name");
}

#define USE "{'role':'assistant','content':[{'type':'text','text':''}," \
	"{'type':'tool_use','id':'1','name':'n','input':{}},{'type':'tool_use','id':'2','name':'n','input':{}}]}"
#define RESULT(id) "{'type':'tool_result','toolUseId':'" id "','content':[]}"
#define FIELD(schema) "elicitation/create", "{'message':'m','requestedSchema':{'type':'object','properties':{" \
	"'a':{'type':'string'},'b':" schema "}}}"
#define MESSAGES(list) "sampling/createMessage", "{'maxTokens':1,'messages':[" list "]}"

/* What a tool must not ask with, whatever the client can do. */
static void
test_params(void)
{
	static const struct {
		const char *method, *params;
		bool good;
	} rows[] = {
		{ "elicitation/create", "{'requestedSchema':{'type':'object','properties':{}}}", false },
		{ "elicitation/create", "{'message':'m'}", false },
		{ "elicitation/create", "{'message':'m','requestedSchema':{'type':'array','properties':{}}}", false },
		{ "elicitation/create", "{'message':'m','requestedSchema':{'type':'object'}}", false },
		{ FIELD("{'type':'object'}"), false }, { FIELD("{}"), false }, { FIELD("true"), false },
		{ FIELD("{'type':'array','items':{'type':'object'}}"), false }, { FIELD("{'type':'array'}"), false },
		{ FIELD("{'type':'string','oneOf':[{'const':'c','title':'C'}]}"), true },
		{ FIELD("{'type':'array','items':{'type':'string','enum':['c']}}"), true },
		{ FIELD("{'type':'array','items':{'anyOf':[{'const':'c','title':'C'}]}}"), true },
		{ FIELD("{'type':'integer','minimum':1}"), true }, { FIELD("{'type':'boolean'}"), true },
		{ "elicitation/create", "{'mode':'url','message':'m','elicitationId':'i','url':'h:x?z'}", true },
		{ "elicitation/create", "{'mode':'url','message':'m','url':'https://x/'}", false },
		{ "elicitation/create", "{'mode':'url','message':'m','elicitationId':'i'}", false },
		{ "elicitation/create", "{'mode':'url','message':'m','elicitationId':'i','url':'/x'}", false },
		{ "elicitation/create", "{'mode':'url','message':'m','elicitationId':'i','url':'h:x y'}", false },
		{ "sampling/createMessage", "{'maxTokens':1}", false },
		{ "sampling/createMessage", "{'messages':[]}", false },
		{ MESSAGES("{'role':'user','content':{'type':'text','text':''}}"), true },
		{ MESSAGES("{'role':'system','content':{'type':'text','text':''}}"), false },
		{ MESSAGES("{'role':'user','content':[]}"), false },
		{ MESSAGES(USE ",{'role':'user','content':[" RESULT("2") "," RESULT("1") "]}"), true },
		{ MESSAGES(USE ",{'role':'user','content':[" RESULT("1") "]}"), false },
		{ MESSAGES(USE ",{'role':'user','content':" RESULT("1") "}"), false },
		{ MESSAGES(USE ",{'role':'assistant','content':[" RESULT("2") "," RESULT("1") "]}"), false },
		{ MESSAGES(USE ",{'role':'user','content':[" RESULT("2") "," RESULT("1") ",{'type':'text'}]}"), false },
		{ MESSAGES(USE), false },
		{ MESSAGES("{'role':'user','content':[" RESULT("1") "]}"), false },
	};
	char more[1024];

	for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
		snprintf(more, sizeof more, ",'arguments':{'method':'%s','params':%s}", rows[i].method, rows[i].params);
		call("raw", more);
		ok(rows[i].good ? says("input_required") : reply.error_code == -32603, "%s with %s: %s", rows[i].method,
		    rows[i].params, rows[i].good ? "asked" : "not asked");
	}
}

static void
test_rounds(void)
{
	char first[4096], second[4096];

	call("many", "");
	ok(says("'name':{'method':'elicitation/create'") && says("'message':{'method':'sampling/createMessage',"
	    "'params':{'messages':[],'maxTokens':10}}") && says("'roots':{'method':'roots/list'}"),
	    "three questions at once");
	snprintf(first, sizeof first, "%s", state_of());
	ok(first[0] && !strstr(first, "mine"), "with a state, which shows nothing");
	call("many", with_state("{'name':{'action':'accept','content':{'name':'Ann'}},"
	    "'message':{'role':'assistant','content':{'type':'text','text':'hi'},'model':'m'},"
	    "'roots':{'roots':[{'uri':'file:///home','name':'Home'}]}}", first));
	ok(says("Ann, state kept"), "three answers, and the state is back");
	call("many", with_state(NAME("name", "Ann"), first));
	ok(says("input_required") && !strstr(reply.body.data, "elicitation") && says("'roots':") && says("'message':"),
	    "one answer: only the others are asked for again");
	call("steps", "");
	snprintf(first, sizeof first, "%s", state_of());
	ok(says("'first':") && first[0], "round one");
	call("steps", with_state(NAME("first", "Ann"), first));
	snprintf(second, sizeof second, "%s", state_of());
	ok(says("'second':") && !strstr(reply.body.data, "'first'") && strcmp(first, second) != 0,
	    "round two, with another state");
	call("steps", with_state(NAME("second", "Ben"), second));
	ok(says("Ann and Ben") && says("'resultType':'complete'"), "round three has both answers");
	call("steps", with_state(NAME("second", "Ben"), second));
	ok(says("Ann and Ben"), "the same again is the same again: nothing is kept here");
}

/* The retry was refused, and not with a new round. */
static void
refused(const char *what)
{
	ok(reply.error_code == -32602 && reply.status == 200 && !strstr(reply.body.data, "requestState\":"),
	    "%s: refused (%d)", what, reply.error_code);
}

/* Everything that a requestState must not be good for. */
static void
test_binding(void)
{
	char state[4096], changed[4200];
	int opened = 0;

	call("steps", ",'arguments':{'n':1}");
	snprintf(state, sizeof state, "%s", state_of());
	snprintf(changed, sizeof changed, "%s-TAMPERED", state);
	call("steps", with_state(NAME("first", "Ann"), changed));
	refused("something appended to the state");
	for (size_t i = 0; i < strlen(state); i++) {
		snprintf(changed, sizeof changed, "%s", state);
		changed[i] = changed[i] == 'A' ? 'B' : 'A';
		call("steps", with_state("{},'arguments':{'n':1}", changed));
		opened += reply.error_code != -32602;
	}
	is_int(opened, 0, "a change of any byte of the state is noticed");
	call("steps", with_state("{},'arguments':{'n':2}", state));
	refused("other arguments");
	call("steps", with_state("{}", state));
	refused("no arguments");
	call("many", with_state("{},'arguments':{'n':1}", state));
	refused("another tool");
	request("prompts/get", "name", "asks", ALL, with_state("{}", state));
	refused("another method");
	caller.subject = bob;
	call("steps", with_state("{},'arguments':{'n':1}", state));
	refused("another person");
	caller.subject = alice;
	caller.client_id = other_client;
	call("steps", with_state("{},'arguments':{'n':1}", state));
	refused("another client");
	caller.client_id = client;
	now_s = NOW + 600;
	call("steps", with_state("{},'arguments':{'n':1}", state));
	refused("ten minutes later");
	now_s = NOW + 599;
	call("steps", with_state("{},'arguments':{'n':1}", state));
	ok(says("input_required"), "a second before that it is good");
	now_s = NOW;
}

static void
test_capabilities(void)
{
	static const struct {
		const char *tool, *has, *lacks;
	} rows[] = {
		{ "one", "{}", "{'elicitation':{'form':{}}}" },
		{ "one", "{'elicitation':{'url':{}}}", "{'elicitation':{'form':{}}}" },
		{ "one", "{'elicitation':true}", "{'elicitation':{'form':{}}}" },
		{ "url", "{'elicitation':{}}", "{'elicitation':{'url':{}}}" },
		{ "many", "{'elicitation':{},'roots':{}}", "{'sampling':{}}" },
		{ "many", "{'elicitation':{},'sampling':{}}", "{'roots':{}}" },
		{ "many", "{'sampling':{}}", "{'elicitation':{'form':{}},'roots':{}}" },
		{ "many", "{}", "{'elicitation':{'form':{}},'sampling':{},'roots':{}}" },
		{ "either", "{}", "{'elicitation':{'form':{}},'sampling':{}}" },
		{ "both", "{'roots':{}}", "{'elicitation':{'form':{},'url':{}}}" },
	};
	char want[256];

	for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
		request("tools/call", "name", rows[i].tool, rows[i].has, "");
		snprintf(want, sizeof want, "'data':{'requiredCapabilities':%s}", rows[i].lacks);
		ok(reply.status == 400 && reply.error_code == -32021 && says(want), "%s of a client with %s: %s",
		    rows[i].tool, rows[i].has, rows[i].lacks);
	}
	request("tools/call", "name", "one", "{'elicitation':{}}", "");
	ok(says("input_required"), "elicitation without a mode is by form");
	request("tools/call", "name", "either", "{'sampling':{}}", "");
	ok(says("input_required") && says("sampling/createMessage") && !strstr(reply.body.data, "elicitation"),
	    "a tool that can do otherwise asks for what the client has");
	request("completion/complete", "x", "y", ALL, ",'ref':{'type':'ref/prompt','name':'asks'},"
	    "'argument':{'name':'a','value':'v'},'inputResponses':" NAME("name", "Ann"));
	is_int(reply.error_code, -32603, "completion cannot ask");
}

int
main(void)
{
	struct registry *r = NULL;
	struct state *state = NULL;
	char command[96];
	bool good;

	if (!mkdtemp(dir))
		return 99;
	good = registry_new(&r) == MCP_OK;
	for (size_t i = 0; good && i < sizeof tools / sizeof tools[0]; i++)
		good = registry_add(r, &tools[i], NULL, NULL) == MCP_OK;
	ok(good && registry_add_prompt(r, &prompt, NULL, NULL) == MCP_OK &&
	    registry_add_resource(r, &resource, NULL, NULL) == MCP_OK && registry_seal(r) == MCP_OK,
	    "tools, a prompt and a resource");
	ok(state_open(dir, &state, NULL) == MCP_OK && secrets_new(state, &service.secrets) == MCP_OK, "keys");
	service.registry = r;
	test_questions();
	test_no_answers();
	test_params();
	test_rounds();
	test_binding();
	test_capabilities();
	buf_clear(&reply.body);
	mcp_reply_clear(&reply);
	secrets_free(service.secrets);
	state_close(state);
	registry_free(r);
	snprintf(command, sizeof command, "rm -rf %s", dir);
	if (system(command) != 0)
		diag("%s was not removed", dir);
	return tap_done();
}
