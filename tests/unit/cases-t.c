/* SPDX-License-Identifier: MIT */
/*
 * Every conversation of tests/cases through the whole chain, without a socket. "cases-t NAME..." runs only those.
 * Settings and organisation data that all share lie beside the directories.
 */
#include <dirent.h>
#include <ftw.h>
#include <openssl/evp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "base/json.h"
#include "base/log.h"
#include "http/request.h"
#include "http/response.h"
#include "server/server.h"
#include "store/state.h"
#include "tests/case.h"
#include "tests/record.h"
#include "tests/tap.h"
#include "tests/unit/mint.h"

#define PATH_BYTES 4096
#define TEXT_MAX (16 * 1024 * 1024)
#define SECRET "s3cret"		/* what requests call what must not be logged */

static char root[PATH_BYTES];		/* tests/cases */
static char work[] = "/tmp/mcp-fcgi-cases.XXXXXX";
static EVP_PKEY *key;
static unsigned leaks;			/* log lines with SECRET in them */
static unsigned servers;		/* made so far; each has its own directory */

static void
need(bool good, const char *what)
{
	if (good)
		return;
	diag("cannot go on: %s", what);
	exit(99);
}

/* Compose a path of less than PATH_BYTES. */
static void set_path(char *out, const char *fmt, ...) __attribute__((format(printf, 2, 3)));

static void
set_path(char *out, const char *fmt, ...)
{
	va_list ap;
	int n;

	va_start(ap, fmt);
	n = vsnprintf(out, PATH_BYTES, fmt, ap);
	va_end(ap);
	need(n > 0 && n < PATH_BYTES, "a path is too long");
}

/* Put the members of one object into another. */
static bool
overlay(void *ctx, const char *name, struct json_object *value)
{
	need(json_set(ctx, name, json_ref(value)) == MCP_OK, "memory");
	return true;
}

static char *
mint_token(void *ctx, const char *claims)
{
	const struct json_bounds bounds = { 65536, 16, 1000 };
	struct json_object *payload = NULL, *more = NULL;
	long long now = (long long)time(NULL);
	char *text, *token;
	struct buf b;

	(void)ctx;
	text = mint_text("{\"iss\":\"https://env.example.com\",\"aud\":[\"https://mcp.example.com/mcp\"],"
	    "\"sub\":\"usr_1\",\"client_id\":\"skc_1\",\"iat\":%lld,\"exp\":%lld,\"scope\":\"usr:read\"}",
	    now - 10, now + 3600);
	need(json_parse(text, strlen(text), &bounds, &payload, NULL) == MCP_OK, "claims");
	free(text);
	if (claims[0]) {
		need(json_parse(claims, strlen(claims), &bounds, &more, NULL) == MCP_OK, claims);
		json_each(more, overlay, payload);
	}
	buf_init(&b, 65536);
	json_render(payload, &b);
	token = mint(key, "EdDSA", "{\"alg\":\"EdDSA\",\"typ\":\"at+jwt\",\"kid\":\"k1\"}", b.data);
	buf_clear(&b);
	json_free(more);
	json_free(payload);
	return token;
}

static void
write_file(const char *path, const char *text)
{
	FILE *f = fopen(path, "w");

	need(f && fputs(text, f) >= 0 && fclose(f) == 0, path);
}

static void
write_keys(void)
{
	char path[PATH_BYTES];
	struct buf b;

	buf_init(&b, 65536);
	buf_puts(&b, "{\"keys\":[");
	mint_jwk(key, NULL, ",\"kid\":\"k1\",\"alg\":\"EdDSA\",\"use\":\"sig\"", &b);
	buf_puts(&b, "]}");
	set_path(path, "%s/jwks.json", work);
	write_file(path, b.data);
	buf_clear(&b);
}

