/* SPDX-License-Identifier: MIT */
#ifndef MCP_MCP_REGISTRY_H
#define MCP_MCP_REGISTRY_H

#include <stddef.h>

#include "base/err.h"
#include "base/strlist.h"
#include "mcp/resource.h"
#include "mcp/tool.h"
#include "oauth/organisation.h"
#include "oauth/outcome.h"
#include "oauth/scopes.h"

/*
 * The sealed set of tools, prompts, resources and resource templates with what the operator decided about each. Filled
 * while a configuration is loaded, read-only afterwards, so threads share it without locks. Order of registration is
 * the order of the lists, so that all processes of one configuration have the same.
 */
struct registry;
struct schema;
struct mirror;
struct uri_template;

enum registry_kind { REGISTRY_TOOL, REGISTRY_PROMPT, REGISTRY_RESOURCE, REGISTRY_TEMPLATE, REGISTRY_KINDS };

/*
 * How an entry is listed: in full, or for clients that know structured content as objects only, and so no outputSchema
 * of another type (before 2026-07-28).
 */
enum registry_form { REGISTRY_FULL, REGISTRY_OBJECTS };

struct listing {
	char *text;		/* JSON, owned; NULL: none */
	size_t len;
	size_t at;		/* in the text of all */
};

struct registry_entry {
	enum registry_kind kind;
	const char *name;			/* by which it is asked for: name, URI, URI template; borrowed */
	/* The row, borrowed for the life of the registry; the one of the kind, the others are NULL. */
	const struct tool *tool;
	const struct prompt *prompt;
	const struct resource *resource;
	const struct resource_template *template;
	struct strlist scopes;			/* all of these are needed; empty: any valid token */
	const struct scope_rules *implies;	/* which scopes stand for others; borrowed; NULL: none do */
	const struct org_rule *organisation;	/* what is asked of the caller's organisation; borrowed, never NULL */
	struct schema *input;			/* of a tool: compiled input_schema */
	struct schema *output;			/* of a tool: compiled output_schema; NULL: none */
	struct mirror *mirror;			/* of a tool: arguments that headers repeat (mirror.h); NULL: none */
	struct uri_template *pattern;		/* of a template */
	struct listing full, objects;		/* "objects" has no text where it would be the same */
};

/*
 * Make an empty registry. Returns MCP_OK with *out new, to be released with registry_free(); MCP_ENOMEM with *out NULL.
 */
enum mcp_err registry_new(struct registry **out) MCP_MUST_CHECK;
void registry_free(struct registry *r);

/*
 * Add a row, which is borrowed. "scopes" is copied; NULL means that the operator has not decided, so the row's own
 * "scopes" hold; if these are NULL too nobody has, and the row is refused (MCP_EINVAL). Also MCP_EINVAL for a bad name
 * or URI, one that is there already, a text that does not parse, a schema that does not compile, x-mcp-header that
 * breaks its rules, or a sealed registry; *why (may be NULL) gets a phrase that lives until the next row is added or
 * the registry is freed. MCP_ENOMEM.
 */
enum mcp_err registry_add(struct registry *r, const struct tool *tool, const struct strlist *scopes,
    const char **why) MCP_MUST_CHECK;
enum mcp_err registry_add_prompt(struct registry *r, const struct prompt *prompt, const struct strlist *scopes,
    const char **why) MCP_MUST_CHECK;
enum mcp_err registry_add_resource(struct registry *r, const struct resource *resource, const struct strlist *scopes,
    const char **why) MCP_MUST_CHECK;
enum mcp_err registry_add_template(struct registry *r, const struct resource_template *template,
    const struct strlist *scopes, const char **why) MCP_MUST_CHECK;

/*
 * What the operator decided beyond scopes, before the sealing; both rules are borrowed for the life of the registry.
 * registry_imply() is for all that are added after it. registry_restrict() is for the tool "name", if it is there; a
 * rule that asks nothing changes nothing, so a tool that needs an organisation always does.
 */
void registry_imply(struct registry *r, const struct scope_rules *rules);
void registry_restrict(struct registry *r, const char *name, const struct org_rule *rule);

/* Close the registry and render the lists once. After this nothing can be added. Returns MCP_OK or MCP_ENOMEM. */
enum mcp_err registry_seal(struct registry *r) MCP_MUST_CHECK;

/*
 * How many of a kind there are; the one at "i" below that, in the order of registration; the one with that name, or
 * NULL. Borrowed.
 */
size_t registry_count(const struct registry *r, enum registry_kind kind);
const struct registry_entry *registry_at(const struct registry *r, enum registry_kind kind, size_t i);
const struct registry_entry *registry_find(const struct registry *r, enum registry_kind kind, const char *name);

/* Whether any prompt or template has a function that completes. */
bool registry_completes(const struct registry *r);

/*
 * The JSON objects of the "n" entries from "i" on, commas between them, rendered by registry_seal(); borrowed, *len
 * bytes, not terminated. All of them must be there. registry_listing() is that of one entry.
 */
const char *registry_list_text(const struct registry *r, enum registry_kind kind, enum registry_form form, size_t i,
    size_t n, size_t *len);
const struct listing *registry_listing(const struct registry_entry *e, enum registry_form form);

/*
 * Whether "principal" (NULL: nobody) may use the entry: OAUTH_OK; OAUTH_INSUFFICIENT_SCOPE if it lacks a scope (which
 * ones is not told, the whole set is the challenge); OAUTH_WRONG_ORGANISATION if its organisation does not meet the
 * rule.
 */
enum oauth_outcome registry_judge(const struct registry_entry *e, const struct principal *principal);

/* Whether "principal" (NULL: nobody) has the scope, itself or by one that implies it. */
bool registry_grants(const struct registry_entry *e, const struct principal *principal, const char *scope);

#endif
