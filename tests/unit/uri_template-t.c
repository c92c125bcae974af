/* SPDX-License-Identifier: MIT */
/* URI templates: which are understood, and what is read out of a URI by them. */
#include "mcp/uri_template.h"

#include <stdlib.h>
#include <string.h>

#include "base/json.h"
#include "tests/quotes.h"
#include "tests/tap.h"

static const struct {
	const char *text, *why;
} bad[] = {
	{ "test://plain", "a URI template has no expression; register a resource instead" },
	{ "test://{", "a URI template has an expression that is neither {name} nor {+name}" },
	{ "test://{}", "a URI template has an expression that is neither {name} nor {+name}" },
	{ "test://{a,b}", "a URI template has an expression that is neither {name} nor {+name}" },
	{ "test://{?a}", "a URI template has an expression that is neither {name} nor {+name}" },
	{ "test://{a*}", "a URI template has an expression that is neither {name} nor {+name}" },
	{ "test://{a:3}", "a URI template has an expression that is neither {name} nor {+name}" },
	{ "test://{a}{b}", "a URI template has two expressions with nothing between them" },
	{ "test://{a}/{a}", "a URI template has a variable twice" },
	{ "test://}{a}", "a URI template has characters that no URI has" },
	{ "test:// {a}", "a URI template has characters that no URI has" },
	{ "test://%4/{a}", "a URI template has characters that no URI has" },
	{ "t:{a}/{b}/{c}/{d}/{e}/{f}/{g}/{h}/{i}/{j}/{k}/{l}/{m}/{n}/{o}/{p}/{q}",
	    "a URI template has too many expressions" }
};

static const struct {
	const char *text, *uri, *values;	/* NULL: no match */
} matches[] = {
	{ "test://template/{id}/data", "test://template/123/data", "{'id':'123'}" },
	{ "test://template/{id}/data", "test://template//data", NULL },
	{ "test://template/{id}/data", "test://template/1/2/data", NULL },
	{ "test://template/{id}/data", "test://template/1/data/", NULL },
	{ "test://template/{id}/data", "TEST://template/1/data", NULL },
	{ "test://template/{id}", "test://template/a%20b%2Fc", "{'id':'a b/c'}" },
	{ "test://template/{id}", "test://template/%e4%b8%96", "{'id':'\xe4\xb8\x96'}" },
	{ "test://template/{id}", "test://template/%ff", NULL },
	{ "test://template/{id}", "test://template/a%00", NULL },
	{ "test://template/{id}", "test://template/a%2", NULL },
	{ "test://template/{id}", "test://template/a b", NULL },
	{ "test://template/{id}", "test://template/\xe4\xb8\x96", NULL },
	{ "test://template/{id}", "test://template/a?b", NULL },
	{ "test://template/{id}", "test://template/a@b:c;d=e", "{'id':'a@b:c;d=e'}" },
	{ "file:///{+path}", "file:///a/b?c#d", "{'path':'a/b?c#d'}" },
	{ "file:///{+path}/data", "file:///a/data/data", "{'path':'a/data'}" },
	{ "x:{+a}/{b}", "x:1/2/3", "{'b':'3','a':'1/2'}" },
	{ "x:{a}-{b}", "x:1-2-3", "{'b':'3','a':'1-2'}" },
	{ "x:{a}-{b}", "x:-2", NULL },
	{ "x:{a}-{b}", "x:1-", NULL },
	{ "x:{a}41b", "x:a%41b", NULL },
	{ "{+all}", "any:thing/at?all", "{'all':'any:thing/at?all'}" },
	{ "{+all}", "no absolute one", NULL },
	{ "{+all}", "relative/path", NULL },
	{ "x:{a.b_1}", "x:v", "{'a.b_1':'v'}" }
};

static void
test_long(void)
{
	char uri[URI_MAX + 2], text[] = "x:{+a}a{+b}a{+c}a{+d}a{+e}a{+f}a{+g}a{+h}b";
	struct json_object *values;
	struct uri_template *t;
	const char *why;

	memset(uri, 'a', sizeof uri);
	memcpy(uri, "x:", 2);
	uri[URI_MAX] = '\0';
	ok(uri_template_new(text, &t, &why) == MCP_OK, "a template that could match in many ways");
	is_int(uri_template_match(t, uri, &values), MCP_ENOENT, "... and does not, is told at once");
	uri[URI_MAX - 1] = 'b';
	is_int(uri_template_match(t, uri, &values), MCP_OK, "... and does");
	json_free(values);
	uri[URI_MAX - 1] = 'a';
	uri[URI_MAX] = 'b';
	uri[URI_MAX + 1] = '\0';
	is_int(uri_template_match(t, uri, &values), MCP_ENOENT, "a URI that is too long is none");
	uri_template_free(t);
}

int
main(void)
{
	struct json_object *values;
	struct uri_template *t;
	const char *why;
	struct buf b;

	for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
		is_int(uri_template_new(bad[i].text, &t, &why), MCP_EINVAL, "%s is refused", bad[i].text);
		is_str(why, bad[i].why, "... and says why");
	}
	buf_init(&b, 4096);
	for (size_t i = 0; i < sizeof matches / sizeof matches[0]; i++) {
		ok(uri_template_new(matches[i].text, &t, &why) == MCP_OK, "%s", matches[i].text);
		is_int(uri_template_match(t, matches[i].uri, &values), matches[i].values ? MCP_OK : MCP_ENOENT,
		    "... %s %s", matches[i].values ? "matches" : "does not match", matches[i].uri);
		buf_reset(&b);
		json_render(values, &b);
		is_str(b.data, matches[i].values ? q(matches[i].values) : "null", "... and gives the values");
		json_free(values);
		uri_template_free(t);
	}
	buf_clear(&b);
	test_long();
	return tap_done();
}
