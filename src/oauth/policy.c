/* SPDX-License-Identifier: MIT */
#include "oauth/policy.h"

#include <stdlib.h>
#include <string.h>

void
token_policy_clear(struct token_policy *p)
{
	if (!p)
		return;
	strlist_clear(&p->issuers);
	strlist_clear(&p->audiences);
	free(p->resource);
	strlist_clear(&p->algorithms);
	strlist_clear(&p->types);
	strlist_clear(&p->scope_claims);
	strlist_clear(&p->org_claims);
	strlist_clear(&p->required_claims);
	memset(p, 0, sizeof(*p));
}
