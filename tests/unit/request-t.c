/* SPDX-License-Identifier: MIT */
/* The request view: paths as the fronts split them, fields as the fronts pass them, and what is refused. */
#include "http/request.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "../tap.h"

enum { P_MCP, P_HEALTH, P_PRM, P_PRM_MCP, P_AS, P_REGISTER, P_COUNT };
static const char *const paths[P_COUNT] = {
	"/mcp", "/health", "/.well-known/oauth-protected-resource", "/.well-known/oauth-protected-resource/mcp",
	"/.well-known/oauth-authorization-server", "/oauth/register"
};

/* A writable envp from string literals, freed with free_env(). */
#define ENV_MAX 16
static char *env[ENV_MAX];

static void
free_env(void)
{
	for (int i = 0; i < ENV_MAX; i++) {
		free(env[i]);
		env[i] = NULL;
	}
}

static void
set_env(const char *const *entries)
{
	free_env();
	for (int i = 0; entries[i]; i++)
		env[i] = strdup(entries[i]);
}

#define REQUEST(req, ...) do { \
	const char *const entries_[] = { __VA_ARGS__, NULL }; \
	set_env(entries_); \
	http_request_init(req, env); \
} while (0)

/* How the fronts tell one and the same path, as seen on each of them. NULL: the variable is absent. */
static const struct tuple {
	const char *front;
	const char *script_name, *path_info, *redirect_url, *request_uri;
	int want;
} tuples[] = {
	/*
	 * lighttpd key "", mod_fcgid and CGI by ScriptAliasMatch, nginx, mod_proxy_fcgi by ProxyPassMatch: the whole
	 * path is SCRIPT_NAME.
	 */
	{ "lighttpd, key \"\"", "/.well-known/oauth-protected-resource/mcp", NULL, NULL,
	    "/.well-known/oauth-protected-resource/mcp", P_PRM_MCP },
	{ "lighttpd, key \"\", a query", "/mcp", NULL, NULL, "/mcp?a=b", P_MCP },
	{ "mod_fcgid, ScriptAliasMatch", "/health", NULL, NULL, "/health", P_HEALTH },
	{ "nginx, empty variables", "/oauth/register", "", NULL, "/oauth/register", P_REGISTER },
	/* lighttpd key "/" with fix-root-scriptname, and its mod_cgi. */
	{ "lighttpd external, key \"/\"", "", "/.well-known/oauth-protected-resource/mcp", NULL,
	    "/.well-known/oauth-protected-resource/mcp", P_PRM_MCP },
	{ "lighttpd mod_cgi", "", "/mcp", NULL, "/mcp", P_MCP },
	/* mod_proxy_fcgi by SetHandler, mod_fcgid by FcgidWrapper: split where the document root stops existing. */
	{ "mod_proxy_fcgi, SetHandler", "/.well-known", "/oauth-protected-resource/mcp", NULL,
	    "/.well-known/oauth-protected-resource/mcp", P_PRM_MCP },
	{ "mod_proxy_fcgi, SetHandler, one segment", "/mcp", NULL, NULL, "/mcp", P_MCP },
	{ "mod_proxy_fcgi, SetHandler, /oauth exists", "/oauth", "/register", NULL, "/oauth/register", P_REGISTER },
	{ "mod_proxy_fcgi, emptied SCRIPT_NAME: only REQUEST_URI is whole", "", "/oauth-protected-resource/mcp", NULL,
	    "/.well-known/oauth-protected-resource/mcp", P_PRM_MCP },
	/* Prefix keys, Alias a path. */
	{ "lighttpd prefix key", "/.well-known/oauth-protected-resource", "/mcp", NULL,
	    "/.well-known/oauth-protected-resource/mcp", P_PRM_MCP },
	{ "lighttpd prefix key, the route itself", "/mcp", "", NULL, "/mcp", P_MCP },
	/* Shared hosting. */
	{ ".htaccess to cgi-bin/mcp.fcgi", "/cgi-bin/mcp.fcgi", NULL, "/mcp", "/mcp", P_MCP },
	{ ".htaccess to cgi-bin/mcp.fcgi/$1", "/cgi-bin/mcp.fcgi", "/.well-known/oauth-protected-resource/mcp",
	    "/.well-known/oauth-protected-resource/mcp", "/.well-known/oauth-protected-resource/mcp", P_PRM_MCP },
	{ "FallbackResource", "/cgi-bin/mcp.fcgi", NULL, NULL, "/mcp", P_MCP },
	{ ".htaccess, an escaped request", "/cgi-bin/mcp.fcgi", NULL, "/mcp", "/%6dcp", P_MCP },
	{ "the program called by its own name", "/cgi-bin/mcp.fcgi", "/health", NULL, "/cgi-bin/mcp.fcgi/health",
	P_HEALTH },
	/* REQUEST_URI alone, raw as sent. */
	{ "a doubled slash", NULL, NULL, NULL, "//mcp", P_MCP },
	{ "a dot segment", NULL, NULL, NULL, "/./mcp", P_MCP },
	{ "a double-dot segment", NULL, NULL, NULL, "/x/../mcp", P_MCP },
	{ "double dots at the root", NULL, NULL, NULL, "/../../mcp", P_MCP },
	{ "double dots over two segments", NULL, NULL, NULL, "/x/y/../../oauth/register", P_REGISTER },
	{ "an escaped letter", NULL, NULL, NULL, "/%6dcp", P_MCP },
	{ "an escaped slash", NULL, NULL, NULL, "/oauth%2Fregister", P_REGISTER },
	{ "escaped dots", NULL, NULL, NULL, "/x/%2e%2E/mcp", P_MCP },
	{ "an absolute form", NULL, NULL, NULL, "http://other.example/mcp", P_MCP },
	{ "an absolute form with a port and a query", NULL, NULL, NULL, "https://other.example:8443/mcp?x=http://y/",
	P_MCP },
	{ "a fragment", NULL, NULL, NULL, "/mcp#f", P_MCP },
	{ "a query", NULL, NULL, NULL, "/health?/mcp", P_HEALTH },
	/* What names no route. */
	{ "a public path below another", "/x/.well-known/oauth-protected-resource", NULL, NULL,
	    "/x/.well-known/oauth-protected-resource", -1 },
	{ "a longer name", "/mcpx", NULL, NULL, "/mcpx", -1 },
	{ "a path below a route", "/mcp/x", NULL, NULL, "/mcp/x", -1 },
	{ "a prefix key that matched too much", "/mcp", "/x", NULL, "/mcp/x", -1 },
	{ "a trailing slash", "/mcp/", NULL, NULL, "/mcp/", -1 },
	{ "another case", "/MCP", NULL, NULL, "/MCP", -1 },
	{ "escaped twice", NULL, NULL, NULL, "/%256dcp", -1 },
	{ "an escaped NUL", NULL, NULL, NULL, "/mcp%00", -1 },
	{ "a broken escape", NULL, NULL, NULL, "/mcp%4", -1 },
	{ "a broken escape at the end", NULL, NULL, NULL, "/mcp%", -1 },
	{ "an escaped question mark is no query", NULL, NULL, NULL, "/mcp%3Fx", -1 },
	{ "no path", NULL, NULL, NULL, "*", -1 },
	{ "an absolute form without a path", NULL, NULL, NULL, "http://other.example", -1 },
	{ "an absolute form hidden in a query", NULL, NULL, NULL, "x?http://y/mcp", -1 },
	{ "nothing at all", NULL, NULL, NULL, NULL, -1 },
};

