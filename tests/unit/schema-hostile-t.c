/* SPDX-License-Identifier: MIT */
/*
 * Schemas and values that were made to cost: each ends within a bound, and as a refusal where it was not decided. The
 * times are of processor time and generous, for sanitizers and valgrind.
 */
#include <pthread.h>
#include <string.h>
#include <time.h>

#include "base/json.h"
#include "schema/schema.h"
#include "tests/quotes.h"
#include "tests/tap.h"

#define SECONDS_MAX 30

static struct json_object *
parse(const char *text)
{
	const struct json_bounds bounds = { 1 << 24, 512, 1 << 22 };
	struct json_object *v = NULL;
	struct json_fault fault = { 0, "" };

	if (json_parse(text, strlen(text), &bounds, &v, &fault) != MCP_OK)
		diag("not JSON: %s at %zu", fault.what, fault.offset);
	return v;
}

static double
seconds(void)
{
	struct timespec t;

	clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &t);
	return (double)t.tv_sec + (double)t.tv_nsec / 1e9;
}

/* Compile and validate; what is told must begin with "faults" (NULL: the value fits). */
static void
check(const char *schema, const char *value, const char *faults, const char *what)
{
	struct json_object *source = parse(schema), *v = parse(value);
	double start = seconds(), took;
	struct schema *s = NULL;
	const char *why;
	struct buf b;
	bool good;

	buf_init(&b, 8192);
	if (!ok(schema_compile(source, 0, &s, &why, NULL) == MCP_OK, "%s: compiles", what)) {
		diag("%s", why);
	} else {
		good = schema_validate(s, v, &b);
		took = seconds() - start;
		ok(good == !faults && (!faults || strncmp(b.data, faults, strlen(faults)) == 0), "... and is %s",
		    faults ? faults : "valid");
		if (faults && strncmp(b.data, faults, strlen(faults)) != 0)
			diag("told: %.300s", b.data);
		ok(took < SECONDS_MAX, "... in bounded time");
		diag("%.3f s", took);
	}
	schema_free(s);
	json_free(source);
	json_free(v);
	buf_clear(&b);
}

static void
check_refused(const char *schema, enum mcp_err err, const char *why, const char *what)
{
	struct json_object *source = parse(schema);
	double start = seconds();
	struct schema *s;
	const char *told;

	is_int(schema_compile(source, 0, &s, &told, NULL), (int)err, "%s: does not compile", what);
	is_str(told, why, "... and says why");
	ok(seconds() - start < SECONDS_MAX, "... in bounded time");
	schema_free(s);
	json_free(source);
}

#define TOO_MANY_STEPS "(root): cannot be validated: it takes too many steps"
#define TOO_DEEP "(root): cannot be validated: schemas are applied inside each other too deep"
#define PATTERN_TOO_LONG "(root): cannot be validated: a pattern takes too long"

static void
test_references(void)
{
	struct buf b;
	unsigned i;

	check("{\"$ref\":\"#\"}", "1", TOO_DEEP, "a schema that is itself");
	check("{\"$defs\":{\"a\":{\"$ref\":\"#/$defs/b\"},\"b\":{\"$ref\":\"#/$defs/a\"}},\"$ref\":\"#/$defs/a\"}", "1",
	    TOO_DEEP, "two that are each other");
	check("{\"not\":{\"$ref\":\"#\"}}", "1", TOO_DEEP, "a schema that is not itself");
	check("{\"$dynamicAnchor\":\"a\",\"$dynamicRef\":\"#a\"}", "1", TOO_DEEP, "a dynamic reference to itself");
	check("{\"items\":{\"$ref\":\"#\"},\"unevaluatedItems\":false}", "[[[[[[]]]]]]", NULL, "a recursive schema");

	buf_init(&b, 1 << 20);
	buf_puts(&b, "{\"$ref\":\"#/$defs/a0\",\"$defs\":{");
	for (i = 0; i < 40; i++)
		buf_printf(&b, "\"a%u\":{\"allOf\":[{\"$ref\":\"#/$defs/a%u\"},{\"$ref\":\"#/$defs/a%u\"}]},", i, i + 1,
		    i + 1);
	buf_puts(&b, "\"a40\":{}}}");
	check(b.data, "1", TOO_MANY_STEPS, "2^40 ways through allOf");
	for (i = 0; i < b.len; i++)
		if (memcmp(b.data + i, "allOf", 5) == 0)
			memcpy(b.data + i, "oneOf", 5);
	check(b.data, "1", TOO_MANY_STEPS, "2^40 ways through oneOf");
	buf_reset(&b);
	buf_puts(&b, "{\"$ref\":\"#/$defs/a0\",\"$defs\":{");
	for (i = 0; i < 40; i++)
		buf_printf(&b, "\"a%u\":{\"anyOf\":[{\"$ref\":\"#/$defs/a%u\"},{\"$ref\":\"#/$defs/a%u\"}],"
		    "\"unevaluatedProperties\":false},", i, i + 1, i + 1);
	buf_puts(&b, "\"a40\":{\"properties\":{\"x\":false}}}}");
	check(b.data, "{\"x\":1}", TOO_MANY_STEPS, "2^40 ways through anyOf, each with its report");
	buf_clear(&b);
}

