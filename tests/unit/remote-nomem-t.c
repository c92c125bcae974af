/* SPDX-License-Identifier: MIT */
/*
 * What talks to other servers when memory is short: each allocation of our own code and of json-c in turn fails
 * (wrapped by the linker). Whatever fails, there is an answer or MCP_ENOMEM, and nothing leaks (the sanitizers and
 * valgrind look).
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/json.h"
#include "base/text.h"
#include "net/fetch.h"
#include "oauth/introspection.h"
#include "oauth/introspection_answer.h"
#include "oauth/keystore.h"
#include "oauth/upstream.h"
#include "tests/tap.h"
#include "tests/unit/nomem.h"
#include "tools/web_search.h"
#include "tools/web_search_answer.h"

static const char search_answer[] =
    "{\"query\":\"q\",\"answer\":\"a\",\"images\":[\"u\",{\"url\":\"v\",\"description\":\"d\"}],"
    "\"results\":[{\"title\":\"t\",\"url\":\"u\",\"content\":\"c\",\"score\":0.5,"
    "\"raw_content\":\"r\",\"favicon\":\"f\",\"images\":[\"i\"],"
    "\"published_date\":\"p\"}],\"auto_parameters\":{\"topic\":\"general\"},\"usage\":{\"credits\":1},"
    "\"response_time\":1.5,\"request_id\":\"x\"}";

/* Each case returns whether it ended as it may: whole, or refused for want of memory. *whole tells which. */
static bool
read_search(bool *whole)
{
	char text[sizeof(search_answer)];
	struct json_object *result;
	struct buf shown;
	enum mcp_err err;

	memcpy(text, search_answer, sizeof(text));
	buf_init(&shown, 65536);
	err = web_search_read(text, sizeof(text) - 1, "q", &result);
	if (!err)
		web_search_render(result, &shown);
	*whole = err == MCP_OK && buf_status(&shown) == MCP_OK;
	json_free(result);
	buf_clear(&shown);
	return err == MCP_OK || err == MCP_ENOMEM;
}

static bool
call_search(bool *whole)
{
	static struct web_search_settings settings = { .timeout_s = 5 };
	static const struct fetch_policy policy;
	const struct web_search context = { &settings, &policy };
	struct tool_call call = { .request_id = "r" };
	long armed = nomem_left;
	struct tool tool;
	enum mcp_err err;

	nomem_left = -1;
	settings.api_key = (char *)(uintptr_t)"tvly-x";
	settings.api_url = (char *)(uintptr_t)"http://127.0.0.1:1";
	settings.project = (char *)(uintptr_t)"p";
	settings.defaults = (char *)(uintptr_t)"{\"max_results\":2}";
	tool_web_search(&tool, &context);
	call.context = tool.context;
	call.arguments = json_new_object();
	if (json_set_new((struct json_object *)(uintptr_t)call.arguments, "query", json_new_string("cats", 4)))
		return false;
	nomem_left = armed;
	err = tool.call(&call);
	*whole = err == MCP_OK && call.is_error && json_count(call.content) == 1;
	json_free((struct json_object *)(uintptr_t)call.arguments);
	json_free(call.content);
	json_free(call.structured);
	return *whole || err == MCP_ENOMEM;
}

static bool
ask_upstream(bool *whole)
{
	static const struct fetch_policy policy;
	struct upstream_answer a = { 0 };
	struct discovery *d;
	struct upstream *u;
	enum mcp_err err = discovery_new("http://127.0.0.1:1/resources/r", &policy, &d);

	*whole = false;
	if (err)
		return err == MCP_ENOMEM && d == NULL;
	err = upstream_new(d, "http://127.0.0.1:1/register", &policy, &u);
	if (err) {
		discovery_free(d);
		return err == MCP_ENOMEM && u == NULL;
	}
	err = upstream_metadata(u, 1000, &a);
	*whole = err == MCP_OK && a.status == 503;
	upstream_answer_clear(&a);
	if (*whole) {
		err = upstream_register(u, "{\"client_name\":\"x\"}", 19, 1000, &a);
		*whole = err == MCP_OK && a.status == 503;
		upstream_answer_clear(&a);
	}
	upstream_free(u);
	discovery_free(d);
	return *whole || err == MCP_ENOMEM;
}

