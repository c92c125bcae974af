/* SPDX-License-Identifier: MIT */
/* Lines of findings, see report.h. */
#include "server/report.h"

#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include "base/log.h"
#include "base/text.h"

#define LINE_MAX_BYTES 4096

static const char *const words[] = {
	[REPORT_OK] = "OK", [REPORT_WARN] = "WARN", [REPORT_FAIL_PART] = "FAIL", [REPORT_FAIL] = "FAIL"
};

void
report_add(struct report *r, enum report_level level, const char *fix, const char *fmt, ...)
{
	struct report_line *v, line = { .level = level };
	struct buf text;
	va_list ap;

	if (level == REPORT_FAIL)
		r->failed = true;
	buf_init(&text, LINE_MAX_BYTES);
	va_start(ap, fmt);
	buf_vprintf(&text, fmt, ap);
	va_end(ap);
	if (buf_status(&text) == MCP_ELIMIT)
		text.status = MCP_OK;	/* what fitted is better than nothing */
	for (size_t i = 0; i < text.len; i++)
		if ((unsigned char)text.data[i] < 0x20 || (unsigned char)text.data[i] == 0x7f)
			text.data[i] = ' ';
	line.text = buf_steal(&text, NULL);
	line.fix = fix ? text_dup(fix, strlen(fix)) : NULL;
	v = line.text && (!fix || line.fix) ? reallocarray(r->v, r->n + 1, sizeof *v) : NULL;
	if (!v) {
		free(line.text);
		free(line.fix);
		r->failed = true;
		return;
	}
	r->v = v;
	v[r->n++] = line;
}

void
report_clear(struct report *r)
{
	for (size_t i = 0; i < r->n; i++) {
		free(r->v[i].text);
		free(r->v[i].fix);
	}
	free(r->v);
	memset(r, 0, sizeof *r);
}

void
report_render(const struct report *r, struct buf *out)
{
	for (size_t i = 0; i < r->n; i++) {
		buf_printf(out, "[%s] %s\n", words[r->v[i].level], r->v[i].text);
		if (r->v[i].fix)
			buf_printf(out, "    fix: %s\n", r->v[i].fix);
	}
}

void
report_log(const struct report *r)
{
	for (size_t i = 0; i < r->n; i++) {
		const struct report_line *l = &r->v[i];
		const char *fix = l->fix ? l->fix : "", *separator = l->fix ? "; fix: " : "";

		if (l->level == REPORT_OK)
			log_info("[OK] %s", l->text);
		else if (l->level == REPORT_WARN)
			log_warning("[WARN] %s%s%s", l->text, separator, fix);
		else
			log_error("[FAIL] %s%s%s", l->text, separator, fix);
	}
}
