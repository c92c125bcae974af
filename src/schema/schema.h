/* SPDX-License-Identifier: MIT */
#ifndef MCP_SCHEMA_SCHEMA_H
#define MCP_SCHEMA_SCHEMA_H

#include <stdbool.h>

#include "base/buf.h"
#include "base/err.h"

struct json_object;

/*
 * JSON Schema, draft 2020-12: compiled once, applied many times, by several threads at once. Every keyword of its
 * vocabularies is understood, references and dynamic references within the document and to the meta-schemas too;
 * nothing is ever fetched, so that a reference to anything else makes compiling fail. A "$schema" that names another
 * draft does as well, unless the document itself has a meta-schema of that name in its "$defs". Patterns are those of
 * ECMA-262 with the flag "u" and are run by PCRE2; what differs is said in src/schema/ecma.h. "dependencies" and
 * "definitions" of older drafts mean what they did; other keywords that nobody defined pass. What of the official test
 * suite does not pass is listed in tests/schema/unsupported. Source: JSON Schema 2020-12, MCP basic "JSON Schema
 * Usage".
 */
struct schema;

/*
 * Bounds. A schema beyond them does not compile. A value whose validation needs more of them is not valid, and the
 * fault says that it is for this reason.
 */
#define SCHEMA_DEPTH_MAX 64		/* schemas inside schemas */
#define SCHEMA_NODES_MAX 8192		/* schemas in all, meta-schemas that are referred to included */
#define SCHEMA_PATTERN_MAX 4096		/* bytes of one pattern */
#define SCHEMA_RECURSION_MAX 256	/* schemas that are being applied inside each other */
#define SCHEMA_STEPS_MAX 4000000	/* schemas applied, values compared and members looked at in one validation */
#define SCHEMA_PATTERN_MS 200		/* processor time of all patterns in one validation */

/*
 * Compile "source". "flags": SCHEMA_ASSERT_FORMATS makes "format" refuse what does not follow it (without it that is
 * an annotation, as the specification has it); the formats are those of the draft. The schema keeps a reference to
 * "source", so nobody may change that afterwards. Returns MCP_OK with *out new; MCP_EINVAL (a keyword has a wrong
 * value, a reference leads nowhere); MCP_ELIMIT (a bound); MCP_ENOMEM. On failure *out is NULL, *why is a static
 * phrase, and "where" (may be NULL) gets the place of the keyword as a URI fragment appended, "#/properties/a/type".
 * Release with schema_free(); NULL is fine there.
 */
#define SCHEMA_ASSERT_FORMATS 1u
enum mcp_err schema_compile(struct json_object *source, unsigned flags, struct schema **out, const char **why,
    struct buf *where) MCP_MUST_CHECK;
void schema_free(struct schema *s);

/*
 * Whether "value" satisfies the schema; only reads both, so threads may share them. If not, one line a fault is
 * appended to "faults": the JSON Pointer (RFC 6901) of the place, a colon, a sentence, and in brackets the place of the
 * keyword in the schema: "/name: must be a string (#/properties/name/type)". "(root)" stands for the empty pointer. At
 * most SCHEMA_FAULTS_MAX lines; names are cut, values of the instance are never quoted. "faults" may have any bound,
 * what does not fit is left out; when memory is short its status becomes MCP_ENOMEM.
 */
#define SCHEMA_FAULTS_MAX 16
bool schema_validate(const struct schema *s, const struct json_object *value, struct buf *faults) MCP_MUST_CHECK;

#endif
