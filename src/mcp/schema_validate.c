/* SPDX-License-Identifier: MIT */
/* Answers for applying a compiled schema to a value and telling people what is wrong with it. */
#include "mcp/schema.h"

#include <string.h>

#include "base/json.h"
#include "mcp/schema_node.h"

#define NAME_SHOWN 64		/* bytes of a member's name in a path */
#define VALUES_SHOWN 256	/* bytes of the values that an enum allows */

/* The way from the root to a value, one step a level of recursion, which the depth of the schema bounds. */
struct place {
	const struct place *parent;	/* NULL: this is the root */
	const char *name;		/* NULL: an element */
	size_t index;
};

struct report {
	struct buf *out;
	unsigned faults;
};

static bool validate(const struct schema *s, const struct json_object *value, const struct place *at, struct report *r);

/*
 * A name from the schema or the instance as a reference token of a JSON Pointer, cut between code points. Control
 * characters are shown as U+FFFD.
 */
static void
put_name(const char *name, struct buf *out)
{
	size_t i, len = strlen(name), n = len;

	if (n > NAME_SHOWN) {
		n = NAME_SHOWN;
		while (n > 0 && ((unsigned char)name[n] & 0xc0) == 0x80)
			n--;
	}
	for (i = 0; i < n; i++) {
		if (name[i] == '~')
			buf_puts(out, "~0");
		else if (name[i] == '/')
			buf_puts(out, "~1");
		else if ((unsigned char)name[i] < 0x20 || name[i] == 0x7f)
			buf_puts(out, "\xef\xbf\xbd");
		else
			buf_putc(out, name[i]);
	}
	if (n < len)
		buf_puts(out, "...");
}

static void
put_place(const struct place *at, struct buf *out)
{
	if (!at->parent)
		return;
	put_place(at->parent, out);
	buf_putc(out, '/');
	if (at->name)
		put_name(at->name, out);
	else
		buf_printf(out, "%zu", at->index);
}

/*
 * Begin a line about "at"; false when there are enough lines. The caller appends the sentence. Counts the fault in any
 * case.
 */
static bool
begin_fault(struct report *r, const struct place *at)
{
	if (r->faults++ >= SCHEMA_FAULTS_MAX)
		return false;
	if (r->out->len > 0)
		buf_putc(r->out, '\n');
	if (at->parent)
		put_place(at, r->out);
	else
		buf_puts(r->out, "(root)");
	buf_puts(r->out, ": ");
	return true;
}

static bool
fault(struct report *r, const struct place *at, const char *sentence)
{
	if (begin_fault(r, at))
		buf_puts(r->out, sentence);
	return false;
}

static bool
fault_count(struct report *r, const struct place *at, const char *what, int64_t n, const char *unit)
{
	if (begin_fault(r, at))
		buf_printf(r->out, "must have %s %lld %s%s", what, (long long)n, unit, n == 1 ? "" : "s");
	return false;
}

static bool
fault_value(struct report *r, const struct place *at, const char *what, const struct json_object *bound)
{
	if (begin_fault(r, at)) {
		buf_printf(r->out, "must be %s", what);
		json_render(bound, r->out);
	}
	return false;
}

/* Whether a number that was not written as an integer is one all the same: 1.0, 1e2, or larger than int64. */
static bool
is_whole(const struct json_object *value)
{
	double d;

	if (json_as_number(value, &d) != MCP_OK)
		return false;
	/* From 2^53 on every double is whole; below, the conversion to int64 is exact. */
	if (d >= 9007199254740992.0 || d <= -9007199254740992.0)
		return true;
	return (double)(int64_t)d == d;
}

static unsigned
type_of(const struct json_object *value)
{
	switch (json_kind(value)) {
	case JSON_NULL:
		return SCHEMA_NULL;
	case JSON_BOOL:
		return SCHEMA_BOOLEAN;
	case JSON_INT:
		return SCHEMA_INTEGER;
	case JSON_DOUBLE:
		return is_whole(value) ? SCHEMA_INTEGER : SCHEMA_FRACTION;
	case JSON_STRING:
		return SCHEMA_STRING;
	case JSON_ARRAY:
		return SCHEMA_ARRAY;
	default:
		return SCHEMA_OBJECT;
	}
}

static bool
check_type(const struct schema *s, const struct json_object *value, const struct place *at, struct report *r)
{
	static const struct {
		unsigned bits;
		const char *text;
	} names[] = {
		{ SCHEMA_STRING, "a string" }, { SCHEMA_NUMBER, "a number" }, { SCHEMA_INTEGER, "an integer" },
		{ SCHEMA_BOOLEAN, "true or false" }, { SCHEMA_OBJECT, "an object" }, { SCHEMA_ARRAY, "an array" },
		{ SCHEMA_NULL, "null" }
	};
	const char *glue = "must be ";
	unsigned left = s->types;
	size_t i;

	if (!left || (left & type_of(value)))
		return true;
	if (!begin_fault(r, at))
		return false;
	for (i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
		if ((left & names[i].bits) != names[i].bits)
			continue;
		left &= ~names[i].bits;
		buf_printf(r->out, "%s%s", glue, names[i].text);
		glue = " or ";
	}
	return false;
}

static bool
check_choices(const struct schema *s, const struct json_object *value, const struct place *at, struct report *r)
{
	const char *glue = "must be one of ";
	size_t i, start;

	if (s->has_constant && !json_equal(s->constant, value))
		return fault_value(r, at, "", s->constant);
	if (!s->choices)
		return true;
	for (i = 0; i < json_count(s->choices); i++)
		if (json_equal(json_at(s->choices, i), value))
			return true;
	if (!begin_fault(r, at))
		return false;
	start = r->out->len;
	for (i = 0; i < json_count(s->choices) && r->out->len - start < VALUES_SHOWN; i++) {
		buf_puts(r->out, glue);
		json_render(json_at(s->choices, i), r->out);
		glue = ", ";
	}
	if (i < json_count(s->choices))
		buf_puts(r->out, ", ...");
	return false;
}

