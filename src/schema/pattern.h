/* SPDX-License-Identifier: MIT */
#ifndef MCP_SCHEMA_PATTERN_H
#define MCP_SCHEMA_PATTERN_H

#include <stdbool.h>
#include <stddef.h>

#include "base/err.h"

/* A regular expression of ECMA-262, compiled; the only module that knows PCRE2. Read-only, so threads may share it. */
struct pattern;

/*
 * Compile "len" bytes. Returns MCP_OK with *out new; MCP_EINVAL (not an expression, see ecma.h) or MCP_ELIMIT (longer
 * than "max" bytes, nested too deep) or MCP_ENOMEM with *why a static phrase and *out NULL. Release with
 * pattern_free().
 */
enum mcp_err pattern_compile(const char *text, size_t len, size_t max, struct pattern **out,
    const char **why) MCP_MUST_CHECK;
void pattern_free(struct pattern *p);

/*
 * What one validation needs to match, made by its first match; zero it before. "cpu_ms" is what all matches with it may
 * take of the thread's processor time. Release with pattern_run_clear().
 */
struct pattern_run {
	long cpu_ms;
	void *match, *context;	/* of PCRE2 */
	long long deadline_ns;
	unsigned starts;
};
void pattern_run_clear(struct pattern_run *run);

/*
 * Whether the text has a part that matches: MCP_OK with *matches; MCP_ELIMIT when that would take too long or too much
 * memory (one start 500,000 steps, all of them run->cpu_ms; 16 MiB); MCP_ENOMEM. *matches is false on failure.
 */
enum mcp_err pattern_match(const struct pattern *p, const char *text, size_t len, struct pattern_run *run,
    bool *matches) MCP_MUST_CHECK;

#endif
