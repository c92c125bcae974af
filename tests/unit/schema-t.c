/* SPDX-License-Identifier: MIT */
#include "mcp/schema.h"

#include <string.h>

#include "base/json.h"
#include "tests/quotes.h"
#include "tests/tap.h"

static struct json_object *
parse(const char *text)
{
	const struct json_bounds bounds = { 1 << 20, 512, 1 << 20 };
	struct json_object *v = NULL;
	struct json_fault fault;

	text = q(text);
	if (json_parse(text, strlen(text), &bounds, &v, &fault) != MCP_OK)
		diag("not JSON: %s (%s)", text, fault.what);
	return v;
}

/* A value that satisfies has no faults to tell. */
static const struct row {
	const char *schema, *value, *faults;
} rows[] = {
	{ "true", "1", "" },
	{ "{}", "null", "" },
	{ "false", "1", "(root): is not allowed" },
	{ "{'type':'string'}", "''", "" },
	{ "{'type':'string'}", "1", "(root): must be a string" },
	{ "{'type':'string'}", "null", "(root): must be a string" },
	{ "{'type':'integer'}", "7", "" },
	{ "{'type':'integer'}", "7.0", "" },
	{ "{'type':'integer'}", "1e2", "" },
	{ "{'type':'integer'}", "123456789012345678901234567890", "" },
	{ "{'type':'integer'}", "7.5", "(root): must be an integer" },
	{ "{'type':'integer'}", "'7'", "(root): must be an integer" },
	{ "{'type':'integer'}", "true", "(root): must be an integer" },
	{ "{'type':'number'}", "7", "" },
	{ "{'type':'number'}", "7.5", "" },
	{ "{'type':'number'}", "'x'", "(root): must be a number" },
	{ "{'type':'boolean'}", "false", "" },
	{ "{'type':'boolean'}", "0", "(root): must be true or false" },
	{ "{'type':'null'}", "null", "" },
	{ "{'type':'null'}", "0", "(root): must be null" },
	{ "{'type':'array'}", "[]", "" },
	{ "{'type':'array'}", "{}", "(root): must be an array" },
	{ "{'type':'object'}", "{}", "" },
	{ "{'type':'object'}", "[]", "(root): must be an object" },
	{ "{'type':['string','null']}", "null", "" },
	{ "{'type':['string','null']}", "[]", "(root): must be a string or null" },
	{ "{'type':['integer','boolean']}", "1.5", "(root): must be an integer or true or false" },
	{ "{'type':['integer','number']}", "''", "(root): must be a number" },

	{ "{'enum':['a',1,null]}", "1.0", "" },
	{ "{'enum':['a',1,null]}", "null", "" },
	{ "{'enum':['a',1,null]}", "'A'", "(root): must be one of 'a', 1, null" },
	{ "{'const':{'a':[1]}}", "{'a':[1.0]}", "" },
	{ "{'const':{'a':[1]}}", "{'a':[2]}", "(root): must be {'a':[1]}" },
	{ "{'const':null}", "0", "(root): must be null" },

	{ "{'minLength':1}", "'a'", "" },
	{ "{'minLength':1}", "''", "(root): must have at least 1 character" },
	{ "{'minLength':1}", "0", "" },
	{ "{'maxLength':2}", "'\xc3\xa4\xf0\x9f\x98\x80'", "" },
	{ "{'maxLength':2}", "'abc'", "(root): must have at most 2 characters" },

	{ "{'minimum':1,'maximum':20}", "1", "" },
	{ "{'minimum':1,'maximum':20}", "20.0", "" },
	{ "{'minimum':1}", "0", "(root): must be at least 1" },
	{ "{'maximum':20}", "20.5", "(root): must be at most 20" },
	{ "{'minimum':0.5}", "0", "(root): must be at least 0.5" },
	{ "{'maximum':9007199254740992}", "9007199254740993", "(root): must be at most 9007199254740992" },
	{ "{'exclusiveMinimum':0}", "0", "(root): must be greater than 0" },
	{ "{'exclusiveMinimum':0}", "0.001", "" },
	{ "{'exclusiveMaximum':1}", "1", "(root): must be less than 1" },
	{ "{'exclusiveMaximum':1}", "'1'", "" },

	{ "{'items':{'type':'string'}}", "['a','b']", "" },
	{ "{'items':{'type':'string'}}", "['a',1,null]", "/1: must be a string\n/2: must be a string" },
	{ "{'minItems':1,'maxItems':2}", "[]", "(root): must have at least 1 item" },
	{ "{'minItems':1,'maxItems':2}", "[1,2,3]", "(root): must have at most 2 items" },
	{ "{'uniqueItems':true}", "[1,2,'1',{'a':1,'b':2}]", "" },
	{ "{'uniqueItems':true}", "[{'a':1,'b':2},{'b':2,'a':1.0}]", "(root): must not have the same item twice" },
	{ "{'uniqueItems':false}", "[1,1]", "" },

	{ "{'required':['a','b']}", "{'a':null}", "/b: is required" },
	{ "{'required':['a']}", "[]", "" },
	{ "{'properties':{'a':{'type':'integer'}}}", "{'a':1,'b':2}", "" },
	{ "{'properties':{'a':{'type':'integer'}}}", "{'a':'1'}", "/a: must be an integer" },
	{ "{'properties':{'a':false}}", "{'a':1}", "/a: is not allowed" },
	{ "{'properties':{'a':true},'additionalProperties':false}", "{'a':1,'b':2,'c':3}",
	    "/b: is not allowed\n/c: is not allowed" },
	{ "{'additionalProperties':false}", "{}", "" },
	{ "{'additionalProperties':{'type':'string'}}", "{'x':'','y':1}", "/y: must be a string" },
	{ "{'additionalProperties':false}", "{'a/b~c':1}", "/a~1b~0c: is not allowed" },
	{ "{'additionalProperties':false}", "{'a\\u001b[31m':1}", "/a\xef\xbf\xbd[31m: is not allowed" },
	{ "{'properties':{'a':{'items':{'properties':{'b':{'minLength':2}}}}}}", "{'a':[{},{'b':'x'}]}",
	    "/a/1/b: must have at least 2 characters" },
	{ "{'properties':{'a':{'type':'string'}},'required':['b'],'additionalProperties':false}", "{'a':1,'c':1}",
	    "/b: is required\n/a: must be a string\n/c: is not allowed" },

	/* Annotations and what nobody defined pass. */
	{ "{'$schema':'https://json-schema.org/draft/2020-12/schema','title':'t','description':'d','default':1,"
	    "'examples':[],'format':'date','deprecated':true,'$comment':'c','$id':'i','$defs':{},'x-own':1}", "'z'",
	    "" }
};

