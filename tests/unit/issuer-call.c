/* SPDX-License-Identifier: MIT */
#include "issuer-call.h"

#include <ftw.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <unistd.h>

#include "base/json.h"
#include "base/log.h"
#include "issuer/form.h"
#include "tests/tap.h"

static void
die(const char *what)
{
	printf("Bail out! %s\n", what);
	exit(1);
}

char *
text_of(const char *fmt, ...)
{
	char *text = NULL;
	va_list ap;

	va_start(ap, fmt);
	if (vasprintf(&text, fmt, ap) < 0)
		die("memory");
	va_end(ap);
	return text;
}

static char *
copy(const char *text, size_t len)
{
	char *out = malloc(len + 1);

	if (!out)
		die("memory");
	memcpy(out, text, len);
	out[len] = '\0';
	return out;
}

static void
discard(void *ctx, enum log_level level, const char *text)
{
	(void)ctx;
	if (level <= LOG_LEVEL_WARNING)
		diag("%s", text);
}

static void
open_in(struct fixture *f, const char *dir, bool auto_consent)
{
	struct issuer_options o = { .url = ISSUER_URL,
		.resource = ISSUER_RESOURCE,
		.resource_id = "res_dev",
		.scopes = "usr:read admin",
		.token_ttl_s = 3600,
		.auto_consent = auto_consent };
	const char *why;

	memset(f, 0, sizeof *f);
	log_capture(discard, NULL);
	snprintf(f->dir, sizeof f->dir, "%s", dir);
	f->now_s = 1750000000;
	o.state_dir = f->dir;
	if (issuer_new(&o, f->now_s, &f->is, &why))
		die(why);
}

void
fixture_open(struct fixture *f, bool auto_consent)
{
	char dir[] = "/tmp/mcp-fcgi-issuer-XXXXXX";

	if (!mkdtemp(dir))
		die("mkdtemp");
	open_in(f, dir, auto_consent);
}

void
fixture_join(struct fixture *f, const struct fixture *first)
{
	open_in(f, first->dir, false);
}

static int
remove_one(const char *path, const struct stat *st, int type, struct FTW *ftw)
{
	(void)st;
	(void)type;
	(void)ftw;
	return remove(path);
}

void
fixture_close(struct fixture *f)
{
	issuer_free(f->is);
	nftw(f->dir, remove_one, 8, FTW_DEPTH | FTW_PHYS);
}

void
reply_clear(struct reply *r)
{
	free(r->headers);
	free(r->body);
	r->headers = r->body = NULL;
}

struct memory_body {
	const char *data;
	size_t left;
};

static ssize_t
read_memory(void *ctx, void *to, size_t n, enum mcp_err *err)
{
	struct memory_body *b = ctx;

	(void)err;
	if (n > b->left)
		n = b->left;
	memcpy(to, b->data, n);
	b->data += n;
	b->left -= n;
	return (ssize_t)n;
}

struct reply
issuer_call(
    struct fixture *f, const char *method, const char *path, const char *query, const char *type, const char *body)
{
	struct memory_body memory = { body ? body : "", body ? strlen(body) : 0 };
	struct http_body_source source = { read_memory, &memory };
	struct http_response res;
	struct http_request req;
	struct reply r;
	char *envp[32];
	size_t n = 0;
	bool host = false, peer = false;

