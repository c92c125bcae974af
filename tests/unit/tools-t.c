/* SPDX-License-Identifier: MIT */
/* The built-in tools that can be shown without a server; tests/cases has them all behind the whole chain. */
#include <string.h>

#include "base/json.h"
#include "mcp/registry.h"
#include "schema/schema.h"
#include "tests/quotes.h"
#include "tests/tap.h"
#include "tools/tools.h"

#define NOW 1700003600

static size_t issuers;

static void
source_process(void *ctx, struct admin_process *out)
{
	is_str(ctx, "the context", "the source gets its context");
	*out = (struct admin_process){ .version = "1.2.3", .started_s = 1700000000, .pid = 77, .workers = 8,
	    .mode = "cgi",
		.requests = 12, .config_generation = 2, .config_loaded_s = 1700000060 };
}

static bool
source_keys(void *ctx, size_t i, int64_t now_s, const char **issuer, struct keystore_figures *out)
{
	(void)ctx;
	if (i >= issuers)
		return false;
	memset(out, 0, sizeof(*out));
	*issuer = i == 0 ? "https://a.example/\"quoted\"" : "https://b.example";
	out->usable = i == 0;
	out->keys = i == 0 ? 2 : 0;
	out->age_s = i == 0 ? now_s - 1700003000 : -1;
	out->fetches = 3;
	out->failures = (int64_t)i;
	if (i > 0)
		memcpy(out->last_fault, "no route", sizeof("no route"));
	return true;
}

static void
source_limiter(void *ctx, struct limiter_figures *out)
{
	(void)ctx;
	memset(out, 0, sizeof(*out));
	out->usable = true;
	out->admitted = 11;
	out->refused = 1;
}

static uint64_t
source_refusals(void *ctx, enum oauth_outcome outcome, int64_t *since_s)
{
	(void)ctx;
	*since_s = 1699999999;
	return outcome == OAUTH_EXPIRED ? 5 : outcome == OAUTH_INSUFFICIENT_SCOPE ? UINT64_MAX : 0;
}

static uint64_t
source_rate_limited(void *ctx)
{
	(void)ctx;
	return 7;
}

static char context[] = "the context";
static struct admin_source source = { context, source_process, source_keys, source_limiter, source_refusals,
	source_rate_limited };

static void
run_admin(const char *expected, const char *what)
{
	static const struct strlist none;
	struct tool_call call = { .now_s = NOW };
	struct registry *r = NULL;
	struct buf text;
	struct tool tool;
	const char *why = "";

	tool_admin_tool(&tool, &source);
	call.context = tool.context;
	buf_init(&text, 65536);
	ok(registry_new(&r) == MCP_OK && registry_add(r, &tool, &none, &why) == MCP_OK, "admin_tool is registered %s",
	    why ? why : "");
	ok(tool.call(&call) == MCP_OK, "%s", what);
	json_render(call.structured, &text);
	is_str(text.data, q(expected), "... as structured content");
	buf_reset(&text);
	ok(schema_validate(registry_at(r, REGISTRY_TOOL, 0)->output, call.structured, &text),
	    "... which fits the output schema");
	is_int((long long)json_count(call.content), 1, "... and as text");
	buf_clear(&text);
	json_free(call.content);
	json_free(call.structured);
	registry_free(r);
}

static void
test_admin(void)
{
	issuers = 2;
	run_admin("{'server':{'version':'1.2.3','mode':'cgi','pid':77,'startedAt':'2023-11-14T22:13:20Z',"
	    "'uptimeSeconds':3600,"
	    "'workers':8,'requests':12},'configuration':{'generation':2,'loadedAt':'2023-11-14T22:14:20Z'},"
	    "'keys':[{'issuer':'https://a.example/\\\"quoted\\\"','usable':true,'keys':2,'ageSeconds':600,'fetches':3,"
	    "'failures':0},{'issuer':'https://b.example','usable':false,'keys':0,'fetches':3,'failures':1,"
	    "'lastFault':'no route'}],'limiter':{'running':true,'usable':true,'rows':0,'admitted':11,'refused':1,"
	    "'faults':0},"
	    "'refusals':{'since':'2023-11-14T22:13:19Z','byReason':{'expired':5,"
	    "'insufficient_scope':9223372036854775807,'rate_limited':7}}}",
	    "the state of a busy server");
	issuers = 0;
	source.limiter = NULL;
	source.refusals = source_refusals;
	run_admin("{'server':{'version':'1.2.3','mode':'cgi','pid':77,'startedAt':'2023-11-14T22:13:20Z',"
	    "'uptimeSeconds':3600,"
	    "'workers':8,'requests':12},'configuration':{'generation':2,'loadedAt':'2023-11-14T22:14:20Z'},'keys':[],"
	    "'limiter':{'running':false},"
	    "'refusals':{'since':'2023-11-14T22:13:19Z','byReason':{'expired':5,"
	    "'insufficient_scope':9223372036854775807,'rate_limited':7}}}",
	    "a server without issuers and limiter");
}

/* S42, S43, S44: names, descriptions and the greeting. */
static void
test_greet(void)
{
	const struct json_bounds bounds = { 1000, 8, 100 };
	struct tool_call call = { .now_s = NOW };
	struct json_object *arguments = NULL;
	const char *text = q("{'name':'Ada \\\\ %s'}");
	struct tool tool;
	struct buf b;

	tool_greet_user(&tool);
	is_str(tool.name, "greet_user", "S42: greet_user has its name");
	is_str(tool.description, "Greets the user with a personalized message.", "S42: and its description");
	ok(json_parse(text, strlen(text), &bounds, &arguments, NULL) == MCP_OK, "arguments");
	call.arguments = arguments;
	ok(tool.call(&call) == MCP_OK && !call.is_error && !call.structured, "a call");
	buf_init(&b, 1000);
	json_render(call.content, &b);
	is_str(b.data, q("[{'type':'text','text':'Hi Ada \\\\ %s, welcome to Scalekit!'}]"),
	    "S43: the greeting is one text block");
	buf_clear(&b);
	json_free(call.content);
	json_free(arguments);
}

int
main(void)
{
	test_greet();
	test_admin();
	return tap_done();
}
