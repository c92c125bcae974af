/* SPDX-License-Identifier: MIT */
#include "tests/record.h"

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/json.h"
#include "tests/tap.h"

#define LINE_MAX_BYTES (64 * 1024 * 1024)
#define TYPE "Content-Type: "

static void
put(struct buf *b, const char *name, const char *text, size_t len)
{
	buf_printf(b, ",\"%s\":", name);
	json_render_string(text, len, b);
}

void
record_response(const char *test, const struct buf *request, const char *version, int status,
    const struct buf *headers, const struct buf *body)
{
	const char *path = getenv("MCP_TEST_RECORD"), *type;
	struct buf b;
	int fd;

	if (!path)
		return;
	type = strstr(headers->data, TYPE);
	type = type ? type + strlen(TYPE) : "";
	buf_init(&b, LINE_MAX_BYTES);
	buf_printf(&b, "{\"status\":%d", status);
	put(&b, "test", test, strlen(test));
	put(&b, "request", request->data, request->len);
	if (version)
		put(&b, "version", version, strlen(version));
	else
		buf_puts(&b, ",\"version\":null");
	put(&b, "type", type, strcspn(type, "\r"));
	put(&b, "body", body->data, body->len);
	buf_puts(&b, "}\n");
	fd = open(path, O_WRONLY | O_APPEND | O_CREAT | O_CLOEXEC, 0600);
	/* One write a line, so that tests may run side by side. */
	if (buf_status(&b) || fd < 0 || write(fd, b.data, b.len) != (ssize_t)b.len) {
		diag("%s cannot be written", path);
		exit(99);
	}
	close(fd);
	buf_clear(&b);
}
