/* SPDX-License-Identifier: MIT */
/*
 * Answers for applying schemas to a value and to what is in it. Recursion is bounded by SCHEMA_RECURSION_MAX; threads
 * have small stacks, so what one level needs is kept small. Source: JSON Schema 2020-12 core, sections 10 and 11.
 */
#include "schema/validate.h"

#include <stdlib.h>
#include <string.h>

#include "schema/run.h"
#include "schema/schema.h"

/* Which members or items of a value schemas have been applied to, for unevaluatedProperties and unevaluatedItems. */
struct marks {
	unsigned char *bits;	/* owned; NULL: none so far */
	size_t bytes;
	bool all;
};

/* A value under a node; what the functions here share. */
struct subject {
	const struct schema_node *n;
	const struct json_object *value;
	const struct place *at;
	struct marks *marks;	/* NULL: nobody asks for them */
};

static bool apply(struct run *r, const struct schema_node *n, const struct json_object *value, const struct place *at,
    struct marks *marks);

static bool
is_marked(const struct marks *m, size_t i)
{
	return m->all || (m->bits && (m->bits[i / 8] >> i % 8 & 1));
}

static void
mark(struct run *r, const struct subject *s, size_t i)
{
	struct marks *m = s->marks;

	if (!m || m->all)
		return;
	if (!m->bits) {
		m->bytes = json_count(s->value) / 8 + 1;
		m->bits = calloc(1, m->bytes);
		if (!m->bits) {
			run_stop(r, MCP_ENOMEM, NULL);
			return;
		}
	}
	m->bits[i / 8] |= (unsigned char)(1u << i % 8);
}

/* "from" is cleared. */
static void
merge_marks(struct marks *into, struct marks *from)
{
	into->all = into->all || from->all;
	if (!into->bits) {
		into->bits = from->bits;
		into->bytes = from->bytes;
		from->bits = NULL;
	}
	for (size_t i = 0; from->bits && i < into->bytes; i++)
		into->bits[i] |= from->bits[i];
	free(from->bits);
	memset(from, 0, sizeof(*from));
}

/* Apply a schema to the subject's value; what it marks counts only if it fits. */
static bool
try_schema(struct run *r, const struct schema_node *n, const struct subject *s)
{
	struct marks own = { 0 };
	bool good = apply(r, n, s->value, s->at, s->marks ? &own : NULL);

	if (good && s->marks && run_spend(r, own.bytes / 64))
		merge_marks(s->marks, &own);
	free(own.bits);
	return good;
}

/* The same without a report. */
static bool
try_quietly(struct run *r, const struct schema_node *n, const struct subject *s)
{
	bool good;

	r->quiet++;
	good = try_schema(r, n, s);
	r->quiet--;
	return good;
}

/* The outermost resource of the dynamic scope that has the anchor decides. Source: core, section 8.2.3.2. */
static const struct schema_node *
dynamic_target(struct run *r, const struct schema_node *n)
{
	const struct schema_node *target = n->a.dynamic_ref;

	if (!n->a.dynamic_anchor)
		return target;
	for (const struct scope *s = r->scope; s && run_spend(r, 1); s = s->outer)
		for (const struct schema_anchor *a = s->resource->anchors; a && run_spend(r, 1); a = a->next)
			if (a->dynamic && strcmp(a->name, n->a.dynamic_anchor) == 0)
				target = a->node;
	return target;
}

/* anyOf and oneOf. The report has what is wrong with each, below a line of its own. */
static bool
check_alternatives(struct run *r, const struct subject *s, const struct schema_list *list, bool one)
{
	const char *keyword = one ? "oneOf" : "anyOf";
	struct report_mark before = report_mark(r);
	size_t fits = 0;

	report(r, s->at, s->n, keyword, "fits none of the schemas");
	for (size_t i = 0; i < list->n && !r->err; i++) {
		fits += try_schema(r, list->v[i], s);
		if (one ? fits > 1 : fits > 0 && !s->marks)
			break;
	}
	if (fits == 0)
		return false;
	report_take_back(r, &before);
	return !one || fits == 1 || report(r, s->at, s->n, keyword, "fits more than one of the schemas");
}

