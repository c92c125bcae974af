/* SPDX-License-Identifier: MIT */
#include "oauth/policy.h"

#include <stdlib.h>
#include <string.h>

void
token_policy_clear(struct token_policy *p)
{
	if (!p)
		return;

	struct strlist *const lists[] = { &p->issuers, &p->tenants, &p->audiences, &p->algorithms, &p->types, &p->kinds,
	    &p->scope_claims, &p->org_claims, &p->org_values, &p->client_claims, &p->clients, &p->required_claims,
	    &p->required_scopes };

	for (size_t i = 0; i < sizeof(lists) / sizeof(*lists); i++)
		strlist_clear(lists[i]);
	free(p->resource);
	free(p->org_prefix);
	memset(p, 0, sizeof(*p));
}
