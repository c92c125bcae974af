/* SPDX-License-Identifier: MIT */
/*
 * Answers for the set of tools. Its life: registry_new(); registry_add() for each tool, which compiles the schemas and
 * renders the Tool object; registry_seal(), which renders the list; read by all threads; registry_free().
 */
#include "mcp/registry.h"

#include <stdlib.h>
#include <string.h>

#include "base/json.h"
#include "mcp/schema.h"

#define TOOLS_MAX 1000
#define NAME_MAX_BYTES 128
#define SCHEMA_TEXT_MAX (256 * 1024)
#define LIST_MAX (16 * 1024 * 1024)

/* What is asked of callers' organisations unless the operator says more. */
static const struct org_rule no_rule = { 0 }, any_organisation = { .required = true };

struct registry {
	struct registry_entry *entries;
	size_t n, cap;
	bool sealed;
	const struct scope_rules *implies;
	char *list;		/* JSON text of the array of all tools; after the sealing */
	size_t list_len;
};

enum mcp_err
registry_new(struct registry **out)
{
	*out = calloc(1, sizeof(**out));
	return *out ? MCP_OK : MCP_ENOMEM;
}

static void
entry_clear(struct registry_entry *e)
{
	strlist_clear(&e->scopes);
	schema_free(e->input);
	schema_free(e->output);
	free(e->listing);
	memset(e, 0, sizeof(*e));
}

void
registry_free(struct registry *r)
{
	size_t i;

	if (!r)
		return;
	for (i = 0; i < r->n; i++)
		entry_clear(&r->entries[i]);
	free(r->entries);
	free(r->list);
	free(r);
}

/* Source: MCP 2026-07-28 server/tools, "Tool Names". */
static bool
is_name(const char *name)
{
	size_t len = strspn(name, "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789_.-");

	return len > 0 && len <= NAME_MAX_BYTES && name[len] == '\0';
}

/* What can be said against a tool before its schemas are read; NULL: nothing. */
static const char *
objection(const struct registry *r, const struct tool *tool, const struct strlist *scopes)
{
	if (r->sealed)
		return "the registry is sealed";
	if (r->n >= TOOLS_MAX)
		return "there are too many tools";
	if (!tool->name || !is_name(tool->name))
		return "the name of a tool is 1 to 128 of A-Z a-z 0-9 _ . -";
	if (registry_find(r, tool->name))
		return "there is a tool of that name already";
	if (!tool->description || !tool->description[0])
		return "the tool has no description";
	if (!scopes)
		return "nobody has decided which scopes the tool needs";
	if (!tool->input_schema)
		return "the tool has no input schema";
	if (!tool->call)
		return "the tool has no function";
	return NULL;
}

/* Parse a JSON text of the tool's author; it must be an object. */
static enum mcp_err
read_object(const char *text, struct json_object **out, const char **why)
{
	const struct json_bounds bounds = { SCHEMA_TEXT_MAX, 64, SCHEMA_TEXT_MAX };
	enum mcp_err err = json_parse(text, strlen(text), &bounds, out, NULL);

	*why = "memory is short";
	if (err == MCP_ENOMEM)
		return err;
	if (err) {
		*why = "a schema or the annotations are not JSON";
		return MCP_EINVAL;
	}
	if (json_kind(*out) == JSON_OBJECT)
		return MCP_OK;
	*why = "a schema or the annotations are no object";
	json_free(*out);
	*out = NULL;
	return MCP_EINVAL;
}

/* Read and compile one schema; its root must say "type": "object". */
static enum mcp_err
read_schema(const char *text, struct json_object **source, struct schema **out, const char **why)
{
	const char *type;
	enum mcp_err err = read_object(text, source, why);

	if (err)
		return err;
	if (json_get_string(*source, "type", &type, NULL) != MCP_OK || strcmp(type, "object") != 0) {
		*why = "a schema of a tool must have \"type\": \"object\"";
		return MCP_EINVAL;
	}
	return schema_compile(*source, out, why);
}

static void
render_member(struct buf *out, const char *name, const char *text)
{
	if (!text)
		return;
	buf_printf(out, ",\"%s\":", name);
	json_render_string(text, strlen(text), out);
}

static void
render_object(struct buf *out, const char *name, const struct json_object *value)
{
	if (!value)
		return;
	buf_printf(out, ",\"%s\":", name);
	json_render(value, out);
}

