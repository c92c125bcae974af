/* SPDX-License-Identifier: MIT */
#include "oauth/jwks.h"

#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>

#include "base/json.h"
#include "base/log.h"

struct jwks {
	atomic_uint references;
	size_t n;
	struct jwk *keys[JWKS_KEYS_MAX];	/* owned */
	struct verified *verified;		/* owned */
};

/*
 * Depth: the set, its array, a key, one array or object in it, and some more for members we do not know. Values: a
 * thousand keys with certificates, and few enough for rubbish to cost some megabytes at most.
 */
static const struct json_bounds bounds = {JWKS_BYTES_MAX, 16, 16384};

#define TOLD_MAX 4	/* keys left out that get a line of their own */

/* Keys for other purposes are everyday; one that is malformed, weak or private is somebody's fault. */
static void
tell_skipped(const struct json_object *v, size_t i, enum mcp_err err, const char *why)
{
	const char *kid;

	if (json_get_string(v, "kid", &kid, NULL))
		kid = "-";
	if (err == MCP_ENOENT)
		log_debug("key set: key %zu (kid %.64s) is not used: %s", i, kid, why);
	else
		log_warning("key set: key %zu (kid %.64s) is refused: %s", i, kid, why);
}

static enum mcp_err
take_keys(struct jwks *set, const struct json_object *keys, size_t *skipped)
{
	size_t count = json_count(keys), told = 0;

	for (size_t i = 0; i < count; i++) {
		const char *why = "";
		enum mcp_err err;

		if (set->n == JWKS_KEYS_MAX) {
			log_warning("key set: only the first %d usable keys of %zu are taken", JWKS_KEYS_MAX, count);
			*skipped += count - i;
			break;
		}
		err = jwk_parse(json_at(keys, i), &set->keys[set->n], &why);
		if (err == MCP_ENOMEM || err == MCP_ECRYPTO)
			return err;
		if (!err) {
			set->n++;
			continue;
		}
		++*skipped;
		if (told++ < TOLD_MAX)
			tell_skipped(json_at(keys, i), i, err, why);
	}
	return set->n > 0 ? MCP_OK : MCP_ENOENT;
}

enum mcp_err
jwks_parse(const char *text, size_t len, struct jwks **out, size_t *skipped)
{
	struct json_object *document = NULL, *keys;
	size_t ignored;
	struct jwks *set = NULL;
	enum mcp_err err;

	*out = NULL;
	if (!skipped)
		skipped = &ignored;
	*skipped = 0;
	err = json_parse(text, len, &bounds, &document, NULL);
	if (err)
		goto out;
	err = json_get_array(document, "keys", &keys);
	if (err) {
		err = MCP_ETYPE;
		goto out;
	}
	set = calloc(1, sizeof(*set));
	if (!set) {
		err = MCP_ENOMEM;
		goto out;
	}
	atomic_init(&set->references, 1);
	err = verified_new(&set->verified);
	if (!err)
		err = take_keys(set, keys, skipped);
	if (err)
		goto out;
	*out = set;
	set = NULL;
out:
	jwks_unref(set);
	json_free(document);
	return err;
}

struct jwks *
jwks_ref(struct jwks *set)
{
	atomic_fetch_add_explicit(&set->references, 1, memory_order_relaxed);
	return set;
}

void
jwks_unref(struct jwks *set)
{
	/* What this thread read must have been read before another one frees it. */
	if (!set || atomic_fetch_sub_explicit(&set->references, 1, memory_order_acq_rel) != 1)
		return;
	for (size_t i = 0; i < set->n; i++)
		jwk_free(set->keys[i]);
	verified_free(set->verified);
	free(set);
}

struct verified *
jwks_verified(const struct jwks *set)
{
	return set->verified;
}

size_t
jwks_count(const struct jwks *set)
{
	return set->n;
}

const struct jwk *
jwks_at(const struct jwks *set, size_t i)
{
	return i < set->n ? set->keys[i] : NULL;
}

const struct jwk *
jwks_select(const struct jwks *set, const char *kid, const char *alg, bool *known_kid)
{
	const struct jwk *found = NULL;
	bool known = false, several = false;

	for (size_t i = 0; i < set->n; i++) {
		const struct jwk *k = set->keys[i];

		if (kid && (!jwk_kid(k) || strcmp(jwk_kid(k), kid) != 0))
			continue;
		known = kid != NULL;
		if (!jwk_can(k, alg))
			continue;
		if (found)
			several = true;
		else
			found = k;
	}
	if (known_kid)
		*known_kid = known;
	return !kid && several ? NULL : found;
}
