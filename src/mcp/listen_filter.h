/* SPDX-License-Identifier: MIT */
#ifndef MCP_MCP_LISTEN_FILTER_H
#define MCP_MCP_LISTEN_FILTER_H

#include <stdbool.h>

#include "base/buf.h"
#include "base/strlist.h"
#include "store/bus.h"

struct registry;
struct rpc;

#define LISTEN_URIS_MAX 64	/* resources that one stream may watch */

/* What a client wants to hear of, as far as it is there to be heard. Source: MCP schema, SubscriptionFilter. */
struct listen_filter {
	bool lists[BUS_RESOURCE_UPDATED];	/* by enum bus_kind */
	struct strlist uris;
	/* Of a session: */
	const struct registry *registry;
	bool *readable;		/* resources and then templates, in their order */
};

/*
 * Read params.notifications. Left out are lists that this server does not have, and resources that do not exist for
 * the caller or that it may not read. "f" is all zero. Returns 0; -1 with the answer (it is no such object, or has too
 * many resources). listen_filter_clear() follows in both cases.
 */
int listen_filter_read(struct rpc *x, struct listen_filter *f);

/* Release what a filter holds. */
void listen_filter_clear(struct listen_filter *f);

/*
 * Want to hear of all lists that this server has, and know which resources the caller may read now: what its session
 * has subscribed to it may have read with another token. Borrows the registry. "f" is all zero. Returns MCP_OK,
 * MCP_ENOMEM.
 */
enum mcp_err listen_filter_of_session(const struct rpc *x, struct listen_filter *f) MCP_MUST_CHECK;

/* Of a filter of a session: whether its caller could read what "uri" names when the stream began. */
bool listen_filter_may_read(const struct listen_filter *f, const char *uri);

/* Whether an event is for who has the filter; "uri" is looked at for BUS_RESOURCE_UPDATED only. */
bool listen_filter_wants(const struct listen_filter *f, enum bus_kind kind, const char *uri);

/* Append the filter as JSON, without what it does not have. */
void listen_filter_render(const struct listen_filter *f, struct buf *out);

#endif
