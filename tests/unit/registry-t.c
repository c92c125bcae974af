/* SPDX-License-Identifier: MIT */
#include "mcp/registry.h"

#include <stdio.h>
#include <string.h>

#include "tests/quotes.h"
#include "tests/tap.h"
#include "tools/tools.h"

static enum mcp_err
nothing(struct tool_call *call)
{
	(void)call;
	return MCP_OK;
}

static const struct strlist no_scopes = { 0 };

#define GOOD .name = "t", .description = "d", .input_schema = "{\"type\":\"object\"}", .call = nothing

static const struct bad {
	struct tool tool;
	const char *why;
} bad[] = {
	{ { .name = "", .description = "d", .input_schema = "{\"type\":\"object\"}", .call = nothing },
	    "the name of a tool is 1 to 128 of A-Z a-z 0-9 _ . -" },
	{ { .name = "a b", .description = "d", .input_schema = "{\"type\":\"object\"}", .call = nothing },
	    "the name of a tool is 1 to 128 of A-Z a-z 0-9 _ . -" },
	{ { .name = "a/b", .description = "d", .input_schema = "{\"type\":\"object\"}", .call = nothing },
	    "the name of a tool is 1 to 128 of A-Z a-z 0-9 _ . -" },
	{ { .name = "t", .description = "", .input_schema = "{\"type\":\"object\"}", .call = nothing },
	    "the tool has no description" },
	{ { .name = "t", .description = "d", .call = nothing }, "the tool has no input schema" },
	{ { .name = "t", .description = "d", .input_schema = "{\"type\":\"object\"}" }, "the tool has no function" },
	{ { .name = "t", .description = "d", .input_schema = "{", .call = nothing },
	    "a schema, annotations, icons or _meta are not JSON" },
	{ { .name = "t", .description = "d", .input_schema = "[]", .call = nothing },
	    "a schema, annotations, icons or _meta are not of the right JSON type" },
	{ { .name = "t", .description = "d", .input_schema = "{}", .call = nothing },
	    "the input schema of a tool must have 'type': 'object'" },
	{ { .name = "t", .description = "d", .input_schema = "{\"type\":\"object\",\"patternProperties\":1}",
	    .call = nothing },
	    "inputSchema #/patternProperties: must be an object" },
	{ { GOOD, .output_schema = "{\"type\":\"object\",\"not\":1}" },
	    "outputSchema #/not: a schema must be an object, true or false" },
	{ { GOOD, .annotations = "7" }, "a schema, annotations, icons or _meta are not of the right JSON type" },
	{ { GOOD, .annotations = "{\"readOnlyHint\":1}" },
	    "annotations or icons are not as the schema of the protocol has them" },
	{ { GOOD, .icons = "[{\"mimeType\":\"image/png\"}]" },
	    "annotations or icons are not as the schema of the protocol has them" },
	{ { GOOD, .meta = "[]" }, "a schema, annotations, icons or _meta are not of the right JSON type" },
	{ { .name = "t", .description = "d", .call = nothing, .input_schema = "{\"type\":\"object\",\"properties\":"
	    "{\"a\":{\"type\":\"number\",\"x-mcp-header\":\"A\"}}}" },
	    "x-mcp-header is for string, integer and boolean only" }
};

static void
test_refusals(void)
{
	static const struct tool good = { GOOD };
	struct registry *r;
	const char *why;
	size_t i;

	ok(registry_new(&r) == MCP_OK, "a registry");
	for (i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		is_int(registry_add(r, &bad[i].tool, &no_scopes, &why), MCP_EINVAL, "a bad tool is refused");
		is_str(why, q(bad[i].why), "... because %s", bad[i].why);
	}
	is_int(registry_add(r, &good, NULL, &why), MCP_EINVAL, "a tool without a decision about its scopes is refused");
	is_str(why, "nobody has decided which scopes it needs", "... and says so");
	is_int((long long)registry_count(r, REGISTRY_TOOL), 0, "none of them is there");
	is_int(registry_add(r, &good, &no_scopes, NULL), MCP_OK, "a good one is taken");
	is_int(registry_add(r, &good, &no_scopes, &why), MCP_EINVAL, "but not twice");
	is_str(why, "there is one of that name already", "... and says so");
	registry_free(r);
	registry_free(NULL);
}