static void
test_values(void)
{
	struct json_object *source, *value;
	struct schema *s;
	const char *why;
	struct buf b;
	size_t i;
	bool good;

	buf_init(&b, 4096);
	for (i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		source = parse(rows[i].schema);
		value = parse(rows[i].value);
		if (!ok(schema_compile(source, &s, &why) == MCP_OK, "%s compiles", rows[i].schema))
			diag("%s", why);
		json_free(source);
		buf_reset(&b);
		good = schema_validate(s, value, &b);
		ok(good == (rows[i].faults[0] == '\0'), "... and %s %s", rows[i].faults[0] ? "refuses" : "takes",
		    rows[i].value);
		is_str(b.data, q(rows[i].faults), "... with the right words");
		json_free(value);
		schema_free(s);
	}
	buf_clear(&b);
}

static const struct refused {
	const char *schema, *why;
} refused[] = {
	{ "1", "a schema must be an object, true or false" },
	{ "null", "a schema must be an object, true or false" },
	{ "{'type':'text'}", "'type' names a type that JSON Schema does not have" },
	{ "{'type':1}", "'type' must be a string or an array of strings" },
	{ "{'type':[]}", "'type' is an empty array" },
	{ "{'properties':[]}", "'properties' must be an object" },
	{ "{'properties':{'a':1}}", "a schema must be an object, true or false" },
	{ "{'properties':{'a':{},'b':{'pattern':'x'}}}", "the keyword 'pattern' is not supported" },
	{ "{'required':'a'}", "'required' must be an array of strings" },
	{ "{'required':[1]}", "'required' must be an array of strings" },
	{ "{'enum':1}", "'enum' must be an array of values" },
	{ "{'enum':[]}", "'enum' must be an array of values" },
	{ "{'minLength':-1}", "a minimum or maximum of a length or a count must be a whole number, not negative" },
	{ "{'maxItems':'1'}", "a minimum or maximum of a length or a count must be a whole number, not negative" },
	{ "{'minimum':'1'}", "a minimum or maximum must be a number" },
	{ "{'uniqueItems':1}", "'uniqueItems' must be true or false" },
	{ "{'$schema':'http://json-schema.org/draft-07/schema#'}",
	    "'$schema' names a dialect other than https://json-schema.org/draft/2020-12/schema" },
	{ "{'$ref':'#/$defs/a'}", "the keyword '$ref' is not supported" },
	{ "{'allOf':[]}", "the keyword 'allOf' is not supported" },
	{ "{'anyOf':[]}", "the keyword 'anyOf' is not supported" },
	{ "{'oneOf':[]}", "the keyword 'oneOf' is not supported" },
	{ "{'not':{}}", "the keyword 'not' is not supported" },
	{ "{'if':{}}", "the keyword 'if' is not supported" },
	{ "{'multipleOf':2}", "the keyword 'multipleOf' is not supported" },
	{ "{'dependentRequired':{}}", "the keyword 'dependentRequired' is not supported" },
	{ "{'unevaluatedProperties':false}", "the keyword 'unevaluatedProperties' is not supported" }
};