static void
test_patterns(void)
{
	struct buf b;
	size_t i;

	buf_init(&b, 1 << 21);
	buf_putc(&b, '"');
	for (i = 0; i < 60; i++)
		buf_putc(&b, 'a');
	buf_puts(&b, "!\"");
	check("{\"pattern\":\"^(a+)+$\"}", b.data, PATTERN_TOO_LONG, "(a+)+");
	check("{\"pattern\":\"^(a|aa)+$\"}", b.data, PATTERN_TOO_LONG, "(a|aa)+");
	check("{\"pattern\":\"^(([a-z])+.)+[A-Z]([a-z])+$\"}", b.data, PATTERN_TOO_LONG, "groups that overlap");
	check("{\"not\":{\"pattern\":\"^(a+)+$\"}}", b.data, PATTERN_TOO_LONG, "not (a+)+ is no way around");
	check("{\"anyOf\":[{\"pattern\":\"^(a+)+$\"},true]}", b.data, PATTERN_TOO_LONG, "nor is anyOf");
	buf_reset(&b);
	buf_putc(&b, '{');
	for (i = 0; i < 200; i++)
		buf_printf(&b, "%s\"aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa%zu!\":1", i ? "," : "", i);
	buf_putc(&b, '}');
	check("{\"patternProperties\":{\"^(a+)+$\":true}}", b.data, PATTERN_TOO_LONG, "200 names and (a+)+");
	buf_reset(&b);
	buf_putc(&b, '"');
	for (i = 0; i < 1000000; i++)
		buf_putc(&b, 'a');
	buf_putc(&b, '"');
	check("{\"pattern\":\"a.*a.*a.*[bc]\"}", b.data, PATTERN_TOO_LONG, "one start in a million letters");
	check("{\"pattern\":\"[ab]{0,300}[ab]{0,300}[cd]\"}", b.data, PATTERN_TOO_LONG,
	    "a million starts, each below the limit of steps");
	check("{\"pattern\":\"^[a-z]*$\"}", b.data, NULL, "a million letters and a simple pattern");
	check("{\"minLength\":1000000,\"maxLength\":1000000}", b.data, NULL, "a million letters are counted");
	buf_clear(&b);
	check_refused("{\"pattern\":\"((((a{1000}){1000}){1000}){1000})\"}", MCP_ELIMIT,
	    "the regular expression is too large", "repetitions of repetitions");
	check_refused("{\"pattern\":\"(((((((((((((((((((((((((((((((((((((((((a)))))))))))))))))))))"
	    "))))))))))))))))))))\"}", MCP_ELIMIT, "groups are nested too deep", "deep groups");
}

static void
repeat(struct buf *b, const char *text, size_t n)
{
	for (size_t i = 0; i < n; i++)
		buf_puts(b, text);
}

