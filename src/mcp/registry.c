/* SPDX-License-Identifier: MIT */
/*
 * Answers for the sets of tools, prompts, resources and templates. Their life: registry_new(); registry_add*() for each
 * row; registry_seal(), which renders the lists; read by all threads; registry_free().
 */
#include "mcp/registry.h"

#include <stdlib.h>
#include <string.h>

#include "base/buf.h"
#include "mcp/registry_entry.h"

#define ENTRIES_MAX 1000	/* of one kind */
#define FAULT_MAX 512
#define SCOPES_MAX 64		/* that one row declares */
#define LIST_MAX (16 * 1024 * 1024)

/* All rows of one kind. */
struct shelf {
	struct registry_entry *entries;
	size_t n, cap;
	/* JSON texts of all, commas between them, after the sealing; the second is NULL where it would be the same. */
	char *list[2];
};

struct registry {
	struct shelf shelves[REGISTRY_KINDS];
	bool sealed;
	const struct scope_rules *implies;
	struct buf fault;	/* why a schema was refused */
};

enum mcp_err
registry_new(struct registry **out)
{
	*out = calloc(1, sizeof(**out));
	if (!*out)
		return MCP_ENOMEM;
	buf_init(&(*out)->fault, FAULT_MAX);
	return MCP_OK;
}

void
registry_free(struct registry *r)
{
	for (size_t kind = 0; r && kind < REGISTRY_KINDS; kind++) {
		struct shelf *s = &r->shelves[kind];

		for (size_t i = 0; i < s->n; i++)
			entry_clear(&s->entries[i]);
		free(s->entries);
		free(s->list[REGISTRY_FULL]);
		free(s->list[REGISTRY_OBJECTS]);
	}
	if (r)
		buf_clear(&r->fault);
	free(r);
}

/* The operator's scopes, or those of the row. */
static enum mcp_err
set_scopes(struct registry_entry *e, const struct strlist *scopes, const char **why)
{
	const char *declared = entry_scopes(e);
	enum mcp_err err;

	if (scopes)
		return strlist_copy(&e->scopes, scopes);
	if (!declared) {
		*why = "nobody has decided which scopes it needs";
		return MCP_EINVAL;
	}
	err = strlist_split(&e->scopes, declared, " ", SCOPES_MAX);
	if (err != MCP_ELIMIT)
		return err;
	*why = "it declares too many scopes";
	return MCP_EINVAL;
}

/* Place for one more. */
static enum mcp_err
grow(struct shelf *s)
{
	size_t cap = s->cap ? 2 * s->cap : 8;
	struct registry_entry *grown;

	if (s->n < s->cap)
		return MCP_OK;
	grown = realloc(s->entries, cap * sizeof *grown);
	if (!grown)
		return MCP_ENOMEM;
	s->entries = grown;
	s->cap = cap;
	return MCP_OK;
}

static enum mcp_err
add(struct registry *r, struct registry_entry e, const struct strlist *scopes, const char **why)
{
	struct shelf *s = &r->shelves[e.kind];
	const char *ignored;
	enum mcp_err err;

	if (!why)
		why = &ignored;
	if (r->sealed || s->n >= ENTRIES_MAX) {
		*why = r->sealed ? "the registry is sealed" : "there are too many";
		return MCP_EINVAL;
	}
	e.implies = r->implies;
	buf_reset(&r->fault);
	err = entry_prepare(&e, why, &r->fault);
	if (err == MCP_EINVAL && r->fault.len > 0) {
		buf_printf(&r->fault, ": %s", *why);
		*why = r->fault.data;
	}
	if (!err && registry_find(r, e.kind, e.name)) {
		*why = "there is one of that name already";
		err = MCP_EINVAL;
	}
	if (!err) {
		*why = "memory is short";
		err = set_scopes(&e, scopes, why);
	}
	if (!err)
		err = grow(s);
	if (err) {
		entry_clear(&e);
		return err;
	}
	s->entries[s->n++] = e;
	*why = NULL;
	return MCP_OK;
}

enum mcp_err
registry_add(struct registry *r, const struct tool *tool, const struct strlist *scopes, const char **why)
{
	return add(r, (struct registry_entry){ .kind = REGISTRY_TOOL, .tool = tool }, scopes, why);
}

enum mcp_err
registry_add_prompt(struct registry *r, const struct prompt *prompt, const struct strlist *scopes, const char **why)
{
	return add(r, (struct registry_entry){ .kind = REGISTRY_PROMPT, .prompt = prompt }, scopes, why);
}

