/* SPDX-License-Identifier: MIT */
#include "tests/unit/nomem.h"

#include <json-c/json.h>
#include <stdlib.h>
#include <string.h>

#include "base/log.h"

long nomem_left = -1;
bool nomem_for_good;
unsigned long nomem_failed;

bool
nomem_fails(void)
{
	if (nomem_left < 0 || (nomem_left > 0 && nomem_left-- > 0))
		return false;
	if (!nomem_for_good)
		nomem_left = -1;
	nomem_failed++;
	return true;
}

/* -Wl,--wrap=NAME: callers of NAME get __wrap_NAME, and __real_NAME is the library's. */
#define WRAP(type, failure, name, parameters, arguments) \
	type __real_##name parameters; \
	type __wrap_##name parameters; \
	type \
	__wrap_##name parameters \
	{ \
		return nomem_fails() ? failure : __real_##name arguments; \
	}

WRAP(void *, NULL, malloc, (size_t n), (n))
WRAP(void *, NULL, calloc, (size_t n, size_t size), (n, size))
WRAP(void *, NULL, realloc, (void *p, size_t n), (p, n))
WRAP(char *, NULL, strdup, (const char *s), (s))
WRAP(struct json_object *, NULL, json_object_new_object, (void), ())
WRAP(struct json_object *, NULL, json_object_new_array_ext, (int n), (n))
WRAP(struct json_object *, NULL, json_object_new_string_len, (const char *s, int len), (s, len))
WRAP(struct json_object *, NULL, json_object_new_int64, (int64_t n), (n))
WRAP(struct json_object *, NULL, json_object_new_double_s, (double n, const char *s), (n, s))
WRAP(struct json_object *, NULL, json_object_new_boolean, (json_bool b), (b))
WRAP(int, -1, json_object_array_add, (struct json_object *a, struct json_object *v), (a, v))
WRAP(int, -1, json_object_object_add, (struct json_object *o, const char *name, struct json_object *v), (o, name, v))
WRAP(int, -1, json_object_object_add_ex,
    (struct json_object *o, const char *name, struct json_object *v, unsigned how), (o, name, v, how))

static void
drop_line(void *ctx, enum log_level level, const char *text)
{
	(void)ctx;
	(void)level;
	(void)text;
}

void
nomem_hush_log(void)
{
	log_capture(drop_line, NULL);
}