static void
test_sealed(void)
{
	static const struct tool extra = { GOOD };
	const struct registry_entry *e;
	struct tool greet, many[20];
	char names[20][8];
	struct registry *r;
	const char *why, *text;
	size_t i, len;

	tool_greet_user(&greet);
	ok(registry_new(&r) == MCP_OK, "a registry");
	registry_list_text(r, REGISTRY_TOOL, REGISTRY_FULL, 0, 0, &len);
	ok(registry_seal(r) == MCP_OK && len == 0, "an empty list is empty");
	registry_free(r);

	ok(registry_new(&r) == MCP_OK, "another one");
	is_int(registry_add(r, &greet, &no_scopes, &why), MCP_OK, "greet_user is taken");
	for (i = 0; i < 20; i++) {
		snprintf(names[i], sizeof(names[i]), "t%zu", 19 - i);
		many[i] = extra;
		many[i].name = names[i];
		if (registry_add(r, &many[i], &no_scopes, &why) != MCP_OK)
			diag("%s", why);
	}
	ok(registry_seal(r) == MCP_OK, "it is sealed");
	/* T2: tools registered after the server began to serve. */
	is_int(registry_add(r, &extra, &no_scopes, &why), MCP_EINVAL, "T2: nothing is added after the sealing");
	is_str(why, "the registry is sealed", "... and says so");
	is_int((long long)registry_count(r, REGISTRY_TOOL), 21, "all tools are there");
	e = registry_at(r, REGISTRY_TOOL, 20);
	ok(e && strcmp(e->tool->name, "t0") == 0, "in the order of registration");
	ok(registry_at(r, REGISTRY_TOOL, 21) == NULL, "and none behind the last");
	ok(registry_find(r, REGISTRY_TOOL, "t7") == registry_at(r, REGISTRY_TOOL, 13), "a tool is found by name");
	ok(registry_find(r, REGISTRY_TOOL, "T7") == NULL, "... with case");
	text = registry_list_text(r, REGISTRY_TOOL, REGISTRY_FULL, 0, 21, &len);
	ok(len == strlen(text) && text[0] == '{' && text[len - 1] == '}', "the list is of objects");
	ok(strstr(text, q("{'name':'greet_user','title':'Greet user','description':'Greets the user with a "
	    "personalized "
	    "message.','inputSchema':{'type':'object',")), "S42: greet_user is described as it should");
	ok(!strchr(text, '\n'), "on one line");
	text = registry_list_text(r, REGISTRY_TOOL, REGISTRY_FULL, 1, 2, &len);
	ok(len < 200 && strncmp(text, q("{'name':'t19',"), 14) == 0 && memmem(text, len, q("},{'name':'t18'"), 14) &&
	    text[len - 1] == '}', "and so is a part of it");
	registry_free(r);
}

static void
test_judge(void)
{
	static char read[] = "usr:read", admin[] = "admin", org[] = "org_1";
	static char *both_v[] = { read, admin }, *read_v[] = { read };
	const struct strlist both = { both_v, 2 };
	struct principal p = { .scopes = { read_v, 1 } };
	struct tool any = { GOOD }, scoped = { GOOD }, owned = { GOOD };
	struct registry *r;

	scoped.name = "scoped";
	owned.name = "owned";
	owned.needs_organisation = true;
	ok(registry_new(&r) == MCP_OK && registry_add(r, &any, &no_scopes, NULL) == MCP_OK &&
	    registry_add(r, &scoped, &both, NULL) == MCP_OK && registry_add(r, &owned, &both, NULL) == MCP_OK,
	    "three tools");
	is_int(registry_judge(registry_at(r, REGISTRY_TOOL, 0), NULL), OAUTH_OK, "no scopes: anybody");
	is_int(registry_judge(registry_at(r, REGISTRY_TOOL, 1), NULL), OAUTH_INSUFFICIENT_SCOPE, "scopes: not nobody");
	is_int(registry_judge(registry_at(r, REGISTRY_TOOL, 1), &p), OAUTH_INSUFFICIENT_SCOPE,
	    "one scope of two is not enough");
	p.scopes = both;
	is_int(registry_judge(registry_at(r, REGISTRY_TOOL, 1), &p), OAUTH_OK, "both are");
	is_int(registry_judge(registry_at(r, REGISTRY_TOOL, 2), &p), OAUTH_WRONG_ORGANISATION,
	    "no organisation where one is needed");
	p.organisation = org;
	is_int(registry_judge(registry_at(r, REGISTRY_TOOL, 2), &p), OAUTH_OK, "an organisation");
	p.scopes.n = 0;
	is_int(registry_judge(registry_at(r, REGISTRY_TOOL, 2), &p), OAUTH_INSUFFICIENT_SCOPE,
	    "scopes are judged before the organisation");
	registry_free(r);
}

int
main(void)
{
	test_refusals();
	test_sealed();
	test_judge();
	return tap_done();
}
