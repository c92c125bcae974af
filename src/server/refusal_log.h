/* SPDX-License-Identifier: MIT */
#ifndef MCP_SERVER_REFUSAL_LOG_H
#define MCP_SERVER_REFUSAL_LOG_H

#include <stdint.h>

#include "base/err.h"
#include "oauth/outcome.h"

/*
 * Lines about refusals, so that each kind is told and no flood of them fills a disk. Lines with the same text are told
 * once in REFUSAL_PERIOD_S. Of each outcome REFUSAL_KINDS different texts are told in that time, so a second kind of
 * wrong audience shows although a first one comes all the time; what goes beyond shares one line in that time. How many
 * were held back is told with the next line of the kind, or when nothing more of the kind came. Safe from several
 * threads; each process has its own.
 */
#define REFUSAL_PERIOD_S 60
#define REFUSAL_KINDS 8
#define REFUSAL_TEXT_MAX 479	/* bytes of a text that tell it from another, and that are kept */

struct refusal_log;

/* Returns MCP_OK with *out new, to be released with refusal_log_free(); MCP_ENOMEM. */
enum mcp_err refusal_log_new(struct refusal_log **out) MCP_MUST_CHECK;

/* Tell what was held back, and release; NULL is fine. */
void refusal_log_free(struct refusal_log *l);

/*
 * Write "ID TEXT" as a warning, as info for OAUTH_NO_CREDENTIALS, which is how every client begins; or hold it back.
 * Bytes of "text" from outside are escaped by the log.
 */
void refusal_log_tell(struct refusal_log *l, const char *id, enum oauth_outcome outcome, const char *text,
    int64_t now_s);

/* Tell how many lines were held back of kinds whose time is over. Cheap when there is none. */
void refusal_log_settle(struct refusal_log *l, int64_t now_s);

#endif
