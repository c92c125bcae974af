/* SPDX-License-Identifier: MIT */
#ifndef MCP_BASE_CONFIG_GRAMMAR_H
#define MCP_BASE_CONFIG_GRAMMAR_H

#include <stddef.h>

#include "base/config.h"
#include "base/err.h"

/* Who takes what the text of a configuration file says, for config.c alone. */
struct config_receiver {
	void *ctx;
	/*
	 * A key with its value, a section's header. The strings are stolen; one that is NULL says that memory is short,
	 * and the result is MCP_ENOMEM. A result other than MCP_OK ends the reading.
	 */
	enum mcp_err (*entry)(void *ctx, char *name, char *value, int line);
	enum mcp_err (*section)(void *ctx, char *kind, char *name, int line);
	/* What a ${NAME} of "len" bytes stands for so far, borrowed until the next entry; NULL: nothing. */
	const char *(*lookup)(void *ctx, const char *name, size_t len);
};

/*
 * Read "text" by the grammar that stands in config.h. Syntax faults go to "faults" as errors with "path" and line, and
 * the reading goes on behind them. Returns MCP_OK also then; or what a receiver returned.
 */
enum mcp_err config_grammar_read(const char *text, const char *path, const struct config_receiver *to,
    struct config_faults *faults) MCP_MUST_CHECK;

#endif
