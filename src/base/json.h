/* SPDX-License-Identifier: MIT */
#ifndef MCP_BASE_JSON_H
#define MCP_BASE_JSON_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/buf.h"
#include "base/err.h"

/*
 * JSON, strictly: the only module that knows json-c. Values are json-c objects behind the name "struct json_object";
 * json-c's own parser is never called and none of its coercing getters is reachable from outside.
 *
 * Ownership words: a "new" value belongs to the caller, who gives it to json_free() or to a container; a "borrowed" one
 * belongs to the container it was got from and lives as long as that; a "stolen" argument belongs to the callee from
 * the call on, also when it fails.
 *
 * The JSON value null is a value of its own (JSON_NULL); json-c represents it by a NULL pointer, therefore a "struct
 * json_object *" that is NULL *is* null, and absence is always told apart by a result code.
 */
struct json_object;

enum json_kind { JSON_NULL, JSON_BOOL, JSON_INT, JSON_DOUBLE, JSON_STRING, JSON_ARRAY, JSON_OBJECT };

struct json_bounds {
	size_t max_bytes;	/* of the text */
	unsigned max_depth; /* containers inside containers; 1 allows only one flat container; at most JSON_DEPTH_MAX */
	size_t max_values;	/* values in all, containers and members included */
};
#define JSON_DEPTH_MAX 512

/* Where and why a text was refused, for a log line or an answer. */
struct json_fault {
	size_t offset;		/* byte offset of the fault */
	const char *what;	/* static phrase, e.g. "duplicate member name" */
};

/*
 * Parse "len" bytes as exactly one JSON text. Refused: anything RFC 8259 does not have (comments, NaN, single quotes,
 * leading zeros, trailing commas, a byte order mark, bytes after the value), ill-formed UTF-8, lone surrogate escapes,
 * a NUL in a string or name (raw or \u0000), a member name twice in one object (compared after unescaping), numbers
 * that no finite double can hold. An integer that fits int64 is JSON_INT (-0 is 0); other numbers are JSON_DOUBLE and
 * remember their text for rendering.
 * Returns MCP_OK with *out new; MCP_ESYNTAX, MCP_ELIMIT (a bound), MCP_ENOMEM with *out NULL. *fault (may be NULL) is
 * set on MCP_ESYNTAX and MCP_ELIMIT. Time is linear in "len"; memory is linear in the number of values, of which an
 * empty object costs the most (about 800 bytes): choose max_values accordingly. No recursion.
 * Source: RFC 8259, RFC 7493 section 2.
 */
enum mcp_err json_parse(const char *text, size_t len, const struct json_bounds *bounds, struct json_object **out,
    struct json_fault *fault) MCP_MUST_CHECK;

/*
 * Drop one reference, and free the value with the last; NULL is fine. References are not counted atomically: a value
 * that several threads read must not be referenced or freed by more than one of them at a time.
 */
void json_free(struct json_object *v);

/* Take one more reference, for json_free() or a container. Returns "v". */
struct json_object *json_ref(struct json_object *v);

/* What "v" is; NULL is JSON_NULL. */
enum json_kind json_kind(const struct json_object *v);

/*
 * Look a member up. Returns MCP_OK with *out borrowed (NULL for null); MCP_ENOENT if "object" has no such member;
 * MCP_ETYPE if it is not an object. *out is NULL on failure.
 */
enum mcp_err json_get(const struct json_object *object, const char *name, struct json_object **out) MCP_MUST_CHECK;

/*
 * Typed members, six functions. Each returns MCP_OK; MCP_ENOENT if there is no such member; MCP_ETYPE if the member has
 * another type (null included) or "object" is not an object. Nothing is coerced. Outputs are untouched on failure.
 */

/* A JSON_STRING, borrowed; it holds no NUL, so "len" may be NULL. */
enum mcp_err json_get_string(const struct json_object *object, const char *name, const char **out,
    size_t *len) MCP_MUST_CHECK;

/* A JSON_INT; a JSON_DOUBLE is MCP_ETYPE even if it is whole. */
enum mcp_err json_get_int(const struct json_object *object, const char *name, int64_t *out) MCP_MUST_CHECK;

/* A JSON_INT or a JSON_DOUBLE, as a double. */
enum mcp_err json_get_number(const struct json_object *object, const char *name, double *out) MCP_MUST_CHECK;

/* A JSON_BOOL. */
enum mcp_err json_get_bool(const struct json_object *object, const char *name, bool *out) MCP_MUST_CHECK;

/* A JSON_OBJECT, borrowed. */
enum mcp_err json_get_object(const struct json_object *object, const char *name,
    struct json_object **out) MCP_MUST_CHECK;

/* A JSON_ARRAY, borrowed. */
enum mcp_err json_get_array(const struct json_object *object, const char *name,
    struct json_object **out) MCP_MUST_CHECK;

/* As json_get_string() for a value in hand: MCP_OK or MCP_ETYPE. */
enum mcp_err json_as_string(const struct json_object *v, const char **out, size_t *len) MCP_MUST_CHECK;

