/* SPDX-License-Identifier: MIT */
#include "mcp/jsonrpc.h"

#include <stdlib.h>
#include <string.h>

#include "base/json.h"
#include "tests/quotes.h"
#include "tests/tap.h"

static const struct accepted {
	const char *text;
	enum jsonrpc_kind kind;
	const char *what;
} accepted[] = {
	{ "{'jsonrpc':'2.0','id':1,'method':'ping'}", JSONRPC_REQUEST, "an integer id" },
	{ "{'jsonrpc':'2.0','id':-9223372036854775808,'method':'ping'}", JSONRPC_REQUEST, "the smallest integer id" },
	{ "{'jsonrpc':'2.0','id':'','method':'ping'}", JSONRPC_REQUEST, "an empty string id" },
	{ "{'jsonrpc':'2.0','id':'a\\u00e9','method':'ping','params':{}}", JSONRPC_REQUEST, "a string id" },
	{ " {'method':'x','jsonrpc':'2.0','extra':[1]}\n", JSONRPC_NOTIFICATION, "a member nobody defined" },
	{ "{'jsonrpc':'2.0','id':1,'result':{}}", JSONRPC_RESPONSE, "a result" },
	{ "{'jsonrpc':'2.0','id':'s','error':{'code':1,'message':'m'}}", JSONRPC_RESPONSE, "an error" },
	{ "{'jsonrpc':'2.0','error':{'code':1,'message':'m'}}", JSONRPC_RESPONSE, "an error without id" }
};

static const struct refused {
	const char *text;
	int code;
	bool has_id;
	const char *what;
} refused[] = {
	{ "", JSONRPC_PARSE_ERROR, false, "nothing" },
	{ "  \n", JSONRPC_PARSE_ERROR, false, "blanks" },
	{ "{", JSONRPC_PARSE_ERROR, false, "a truncated object" },
	{ "{'jsonrpc':'2.0','id':1,'method':'pi", JSONRPC_PARSE_ERROR, false, "a truncated string" },
	{ "{'jsonrpc':'2.0','id':1,'method':'ping'} x", JSONRPC_PARSE_ERROR, false, "bytes after the message" },
	{ "{'jsonrpc':'2.0','id':1,'id':2,'method':'ping'}", JSONRPC_PARSE_ERROR, false, "a member twice" },
	{ "{'jsonrpc':'2.0','id':1,'\\u006dethod':'a','method':'b'}", JSONRPC_PARSE_ERROR, false,
	    "a member twice by escapes" },
	{ "{'jsonrpc':'2.0','id':1,'method':'\xff'}", JSONRPC_PARSE_ERROR, false, "bytes that are no UTF-8" },
	{ "{'jsonrpc':'2.0','id':1,'method':'a\\u0000b'}", JSONRPC_PARSE_ERROR, false, "a NUL" },
	{ "{'jsonrpc':'2.0','id':NaN,'method':'ping'}", JSONRPC_PARSE_ERROR, false, "NaN" },
	{ "[]", JSONRPC_INVALID_REQUEST, false, "an empty batch" },
	{ "[{'jsonrpc':'2.0','id':1,'method':'ping'}]", JSONRPC_INVALID_REQUEST, false, "a batch" },
	{ "null", JSONRPC_INVALID_REQUEST, false, "null" },
	{ "17", JSONRPC_INVALID_REQUEST, false, "a number" },
	{ "{}", JSONRPC_INVALID_REQUEST, false, "an empty object" },
	{ "{'id':1,'method':'ping'}", JSONRPC_INVALID_REQUEST, true, "no jsonrpc" },
	{ "{'jsonrpc':'1.0','id':1,'method':'ping'}", JSONRPC_INVALID_REQUEST, true, "jsonrpc 1.0" },
	{ "{'jsonrpc':2.0,'id':1,'method':'ping'}", JSONRPC_INVALID_REQUEST, true, "jsonrpc as a number" },
	{ "{'jsonrpc':'2.0','id':null,'method':'ping'}", JSONRPC_INVALID_REQUEST, false, "id null" },
	{ "{'jsonrpc':'2.0','id':1.5,'method':'ping'}", JSONRPC_INVALID_REQUEST, false, "a fraction as id" },
	{ "{'jsonrpc':'2.0','id':9223372036854775808,'method':'ping'}", JSONRPC_INVALID_REQUEST, false,
	    "an id beyond int64" },
	{ "{'jsonrpc':'2.0','id':true,'method':'ping'}", JSONRPC_INVALID_REQUEST, false, "a boolean id" },
	{ "{'jsonrpc':'2.0','id':{},'method':'ping'}", JSONRPC_INVALID_REQUEST, false, "an object as id" },
	{ "{'jsonrpc':'2.0','id':[1],'method':'ping'}", JSONRPC_INVALID_REQUEST, false, "an array as id" },
	{ "{'jsonrpc':'2.0','id':1}", JSONRPC_INVALID_REQUEST, true, "neither method nor result nor error" },
	{ "{'jsonrpc':'2.0','id':1,'method':5}", JSONRPC_INVALID_REQUEST, true, "method as a number" },
	{ "{'jsonrpc':'2.0','id':1,'method':null}", JSONRPC_INVALID_REQUEST, true, "method null" },
	{ "{'jsonrpc':'2.0','id':1,'method':'a','params':[]}", JSONRPC_INVALID_REQUEST, true, "params as an array" },
	{ "{'jsonrpc':'2.0','id':1,'method':'a','params':null}", JSONRPC_INVALID_REQUEST, true, "params null" },
	{ "{'jsonrpc':'2.0','id':1,'method':'a','result':{}}", JSONRPC_INVALID_REQUEST, true, "a call with a result" },
	{ "{'jsonrpc':'2.0','id':1,'result':{},'error':{}}", JSONRPC_INVALID_REQUEST, true, "a result and an error" },
	{ "{'jsonrpc':'2.0','id':1,'result':7}", JSONRPC_INVALID_REQUEST, true, "a result that is no object" },
	{ "{'jsonrpc':'2.0','result':{}}", JSONRPC_INVALID_REQUEST, false, "a result without id" },
	{ "{'jsonrpc':'2.0','id':1,'error':{'code':'1'}}", JSONRPC_INVALID_REQUEST, true,
	    "an error of the wrong shape" }
};

