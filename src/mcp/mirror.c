/* SPDX-License-Identifier: MIT */
#include "mcp/mirror.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/buf.h"
#include "base/json.h"
#include "base/strlist.h"
#include "base/text.h"

#define SAFE_INTEGER 9007199254740991.0		/* 2^53 - 1 */
#define NUMBER_MAX_BYTES 64			/* of an integer in a header */

/* One annotated argument: the names of the properties that lead to it, and that of its header. */
struct param {
	struct strlist path;
	char *name;
};

struct mirror {
	struct param params[MIRROR_PARAMS_MAX];
	size_t n;
};

/* The walk through a schema. */
struct walk {
	struct mirror *mirror;
	struct strlist path;	/* of properties, while "reachable" */
	bool reachable;		/* by properties alone */
	const char *why;
	enum mcp_err err;
};

static bool walk_schema(struct walk *w, const struct json_object *schema);

static bool
fail(struct walk *w, enum mcp_err err, const char *why)
{
	w->err = err;
	w->why = why;
	return false;
}

static const char *
objection(const struct walk *w, const char *name, size_t len, const char *type)
{
	static const char allowed[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-";

	if (len == 0 || len > MIRROR_NAME_MAX || strspn(name, allowed) != len)
		return "x-mcp-header is 1 to 64 letters, digits and -";
	if (!w->reachable || w->path.n == 0)
		return "x-mcp-header stands where no chain of properties leads";
	if (!type || (strcmp(type, "string") != 0 && strcmp(type, "integer") != 0 && strcmp(type, "boolean") != 0))
		return "x-mcp-header is for string, integer and boolean only";
	if (w->mirror->n == MIRROR_PARAMS_MAX)
		return "x-mcp-header is there too often";
	for (size_t i = 0; i < w->mirror->n; i++)
		if (text_equal_nocase(w->mirror->params[i].name, name))
			return "x-mcp-header has one name twice";
	return NULL;
}

static bool
add_param(struct walk *w, const struct json_object *schema, const struct json_object *value)
{
	const char *name, *type = NULL, *why;
	struct param *p;
	size_t len;

	if (json_as_string(value, &name, &len) != MCP_OK)
		return fail(w, MCP_EINVAL, "x-mcp-header must be a string");
	if (json_get_string(schema, "type", &type, NULL) != MCP_OK)
		type = NULL;
	why = objection(w, name, len, type);
	if (why)
		return fail(w, MCP_EINVAL, why);
	p = &w->mirror->params[w->mirror->n++];
	p->name = text_dup(name, len);
	if (!p->name || strlist_copy(&p->path, &w->path))
		return fail(w, MCP_ENOMEM, "memory is short");
	return true;
}

static bool
walk_property(void *ctx, const char *name, struct json_object *value)
{
	struct walk *w = ctx;
	bool good;

	if (w->reachable && strlist_add(&w->path, name, strlen(name)))
		return fail(w, MCP_ENOMEM, "memory is short");
	good = walk_schema(w, value);
	if (w->reachable)
		free(w->path.v[--w->path.n]);
	return good;
}

/* A schema, an array of schemas, or an object of schemas, beside the chain of properties. */
static bool
walk_beside(struct walk *w, const struct json_object *value, bool is_map)
{
	bool good = true, reachable = w->reachable;

	w->reachable = false;
	if (json_kind(value) == JSON_ARRAY) {
		for (size_t i = 0; i < json_count(value) && good; i++)
			good = walk_schema(w, json_at(value, i));
	} else if (is_map)
		good = json_each(value, walk_property, w);
	else
		good = walk_schema(w, value);
	w->reachable = reachable;
	return good;
}

/* A keyword; what is in the value of one that is not named here is data and no schema. */
static bool
walk_keyword(void *ctx, const char *name, struct json_object *value)
{
	static const char *const schemas[] = { "items", "prefixItems", "contains", "additionalProperties",
	    "unevaluatedItems", "unevaluatedProperties", "propertyNames", "additionalItems", "contentSchema", "allOf",
	    "anyOf", "oneOf", "not", "if", "then", "else" };
	static const char *const maps[] = { "patternProperties", "dependentSchemas", "$defs", "definitions" };
	struct walk *w = ctx;

	if (strcmp(name, "properties") == 0)
		return json_each(value, walk_property, w);
	for (size_t i = 0; i < sizeof maps / sizeof maps[0]; i++)
		if (strcmp(name, maps[i]) == 0)
			return walk_beside(w, value, true);
	for (size_t i = 0; i < sizeof schemas / sizeof schemas[0]; i++)
		if (strcmp(name, schemas[i]) == 0)
			return walk_beside(w, value, false);
	return true;
}

/* The depth is bounded by that of the text. */
static bool
walk_schema(struct walk *w, const struct json_object *schema)
{
	struct json_object *value;

	if (json_get(schema, "x-mcp-header", &value) == MCP_OK && !add_param(w, schema, value))
		return false;
	return json_each(schema, walk_keyword, w);
}

enum mcp_err
mirror_new(const struct json_object *schema, struct mirror **out, const char **why)
{
	struct walk w = { .mirror = calloc(1, sizeof *w.mirror), .reachable = true };

	*out = NULL;
	if (!w.mirror)
		fail(&w, MCP_ENOMEM, "memory is short");
	else
		walk_schema(&w, schema);
	strlist_clear(&w.path);
	if (w.err || w.mirror->n == 0)
		mirror_free(w.mirror);
	else
		*out = w.mirror;
	*why = w.why;
	return w.err;
}

void
mirror_free(struct mirror *m)
{
	for (size_t i = 0; m && i < m->n; i++) {
		strlist_clear(&m->params[i].path);
		free(m->params[i].name);
	}
	free(m);
}

/* The argument at the path; NULL: none, or null. */
static const struct json_object *
argument_at(const struct json_object *arguments, const struct strlist *path)
{
	const struct json_object *at = arguments;
	struct json_object *next = NULL;

	for (size_t i = 0; i < path->n; i++) {
		if (json_get(at, path->v[i], &next) != MCP_OK)
			return NULL;
		at = next;
	}
	return at;
}

enum mcp_err
mirror_check(const struct mirror *m, const struct json_object *arguments, mirror_get *get, const void *ctx,
    const char **name, bool *missing)
{
	enum mcp_err err = MCP_OK;

	for (size_t i = 0; i < m->n && !err; i++) {
		const struct json_object *value = argument_at(arguments, &m->params[i].path);
		const char *header = get(ctx, m->params[i].name);

		*name = m->params[i].name;
		*missing = value && !header;
		if (value)
			err = mirror_says(header ? header : "", value);
		else if (header)
			err = MCP_EINVAL;
	}
	return err;
}

/* Whether a number in decimal is the integer "value". A number without fraction may be written with one. */
static bool
says_number(const char *text, size_t len, double value)
{
	char copy[NUMBER_MAX_BYTES];
	double number;
	char *end;

	/* The grammar first: strtod() alone knows further notations. */
	if (len == 0 || len >= sizeof copy || strspn(text, "0123456789+-.eE") < len)
		return false;
	if ((text[0] < '0' || text[0] > '9') && (text[0] != '-' || text[1] < '0' || text[1] > '9'))
		return false;
	memcpy(copy, text, len);
	copy[len] = '\0';
	errno = 0;
	number = strtod(copy, &end);
	return *end == '\0' && errno == 0 && number >= value && number <= value;
}

/* Whether the decoded text says the value. */
static bool
says(const char *text, size_t len, const struct json_object *value)
{
	const char *string;
	double number;
	size_t n;
	bool b;

	if (json_as_string(value, &string, &n) == MCP_OK)
		return n == len && memcmp(text, string, len) == 0;
	if (json_as_bool(value, &b) == MCP_OK)
		return strlen(b ? "true" : "false") == len && memcmp(text, b ? "true" : "false", len) == 0;
	if (json_as_number(value, &number) == MCP_OK)
		return number >= -SAFE_INTEGER && number <= SAFE_INTEGER && says_number(text, len, number);
	return false;
}

enum mcp_err
mirror_says(const char *header, const struct json_object *value)
{
	static const char begin[] = "=?base64?", end[] = "?=";
	const size_t begin_len = sizeof begin - 1, end_len = sizeof end - 1;
	size_t len = strlen(header);
	struct buf decoded;
	enum mcp_err err;

	text_trim(&header, &len);
	for (size_t i = 0; i < len; i++)
		if ((header[i] < ' ' || header[i] > '~') && header[i] != '\t')
			return MCP_EINVAL;
	if (len < begin_len + end_len || memcmp(header, begin, begin_len) != 0 ||
	    memcmp(header + len - end_len, end, end_len) != 0)
		return says(header, len, value) ? MCP_OK : MCP_EINVAL;
	buf_init(&decoded, MIRROR_VALUE_MAX);
	err = text_base64_decode(header + begin_len, len - begin_len - end_len, &decoded);
	if (err != MCP_ENOMEM)
		err = !err && says(decoded.data, decoded.len, value) ? MCP_OK : MCP_EINVAL;
	buf_clear(&decoded);
	return err;
}