static void
test_paths(void)
{
	for (size_t i = 0; i < sizeof(tuples) / sizeof(tuples[0]); i++) {
		const struct tuple *t = &tuples[i];
		struct http_request req = { .script_name = t->script_name, .path_info = t->path_info,
		    .redirect_url = t->redirect_url, .request_uri = t->request_uri };
		const char *shown = NULL;

		/* As http_request_init() leaves them. */
		if (req.script_name && !*req.script_name)
			req.script_name = NULL;
		if (req.path_info && !*req.path_info)
			req.path_info = NULL;
		is_int(http_request_path(&req, paths, P_COUNT, &shown), t->want, "path: %s", t->front);
		if (!shown || (t->request_uri && strcmp(shown, t->request_uri) != 0))
			ok(false, "path: %s: what is shown is REQUEST_URI", t->front);
	}
}

static void
test_long_paths(void)
{
	struct http_request req = { 0 };
	char *uri = malloc(100001);
	size_t len = 0;

	memset(uri, 'a', 100000);
	uri[0] = '/';
	uri[100000] = '\0';
	req.request_uri = uri;
	is_int(http_request_path(&req, paths, P_COUNT, NULL), -1, "a path of 100 kB names no route");
	for (len = 0; len < 99000; len += 3)
		memcpy(uri + len, "/..", 3);
	memcpy(uri + len, "/mcp", 5);
	is_int(http_request_path(&req, paths, P_COUNT, NULL), P_MCP, "33,000 double dots before a route are resolved");
	for (size_t n = 1015; n < 1030; n++) {
		memset(uri, 'a', n);
		uri[0] = '/';
		uri[n] = '\0';
		if (http_request_path(&req, paths, P_COUNT, NULL) != -1)
			ok(false, "a path of %zu bytes names no route", n);
	}
	free(uri);
}

