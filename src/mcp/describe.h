/* SPDX-License-Identifier: MIT */
#ifndef MCP_MCP_DESCRIBE_H
#define MCP_MCP_DESCRIBE_H

#include <stddef.h>
#include <stdint.h>

#include "base/err.h"

struct json_object;
struct resource;

/*
 * A JSON object made of what the author of a tool, a prompt or a resource wrote. The first failure sticks, so that
 * members are added freely and the end is asked once. Begin with all zero.
 */
struct describe {
	struct json_object *object;	/* owned; NULL until the first member */
	enum mcp_err err;		/* MCP_OK; MCP_EINVAL: a text is not what it should be; MCP_ENOMEM */
	const char *why;		/* static phrase for MCP_EINVAL */
};

#define DESCRIBE_TEXT_MAX (256 * 1024)	/* bytes of one JSON text of an author */

/* Add a string, which must be UTF-8; NULL adds nothing. */
void describe_string(struct describe *d, const char *name, const char *text);

/* Add an integer. */
void describe_int(struct describe *d, const char *name, int64_t value);

/* Add the object that a JSON text is; NULL adds nothing. */
void describe_object(struct describe *d, const char *name, const char *text);

/* Add "icons" by their JSON text; NULL adds nothing. Source: MCP schema, Icon. */
void describe_icons(struct describe *d, const char *text);

/* Add "annotations" of content or a resource, likewise. Source: MCP schema, Annotations. */
void describe_annotations(struct describe *d, const char *text);

/* Add "annotations" of a tool, likewise. Source: MCP schema, ToolAnnotations. */
void describe_tool_annotations(struct describe *d, const char *text);

/* Add a member with a value in hand (stolen). */
void describe_value(struct describe *d, const char *name, struct json_object *value);

/* Add the members of a Resource. Source: MCP schema, Resource. */
void describe_resource(struct describe *d, const struct resource *resource);

/*
 * Parse the JSON text of an author. Returns MCP_OK with *out new; MCP_EINVAL with *why a static phrase, when it is not
 * JSON within DESCRIBE_TEXT_MAX, or not of the kind (enum json_kind) that is asked for; MCP_ENOMEM. *out is NULL then.
 */
enum mcp_err describe_parse(const char *text, int kind, struct json_object **out, const char **why) MCP_MUST_CHECK;

/*
 * Render and free the object, which may be empty. Returns MCP_OK with *text new (the caller frees) and *len; what had
 * failed; MCP_ENOMEM. *text is NULL then. "d" is all zero afterwards, but for "why".
 */
enum mcp_err describe_finish(struct describe *d, char **text, size_t *len) MCP_MUST_CHECK;

#endif
