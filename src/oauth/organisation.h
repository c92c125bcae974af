/* SPDX-License-Identifier: MIT */
#ifndef MCP_OAUTH_ORGANISATION_H
#define MCP_OAUTH_ORGANISATION_H

#include <stdbool.h>

#include "base/buf.h"
#include "base/err.h"
#include "base/strlist.h"
#include "oauth/outcome.h"
#include "oauth/principal.h"

/* What an operator asks of the organisation of a tool's callers. All zero asks nothing. */
struct org_rule {
	bool required;		/* the token must name one; set by every other member too */
	char *claim;		/* the claim that names it for this tool; NULL: the principal's organisation */
	struct strlist allowed;	/* it is one of these, byte for byte; empty: any */
};

#define ORG_WORDS_MAX 1000	/* words of the setting of one tool */

/*
 * Read a rule from words: "required", "claim:NAME" (at most once), and organisations; none: nothing is asked. Returns
 * MCP_OK with "out" (all zero before) to be released with org_rule_clear(); MCP_EINVAL with *why a static phrase;
 * MCP_ENOMEM. "out" is all zero after a failure.
 */
enum mcp_err org_rule_read(const struct strlist *words, struct org_rule *out, const char **why) MCP_MUST_CHECK;

/* Free what it holds; all zero afterwards. NULL is fine. */
void org_rule_clear(struct org_rule *r);

/*
 * The organisation for which "principal" (NULL: nobody) may call by the rule, with its issuer's prefix; the caller
 * frees *out. It is NULL when the rule is not met, and when it asks nothing of a principal that has none
 * (org_rule_judge() tells them apart). A claim, found as claims_find() says, may be a string, or an array of strings:
 * then the first that is allowed is the one, and without a list of allowed ones the array must name exactly one,
 * because nothing says which of several is meant. Returns MCP_OK or MCP_ENOMEM.
 */
enum mcp_err org_rule_choose(const struct org_rule *r, const struct principal *principal, char **out) MCP_MUST_CHECK;

/* OAUTH_OK, or OAUTH_WRONG_ORGANISATION. */
enum oauth_outcome org_rule_judge(const struct org_rule *r, const struct principal *principal);

/* Append what the rule asks, in words for the log: "one", "one in the claim tid", "one of org_1 org_2 ...". */
void org_rule_describe(const struct org_rule *r, struct buf *out);

#endif