/* Lines "ORGANISATION KEY VALUE" into the state that a server will open. */
static void
seed_data(const char *state_dir)
{
	char path[PATH_BYTES], *line, *rest, *org, *name;
	struct state *state;
	struct buf b;

	buf_init(&b, 65536);
	set_path(path, "%s/data", root);
	need(case_read_file(path, &b), path);
	need(state_open(state_dir, &state, NULL) == MCP_OK, state_dir);
	for (line = strtok_r(b.data, "\n", &rest); line; line = strtok_r(NULL, "\n", &rest)) {
		org = strsep(&line, " ");
		name = strsep(&line, " ");
		need(line && state_org_set(state, org, name, line) == MCP_OK, "organisation data");
	}
	state_close(state);
	buf_clear(&b);
}

/* Append the lines of "file" to "out" unless a line for the same name is in "over". */
static void
put_settings(const char *file, const char *over, struct buf *out)
{
	char *line, *rest, name[128];
	struct buf b;

	buf_init(&b, 65536);
	if (case_read_file(file, &b))
		for (line = strtok_r(b.data, "\n", &rest); line; line = strtok_r(NULL, "\n", &rest)) {
			snprintf(name, sizeof(name), "\n%.*s=", (int)strcspn(line, "="), line);
			if (!over || !strstr(over, name))
				buf_printf(out, "%s\n", line);
		}
	buf_clear(&b);
}

/* A server with the settings of the case over those that all share. */
/* Copy a module of the build into a directory that only this user can write. */
static void
place_module(const char *folder, const char *name)
{
	const char *top = getenv("top_builddir");
	char path[PATH_BYTES];
	struct buf b;
	FILE *f;

	buf_init(&b, TEXT_MAX);
	set_path(path, "%s/%s/%s", top ? top : ".", folder, name);
	need(case_read_file(path, &b), path);
	set_path(path, "%s/%s", work, name);
	f = fopen(path, "w");
	need(f && fwrite(b.data, 1, b.len, f) == b.len && fclose(f) == 0 && chmod(path, 0644) == 0, path);
	buf_clear(&b);
}

static struct server *
make_server(const char *name)
{
	const struct server_process process = { "fastcgi", (int64_t)time(NULL) };
	char own[PATH_BYTES], shared[PATH_BYTES], path[PATH_BYTES], state_dir[PATH_BYTES];
	struct server_config *config;
	struct report report = { 0 };
	struct server *s;
	struct buf mine, all;
	static char *no_environment[] = { NULL };

	set_path(own, "%s/%s/settings", root, name);
	set_path(shared, "%s/settings", root);
	set_path(path, "%s/%u.conf", work, servers);
	set_path(state_dir, "%s/%u.state", work, servers++);
	need(mkdir(state_dir, 0700) == 0, state_dir);
	seed_data(state_dir);

	buf_init(&mine, 65536);
	buf_init(&all, 65536);
	buf_putc(&mine, '\n');
	put_settings(own, NULL, &mine);
	put_settings(shared, mine.data, &all);
	buf_printf(&all, "JWKS_FILE=%s/jwks.json\nMODULES=%s\nSTATE_DIR=%s%s", work, work, state_dir, mine.data);
	need(buf_status(&all) == MCP_OK, "settings");
	write_file(path, all.data);
	need(chmod(path, 0600) == 0, path);
	need(server_config_load(path, no_environment, &report, &config) == MCP_OK, "the configuration");
	need(server_new(config, &process, &report, &s) == MCP_OK, "the server");
	report_clear(&report);
	buf_clear(&mine);
	buf_clear(&all);
	return s;
}

struct memory {
	const char *at, *end;
};

static ssize_t
read_memory(void *ctx, void *to, size_t n, enum mcp_err *err)
{
	struct memory *m = ctx;

	(void)err;
	if (n > (size_t)(m->end - m->at))
		n = (size_t)(m->end - m->at);
	memcpy(to, m->at, n);
	m->at += n;
	return (ssize_t)n;
}

/* The value of a variable of the request, NULL for none. */
static const char *
variable(const struct case_request *request, const char *name)
{
	size_t i, len = strlen(name);

	for (i = 0; i < request->n; i++)
		if (strncmp(request->envp[i], name, len) == 0 && request->envp[i][len] == '=')
			return request->envp[i] + len + 1;
	return NULL;
}

