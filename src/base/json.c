/* SPDX-License-Identifier: MIT */
/*
 * Values: kinds, getters that never coerce, builders. Every json-c function that asserts on a kind
 * (array_length, array_add) is called only after the kind was looked at. Parsing is in json_parse.c, rendering in
 * json_render.c, comparison in json_compare.c.
 */
#include "base/json.h"

#include <limits.h>
#include <math.h>
#include <string.h>

#include <json-c/json.h>

/* json-c's accessors are not const-correct; none of those called through this writes to the value. */
static struct json_object *
writable(const struct json_object *v)
{
	return (struct json_object *)(uintptr_t)v;
}

void
json_free(struct json_object *v)
{
	json_object_put(v);
}

struct json_object *
json_ref(struct json_object *v)
{
	return json_object_get(v);
}

enum json_kind
json_kind(const struct json_object *v)
{
	switch (json_object_get_type(v)) {
	case json_type_boolean:
		return JSON_BOOL;
	case json_type_int:
		return JSON_INT;
	case json_type_double:
		return JSON_DOUBLE;
	case json_type_string:
		return JSON_STRING;
	case json_type_array:
		return JSON_ARRAY;
	case json_type_object:
		return JSON_OBJECT;
	case json_type_null:
		break;
	}
	return JSON_NULL;
}

enum mcp_err
json_get(const struct json_object *object, const char *name, struct json_object **out)
{
	*out = NULL;
	if (json_kind(object) != JSON_OBJECT)
		return MCP_ETYPE;
	return json_object_object_get_ex(object, name, out) ? MCP_OK : MCP_ENOENT;
}

enum mcp_err
json_as_string(const struct json_object *v, const char **out, size_t *len)
{
	if (json_kind(v) != JSON_STRING)
		return MCP_ETYPE;
	*out = json_object_get_string(writable(v));
	if (len)
		*len = (size_t)json_object_get_string_len(v);
	return MCP_OK;
}

enum mcp_err
json_as_int(const struct json_object *v, int64_t *out)
{
	if (json_kind(v) != JSON_INT)
		return MCP_ETYPE;
	*out = json_object_get_int64(v);
	return MCP_OK;
}

enum mcp_err
json_as_number(const struct json_object *v, double *out)
{
	enum json_kind kind = json_kind(v);

	if (kind != JSON_INT && kind != JSON_DOUBLE)
		return MCP_ETYPE;
	*out = json_object_get_double(v);
	return MCP_OK;
}

enum mcp_err
json_as_bool(const struct json_object *v, bool *out)
{
	if (json_kind(v) != JSON_BOOL)
		return MCP_ETYPE;
	*out = json_object_get_boolean(v);
	return MCP_OK;
}

enum mcp_err
json_get_string(const struct json_object *object, const char *name, const char **out, size_t *len)
{
	struct json_object *v;
	enum mcp_err err = json_get(object, name, &v);

	return err != MCP_OK ? err : json_as_string(v, out, len);
}

enum mcp_err
json_get_int(const struct json_object *object, const char *name, int64_t *out)
{
	struct json_object *v;
	enum mcp_err err = json_get(object, name, &v);

	return err != MCP_OK ? err : json_as_int(v, out);
}

enum mcp_err
json_get_number(const struct json_object *object, const char *name, double *out)
{
	struct json_object *v;
	enum mcp_err err = json_get(object, name, &v);

	return err != MCP_OK ? err : json_as_number(v, out);
}

enum mcp_err
json_get_bool(const struct json_object *object, const char *name, bool *out)
{
	struct json_object *v;
	enum mcp_err err = json_get(object, name, &v);

	return err != MCP_OK ? err : json_as_bool(v, out);
}

static enum mcp_err
get_container(const struct json_object *object, const char *name, enum json_kind kind, struct json_object **out)
{
	struct json_object *v;
	enum mcp_err err = json_get(object, name, &v);

	if (err != MCP_OK)
		return err;
	if (json_kind(v) != kind)
		return MCP_ETYPE;
	*out = v;
	return MCP_OK;
}

enum mcp_err
json_get_object(const struct json_object *object, const char *name, struct json_object **out)
{
	return get_container(object, name, JSON_OBJECT, out);
}

enum mcp_err
json_get_array(const struct json_object *object, const char *name, struct json_object **out)
{
	return get_container(object, name, JSON_ARRAY, out);
}

size_t
json_count(const struct json_object *v)
{
	switch (json_kind(v)) {
	case JSON_ARRAY:
		return json_object_array_length(v);
	case JSON_OBJECT:
		return (size_t)json_object_object_length(v);
	default:
		return 0;
	}
}

struct json_object *
json_at(const struct json_object *array, size_t i)
{
	if (json_kind(array) != JSON_ARRAY || i >= json_object_array_length(array))
		return NULL;
	return json_object_array_get_idx(array, i);
}

bool
json_each(
    const struct json_object *object, bool (*visit)(void *ctx, const char *name, struct json_object *value), void *ctx)
{
	if (json_kind(object) != JSON_OBJECT)
		return true;
	for (struct lh_entry *e = json_object_get_object(object)->head; e; e = e->next)
		if (!visit(ctx, lh_entry_k(e), lh_entry_v(e)))
			return false;
	return true;
}

struct json_object *
json_new_object(void)
{
	return json_object_new_object();
}

struct json_object *
json_new_array(void)
{
	/* json-c's default is 32 elements; ours are mostly short, and a hostile text is full of empty ones. */
	return json_object_new_array_ext(4);
}

struct json_object *
json_new_string(const char *s, size_t len)
{
	if (len > INT_MAX / 2)
		return NULL;
	return json_object_new_string_len(s, (int)len);
}

struct json_object *
json_new_int(int64_t n)
{
	return json_object_new_int64(n);
}

struct json_object *
json_new_double(double n)
{
	return isfinite(n) ? json_object_new_double(n) : NULL;
}

struct json_object *
json_new_bool(bool b)
{
	return json_object_new_boolean(b);
}

enum mcp_err
json_set(struct json_object *object, const char *name, struct json_object *value)
{
	enum mcp_err err = MCP_ETYPE;

	if (json_kind(object) == JSON_OBJECT)
		err = json_object_object_add(object, name, value) == 0 ? MCP_OK : MCP_ENOMEM;
	if (err != MCP_OK)
		json_free(value);
	return err;
}

enum mcp_err
json_set_new(struct json_object *object, const char *name, struct json_object *value)
{
	return value ? json_set(object, name, value) : MCP_ENOMEM;
}

void
json_remove(struct json_object *object, const char *name)
{
	if (json_kind(object) == JSON_OBJECT)
		json_object_object_del(object, name);
}

enum mcp_err
json_push(struct json_object *array, struct json_object *value)
{
	enum mcp_err err = MCP_ETYPE;

	if (json_kind(array) == JSON_ARRAY)
		err = json_object_array_add(array, value) == 0 ? MCP_OK : MCP_ENOMEM;
	if (err != MCP_OK)
		json_free(value);
	return err;
}

enum mcp_err
json_push_new(struct json_object *array, struct json_object *value)
{
	return value ? json_push(array, value) : MCP_ENOMEM;
}
