/* SPDX-License-Identifier: MIT */
/*
 * Two tables of rows of a few entries each. The digest itself says which row, so a look-up compares WAYS digests at
 * most; in a full row what is over goes first, then the entries in turn.
 */
#include "oauth/introspection_cache.h"

#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "base/text.h"

#define WAYS 4
#define ANSWER_ROWS (INTROSPECTION_CACHE_ANSWERS / WAYS)
#define REFUSAL_ROWS (INTROSPECTION_CACHE_REFUSALS / WAYS)

struct answer {
	uint8_t digest[DIGEST_SHA256_LEN];
	int64_t at_s, until_s;
	char *text;		/* owned; NULL: the place is free */
	size_t len;
};

struct refusal {
	uint8_t digest[DIGEST_SHA256_LEN];
	int64_t at_s, until_s;
	enum oauth_outcome outcome;	/* OAUTH_OK: the place is free */
};

struct introspection_cache {
	int64_t keep_s;
	int64_t swept_s;
	size_t bytes;		/* of all texts */
	struct {
		struct answer v[WAYS];
		uint8_t next;
	} answers[ANSWER_ROWS];
	struct {
		struct refusal v[WAYS];
		uint8_t next;
	} refusals[REFUSAL_ROWS];
};

enum mcp_err
introspection_cache_new(int64_t keep_s, struct introspection_cache **out)
{
	/* Zero pages that are never touched cost nothing. */
	struct introspection_cache *c = calloc(1, sizeof(*c));

	*out = c;
	if (!c)
		return MCP_ENOMEM;
	c->keep_s = keep_s;
	return MCP_OK;
}

static void
drop(struct introspection_cache *c, struct answer *a)
{
	if (a->text)
		c->bytes -= a->len;
	free(a->text);
	memset(a, 0, sizeof(*a));
}

void
introspection_cache_free(struct introspection_cache *c)
{
	if (!c)
		return;
	for (size_t i = 0; i < ANSWER_ROWS; i++)
		for (size_t j = 0; j < WAYS; j++)
			drop(c, &c->answers[i].v[j]);
	free(c);
}

static size_t
row_of(const uint8_t digest[DIGEST_SHA256_LEN], size_t rows)
{
	return ((size_t)digest[0] << 8 | digest[1]) % rows;
}

/* Clocks jump; what was said in the future is over too. */
static bool
is_over(int64_t at_s, int64_t until_s, int64_t now_s)
{
	return now_s < at_s || now_s >= until_s;
}

static bool
is_live(const struct refusal *r, int64_t now_s)
{
	return r->outcome && !is_over(r->at_s, r->until_s, now_s);
}

enum introspection_kept
introspection_cache_find(struct introspection_cache *c, const uint8_t digest[DIGEST_SHA256_LEN], int64_t now_s,
    struct buf *text, int64_t *at_s, enum oauth_outcome *refusal)
{
	struct answer *answers = c->answers[row_of(digest, ANSWER_ROWS)].v;
	const struct refusal *refusals = c->refusals[row_of(digest, REFUSAL_ROWS)].v;

	for (size_t i = 0; i < WAYS; i++) {
		struct answer *a = &answers[i];

		if (!a->text || memcmp(a->digest, digest, DIGEST_SHA256_LEN) != 0)
			continue;
		if (is_over(a->at_s, a->until_s, now_s)) {
			drop(c, a);
			break;
		}
		buf_put(text, a->text, a->len);
		*at_s = a->at_s;
		return buf_status(text) ? INTROSPECTION_KEPT_NOTHING : INTROSPECTION_KEPT_ANSWER;
	}
	for (size_t i = 0; i < WAYS; i++) {
		const struct refusal *r = &refusals[i];

		if (is_live(r, now_s) && memcmp(r->digest, digest, DIGEST_SHA256_LEN) == 0) {
			*refusal = r->outcome;
			return INTROSPECTION_KEPT_REFUSAL;
		}
	}
	return INTROSPECTION_KEPT_NOTHING;
}

/* Throw away what is over, at most once a second. */
static void
sweep(struct introspection_cache *c, int64_t now_s)
{
	if (c->swept_s == now_s)
		return;
	c->swept_s = now_s;
	for (size_t i = 0; i < ANSWER_ROWS * WAYS; i++) {
		struct answer *a = &c->answers[i / WAYS].v[i % WAYS];

		if (a->text && is_over(a->at_s, a->until_s, now_s))
			drop(c, a);
	}
}

void
introspection_cache_answer(struct introspection_cache *c, const uint8_t digest[DIGEST_SHA256_LEN], int64_t now_s,
    int64_t until_s, const char *text, size_t len)
{
	size_t row = row_of(digest, ANSWER_ROWS);
	struct answer *place = NULL;

	if (c->keep_s <= 0 || len > INTROSPECTION_CACHE_TEXT_MAX)
		return;
	if (c->bytes + len > INTROSPECTION_CACHE_BYTES_MAX)
		sweep(c, now_s);
	for (size_t i = 0; i < WAYS; i++) {
		struct answer *a = &c->answers[row].v[i];

		if (a->text && memcmp(a->digest, digest, DIGEST_SHA256_LEN) == 0) {
			place = a;
			break;
		}
		if (!place && (!a->text || is_over(a->at_s, a->until_s, now_s)))
			place = a;
	}
	if (!place) {
		place = &c->answers[row].v[c->answers[row].next];
		c->answers[row].next = (uint8_t)((c->answers[row].next + 1) % WAYS);
	}
	drop(c, place);
	if (c->bytes + len > INTROSPECTION_CACHE_BYTES_MAX || !(place->text = text_dup(text, len)))
		return;
	memcpy(place->digest, digest, DIGEST_SHA256_LEN);
	place->len = len;
	place->at_s = now_s;
	place->until_s = until_s < now_s + c->keep_s ? until_s : now_s + c->keep_s;
	c->bytes += len;
}

void
introspection_cache_refusal(struct introspection_cache *c, const uint8_t digest[DIGEST_SHA256_LEN], int64_t now_s,
    enum oauth_outcome refusal)
{
	size_t row = row_of(digest, REFUSAL_ROWS);
	struct refusal *place = NULL;

	if (c->keep_s <= 0)
		return;
	for (size_t i = 0; i < WAYS && !place; i++) {
		struct refusal *r = &c->refusals[row].v[i];

		if (!is_live(r, now_s) || memcmp(r->digest, digest, DIGEST_SHA256_LEN) == 0)
			place = r;
	}
	if (!place) {
		place = &c->refusals[row].v[c->refusals[row].next];
		c->refusals[row].next = (uint8_t)((c->refusals[row].next + 1) % WAYS);
	}
	memcpy(place->digest, digest, DIGEST_SHA256_LEN);
	place->at_s = now_s;
	place->until_s = now_s + c->keep_s;
	place->outcome = refusal;
}
