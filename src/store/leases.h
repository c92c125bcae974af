/* SPDX-License-Identifier: MIT */
#ifndef MCP_STORE_LEASES_H
#define MCP_STORE_LEASES_H

#include <stddef.h>

#include "base/err.h"

/*
 * At most so many of something at a time in all processes that share a directory. A lease is a lock on one byte of a
 * file, which the kernel takes back from the dead, so nothing has to be cleaned up. Where the file cannot be had, each
 * process counts for itself, and says so. Safe from several threads.
 */
struct leases;

#define LEASES_MAX 100000

/*
 * "name" is the file's, in "dir" (ours alone); it is made when it is first needed. "max": 0 to LEASES_MAX. Returns
 * MCP_OK with *out new, to be released with leases_free(); MCP_ENOMEM.
 */
enum mcp_err leases_new(const char *dir, const char *name, size_t max, struct leases **out) MCP_MUST_CHECK;

/* Gives back all leases. NULL is fine. */
void leases_free(struct leases *l);

/* Take a lease. Returns its number, to be given back; -1: there is none left. */
int leases_take(struct leases *l);
void leases_give(struct leases *l, int lease);

#endif
