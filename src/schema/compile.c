/* SPDX-License-Identifier: MIT */
/* Answers for what each keyword may say: one row of a table a keyword. */
#include "schema/compile.h"

#include <stdlib.h>
#include <string.h>

#include "base/json.h"
#include "schema/schema.h"

struct keyword;
typedef enum mcp_err read_keyword(struct schema_document *d, struct schema_node *n, const struct keyword *k,
    struct json_object *value);

/*
 * Readers of what applies schemas are for compile_scan(), which must see all of a document before a reference or a
 * dialect can be looked up; the others are for compile_assertions().
 */
struct keyword {
	const char *name;
	enum schema_vocabulary vocabulary;
	read_keyword *scan, *assertion;
	size_t offset;		/* of the member of struct schema_node that the generic readers fill */
	bool in_place;
};

static enum mcp_err
refuse(struct schema_document *d, const struct schema_node *n, const struct keyword *k, const char *why)
{
	return document_fail(d, MCP_EINVAL, n, k->name, why);
}

static enum mcp_err
no_memory(struct schema_document *d, const struct schema_node *n)
{
	return document_fail(d, MCP_ENOMEM, n, NULL, "memory is short");
}

static void *
member(struct schema_node *n, const struct keyword *k)
{
	return (char *)n + k->offset;
}

static enum mcp_err
scan_child(struct schema_document *d, struct schema_node *n, const struct keyword *k, const char *name, size_t index,
    struct json_object *source, struct schema_node **out)
{
	const struct schema_node at = { .parent = n, .keyword = k->name, .name = name, .index = index,
		.resource = n->resource };

	return compile_scan(d, &at, source, out);
}

static enum mcp_err
scan_schema(struct schema_document *d, struct schema_node *n, const struct keyword *k, struct json_object *value)
{
	return scan_child(d, n, k, NULL, SIZE_MAX, value, member(n, k));
}

static enum mcp_err
scan_list(struct schema_document *d, struct schema_node *n, const struct keyword *k, struct json_object *value)
{
	struct schema_list *list = member(n, k);
	enum mcp_err err = MCP_OK;

	if (json_kind(value) != JSON_ARRAY || json_count(value) == 0)
		return refuse(d, n, k, "must be an array of schemas, not empty");
	list->v = document_alloc(d, json_count(value) * sizeof(struct schema_node *));
	if (!list->v)
		return no_memory(d, n);
	for (; !err && list->n < json_count(value); list->n++)
		err = scan_child(d, n, k, NULL, list->n, json_at(value, list->n), &list->v[list->n]);
	return err;
}

/* The members of an object of schemas; other values than schemas are left out where "mixed" (dependencies). */
struct members_visit {
	struct schema_document *d;
	struct schema_node *n;
	const struct keyword *k;
	struct schema_members *members;
	bool mixed;
	enum mcp_err err;
};

static bool
scan_member(void *ctx, const char *name, struct json_object *value)
{
	struct members_visit *visit = ctx;
	struct schema_member *m = &visit->members->v[visit->members->n];

	if (visit->mixed && json_kind(value) == JSON_ARRAY)
		return true;
	m->name = name;
	visit->err = scan_child(visit->d, visit->n, visit->k, name, SIZE_MAX, value, &m->node);
	if (visit->err)
		return false;
	visit->members->n++;
	return true;
}

static int
by_name(const void *a, const void *b)
{
	return strcmp(((const struct schema_member *)a)->name, ((const struct schema_member *)b)->name);
}

static enum mcp_err
scan_members_into(struct schema_document *d, struct schema_node *n, const struct keyword *k, struct json_object *value,
    struct schema_members *members, bool mixed)
{
	struct members_visit visit = { d, n, k, members, mixed, MCP_OK };

	if (json_kind(value) != JSON_OBJECT)
		return refuse(d, n, k, "must be an object");
	members->v = document_alloc(d, (json_count(value) + 1) * sizeof(*members->v));
	if (!members->v)
		return no_memory(d, n);
	json_each(value, scan_member, &visit);
	if (!visit.err)
		qsort(members->v, members->n, sizeof(*members->v), by_name);
	return visit.err;
}

static enum mcp_err
scan_members(struct schema_document *d, struct schema_node *n, const struct keyword *k, struct json_object *value)
{
	return scan_members_into(d, n, k, value, member(n, k), false);
}