static void
test_fields(void)
{
	struct http_request req;

	REQUEST(&req, "REQUEST_METHOD=POST", "HTTP_ACCEPT= application/json, text/event-stream\t", "HTTP_ORIGIN=",
	    "HTTP_AUTHORIZATION=Bearer abc", "CONTENT_TYPE=application/json ; charset=utf-8", "CONTENT_LENGTH=17",
	    "QUERY_STRING=a=b", "REMOTE_ADDR=192.0.2.1", "HTTP_MCP_METHOD=tools/call",
	    "HTTP_ACCESS_CONTROL_REQUEST_METHOD=POST", "HTTP_USER_AGENT=caf\xc3\xa9\t1");
	is_int(req.fault, HTTP_FAULT_NONE, "a usual request is without fault");
	is_str(req.method, "POST", "the method");
	is_str(req.field[HTTP_ACCEPT], "application/json, text/event-stream", "blanks and tabs at both ends are cut");
	is_str(req.field[HTTP_ORIGIN], NULL, "an empty variable counts as absent");
	is_str(req.field[HTTP_AUTHORIZATION], "Bearer abc", "Authorization");
	is_str(req.field[HTTP_MCP_METHOD], "tools/call", "Mcp-Method");
	is_str(req.field[HTTP_REQUEST_METHOD], "POST", "Access-Control-Request-Method is a field of its own");
	is_str(req.field[HTTP_USER_AGENT], "caf\xc3\xa9\t1", "bytes above 7f and an inner tab pass");
	is_int(req.content_length, 17, "Content-Length");
	is_str(req.query, "a=b", "the query");
	is_str(req.remote_addr, "192.0.2.1", "the peer's address");
	ok(http_request_is_type(&req, "application/json"), "the media type is told without its parameters");
	ok(http_request_is_type(&req, "APPLICATION/json"), "and without case");
	ok(!http_request_is_type(&req, "application/jso"), "a prefix is another type");
	is_str(http_request_variable(&req, "HTTP_ACCEPT_"), NULL, "a variable that is not there");
	is_str(http_request_variable(&req, "QUERY_STRING"), "a=b", "any variable by name");
	is_str(http_request_variable(&req, "HTTP_ORIGIN"), NULL, "an empty variable by name is absent");

	REQUEST(&req, "REQUEST_METHOD=GET", "REDIRECT_HTTP_AUTHORIZATION=Bearer r");
	is_str(req.field[HTTP_AUTHORIZATION], "Bearer r", "Authorization as a rewrite in .htaccess renames it");
	REQUEST(&req, "REQUEST_METHOD=GET", "HTTP_AUTHORIZATION=", "REDIRECT_HTTP_AUTHORIZATION=Bearer r");
	is_str(req.field[HTTP_AUTHORIZATION], "Bearer r", "an empty HTTP_AUTHORIZATION does not hide it");
	REQUEST(&req, "REQUEST_METHOD=GET", "REDIRECT_HTTP_AUTHORIZATION=Bearer r", "HTTP_AUTHORIZATION=Bearer h");
	is_str(req.field[HTTP_AUTHORIZATION], "Bearer h", "HTTP_AUTHORIZATION goes before");
	is_int(req.content_length, -1, "no Content-Length is -1");
	ok(!http_request_is_type(&req, "application/json"), "no Content-Type is no type");

	REQUEST(&req, "REQUEST_METHOD=GET", "HTTP_PROXY=http://evil.example", "CONTENT_LENGTH=", "CONTENT_TYPE=",
	    "NOEQUALS");
	is_int(req.fault, HTTP_FAULT_NONE,
	    "HTTP_PROXY, empty variables (nginx) and an entry without \"=\" are no fault");
	is_int(req.content_length, -1, "an empty CONTENT_LENGTH is an absent one");
	free_env();
}

