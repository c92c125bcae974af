/* SPDX-License-Identifier: MIT */
#ifndef MCP_TESTS_UNIT_NOMEM_H
#define MCP_TESTS_UNIT_NOMEM_H

#include <stdbool.h>

/*
 * Memory that runs short when a test says so: malloc(), calloc(), realloc(), strdup() and the calls of json-c that
 * allocate, as our own code makes them. Link with nomem.c and $(nomem_ldflags), which have the linker wrap them.
 */

/* How many allocations still succeed before one fails; -1: none is to fail. After the failure it is -1 again. */
extern long nomem_left;

/* All that follow the first failure fail too; nomem_left stays 0 then. */
extern bool nomem_for_good;

/* How many have failed since the start. */
extern unsigned long nomem_failed;

/* Whether the allocation asked for now is to fail; for what the linker cannot wrap. */
bool nomem_fails(void);

/* Have the log say nothing: its lines about failures are not what is looked at. */
void nomem_hush_log(void);

#endif