static bool
check_condition(struct run *r, const struct subject *s)
{
	const struct schema_applicators *a = &s->n->a;
	const struct schema_node *next = try_quietly(r, a->if_schema, s) ? a->then_schema : a->else_schema;

	return r->err == MCP_OK && (!next || apply(r, next, s->value, s->at, s->marks));
}

static bool
check_dependent_schemas(struct run *r, const struct subject *s, const struct schema_members *m)
{
	struct json_object *ignored;
	bool good = true;

	for (size_t i = 0; i < m->n && !run_enough(r, good) && run_spend(r, 1); i++)
		if (json_get(s->value, m->v[i].name, &ignored) == MCP_OK)
			good = apply(r, m->v[i].node, s->value, s->at, s->marks) && good;
	return good;
}

/* The keywords that apply schemas to the value itself. */
static bool
check_in_place(struct run *r, const struct subject *s)
{
	const struct schema_applicators *a = &s->n->a;
	bool good = true;

	if (a->ref)
		good = apply(r, a->ref, s->value, s->at, s->marks);
	if (a->dynamic_ref && !run_enough(r, good))
		good = apply(r, dynamic_target(r, s->n), s->value, s->at, s->marks) && good;
	for (size_t i = 0; i < a->all_of.n && !run_enough(r, good); i++)
		good = apply(r, a->all_of.v[i], s->value, s->at, s->marks) && good;
	if (a->any_of.n > 0 && !run_enough(r, good))
		good = check_alternatives(r, s, &a->any_of, false) && good;
	if (a->one_of.n > 0 && !run_enough(r, good))
		good = check_alternatives(r, s, &a->one_of, true) && good;
	if (a->if_schema && !run_enough(r, good))
		good = check_condition(r, s) && good;
	if (a->not_schema && !run_enough(r, good)) {
		const struct subject unmarked = { s->n, s->value, s->at, NULL };

		if (try_quietly(r, a->not_schema, &unmarked))
			good = report(r, s->at, s->n, "not", "fits the schema that it must not fit");
	}
	good = check_dependent_schemas(r, s, &a->dependent_schemas) && good;
	return check_dependent_schemas(r, s, &a->dependencies) && good;
}

static bool
check_contains(struct run *r, const struct subject *s)
{
	const struct schema_node *n = s->n;
	int64_t least = n->min_contains < 0 ? 1 : n->min_contains, most = n->max_contains, found = 0;
	struct place here = { s->at, NULL, 0 };

	for (; here.index < json_count(s->value) && !r->err; here.index++) {
		r->quiet++;
		if (apply(r, n->a.contains, json_at(s->value, here.index), &here, NULL)) {
			found++;
			mark(r, s, here.index);
		}
		r->quiet--;
		if (!s->marks && found >= least && most < 0)
			break;
	}
	if (found < least)
		return report(r, s->at, n, least == 1 && n->min_contains < 0 ? "contains" : "minContains",
		    "must have at least %lld item%s of a kind", (long long)least, least == 1 ? "" : "s");
	if (most >= 0 && found > most)
		return report(r, s->at, n, "maxContains", "must have at most %lld item%s of a kind", (long long)most,
		    most == 1 ? "" : "s");
	return true;
}

static bool
check_array(struct run *r, const struct subject *s)
{
	const struct schema_applicators *a = &s->n->a;
	struct place here = { s->at, NULL, 0 };
	size_t count = json_count(s->value);
	bool good = true;

	if (s->n->unique)
		good = assert_unique(r, s->n, s->value, s->at);
	for (; here.index < count && !run_enough(r, good); here.index++) {
		const struct schema_node *n = here.index < a->prefix_items.n ? a->prefix_items.v[here.index] :
		    a->items;

		if (!n)
			break;
		mark(r, s, here.index);
		good = apply(r, n, json_at(s->value, here.index), &here, NULL) && good;
	}
	if (a->contains && !run_enough(r, good))
		good = check_contains(r, s) && good;
	return good;
}

