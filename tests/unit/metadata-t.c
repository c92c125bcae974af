/* SPDX-License-Identifier: MIT */
#include "oauth/metadata.h"

#include <stdlib.h>
#include <string.h>

#include "tests/tap.h"

#define MISSING "{\"error\": \"PROTECTED_RESOURCE_METADATA config missing\"}"
#define INVALID "{\"error\": \"Invalid JSON in PROTECTED_RESOURCE_METADATA\"}"

/* Authorization servers. */
static char as_1[] = "https://as/resources/res_1", as_2[] = "https://other", *servers[] = {as_1, as_2};
static const struct strlist one = {servers, 1}, two = {servers, 2};

static void
test_documents(void)
{
	static const char text[] =
	    "{\"authorization_servers\":[\"https://as.example/resources/res_1\",\"https://other\"],"
	    "\"bearer_methods_supported\":[\"header\"],"
	    "\"resource\":\"http://localhost:3002/\",\"x\":{\"z\":1,\"a\":[]}}";
	static const char want[] =
	    "{\n  \"authorization_servers\": [\n    \"https://as.example/resources/res_1\",\n"
	    "    \"https://other\"\n  ],\n"
	    "  \"bearer_methods_supported\": [\n    \"header\"\n  ],\n  \"resource\": \"http://localhost:3002/\",\n"
	    "  \"x\": {\n    \"z\": 1,\n    \"a\": []\n  }\n}";
	struct metadata m;

	is_int(metadata_build(text, "https://unused", &one, NULL, &m, NULL), MCP_OK,
	    "S39: a document is taken");
	is_int(m.status, 200, "S39: with status 200");
	is_str(m.body, want, "S39: the same members in the same order, two blanks a level");
	is_str(m.resource, "http://localhost:3002/", "J7: its resource, byte for byte");
	metadata_clear(&m);
	ok(!m.body && !m.resource, "nothing is left after metadata_clear()");
	metadata_clear(NULL);

	is_int(metadata_build("{}", NULL, NULL, NULL, &m, NULL), MCP_OK, "an object without members is one");
	is_int(m.status, 200, "with status 200");
	ok(!m.resource, "and no resource");
	metadata_clear(&m);
	is_int(metadata_build("{\"resource\":1,\"authorization_servers\":[2]}", NULL, NULL, NULL, &m, NULL), MCP_OK,
	    "members of other types");
	ok(!m.resource, "are not read");
	metadata_clear(&m);
}

static void
test_faults(void)
{
	static const char *const rubbish[] = {"nonsense", "[]", "\"auto\"", "null", "{\"a\":1", "{'a':1}", "{\"a\":1,}",
		"{\"a\":1}x", "{\"a\":1,\"a\":2}", "AUTO", " "};
	struct json_fault fault;
	struct metadata m;

	is_int(metadata_build(NULL, "https://r", &one, NULL, &m, NULL), MCP_OK, "S38: unset");
	is_int(m.status, 500, "S38: is 500");
	is_str(m.body, MISSING, "S38: with this body");
	ok(!m.resource, "S38: nothing is guessed");
	metadata_clear(&m);
	is_int(metadata_build("", NULL, NULL, NULL, &m, NULL), MCP_OK, "S38: empty is unset");
	is_str(m.body, MISSING, "S38: with the same body");
	metadata_clear(&m);
	for (size_t i = 0; i < sizeof(rubbish) / sizeof(*rubbish); i++) {
		is_int(metadata_build(rubbish[i], NULL, NULL, NULL, &m, &fault), MCP_OK, "T20: %s", rubbish[i]);
		is_int(m.status, 500, "T20: is 500");
		is_str(m.body, INVALID, "T20: with this body");
		ok(fault.what && *fault.what, "T20: and tells what is wrong: %s", fault.what ? fault.what : "");
		metadata_clear(&m);
	}
}

