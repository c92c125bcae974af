/* SPDX-License-Identifier: MIT */
#ifndef MCP_TOOLS_ADMIN_TOOL_H
#define MCP_TOOLS_ADMIN_TOOL_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "limit/limiter.h"
#include "oauth/keystore.h"
#include "oauth/outcome.h"

/*
 * What admin_tool asks of the server, which it cannot see. The server fills one of these at start; every function gets
 * "ctx", is called from several threads at once, and must not block on the network. Figures of one call are read one
 * after another, so they may be a moment apart.
 */
struct admin_process {
	const char *version;		/* of the package; static */
	int64_t started_s;		/* when this process began */
	long pid;
	unsigned workers;		/* threads that answer requests */
	const char *mode;		/* static: "fastcgi" or "cgi" */
	int64_t requests;		/* answered by this process */
	int64_t config_generation;	/* 1 for the configuration of the start, one more with each that replaced it */
	int64_t config_loaded_s;
};

struct admin_source {
	void *ctx;

	void (*process)(void *ctx, struct admin_process *out);

	/*
	 * Figures of the i-th issuer's keys at "now_s"; *issuer is borrowed until the call returns to the tool's
	 * caller. False when there is no i-th issuer.
	 */
	bool (*keys)(void *ctx, size_t i, int64_t now_s, const char **issuer, struct keystore_figures *out);

	/* Figures of the limiter; NULL when none runs. */
	void (*limiter)(void *ctx, struct limiter_figures *out);

	/* How many requests ended with "outcome" in all processes since *since_s. */
	uint64_t (*refusals)(void *ctx, enum oauth_outcome outcome, int64_t *since_s);

	/* How many requests were over a limit, in all processes since then. */
	uint64_t (*rate_limited)(void *ctx);
};

#endif