/* Schemas that only references lead to. */
static enum mcp_err
scan_definitions(struct schema_document *d, struct schema_node *n, const struct keyword *k, struct json_object *value)
{
	struct schema_members ignored = { 0 };

	return scan_members_into(d, n, k, value, &ignored, false);
}

static enum mcp_err
scan_dependencies(struct schema_document *d, struct schema_node *n, const struct keyword *k, struct json_object *value)
{
	return scan_members_into(d, n, k, value, member(n, k), true);
}

static enum mcp_err
compile_pattern(struct schema_document *d, const struct schema_node *n, const struct keyword *k, const char *text,
    size_t len, struct pattern **out)
{
	enum mcp_err err = pattern_compile(text, len, SCHEMA_PATTERN_MAX, out, &d->why);

	if (err)
		return document_fail(d, err, n, k->name, d->why);
	return document_own(d, *out, NULL) ? no_memory(d, n) : MCP_OK;
}

struct patterns_visit {
	struct schema_document *d;
	struct schema_node *n;
	const struct keyword *k;
	enum mcp_err err;
};

static bool
scan_pattern_member(void *ctx, const char *name, struct json_object *value)
{
	struct patterns_visit *visit = ctx;
	struct schema_pattern *p = &visit->n->a.patterns[visit->n->a.n_patterns];

	visit->err = compile_pattern(visit->d, visit->n, visit->k, name, strlen(name), &p->pattern);
	if (!visit->err)
		visit->err = scan_child(visit->d, visit->n, visit->k, name, SIZE_MAX, value, &p->node);
	if (visit->err)
		return false;
	visit->n->a.n_patterns++;
	return true;
}

static enum mcp_err
scan_patterns(struct schema_document *d, struct schema_node *n, const struct keyword *k, struct json_object *value)
{
	struct patterns_visit visit = { d, n, k, MCP_OK };

	if (json_kind(value) != JSON_OBJECT)
		return refuse(d, n, k, "must be an object");
	n->a.patterns = document_alloc(d, (json_count(value) + 1) * sizeof(*n->a.patterns));
	if (!n->a.patterns)
		return no_memory(d, n);
	json_each(value, scan_pattern_member, &visit);
	return visit.err;
}