static bool
check_string(const struct schema *s, const struct json_object *value, const struct place *at, struct report *r)
{
	int64_t points = 0;
	const char *text;
	size_t len, i;

	if (s->min_length < 0 && s->max_length < 0)
		return true;
	if (json_as_string(value, &text, &len) != MCP_OK)
		return true;
	for (i = 0; i < len; i++)
		if (((unsigned char)text[i] & 0xc0) != 0x80)
			points++;
	if (s->min_length >= 0 && points < s->min_length)
		return fault_count(r, at, "at least", s->min_length, "character");
	if (s->max_length >= 0 && points > s->max_length)
		return fault_count(r, at, "at most", s->max_length, "character");
	return true;
}

/* Less than, equal to or greater than 0 as "a" compares to "b", both numbers. */
static int
compare_numbers(const struct json_object *a, const struct json_object *b)
{
	int64_t i = 0, j = 0;
	double x = 0, y = 0;

	if (json_as_int(a, &i) == MCP_OK && json_as_int(b, &j) == MCP_OK)
		return (i > j) - (i < j);
	if (json_as_number(a, &x) != MCP_OK || json_as_number(b, &y) != MCP_OK)
		return 0;
	return (x > y) - (x < y);
}

static bool
check_number(const struct schema *s, const struct json_object *value, const struct place *at, struct report *r)
{
	if (s->minimum && compare_numbers(value, s->minimum) < 0)
		return fault_value(r, at, "at least ", s->minimum);
	if (s->maximum && compare_numbers(value, s->maximum) > 0)
		return fault_value(r, at, "at most ", s->maximum);
	if (s->above && compare_numbers(value, s->above) <= 0)
		return fault_value(r, at, "greater than ", s->above);
	if (s->below && compare_numbers(value, s->below) >= 0)
		return fault_value(r, at, "less than ", s->below);
	return true;
}

static bool
check_unique(const struct json_object *value, const struct place *at, struct report *r)
{
	size_t i, j, n = json_count(value);

	if (n > SCHEMA_UNIQUE_MAX)
		return fault_count(r, at, "at most", SCHEMA_UNIQUE_MAX, "item");
	for (i = 1; i < n; i++)
		for (j = 0; j < i; j++)
			if (json_equal(json_at(value, i), json_at(value, j)))
				return fault(r, at, "must not have the same item twice");
	return true;
}

static bool
check_array(const struct schema *s, const struct json_object *value, const struct place *at, struct report *r)
{
	struct place here = { at, NULL, 0 };
	size_t n = json_count(value);
	bool good = true;

	if (s->min_items >= 0 && n < (uint64_t)s->min_items)
		good = fault_count(r, at, "at least", s->min_items, "item");
	if (s->max_items >= 0 && n > (uint64_t)s->max_items)
		good = fault_count(r, at, "at most", s->max_items, "item");
	if (s->unique && !check_unique(value, at, r))
		good = false;
	for (; s->items && here.index < n && r->faults <= SCHEMA_FAULTS_MAX; here.index++)
		if (!validate(s->items, json_at(value, here.index), &here, r))
			good = false;
	return good;
}

struct additional_visit {
	const struct schema *s;
	const struct place *at;
	struct report *r;
	bool good;
};

static bool
check_additional(void *ctx, const char *name, struct json_object *value)
{
	struct additional_visit *visit = ctx;
	struct place here = { visit->at, name, 0 };
	struct json_object *known;

	if (json_get(visit->s->named, name, &known) != MCP_OK &&
	    !validate(visit->s->additional, value, &here, visit->r))
		visit->good = false;
	return visit->r->faults <= SCHEMA_FAULTS_MAX;
}

static bool
check_object(const struct schema *s, const struct json_object *value, const struct place *at, struct report *r)
{
	struct additional_visit visit = { s, at, r, true };
	struct place here = { at, NULL, 0 };
	struct json_object *member;
	bool good = true;
	size_t i;

	for (i = 0; i < json_count(s->required); i++) {
		if (json_as_string(json_at(s->required, i), &here.name, NULL) == MCP_OK &&
		    json_get(value, here.name, &member) == MCP_ENOENT)
			good = fault(r, &here, "is required");
	}
	for (i = 0; i < s->n_properties; i++) {
		here.name = s->properties[i].name;
		if (json_get(value, here.name, &member) == MCP_OK &&
		    !validate(s->properties[i].schema, member, &here, r))
			good = false;
	}
	if (s->additional)
		json_each(value, check_additional, &visit);
	return good && visit.good;
}

static bool
validate(const struct schema *s, const struct json_object *value, const struct place *at, struct report *r)
{
	if (s->refuses)
		return fault(r, at, "is not allowed");
	if (!check_type(s, value, at, r) || !check_choices(s, value, at, r))
		return false;
	switch (json_kind(value)) {
	case JSON_STRING:
		return check_string(s, value, at, r);
	case JSON_INT:
	case JSON_DOUBLE:
		return check_number(s, value, at, r);
	case JSON_ARRAY:
		return check_array(s, value, at, r);
	case JSON_OBJECT:
		return check_object(s, value, at, r);
	default:
		return true;
	}
}

bool
schema_validate(const struct schema *s, const struct json_object *value, struct buf *faults)
{
	const struct place root = { NULL, NULL, 0 };
	struct report r = { faults, 0 };

	return validate(s, value, &root, &r);
}
