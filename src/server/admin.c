/* SPDX-License-Identifier: MIT */
/* The server's own figures, for admin_tool. */
#include "server/admin.h"

#include <stdlib.h>
#include <unistd.h>

#include "config.h"

#include "oauth/keystore.h"
#include "store/stats.h"
#include "tools/admin_tool.h"

static void
process_figures(void *ctx, struct admin_process *out)
{
	const struct server *s = ctx;

	*out = (struct admin_process){
		.version = PACKAGE_VERSION, .started_s = s->process.started_s, .pid = (long)getpid(),
		.workers = (unsigned)s->settings->workers, .mode = s->process.mode,
		.requests = atomic_load(&((struct server *)ctx)->requests), .config_generation = s->generation,
		.config_loaded_s = s->loaded_s
	};
}

static bool
key_figures(void *ctx, size_t i, int64_t now_s, const char **issuer, struct keystore_figures *out)
{
	const struct server *s = ctx;

	if (i >= s->issuers.n)
		return false;
	*issuer = s->issuers.v[i].policy.issuers.v[0];
	keystore_figures(s->issuers.v[i].keys, now_s, out);
	return true;
}

static void
limit_figures(void *ctx, struct limiter_figures *out)
{
	limiter_figures(((struct server *)ctx)->limiter, out);
}

static uint64_t
refusals(void *ctx, enum oauth_outcome outcome, int64_t *since_s)
{
	const struct server *s = ctx;

	*since_s = stats_since_s(s->stats);
	return stats_get(s->stats, COUNTER_OUTCOME + oauth_outcome_row(outcome)->counter);
}

static uint64_t
rate_limited(void *ctx)
{
	return stats_get(((struct server *)ctx)->stats, COUNTER_RATE_LIMITED);
}

enum mcp_err
admin_source_new(struct server *s, struct admin_source **out)
{
	struct admin_source *a = malloc(sizeof *a);

	*out = a;
	if (!a)
		return MCP_ENOMEM;
	*a = (struct admin_source){ .ctx = s, .process = process_figures, .keys = key_figures, .limiter = limit_figures,
	    .refusals = refusals, .rate_limited = rate_limited };
	return MCP_OK;
}
