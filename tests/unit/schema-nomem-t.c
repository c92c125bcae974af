/* SPDX-License-Identifier: MIT */
/*
 * Schemas when memory is short: each allocation in turn fails, of our own code and of json-c (wrapped by the linker).
 * Whatever fails, a schema compiles or says MCP_ENOMEM; a value that does not fit is never let through, and one that
 * fits is refused with the status MCP_ENOMEM only; nothing leaks (the sanitizers and valgrind look).
 */
#include <stdlib.h>
#include <string.h>

#include "base/json.h"
#include "schema/schema.h"
#include "tests/quotes.h"
#include "tests/tap.h"
#include "tests/unit/nomem.h"

static const char schema_text[] =
	"{'$id':'http://example.com/a','$schema':'https://json-schema.org/draft/2020-12/schema','type':'object',"
	"'properties':{'meta':{'$ref':'https://json-schema.org/draft/2020-12/schema'},'list':{'uniqueItems':true,"
	"'contains':{'type':'integer'},'prefixItems':[true],'unevaluatedItems':{'type':'integer'}},'host':"
	"{'format':'idn-hostname','pattern':'^[a-z.]+$'}},'patternProperties':{'^x-':{'enum':['a','b']}},"
	"'propertyNames':{'maxLength':10},'anyOf':[{'required':['a']},{'properties':{'b':{'$ref':'#/$defs/b%20c'}}}],"
	"'unevaluatedProperties':false,'$defs':{'b c':{'$anchor':'b','multipleOf':0.5}}}";
static const char fits[] =
	"{'meta':{'type':'string','pattern':'a'},'list':[1,2,3,4,5,6,7,8,9,10,11,12,13,14,15,16,17,18,19,20],"
	"'host':'example.com','x-a':'a','b':1.5}";
static const char fits_not[] =
	"{'meta':{'type':'text'},'list':[1,2,3,4,5,6,7,8,9,10,11,12,13,14,15,16,17,18,19,20,1],'host':'example.com',"
	"'x-a':'c','b':1.7,'other':1}";

static struct json_object *
parse(const char *text)
{
	const struct json_bounds bounds = { 1 << 16, 64, 1 << 12 };
	struct json_object *v = NULL;

	text = q(text);
	ok(json_parse(text, strlen(text), &bounds, &v, NULL) == MCP_OK, "a text is JSON");
	return v;
}

/* One run in which the allocation "n" fails; false when there were not so many. */
static bool
run(struct json_object *source, const struct json_object *value, bool good, long n)
{
	struct schema *s = NULL;
	const char *why = NULL;
	struct buf faults, where;
	enum mcp_err err;
	bool verdict = false, right, failed;
	unsigned long before;

	buf_init(&faults, 4096);
	buf_init(&where, 1024);
	before = nomem_failed;
	nomem_left = n;
	err = schema_compile(source, SCHEMA_ASSERT_FORMATS, &s, &why, &where);
	if (!err)
		verdict = schema_validate(s, value, &faults);
	nomem_left = -1;
	failed = nomem_failed > before;
	if (err)
		right = err == MCP_ENOMEM && failed && !s && strcmp(why, "memory is short") == 0;
	else
		right = s && (verdict ? good : !good || (failed && buf_status(&faults) == MCP_ENOMEM));
	if (!right)
		ok(false, "allocation %ld%s: %s, %s", n, nomem_for_good ? " and all after it" : "", mcp_strerror(err),
		    verdict ? "valid" : faults.data);
	schema_free(s);
	buf_clear(&faults);
	buf_clear(&where);
	return failed;
}

int
main(void)
{
	struct json_object *source = parse(schema_text), *good = parse(fits), *bad = parse(fits_not);
	long n = 0;

	ok(!run(source, good, true, 1000000) && !run(source, bad, false, 1000000),
	    "with memory all is as it should be");
	for (unsigned round = 0; round < 4; round++) {
		nomem_for_good = round & 1;
		for (n = 0; run(source, round & 2 ? bad : good, !(round & 2), n); n++)
			;
		ok(n > 30, "each of %ld allocations has failed%s", n, nomem_for_good ? ", with all after it" : "");
	}
	json_free(source);
	json_free(good);
	json_free(bad);
	return tap_done();
}