static void
test_table(void)
{
	struct jsonrpc_message m;
	struct jsonrpc_fault fault;
	const char *text;
	size_t i;

	for (i = 0; i < sizeof(accepted) / sizeof(accepted[0]); i++) {
		text = q(accepted[i].text);
		ok(jsonrpc_parse(text, strlen(text), &m, &fault), "%s is read", accepted[i].what);
		is_int(m.kind, accepted[i].kind, "... and of the right kind");
		jsonrpc_clear(&m);
	}
	for (i = 0; i < sizeof(refused) / sizeof(refused[0]); i++) {
		text = q(refused[i].text);
		ok(!jsonrpc_parse(text, strlen(text), &m, &fault), "%s is refused", refused[i].what);
		is_int(fault.code, refused[i].code, "... with the right code (%s)", fault.text);
		ok((m.id != NULL) == refused[i].has_id, "... and the id is %s",
		    refused[i].has_id ? "known" : "not known");
		jsonrpc_clear(&m);
	}
}

/* A message whose params hold "n" arrays in one another. */
static char *
nested(unsigned n, size_t *len)
{
	static const char head[] = "{\"jsonrpc\":\"2.0\",\"id\":1,\"method\":\"a\",\"params\":{\"a\":";
	char *text = malloc(sizeof(head) + 2 * n + 3);

	*len = 0;
	if (!text)
		return NULL;
	memcpy(text, head, sizeof(head) - 1);
	memset(text + sizeof(head) - 1, '[', n);
	memset(text + sizeof(head) - 1 + n, ']', n);
	memcpy(text + sizeof(head) - 1 + 2 * (size_t)n, "}}", 3);
	*len = sizeof(head) - 1 + 2 * (size_t)n + 2;
	return text;
}

static void
test_bounds(void)
{
	static const unsigned depths[] = { JSONRPC_DEPTH_MAX - 2, JSONRPC_DEPTH_MAX - 1, 10000 };
	struct jsonrpc_message m;
	struct jsonrpc_fault fault;
	size_t i, len;
	struct buf b;
	char *text;

	for (i = 0; i < 3; i++) {
		text = nested(depths[i], &len);
		ok(text && jsonrpc_parse(text, len, &m, &fault) == (depths[i] + 2 <= JSONRPC_DEPTH_MAX),
		    "%u levels in params", depths[i]);
		jsonrpc_clear(&m);
		free(text);
	}
	is_int(fault.code, JSONRPC_PARSE_ERROR, "too deep is a parse error");

	buf_init(&b, 1 << 20);
	buf_puts(&b, q("{'jsonrpc':'2.0','method':'a','params':{'a':[0"));
	for (i = 0; i < JSONRPC_VALUES_MAX; i++)
		buf_puts(&b, q(",0"));
	buf_puts(&b, q("]}}"));
	ok(!jsonrpc_parse(b.data, b.len, &m, &fault), "more values than the bound are refused");
	is_int(fault.code, JSONRPC_PARSE_ERROR, "... as a parse error");
	jsonrpc_clear(&m);

	for (len = JSONRPC_ID_MAX; len <= JSONRPC_ID_MAX + 1; len++) {
		buf_reset(&b);
		buf_puts(&b, q("{'jsonrpc':'2.0','method':'a','id':'"));
		for (i = 0; i < len; i++)
			buf_putc(&b, 'x');
		buf_puts(&b, q("'}"));
		ok(jsonrpc_parse(b.data, b.len, &m, &fault) == (len == JSONRPC_ID_MAX), "an id of %zu bytes", len);
		jsonrpc_clear(&m);
	}
	buf_clear(&b);
}

static void
test_render(void)
{
	struct json_object *id = json_new_string("a\"\n", 3), *data = json_new_int(3);
	struct buf b;

	buf_init(&b, 4096);
	jsonrpc_render_error(id, -32601, "Method not found: \"x\"", data, &b);
	is_str(b.data, q("{'jsonrpc':'2.0','id':'a\\\"\\n','error':{'code':-32601,'message':'Method not found: "
	    "\\\"x\\\"','data':3}}"),
	    "an error with id and data");
	buf_reset(&b);
	jsonrpc_render_error(NULL, -32700, "Parse error", NULL, &b);
	is_str(b.data, q("{'jsonrpc':'2.0','error':{'code':-32700,'message':'Parse error'}}"),
	    "an unknown id is left out, not null");
	buf_clear(&b);
	json_free(id);
	json_free(data);
}

int
main(void)
{
	test_table();
	test_bounds();
	test_render();
	return tap_done();
}