static void
test_auto(void)
{
	char read[] = "usr:read", admin[] = "admin", *v[] = {read, admin};
	struct strlist scopes = {v, 2};
	struct metadata m;

	is_int(metadata_build("auto", "https://mcp.example.com/mcp", &two, &scopes, &m, NULL),
	    MCP_OK, "auto composes a document, with all authorization servers");
	is_str(m.body, "{\n  \"authorization_servers\": [\n    \"https://as/resources/res_1\",\n"
	    "    \"https://other\"\n  ],\n"
	    "  \"bearer_methods_supported\": [\n    \"header\"\n  ],\n"
	    "  \"resource\": \"https://mcp.example.com/mcp\",\n"
	    "  \"scopes_supported\": [\n    \"usr:read\",\n    \"admin\"\n  ]\n}", "with the members of RFC 9728");
	is_str(m.resource, "https://mcp.example.com/mcp", "J7: whose resource is the one given");
	metadata_clear(&m);
	is_int(metadata_build("auto", "https://r", &one, NULL, &m, NULL), MCP_OK, "auto without scopes");
	ok(!strstr(m.body, "scopes_supported"), "leaves them out");
	metadata_clear(&m);
	is_int(metadata_build("auto", NULL, &one, NULL, &m, NULL), MCP_OK, "auto without a resource");
	is_int(m.status, 500, "is S38's 500");
	metadata_clear(&m);
	is_int(metadata_build("auto", "https://r", NULL, NULL, &m, NULL), MCP_OK,
	    "auto without an authorization server");
	is_str(m.body, MISSING, "is S38's too");
	metadata_clear(&m);
}

#define W "/.well-known/oauth-protected-resource"

static void
test_urls(void)
{
	static const struct {
		const char *resource, *inserted, *root;
	} good[] = {
		{"https://h", "https://h" W, "https://h" W},
		{"https://h/", "https://h" W, "https://h" W},
		{"https://h/mcp", "https://h" W "/mcp", "https://h" W},
		{"https://h/mcp/", "https://h" W "/mcp/", "https://h" W},
		{"http://localhost:3002/", "http://localhost:3002" W, "http://localhost:3002" W},
		{"https://h:8443/a/b", "https://h:8443" W "/a/b", "https://h:8443" W},
		{"https://h/a?x=1", "https://h" W "/a?x=1", "https://h" W},
		{"https://h?x=1", "https://h" W "?x=1", "https://h" W},
		{"https://h/?x=1", "https://h" W "?x=1", "https://h" W},
		{"HTTPS://H/A", "HTTPS://H" W "/A", "HTTPS://H" W},
		{"http://[::1]:80/mcp", "http://[::1]:80" W "/mcp", "http://[::1]:80" W},
	};
	static const char *const bad[] = {"", "h/mcp", "/mcp", "ftp://h/", "https:/h", "https://", "https:///mcp",
	    "https://?x",
		"https://u@h/", "https://u:p@h/mcp", "https://h/mcp#f", "https://h#", "https://h/a b", "https://h/\"",
		    "https://h/\r\nX: y",
		"https://h/\303\244", "https://h/<your-mcp-path>", "https://h/\\"};
	struct buf b;

	buf_init(&b, 512);
	for (size_t i = 0; i < sizeof(good) / sizeof(*good); i++) {
		buf_reset(&b);
		is_int(metadata_url(good[i].resource, false, &b), MCP_OK, "J7: %s has a metadata URL",
		    good[i].resource);
		is_str(b.data, good[i].inserted, "J7: with the path behind the well-known part");
		buf_reset(&b);
		is_int(metadata_url(good[i].resource, true, &b), MCP_OK, "J7: and one at the root");
		is_str(b.data, good[i].root, "J7: without the path");
	}
	buf_reset(&b);
	for (size_t i = 0; i < sizeof(bad) / sizeof(*bad); i++)
		ok(metadata_url(bad[i], i % 2 == 0, &b) == MCP_ESYNTAX && b.len == 0, "no URL for bad resource %zu", i);
	buf_clear(&b);
	buf_init(&b, 8);
	is_int(metadata_url("https://h/mcp", false, &b), MCP_ELIMIT, "a full buffer is told");
	buf_clear(&b);
}

int
main(void)
{
	test_documents();
	test_faults();
	test_auto();
	test_urls();
	return tap_done();
}
