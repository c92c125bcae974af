/* SPDX-License-Identifier: MIT */
#ifndef MCP_STORE_STATE_H
#define MCP_STORE_STATE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/err.h"
#include "base/seal.h"

/*
 * STATE_DIR/state.db: what is kept. Key sets of issuers, the organisations' data, our own sealing keys. WAL (a rollback
 * journal where WAL cannot be, told in the log), synchronous=NORMAL, user_version with migrations; a file of a newer
 * version is refused. Thread-safe: one connection, one lock. A file that was deleted or replaced while it was open is
 * opened anew.
 *
 * Every function below returns MCP_EDB when SQLite refuses (damaged, locked for more than a second, read-only, full),
 * MCP_EPERM or MCP_EIO when a file that had to be opened anew is unfit, and MCP_ENOMEM, besides what it names itself.
 */
struct state;

#define STATE_NAME_MAX 256		/* bytes of an organisation's name, of a key */
#define STATE_VALUE_MAX (64 * 1024)	/* bytes of a value */

/*
 * Open or create "dir"/state.db. "dir" is made with mode 0700 when it is missing; it must be ours and nobody else's
 * to write, and no symbolic link (MCP_EPERM). Returns MCP_OK with *out new (release with state_close()); MCP_EPERM;
 * MCP_EDB (damaged, another program's, of a newer version, locked, read-only, full); MCP_EIO; MCP_ENOMEM. *why (may
 * be NULL) gets a static phrase.
 */
enum mcp_err state_open(const char *dir, struct state **out, const char **why) MCP_MUST_CHECK;

/* Close and release; NULL is fine. */
void state_close(struct state *s);

/* The last good key set of "issuer_key" (any text that names issuer and source). All zero if nothing is known. */
struct state_keys {
	char *jwks;		/* owned document text, NULL if there is none */
	int64_t fetched_s;	/* when it was fetched */
	int64_t soft_ttl_s;	/* as decided then */
	int64_t attempt_s;	/* when a fetch was last begun by anyone, 0: never */
	bool attempt_failed;	/* that attempt has failed (false while it runs) */
	int64_t generation;	/* grows with each new set */
};
enum mcp_err state_keys_get(struct state *s, const char *issuer_key, struct state_keys *out) MCP_MUST_CHECK;

/* Free the document; all zero afterwards. NULL is fine. */
void state_keys_clear(struct state_keys *k);

/*
 * Begin a fetch unless one was begun less than "cooldown_s" before "now_s" by any process: stamps the attempt and
 * returns MCP_OK with *mine true, else *mine false. A stamp that lies more than "cooldown_s" in the future does not
 * count, so a clock that jumped back blocks for twice the cooldown at most.
 */
enum mcp_err state_keys_begin(struct state *s, const char *issuer_key, int64_t now_s, int64_t cooldown_s, bool *mine)
    MCP_MUST_CHECK;

/* End the attempt: a document to keep, or NULL for a failure (the set before it is kept). */
enum mcp_err state_keys_end(struct state *s, const char *issuer_key, const char *jwks, int64_t now_s,
    int64_t soft_ttl_s) MCP_MUST_CHECK;

/*
 * Our own sealing keys, for secrets.h: the current one first and then the one before it, "*n" of them (0: none was ever
 * made). The caller overwrites them when done.
 */
#define STATE_SECRETS 2
enum mcp_err state_secrets_get(struct state *s, struct seal_key out[STATE_SECRETS], size_t *n,
    int64_t *made_s) MCP_MUST_CHECK;

/*
 * Make "key" the current one unless the current one was made less than "max_age_s" before "now_s" by any process; older
 * ones than the one before it are deleted. A key made more than "max_age_s" in the future does not count.
 */
enum mcp_err state_secrets_add(struct state *s, const uint8_t key[SEAL_KEY_LEN], int64_t now_s,
    int64_t max_age_s) MCP_MUST_CHECK;

/* Delete all: whatever they have sealed is no good any more. */
enum mcp_err state_secrets_forget(struct state *s) MCP_MUST_CHECK;

/*
 * Organisation data. Names and keys are 1 to STATE_NAME_MAX bytes, values at most STATE_VALUE_MAX, all UTF-8;
 * MCP_ELIMIT (too long) or MCP_EINVAL (empty, not UTF-8) otherwise.
 */
enum mcp_err state_org_set(struct state *s, const char *organisation, const char *key,
    const char *value) MCP_MUST_CHECK;

/* MCP_OK with *value owned by the caller, or MCP_ENOENT. */
enum mcp_err state_org_get(struct state *s, const char *organisation, const char *key, char **value) MCP_MUST_CHECK;

/* Delete one key, or all of an organisation with "key" NULL. MCP_ENOENT if there was none. */
enum mcp_err state_org_delete(struct state *s, const char *organisation, const char *key) MCP_MUST_CHECK;

/*
 * Visit keys and values of "organisation" in the order of the keys, or with NULL the organisations (key: the
 * organisation, value: the number of its keys). The strings are borrowed for the visit. "visit" returns false to
 * stop; it must not call state_*().
 */
enum mcp_err state_org_each(struct state *s, const char *organisation,
    bool (*visit)(void *ctx, const char *key, const char *value), void *ctx) MCP_MUST_CHECK;

#endif