/* As json_get_int() for a value in hand: MCP_OK or MCP_ETYPE. */
enum mcp_err json_as_int(const struct json_object *v, int64_t *out) MCP_MUST_CHECK;

/* As json_get_number() for a value in hand: MCP_OK or MCP_ETYPE. */
enum mcp_err json_as_number(const struct json_object *v, double *out) MCP_MUST_CHECK;

/* As json_get_bool() for a value in hand: MCP_OK or MCP_ETYPE. */
enum mcp_err json_as_bool(const struct json_object *v, bool *out) MCP_MUST_CHECK;

/* Members of an object or elements of an array; 0 for anything else. */
size_t json_count(const struct json_object *v);

/* Element "i" of an array, borrowed; NULL also when "v" is no array or "i" is too large (compare with json_count()). */
struct json_object *json_at(const struct json_object *array, size_t i);

/*
 * Call "visit" for each member in the order of the text until it returns false. Returns false if a visit did. No-op on
 * non-objects.
 */
bool json_each(const struct json_object *object,
    bool (*visit)(void *ctx, const char *name, struct json_object *value), void *ctx);

/*
 * Whether two values are equal as JSON: numbers exactly by value (1 equals 1.0, and a number of many digits only
 * itself), objects without regard to order. Recursion is as deep as the values.
 */
bool json_equal(const struct json_object *a, const struct json_object *b);

/* A hash that equal values share; *values grows by the number of values that were looked at. */
uint64_t json_hash(const struct json_object *v, size_t *values);

/*
 * How two numbers compare as they were written, not as the nearest doubles: less than, equal to or greater than 0 as
 * "a" is to "b". Both must be numbers.
 */
int json_compare_numbers(const struct json_object *a, const struct json_object *b);

/* Whether "v" is a whole number; 1.0 and 1e2 are. */
bool json_is_whole(const struct json_object *v);

/*
 * Whether "v" may be a divisor: a number greater than 0, of at most 18 significant digits, the last not below 1e-400.
 */
bool json_is_divisor(const struct json_object *v);

/* Whether the number "v" is a whole multiple of "divisor", which json_is_divisor() passed. */
bool json_is_multiple(const struct json_object *v, const struct json_object *divisor);

#define JSON_NUMBER_BYTES 40

/*
 * The text of a number: the one that was parsed (borrowed from the value), or one that reads back as the same number,
 * written to "scratch" of JSON_NUMBER_BYTES. "0" for what is no number.
 */
const char *json_number_text(const struct json_object *v, char *scratch);

/* A new empty object; NULL when memory is short, as with the five that follow. (For null use NULL itself.) */
struct json_object *json_new_object(void);

/* A new empty array. */
struct json_object *json_new_array(void);

/* A new string, a copy of "len" bytes that must be UTF-8 without NUL. */
struct json_object *json_new_string(const char *s, size_t len);

/* A new JSON_INT. */
struct json_object *json_new_int(int64_t n);

/* A new JSON_DOUBLE; NULL also when "n" is not finite. */
struct json_object *json_new_double(double n);

/* A new JSON_BOOL. */
struct json_object *json_new_bool(bool b);

/*
 * Put "value" (stolen, NULL is null) into an object; a member of that name is replaced. Returns MCP_OK, MCP_ENOMEM, or
 * MCP_ETYPE when "object" is NULL or no object; "value" is freed then.
 */
enum mcp_err json_set(struct json_object *object, const char *name, struct json_object *value) MCP_MUST_CHECK;

/* As json_set() for what a json_new_*() has just returned: a NULL "value" is MCP_ENOMEM. */
enum mcp_err json_set_new(struct json_object *object, const char *name, struct json_object *value) MCP_MUST_CHECK;

/* Append "value" (stolen, NULL is null) to an array. Otherwise as json_set(). */
enum mcp_err json_push(struct json_object *array, struct json_object *value) MCP_MUST_CHECK;

/* As json_push() for what a json_new_*() has just returned: a NULL "value" is MCP_ENOMEM. */
enum mcp_err json_push_new(struct json_object *array, struct json_object *value) MCP_MUST_CHECK;

/* Take a member out of an object and free it; nothing happens when there is none. */
void json_remove(struct json_object *object, const char *name);

/*
 * Append "v" as compact JSON text. Non-ASCII is written as UTF-8; apart from the blanks the bytes are those of Python's
 * json.dumps(ensure_ascii=False). Failures stick to "out".
 */
void json_render(const struct json_object *v, struct buf *out);

/* As json_render() with a line for each member and element, "indent" blanks a level, and ": " after names. */
void json_render_indented(const struct json_object *v, unsigned indent, struct buf *out);

/* Append one JSON string, quotes included, for text of "len" bytes. Bytes that are not UTF-8 become U+FFFD. */
void json_render_string(const char *s, size_t len, struct buf *out);

#endif