struct members_visit {
	struct run *r;
	const struct subject *s;
	size_t i;
	bool good;
};

static const struct schema_node *
find_member(const struct schema_members *m, const char *name)
{
	size_t low = 0, high = m->n;

	while (low < high) {
		size_t middle = low + (high - low) / 2;
		int order = strcmp(name, m->v[middle].name);

		if (order == 0)
			return m->v[middle].node;
		if (order < 0)
			high = middle;
		else
			low = middle + 1;
	}
	return NULL;
}

static bool
check_property_name(struct run *r, const struct schema_node *n, const char *name, const struct place *here)
{
	struct json_object *text = json_new_string(name, strlen(name));
	bool good;

	if (!text)
		return run_stop(r, MCP_ENOMEM, NULL);
	good = apply(r, n, text, here, NULL);
	json_free(text);
	return good;
}

/* patternProperties; *known is set if a pattern matches the name. */
static bool
check_patterns(struct run *r, const struct schema_node *n, const char *name, struct json_object *value,
    const struct place *here, bool *known)
{
	bool good = true, matches;

	for (size_t i = 0; i < n->a.n_patterns && !run_enough(r, good) && run_spend(r, 1); i++) {
		enum mcp_err err = pattern_match(n->a.patterns[i].pattern, name, strlen(name), &r->patterns, &matches);

		if (err)
			return run_stop(r, err, "a pattern takes too long");
		if (!matches)
			continue;
		*known = true;
		good = apply(r, n->a.patterns[i].node, value, here, NULL) && good;
	}
	return good;
}

static bool
check_member(void *ctx, const char *name, struct json_object *value)
{
	struct members_visit *visit = ctx;
	const struct schema_applicators *a = &visit->s->n->a;
	const struct schema_node *n = find_member(&a->properties, name);
	struct place here = { visit->s->at, name, 0 };
	struct run *r = visit->r;
	bool known = n != NULL;

	if (!run_spend(r, 1))
		return false;
	if (n)
		visit->good = apply(r, n, value, &here, NULL) && visit->good;
	visit->good = check_patterns(r, visit->s->n, name, value, &here, &known) && visit->good;
	if (!known && a->additional_properties) {
		visit->good = apply(r, a->additional_properties, value, &here, NULL) && visit->good;
		known = true;
	}
	if (known)
		mark(r, visit->s, visit->i);
	if (a->property_names)
		visit->good = check_property_name(r, a->property_names, name, &here) && visit->good;
	visit->i++;
	return !run_enough(r, visit->good);
}

static bool
check_required(struct run *r, const struct subject *s, const struct json_object *names, const char *keyword)
{
	struct place here = { s->at, NULL, 0 };
	struct json_object *ignored;
	bool good = true;

	for (size_t i = 0; i < json_count(names) && !run_enough(r, good) && run_spend(r, 1); i++)
		if (json_as_string(json_at(names, i), &here.name, NULL) == MCP_OK &&
		    json_get(s->value, here.name, &ignored) != MCP_OK)
			good = report(r, &here, s->n, keyword, "is required");
	return good;
}

struct dependent_visit {
	struct run *r;
	const struct subject *s;
	const char *keyword;
	bool good;
};

static bool
check_dependency(void *ctx, const char *name, struct json_object *names)
{
	struct dependent_visit *visit = ctx;
	struct json_object *ignored;

	if (json_get(visit->s->value, name, &ignored) == MCP_OK)
		visit->good = check_required(visit->r, visit->s, names, visit->keyword) && visit->good;
	return !run_enough(visit->r, visit->good) && run_spend(visit->r, 1);
}

static bool
check_object(struct run *r, const struct subject *s)
{
	const struct schema_applicators *a = &s->n->a;
	struct dependent_visit dependent = { r, s, "dependentRequired", true };
	struct members_visit members = { r, s, 0, true };
	bool good = check_required(r, s, s->n->required, "required");

	json_each(s->n->dependent_required, check_dependency, &dependent);
	dependent.keyword = "dependencies";
	json_each(s->n->legacy_dependencies, check_dependency, &dependent);
	if ((a->properties.n > 0 || a->n_patterns > 0 || a->additional_properties || a->property_names) &&
	    !run_enough(r, good && dependent.good))
		json_each(s->value, check_member, &members);
	return good && dependent.good && members.good;
}

