/* SPDX-License-Identifier: MIT */
#ifndef MCP_LIMIT_RECALL_H
#define MCP_LIMIT_RECALL_H

#include <stdbool.h>
#include <stdint.h>

#include "base/err.h"
#include "limit/budget.h"

/*
 * What all processes together remember of keys, so that they need not ask the table: that a budget is spent, or that
 * some of it was reserved. A file of fixed size beside the table, STATE_DIR/limits.recall, disposable: read and
 * written in place under a lock of fcntl(2) that the kernel takes back from a process that dies. What is not
 * remembered costs a question to the table and nothing else; a reservation is never pushed out by other keys. The
 * memory is of one table: when limits.db was deleted or replaced, everything is forgotten within a second. Whatever is
 * wrong with the file, there is no memory then. Not thread-safe: one caller at a time.
 */
struct recall_entry {
	struct budget_key key;
	int64_t ends_s;		/* of the window; 0: an empty entry */
	int32_t used;		/* of the budget as the table has it, reservations included */
	int32_t reserved;	/* taken from the table and not used yet */
};

struct recall;

/* Where the entry of a key is, or would be. */
struct recall_place {
	struct recall_entry entry;	/* with ends_s 0 and only the key set when there is none */
	int64_t at;			/* -1: no room, all entries that it could push out hold reservations */
};

/*
 * Returns MCP_OK with *out new (release with recall_free()), MCP_ENOMEM. Touches no file. "dir" is the directory of
 * the table; copied.
 */
enum mcp_err recall_new(const char *dir, struct recall **out) MCP_MUST_CHECK;

/* Close the file and release; NULL is fine. */
void recall_free(struct recall *r);

/*
 * Begin a piece of work with the memory: no other process looks or writes until recall_unlock(). Opens or makes the
 * file if need be. Returns false when there is no memory now; nothing is locked then, and none of the functions below
 * may be called. Waits two milliseconds; "insist" is for who has something that would be lost, and waits for a
 * second.
 */
bool recall_lock(struct recall *r, int64_t now_s, bool insist) MCP_MUST_CHECK;

/* End the piece of work: other processes may look and write. */
void recall_unlock(struct recall *r);

/* Look for "key" and its window, "window_s" long, at "now_s". "place" is always set. Locked only. */
void recall_look(struct recall *r, const struct budget_key *key, int64_t window_s, int64_t now_s,
    struct recall_place *place);

/*
 * Write place->entry where recall_look() of the same lock found its place; without room nothing happens. A failed
 * write forgets the entry. Locked only.
 */
void recall_write(struct recall *r, const struct recall_place *place);

#endif
