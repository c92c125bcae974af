/* SPDX-License-Identifier: MIT */
/*
 * A schema and a value. Input: a byte whose lowest bit makes formats assertions, the text of a schema, a line end, the
 * text of a value. Whatever they are, a refusal says why within its bound; the verdict is the same twice and for the
 * value written anew; a value is what "const" and "enum" have of it, and not unique beside itself.
 */
#include <string.h>

#include "base/json.h"
#include "base/text.h"
#include "schema/schema.h"
#include "tests/fuzz/fuzz.h"

static const struct json_bounds bounds = { 65536, 64, 4096 };

static bool
verdict(const struct schema *s, const struct json_object *value, bool *decided)
{
	struct buf faults;
	bool good;

	buf_init(&faults, 4096);
	good = schema_validate(s, value, &faults);
	FUZZ_CLAIM(good ? faults.len == 0 : faults.len > 0 && buf_status(&faults) != MCP_ENOMEM);
	FUZZ_CLAIM(text_is_utf8(faults.data, faults.len));
	*decided = good || !strstr(faults.data, "cannot be validated");
	buf_clear(&faults);
	return good;
}

static void
try_keyword(const char *keyword, struct json_object *argument, const struct json_object *value, bool wanted)
{
	struct json_object *source = json_new_object();
	struct schema *s;
	const char *why;
	bool decided;

	FUZZ_CLAIM(source && json_set(source, keyword, argument) == MCP_OK);
	FUZZ_CLAIM(schema_compile(source, 0, &s, &why, NULL) == MCP_OK);
	FUZZ_CLAIM(verdict(s, value, &decided) == wanted && decided);
	schema_free(s);
	json_free(source);
}

static void
try_value(struct json_object *value)
{
	struct json_object *list = json_new_array(), *pair = json_new_array();

	FUZZ_CLAIM(list && pair && json_push(list, json_ref(value)) == MCP_OK);
	FUZZ_CLAIM(json_push(pair, json_ref(value)) == MCP_OK && json_push(pair, json_ref(value)) == MCP_OK);
	try_keyword("const", json_ref(value), value, true);
	try_keyword("enum", list, value, true);
	try_keyword("uniqueItems", json_new_bool(true), pair, false);
	json_free(pair);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct json_object *source = NULL, *value = NULL, *again = NULL;
	const char *line = size > 0 ? memchr(data + 1, '\n', size - 1) : NULL, *why = NULL;
	struct schema *s = NULL;
	struct buf where, text;
	bool good, decided, decided_again;
	enum mcp_err err;

	if (!line)
		return 0;
	buf_init(&where, 1024);
	buf_init(&text, 1 << 20);
	if (json_parse((const char *)data + 1, (size_t)(line - (const char *)data - 1), &bounds, &source, NULL) ||
	    json_parse(line + 1, (size_t)((const char *)data + size - line - 1), &bounds, &value, NULL))
		goto out;
	try_value(value);
	err = schema_compile(source, data[0] & 1 ? SCHEMA_ASSERT_FORMATS : 0, &s, &why, &where);
	FUZZ_CLAIM(err == MCP_OK || err == MCP_EINVAL || err == MCP_ELIMIT);
	FUZZ_CLAIM(err ? !s && why && where.len > 0 : s && !why);
	if (err)
		goto out;
	good = verdict(s, value, &decided);
	json_render(value, &text);
	FUZZ_CLAIM(json_parse(text.data, text.len, &bounds, &again, NULL) == MCP_OK);
	FUZZ_CLAIM(verdict(s, again, &decided_again) == good || !decided || !decided_again);
out:
	schema_free(s);
	json_free(source);
	json_free(value);
	json_free(again);
	buf_clear(&where);
	buf_clear(&text);
	return 0;
}