static void
test_refused(void)
{
	struct json_object *source;
	struct schema *s;
	const char *why;
	size_t i;

	for (i = 0; i < sizeof(refused) / sizeof(refused[0]); i++) {
		source = parse(refused[i].schema);
		is_int(schema_compile(source, &s, &why), MCP_EINVAL, "%s does not compile", refused[i].schema);
		is_str(why, q(refused[i].why), "... and says why");
		ok(s == NULL, "... and gives nothing");
		json_free(source);
	}
}

static void
test_bounds(void)
{
	struct json_object *source, *value;
	const char *why, *at;
	struct schema *s;
	unsigned i, depth;
	struct buf b;

	buf_init(&b, 1 << 20);
	for (depth = SCHEMA_DEPTH_MAX; depth <= SCHEMA_DEPTH_MAX + 1; depth++) {
		buf_reset(&b);
		for (i = 1; i < depth; i++)
			buf_puts(&b, "{'items':");
		buf_puts(&b, "{}");
		for (i = 1; i < depth; i++)
			buf_putc(&b, '}');
		source = parse(b.data);
		ok((schema_compile(source, &s, &why) == MCP_OK) == (depth == SCHEMA_DEPTH_MAX), "%u levels of schemas",
		    depth);
		schema_free(s);
		json_free(source);
	}

	source = parse("{'additionalProperties':false,'uniqueItems':true}");
	ok(schema_compile(source, &s, &why) == MCP_OK, "a strict schema");
	json_free(source);
	buf_reset(&b);
	buf_putc(&b, '{');
	for (i = 0; i < 1000; i++)
		buf_printf(&b, "%s'n%u':%u", i ? "," : "", i, i);
	buf_putc(&b, '}');
	value = parse(b.data);
	buf_reset(&b);
	ok(!schema_validate(s, value, &b), "a thousand faults");
	for (i = 1, at = b.data; (at = strchr(at, '\n')); at++)
		i++;
	is_int(i, SCHEMA_FAULTS_MAX, "... of which %d are told", SCHEMA_FAULTS_MAX);
	json_free(value);

	buf_reset(&b);
	buf_puts(&b, "{'");
	for (i = 0; i < 1000; i++)
		buf_puts(&b, "\xc3\xa4");
	buf_puts(&b, "':1}");
	value = parse(b.data);
	buf_reset(&b);
	ok(!schema_validate(s, value, &b) && b.len < 100 && strstr(b.data, "\xc3\xa4...: "),
	    "a long name is cut between code points");
	json_free(value);

	buf_reset(&b);
	buf_putc(&b, '[');
	for (i = 0; i <= SCHEMA_UNIQUE_MAX; i++)
		buf_printf(&b, "%s%u", i ? "," : "", i);
	buf_putc(&b, ']');
	value = parse(b.data);
	buf_reset(&b);
	ok(!schema_validate(s, value, &b), "more items than uniqueItems compares are a fault");
	is_str(b.data, "(root): must have at most 512 items", "... that says so");
	json_free(value);

	buf_clear(&b);
	buf_init(&b, 10);
	value = parse("{'a':1,'b':1}");
	ok(!schema_validate(s, value, &b) && b.len <= 10, "a report that has no room stays within it");
	json_free(value);
	schema_free(s);
	buf_clear(&b);
}

int
main(void)
{
	test_values();
	test_refused();
	test_bounds();
	return tap_done();
}
