/* SPDX-License-Identifier: MIT */
#ifndef MCP_BASE_ERR_H
#define MCP_BASE_ERR_H

/*
 * The one result type of functions that can fail. MCP_OK is 0, so "if (err)" reads as "if it failed". A function says
 * in its header which of these it returns; what is not named there is not returned.
 */
enum mcp_err {
	MCP_OK = 0,
	MCP_ENOMEM,	/* an allocation failed */
	MCP_ELIMIT,	/* a bound was reached: size, depth, count, rate */
	MCP_ESYNTAX,	/* bytes do not follow their grammar */
	MCP_ETYPE,	/* a value has another type than the one asked for */
	MCP_EINVAL,	/* a value is well-formed and not allowed */
	MCP_ENOENT,	/* what was asked for is not there */
	MCP_EIO,	/* a system call failed; errno tells why */
	MCP_EDB,	/* SQLite refused: damaged, locked, read-only, full */
	MCP_ENET,	/* a remote host could not be reached */
	MCP_EREMOTE,	/* a remote host answered, and the answer is of no use */
	MCP_ETIMEOUT,	/* a deadline passed */
	MCP_EPERM,	/* an owner or a mode of a file is unsafe, or an address is not allowed */
	MCP_ECRYPTO,	/* OpenSSL or libjwt failed where the input was not to blame */
	MCP_ECLOSED,	/* the peer went away */
	MCP_EAGAIN,	/* not yet: what is needed has been asked for */
	MCP_ENOTSUP,	/* the other side cannot do this */
	MCP_EINTERNAL	/* a contract of our own was broken */
};

/* Returns a static English phrase for "err" (lower case, no full stop); never NULL, also for unknown values. */
const char *mcp_strerror(enum mcp_err err);

#define MCP_MUST_CHECK __attribute__((warn_unused_result))
#define MCP_PRINTF(fmt, first) __attribute__((format(printf, fmt, first)))

#endif
