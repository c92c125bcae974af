/* SPDX-License-Identifier: MIT */
#include "schema/schema.h"

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
	{ "false", "1", "(root): is not allowed (#)" },
	{ "{'type':'string'}", "''", "" },
	{ "{'type':'string'}", "1", "(root): must be a string (#/type)" },
	{ "{'type':'string'}", "null", "(root): must be a string (#/type)" },
	{ "{'type':'integer'}", "7", "" },
	{ "{'type':'integer'}", "7.0", "" },
	{ "{'type':'integer'}", "1e2", "" },
	{ "{'type':'integer'}", "123456789012345678901234567890", "" },
	{ "{'type':'integer'}", "7.5", "(root): must be an integer (#/type)" },
	{ "{'type':'integer'}", "'7'", "(root): must be an integer (#/type)" },
	{ "{'type':'integer'}", "true", "(root): must be an integer (#/type)" },
	{ "{'type':'number'}", "7", "" },
	{ "{'type':'number'}", "7.5", "" },
	{ "{'type':'number'}", "'x'", "(root): must be a number (#/type)" },
	{ "{'type':'boolean'}", "false", "" },
	{ "{'type':'boolean'}", "0", "(root): must be true or false (#/type)" },
	{ "{'type':'null'}", "null", "" },
	{ "{'type':'null'}", "0", "(root): must be null (#/type)" },
	{ "{'type':'array'}", "[]", "" },
	{ "{'type':'array'}", "{}", "(root): must be an array (#/type)" },
	{ "{'type':'object'}", "{}", "" },
	{ "{'type':'object'}", "[]", "(root): must be an object (#/type)" },
	{ "{'type':['string','null']}", "null", "" },
	{ "{'type':['string','null']}", "[]", "(root): must be a string or null (#/type)" },
	{ "{'type':['integer','boolean']}", "1.5", "(root): must be an integer or true or false (#/type)" },
	{ "{'type':['integer','number']}", "''", "(root): must be a number (#/type)" },

	{ "{'enum':['a',1,null]}", "1.0", "" },
	{ "{'enum':['a',1,null]}", "null", "" },
	{ "{'enum':['a',1,null]}", "'A'", "(root): must be one of 'a', 1, null (#/enum)" },
	{ "{'const':{'a':[1]}}", "{'a':[1.0]}", "" },
	{ "{'const':{'a':[1]}}", "{'a':[2]}", "(root): must be {'a':[1]} (#/const)" },
	{ "{'const':null}", "0", "(root): must be null (#/const)" },

	{ "{'minLength':1}", "'a'", "" },
	{ "{'minLength':1}", "''", "(root): must have at least 1 character (#/minLength)" },
	{ "{'minLength':1}", "0", "" },
	{ "{'maxLength':2}", "'\xc3\xa4\xf0\x9f\x98\x80'", "" },
	{ "{'maxLength':2}", "'abc'", "(root): must have at most 2 characters (#/maxLength)" },

	{ "{'minimum':1,'maximum':20}", "1", "" },
	{ "{'minimum':1,'maximum':20}", "20.0", "" },
	{ "{'minimum':1}", "0", "(root): must be at least 1 (#/minimum)" },
	{ "{'maximum':20}", "20.5", "(root): must be at most 20 (#/maximum)" },
	{ "{'minimum':0.5}", "0", "(root): must be at least 0.5 (#/minimum)" },
	{ "{'maximum':9007199254740992}", "9007199254740993", "(root): must be at most 9007199254740992 (#/maximum)" },
	{ "{'exclusiveMinimum':0}", "0", "(root): must be greater than 0 (#/exclusiveMinimum)" },
	{ "{'exclusiveMinimum':0}", "0.001", "" },
	{ "{'exclusiveMaximum':1}", "1", "(root): must be less than 1 (#/exclusiveMaximum)" },
	{ "{'exclusiveMaximum':1}", "'1'", "" },

	{ "{'items':{'type':'string'}}", "['a','b']", "" },
	{ "{'items':{'type':'string'}}", "['a',1,null]",
	    "/1: must be a string (#/items/type)\n/2: must be a string (#/items/type)" },
	{ "{'minItems':1,'maxItems':2}", "[]", "(root): must have at least 1 item (#/minItems)" },
	{ "{'minItems':1,'maxItems':2}", "[1,2,3]", "(root): must have at most 2 items (#/maxItems)" },
	{ "{'uniqueItems':true}", "[1,2,'1',{'a':1,'b':2}]", "" },
	{ "{'uniqueItems':true}", "[{'a':1,'b':2},{'b':2,'a':1.0}]",
	    "(root): must not have the same item twice (#/uniqueItems)" },
	{ "{'uniqueItems':false}", "[1,1]", "" },

	{ "{'required':['a','b']}", "{'a':null}", "/b: is required (#/required)" },
	{ "{'required':['a']}", "[]", "" },
	{ "{'properties':{'a':{'type':'integer'}}}", "{'a':1,'b':2}", "" },
	{ "{'properties':{'a':{'type':'integer'}}}", "{'a':'1'}", "/a: must be an integer (#/properties/a/type)" },
	{ "{'properties':{'a':false}}", "{'a':1}", "/a: is not allowed (#/properties/a)" },
	{ "{'properties':{'a':true},'additionalProperties':false}", "{'a':1,'b':2,'c':3}",
	    "/b: is not allowed (#/additionalProperties)\n/c: is not allowed (#/additionalProperties)" },
	{ "{'additionalProperties':false}", "{}", "" },
	{ "{'additionalProperties':{'type':'string'}}", "{'x':'','y':1}",
	    "/y: must be a string (#/additionalProperties/type)" },
	{ "{'additionalProperties':false}", "{'a/b~c':1}", "/a~1b~0c: is not allowed (#/additionalProperties)" },
	{ "{'additionalProperties':false}", "{'a\\u001b[31m':1}",
	    "/a\xef\xbf\xbd[31m: is not allowed (#/additionalProperties)" },
	{ "{'properties':{'a':{'items':{'properties':{'b':{'minLength':2}}}}}}", "{'a':[{},{'b':'x'}]}",
	    "/a/1/b: must have at least 2 characters (#/properties/a/items/properties/b/minLength)" },
	{ "{'properties':{'a':{'type':'string'}},'required':['b'],'additionalProperties':false}", "{'a':1,'c':1}",
	    "/b: is required (#/required)\n/a: must be a string (#/properties/a/type)\n"
	    "/c: is not allowed (#/additionalProperties)" },

	{ "{'anyOf':[{'type':'string'},{'required':['a']}]}", "{}",
	    "(root): fits none of the schemas (#/anyOf)\n(root): must be a string (#/anyOf/0/type)\n"
	    "/a: is required (#/anyOf/1/required)" },
	{ "{'anyOf':[{'type':'string'},{'required':['a']}]}", "{'a':1}", "" },
	{ "{'oneOf':[{'minimum':1},{'maximum':5}]}", "3", "(root): fits more than one of the schemas (#/oneOf)" },
	{ "{'oneOf':[{'minimum':9},{'maximum':5}]}", "7",
	    "(root): fits none of the schemas (#/oneOf)\n(root): must be at least 9 (#/oneOf/0/minimum)\n"
	    "(root): must be at most 5 (#/oneOf/1/maximum)" },
	{ "{'allOf':[{'minimum':9},{'maximum':5}]}", "7",
	    "(root): must be at least 9 (#/allOf/0/minimum)\n(root): must be at most 5 (#/allOf/1/maximum)" },
	{ "{'not':{'required':['a']}}", "{'a':1}", "(root): fits the schema that it must not fit (#/not)" },
	{ "{'not':{'not':{'required':['a']}}}", "{'a':1}", "" },
	{ "{'if':{'required':['a']},'then':{'required':['b']},'else':{'required':['c']}}", "{'a':1}",
	    "/b: is required (#/then/required)" },
	{ "{'if':{'required':['a']},'then':{'required':['b']},'else':{'required':['c']}}", "{}",
	    "/c: is required (#/else/required)" },
	{ "{'items':{'$ref':'#/$defs/a b'},'$defs':{'a b':{'type':'null'}}}", "[null,0]",
	    "/1: must be null (#/$defs/a b/type)" },
	{ "{'$id':'http://e/s','items':{'$ref':'t'},'$defs':{'t':{'$id':'t','$defs':{'u':{'$anchor':'u',"
	    "'type':'null'}},'$ref':'#u'}}}", "[0]", "/0: must be null (http://e/s#/$defs/t/$defs/u/type)" },
	{ "{'$ref':'#/x-own/0','x-own':[{'type':'null'}]}", "0", "(root): must be null (#/x-own/0/type)" },
	{ "{'$ref':'https://json-schema.org/draft/2020-12/schema'}", "{'minLength':-1}",
	    "/minLength: must be at least 0 (https://json-schema.org/draft/2020-12/meta/validation"
	    "#/$defs/nonNegativeInteger/minimum)" },
	{ "{'$defs':{'a':{'$dynamicAnchor':'x','type':'null'}},'$dynamicRef':'#x'}", "0",
	    "(root): must be null (#/$defs/a/type)" },
	{ "{'patternProperties':{'^x-':{'type':'string'}},'additionalProperties':false}", "{'x-a':1,'y':2}",
	    "/x-a: must be a string (#/patternProperties/^x-/type)\n/y: is not allowed (#/additionalProperties)" },
	{ "{'propertyNames':{'maxLength':2}}", "{'abc':1}",
	    "/abc: must have at most 2 characters (#/propertyNames/maxLength)" },
	{ "{'minProperties':2,'maxProperties':3}", "{'a':1}",
	    "(root): must have at least 2 members (#/minProperties)" },
	{ "{'dependentRequired':{'a':['b','c']}}", "{'a':1,'c':1}", "/b: is required (#/dependentRequired)" },
	{ "{'dependencies':{'a':['b'],'c':false}}", "{'a':1,'c':1}",
	    "(root): is not allowed (#/dependencies/c)\n/b: is required (#/dependencies)" },
	{ "{'prefixItems':[{'type':'null'}],'items':false}", "[1,2]",
	    "/0: must be null (#/prefixItems/0/type)\n/1: is not allowed (#/items)" },
	{ "{'contains':{'type':'null'}}", "[1]", "(root): must have at least 1 item of a kind (#/contains)" },
	{ "{'contains':{'type':'null'},'minContains':2}", "[null]",
	    "(root): must have at least 2 items of a kind (#/minContains)" },
	{ "{'contains':{'type':'null'},'maxContains':1}", "[null,null]",
	    "(root): must have at most 1 item of a kind (#/maxContains)" },
	{ "{'allOf':[{'properties':{'a':true}}],'unevaluatedProperties':false}", "{'a':1,'b':2}",
	    "/b: is not allowed (#/unevaluatedProperties)" },
	{ "{'allOf':[{'properties':{'a':{'type':'null'}}}],'unevaluatedProperties':false}", "{'a':1,'b':2}",
	    "/a: must be null (#/allOf/0/properties/a/type)" },
	{ "{'prefixItems':[true],'contains':{'type':'null'},'unevaluatedItems':{'type':'string'}}", "[1,null,'',2]",
	    "/3: must be a string (#/unevaluatedItems/type)" },
	{ "{'pattern':'^[a-z]+$'}", "'Secret'", "(root): must match the pattern (#/pattern)" },
	{ "{'multipleOf':0.01}", "0.07", "" },
	{ "{'multipleOf':0.01}", "0.075", "(root): must be a multiple of 0.01 (#/multipleOf)" },
	{ "{'multipleOf':0.5}", "1e308", "" },
	{ "{'multipleOf':17}", "123456789012345678901234567890123456789012345678901234567890", "(root): must be a "
	    "multiple of 17 (#/multipleOf)" },
	{ "{'multipleOf':30}", "123456789012345678901234567890123456789012345678901234567890", "" },
	{ "{'minimum':18446744073709551617}", "18446744073709551616",
	    "(root): must be at least 18446744073709551617 (#/minimum)" },
	{ "{'maximum':0.1}", "0.10000000000000000000000001", "(root): must be at most 0.1 (#/maximum)" },
	{ "{'const':9007199254740993}", "9007199254740992.0", "(root): must be 9007199254740993 (#/const)" },
	{ "{'const':1e2}", "100.000", "" },
	{ "{'enum':[123456789012345678901234567890]}", "123456789012345678901234567891",
	    "(root): must be one of 123456789012345678901234567890 (#/enum)" },
	{ "{'uniqueItems':true}", "[0,-0.0]", "(root): must not have the same item twice (#/uniqueItems)" },
	{ "{'enum':[]}", "1", "(root): must be one of no values (#/enum)" },
	{ "{'contentMediaType':'application/json','contentEncoding':'base64','contentSchema':false}", "'e30='", "" },

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
		if (!ok(schema_compile(source, 0, &s, &why, NULL) == MCP_OK, "%s compiles", rows[i].schema))
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
	const char *schema, *where, *why;
} refused[] = {
	{ "1", "#", "a schema must be an object, true or false" },
	{ "null", "#", "a schema must be an object, true or false" },
	{ "{'type':'text'}", "#/type", "names a type that JSON Schema does not have" },
	{ "{'type':1}", "#/type", "must be a string or an array of strings" },
	{ "{'type':[]}", "#/type", "is an empty array" },
	{ "{'properties':[]}", "#/properties", "must be an object" },
	{ "{'properties':{'a':1}}", "#/properties/a", "a schema must be an object, true or false" },
	{ "{'properties':{'a':{},'b':{'pattern':'('}}}", "#/properties/b/pattern", "a bracket that is not closed" },
	{ "{'patternProperties':{'[':{}}}", "#/patternProperties", "a class that is not closed" },
	{ "{'pattern':'(?<=a*)b'}", "#/pattern", "a look-behind without a bounded length is not supported" },
	{ "{'pattern':1}", "#/pattern", "must be a string" },
	{ "{'required':'a'}", "#/required", "must be an array of strings" },
	{ "{'required':[1]}", "#/required", "must be an array of strings" },
	{ "{'dependentRequired':{'a':1}}", "#/dependentRequired", "must be an object of arrays of strings" },
	{ "{'dependencies':{'a':[1]}}", "#/dependencies", "must be an object of arrays of strings" },
	{ "{'enum':1}", "#/enum", "must be an array of values" },
	{ "{'minLength':-1}", "#/minLength", "must be a whole number, not negative" },
	{ "{'maxItems':'1'}", "#/maxItems", "must be a whole number, not negative" },
	{ "{'maxItems':1.5}", "#/maxItems", "must be a whole number, not negative" },
	{ "{'minimum':'1'}", "#/minimum", "must be a number" },
	{ "{'multipleOf':0}", "#/multipleOf", "must be a number above 0 of at most 18 digits" },
	{ "{'multipleOf':-1}", "#/multipleOf", "must be a number above 0 of at most 18 digits" },
	{ "{'multipleOf':1234567890123456789}", "#/multipleOf", "must be a number above 0 of at most 18 digits" },
	{ "{'multipleOf':1e-999999999}", "#/multipleOf", "must be a number above 0 of at most 18 digits" },
	{ "{'uniqueItems':1}", "#/uniqueItems", "must be true or false" },
	{ "{'format':1}", "#/format", "must be a string" },
	{ "{'$comment':1}", "#/$comment", "must be a string" },
	{ "{'allOf':[]}", "#/allOf", "must be an array of schemas, not empty" },
	{ "{'anyOf':{}}", "#/anyOf", "must be an array of schemas, not empty" },
	{ "{'oneOf':[{},7]}", "#/oneOf/1", "a schema must be an object, true or false" },
	{ "{'not':[]}", "#/not", "a schema must be an object, true or false" },
	{ "{'items':[{}]}", "#/items", "a schema must be an object, true or false" },
	{ "{'$defs':{'a b/c':{'if':1}}}", "#/$defs/a b~1c/if", "a schema must be an object, true or false" },
	{ "{'$id':'http://a/b#c'}", "#/$id", "must be a URI without a fragment" },
	{ "{'$id':1}", "#/$id", "must be a URI without a fragment" },
	{ "{'$defs':{'a':{'$id':'http://a/'},'b':{'$id':'http://a'},'c':{'$id':'http://a/'}}}", "#/$defs/c/$id",
	    "is another schema's as well" },
	{ "{'$anchor':'a b'}", "#/$anchor", "must be a name of letters, digits, - _ and ." },
	{ "{'$anchor':'a','$defs':{'x':{'$dynamicAnchor':'a'}}}", "#/$defs/x/$dynamicAnchor", "is there twice" },
	{ "{'$ref':1}", "#/$ref", "must be a string" },
	{ "{'$ref':'#/$defs/a'}", "#/$ref", "leads nowhere in the document, and nothing is fetched" },
	{ "{'$ref':'#/type','type':'string'}", "#/$ref", "leads nowhere in the document, and nothing is fetched" },
	{ "{'$ref':'#/allOf/00','allOf':[{}]}", "#/$ref", "leads nowhere in the document, and nothing is fetched" },
	{ "{'$ref':'#/allOf/1','allOf':[{}]}", "#/$ref", "leads nowhere in the document, and nothing is fetched" },
	{ "{'$ref':'#/%zz'}", "#/$ref", "leads nowhere in the document, and nothing is fetched" },
	{ "{'$ref':'#/a~2'}", "#/$ref", "leads nowhere in the document, and nothing is fetched" },
	{ "{'$ref':'#/a~'}", "#/$ref", "leads nowhere in the document, and nothing is fetched" },
	{ "{'$ref':'#a'}", "#/$ref", "leads nowhere in the document, and nothing is fetched" },
	{ "{'$dynamicRef':'#a'}", "#/$dynamicRef", "leads nowhere in the document, and nothing is fetched" },
	{ "{'$ref':'https://example.com/schema'}", "#/$ref", "leads nowhere in the document, and nothing is fetched" },
	{ "{'$ref':'file:///etc/passwd'}", "#/$ref", "leads nowhere in the document, and nothing is fetched" },
	{ "{'$id':'http://a/b','items':{'$ref':'c'}}", "http://a/b#/items/$ref",
	    "leads nowhere in the document, and nothing is fetched" },
	{ "{'$schema':'http://json-schema.org/draft-07/schema#'}", "#/$schema",
	    "names a dialect other than https://json-schema.org/draft/2020-12/schema" },
	{ "{'$schema':1}", "#/$schema", "must be a string" },
	{ "{'$schema':'http://m','$defs':{'m':{'$id':'http://m','$schema':"
	    "'https://json-schema.org/draft/2020-12/schema','$vocabulary':{'http://v':true}}}}", "#/$schema",
	    "needs a vocabulary that is not known" }
};

static void
test_refused(void)
{
	struct json_object *source;
	const char *why;
	struct buf where;
	struct schema *s;
	size_t i;

	buf_init(&where, 1024);
	for (i = 0; i < sizeof(refused) / sizeof(refused[0]); i++) {
		source = parse(refused[i].schema);
		buf_reset(&where);
		is_int(schema_compile(source, 0, &s, &why, &where), MCP_EINVAL, "%s does not compile",
		    refused[i].schema);
		is_str(why, refused[i].why, "... and says why");
		is_str(where.data, refused[i].where, "... and where");
		ok(s == NULL, "... and gives nothing");
		json_free(source);
	}
	buf_clear(&where);
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
		ok((schema_compile(source, 0, &s, &why, NULL) == MCP_OK) == (depth == SCHEMA_DEPTH_MAX),
		    "%u levels of schemas", depth);
		schema_free(s);
		json_free(source);
	}

	source = parse("{'additionalProperties':false,'uniqueItems':true}");
	ok(schema_compile(source, 0, &s, &why, NULL) == MCP_OK, "a strict schema");
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
	ok(!schema_validate(s, value, &b) && b.len < 130 && strstr(b.data, "\xc3\xa4...: "),
	    "a long name is cut between code points");
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
