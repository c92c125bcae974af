/* SPDX-License-Identifier: MIT */
/* The words for enum mcp_err. */
#include "base/err.h"

#include <stddef.h>

static const char *const phrases[] = {
	[MCP_OK] = "success",
	[MCP_ENOMEM] = "out of memory",
	[MCP_ELIMIT] = "a limit was reached",
	[MCP_ESYNTAX] = "malformed",
	[MCP_ETYPE] = "wrong type",
	[MCP_EINVAL] = "not allowed",
	[MCP_ENOENT] = "not found",
	[MCP_EIO] = "input or output failed",
	[MCP_EDB] = "database failure",
	[MCP_ENET] = "host not reachable",
	[MCP_EREMOTE] = "unusable answer from the remote host",
	[MCP_ETIMEOUT] = "timed out",
	[MCP_EPERM] = "permission refused",
	[MCP_ECRYPTO] = "cryptographic library failed",
	[MCP_ECLOSED] = "connection closed",
	[MCP_EAGAIN] = "not yet",
	[MCP_ENOTSUP] = "not supported by the other side",
	[MCP_EINTERNAL] = "internal error"
};

const char *
mcp_strerror(enum mcp_err err)
{
	if ((size_t)err >= sizeof phrases / sizeof phrases[0] || !phrases[err])
		return "unknown error";
	return phrases[err];
}
