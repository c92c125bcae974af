/* SPDX-License-Identifier: MIT */
#include "tests/case.h"

#include <ctype.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "base/text.h"
#include "tests/tap.h"

#define FILE_MAX_BYTES (8 * 1024 * 1024)
#define ANY "{{ANY}}"

static _Noreturn void
give_up(const char *path, const char *why)
{
	diag("%s: %s", path, why);
	exit(99);
}

bool
case_read_file(const char *path, struct buf *out)
{
	FILE *f = fopen(path, "rb");
	char chunk[4096];
	size_t n;

	if (!f && errno == ENOENT)
		return false;
	if (!f)
		give_up(path, strerror(errno));
	while ((n = fread(chunk, 1, sizeof(chunk), f)) > 0)
		buf_put(out, chunk, n);
	if (ferror(f) || buf_status(out))
		give_up(path, "cannot be read");
	fclose(f);
	return true;
}

/* {{REPEAT 3 ab}} is ababab, {{BYTES ff 00}} those bytes. Returns false for anything else. */
static bool
expand_macro(const char *text, size_t len, struct buf *out)
{
	char *end;
	unsigned long n;

	if (len > 7 && memcmp(text, "REPEAT ", 7) == 0) {
		n = strtoul(text + 7, &end, 10);
		for (end++; n > 0; n--)
			buf_put(out, end, len - (size_t)(end - text));
		return true;
	}
	if (len > 6 && memcmp(text, "BYTES ", 6) == 0) {
		for (end = (char *)(size_t)(text + 6); end < text + len; )
			buf_putc(out, (char)strtoul(end, &end, 16));
		return true;
	}
	return false;
}

static void
expand_body(const char *path, const char *text, size_t len, struct buf *out)
{
	const char *end = text + len, *open, *close;

	while ((open = memmem(text, (size_t)(end - text), "{{", 2)) != NULL) {
		close = memmem(open, (size_t)(end - open), "}}", 2);
		buf_put(out, text, (size_t)(open - text));
		if (!close || !expand_macro(open + 2, (size_t)(close - open - 2), out))
			give_up(path, "the body has braces that are no macro");
		text = close + 2;
	}
	buf_put(out, text, (size_t)(end - text));
}

static void
add_variable(struct case_request *r, const char *name, const char *value)
{
	size_t len = strlen(name) + strlen(value) + 2;

	r->envp = realloc(r->envp, (r->n + 2) * sizeof(*r->envp));
	if (!r->envp || !(r->envp[r->n] = malloc(len)))
		give_up(name, "memory is short");
	snprintf(r->envp[r->n], len, "%s=%s", name, value);
	r->envp[++r->n] = NULL;
}

static bool
has_variable(const struct case_request *r, const char *name)
{
	size_t i;

	for (i = 0; i < r->n; i++)
		if (strncmp(r->envp[i], name, strlen(name)) == 0 && r->envp[i][strlen(name)] == '=')
			return true;
	return false;
}

/* "Mcp-Name" is HTTP_MCP_NAME; two are named otherwise. Source: RFC 3875 section 4.1.18. */
static void
add_field(struct case_request *r, const char *name, const char *value)
{
	char variable[256];
	size_t i, at = 0;

	if (!text_equal_nocase(name, "Content-Type") && !text_equal_nocase(name, "Content-Length"))
		at = (size_t)snprintf(variable, sizeof(variable), "HTTP_");
	for (i = 0; name[i] && at < sizeof(variable) - 1; i++)
		variable[at++] = name[i] == '-' ? '_' : (char)toupper((unsigned char)name[i]);
	variable[at] = '\0';
	add_variable(r, variable, value);
}

/* A value of a field, with at most one macro: {{TOKEN}}, {{TOKEN CLAIMS}}, or one of those of bodies. */
static void
add_field_line(const char *path, struct case_request *r, char *line, case_mint *mint, void *ctx)
{
	char *value = strchr(line, ':'), *open, *close, *token;
	struct buf b;

	if (!value)
		give_up(path, "a line of the head has no colon");
	*value++ = '\0';
	value += *value == ' ';
	if (line[0] == '$') {
		add_variable(r, line + 1, value);
		return;
	}
	buf_init(&b, FILE_MAX_BYTES);
	open = strstr(value, "{{");
	close = open ? strrchr(open, '}') : NULL;
	if (open && close && strncmp(open, "{{TOKEN", 7) == 0) {
		close[-1] = '\0';
		token = mint(ctx, open[7] == ' ' ? open + 8 : "");
		*open = '\0';
		buf_printf(&b, "%s%s%s", value, token, close + 1);
		free(token);
	} else
		expand_body(path, value, strlen(value), &b);
	add_field(r, line, b.data);
	buf_clear(&b);
}

static void
add_request_line(const char *path, struct case_request *r, char *line)
{
	char *target = strchr(line, ' '), *query;

	if (!target)
		give_up(path, "the first line is METHOD TARGET");
	*target++ = '\0';
	add_variable(r, "REQUEST_METHOD", line);
	add_variable(r, "REQUEST_URI", target);
	query = strchr(target, '?');
	if (query)
		*query++ = '\0';
	add_variable(r, "QUERY_STRING", query ? query : "");
	add_variable(r, "SCRIPT_NAME", "");
	add_variable(r, "PATH_INFO", target);
}

