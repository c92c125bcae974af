/* SPDX-License-Identifier: MIT */
/* Composing an answer: the head's bytes, no field that ends its line, failures that stick. */
#include "http/response.h"

#include <stdlib.h>
#include <string.h>

#include "../tap.h"

static const char *
head(const struct http_response *res)
{
	static struct buf out;
	static bool begun;

	if (!begun)
		buf_init(&out, 64 * 1024);
	begun = true;
	buf_clear(&out);
	return http_response_head(res, false, &out) == MCP_OK ? out.data : NULL;
}

static void
test_heads(void)
{
	struct http_response res;

	http_response_init(&res);
	http_response_json(&res, 401, "{\"error\": \"Missing Bearer token\"}");
	http_response_header(&res, "WWW-Authenticate", "Bearer realm=\"x\"");
	is_str(head(&res), "Status: 401 Unauthorized\r\nContent-Type: application/json\r\n"
	    "WWW-Authenticate: Bearer realm=\"x\"\r\nContent-Length: 33\r\n\r\n", "a JSON answer with a challenge");
	is_str(res.body.data, "{\"error\": \"Missing Bearer token\"}", "and its body");
	res.no_body = true;
	ok(strstr(head(&res), "Content-Length: 33\r\n") != NULL, "an answer to HEAD tells the length");

	http_response_reset(&res);
	is_int(res.status, 0, "reset: nothing is decided");
	ok(!res.no_body && res.body.len == 0 && res.headers.len == 0, "reset: nothing is left");
	res.status = 202;
	is_str(head(&res), "Status: 202 Accepted\r\nContent-Length: 0\r\n\r\n", "202 tells its empty body");
	res.status = 204;
	is_str(head(&res), "Status: 204 No Content\r\n\r\n", "204 tells no length");
	res.status = 304;
	is_str(head(&res), "Status: 304 Not Modified\r\n\r\n", "304 tells no length");
	res.status = 299;
	is_str(head(&res), "Status: 299\r\nContent-Length: 0\r\n\r\n", "a status without a name has none");
	http_response_headerf(&res, "Retry-After", "%d", 7);
	ok(strstr(head(&res), "\r\nRetry-After: 7\r\n") != NULL, "a formatted field");
	http_response_clear(&res);
	http_response_clear(NULL);
}

static void
test_injection(void)
{
	struct http_response res;

	http_response_init(&res);
	res.status = 200;
	http_response_header(&res, "X", "a\r\nSet-Cookie: b\nc\r");
	http_response_headerf(&res, "Y", "%s", "\r\n\r\nbody");
	is_str(head(&res), "Status: 200 OK\r\nX: a  Set-Cookie: b c \r\nY:     body\r\nContent-Length: 0\r\n\r\n",
	    "line ends in a value become blanks");
	http_response_clear(&res);
}

static void
test_failures(void)
{
	struct http_response res;
	struct buf small;
	char *long_value = malloc(HTTP_RESPONSE_HEADERS_MAX + 1);

	memset(long_value, 'v', HTTP_RESPONSE_HEADERS_MAX);
	long_value[HTTP_RESPONSE_HEADERS_MAX] = '\0';
	http_response_init(&res);
	res.status = 200;
	http_response_header(&res, "X", long_value);
	ok(head(&res) == NULL, "fields beyond the bound fail the answer");
	http_response_header(&res, "Y", "y");
	ok(head(&res) == NULL, "and the failure sticks");
	http_response_reset(&res);
	res.status = 503;
	ok(head(&res) != NULL, "until a reset");
	http_response_headerf(&res, "X", "%s", long_value);
	ok(head(&res) == NULL, "a formatted field that does not fit fails the answer too");
	http_response_reset(&res);

	res.status = 200;
	buf_init(&small, 10);
	is_int(http_response_head(&res, false, &small), MCP_ELIMIT, "a full output buffer is told");
	buf_clear(&small);

	for (int i = 0; i < 1025; i++)
		buf_put(&res.body, long_value, 16 * 1024);
	ok(head(&res) == NULL, "a body beyond the bound fails the answer");
	http_response_settle(&res);
	ok(strstr(head(&res), "Status: 503 ") != NULL, "settled, such an answer is a 503");
	is_str(res.body.data, "{\"error\": \"server out of resources\"}", "with a body of its own");
	http_response_reset(&res);
	http_response_settle(&res);
	is_int(res.status, 500, "an answer nobody gave is a 500");
	http_response_clear(&res);
	free(long_value);
}

static void
test_reasons(void)
{
	is_str(http_reason(429), "Too Many Requests", "429 has a name");
	is_str(http_reason(0), "", "0 has none");
	is_str(http_reason(-1), "", "-1 has none");
}

int
main(void)
{
	test_heads();
	test_injection();
	test_failures();
	test_reasons();
	return tap_done();
}
