/* SPDX-License-Identifier: MIT */
#ifndef MCP_ISSUER_CLIENTS_H
#define MCP_ISSUER_CLIENTS_H

#include <stdbool.h>
#include <stdint.h>

#include "base/err.h"
#include "base/strlist.h"
#include "issuer/database.h"

/* Registered clients. At most CLIENTS_MAX are kept: the oldest give way. */
#define CLIENTS_MAX 10000

struct client {
	char *id;
	char *name; /* client_name, NULL if none was given */
	struct strlist redirect_uris;
	struct strlist grant_types;
	char *auth_method; /* token_endpoint_auth_method */
	char *scope;       /* scopes it asked for at registration, NULL: none */
	bool confidential; /* has a secret */
	uint8_t secret_hash[32];
};
/* Free what the members hold; all is zero afterwards. */
void client_clear(struct client *c);

/* Keep a new client. MCP_OK, MCP_EDB, MCP_ENOMEM. */
enum mcp_err clients_add(struct database *d, const struct client *c, int64_t now_s) MCP_MUST_CHECK;

/* MCP_OK with *out filled (client_clear()), MCP_ENOENT, MCP_EDB, MCP_ENOMEM with *out all zero. */
enum mcp_err clients_get(struct database *d, const char *client_id, struct client *out) MCP_MUST_CHECK;

#endif