/* Fill "e" but for the scopes. Source of the object's members: MCP schema, Tool. */
static enum mcp_err
prepare(struct registry_entry *e, const struct tool *tool, const char **why)
{
	struct json_object *input = NULL, *output = NULL, *annotations = NULL;
	enum mcp_err err;
	struct buf b;

	e->tool = tool;
	e->organisation = tool->needs_organisation ? &any_organisation : &no_rule;
	buf_init(&b, LIST_MAX);
	err = read_schema(tool->input_schema, &input, &e->input, why);
	if (err)
		goto out;
	err = tool->output_schema ? read_schema(tool->output_schema, &output, &e->output, why) : MCP_OK;
	if (err)
		goto out;
	err = tool->annotations ? read_object(tool->annotations, &annotations, why) : MCP_OK;
	if (err)
		goto out;
	buf_printf(&b, "{\"name\":\"%s\"", tool->name);
	render_member(&b, "title", tool->title);
	render_member(&b, "description", tool->description);
	render_object(&b, "inputSchema", input);
	render_object(&b, "outputSchema", output);
	render_object(&b, "annotations", annotations);
	buf_putc(&b, '}');
	e->listing = buf_steal(&b, &e->listing_len);
	*why = "memory is short";
	err = e->listing ? MCP_OK : MCP_ENOMEM;
out:
	buf_clear(&b);
	json_free(input);
	json_free(output);
	json_free(annotations);
	return err;
}

enum mcp_err
registry_add(struct registry *r, const struct tool *tool, const struct strlist *scopes, const char **why)
{
	struct registry_entry e = { 0 };
	const char *ignored;
	enum mcp_err err = MCP_ENOMEM;

	if (!why)
		why = &ignored;
	*why = objection(r, tool, scopes);
	if (*why)
		return MCP_EINVAL;
	*why = "memory is short";
	if (r->n == r->cap) {
		size_t cap = r->cap ? 2 * r->cap : 8;
		struct registry_entry *grown = realloc(r->entries, cap * sizeof(*grown));

		if (!grown)
			return MCP_ENOMEM;
		r->entries = grown;
		r->cap = cap;
	}
	e.implies = r->implies;
	err = strlist_copy(&e.scopes, scopes);
	if (!err)
		err = prepare(&e, tool, why);
	if (err) {
		entry_clear(&e);
		return err;
	}
	r->entries[r->n++] = e;
	*why = NULL;
	return MCP_OK;
}

void
registry_imply(struct registry *r, const struct scope_rules *rules)
{
	r->implies = rules;
}

void
registry_restrict(struct registry *r, const char *name, const struct org_rule *rule)
{
	for (size_t i = 0; i < r->n && rule->required && !r->sealed; i++)
		if (strcmp(r->entries[i].tool->name, name) == 0)
			r->entries[i].organisation = rule;
}

enum mcp_err
registry_seal(struct registry *r)
{
	struct buf b;
	size_t i;

	buf_init(&b, LIST_MAX);
	buf_putc(&b, '[');
	for (i = 0; i < r->n; i++) {
		if (i > 0)
			buf_putc(&b, ',');
		buf_put(&b, r->entries[i].listing, r->entries[i].listing_len);
	}
	buf_putc(&b, ']');
	free(r->list);
	r->list = buf_steal(&b, &r->list_len);
	if (!r->list)
		return MCP_ENOMEM;
	r->sealed = true;
	return MCP_OK;
}

size_t
registry_count(const struct registry *r)
{
	return r->n;
}

const struct registry_entry *
registry_at(const struct registry *r, size_t i)
{
	return i < r->n ? &r->entries[i] : NULL;
}

const struct registry_entry *
registry_find(const struct registry *r, const char *name)
{
	size_t i;

	for (i = 0; i < r->n; i++)
		if (strcmp(r->entries[i].tool->name, name) == 0)
			return &r->entries[i];
	return NULL;
}

const char *
registry_list_text(const struct registry *r, size_t *len)
{
	*len = r->list_len;
	return r->list;
}

bool
registry_grants(const struct registry_entry *e, const struct principal *principal, const char *scope)
{
	return principal && scopes_grant(e->implies, &principal->scopes, scope);
}

enum oauth_outcome
registry_judge(const struct registry_entry *e, const struct principal *principal)
{
	size_t i;

	for (i = 0; i < e->scopes.n; i++)
		if (!registry_grants(e, principal, e->scopes.v[i]))
			return OAUTH_INSUFFICIENT_SCOPE;
	return org_rule_judge(e->organisation, principal);
}
