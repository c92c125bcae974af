/* SPDX-License-Identifier: MIT */
/* What is wrong with a configuration, for people; declared in config.h. */
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include "base/buf.h"
#include "base/config.h"
#include "base/text.h"

#define FAULTS_MAX 200	/* told of one configuration; the rest only counts */

void
config_fault_add(struct config_faults *f, bool is_error, const char *fmt, ...)
{
	struct config_fault *v;
	struct buf raw, text;
	va_list ap;

	if (is_error)
		f->errors++;
	if (f->n >= FAULTS_MAX)
		return;
	buf_init(&raw, 4096);
	buf_init(&text, 4 * 4096 + 8);
	va_start(ap, fmt);
	buf_vprintf(&raw, fmt, ap);
	va_end(ap);
	for (size_t i = 0; i < raw.len; i++) {
		if ((unsigned char)raw.data[i] >= 0x20 && (unsigned char)raw.data[i] < 0x7f)
			buf_putc(&text, raw.data[i]);
		else
			text_escape(raw.data + i, 1, 1, &text);
	}
	v = reallocarray(f->v, f->n + 1, sizeof *v);
	if (v) {
		f->v = v;
		v[f->n].is_error = is_error;
		v[f->n].text = buf_steal(&text, NULL);
		if (v[f->n].text)
			f->n++;
		else
			v = NULL;
	}
	if (!v && !f->lost) {
		f->lost = true;
		f->errors++;
	}
	buf_clear(&raw);
	buf_clear(&text);
}

void
config_faults_clear(struct config_faults *f)
{
	for (size_t i = 0; i < f->n; i++)
		free(f->v[i].text);
	free(f->v);
	memset(f, 0, sizeof *f);
}
