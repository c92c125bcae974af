/* SPDX-License-Identifier: MIT */
#include "tests/record.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/buf.h"
#include "base/json.h"
#include "tests/tap.h"

#define LINE_MAX_BYTES (64 * 1024 * 1024)

static void
put(struct buf *b, const char *name, const char *text, size_t len)
{
	buf_printf(b, ",\"%s\":", name);
	json_render_string(text, len, b);
}

void
record_response(const struct record *record)
{
	const char *path = getenv("MCP_TEST_RECORD"), *test = program_invocation_short_name;
	struct buf b;
	int fd;

	if (!path)
		return;
	buf_init(&b, LINE_MAX_BYTES);
	buf_printf(&b, "{\"status\":%d", record->status);
	put(&b, "test", test, strlen(test));
	put(&b, "request", record->request, record->request_len);
	if (record->version)
		put(&b, "version", record->version, strlen(record->version));
	else
		buf_puts(&b, ",\"version\":null");
	put(&b, "type", record->type, strcspn(record->type, "\r"));
	put(&b, "body", record->body, record->body_len);
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
