/* SPDX-License-Identifier: MIT */
#include "http/admission.h"

#include <string.h>

#include "../tap.h"

static struct strlist none;

static bool
origin_passes(const char *public_url, const struct strlist *allowed, const char *origin)
{
	struct http_request req = { .field[HTTP_ORIGIN] = origin };
	struct admission a;
	bool passes;

	if (admission_init(&a, public_url, allowed, &none))
		return false;
	passes = admission_origin_allowed(&a, &req);
	admission_clear(&a);
	return passes;
}

static bool
host_passes(const char *public_url, const char *host)
{
	struct http_request req = { .field[HTTP_HOST] = host };
	struct admission a;
	bool passes;

	if (admission_init(&a, public_url, &none, &none))
		return false;
	passes = admission_host_allowed(&a, &req);
	admission_clear(&a);
	return passes;
}

static void
test_origins(void)
{
	static const char site[] = "https://mcp.example.com/mcp", local[] = "http://localhost:3002/mcp";
	struct strlist some = { 0 };

	ok(origin_passes(site, &none, NULL), "no Origin passes");
	ok(origin_passes(site, &none, "https://mcp.example.com"), "the server's own origin passes");
	ok(origin_passes(site, &none, "HTTPS://MCP.example.com:443"), "case and default port do not matter");
	ok(!origin_passes(site, &none, "https://mcp.example.com.evil.example"), "a longer host does not pass");
	ok(!origin_passes(site, &none, "http://mcp.example.com"), "another scheme does not pass");
	ok(!origin_passes(site, &none, "https://mcp.example.com:8443"), "another port does not pass");
	ok(!origin_passes(site, &none, "http://localhost:6274"), "loopback does not pass while the server is public");
	ok(!origin_passes(site, &none, "null") && !origin_passes(site, &none, "https://mcp.example.com/x"),
	    "what is no origin does not pass");
	ok(origin_passes(local, &none, "http://localhost:6274") && origin_passes(local, &none, "http://127.0.0.1:1") &&
	    origin_passes(local, &none, "http://[::1]:5173"),
	    "X15: loopback origins pass while the server is on loopback");
	ok(!origin_passes(local, &none, "http://evil.example.com")
	    && !origin_passes(local, &none, "http://localhost.evil.example"),
	    "strangers do not");
	if (strlist_split(&some, "https://app.example", " ", 9) == MCP_OK)
		ok(origin_passes(site, &some, "https://app.example"), "ALLOWED_ORIGINS pass");
	strlist_clear(&some);
	if (strlist_split(&some, "*", " ", 9) == MCP_OK)
		ok(origin_passes(site, &some, "https://anything.example"), "with * any passes");
	strlist_clear(&some);
}

static void
test_cors(void)
{
	struct http_request req = { .field = { [HTTP_ORIGIN] = "http://localhost:6274",
	    [HTTP_REQUEST_HEADERS] = "content-type, Mcp-Param-Region, x-evil" } };
	struct http_response res;
	struct admission a;

	if (admission_init(&a, "http://localhost:3002/mcp", &none, &none)) {
		ok(false, "a loopback URL is understood");
		return;
	}
	http_response_init(&res);
	admission_cors(&a, &req, false, true, &res);
	ok(strstr(res.headers.data, "Access-Control-Allow-Origin: http://localhost:6274\r\n")
	    && strstr(res.headers.data, "Vary: Origin\r\n"),
	    "an allowed origin is reflected");
	ok(strstr(res.headers.data, ", Mcp-Param-Region\r\n") && !strstr(res.headers.data, "x-evil"),
	    "X14: a preflight gets our fields and its Mcp-Param ones, no others");
	ok(!strstr(res.headers.data, "Credentials"), "S56: credentials are never allowed");
	http_response_reset(&res);
	req.field[HTTP_ORIGIN] = "https://evil.example";
	admission_cors(&a, &req, false, false, &res);
	ok(!strstr(res.headers.data, "Access-Control-Allow-Origin"), "a forbidden origin gets no permission");
	http_response_reset(&res);
	admission_cors(&a, &req, true, false, &res);
	ok(strstr(res.headers.data, "Access-Control-Allow-Origin: *\r\n") != NULL,
	    "public documents are for any origin");
	http_response_clear(&res);
	admission_clear(&a);
}

int
main(void)
{
	struct admission a;

	test_origins();
	ok(host_passes("http://127.0.0.1:3002/mcp", "localhost:3002")
	    && host_passes("http://127.0.0.1:3002/mcp", "[::1]:3002") &&
	    host_passes("http://127.0.0.1:3002/mcp", "127.0.0.1"), "loopback names pass as Host on loopback");
	ok(!host_passes("http://127.0.0.1:3002/mcp", "evil.example.com:3002"), "a rebound name does not");
	ok(!host_passes("http://127.0.0.1:3002/mcp", "localhost:80@evil.example.com")
	    && !host_passes("http://127.0.0.1:3002/mcp", "localhost:evil.example.com")
	    && !host_passes("http://127.0.0.1:3002/mcp", "[::1]:x"), "nor one behind what looks like a loopback name");
	ok(host_passes("https://mcp.example.com/mcp", "anything"), "a public server leaves Host to the web server");
	test_cors();
	is_int(admission_init(&a, "not a url", &none, &none), MCP_ESYNTAX, "a public URL that is none is told");
	return tap_done();
}