enum mcp_err
registry_add_resource(struct registry *r, const struct resource *resource, const struct strlist *scopes,
    const char **why)
{
	return add(r, (struct registry_entry){ .kind = REGISTRY_RESOURCE, .resource = resource }, scopes, why);
}

enum mcp_err
registry_add_template(struct registry *r, const struct resource_template *template, const struct strlist *scopes,
    const char **why)
{
	return add(r, (struct registry_entry){ .kind = REGISTRY_TEMPLATE, .template = template }, scopes, why);
}

void
registry_imply(struct registry *r, const struct scope_rules *rules)
{
	r->implies = rules;
}

void
registry_restrict(struct registry *r, const char *name, const struct org_rule *rule)
{
	struct shelf *s = &r->shelves[REGISTRY_TOOL];

	for (size_t i = 0; i < s->n && rule->required && !r->sealed; i++)
		if (strcmp(s->entries[i].name, name) == 0)
			s->entries[i].organisation = rule;
}

const struct listing *
registry_listing(const struct registry_entry *e, enum registry_form form)
{
	return form == REGISTRY_OBJECTS && e->objects.text ? &e->objects : &e->full;
}

static enum mcp_err
render(struct shelf *s, enum registry_form form)
{
	struct buf b;

	buf_init(&b, LIST_MAX);
	for (size_t i = 0; i < s->n; i++) {
		struct registry_entry *e = &s->entries[i];
		const struct listing *l = registry_listing(e, form);

		if (i > 0)
			buf_putc(&b, ',');
		*(form == REGISTRY_OBJECTS ? &e->objects.at : &e->full.at) = b.len;
		buf_put(&b, l->text, l->len);
	}
	free(s->list[form]);
	s->list[form] = buf_steal(&b, NULL);
	return s->list[form] ? MCP_OK : MCP_ENOMEM;
}

/* Whether an entry is listed in two ways. */
static bool
has_forms(const struct shelf *s)
{
	for (size_t i = 0; i < s->n; i++)
		if (s->entries[i].objects.text)
			return true;
	return false;
}

enum mcp_err
registry_seal(struct registry *r)
{
	enum mcp_err err = MCP_OK;

	for (size_t kind = 0; kind < REGISTRY_KINDS && !err; kind++) {
		err = render(&r->shelves[kind], REGISTRY_FULL);
		if (!err && has_forms(&r->shelves[kind]))
			err = render(&r->shelves[kind], REGISTRY_OBJECTS);
	}
	r->sealed = !err;
	return err;
}

size_t
registry_count(const struct registry *r, enum registry_kind kind)
{
	return r->shelves[kind].n;
}

const struct registry_entry *
registry_at(const struct registry *r, enum registry_kind kind, size_t i)
{
	return i < r->shelves[kind].n ? &r->shelves[kind].entries[i] : NULL;
}

const struct registry_entry *
registry_find(const struct registry *r, enum registry_kind kind, const char *name)
{
	const struct shelf *s = &r->shelves[kind];

	for (size_t i = 0; i < s->n; i++)
		if (strcmp(s->entries[i].name, name) == 0)
			return &s->entries[i];
	return NULL;
}

bool
registry_completes(const struct registry *r)
{
	const struct shelf *prompts = &r->shelves[REGISTRY_PROMPT], *templates = &r->shelves[REGISTRY_TEMPLATE];

	for (size_t i = 0; i < prompts->n; i++)
		for (const struct prompt_argument *a = prompts->entries[i].prompt->arguments; a && a->name; a++)
			if (a->complete)
				return true;
	for (size_t i = 0; i < templates->n; i++)
		for (const struct template_variable *v = templates->entries[i].template->variables; v && v->name; v++)
			if (v->complete)
				return true;
	return false;
}

const char *
registry_list_text(const struct registry *r, enum registry_kind kind, enum registry_form form, size_t i, size_t n,
    size_t *len)
{
	const struct shelf *s = &r->shelves[kind];
	bool objects = form == REGISTRY_OBJECTS && s->list[form];
	const struct registry_entry *first, *last;
	size_t from;

	*len = 0;
	if (n == 0)
		return s->list[REGISTRY_FULL];
	first = &s->entries[i];
	last = &s->entries[i + n - 1];
	from = objects ? first->objects.at : first->full.at;
	*len = (objects ? last->objects.at : last->full.at) + registry_listing(last, form)->len - from;
	return s->list[objects] + from;
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
