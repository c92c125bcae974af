/* SPDX-License-Identifier: MIT */
#ifndef MCP_OAUTH_PRINCIPAL_DIGEST_H
#define MCP_OAUTH_PRINCIPAL_DIGEST_H

#include "base/digest.h"
#include "oauth/principal.h"	/* which modules see, and this they do not */

/*
 * The SHA-256 of issuer and subject: whose something is that is kept for clients, and counted. A person with many
 * clients is one. NULL is nobody, who is one too. Returns MCP_OK, MCP_ENOMEM, MCP_ECRYPTO.
 */
enum mcp_err principal_digest(const struct principal *p, unsigned char out[DIGEST_SHA256_LEN]) MCP_MUST_CHECK;

#endif
