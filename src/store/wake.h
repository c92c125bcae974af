/* SPDX-License-Identifier: MIT */
#ifndef MCP_STORE_WAKE_H
#define MCP_STORE_WAKE_H

#include <stdbool.h>
#include <stdint.h>

#include "base/err.h"

/*
 * Telling processes that a file has something new for them, without looking again and again: whoever changed it touches
 * it, and inotify(7) wakes the others, and the threads of the same process. One thread in each process that waits; it
 * begins with the first who does, and rests when nobody waits any more. Should a touch be lost (its process was killed
 * just before it), all are woken within WAKE_LOOK_MS anyway; where inotify cannot be had, or does not see other hosts'
 * changes, it is looked every WAKE_BLIND_MS. Thread-safe.
 */
struct wake;

#define WAKE_LOOK_MS 1000
#define WAKE_BLIND_MS 100

/* For the file "path" (copied), which need not exist yet. MCP_OK with *out new, MCP_ENOMEM with *out NULL. */
enum mcp_err wake_new(const char *path, struct wake **out) MCP_MUST_CHECK;

/* Nobody may be waiting, and not be called by what wake_attend() was given. NULL is fine. */
void wake_free(struct wake *w);

/* The file lies where inotify does not see all who change it. */
void wake_is_blind(struct wake *w);

/* Tell everybody, this process too, that the file has changed. A file that is not there is fine. */
void wake_touch(struct wake *w);

/* Wake those who wait in this process. */
void wake_here(struct wake *w);

/*
 * Take a number before looking at the file; wait until it has changed since then, or until "deadline_ms" of the
 * monotonic clock. Returns whether to look again. Without a thread to be had the wait is WAKE_BLIND_MS at most, and the
 * answer true.
 */
uint64_t wake_now(struct wake *w);
bool wake_wait(struct wake *w, uint64_t since, int64_t deadline_ms);

/*
 * Have look(ctx) called, by a thread of ours, now and after each change, until it is given NULL; when that returns no
 * call runs any more, unless look() itself gave it. One at a time. Returns MCP_OK; MCP_ENOMEM: no thread is to be had.
 */
enum mcp_err wake_attend(struct wake *w, void (*look)(void *ctx), void *ctx) MCP_MUST_CHECK;
void wake_rest(struct wake *w);

#endif
