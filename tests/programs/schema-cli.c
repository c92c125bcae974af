/* SPDX-License-Identifier: MIT */
/*
 * Applies schemas for the tests. A line of standard input is an object: "schema", "instances" (an array), "assert"
 * (true: formats are assertions). The answer is one line: "error WHERE WHY" if it does not compile, else a letter an
 * instance, v or i, and if a line is not JSON for our parser "refused WHY".
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/json.h"
#include "schema/schema.h"

static void
run(struct json_object *line)
{
	struct json_object *source = NULL, *instances = NULL;
	struct buf faults, where;
	struct schema *s = NULL;
	const char *why;
	bool formats = false;

	buf_init(&faults, 4096);
	buf_init(&where, 4096);
	if (json_get(line, "schema", &source) || json_get_array(line, "instances", &instances) ||
	    json_get_bool(line, "assert", &formats))
		printf("refused not a request\n");
	else if (schema_compile(source, formats ? SCHEMA_ASSERT_FORMATS : 0, &s, &why, &where))
		printf("error %s %s\n", where.data, why);
	for (size_t i = 0; s && i < json_count(instances); i++) {
		buf_reset(&faults);
		putchar(schema_validate(s, json_at(instances, i), &faults) ? 'v' : 'i');
		fprintf(stderr, "%s\n", faults.data);
	}
	if (s)
		putchar('\n');
	fflush(stdout);
	schema_free(s);
	buf_clear(&faults);
	buf_clear(&where);
}

int
main(void)
{
	static const struct json_bounds bounds = { 1 << 26, 512, 1 << 24 };
	struct json_fault fault = { 0, "memory is short" };
	struct json_object *line;
	char *text = NULL;
	size_t size = 0;
	ssize_t n;

	while ((n = getline(&text, &size, stdin)) > 0) {
		if (json_parse(text, (size_t)n, &bounds, &line, &fault) != MCP_OK) {
			printf("refused %s\n", fault.what);
			fflush(stdout);
			continue;
		}
		run(line);
		json_free(line);
	}
	free(text);
	return 0;
}
