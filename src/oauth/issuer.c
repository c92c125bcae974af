/* SPDX-License-Identifier: MIT */
#include "oauth/issuer.h"

#include <stdlib.h>
#include <string.h>

#include "base/text.h"

struct issuer *
issuers_add(struct issuers *set, const char *name)
{
	struct issuer *v = set->n < ISSUERS_MAX ? reallocarray(set->v, set->n + 1, sizeof(*v)) : NULL;

	if (!v)
		return NULL;
	set->v = v;
	v[set->n] = (struct issuer){ .name = text_dup(name, strlen(name)) };
	return v[set->n].name ? &v[set->n++] : NULL;
}

void
issuers_clear(struct issuers *set)
{
	if (!set)
		return;
	for (size_t i = 0; i < set->n; i++) {
		free(set->v[i].name);
		token_policy_clear(&set->v[i].policy);
		keystore_free(set->v[i].keys);
		introspection_free(set->v[i].introspection);
		jwa_key_free(set->v[i].client_key);
		discovery_free(set->v[i].discovery);
	}
	free(set->v);
	memset(set, 0, sizeof(*set));
}

void
issuers_maintain(const struct issuers *set, int64_t now_s)
{
	for (size_t i = 0; i < set->n; i++)
		if (set->v[i].keys)
			keystore_maintain(set->v[i].keys, now_s);
}

bool
issuers_are_due(const struct issuers *set, int64_t now_s)
{
	for (size_t i = 0; i < set->n; i++)
		if (set->v[i].keys && keystore_is_due(set->v[i].keys, now_s))
			return true;
	return false;
}
