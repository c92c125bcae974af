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

/*
 * Take out the handle that spoke to "origin" last, or make a new one, with no option set. Returns a CURL * that the
 * caller gives back with fetch_pool_give(); NULL when memory is short.
 */
void *fetch_pool_take(const char *origin);

/* Give a handle back: kept with its connections when "good", and the oldest of four makes room for it; else closed. */
void fetch_pool_give(void *easy, const char *origin, bool good);

#endif