static char key_file[] = "/tmp/remote-nomem-XXXXXX";

static bool
find_key(bool *whole)
{
	static const struct fetch_policy policy;
	const struct keystore_options options = { .file = key_file, .fetch = &policy };
	enum keystore_answer answer;
	struct keystore *k;
	struct jwks *set;
	bool good;
	enum mcp_err err = keystore_new(&options, &k);

	*whole = false;
	if (err)
		return err == MCP_ENOMEM && k == NULL;
	answer = keystore_find(k, NULL, "RS256", 1000, &set);
	*whole = answer == KEYSTORE_FOUND && set;
	good = *whole || (answer == KEYSTORE_UNAVAILABLE && !set);
	jwks_unref(set);
	nomem_left = -1;		/* there is memory again */
	good = good && keystore_find(k, NULL, "RS256", 1010, &set) == KEYSTORE_FOUND;
	jwks_unref(set);
	keystore_free(k);
	return good;
}

/* A question that finds nobody, and an answer that is there. */
static bool
introspect(bool *whole)
{
	static const char response[] = "{\"active\":true,\"aud\":\"a\",\"client_id\":\"c\",\"token_type\":\"Bearer\"}";
	static char aud[] = "a", iss[] = "i", *auds[] = { aud }, *isses[] = { iss };
	static const struct fetch_policy terms;
	const struct token_policy policy = { .issuers = { isses, 1 }, .audiences = { auds, 1 }, .max_bytes = 100 };
	const struct introspection_options options = {
		.endpoint = "http://127.0.0.1:1/", .issuer = iss, .fetch = &terms, .keep_s = 30, .max_held = 1,
		.auth = { .method = CLIENT_AUTH_BASIC, .client_id = "c", .client_secret = "s" },
	};
	struct json_object *claims = NULL;
	struct introspection *in;
	enum oauth_outcome outcome;
	struct principal who;
	const char *why;
	enum mcp_err err = introspection_new(&options, &in);

	*whole = false;
	if (err)
		return err == MCP_ENOMEM && in == NULL;
	outcome = introspection_validate(in, &policy, "x", 1, 1000, &who, NULL);
	introspection_free(in);
	if (outcome == OAUTH_INTROSPECTION_UNAVAILABLE) {
		err = introspection_read("application/json", response, sizeof(response) - 1, &claims, &why);
		if (err)
			return err == MCP_ENOMEM && !claims;
		outcome = introspection_judge(&policy, iss, claims, 1030, 1000, &who, NULL);
		*whole = outcome == OAUTH_OK;
		principal_clear(&who);
	}
	return *whole || outcome == OAUTH_OUT_OF_RESOURCES;
}

static void
run(const char *what, bool (*one)(bool *whole))
{
	bool good = true, whole = false;
	long n;

	for (n = 0; n < 2000 && good; n++) {
		nomem_failed = 0;
		nomem_left = n;
		good = one(&whole);
		nomem_left = -1;
		if (!nomem_failed)
			break;
	}
	ok(good && n > 3 && n < 2000, "%s: each of %ld allocations may fail", what, n);
	ok(whole, "%s: with all of them it is whole", what);
}

/* A copy of a key set that nobody else may write to. */
static bool
make_key_file(void)
{
	const char *source = getenv("top_srcdir");
	char path[4096], text[8192];
	FILE *from;
	size_t n;
	int fd;

	snprintf(path, sizeof(path), "%s/tests/fuzz/corpus/jwks/rsa", source ? source : ".");
	from = fopen(path, "r");
	fd = mkstemp(key_file);
	if (!from || fd < 0)
		return false;
	n = fread(text, 1, sizeof(text), from);
	fclose(from);
	if (write(fd, text, n) != (ssize_t)n)
		return false;
	return close(fd) == 0;
}

int
main(void)
{
	nomem_hush_log();
	run("reading a search's answer", read_search);
	run("a search that finds nobody", call_search);
	run("an authorization server that is not there", ask_upstream);
	run("a token that is asked about", introspect);
	if (make_key_file())
		run("a key from a file", find_key);
	else
		ok(false, "there is a key set to try");
	unlink(key_file);
	return tap_done();
}
