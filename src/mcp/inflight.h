/* SPDX-License-Identifier: MIT */
#ifndef MCP_MCP_INFLIGHT_H
#define MCP_MCP_INFLIGHT_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

#include "base/digest.h"

struct rpc;

/*
 * Requests of the legacy era that this process works on, so that notifications/cancelled, which comes as a request of
 * its own, finds them. One is known by its principal, client, session and id, so nobody cancels what is not his.
 * Source: MCP 2025-11-25 basic/utilities/cancellation.
 */
struct inflight {
	unsigned char key[DIGEST_SHA256_LEN];
	atomic_bool cancelled;
	int64_t since_ms;		/* when it was listed */
	_Atomic int64_t looked_ms;	/* when the bus was last asked for it */
	bool listed;
	struct inflight *prev, *next;	/* under a lock */
};

/* List x->inflight. Without memory it is not listed, and cannot be cancelled. */
void inflight_add(struct rpc *x);

/* Take x->inflight out of the list, if it is there. */
void inflight_remove(struct rpc *x);

/*
 * Whether x->inflight was cancelled, in this process or, as far as the bus told a moment ago, in another one. Cheap.
 * Any thread.
 */
bool inflight_is_cancelled(struct rpc *x);

/* Answer notifications/cancelled. Returns -1. */
int inflight_cancelled(struct rpc *x);

#endif