static void
test_sizes(void)
{
	struct buf b, v;
	size_t i;

	buf_init(&b, 1 << 22);
	buf_init(&v, 1 << 22);
	repeat(&b, "{\"items\":", SCHEMA_DEPTH_MAX);
	buf_puts(&b, "{}");
	repeat(&b, "}", SCHEMA_DEPTH_MAX);
	check_refused(b.data, MCP_ELIMIT, "the schema is nested too deep", "too deep a schema");

	buf_reset(&b);
	buf_puts(&b, "{\"allOf\":[{}");
	repeat(&b, ",{}", SCHEMA_NODES_MAX);
	buf_puts(&b, "]}");
	check_refused(b.data, MCP_ELIMIT, "there are too many schemas", "too many schemas");

	buf_reset(&b);
	repeat(&b, "[", 500);
	repeat(&b, "]", 500);
	check("{\"items\":{\"$ref\":\"#\"}}", b.data, TOO_DEEP, "a value of 500 levels under a recursive schema");
	check("{\"type\":\"array\"}", b.data, NULL, "a value of 500 levels that nobody looks into");
	check("{\"uniqueItems\":true,\"enum\":[1,[[[]]]]}", b.data, "(root): must be one of 1, [[[]]] (#/enum)",
	    "a value of 500 levels that is compared");

	buf_reset(&b);
	buf_reset(&v);
	buf_puts(&b, "{\"items\":{\"enum\":[");
	for (i = 0; i < 50000; i++)
		buf_printf(&b, "%s\"value number %zu\"", i ? "," : "", i);
	buf_puts(&b, "]}}");
	buf_puts(&v, "[0");
	repeat(&v, ",\"value number 49999\"", 1000);
	buf_puts(&v, "]");
	check(b.data, v.data, TOO_MANY_STEPS, "an enum of 50,000 for 1,000 items");

	buf_reset(&v);
	buf_puts(&v, "[0");
	for (i = 1; i < 200000; i++)
		buf_printf(&v, ",%zu", i);
	buf_puts(&v, "]");
	check("{\"uniqueItems\":true}", v.data, NULL, "200,000 different items");
	buf_reset(&v);
	buf_puts(&v, "[0");
	for (i = 1; i < 200000; i++)
		buf_printf(&v, ",%zu.5e%zu", i, i % 200);
	buf_puts(&v, ",0.0]");
	check("{\"uniqueItems\":true}", v.data, "(root): must not have the same item twice", "the first one again");
	buf_reset(&v);
	buf_putc(&v, '1');
	repeat(&v, "0", 300);
	buf_puts(&v, "1");
	check("{\"multipleOf\":3e-300,\"type\":\"integer\",\"minimum\":1e299}", v.data,
	    "(root): must be a multiple of 3e-300", "a number of 302 digits, divided");
	buf_clear(&b);
	buf_clear(&v);
}

/* The worker's stack; recursion of schemas and of reports must fit. */
#define STACK_SIZE (256 * 1024)

static void *
run_on_small_stack(void *ctx)
{
	struct buf v;

	(void)ctx;
	buf_init(&v, 1 << 16);
	repeat(&v, "{\"a\":[", 120);
	repeat(&v, "]}", 120);
	check("{\"anyOf\":[{\"properties\":{\"a\":{\"$ref\":\"#\"}},\"items\":{\"allOf\":[{\"$ref\":\"#\"}]},"
	    "\"unevaluatedProperties\":false}]}", v.data, TOO_DEEP, "the deepest recursion on a worker's stack");
	check("{\"patternProperties\":{\"^a\":{\"$ref\":\"#\"}},\"items\":{\"$ref\":\"#\"},\"unevaluatedItems\":false}",
	    v.data, TOO_DEEP, "the same through patterns");
	buf_clear(&v);
	return NULL;
}

static void
test_stack(void)
{
	pthread_attr_t attr;
	pthread_t thread;
	int rc;

	pthread_attr_init(&attr);
#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
	pthread_attr_setstacksize(&attr, 8 * STACK_SIZE);
#else
	pthread_attr_setstacksize(&attr, STACK_SIZE);
#endif
	rc = pthread_create(&thread, &attr, run_on_small_stack, NULL);
	if (rc == 0)
		pthread_join(thread, NULL);
	ok(rc == 0, "a thread with a worker's stack");
	pthread_attr_destroy(&attr);
}

int
main(void)
{
	test_references();
	test_patterns();
	test_sizes();
	test_stack();
	return tap_done();
}