/* What the fronts pass for one kind of odd header, and what it must come to. */
static void
test_faults(void)
{
	static const struct {
		const char *text;
		const char *entries[6];
		enum http_fault want;
	} rows[] = {
		{ "nginx: Mcp-Name twice", { "REQUEST_METHOD=POST", "HTTP_MCP_NAME=a", "HTTP_MCP_NAME=b" },
		HTTP_FAULT_TWICE },
		{ "nginx: Origin twice, equal values", { "REQUEST_METHOD=POST", "HTTP_ORIGIN=a", "HTTP_ORIGIN=a" },
		HTTP_FAULT_TWICE },
		{ "nginx: Accept twice", { "REQUEST_METHOD=POST", "HTTP_ACCEPT=a", "HTTP_ACCEPT=b" },
		HTTP_FAULT_TWICE },
		{ "lighttpd, Apache: Mcp-Name joined", { "REQUEST_METHOD=POST", "HTTP_MCP_NAME=a, b" },
		HTTP_FAULT_NONE },
		{ "Authorization twice",
		{ "REQUEST_METHOD=POST", "HTTP_AUTHORIZATION=Bearer a", "HTTP_AUTHORIZATION=Bearer b" },
		    HTTP_FAULT_TWICE },
		{ "an empty one and a full one",
		{ "REQUEST_METHOD=POST", "HTTP_AUTHORIZATION=", "HTTP_AUTHORIZATION=Bearer b" },
		    HTTP_FAULT_TWICE },
		{ "nginx with a second HTTP_HOST", { "REQUEST_METHOD=POST", "HTTP_HOST=a", "HTTP_HOST=a:1" },
		HTTP_FAULT_TWICE },
		{ "CONTENT_LENGTH twice", { "REQUEST_METHOD=POST", "CONTENT_LENGTH=1", "CONTENT_LENGTH=1" },
		HTTP_FAULT_TWICE },
		{ "REMOTE_ADDR twice", { "REQUEST_METHOD=POST", "REMOTE_ADDR=127.0.0.1", "REMOTE_ADDR=192.0.2.1" },
		HTTP_FAULT_TWICE },
		{ "REQUEST_METHOD twice", { "REQUEST_METHOD=POST", "REQUEST_METHOD=GET" }, HTTP_FAULT_TWICE },
		{ "lighttpd: Mcp-Param-A-B and Mcp-Param-A_B",
		    { "REQUEST_METHOD=POST", "HTTP_MCP_PARAM_A_B=1", "HTTP_MCP_PARAM_A_B=2" }, HTTP_FAULT_TWICE },
		{ "two Mcp-Param of different names",
		{ "REQUEST_METHOD=POST", "HTTP_MCP_PARAM_A=1", "HTTP_MCP_PARAM_A_B=2" },
		    HTTP_FAULT_NONE },
		{ "a field nobody reads, twice", { "REQUEST_METHOD=POST", "HTTP_VIA=a", "HTTP_VIA=b" },
		HTTP_FAULT_NONE },
		{ "nginx: \\x01 in a value", { "REQUEST_METHOD=POST", "HTTP_MCP_NAME=a\001b" }, HTTP_FAULT_BYTES },
		{ "nginx: \\x7f in a value", { "REQUEST_METHOD=POST", "HTTP_ORIGIN=a\177" }, HTTP_FAULT_BYTES },
		{ "a line end in a value", { "REQUEST_METHOD=POST", "HTTP_AUTHORIZATION=Bearer a\r\nX: y" },
		HTTP_FAULT_BYTES },
		{ "\\x01 in an Mcp-Param", { "REQUEST_METHOD=POST", "HTTP_MCP_PARAM_X=\001" }, HTTP_FAULT_BYTES },
		{ "\\x01 in a field nobody reads", { "REQUEST_METHOD=POST", "HTTP_X=\001" }, HTTP_FAULT_NONE },
		{ "\\x01 in the path is only another path", { "REQUEST_METHOD=POST", "SCRIPT_NAME=/\001" },
		HTTP_FAULT_NONE },
		{ "CONTENT_LENGTH=+3", { "REQUEST_METHOD=POST", "CONTENT_LENGTH=+3" }, HTTP_FAULT_LENGTH },
		{ "CONTENT_LENGTH=-1", { "REQUEST_METHOD=POST", "CONTENT_LENGTH=-1" }, HTTP_FAULT_LENGTH },
		{ "CONTENT_LENGTH=-0", { "REQUEST_METHOD=POST", "CONTENT_LENGTH=-0" }, HTTP_FAULT_LENGTH },
		{ "CONTENT_LENGTH=3, 3", { "REQUEST_METHOD=POST", "CONTENT_LENGTH=3, 3" }, HTTP_FAULT_LENGTH },
		{ "CONTENT_LENGTH=0x3", { "REQUEST_METHOD=POST", "CONTENT_LENGTH=0x3" }, HTTP_FAULT_LENGTH },
		{ "CONTENT_LENGTH of 2^64", { "REQUEST_METHOD=POST", "CONTENT_LENGTH=18446744073709551616" },
		HTTP_FAULT_LENGTH },
		{ "CONTENT_LENGTH of 2^63 - 1", { "REQUEST_METHOD=POST", "CONTENT_LENGTH=9223372036854775807" },
		HTTP_FAULT_NONE },
		{ "no REQUEST_METHOD", { "HTTP_HOST=a" }, HTTP_FAULT_METHOD },
		{ "an empty REQUEST_METHOD", { "REQUEST_METHOD=" }, HTTP_FAULT_METHOD },
		{ "a method with a blank in it", { "REQUEST_METHOD=GET /" }, HTTP_FAULT_METHOD },
		{ "an unknown method", { "REQUEST_METHOD=PROPFIND" }, HTTP_FAULT_NONE },
	};

	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct http_request req;

		set_env(rows[i].entries);
		http_request_init(&req, env);
		is_int(req.fault, rows[i].want, "fault: %s", rows[i].text);
		if (req.fault != HTTP_FAULT_METHOD && req.fault != HTTP_FAULT_TWICE && !req.method)
			ok(false, "fault: %s: the method stays known", rows[i].text);
	}
	free_env();
}