/* What every front says, unless the case says it otherwise. */
static void
add_defaults(struct case_request *r)
{
	char length[32];

	if (!has_variable(r, "REMOTE_ADDR"))
		add_variable(r, "REMOTE_ADDR", "192.0.2.1");
	if (!has_variable(r, "HTTP_HOST"))
		add_variable(r, "HTTP_HOST", "mcp.example.com");
	snprintf(length, sizeof(length), "%zu", r->body.len);
	if (r->body.len > 0 && !has_variable(r, "CONTENT_LENGTH"))
		add_variable(r, "CONTENT_LENGTH", length);
}

/* Cut the line that begins at *text; returns it and moves *text behind it. NULL at the end or before an empty line. */
static char *
next_line(char **text, char *end)
{
	char *line = *text, *newline = line < end ? memchr(line, '\n', (size_t)(end - line)) : NULL;

	if (line >= end || line == newline)
		return NULL;
	*text = newline ? newline + 1 : end;
	if (newline)
		*newline = '\0';
	return line;
}

bool
case_request_read(const char *path, case_mint *mint, void *ctx, struct case_request *out)
{
	char *text, *end, *line;
	struct buf file;

	memset(out, 0, sizeof(*out));
	buf_init(&out->body, FILE_MAX_BYTES);
	buf_init(&file, FILE_MAX_BYTES);
	if (!case_read_file(path, &file)) {
		buf_clear(&file);
		return false;
	}
	text = file.data;
	end = file.data + file.len;
	line = next_line(&text, end);
	if (!line)
		give_up(path, "is empty");
	add_request_line(path, out, line);
	while ((line = next_line(&text, end)) != NULL)
		add_field_line(path, out, line, mint, ctx);
	if (text < end)
		text++;
	if (text < end && end[-1] == '\n')
		end--;
	expand_body(path, text, (size_t)(end - text), &out->body);
	add_defaults(out);
	buf_clear(&file);
	return true;
}

void
case_request_clear(struct case_request *r)
{
	size_t i;

	for (i = 0; i < r->n; i++)
		free(r->envp[i]);
	free(r->envp);
	buf_clear(&r->body);
}

void
case_expect_read(const char *path, struct case_expect *out)
{
	const char *end, *blank;

	buf_init(&out->file, FILE_MAX_BYTES);
	if (!case_read_file(path, &out->file))
		give_up(path, "is missing");
	out->status = (int)strtol(out->file.data, NULL, 10);
	out->fields = strchr(out->file.data, '\n');
	if (!out->fields || out->status < 100)
		give_up(path, "the first line is a status");
	out->fields++;
	end = out->file.data + out->file.len;
	if (end > out->fields && end[-1] == '\n')
		end--;
	blank = *out->fields == '\n' ? out->fields : strstr(out->fields, "\n\n");
	out->fields_end = !blank ? end : blank == out->fields ? blank : blank + 1;
	out->body = !blank ? end : blank == out->fields ? blank + 1 : blank + 2;
	out->body_len = out->body < end ? (size_t)(end - out->body) : 0;
}

void
case_expect_clear(struct case_expect *e)
{
	buf_clear(&e->file);
}

/* Whether "text" is "pattern", where {{ANY}} stands for any run of bytes. The first place that fits is taken. */
static bool
matches(const char *pattern, size_t pattern_len, const char *text, size_t len)
{
	const char *any = memmem(pattern, pattern_len, ANY, sizeof(ANY) - 1);
	size_t head = any ? (size_t)(any - pattern) : pattern_len, at;

	if (len < head || memcmp(pattern, text, head) != 0)
		return false;
	if (!any)
		return len == head;
	pattern += head + sizeof(ANY) - 1;
	pattern_len -= head + sizeof(ANY) - 1;
	for (at = head; at <= len; at++)
		if (matches(pattern, pattern_len, text + at, len - at))
			return true;
	return false;
}

/* Whether a field of that name, with a value that matches, is among the headers. */
static bool
has_field(const struct buf *headers, const char *name, size_t name_len, const char *value, size_t value_len)
{
	const char *line, *end;

	for (line = headers->data; (end = strstr(line, "\r\n")) != NULL; line = end + 2) {
		if ((size_t)(end - line) < name_len + 2 || line[name_len] != ':' ||
		    strncasecmp(line, name, name_len) != 0)
			continue;
		if (!value || matches(value, value_len, line + name_len + 2, (size_t)(end - line) - name_len - 2))
			return true;
	}
	return false;
}

static void
compare_fields(const struct case_expect *e, const struct buf *headers, struct buf *why)
{
	const char *line, *end, *colon;

	for (line = e->fields; line < e->fields_end; line = end + 1) {
		end = line + strcspn(line, "\n");
		if (*line == '-') {
			if (has_field(headers, line + 1, (size_t)(end - line - 1), NULL, 0))
				buf_printf(why, "there is a field %.*s\n", (int)(end - line - 1), line + 1);
			continue;
		}
		colon = memchr(line, ':', (size_t)(end - line));
		if (!colon || end - colon < 2 ||
		    !has_field(headers, line, (size_t)(colon - line), colon + 2, (size_t)(end - colon - 2)))
			buf_printf(why, "no field %.*s\n", (int)(end - line), line);
	}
}

void
case_compare(const struct case_expect *e, int status, const struct buf *headers, const struct buf *body,
    struct buf *why)
{
	if (status != e->status)
		buf_printf(why, "status %d, expected %d\n", status, e->status);
	compare_fields(e, headers, why);
	if (!matches(e->body, e->body_len, body->data, body->len))
		buf_printf(why, "body     %.*s\nexpected %.*s\n", (int)body->len, body->data, (int)e->body_len,
		    e->body);
	if (why->len > 0)
		buf_printf(why, "headers\n%s", headers->data);
}
