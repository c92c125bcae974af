/* SPDX-License-Identifier: MIT */
/*
 * Answers for compiling schemas: one row of a table a keyword, which either reads the keyword's value into the node or
 * says why the schema is refused. What the nodes mean for a value is in schema_validate.c.
 */
#include "mcp/schema.h"

#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "base/json.h"
#include "mcp/schema_node.h"

#define DIALECT "https://json-schema.org/draft/2020-12/schema"

struct compiler {
	unsigned depth;
	const char *why;
};

static enum mcp_err compile(struct compiler *c, struct json_object *source, struct schema **out);

static enum mcp_err
refuse(struct compiler *c, const char *why)
{
	c->why = why;
	return MCP_EINVAL;
}

static const struct {
	const char *name;
	unsigned bits;
} type_names[] = {
	{ "null", SCHEMA_NULL }, { "boolean", SCHEMA_BOOLEAN }, { "integer", SCHEMA_INTEGER },
	{ "number", SCHEMA_NUMBER }, { "string", SCHEMA_STRING }, { "array", SCHEMA_ARRAY }, { "object", SCHEMA_OBJECT }
};

static enum mcp_err
add_type(struct compiler *c, struct schema *s, const struct json_object *value)
{
	const char *name;
	size_t i;

	if (json_as_string(value, &name, NULL) != MCP_OK)
		return refuse(c, "\"type\" must be a string or an array of strings");
	for (i = 0; i < sizeof(type_names) / sizeof(type_names[0]); i++)
		if (strcmp(name, type_names[i].name) == 0) {
			s->types |= type_names[i].bits;
			return MCP_OK;
		}
	return refuse(c, "\"type\" names a type that JSON Schema does not have");
}

static enum mcp_err
compile_type(struct compiler *c, struct schema *s, struct json_object *value)
{
	enum mcp_err err;
	size_t i;

	if (json_kind(value) != JSON_ARRAY)
		return add_type(c, s, value);
	if (json_count(value) == 0)
		return refuse(c, "\"type\" is an empty array");
	for (i = 0; i < json_count(value); i++) {
		err = add_type(c, s, json_at(value, i));
		if (err)
			return err;
	}
	return MCP_OK;
}

struct property_visit {
	struct compiler *c;
	struct schema *s;
	enum mcp_err err;
};

static bool
compile_property(void *ctx, const char *name, struct json_object *value)
{
	struct property_visit *visit = ctx;
	struct schema_property *p = &visit->s->properties[visit->s->n_properties];

	p->name = name;
	visit->err = compile(visit->c, value, &p->schema);
	if (visit->err)
		return false;
	visit->s->n_properties++;
	return true;
}

static enum mcp_err
compile_properties(struct compiler *c, struct schema *s, struct json_object *value)
{
	struct property_visit visit = { c, s, MCP_OK };

	if (json_kind(value) != JSON_OBJECT)
		return refuse(c, "\"properties\" must be an object");
	s->named = value;
	if (json_count(value) == 0)
		return MCP_OK;
	s->properties = calloc(json_count(value), sizeof(*s->properties));
	if (!s->properties)
		return MCP_ENOMEM;
	json_each(value, compile_property, &visit);
	return visit.err;
}

static enum mcp_err
compile_required(struct compiler *c, struct schema *s, struct json_object *value)
{
	const char *name;
	size_t i;

	if (json_kind(value) != JSON_ARRAY)
		return refuse(c, "\"required\" must be an array of strings");
	for (i = 0; i < json_count(value); i++)
		if (json_as_string(json_at(value, i), &name, NULL) != MCP_OK)
			return refuse(c, "\"required\" must be an array of strings");
	s->required = value;
	return MCP_OK;
}

static enum mcp_err
compile_additional(struct compiler *c, struct schema *s, struct json_object *value)
{
	return compile(c, value, &s->additional);
}

static enum mcp_err
compile_items(struct compiler *c, struct schema *s, struct json_object *value)
{
	return compile(c, value, &s->items);
}

