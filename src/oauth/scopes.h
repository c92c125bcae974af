/* SPDX-License-Identifier: MIT */
#ifndef MCP_OAUTH_SCOPES_H
#define MCP_OAUTH_SCOPES_H

#include <stdbool.h>
#include <stddef.h>

#include "base/err.h"
#include "base/strlist.h"

/*
 * Scopes: what may be one, and which imply which. A scope is compared byte for byte and nothing is read into its name:
 * "read" and "read:all" have to do with each other only if a rule says so.
 */

/* Whether the "len" bytes are a scope token: one or more of %x21 %x23-5B %x5D-7E. Source: RFC 6749 section 3.3. */
bool scope_is_token(const char *s, size_t len);

/*
 * Whether a setting's value is a list of scope tokens with commas and blanks between them: NULL, or a static phrase
 * that says what is wrong (the check of a struct setting).
 */
const char *scope_list_check(const char *value);

/* One scope and all that it implies, directly or through others. */
struct scope_rule {
	char *broad;
	struct strlist narrow;
};

/* The hierarchy of an operator. All zero is none. */
struct scope_rules {
	struct scope_rule *v;
	size_t n;
};

#define SCOPE_WORDS_MAX 128	/* words of the setting that holds the rules */

/*
 * Read rules from words: "BROAD:" begins a rule, the words after it are what BROAD implies ("admin:" "usr:read"
 * "web-search:read"). Several rules of one BROAD are one. What is implied implies in turn, and cycles are harmless:
 * each rule gets the closure here, once. Returns MCP_OK with "out" (all zero before) to be released with
 * scope_rules_clear(); MCP_EINVAL with *why a static phrase; MCP_ENOMEM. "out" is all zero after a failure.
 */
enum mcp_err scope_rules_read(const struct strlist *words, struct scope_rules *out, const char **why) MCP_MUST_CHECK;

/* Free the rules; all zero afterwards. NULL is fine. */
void scope_rules_clear(struct scope_rules *r);

/*
 * Whether "granted" has "wanted", or a scope that implies it by "rules" (NULL: none). Source: MCP basic/authorization
 * "Step-Up Authorization Flow".
 */
bool scopes_grant(const struct scope_rules *rules, const struct strlist *granted, const char *wanted);

#endif
