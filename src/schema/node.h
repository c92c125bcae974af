/* SPDX-License-Identifier: MIT */
#ifndef MCP_SCHEMA_NODE_H
#define MCP_SCHEMA_NODE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/buf.h"
#include "base/err.h"
#include "schema/format.h"
#include "schema/pattern.h"

/*
 * The compiled form, shared by the files of this folder and nobody else. All of it lies in one arena; JSON values are
 * borrowed from the documents that the schema holds.
 */
struct json_object;

enum schema_type {
	SCHEMA_NULL = 1,
	SCHEMA_BOOLEAN = 2,
	SCHEMA_INTEGER = 4,
	SCHEMA_FRACTION = 8,	/* numbers that are no integers; no type of its own */
	SCHEMA_NUMBER = SCHEMA_INTEGER | SCHEMA_FRACTION,
	SCHEMA_STRING = 16,
	SCHEMA_ARRAY = 32,
	SCHEMA_OBJECT = 64
};

/* Source: JSON Schema 2020-12 core, section 8.1.2 ("$vocabulary"). */
enum schema_vocabulary {
	SCHEMA_CORE = 1,
	SCHEMA_APPLICATOR = 2,
	SCHEMA_UNEVALUATED = 4,
	SCHEMA_VALIDATION = 8,
	SCHEMA_FORMAT = 16	/* format is an assertion */
};

struct schema_node;

struct schema_anchor {
	const char *name;
	struct schema_node *node;
	bool dynamic;
	struct schema_anchor *next;
};

/* A schema with a URI of its own, i.e. the root of a document or one with "$id". */
struct schema_resource {
	const char *uri;		/* without a fragment; "" for a document that does not say */
	struct schema_node *root;
	const char *dialect;		/* "$schema"; NULL: as the resource around it */
	unsigned vocabularies;		/* 0: not decided yet */
	struct schema_resource *outer;	/* the one around it; NULL: a document */
	struct schema_anchor *anchors;
	struct schema_resource *next;
};

struct schema_list {
	struct schema_node **v;
	size_t n;
};

struct schema_member {
	const char *name;
	struct schema_node *node;
};

struct schema_members {
	struct schema_member *v;	/* in order of their names, byte by byte */
	size_t n;
};

struct schema_pattern {
	struct pattern *pattern;
	struct schema_node *node;
};

/* Keywords that apply schemas; NULL or empty where there are none. */
struct schema_applicators {
	struct schema_node *ref;
	struct schema_node *dynamic_ref;	/* where it leads unless an outer resource has the anchor, too */
	const char *dynamic_anchor;		/* NULL: it always leads there */
	struct schema_list all_of, any_of, one_of, prefix_items;
	struct schema_node *not_schema, *if_schema, *then_schema, *else_schema;
	struct schema_members properties, dependent_schemas, dependencies;
	struct schema_pattern *patterns;
	size_t n_patterns;
	struct schema_node *additional_properties, *property_names, *unevaluated_properties;
	struct schema_node *items, *contains, *unevaluated_items;
};

struct schema_node {
	const struct schema_node *parent;	/* NULL: the root of a document */
	const char *keyword;			/* of the parent; a whole pointer where no keyword led here */
	const char *name;			/* of the member of that keyword's object; NULL: none */
	size_t index;				/* of the element of its array; SIZE_MAX: none */
	struct schema_resource *resource;
	struct json_object *source;
	bool refuses;				/* the schema "false" */
	bool in_place;				/* one of the applicators is for the value itself */
	struct schema_applicators a;
	struct schema_node *content;		/* contentSchema, which is never applied */
	unsigned types;				/* of enum schema_type; 0: any */
	struct json_object *choices;		/* "enum"; NULL: anything */
	size_t choices_size;			/* values in it */
	bool has_constant;
	struct json_object *constant;
	size_t constant_size;
	struct json_object *multiple_of, *minimum, *maximum, *above, *below;	/* NULL: no bound */
	int64_t min_length, max_length;		/* code points; -1: no bound, here and below */
	int64_t min_items, max_items, min_contains, max_contains;
	int64_t min_properties, max_properties;
	bool unique;
	struct pattern *pattern;
	struct json_object *required;		/* array of strings; NULL: none */
	struct json_object *dependent_required;	/* object of such arrays; NULL: none */
	struct json_object *legacy_dependencies;	/* the same in "dependencies", among schemas */
	format_check *format;			/* NULL: nothing to be asserted */
	const char *format_name;
};

/*
 * Append the place of a keyword (NULL: of the schema itself) as the URI of its document, if that has one, "#", and a
 * JSON Pointer. Names are cut at 64 bytes.
 */
void schema_put_location(const struct schema_node *n, const char *keyword, struct buf *out);

/*
 * Append a name from a schema or an instance as a reference token of a JSON Pointer, cut between code points. Control
 * characters are shown as U+FFFD. Source: RFC 6901 section 3.
 */
void schema_put_name(const char *name, struct buf *out);

#endif