static enum mcp_err
compile_enum(struct compiler *c, struct schema *s, struct json_object *value)
{
	if (json_kind(value) != JSON_ARRAY || json_count(value) == 0)
		return refuse(c, "\"enum\" must be an array of values");
	s->choices = value;
	return MCP_OK;
}

static enum mcp_err
compile_const(struct compiler *c, struct schema *s, struct json_object *value)
{
	(void)c;
	s->has_constant = true;
	s->constant = value;
	return MCP_OK;
}

static enum mcp_err
count_of(struct compiler *c, const struct json_object *value, int64_t *out)
{
	int64_t n;

	if (json_as_int(value, &n) != MCP_OK || n < 0)
		return refuse(c, "a minimum or maximum of a length or a count must be a whole number, not negative");
	*out = n;
	return MCP_OK;
}

static enum mcp_err
compile_min_length(struct compiler *c, struct schema *s, struct json_object *value)
{
	return count_of(c, value, &s->min_length);
}

static enum mcp_err
compile_max_length(struct compiler *c, struct schema *s, struct json_object *value)
{
	return count_of(c, value, &s->max_length);
}

static enum mcp_err
compile_min_items(struct compiler *c, struct schema *s, struct json_object *value)
{
	return count_of(c, value, &s->min_items);
}

static enum mcp_err
compile_max_items(struct compiler *c, struct schema *s, struct json_object *value)
{
	return count_of(c, value, &s->max_items);
}

static enum mcp_err
compile_unique(struct compiler *c, struct schema *s, struct json_object *value)
{
	if (json_as_bool(value, &s->unique) != MCP_OK)
		return refuse(c, "\"uniqueItems\" must be true or false");
	return MCP_OK;
}

static enum mcp_err
number_of(struct compiler *c, struct json_object *value, struct json_object **out)
{
	if (json_kind(value) != JSON_INT && json_kind(value) != JSON_DOUBLE)
		return refuse(c, "a minimum or maximum must be a number");
	*out = value;
	return MCP_OK;
}

static enum mcp_err
compile_minimum(struct compiler *c, struct schema *s, struct json_object *value)
{
	return number_of(c, value, &s->minimum);
}

static enum mcp_err
compile_maximum(struct compiler *c, struct schema *s, struct json_object *value)
{
	return number_of(c, value, &s->maximum);
}

static enum mcp_err
compile_above(struct compiler *c, struct schema *s, struct json_object *value)
{
	return number_of(c, value, &s->above);
}

static enum mcp_err
compile_below(struct compiler *c, struct schema *s, struct json_object *value)
{
	return number_of(c, value, &s->below);
}

static enum mcp_err
compile_dialect(struct compiler *c, struct schema *s, struct json_object *value)
{
	const char *uri;

	(void)s;
	if (json_as_string(value, &uri, NULL) == MCP_OK && (strcmp(uri, DIALECT) == 0 || strcmp(uri, DIALECT "#") == 0))
		return MCP_OK;
	return refuse(c, "\"$schema\" names a dialect other than " DIALECT);
}

#define NOT_SUPPORTED(name) { name, NULL, "the keyword \"" name "\" is not supported" }