static void
test_twice_hides_both(void)
{
	struct http_request req;

	REQUEST(&req, "REQUEST_METHOD=GET", "HTTP_AUTHORIZATION=Bearer a", "HTTP_AUTHORIZATION=Bearer b",
	    "REDIRECT_HTTP_AUTHORIZATION=Bearer c", "HTTP_X_FORWARDED_FOR=192.0.2.1", "HTTP_X_FORWARDED_FOR=192.0.2.2");
	is_str(req.field[HTTP_AUTHORIZATION], NULL, "of two Authorizations none is believed, nor the redirected one");
	is_str(http_request_variable(&req, "HTTP_X_FORWARDED_FOR"), NULL, "a variable that is there twice is none");
	free_env();
}

static void
test_bounds(void)
{
	char **many = calloc(HTTP_PARAMS_MAX + 3, sizeof(char *));
	char *big = malloc(HTTP_PARAMS_BYTES_MAX + 16);
	char method[] = "REQUEST_METHOD=GET";
	char *large[3] = { method, big, NULL };
	struct http_request req;

	many[0] = method;
	for (int i = 1; i < HTTP_PARAMS_MAX + 1; i++) {
		char text[32];

		snprintf(text, sizeof(text), "X%d=y", i);
		many[i] = strdup(text);
	}
	http_request_init(&req, many);
	is_int(req.fault, HTTP_FAULT_TOO_MANY, "%d variables are too many", HTTP_PARAMS_MAX + 1);
	free(many[HTTP_PARAMS_MAX]);
	many[HTTP_PARAMS_MAX] = NULL;
	http_request_init(&req, many);
	is_int(req.fault, HTTP_FAULT_NONE, "%d are not", HTTP_PARAMS_MAX);
	for (int i = 1; i < HTTP_PARAMS_MAX; i++)
		free(many[i]);
	free(many);

	memset(big, 'a', HTTP_PARAMS_BYTES_MAX);
	memcpy(big, "HTTP_X=", 7);
	big[HTTP_PARAMS_BYTES_MAX - sizeof(method) - 1] = '\0';
	http_request_init(&req, large);
	is_int(req.fault, HTTP_FAULT_NONE, "%d bytes of variables are read", HTTP_PARAMS_BYTES_MAX);
	big[HTTP_PARAMS_BYTES_MAX - sizeof(method) - 1] = 'a';
	big[HTTP_PARAMS_BYTES_MAX - sizeof(method)] = '\0';
	http_request_init(&req, large);
	is_int(req.fault, HTTP_FAULT_TOO_MANY, "one byte more is too many");
	free(big);
}

int
main(void)
{
	test_paths();
	test_long_paths();
	test_fields();
	test_faults();
	test_twice_hides_both();
	test_bounds();
	return tap_done();
}