static bool
check_unevaluated_member(void *ctx, const char *name, struct json_object *value)
{
	struct members_visit *visit = ctx;
	const struct subject *s = visit->s;
	struct place here = { s->at, name, 0 };

	if (!is_marked(s->marks, visit->i++))
		visit->good = apply(visit->r, s->n->a.unevaluated_properties, value, &here, NULL) && visit->good;
	return !run_enough(visit->r, visit->good);
}

/* unevaluatedItems and unevaluatedProperties, once all others have marked. Source: core, section 11. */
static bool
check_unevaluated(struct run *r, const struct subject *s)
{
	const struct schema_applicators *a = &s->n->a;
	struct members_visit visit = { r, s, 0, true };
	struct place here = { s->at, NULL, 0 };

	if (json_kind(s->value) == JSON_OBJECT && a->unevaluated_properties) {
		json_each(s->value, check_unevaluated_member, &visit);
		s->marks->all = true;
	}
	if (json_kind(s->value) == JSON_ARRAY && a->unevaluated_items) {
		for (; here.index < json_count(s->value) && !run_enough(r, visit.good); here.index++)
			if (!is_marked(s->marks, here.index))
				visit.good = apply(r, a->unevaluated_items, json_at(s->value, here.index), &here,
				    NULL) && visit.good;
		s->marks->all = true;
	}
	return visit.good;
}

static bool
check_all(struct run *r, const struct subject *s)
{
	enum json_kind kind = json_kind(s->value);
	bool type_fits, good = assert_value(r, s->n, s->value, s->at, &type_fits);

	if (!type_fits || run_enough(r, good))
		return false;
	if (s->n->in_place)
		good = check_in_place(r, s) && good;
	if (run_enough(r, good))
		return false;
	if (kind == JSON_OBJECT)
		good = check_object(r, s) && good;
	else if (kind == JSON_ARRAY)
		good = check_array(r, s) && good;
	return good;
}

static bool
apply(struct run *r, const struct schema_node *n, const struct json_object *value, const struct place *at,
    struct marks *marks)
{
	const struct scope inner = { n->resource, r->scope }, *outer = r->scope;
	bool looks = n->a.unevaluated_items || n->a.unevaluated_properties, good;
	struct marks own = { 0 };
	const struct subject s = { n, value, at, looks ? &own : marks };

	if (!run_spend(r, 1))
		return false;
	if (n->refuses)
		return report(r, at, n, NULL, "is not allowed");
	if (r->depth >= SCHEMA_RECURSION_MAX)
		return run_stop(r, MCP_ELIMIT, "schemas are applied inside each other too deep");
	r->depth++;
	if (!outer || outer->resource != n->resource)
		r->scope = &inner;
	good = check_all(r, &s);
	if (looks) {
		/* Not after a fault: what was not looked at for it would be called unevaluated. */
		good = good && check_unevaluated(r, &s);
		if (good && marks)
			merge_marks(marks, &own);
		free(own.bits);
	}
	r->scope = outer;
	r->depth--;
	return good && r->err == MCP_OK;
}

bool
validate(const struct schema_node *root, const struct json_object *value, struct buf *faults)
{
	const struct place top = { NULL, NULL, 0 };
	struct run r = { .faults = faults, .steps = SCHEMA_STEPS_MAX, .patterns = { .cpu_ms = SCHEMA_PATTERN_MS } };
	struct report_mark before = report_mark(&r);
	bool good = apply(&r, root, value, &top, NULL);

	pattern_run_clear(&r.patterns);
	if (r.err == MCP_OK)
		return good;
	report_take_back(&r, &before);
	if (r.err == MCP_ENOMEM)
		faults->status = MCP_ENOMEM;
	else
		buf_printf(faults, "%s(root): cannot be validated: %s", faults->len > 0 ? "\n" : "", r.why);
	return false;
}
