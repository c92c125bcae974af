/* SPDX-License-Identifier: MIT */
#ifndef MCP_MCP_REGISTRY_H
#define MCP_MCP_REGISTRY_H

#include <stddef.h>

#include "base/err.h"
#include "base/strlist.h"
#include "mcp/tool.h"
#include "oauth/organisation.h"
#include "oauth/outcome.h"
#include "oauth/scopes.h"

/*
 * The sealed set of tools with what the operator decided about each. Filled while a configuration is loaded, read-only
 * afterwards, so threads share it without locks. Order of registration is the order of the list.
 */
struct registry;
struct schema;

struct registry_entry {
	const struct tool *tool;		/* borrowed for the life of the registry */
	struct strlist scopes;			/* all of these are needed; empty: any valid token */
	const struct scope_rules *implies;	/* which scopes stand for others; borrowed; NULL: none do */
	const struct org_rule *organisation;	/* what is asked of the caller's organisation; borrowed, never NULL */
	struct schema *input;			/* compiled input_schema */
	struct schema *output;			/* compiled output_schema; NULL: none */
	char *listing;				/* the Tool object of tools/list as JSON text */
	size_t listing_len;
};

/*
 * Make an empty registry. Returns MCP_OK with *out new, to be released with registry_free(); MCP_ENOMEM with *out NULL.
 */
enum mcp_err registry_new(struct registry **out) MCP_MUST_CHECK;
void registry_free(struct registry *r);

/*
 * Add a tool. "scopes" is copied; NULL means the operator has not decided, which refuses the tool (MCP_EINVAL). Also
 * MCP_EINVAL for a bad name, a name twice, no description, a schema or annotations that do not parse or compile, or a
 * sealed registry; *why (may be NULL) gets a static phrase. MCP_ENOMEM.
 */
enum mcp_err registry_add(struct registry *r, const struct tool *tool, const struct strlist *scopes,
    const char **why) MCP_MUST_CHECK;

/*
 * What the operator decided beyond scopes, before the sealing; both rules are borrowed for the life of the registry.
 * registry_imply() is for all tools that are added after it. registry_restrict() is for the tool "name", if it is
 * there; a rule that asks nothing changes nothing, so a tool that needs an organisation always does.
 */
void registry_imply(struct registry *r, const struct scope_rules *rules);
void registry_restrict(struct registry *r, const char *name, const struct org_rule *rule);

/* Close the registry and render the list once. After this registry_add() is refused. Returns MCP_OK or MCP_ENOMEM. */
enum mcp_err registry_seal(struct registry *r) MCP_MUST_CHECK;

/*
 * How many tools there are; the tool at "i" below that, in the order of registration; the tool "name", or NULL.
 * Borrowed.
 */
size_t registry_count(const struct registry *r);
const struct registry_entry *registry_at(const struct registry *r, size_t i);
const struct registry_entry *registry_find(const struct registry *r, const char *name);

/* The JSON text of the array of all tools, rendered by registry_seal(); borrowed. */
const char *registry_list_text(const struct registry *r, size_t *len);

/*
 * Whether "principal" (NULL: nobody) may call the entry: OAUTH_OK; OAUTH_INSUFFICIENT_SCOPE if it lacks a scope (which
 * ones is not told, the whole set is the challenge); OAUTH_WRONG_ORGANISATION if its organisation does not meet the
 * rule.
 */
enum oauth_outcome registry_judge(const struct registry_entry *e, const struct principal *principal);

/* Whether "principal" (NULL: nobody) has the scope, itself or by one that implies it. */
bool registry_grants(const struct registry_entry *e, const struct principal *principal, const char *scope);

#endif
