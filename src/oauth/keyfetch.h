/* SPDX-License-Identifier: MIT */
#ifndef MCP_OAUTH_KEYFETCH_H
#define MCP_OAUTH_KEYFETCH_H

#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>
#include <time.h>

#include "base/buf.h"
#include "base/err.h"
#include "oauth/jwks.h"

struct discovery;
struct fetch_policy;

/*
 * Where key sets come from: a URL, the URL that an issuer's metadata names, or a file. All are read by jwks_parse(),
 * and none is believed for its status or its name alone. "fault" gets what went wrong, for the log.
 */
#define KEYFETCH_FAULT_MAX 96
#define KEYFETCH_TOTAL_MS 5000	/* of a whole fetch; the lease of keystore.c is longer */

/*
 * Fetch the JWKS at "uri", a URL that the operator chose. Only a 200 of a JSON type with at least one usable key
 * counts. Returns MCP_OK with *set new, its text in "text" (initialised by the caller) and *max_age_s as fetch_response
 * has it; what fetch() and jwks_parse() return, MCP_EREMOTE for another status or type; *set is NULL then.
 */
enum mcp_err keyfetch_url(const char *uri, const struct fetch_policy *policy, struct jwks **set, struct buf *text,
    int64_t *max_age_s, char fault[KEYFETCH_FAULT_MAX]) MCP_MUST_CHECK;

/*
 * The same for the jwks_uri that the metadata of "discovery" names, a URL that counts as learnt (fetch.h); both within
 * KEYFETCH_TOTAL_MS. Without usable metadata, or when it names no URL that may be used, MCP_EREMOTE; MCP_ELIMIT when
 * whoever asks for the metadata takes too long; MCP_ECLOSED: the process ends. Source: RFC 8414 section 2, OpenID
 * Connect Discovery section 3.
 */
enum mcp_err keyfetch_discovered(struct discovery *discovery, const struct fetch_policy *policy, int64_t now_s,
    struct jwks **set, struct buf *text, int64_t *max_age_s, char fault[KEYFETCH_FAULT_MAX]) MCP_MUST_CHECK;

/* How a file looked when it was read last; all zero: never. */
struct keyfetch_stamp {
	dev_t device;
	ino_t inode;
	off_t size;
	struct timespec modified;
};

/*
 * Read the JWKS in the regular file "path" unless it still looks as in "stamp", which is brought up to date. Returns
 * MCP_OK with *set new, or NULL when nothing changed; MCP_EIO (errno); MCP_EPERM when group or others may write to it
 * or when it is neither ours nor root's; what jwks_parse() returns. *set is NULL on failure, and the same bad file is
 * not read twice.
 */
enum mcp_err keyfetch_file(const char *path, struct keyfetch_stamp *stamp, struct jwks **set,
    char fault[KEYFETCH_FAULT_MAX]) MCP_MUST_CHECK;

#endif
