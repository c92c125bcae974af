/* SPDX-License-Identifier: MIT */
#ifndef MCP_STORE_LEASES_H
#define MCP_STORE_LEASES_H

#include <stddef.h>
#include <stdint.h>

#include "base/err.h"

/*
 * At most so many of something at a time in all processes that share a directory. A lease is a lock on one byte of a
 * file, which the kernel takes back from the dead, so nothing has to be cleaned up. Where the file cannot be had, each
 * process counts for itself, and says so. The file's content says whose each lease is, so that one holder does not take
 * all of them. Safe from several threads.
 */
struct leases;

#define LEASES_MAX 100000

/*
 * "name" is the file's, in "dir" (ours alone); it is made when it is first needed. "max": 0 to LEASES_MAX;
 * "max_of_one": how many of them one holder may have. Returns MCP_OK with *out new, to be released with leases_free();
 * MCP_ENOMEM.
 */
enum mcp_err leases_new(const char *dir, const char *name, size_t max, size_t max_of_one,
    struct leases **out) MCP_MUST_CHECK;

/* Gives back all leases. NULL is fine. */
void leases_free(struct leases *l);

/*
 * Take a lease for a holder, who is known by any number. Returns its number, to be given back; -1: there is none left,
 * or none for this holder. Where the disk is full a holder may get more than its own.
 */
int leases_take(struct leases *l, uint64_t holder);
void leases_give(struct leases *l, int lease);

#endif
