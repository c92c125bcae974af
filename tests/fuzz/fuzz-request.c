/* SPDX-License-Identifier: MIT */
/* CGI variables as a front or a hostile FastCGI peer sends them. Input: "NAME=value", a NUL after each. */
#include <string.h>

#include "base/text.h"
#include "http/admission.h"
#include "http/request.h"
#include "tests/fuzz/fuzz.h"

#define VARIABLES_MAX (HTTP_PARAMS_MAX + 8)

static const char *const paths[] = { "/mcp", "/health", "/.well-known/oauth-protected-resource",
	"/.well-known/oauth-protected-resource/mcp", "/oauth/register", "/" };

#define PATHS (sizeof(paths) / sizeof(paths[0]))

/* Each variable gets memory of its own, of just its size. Returns how many. */
static size_t
split(const uint8_t *data, size_t size, char **envp)
{
	size_t n = 0;

	while (size && n < VARIABLES_MAX) {
		const uint8_t *end = memchr(data, 0, size);
		size_t len = end ? (size_t)(end - data) : size;

		envp[n] = text_dup((const char *)data, len);
		if (!envp[n])
			break;
		n++;
		data += len + (end != NULL);
		size -= len + (end != NULL);
	}
	envp[n] = NULL;
	return n;
}

/* A field is absent or a value without control bytes and without blanks at its ends. */
static void
clean(const char *value)
{
	const char *s = value;
	size_t len;

	if (!value)
		return;
	len = strlen(value);
	FUZZ_CLAIM(len > 0);
	text_trim(&s, &len);
	FUZZ_CLAIM(len == strlen(value));
	for (; *value; value++)
		FUZZ_CLAIM((unsigned char)*value >= 0x20 || *value == '\t');
}

static void
examine(const struct http_request *req)
{
	const char *shown = NULL;
	int found = http_request_path(req, paths, PATHS, &shown);

	FUZZ_CLAIM(found >= -1 && found < (int)PATHS && shown);
	FUZZ_CLAIM(req->content_length >= -1);
	for (size_t i = 0; i < HTTP_FIELD_COUNT; i++)
		clean(req->field[i]);
	clean(req->content_type);
	clean(req->remote_addr);
	if (req->fault == HTTP_FAULT_NONE)
		FUZZ_CLAIM(req->method && text_is_tchar_token(req->method, strlen(req->method)));
	if (req->method && req->fault == HTTP_FAULT_NONE)
		FUZZ_CLAIM(http_request_variable(req, "REQUEST_METHOD"));
	if (req->content_type)
		http_request_is_type(req, "application/json");
}

static void
admit(const struct http_request *req)
{
	static struct admission local, remote;
	static const struct strlist none;
	static bool ready;
	struct http_response res;

	if (!ready) {
		FUZZ_CLAIM(admission_init(&local, "http://127.0.0.1:8080/mcp", &none, &none) == MCP_OK);
		FUZZ_CLAIM(admission_init(&remote, "https://mcp.example/mcp", &none, &none) == MCP_OK);
		ready = true;
	}
	http_response_init(&res);
	if (admission_origin_allowed(&remote, req) && req->field[HTTP_ORIGIN])
		FUZZ_CLAIM(text_equal_nocase(req->field[HTTP_ORIGIN], "https://mcp.example")
		    || text_equal_nocase(req->field[HTTP_ORIGIN], "https://mcp.example:443"));
	FUZZ_CLAIM(admission_host_allowed(&remote, req));
	admission_origin_allowed(&local, req);
	admission_host_allowed(&local, req);
	admission_cors(&local, req, false, true, &res);
	admission_cors(&remote, req, true, false, &res);
	/* No value that came from outside ended its line. */
	for (size_t i = 0; i < res.headers.len; i++)
		if (res.headers.data[i] == '\r')
			FUZZ_CLAIM(res.headers.data[i + 1] == '\n'
			    && (i + 2 == res.headers.len || res.headers.data[i + 2] == 'A'
				|| res.headers.data[i + 2] == 'V'));
	http_response_clear(&res);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	char *envp[VARIABLES_MAX + 1];
	size_t n = split(data, size, envp);
	struct http_request req;

	http_request_init(&req, envp);
	examine(&req);
	admit(&req);
	for (size_t i = 0; i < n; i++)
		free(envp[i]);
	return 0;
}
