/* SPDX-License-Identifier: MIT */
/*
 * A table of rows of a few digests each. The digest itself says which row, so a look-up compares WAYS digests at
 * most; a full row forgets its entries in turn.
 */
#include "oauth/verified.h"

#include <pthread.h>
#include <stdlib.h>
#include <string.h>

#define WAYS 4
#define ROWS (VERIFIED_MAX / WAYS)

struct row {
	uint8_t digest[WAYS][DIGEST_SHA256_LEN];
	uint8_t used, next;
};

struct verified {
	pthread_mutex_t lock;
	struct row rows[ROWS];
};

enum mcp_err
verified_new(struct verified **out)
{
	/* Zero pages that are never touched cost nothing, which is what a CGI process does with them. */
	struct verified *v = calloc(1, sizeof *v);

	*out = v;
	if (!v)
		return MCP_ENOMEM;
	pthread_mutex_init(&v->lock, NULL);
	return MCP_OK;
}

void
verified_free(struct verified *v)
{
	if (!v)
		return;
	pthread_mutex_destroy(&v->lock);
	free(v);
}

static struct row *
row_of(struct verified *v, const uint8_t digest[DIGEST_SHA256_LEN])
{
	return &v->rows[((unsigned)digest[0] << 8 | digest[1]) % ROWS];
}

static bool
row_has(const struct row *r, const uint8_t digest[DIGEST_SHA256_LEN])
{
	for (unsigned i = 0; i < r->used; i++)
		if (memcmp(r->digest[i], digest, DIGEST_SHA256_LEN) == 0)
			return true;
	return false;
}

bool
verified_has(struct verified *v, const uint8_t digest[DIGEST_SHA256_LEN])
{
	bool has;

	pthread_mutex_lock(&v->lock);
	has = row_has(row_of(v, digest), digest);
	pthread_mutex_unlock(&v->lock);
	return has;
}

void
verified_add(struct verified *v, const uint8_t digest[DIGEST_SHA256_LEN])
{
	struct row *r = row_of(v, digest);

	pthread_mutex_lock(&v->lock);
	if (!row_has(r, digest)) {
		memcpy(r->digest[r->next], digest, DIGEST_SHA256_LEN);
		r->next = (uint8_t)((r->next + 1) % WAYS);
		if (r->used < WAYS)
			r->used++;
	}
	pthread_mutex_unlock(&v->lock);
}
