/* SPDX-License-Identifier: MIT */
#ifndef MCP_MCP_INFLIGHT_H
#define MCP_MCP_INFLIGHT_H

#include <stdatomic.h>
#include <stdbool.h>

#include "base/digest.h"

struct rpc;
struct json_object;

/*
 * Requests of the legacy era that this process works on, so that notifications/cancelled, which comes as a request of
 * its own, finds them. One is known by its principal, session and id, so nobody cancels what is not his. Source: MCP
 * 2025-11-25 basic/utilities/cancellation.
 */
struct inflight {
	unsigned char key[DIGEST_SHA256_LEN];
	atomic_bool cancelled;
	bool listed;
	struct inflight *prev, *next;	/* under a lock */
};

/*
 * Make the key of a request with "id" of the caller of "x". Returns false without memory, or when there is no id.
 */
bool inflight_key(const struct rpc *x, const struct json_object *id, unsigned char key[DIGEST_SHA256_LEN]);

/* List x->inflight (without memory it is not, and cannot be cancelled), and take it out again, if it is there. */
void inflight_add(struct rpc *x);
void inflight_remove(struct rpc *x);

/* Mark the requests with the key as cancelled. Returns whether there was one. */
bool inflight_cancel(const unsigned char key[DIGEST_SHA256_LEN]);

/* Answer notifications/cancelled. Returns -1. */
int inflight_cancelled(struct rpc *x);

#endif
