/* SPDX-License-Identifier: MIT */
#include "base/log.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "../tap.h"

static char last[4096];

static void
sink(void *ctx, enum log_level level, const char *text)
{
	(void)ctx;
	snprintf(last, sizeof last, "%d %s", (int)level, text);
}

int
main(void)
{
	char path[] = "/tmp/mcp-log-t-XXXXXX", content[200] = "", longer[5000];
	struct log_throttle t = { 0 };
	unsigned long held = 99;
	enum log_level level;
	FILE *f;

	close(mkstemp(path));
	is_int(log_open(LOG_LEVEL_WARNING, path), MCP_OK, "a file can be the log");
	log_info("not written");
	errno = ENOENT;
	log_warning("line with\nbreak and \x1b[31m colour");
	is_int(errno, ENOENT, "errno is kept");
	f = fopen(path, "r");
	if (!f || !fgets(content, sizeof content, f))
		abort();
	ok(strstr(content, "] WARNING: line with\\x0abreak and \\x1b[31m colour\n") && content[0] == '[',
	    "one escaped line with date and level");
	ok(!fgets(content, sizeof content, f), "lines below the level are not written");
	fclose(f);
	unlink(path);
	is_int(log_open(LOG_LEVEL_INFO, "/nonexistent/dir/log"), MCP_EIO, "a log that cannot be opened is told");
	log_capture(sink, NULL);
	memset(longer, 'x', sizeof longer);
	longer[sizeof longer - 1] = '\0';
	log_error("%s", longer);
	ok(strlen(last) < 2100 && strcmp(last + strlen(last) - 3, "...") == 0, "long lines are cut");
	log_capture(NULL, NULL);
	ok(log_throttle_open(&t, 100, 10, &held) && held == 0, "a gate opens at first");
	ok(!log_throttle_open(&t, 105, 10, NULL) && !log_throttle_open(&t, 109, 10, NULL),
	    "and stays shut for its period");
	ok(log_throttle_open(&t, 110, 10, &held) && held == 2, "then opens and tells how many were held back");
	ok(log_throttle_open(&t, 50, 10, NULL), "a clock that went back opens it");
	ok(log_level_parse("WARN", &level) == MCP_OK && level == LOG_LEVEL_WARNING &&
	    log_level_parse("loud", &level) == MCP_ESYNTAX, "level words");
	return tap_done();
}
