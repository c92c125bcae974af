/* SPDX-License-Identifier: MIT */
/*
 * Drives the tool web_search for tests/live/web_search.py: "web-search-cli NAME=VALUE ..." with its settings, then one
 * object of arguments a line on standard input, and one line of JSON each: what is wrong with them, or the result.
 */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/config.h"
#include "base/json.h"
#include "base/settings.h"
#include "net/fetch.h"
#include "schema/schema.h"
#include "tools/web_search.h"

static struct web_search_settings settings;
static struct fetch_policy policy;
static struct schema *input, *output;
static struct tool tool;
static int64_t deadline_after_ms = 60000;

static void
compile(const char *text, struct schema **out)
{
	static const struct json_bounds bounds = { 65536, 16, 2000 };
	struct json_object *source = NULL;
	const char *why = "the schema is no JSON";

	if (json_parse(text, strlen(text), &bounds, &source, NULL) || schema_compile(source, 0, out, &why, NULL)) {
		fprintf(stderr, "schema: %s\n", why);
		exit(1);
	}
	json_free(source);
}

static void
answer(const char *line)
{
	static const struct json_bounds bounds = { 1 << 20, 16, 5000 };
	struct tool_call call = { .request_id = "r1", .context = tool.context, .now_s = clock_now_s() };
	int64_t start_ms = clock_monotonic_ms();
	struct json_object *arguments = NULL;
	enum mcp_err err = MCP_OK;
	struct buf faults, out;

	buf_init(&faults, 8192);
	buf_init(&out, 32 << 20);
	if (json_parse(line, strlen(line), &bounds, &arguments, NULL))
		exit(2);
	call.arguments = arguments;
	call.deadline_ms = start_ms + deadline_after_ms;
	buf_puts(&out, "{\"faults\":");
	if (schema_validate(input, arguments, &faults)) {
		err = tool.call(&call);
		if (!call.is_error && call.structured && !schema_validate(output, call.structured, &faults))
			buf_reset(&out), buf_puts(&out, "{\"unfit\":");
	}
	json_render_string(faults.data, faults.len, &out);
	buf_printf(&out, ",\"err\":%d,\"isError\":%s,\"ms\":%" PRId64 ",\"content\":", err, call.is_error ? "true"
	    : "false",
	    clock_monotonic_ms() - start_ms);
	json_render(call.content, &out);
	buf_puts(&out, ",\"structured\":");
	json_render(call.structured, &out);
	puts(out.data);
	fflush(stdout);
	buf_clear(&out);
	buf_clear(&faults);
	json_free(arguments);
	json_free(call.content);
	json_free(call.structured);
}

int
main(int argc, char **argv)
{
	struct setting_group groups[] = { { "Web search", web_search_setting_rows, web_search_setting_count, 0 } };
	const struct web_search context = { &settings, &policy };
	static char line[1 << 20];
	struct config_faults faults = { 0 };
	struct config *config;

	(void)argc;
	if (config_read(NULL, argv + 1, &faults, &config) || settings_apply(config, groups, 1, &settings, &faults))
		return 1;
	for (size_t i = 0; i < faults.n; i++)
		printf("%s: %s\n", faults.v[i].is_error ? "error" : "warning", faults.v[i].text);
	if (getenv("DEADLINE_MS"))
		deadline_after_ms = strtoll(getenv("DEADLINE_MS"), NULL, 10);
	tool_web_search(&tool, &context);
	compile(tool.input_schema, &input);
	compile(tool.output_schema, &output);
	printf("%s\n", web_search_enabled(&settings) ? "enabled" : "not enabled");
	fflush(stdout);
	while (fgets(line, sizeof(line), stdin))
		answer(line);
	schema_free(input);
	schema_free(output);
	settings_clear(groups, 1, &settings);
	config_faults_clear(&faults);
	config_free(config);
	return 0;
}
