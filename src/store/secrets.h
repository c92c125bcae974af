/* SPDX-License-Identifier: MIT */
#ifndef MCP_STORE_SECRETS_H
#define MCP_STORE_SECRETS_H

#include <stddef.h>
#include <stdint.h>

#include "base/seal.h"

/*
 * Our own keys for sealed text (base/seal.h): random, in state.db, the same in all processes, changed when they are a
 * day old. Each seals until then and opens for as long as it is one of the last two, so what was sealed is good for a
 * day at least and for two at most. Made with the first use. Thread-safe. Every text is bound to a purpose, and to what
 * its owner names besides: nothing sealed for one thing opens as another.
 */
struct secrets;
struct state;

#define SECRETS_AGE_S (24 * 3600)	/* what is sealed can be opened so long, unless the keys are forgotten */
#define SECRETS_BOUND_MAX 8		/* parts that a text can be bound to */

/* "state" is borrowed. Returns MCP_OK with *out new, MCP_ENOMEM with *out NULL. Release with secrets_free(). */
enum mcp_err secrets_new(struct state *state, struct secrets **out) MCP_MUST_CHECK;

/* Overwrite the keys, and release; NULL is fine. */
void secrets_free(struct secrets *s);

/*
 * Append "len" bytes, sealed. "purpose" is a static word. Returns as seal(), and MCP_EDB (also MCP_EPERM, MCP_EIO) when
 * there is no key and state.db does not give one; MCP_ELIMIT also for more than SECRETS_BOUND_MAX parts.
 */
enum mcp_err secrets_seal(struct secrets *s, int64_t now_s, const char *purpose, const struct seal_part *bound,
    size_t n_bound, const void *plain, size_t len, struct buf *out) MCP_MUST_CHECK;

/*
 * Append what was sealed to "plain". MCP_EINVAL: it is no good, whatever the reason (changed, bound to something else,
 * its key is gone); else as secrets_seal().
 */
enum mcp_err secrets_open(struct secrets *s, int64_t now_s, const char *purpose, const struct seal_part *bound,
    size_t n_bound, const char *text, size_t len, struct buf *plain) MCP_MUST_CHECK;

#endif
