/* SPDX-License-Identifier: MIT */
/* A module whose tool takes its time, tells its progress, and writes down how it ended. */
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include <base/json.h>
#include <mcp/module.h>

static char message[60001];
static const char *diary;	/* file to which lines are appended; the same for each configuration */
static const char *gate;	/* file for which calls can be told to wait; the same for each configuration */

static void
write_down(const char *line)
{
	int fd = diary ? open(diary, O_WRONLY | O_APPEND | O_CREAT | O_CLOEXEC, 0600) : -1;

	if (fd < 0)
		return;
	(void)!write(fd, line, strlen(line));
	close(fd);
}

static long
number(const struct tool_call *call, const char *name)
{
	double n;

	return json_get_number(call->arguments, name, &n) == MCP_OK ? (long)n : 0;
}

static void
write_word(const struct tool_call *call, const char *word, long steps)
{
	char line[200];

	snprintf(line, sizeof line, "%s %s after %ld\n", call->request_id, word, steps);
	write_down(line);
}

/*
 * "steps" steps of "gap_ms" each; of each the client is told, with "size" bytes of message. Ends early when nobody
 * waits for it, unless it is "deaf". A gap of a call that is "gated" ends early when the gate is there.
 */
static enum mcp_err
work(struct tool_call *call)
{
	long steps = number(call, "steps"), gap_ms = number(call, "gap_ms"), size = number(call, "size"), i;
	bool deaf = number(call, "deaf") > 0, logs = number(call, "logs") > 0, cancelled = false;
	bool gated = number(call, "gated") > 0 && gate;
	struct timespec ten = { .tv_nsec = 10 * 1000000 };
	enum mcp_err err = MCP_OK;

	for (i = 1; i <= steps && !err && !cancelled; i++) {
		err = tool_progress(call, (double)i, (double)steps,
		    size > 0 ? message + sizeof message - 1 - size : "step");
		if (!err && logs)
			err = tool_log(call, TOOL_LOG_INFO, "work", json_new_int(i));
		if (i == 1)
			write_word(call, "begun", i);
		for (long left = gap_ms; left > 0 && !cancelled && !(gated && access(gate, F_OK) == 0); left -= 10) {
			nanosleep(&ten, NULL);
			cancelled = !deaf && tool_cancelled(call);
		}
	}
	write_word(call, cancelled ? "cancelled" : "done", i - 1);
	return err ? err : tool_textf(call, "done");
}

static const struct tool tool = {
	.name = "work", .description = "Works for a while.", .scopes = "", .call = work,
	.input_schema = "{\"type\":\"object\",\"properties\":{\"steps\":{\"type\":\"integer\"},\"gap_ms\":{\"type\":"
	    "\"integer\"},\"size\":{\"type\":\"integer\",\"maximum\":60000},\"deaf\":{\"type\":\"integer\"},"
	    "\"logs\":{\"type\":\"integer\"},\"gated\":{\"type\":\"integer\"}}}"
};

static enum mcp_err
load(struct module *m, void **context)
{
	(void)context;
	diary = module_setting(m, "DIARY");
	gate = module_setting(m, "GATE");
	memset(message, 'x', sizeof message - 1);
	return module_add_tool(m, &tool);
}

const struct mcp_module mcp_fcgi_module = { .api = MCP_MODULE_API, .name = "streams", .load = load };
