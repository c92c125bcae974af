/* SPDX-License-Identifier: MIT */
/*
 * The log. A line is composed on the stack, escaped as a whole and written with one write(2), so that lines of several
 * processes that append to one file do not mix. The state below is the process's; it changes only while a configuration
 * is loaded.
 */
#include "base/log.h"

#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stdio.h>
#include <string.h>
#include <syslog.h>
#include <time.h>
#include <unistd.h>

#include "base/buf.h"
#include "base/text.h"

#define LINE_MAX_BYTES 2048	/* of the text before escaping; longer ones end in "..." */

static struct {
	pthread_mutex_t lock;	/* of all but "most", which is read without it */
	atomic_int most;	/* lines above this level are not composed */
	enum log_level level;
	int fd;			/* -1: syslog */
	bool owns_fd;
	void (*sink)(void *ctx, enum log_level level, const char *text);
	void *sink_ctx;
} state = { .lock = PTHREAD_MUTEX_INITIALIZER, .most = LOG_LEVEL_INFO, .level = LOG_LEVEL_INFO, .fd = STDERR_FILENO };

static const struct {
	const char *word;
	int priority;
} levels[] = {
	[LOG_LEVEL_ERROR] = { "ERROR", LOG_ERR },
	[LOG_LEVEL_WARNING] = { "WARNING", LOG_WARNING },
	[LOG_LEVEL_INFO] = { "INFO", LOG_INFO },
	[LOG_LEVEL_DEBUG] = { "DEBUG", LOG_DEBUG }
};

enum mcp_err
log_level_parse(const char *text, enum log_level *out)
{
	static const struct {
		const char *word;
		enum log_level level;
	} words[] = {
		{ "error", LOG_LEVEL_ERROR }, { "critical", LOG_LEVEL_ERROR }, { "warning", LOG_LEVEL_WARNING },
		{ "warn", LOG_LEVEL_WARNING }, { "info", LOG_LEVEL_INFO }, { "debug", LOG_LEVEL_DEBUG }
	};

	for (size_t i = 0; i < sizeof words / sizeof words[0]; i++) {
		if (text_equal_nocase(text, words[i].word)) {
			*out = words[i].level;
			return MCP_OK;
		}
	}
	return MCP_ESYNTAX;
}

enum mcp_err
log_open(enum log_level level, const char *to)
{
	bool to_syslog = text_equal_nocase(to, "syslog"), to_stderr = text_equal_nocase(to, "stderr");
	int fd = to_stderr ? STDERR_FILENO : -1, old = -1;

	if (!to_syslog && !to_stderr) {
		fd = open(to, O_WRONLY | O_APPEND | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0600);
		if (fd < 0)
			return MCP_EIO;
	}
	pthread_mutex_lock(&state.lock);
	if (state.owns_fd)
		old = state.fd;
	if (to_syslog && (state.fd >= 0 || state.owns_fd))
		openlog("mcp-fcgi", LOG_PID, LOG_DAEMON);
	state.level = level;
	if (!state.sink)
		atomic_store(&state.most, (int)level);
	state.fd = fd;
	state.owns_fd = !to_syslog && !to_stderr;
	pthread_mutex_unlock(&state.lock);
	if (old >= 0)
		close(old);
	return MCP_OK;
}

bool
log_enabled(enum log_level level)
{
	return (int)level <= atomic_load_explicit(&state.most, memory_order_relaxed);
}

static void
write_line(enum log_level level, const char *text)
{
	char stamp[32];
	struct buf line;
	time_t now = time(NULL);
	struct tm tm;

	if (state.sink) {
		state.sink(state.sink_ctx, level, text);
		return;
	}
	if (state.fd < 0) {
		syslog(levels[level].priority, "%s", text);
		return;
	}
	if (!gmtime_r(&now, &tm) || strftime(stamp, sizeof stamp, "%Y-%m-%d %H:%M:%S", &tm) == 0)
		stamp[0] = '\0';
	buf_init(&line, 5 * LINE_MAX_BYTES);
	buf_printf(&line, "[%s] %s: %s\n", stamp, levels[level].word, text);
	/* A log that cannot be written is nobody's to hear about. */
	if (buf_status(&line) == MCP_OK && write(state.fd, line.data, line.len) < 0)
		errno = 0;
	buf_clear(&line);
}

/* Quotes and backslashes are ours as often as theirs; only what can break or fake a line is escaped. */
static void
append_line_safe(const char *text, struct buf *out)
{
	while (*text) {
		size_t n = 0;

		while ((unsigned char)text[n] >= 0x20 && (unsigned char)text[n] < 0x7f)
			n++;
		buf_put(out, text, n);
		text += n;
		if (*text)
			text_escape(text++, 1, 1, out);
	}
}

static void log_write(enum log_level level, const char *fmt, va_list ap) MCP_PRINTF(2, 0);

static void
log_write(enum log_level level, const char *fmt, va_list ap)
{
	char text[LINE_MAX_BYTES + 1];
	struct buf escaped;
	int saved_errno = errno, n;

	if (!log_enabled(level))
		return;
	errno = saved_errno;	/* for %m */
	n = vsnprintf(text, sizeof text, fmt, ap);
	if (n >= 0) {
		buf_init(&escaped, 4 * LINE_MAX_BYTES + 8);
		append_line_safe(text, &escaped);
		if ((size_t)n >= sizeof text)
			buf_puts(&escaped, "...");
		pthread_mutex_lock(&state.lock);
		write_line(level,
		    buf_status(&escaped) == MCP_OK ? escaped.data : "(a log line was lost: out of memory)");
		pthread_mutex_unlock(&state.lock);
		buf_clear(&escaped);
	}
	errno = saved_errno;
}

#define LOG_FUNCTION(name, level)		\
	void					\
	name(const char *fmt, ...)		\
	{					\
		va_list ap;			\
						\
		va_start(ap, fmt);		\
		log_write(level, fmt, ap);	\
		va_end(ap);			\
	}

LOG_FUNCTION(log_error, LOG_LEVEL_ERROR)
LOG_FUNCTION(log_warning, LOG_LEVEL_WARNING)
LOG_FUNCTION(log_info, LOG_LEVEL_INFO)
LOG_FUNCTION(log_debug, LOG_LEVEL_DEBUG)

bool
log_throttle_open(struct log_throttle *t, long long now_s, long long period_s, unsigned long *suppressed)
{
	bool open;

	pthread_mutex_lock(&state.lock);
	/* A clock that went back opens the gate rather than keeping it shut. */
	open = !t->used || now_s - t->last_s >= period_s || now_s < t->last_s;
	if (open) {
		if (suppressed)
			*suppressed = t->held;
		t->used = true;
		t->last_s = now_s;
		t->held = 0;
	} else {
		t->held++;
	}
	pthread_mutex_unlock(&state.lock);
	return open;
}

void
log_capture(void (*sink)(void *ctx, enum log_level level, const char *text), void *ctx)
{
	pthread_mutex_lock(&state.lock);
	state.sink = sink;
	state.sink_ctx = ctx;
	atomic_store(&state.most, sink ? LOG_LEVEL_DEBUG : (int)state.level);
	pthread_mutex_unlock(&state.lock);
}