static const struct keyword {
	const char *name;
	enum mcp_err (*compile)(struct compiler *c, struct schema *s, struct json_object *value);
	const char *why;	/* without compile: why a schema with it is refused */
} keywords[] = {
	{ "$schema", compile_dialect, NULL },
	{ "additionalProperties", compile_additional, NULL },
	{ "const", compile_const, NULL },
	{ "enum", compile_enum, NULL },
	{ "exclusiveMaximum", compile_below, NULL },
	{ "exclusiveMinimum", compile_above, NULL },
	{ "items", compile_items, NULL },
	{ "maxItems", compile_max_items, NULL },
	{ "maxLength", compile_max_length, NULL },
	{ "maximum", compile_maximum, NULL },
	{ "minItems", compile_min_items, NULL },
	{ "minLength", compile_min_length, NULL },
	{ "minimum", compile_minimum, NULL },
	{ "properties", compile_properties, NULL },
	{ "required", compile_required, NULL },
	{ "type", compile_type, NULL },
	{ "uniqueItems", compile_unique, NULL },
	NOT_SUPPORTED("$dynamicRef"),
	NOT_SUPPORTED("$ref"),
	NOT_SUPPORTED("$vocabulary"),
	NOT_SUPPORTED("allOf"),
	NOT_SUPPORTED("anyOf"),
	NOT_SUPPORTED("contains"),
	NOT_SUPPORTED("dependencies"),
	NOT_SUPPORTED("dependentRequired"),
	NOT_SUPPORTED("dependentSchemas"),
	NOT_SUPPORTED("else"),
	NOT_SUPPORTED("if"),
	NOT_SUPPORTED("maxContains"),
	NOT_SUPPORTED("maxProperties"),
	NOT_SUPPORTED("minContains"),
	NOT_SUPPORTED("minProperties"),
	NOT_SUPPORTED("multipleOf"),
	NOT_SUPPORTED("not"),
	NOT_SUPPORTED("oneOf"),
	NOT_SUPPORTED("pattern"),
	NOT_SUPPORTED("patternProperties"),
	NOT_SUPPORTED("prefixItems"),
	NOT_SUPPORTED("propertyNames"),
	NOT_SUPPORTED("then"),
	NOT_SUPPORTED("unevaluatedItems"),
	NOT_SUPPORTED("unevaluatedProperties")
};

static bool
compile_keyword(void *ctx, const char *name, struct json_object *value)
{
	struct property_visit *visit = ctx;
	size_t i;

	for (i = 0; i < sizeof(keywords) / sizeof(keywords[0]); i++) {
		if (strcmp(keywords[i].name, name) != 0)
			continue;
		visit->err = keywords[i].compile ? keywords[i].compile(visit->c, visit->s, value) :
		    refuse(visit->c, keywords[i].why);
		break;
	}
	return visit->err == MCP_OK;
}

/* The members of "source" into "s". */
static enum mcp_err
compile_node(struct compiler *c, struct schema *s, struct json_object *source)
{
	struct property_visit visit = { c, s, MCP_OK };
	bool passes;

	if (json_as_bool(source, &passes) == MCP_OK) {
		s->refuses = !passes;
		return MCP_OK;
	}
	if (json_kind(source) != JSON_OBJECT)
		return refuse(c, "a schema must be an object, true or false");
	if (c->depth >= SCHEMA_DEPTH_MAX)
		return refuse(c, "the schema is nested too deep");
	c->depth++;
	json_each(source, compile_keyword, &visit);
	c->depth--;
	return visit.err;
}

static enum mcp_err
compile(struct compiler *c, struct json_object *source, struct schema **out)
{
	struct schema *s = calloc(1, sizeof(*s));
	enum mcp_err err;

	*out = NULL;
	if (!s)
		return MCP_ENOMEM;
	s->min_length = s->max_length = s->min_items = s->max_items = -1;
	err = compile_node(c, s, source);
	if (err) {
		schema_free(s);
		return err;
	}
	*out = s;
	return MCP_OK;
}

enum mcp_err
schema_compile(struct json_object *source, struct schema **out, const char **why)
{
	struct compiler c = { 0, "memory is short" };
	enum mcp_err err = compile(&c, source, out);

	*why = err ? c.why : NULL;
	if (!err)
		(*out)->source = json_ref(source);
	return err;
}

void
schema_free(struct schema *s)
{
	size_t i;

	if (!s)
		return;
	for (i = 0; i < s->n_properties; i++)
		schema_free(s->properties[i].schema);
	free(s->properties);
	schema_free(s->additional);
	schema_free(s->items);
	json_free(s->source);
	free(s);
}
