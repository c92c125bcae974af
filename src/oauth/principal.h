/* SPDX-License-Identifier: MIT */
#ifndef MCP_OAUTH_PRINCIPAL_H
#define MCP_OAUTH_PRINCIPAL_H

#include <stdint.h>

#include "base/strlist.h"

struct json_object;

/* Who a validated access token speaks for. All strings are owned; those that a token may lack are NULL. */
struct principal {
	char *issuer;			/* iss */
	char *subject;			/* sub */
	char *client_id;		/* first of CLIENT_CLAIMS */
	char *organisation;		/* by ORG_CLAIMS and ORG_MODE */
	char *org_prefix;		/* what its issuer's organisations have before their names; NULL: nothing */
	struct strlist scopes;		/* union of SCOPE_CLAIMS, each once */
	int64_t expires_at_s;		/* exp */
	struct json_object *claims;	/* the whole payload, owned, for rules on further claims */
};

/* Free what the principal owns; all zero afterwards. NULL is fine. */
void principal_clear(struct principal *p);

#endif
