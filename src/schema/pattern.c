/* SPDX-License-Identifier: MIT */
#include "schema/pattern.h"

#include <stdint.h>
#include <stdlib.h>
#include <time.h>

#define PCRE2_CODE_UNIT_WIDTH 8
#include <pcre2.h>

#include "base/buf.h"
#include "schema/ecma.h"

#define STEPS_MAX 500000	/* of one start, about 20 ms */
#define HEAP_MAX_KIB (16 * 1024)
#define STARTS_PER_CLOCK 8

struct pattern {
	pcre2_code *code;
};

/*
 * A callout stands before the expression, so that PCRE2 tells where each try begins: its own limit of steps is for one
 * start only, and a long text has many.
 */
static enum mcp_err
compile(const struct buf *translated, pcre2_code **out, const char **why)
{
	const uint32_t options = PCRE2_UTF | PCRE2_DOLLAR_ENDONLY | PCRE2_MATCH_UNSET_BACKREF | PCRE2_NEVER_BACKSLASH_C;
	PCRE2_SIZE offset;
	int error = 0;

	*out = pcre2_compile((PCRE2_SPTR)translated->data, translated->len, options, &error, &offset, NULL);
	if (*out)
		return MCP_OK;
	if (error == PCRE2_ERROR_HEAP_FAILED) {
		*why = "memory is short";
		return MCP_ENOMEM;
	}
	switch (error) {
	case PCRE2_ERROR_LOOKBEHIND_NOT_FIXED_LENGTH:
		*why = "a look-behind without a bounded length is not supported";
		break;
	case PCRE2_ERROR_PATTERN_TOO_LARGE:
	case PCRE2_ERROR_PATTERN_TOO_COMPLICATED:
		*why = "the regular expression is too large";
		return MCP_ELIMIT;
	case PCRE2_ERROR_UNKNOWN_UNICODE_PROPERTY:
		*why = "\\p with an unknown property";
		break;
	default:
		*why = "not a regular expression";
	}
	return MCP_EINVAL;
}

enum mcp_err
pattern_compile(const char *text, size_t len, size_t max, struct pattern **out, const char **why)
{
	struct pattern *p = NULL;
	enum mcp_err err;
	struct buf b;

	*out = NULL;
	*why = "a regular expression that is too long";
	if (len > max)
		return MCP_ELIMIT;
	buf_init(&b, 64 + 512 * max);
	buf_puts(&b, "(?C1)(?:");
	err = ecma_translate(text, len, &b, why);
	buf_putc(&b, ')');
	if (!err) {
		*why = "memory is short";
		err = buf_status(&b);
	} else if (err == MCP_ESYNTAX) {
		err = MCP_EINVAL;
	}
	if (!err) {
		p = calloc(1, sizeof(*p));
		err = p ? compile(&b, &p->code, why) : MCP_ENOMEM;
	}
	buf_clear(&b);
	if (err) {
		free(p);
		return err;
	}
	*out = p;
	*why = NULL;
	return MCP_OK;
}

void
pattern_free(struct pattern *p)
{
	if (!p)
		return;
	pcre2_code_free(p->code);
	free(p);
}

void
pattern_run_clear(struct pattern_run *run)
{
	pcre2_match_data_free(run->match);
	pcre2_match_context_free(run->context);
	run->match = run->context = NULL;
}

static long long
cpu_now_ns(void)
{
	struct timespec t = { 0, 0 };

	clock_gettime(CLOCK_THREAD_CPUTIME_ID, &t);
	return t.tv_sec * 1000000000LL + t.tv_nsec;
}

/* A try begins. */
static int
on_start(pcre2_callout_block *block, void *ctx)
{
	struct pattern_run *run = ctx;

	(void)block;
	if (run->starts++ % STARTS_PER_CLOCK != 0)
		return 0;
	return cpu_now_ns() > run->deadline_ns ? PCRE2_ERROR_CALLOUT : 0;
}

static bool
prepare(struct pattern_run *run)
{
	if (run->match)
		return true;
	run->context = pcre2_match_context_create(NULL);
	run->match = pcre2_match_data_create(1, NULL);
	if (!run->context || !run->match) {
		pattern_run_clear(run);
		return false;
	}
	pcre2_set_match_limit(run->context, STEPS_MAX);
	pcre2_set_heap_limit(run->context, HEAP_MAX_KIB);
	pcre2_set_callout(run->context, on_start, run);
	run->deadline_ns = cpu_now_ns() + run->cpu_ms * 1000000LL;
	return true;
}

enum mcp_err
pattern_match(const struct pattern *p, const char *text, size_t len, struct pattern_run *run, bool *matches)
{
	int rc;

	*matches = false;
	if (!prepare(run))
		return MCP_ENOMEM;
	rc = pcre2_match(p->code, (PCRE2_SPTR)text, len, 0, 0, run->match, run->context);
	*matches = rc >= 0;
	if (rc >= 0 || rc == PCRE2_ERROR_NOMATCH)
		return MCP_OK;
	return rc == PCRE2_ERROR_NOMEMORY ? MCP_ENOMEM : MCP_ELIMIT;
}