/* "$anchor" and "$dynamicAnchor". Source: JSON Schema 2020-12 core, section 8.2.2. */
static enum mcp_err
scan_anchor(struct schema_document *d, struct schema_node *n, const struct keyword *k, struct json_object *value)
{
	static const char letters[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz_0123456789-.";
	struct schema_anchor *a;
	const char *name;

	if (json_as_string(value, &name, NULL) != MCP_OK || !*name || strspn(name, letters) != strlen(name) ||
	    strchr("0123456789-.", *name))
		return refuse(d, n, k, "must be a name of letters, digits, - _ and .");
	for (a = n->resource->anchors; a; a = a->next)
		if (strcmp(a->name, name) == 0 && a->node != n)
			return refuse(d, n, k, "is there twice");
	a = document_alloc(d, sizeof(*a));
	if (!a)
		return no_memory(d, n);
	*a = (struct schema_anchor){ name, n, strcmp(k->name, "$dynamicAnchor") == 0, n->resource->anchors };
	n->resource->anchors = a;
	return MCP_OK;
}

static const struct {
	const char *name;
	unsigned bits;
} type_names[] = {
	{ "null", SCHEMA_NULL }, { "boolean", SCHEMA_BOOLEAN }, { "integer", SCHEMA_INTEGER },
	{ "number", SCHEMA_NUMBER }, { "string", SCHEMA_STRING }, { "array", SCHEMA_ARRAY }, { "object", SCHEMA_OBJECT }
};

static enum mcp_err
add_type(struct schema_document *d, struct schema_node *n, const struct keyword *k, const struct json_object *value)
{
	const char *name;

	if (json_as_string(value, &name, NULL) != MCP_OK)
		return refuse(d, n, k, "must be a string or an array of strings");
	for (size_t i = 0; i < sizeof(type_names) / sizeof(type_names[0]); i++)
		if (strcmp(name, type_names[i].name) == 0) {
			n->types |= type_names[i].bits;
			return MCP_OK;
		}
	return refuse(d, n, k, "names a type that JSON Schema does not have");
}

static enum mcp_err
read_type(struct schema_document *d, struct schema_node *n, const struct keyword *k, struct json_object *value)
{
	enum mcp_err err = MCP_OK;

	if (json_kind(value) != JSON_ARRAY)
		return add_type(d, n, k, value);
	if (json_count(value) == 0)
		return refuse(d, n, k, "is an empty array");
	for (size_t i = 0; !err && i < json_count(value); i++)
		err = add_type(d, n, k, json_at(value, i));
	return err;
}

static enum mcp_err
read_enum(struct schema_document *d, struct schema_node *n, const struct keyword *k, struct json_object *value)
{
	if (json_kind(value) != JSON_ARRAY)
		return refuse(d, n, k, "must be an array of values");
	n->choices = value;
	json_hash(value, &n->choices_size);
	return MCP_OK;
}

static enum mcp_err
read_const(struct schema_document *d, struct schema_node *n, const struct keyword *k, struct json_object *value)
{
	(void)d;
	(void)k;
	n->has_constant = true;
	n->constant = value;
	json_hash(value, &n->constant_size);
	return MCP_OK;
}

static enum mcp_err
read_count(struct schema_document *d, struct schema_node *n, const struct keyword *k, struct json_object *value)
{
	int64_t *out = member(n, k);
	double number = -1;

	if (json_as_number(value, &number) != MCP_OK || !json_is_whole(value) || number < 0)
		return refuse(d, n, k, "must be a whole number, not negative");
	if (json_as_int(value, out) != MCP_OK)
		*out = number < 0x1p62 ? (int64_t)number : INT64_MAX;
	return MCP_OK;
}

static enum mcp_err
read_number(struct schema_document *d, struct schema_node *n, const struct keyword *k, struct json_object *value)
{
	if (json_kind(value) != JSON_INT && json_kind(value) != JSON_DOUBLE)
		return refuse(d, n, k, "must be a number");
	*(struct json_object **)member(n, k) = value;
	return MCP_OK;
}

static enum mcp_err
read_divisor(struct schema_document *d, struct schema_node *n, const struct keyword *k, struct json_object *value)
{
	if (!json_is_divisor(value))
		return refuse(d, n, k, "must be a number above 0 of at most 18 digits");
	return read_number(d, n, k, value);
}

static enum mcp_err
read_unique(struct schema_document *d, struct schema_node *n, const struct keyword *k, struct json_object *value)
{
	return json_as_bool(value, &n->unique) ? refuse(d, n, k, "must be true or false") : MCP_OK;
}

static enum mcp_err
read_pattern(struct schema_document *d, struct schema_node *n, const struct keyword *k, struct json_object *value)
{
	const char *text;
	size_t len;

	if (json_as_string(value, &text, &len) != MCP_OK)
		return refuse(d, n, k, "must be a string");
	return compile_pattern(d, n, k, text, len, &n->pattern);
}

static bool
is_strings(const struct json_object *value)
{
	const char *name;

	for (size_t i = 0; i < json_count(value); i++)
		if (json_as_string(json_at(value, i), &name, NULL) != MCP_OK)
			return false;
	return json_kind(value) == JSON_ARRAY;
}

static enum mcp_err
read_strings(struct schema_document *d, struct schema_node *n, const struct keyword *k, struct json_object *value)
{
	if (!is_strings(value))
		return refuse(d, n, k, "must be an array of strings");
	*(struct json_object **)member(n, k) = value;
	return MCP_OK;
}

static bool
is_dependency(void *ctx, const char *name, struct json_object *value)
{
	const bool *mixed = ctx;

	(void)name;
	return is_strings(value) || (*mixed && json_kind(value) != JSON_ARRAY);
}

/* "dependentRequired", and what is such in "dependencies". */
static enum mcp_err
read_dependent(struct schema_document *d, struct schema_node *n, const struct keyword *k, struct json_object *value)
{
	bool mixed = k->scan != NULL;

	if (json_kind(value) != JSON_OBJECT || !json_each(value, is_dependency, &mixed))
		return refuse(d, n, k, "must be an object of arrays of strings");
	*(mixed ? &n->legacy_dependencies : &n->dependent_required) = value;
	return MCP_OK;
}

/* A format that nobody defined is an annotation. Source: JSON Schema 2020-12 validation, section 7.2.2. */
static enum mcp_err
read_format(struct schema_document *d, struct schema_node *n, const struct keyword *k, struct json_object *value)
{
	if (json_as_string(value, &n->format_name, NULL) != MCP_OK)
		return refuse(d, n, k, "must be a string");
	if (n->resource->vocabularies & SCHEMA_FORMAT)
		n->format = format_find(n->format_name);
	return MCP_OK;
}

static enum mcp_err
read_text(struct schema_document *d, struct schema_node *n, const struct keyword *k, struct json_object *value)
{
	return json_kind(value) == JSON_STRING ? MCP_OK : refuse(d, n, k, "must be a string");
}

#define APPLIED(name, vocabulary, scan, field, in_place) \
	{ name, vocabulary, scan, NULL, offsetof(struct schema_node, a.field), in_place }
#define ASSERTED(name, assertion, field) \
	{ name, SCHEMA_VALIDATION, NULL, assertion, offsetof(struct schema_node, field), false }

static const struct keyword keywords[] = {
	{ "$anchor", SCHEMA_CORE, scan_anchor, NULL, 0, false },
	{ "$comment", SCHEMA_CORE, NULL, read_text, 0, false },
	{ "$defs", SCHEMA_CORE, scan_definitions, NULL, 0, false },
	{ "$dynamicAnchor", SCHEMA_CORE, scan_anchor, NULL, 0, false },
	APPLIED("additionalProperties", SCHEMA_APPLICATOR, scan_schema, additional_properties, false),
	APPLIED("allOf", SCHEMA_APPLICATOR, scan_list, all_of, true),
	APPLIED("anyOf", SCHEMA_APPLICATOR, scan_list, any_of, true),
	ASSERTED("const", read_const, constant),
	APPLIED("contains", SCHEMA_APPLICATOR, scan_schema, contains, false),
	{ "contentSchema", SCHEMA_CORE, scan_schema, NULL, offsetof(struct schema_node, content), false },
	{ "definitions", SCHEMA_CORE, scan_definitions, NULL, 0, false },
	{ "dependencies", SCHEMA_APPLICATOR, scan_dependencies, read_dependent,
	    offsetof(struct schema_node, a.dependencies), true },
	ASSERTED("dependentRequired", read_dependent, dependent_required),
	APPLIED("dependentSchemas", SCHEMA_APPLICATOR, scan_members, dependent_schemas, true),
	APPLIED("else", SCHEMA_APPLICATOR, scan_schema, else_schema, true),
	ASSERTED("enum", read_enum, choices),
	ASSERTED("exclusiveMaximum", read_number, below),
	ASSERTED("exclusiveMinimum", read_number, above),
	{ "format", SCHEMA_CORE, NULL, read_format, 0, false },
	APPLIED("if", SCHEMA_APPLICATOR, scan_schema, if_schema, true),
	APPLIED("items", SCHEMA_APPLICATOR, scan_schema, items, false),
	ASSERTED("maxContains", read_count, max_contains),
	ASSERTED("maxItems", read_count, max_items),
	ASSERTED("maxLength", read_count, max_length),
	ASSERTED("maxProperties", read_count, max_properties),
	ASSERTED("maximum", read_number, maximum),
	ASSERTED("minContains", read_count, min_contains),
	ASSERTED("minItems", read_count, min_items),
	ASSERTED("minLength", read_count, min_length),
	ASSERTED("minProperties", read_count, min_properties),
	ASSERTED("minimum", read_number, minimum),
	ASSERTED("multipleOf", read_divisor, multiple_of),
	APPLIED("not", SCHEMA_APPLICATOR, scan_schema, not_schema, true),
	APPLIED("oneOf", SCHEMA_APPLICATOR, scan_list, one_of, true),
	ASSERTED("pattern", read_pattern, pattern),
	APPLIED("patternProperties", SCHEMA_APPLICATOR, scan_patterns, patterns, false),
	APPLIED("prefixItems", SCHEMA_APPLICATOR, scan_list, prefix_items, false),
	APPLIED("properties", SCHEMA_APPLICATOR, scan_members, properties, false),
	APPLIED("propertyNames", SCHEMA_APPLICATOR, scan_schema, property_names, false),
	ASSERTED("required", read_strings, required),
	APPLIED("then", SCHEMA_APPLICATOR, scan_schema, then_schema, true),
	ASSERTED("type", read_type, types),
	APPLIED("unevaluatedItems", SCHEMA_UNEVALUATED, scan_schema, unevaluated_items, false),
	APPLIED("unevaluatedProperties", SCHEMA_UNEVALUATED, scan_schema, unevaluated_properties, false),
	ASSERTED("uniqueItems", read_unique, unique)
};

static int
by_keyword(const void *name, const void *row)
{
	return strcmp(name, ((const struct keyword *)row)->name);
}

static const struct keyword *
find_keyword(const char *name)
{
	return bsearch(name, keywords, sizeof(keywords) / sizeof(keywords[0]), sizeof(keywords[0]), by_keyword);
}

struct node_visit {
	struct schema_document *d;
	struct schema_node *n;
	enum mcp_err err;
};

static bool
scan_keyword(void *ctx, const char *name, struct json_object *value)
{
	struct node_visit *visit = ctx;
	const struct keyword *k = find_keyword(name);

	if (k && k->scan)
		visit->err = k->scan(visit->d, visit->n, k, value);
	if (k && k->in_place)
		visit->n->in_place = true;
	return !visit->err;
}

static bool
read_assertion(void *ctx, const char *name, struct json_object *value)
{
	struct node_visit *visit = ctx;
	const struct keyword *k = find_keyword(name);

	if (k && k->assertion && (k->vocabulary & visit->n->resource->vocabularies))
		visit->err = k->assertion(visit->d, visit->n, k, value);
	return !visit->err;
}

/* "$id" and "$schema", which say what the others mean. Source: JSON Schema 2020-12 core, sections 8.1.1 and 8.2.1. */
static enum mcp_err
scan_identity(struct schema_document *d, struct schema_node *n)
{
	struct schema_resource *outer = n->resource;
	struct json_object *value;
	enum mcp_err err = MCP_OK;
	const char *id;

	if (json_get(n->source, "$id", &value) == MCP_OK) {
		if (json_as_string(value, &id, NULL) != MCP_OK || id[strcspn(id, "#")] == '#')
			if (json_kind(value) != JSON_STRING || id[strcspn(id, "#") + 1] != '\0')
				return document_fail(d, MCP_EINVAL, n, "$id", "must be a URI without a fragment");
		err = document_add_resource(d, outer, id, &n->resource);
		if (err == MCP_EINVAL && n->parent == NULL)
			err = MCP_OK;	/* it was made with this URI */
		if (err)
			return err == MCP_ENOMEM ? no_memory(d, n) : document_fail(d, err, n, "$id", err == MCP_EINVAL ?
			    "is another schema's as well" : "is too long");
	}
	if (!n->resource->root)
		n->resource->root = n;
	if (n->resource->root != n || json_get(n->source, "$schema", &value) != MCP_OK)
		return MCP_OK;
	return json_as_string(value, &n->resource->dialect, NULL) ?
	    document_fail(d, MCP_EINVAL, n, "$schema", "must be a string") : MCP_OK;
}

enum mcp_err
compile_scan(struct schema_document *d, const struct schema_node *at, struct json_object *source,
    struct schema_node **out)
{
	struct schema_node *n = *out = document_alloc(d, sizeof(*n));
	struct node_visit visit = { d, n, MCP_OK };
	enum mcp_err err;
	bool takes = true;

	if (!n)
		return no_memory(d, at->parent);
	*n = *at;
	n->source = source;
	n->min_length = n->max_length = n->min_items = n->max_items = n->min_contains = n->max_contains = -1;
	n->min_properties = n->max_properties = -1;
	if (json_kind(source) != JSON_OBJECT && json_as_bool(source, &takes) != MCP_OK)
		return document_fail(d, MCP_EINVAL, n, NULL, "a schema must be an object, true or false");
	n->refuses = !takes;
	if (d->depth >= SCHEMA_DEPTH_MAX)
		return document_fail(d, MCP_ELIMIT, n, NULL, "the schema is nested too deep");
	err = document_add(d, n);
	if (err)
		return err == MCP_ENOMEM ? no_memory(d, n)
		    : document_fail(d, err, n, NULL, "there are too many schemas");
	err = scan_identity(d, n);
	if (err)
		return err;
	d->depth++;
	json_each(source, scan_keyword, &visit);
	d->depth--;
	return visit.err;
}

enum mcp_err
compile_assertions(struct schema_document *d, struct schema_node *n)
{
	struct node_visit visit = { d, n, MCP_OK };

	json_each(n->source, read_assertion, &visit);
	if (!(n->resource->vocabularies & SCHEMA_UNEVALUATED))
		n->a.unevaluated_items = n->a.unevaluated_properties = NULL;
	if (!(n->resource->vocabularies & SCHEMA_APPLICATOR))
		n->a = (struct schema_applicators){ .unevaluated_items = n->a.unevaluated_items,
			.unevaluated_properties = n->a.unevaluated_properties };
	return visit.err;
}
