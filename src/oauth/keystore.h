/* SPDX-License-Identifier: MIT */
#ifndef MCP_OAUTH_KEYSTORE_H
#define MCP_OAUTH_KEYSTORE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/err.h"
#include "oauth/jwks.h"

struct discovery;
struct fetch_policy;
struct state;

/*
 * The keys of one issuer over time. Each process holds an immutable snapshot; all share the last good set through
 * state.db. A set near its soft TTL (Cache-Control clamped to 5 min..6 h, else 1 h) is refreshed after an answer, by
 * one process; one older than the hard TTL (24 h) is not used. An unknown kid causes at most one fetch a cooldown (30
 * s) in all processes together, stamped before the fetch; a bad signature under a known kid none. Only a 200 with at
 * least one usable key replaces a set, and what state.db holds is read as strictly as what comes from the network. A
 * server that was idle for twice the soft TTL refreshes before it answers. Source: RFC 7517 section 5;
 * docs/decisions.md.
 */

struct keystore_options {
	const char *file;		/* a JWKS on disk, read again when it changes; else */
	const char *uri;		/* where the JWKS is; else */
	struct discovery *discovery;	/* whose metadata says where, borrowed for the life of the store */
	const struct fetch_policy *fetch;	/* borrowed for the life of the store */
	struct state *state;		/* borrowed; NULL: nothing is shared or kept */
	int64_t cooldown_s, soft_ttl_s, hard_ttl_s;	/* 0: 30, 3600, 86400 */
};

struct keystore;

/*
 * Make a store; nothing is fetched yet. Strings are copied. Returns MCP_OK, MCP_ENOMEM, or MCP_EINVAL with none
 * of the three places. Release with keystore_free(). Thread-safe but for new and free.
 */
enum mcp_err keystore_new(const struct keystore_options *options, struct keystore **out) MCP_MUST_CHECK;

/* Release, when nobody asks any more; sets that were given out stay good. NULL is fine. */
void keystore_free(struct keystore *k);

enum keystore_answer {
	KEYSTORE_FOUND,		/* *set is usable and has a key for the question, or one of that kid for another alg */
	KEYSTORE_UNKNOWN,	/* the set is fresh enough to say: no such key */
	/* There is no usable set, or an unknown kid could not be looked up: the last fetch failed or still runs. */
	KEYSTORE_UNAVAILABLE
};

/*
 * Borrow the current set for a token with this "kid" (NULL: none) and "alg". With KEYSTORE_FOUND *set holds a reference
 * that the caller gives back with jwks_unref(); else it is NULL. Fetches in the calling thread only when there is no
 * usable set, for an unknown kid, or after long idleness, never within the cooldown; callers meanwhile, also of other
 * processes, wait for that one fetch (5 s at most), unless fetching had failed before or three of them wait because of
 * an unknown kid: those are told KEYSTORE_UNAVAILABLE at once.
 */
enum keystore_answer keystore_find(struct keystore *k, const char *kid, const char *alg, int64_t now_s,
    struct jwks **set);

/*
 * Refresh if the soft TTL is over or near, or keys were wanted and there are none, and no other process does; call it
 * after an answer has left. Cheap when nothing is to do.
 */
void keystore_maintain(struct keystore *k, int64_t now_s);

/* Whether keystore_maintain() would fetch now. Looks at the disk every two seconds; asks nobody else. */
bool keystore_is_due(struct keystore *k, int64_t now_s);

/* Drop what is held and fetch at the next need, cooldown or not ("mcp-fcgi keys refresh"). A file is read again. */
void keystore_invalidate(struct keystore *k);

/* What a store is like, for people. */
struct keystore_figures {
	bool usable;
	bool is_file;		/* the keys are those of a file */
	size_t keys;
	int64_t age_s;		/* since the set in use was fetched; -1 without one */
	int64_t fetches, failures;	/* by this process */
	char last_fault[96];	/* what the last failed fetch said, "" if none */
};

/* Fill "out" with the figures at "now_s". */
void keystore_figures(struct keystore *k, int64_t now_s, struct keystore_figures *out);

#endif
