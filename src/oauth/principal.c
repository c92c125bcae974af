/* SPDX-License-Identifier: MIT */
#include "oauth/principal.h"

#include <stdlib.h>
#include <string.h>

#include "base/json.h"

void
principal_clear(struct principal *p)
{
	if (!p)
		return;
	free(p->issuer);
	free(p->subject);
	free(p->client_id);
	free(p->organisation);
	free(p->org_prefix);
	strlist_clear(&p->scopes);
	json_free(p->claims);
	memset(p, 0, sizeof(*p));
}
