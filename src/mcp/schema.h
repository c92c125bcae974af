/* SPDX-License-Identifier: MIT */
#ifndef MCP_MCP_SCHEMA_H
#define MCP_MCP_SCHEMA_H

#include <stdbool.h>

#include "base/buf.h"
#include "base/err.h"

struct json_object;

/*
 * JSON Schema for the arguments and results of tools: compiled once when a tool is registered, applied to every call.
 * Understood are the keywords type, properties, required, additionalProperties, enum, const, minLength, maxLength (code
 * points), minimum, maximum, exclusiveMinimum, exclusiveMaximum, items, minItems, maxItems, uniqueItems, and the
 * schemas true and false. Any other keyword of 2020-12 that could refuse a value makes compiling fail, so that no rule
 * of an author is ignored silently; annotations and keywords that nobody defined pass. Source: JSON Schema 2020-12, MCP
 * basic "JSON Schema Usage".
 */
struct schema;

#define SCHEMA_DEPTH_MAX 32	/* schemas inside schemas */
#define SCHEMA_UNIQUE_MAX 512	/* items that uniqueItems compares; a longer array is a fault */

/*
 * Compile "source". The schema keeps a reference to it, so nobody may change it afterwards. Returns MCP_OK with *out
 * new; MCP_EINVAL (a keyword that is not supported, or has a wrong value) with *why a static phrase; MCP_ENOMEM (*why
 * too). *out is NULL on failure. Release with schema_free().
 */
enum mcp_err schema_compile(struct json_object *source, struct schema **out, const char **why) MCP_MUST_CHECK;
void schema_free(struct schema *s);

/*
 * Whether "value" satisfies the schema; only reads both, so threads may share them. If not, one line a fault is
 * appended to "faults": the JSON Pointer (RFC 6901) of the place, a colon, and a sentence ("/name: must be a string");
 * "(root)" stands for the empty pointer. At most SCHEMA_FAULTS_MAX lines; names are cut, values of the instance are
 * never quoted. "faults" may have any bound, what does not fit is left out.
 */
#define SCHEMA_FAULTS_MAX 16
bool schema_validate(const struct schema *s, const struct json_object *value, struct buf *faults);

#endif
