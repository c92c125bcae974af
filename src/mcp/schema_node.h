/* SPDX-License-Identifier: MIT */
#ifndef MCP_MCP_SCHEMA_NODE_H
#define MCP_MCP_SCHEMA_NODE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/*
 * The compiled form of a schema, shared by schema.c and schema_validate.c and nobody else. JSON values here are
 * borrowed from the source that the root holds.
 */
struct json_object;
struct schema;

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

struct schema_property {
	const char *name;
	struct schema *schema;
};

struct schema {
	bool refuses;				/* the schema "false" */
	unsigned types;				/* of enum schema_type; 0: any */
	struct schema_property *properties;	/* owned */
	size_t n_properties;
	struct json_object *named;		/* the object "properties", to look names up; NULL: none */
	struct json_object *required;		/* array of strings; NULL: none */
	struct schema *additional;		/* for members without a name in "properties"; NULL: anything */
	struct json_object *choices;		/* "enum"; NULL: anything */
	bool has_constant;
	struct json_object *constant;
	int64_t min_length, max_length;		/* code points; -1: no bound */
	struct json_object *minimum, *maximum;	/* numbers; NULL: no bound */
	struct json_object *above, *below;	/* exclusiveMinimum, exclusiveMaximum */
	struct schema *items;
	int64_t min_items, max_items;		/* -1: no bound */
	bool unique;
	struct json_object *source;		/* the root only: one reference */
};

#endif
