/* SPDX-License-Identifier: MIT */
/*
 * Strict JSON: what is accepted is written back, read again, and is the same; what is refused is refused with a place
 * and a reason. The first byte chooses bounds.
 */
#include <math.h>
#include <string.h>

#include "base/json.h"
#include "base/text.h"
#include "tests/fuzz/fuzz.h"

static const struct json_bounds bounds[] = {
	{ 1 << 20, JSON_DEPTH_MAX, 1 << 20 },
	{ 256, 3, 10 },
	{ 4096, 16, 100 },
};

/* Read "text" again, which we wrote, and expect "v". */
static void
expect(const struct json_object *v, const struct buf *text)
{
	static const struct json_bounds any = { 1 << 30, JSON_DEPTH_MAX, 1 << 30 };
	struct json_object *again;

	FUZZ_CLAIM(buf_status(text) == MCP_OK);
	FUZZ_CLAIM(text_is_utf8(text->data, text->len));
	FUZZ_CLAIM(json_parse(text->data, text->len, &any, &again, NULL) == MCP_OK);
	FUZZ_CLAIM(json_equal(v, again) && json_equal(again, v));
	json_free(again);
}

static void look(struct json_object *v);

static bool
visit(void *ctx, const char *name, struct json_object *value)
{
	struct json_object *object = ctx, *got;

	FUZZ_CLAIM(json_get(object, name, &got) == MCP_OK && got == value);
	FUZZ_CLAIM(text_is_utf8(name, strlen(name)));
	look(value);
	return true;
}

/* All values below "v": members are found by their names, numbers are finite, strings are UTF-8 and as long as said. */
static void
look(struct json_object *v)
{
	const char *s;
	size_t len;
	double d;

	FUZZ_CLAIM(json_as_number(v, &d) != MCP_OK || isfinite(d));
	FUZZ_CLAIM(json_as_string(v, &s, &len) != MCP_OK || (strlen(s) == len && text_is_utf8(s, len)));
	json_each(v, visit, v);
	for (size_t i = 0; json_kind(v) == JSON_ARRAY && i < json_count(v); i++)
		look(json_at(v, i));
}

static void
examine(struct json_object *v)
{
	struct buf compact, second, indented;
	struct json_object *again;

	buf_init(&compact, 1 << 24);
	buf_init(&second, 1 << 24);
	buf_init(&indented, 1 << 28);
	json_render(v, &compact);
	expect(v, &compact);
	json_render_indented(v, 2, &indented);
	expect(v, &indented);
	/* The written form is final. */
	FUZZ_CLAIM(json_parse(compact.data, compact.len, &bounds[0], &again, NULL) == MCP_OK
	    || compact.len > bounds[0].max_bytes);
	json_render(again, &second);
	FUZZ_CLAIM(!again || (second.len == compact.len && memcmp(second.data, compact.data, second.len) == 0));
	json_free(again);
	look(v);
	buf_clear(&compact);
	buf_clear(&second);
	buf_clear(&indented);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct json_fault fault = { 0, NULL };
	struct json_object *v;
	enum mcp_err err;

	if (size == 0)
		return 0;
	err = json_parse((const char *)data + 1, size - 1, &bounds[data[0] % 3], &v, &fault);
	FUZZ_CLAIM(err == MCP_OK || !v);
	FUZZ_CLAIM(err == MCP_OK || err == MCP_ESYNTAX || err == MCP_ELIMIT);
	FUZZ_CLAIM(err == MCP_OK || (fault.what && fault.offset <= size - 1));
	if (err == MCP_OK)
		examine(v);
	json_free(v);
	return 0;
}
