/* SPDX-License-Identifier: MIT */
/* Answers for what a validation may spend and for the lines that tell its faults. */
#include "schema/run.h"

#include "schema/schema.h"

#define LINE_STEPS 8	/* what a line costs */

bool
run_stop(struct run *r, enum mcp_err err, const char *why)
{
	if (r->err == MCP_OK) {
		r->err = err;
		r->why = why;
	}
	return false;
}

bool
run_spend(struct run *r, size_t steps)
{
	if (r->err)
		return false;
	if (r->steps < steps)
		return run_stop(r, MCP_ELIMIT, "it takes too many steps");
	r->steps -= steps;
	return true;
}

bool
run_enough(const struct run *r, bool good)
{
	return r->err || (!good && (r->quiet || r->n_faults >= SCHEMA_FAULTS_MAX));
}

/* Recursion is as deep as the value, which the depth of a run bounds. */
static void
put_place(const struct place *at, struct buf *out)
{
	if (!at->parent)
		return;
	put_place(at->parent, out);
	buf_putc(out, '/');
	if (at->name)
		schema_put_name(at->name, out);
	else
		buf_printf(out, "%zu", at->index);
}

bool
report_begin(struct run *r, const struct place *at)
{
	if (r->quiet || r->err || r->n_faults++ >= SCHEMA_FAULTS_MAX || !run_spend(r, LINE_STEPS))
		return false;
	if (r->faults->len > 0)
		buf_putc(r->faults, '\n');
	if (at->parent)
		put_place(at, r->faults);
	else
		buf_puts(r->faults, "(root)");
	buf_puts(r->faults, ": ");
	return true;
}

void
report_end(struct run *r, const struct schema_node *n, const char *keyword)
{
	buf_puts(r->faults, " (");
	schema_put_location(n, keyword, r->faults);
	buf_putc(r->faults, ')');
}

bool
report(struct run *r, const struct place *at, const struct schema_node *n, const char *keyword, const char *fmt, ...)
{
	va_list ap;

	if (!report_begin(r, at))
		return false;
	va_start(ap, fmt);
	buf_vprintf(r->faults, fmt, ap);
	va_end(ap);
	report_end(r, n, keyword);
	return false;
}

struct report_mark
report_mark(const struct run *r)
{
	return (struct report_mark){ r->faults->len, r->n_faults, r->faults->status };
}

void
report_take_back(struct run *r, const struct report_mark *mark)
{
	r->n_faults = mark->n_faults;
	if (r->faults->len > mark->len) {
		r->faults->len = mark->len;
		r->faults->data[mark->len] = '\0';
	}
	if (r->faults->status == MCP_ELIMIT)
		r->faults->status = mark->status;
}
