/* SPDX-License-Identifier: MIT */
#ifndef MCP_NET_FETCH_POOL_H
#define MCP_NET_FETCH_POOL_H

#include <stdbool.h>

#include "net/target.h"

/*
 * Idle handles of libcurl with the connections that they keep, for fetch.c alone. Thread-safe. A child of fork(2)
 * forgets those of its parent and does not close them, since closing would speak on the parent's connections.
 */
#define FETCH_POOL_CONNECTIONS 2L	/* that a handle may keep: about 100 KiB with TLS */
#define FETCH_ORIGIN_MAX (TARGET_HOST_MAX + 32)

struct fetch_handle {
	void *easy;		/* CURL *: one transfer */
	void *multi;		/* CURLM *: drives it, and has the connections */
};

/*
 * Take out the handle that spoke to "origin" last, or make a new one, with no option set, "easy" not added to "multi".
 * Returns true with *h, which the caller gives back with fetch_pool_give(); false when memory is short.
 */
bool fetch_pool_take(const char *origin, struct fetch_handle *h);

/*
 * Give a handle back, "easy" removed from "multi": kept with its connections when "good", and the oldest of four makes
 * room for it; else closed.
 */
void fetch_pool_give(struct fetch_handle h, const char *origin, bool good);

#endif