static void
run_step(struct server *s, const char *label, struct case_request *request, const char *expect_path)
{
	struct memory memory = { request->body.data, request->body.data + request->body.len };
	struct http_body_source source = { read_memory, &memory };
	struct case_expect expect;
	struct http_response res;
	struct http_request req;
	struct buf why;
	const char *type;
	char *line, *rest;

	case_expect_read(expect_path, &expect);
	http_response_init(&res);
	http_request_init(&req, request->envp);
	server_handle(s, &req, &source, &res);
	type = strstr(res.headers.data, "Content-Type: ");
	record_response(&(struct record){ request->body.data, request->body.len,
	    variable(request, "HTTP_MCP_PROTOCOL_VERSION"), res.status, type ? type + strlen("Content-Type: ") : "",
	    res.body.data, res.body.len });
	buf_init(&why, TEXT_MAX);
	case_compare(&expect, res.status, &res.headers, &res.body, &why);
	if (!ok(why.len == 0, "%s", label))
		for (line = strtok_r(why.data, "\n", &rest); line; line = strtok_r(NULL, "\n", &rest))
			diag("%s", line);
	buf_clear(&why);
	http_response_clear(&res);
	case_expect_clear(&expect);
}

/* The steps of one case: request and expect, request.2 and expect.2, ... */
static void
run_case(struct server *shared, const char *name)
{
	char path[PATH_BYTES], expect[PATH_BYTES], label[512], suffix[16] = "";
	struct case_request request;
	struct server *s = shared;
	unsigned step;
	bool found;

	set_path(path, "%s/%s/settings", root, name);
	if (access(path, R_OK) == 0)
		s = make_server(name);
	for (step = 1;; step++) {
		if (step > 1)
			snprintf(suffix, sizeof(suffix), ".%u", step);
		set_path(path, "%s/%s/request%s", root, name, suffix);
		set_path(expect, "%s/%s/expect%s", root, name, suffix);
		snprintf(label, sizeof(label), "%s%s", name, suffix);
		found = case_request_read(path, mint_token, NULL, &request);
		if (found)
			run_step(s, label, &request, expect);
		case_request_clear(&request);
		if (!found)
			break;
	}
	if (step == 1)
		ok(false, "%s has no request", name);
	if (s != shared)
		server_unref(s);
}

static int
is_case(const struct dirent *entry)
{
	char path[PATH_BYTES];
	struct stat st;

	set_path(path, "%s/%s", root, entry->d_name);
	return entry->d_name[0] != '.' && stat(path, &st) == 0 && S_ISDIR(st.st_mode);
}

static int
remove_entry(const char *path, const struct stat *st, int type, struct FTW *ftw)
{
	(void)st;
	(void)type;
	(void)ftw;
	return remove(path);
}

static void
drop_line(void *ctx, enum log_level level, const char *text)
{
	(void)ctx;
	(void)level;
	if (strstr(text, SECRET))
		leaks++;
	if (getenv("CASES_LOG") || strstr(text, SECRET))
		diag("log: %s", text);
}

int
main(int argc, char **argv)
{
	const char *top = getenv("top_srcdir");
	struct dirent **entries;
	struct server *shared;
	int i, n;

	log_capture(drop_line, NULL);
	set_path(root, "%s/tests/cases", top ? top : ".");
	need(mkdtemp(work) != NULL, work);
	place_module("examples", "hello.so");
	place_module("tests/modules", "mirrored.so");
	key = mint_ed25519();
	write_keys();
	shared = make_server("");
	if (argc > 1) {
		for (i = 1; i < argc; i++)
			run_case(shared, argv[i]);
	} else {
		n = scandir(root, &entries, is_case, alphasort);
		need(n > 0, root);
		for (i = 0; i < n; i++) {
			run_case(shared, entries[i]->d_name);
			free(entries[i]);
		}
		free(entries);
	}
	is_int(leaks, 0, "S55: no line of the log has a secret: of a token, a query, an argument");
	server_unref(shared);
	EVP_PKEY_free(key);
	nftw(work, remove_entry, 16, FTW_DEPTH | FTW_PHYS);
	return tap_done();
}