	envp[n++] = text_of("REQUEST_METHOD=%s", method);
	envp[n++] = text_of("SCRIPT_NAME=%s", path);
	envp[n++] = text_of("REQUEST_URI=%s%s%s", path, query ? "?" : "", query ? query : "");
	envp[n++] = text_of("QUERY_STRING=%s", query ? query : "");
	if (body) {
		envp[n++] = text_of("CONTENT_TYPE=%s", type);
		envp[n++] = text_of("CONTENT_LENGTH=%zu", strlen(body));
	}
	for (size_t i = 0; i < sizeof f->variables / sizeof f->variables[0] && f->variables[i]; i++) {
		host = host || strncmp(f->variables[i], "HTTP_HOST=", 10) == 0;
		peer = peer || strncmp(f->variables[i], "REMOTE_ADDR=", 12) == 0;
		envp[n++] = text_of("%s", f->variables[i]);
	}
	if (!host)
		envp[n++] = text_of("HTTP_HOST=127.0.0.1:3003");
	if (!peer)
		envp[n++] = text_of("REMOTE_ADDR=127.0.0.1");
	envp[n] = NULL;
	http_request_init(&req, envp);
	http_response_init(&res);
	issuer_handle(f->is, &req, &source, &res, f->now_s);
	r.status = res.status;
	r.headers = copy(res.headers.data, res.headers.len);
	r.body = copy(res.body.data, res.body.len);
	http_response_clear(&res);
	while (n)
		free(envp[--n]);
	return r;
}

struct reply
issuer_post(struct fixture *f, const char *path, const char *form)
{
	return issuer_call(f, "POST", path, NULL, "application/x-www-form-urlencoded", form);
}

struct reply
issuer_get(struct fixture *f, const char *path, const char *query)
{
	return issuer_call(f, "GET", path, query, NULL, NULL);
}

char *
reply_header(const struct reply *r, const char *name)
{
	size_t len = strlen(name);

	for (const char *line = r->headers; *line; line = strstr(line, "\r\n") + 2)
		if (strncasecmp(line, name, len) == 0 && line[len] == ':')
			return copy(line + len + 2, (size_t)(strstr(line, "\r\n") - line) - len - 2);
	return NULL;
}

char *
reply_member(const struct reply *r, const char *name)
{
	static const struct json_bounds bounds = { 1024 * 1024, 64, 10000 };
	struct json_object *o = NULL;
	char *out = NULL;
	const char *text;
	size_t len;

	if (json_parse(r->body, strlen(r->body), &bounds, &o, NULL) == MCP_OK
	    && json_get_string(o, name, &text, &len) == MCP_OK)
		out = copy(text, len);
	json_free(o);
	return out;
}

void
is_error(struct reply r, int status, const char *error, const char *text)
{
	char *got = reply_member(&r, "error");

	if (!ok(r.status == status && got && strcmp(got, error) == 0, "%s", text))
		diag("got %d %s", r.status, r.body);
	free(got);
	reply_clear(&r);
}

char *
register_client(struct fixture *f, const char *json, char **secret)
{
	struct reply r =
	    issuer_call(f, "POST", "/api/v1/resources/res_dev/clients:register", NULL, "application/json", json);
	char *id = reply_member(&r, "client_id");

	if (r.status != 201 || !id)
		die(r.body);
	if (secret)
		*secret = reply_member(&r, "client_secret");
	reply_clear(&r);
	return id;
}

char *
url_parameter(const char *url, const char *name)
{
	const char *query = strchr(url, '?');
	const char *value;
	struct form form;
	char *out;

	if (!query || form_parse(query + 1, strlen(query + 1), NULL, &form))
		return NULL;
	value = form_get(&form, name);
	out = value ? copy(value, strlen(value)) : NULL;
	form_clear(&form);
	return out;
}

char *
get_code(struct fixture *f, const char *client_id, const char *more)
{
	char *query =
	    text_of("response_type=code&client_id=%s&redirect_uri=%s&code_challenge=%s&code_challenge_method=S256%s",
		client_id, ISSUER_REDIRECT, ISSUER_CHALLENGE, more);
	struct reply r = issuer_get(f, "/resources/res_dev/oauth/authorize", query);
	char *location = reply_header(&r, "Location");
	char *code = location ? url_parameter(location, "code") : NULL;

	if (!code)
		die(location ? location : r.body);
	free(query);
	free(location);
	reply_clear(&r);
	return code;
}
