/* SPDX-License-Identifier: MIT */
/* What a process remembers of keys: a hash table of fixed size, in sets of a few entries. */
#include "limit/recall.h"

#include <stdlib.h>
#include <string.h>

#include "base/digest.h"

#define WAYS 4
#define SETS 4096	/* a power of two; 16384 entries, half a MiB once all are touched */

struct recall {
	uint64_t seed[2];	/* so that nobody outside can choose keys that fall into one set */
	struct recall_entry entry[SETS][WAYS];
};

enum mcp_err
recall_new(struct recall **out)
{
	struct recall *r = calloc(1, sizeof *r);

	*out = NULL;
	if (!r)
		return MCP_ENOMEM;
	/* Without random numbers sets may be filled on purpose, which costs questions to the table and nothing else. */
	if (digest_random(r->seed, sizeof r->seed) != MCP_OK)
		memset(r->seed, 0, sizeof r->seed);
	*out = r;
	return MCP_OK;
}

void
recall_free(struct recall *r)
{
	free(r);
}

static struct recall_entry *
set_of(struct recall *r, const struct budget_key *key)
{
	uint64_t word[2], h;

	memcpy(word, key->bytes, sizeof word);
	/* Multiplication by odd constants of the golden ratio and a fold, for each half. */
	h = (word[0] ^ r->seed[0]) * UINT64_C(0x9e3779b97f4a7c15);
	h = (h ^ h >> 32 ^ word[1] ^ r->seed[1]) * UINT64_C(0xbf58476d1ce4e5b9);
	h ^= h >> 31;
	return r->entry[h & (SETS - 1)];
}

static bool
is_running(const struct recall_entry *e, int64_t window_s, int64_t now_s)
{
	return e->ends_s > now_s && e->ends_s <= now_s + window_s + BUDGET_SLACK_S;
}

static struct recall_entry *
find(struct recall_entry *set, const struct budget_key *key)
{
	for (int i = 0; i < WAYS; i++)
		if (set[i].ends_s && memcmp(&set[i].key, key, sizeof *key) == 0)
			return &set[i];
	return NULL;
}

struct recall_entry *
recall_find(struct recall *r, const struct budget_key *key, int64_t window_s, int64_t now_s)
{
	struct recall_entry *e = find(set_of(r, key), key);

	return e && is_running(e, window_s, now_s) ? e : NULL;
}

/* How dear an entry is to us; the least is forgotten first. */
static int
worth(const struct recall_entry *e, int64_t now_s)
{
	if (e->ends_s <= now_s)
		return 0;
	if (e->reserved)
		return 3;
	return e->left ? 1 : 2;
}

struct recall_entry *
recall_put(struct recall *r, const struct budget_key *key, int64_t window_s, int64_t now_s)
{
	struct recall_entry *set = set_of(r, key), *e = find(set, key);

	if (e && is_running(e, window_s, now_s))
		return e;
	if (!e) {
		e = &set[0];
		for (int i = 1; i < WAYS; i++) {
			int a = worth(&set[i], now_s), b = worth(e, now_s);

			if (a < b || (a == b && set[i].ends_s < e->ends_s))
				e = &set[i];
		}
	}
	memset(e, 0, sizeof *e);
	e->key = *key;
	return e;
}

void
recall_each_reserved(struct recall *r, void (*visit)(void *ctx, struct recall_entry *e), void *ctx)
{
	for (size_t i = 0; i < SETS; i++)
		for (size_t j = 0; j < WAYS; j++)
			if (r->entry[i][j].ends_s && r->entry[i][j].reserved)
				visit(ctx, &r->entry[i][j]);
}
