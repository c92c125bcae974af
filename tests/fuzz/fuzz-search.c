/* SPDX-License-Identifier: MIT */
/*
 * What a search service answers. Input: the answer's body. Whatever it is, a result fits its schema and its bounds and
 * holds no control byte but line ends and tabs; what is told of an error is one short line.
 */
#include <string.h>

#include "base/json.h"
#include "base/text.h"
#include "schema/schema.h"
#include "tests/fuzz/fuzz.h"
#include "tools/web_search_answer.h"
#include "tools/web_search_schema.h"

static struct schema *output;

static void
compile_once(void)
{
	static const struct json_bounds bounds = { 65536, 16, 2000 };
	struct json_object *source = NULL;
	const char *why;

	if (output)
		return;
	FUZZ_CLAIM(json_parse(web_search_output_schema, strlen(web_search_output_schema), &bounds, &source,
	    NULL) == MCP_OK);
	FUZZ_CLAIM(schema_compile(source, 0, &output, &why, NULL) == MCP_OK);
	json_free(source);
}

static void
read_result(char *text, size_t len)
{
	struct json_object *result = NULL;
	enum mcp_err err = web_search_read(text, len, "query", &result);
	struct buf faults, shown;

	FUZZ_CLAIM(err == MCP_OK ? result != NULL : result == NULL && err == MCP_EREMOTE);
	buf_init(&faults, 4096);
	buf_init(&shown, 4 * WEB_SEARCH_RESULT_MAX);
	if (result) {
		FUZZ_CLAIM(schema_validate(output, result, &faults));
		web_search_render(result, &shown);
		FUZZ_CLAIM(buf_status(&shown) == MCP_OK && shown.len > 0);
		FUZZ_CLAIM(text_is_utf8(shown.data, shown.len));
		for (size_t i = 0; i < shown.len; i++) {
			unsigned char c = (unsigned char)shown.data[i];

			FUZZ_CLAIM((c >= 0x20 && c != 0x7f) || c == '\n' || c == '\t');
		}
	}
	json_free(result);
	buf_clear(&faults);
	buf_clear(&shown);
}

static void
read_error(char *text, size_t len)
{
	int64_t retry_after_s = -1;
	struct buf line;

	buf_init(&line, 2048);
	web_search_read_error(text, len, &line, &retry_after_s);
	FUZZ_CLAIM(buf_status(&line) == MCP_OK && line.len < 400);
	FUZZ_CLAIM(text_is_utf8(line.data, line.len) && !strchr(line.data, '\n'));
	FUZZ_CLAIM(retry_after_s >= -1);
	buf_clear(&line);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	char *text;

	compile_once();
	text = text_dup((const char *)data, size);
	if (text)
		read_result(text, size);
	free(text);
	text = text_dup((const char *)data, size);
	if (text)
		read_error(text, size);
	free(text);
	return 0;
}
