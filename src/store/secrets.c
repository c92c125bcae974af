/* SPDX-License-Identifier: MIT */
/*
 * Answers for keys at hand. A copy of the ring is kept for a second; a text whose key is not in it has it read anew at
 * once, since another process may just have made that key.
 */
#include "store/secrets.h"

#include <pthread.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/digest.h"
#include "base/log.h"
#include "store/state.h"

#define RING_MS 1000	/* how long the copy is believed: forgotten keys are forgotten everywhere after this */

struct ring {
	struct seal_key keys[STATE_SECRETS];	/* current first */
	size_t n;
	int64_t made_s;		/* when the current one was */
	int64_t read_ms;	/* when the copy was taken, on the monotonic clock */
};

struct secrets {
	pthread_mutex_t lock;
	struct state *state;
	struct ring ring;
};

enum mcp_err
secrets_new(struct state *state, struct secrets **out)
{
	struct secrets *s = calloc(1, sizeof *s);

	*out = s;
	if (!s)
		return MCP_ENOMEM;
	pthread_mutex_init(&s->lock, NULL);
	s->state = state;
	return MCP_OK;
}

void
secrets_free(struct secrets *s)
{
	if (!s)
		return;
	pthread_mutex_destroy(&s->lock);
	explicit_bzero(s, sizeof *s);
	free(s);
}

static enum mcp_err
read_ring(struct secrets *s)
{
	struct ring fresh = { .read_ms = clock_monotonic_ms() };
	enum mcp_err err = state_secrets_get(s->state, fresh.keys, &fresh.n, &fresh.made_s);

	if (!err)
		s->ring = fresh;
	explicit_bzero(&fresh, sizeof fresh);
	return err;
}

static bool
is_due(const struct ring *ring, int64_t now_s)
{
	return ring->n == 0 || ring->made_s <= now_s - SECRETS_AGE_S || ring->made_s > now_s + SECRETS_AGE_S;
}

static enum mcp_err
make_key(struct secrets *s, int64_t now_s)
{
	uint8_t key[SEAL_KEY_LEN];
	enum mcp_err err = digest_random(key, sizeof key);

	if (!err)
		err = state_secrets_add(s->state, key, now_s, SECRETS_AGE_S);
	if (!err)
		err = read_ring(s);
	explicit_bzero(key, sizeof key);
	return err;
}

/*
 * Copy the ring, fresh enough and with a current key; "anew": read it in any case. While state.db does not answer the
 * last copy has to do.
 */
static enum mcp_err
take_ring(struct secrets *s, int64_t now_s, bool anew, struct ring *out)
{
	enum mcp_err err = MCP_OK;

	pthread_mutex_lock(&s->lock);
	if (anew || s->ring.n == 0 || clock_monotonic_ms() - s->ring.read_ms >= RING_MS)
		err = read_ring(s);
	if (!err && is_due(&s->ring, now_s))
		err = make_key(s, now_s);
	if (err && s->ring.n) {
		log_warning("state.db: sealing keys: %s; those at hand are used", mcp_strerror(err));
		s->ring.read_ms = clock_monotonic_ms();
		err = MCP_OK;
	}
	*out = s->ring;
	pthread_mutex_unlock(&s->lock);
	return err || out->n ? err : MCP_EDB;
}

/* The purpose and what else a text is bound to. False: too many. */
static bool
bind_all(const char *purpose, const struct seal_part *bound, size_t n_bound,
    struct seal_part out[SECRETS_BOUND_MAX + 1])
{
	if (n_bound > SECRETS_BOUND_MAX)
		return false;
	out[0] = (struct seal_part){ purpose, strlen(purpose) };
	if (n_bound)
		memcpy(out + 1, bound, n_bound * sizeof *bound);
	return true;
}

enum mcp_err
secrets_seal(struct secrets *s, int64_t now_s, const char *purpose, const struct seal_part *bound, size_t n_bound,
    const void *plain, size_t len, struct buf *out)
{
	struct seal_part all[SECRETS_BOUND_MAX + 1];
	struct ring ring;
	enum mcp_err err;

	if (!bind_all(purpose, bound, n_bound, all))
		return MCP_ELIMIT;
	err = take_ring(s, now_s, false, &ring);
	if (!err)
		err = seal(&ring.keys[0], all, n_bound + 1, plain, len, out);
	explicit_bzero(&ring, sizeof ring);
	return err;
}

/* MCP_ENOENT: by no key of the ring. */
static enum mcp_err
open_with(const struct ring *ring, const struct seal_part *all, size_t n, const char *text, size_t len,
    struct buf *plain)
{
	enum mcp_err err = MCP_ENOENT;

	for (size_t i = 0; i < ring->n && err == MCP_ENOENT; i++)
		err = seal_open(&ring->keys[i], all, n, text, len, plain);
	return err;
}

enum mcp_err
secrets_open(struct secrets *s, int64_t now_s, const char *purpose, const struct seal_part *bound, size_t n_bound,
    const char *text, size_t len, struct buf *plain)
{
	struct seal_part all[SECRETS_BOUND_MAX + 1];
	enum mcp_err err = MCP_ENOENT;
	struct ring ring;

	if (!bind_all(purpose, bound, n_bound, all))
		return MCP_ELIMIT;
	for (int i = 0; i < 2 && err == MCP_ENOENT; i++) {
		err = take_ring(s, now_s, i > 0, &ring);
		if (!err)
			err = open_with(&ring, all, n_bound + 1, text, len, plain);
	}
	explicit_bzero(&ring, sizeof ring);
	return err == MCP_ENOENT ? MCP_EINVAL : err;
}
