/* SPDX-License-Identifier: MIT */
/* Answers for the keywords that look at a value alone. Source: JSON Schema 2020-12 validation, section 6. */
#include <errno.h>
#include <stdlib.h>

#include "schema/run.h"

#define VALUES_SHOWN 256	/* bytes of values that a schema allows */
#define FEW 16			/* items that are compared with each other without ado */

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
		return json_is_whole(value) ? SCHEMA_INTEGER : SCHEMA_FRACTION;
	case JSON_STRING:
		return SCHEMA_STRING;
	case JSON_ARRAY:
		return SCHEMA_ARRAY;
	default:
		return SCHEMA_OBJECT;
	}
}

static bool
check_type(struct run *r, const struct schema_node *n, const struct json_object *value, const struct place *at)
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
	unsigned left = n->types;

	if (!left || (left & type_of(value)))
		return true;
	if (!report_begin(r, at))
		return false;
	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
		if ((left & names[i].bits) != names[i].bits)
			continue;
		left &= ~names[i].bits;
		buf_printf(r->faults, "%s%s", glue, names[i].text);
		glue = " or ";
	}
	report_end(r, n, "type");
	return false;
}

/* Append a value of the schema if it is short, else "...". */
static void
put_value(struct run *r, const struct json_object *value)
{
	struct buf text;

	buf_init(&text, VALUES_SHOWN);
	json_render(value, &text);
	if (buf_status(&text) == MCP_OK)
		buf_put(r->faults, text.data, text.len);
	else
		buf_puts(r->faults, "...");
	buf_clear(&text);
}

static bool
report_value(struct run *r, const struct place *at, const struct schema_node *n, const char *keyword, const char *what,
    const struct json_object *value)
{
	if (report_begin(r, at)) {
		buf_puts(r->faults, what);
		put_value(r, value);
		report_end(r, n, keyword);
	}
	return false;
}

static bool
check_choices(struct run *r, const struct schema_node *n, const struct json_object *value, const struct place *at)
{
	const char *glue = "must be one of ";
	size_t i, start, count = json_count(n->choices);

	if (!n->choices)
		return true;
	if (!run_spend(r, n->choices_size))
		return false;
	for (i = 0; i < count; i++)
		if (json_equal(json_at(n->choices, i), value))
			return true;
	if (!report_begin(r, at))
		return false;
	start = r->faults->len;
	for (i = 0; i < count && r->faults->len - start < VALUES_SHOWN; i++) {
		buf_puts(r->faults, glue);
		put_value(r, json_at(n->choices, i));
		glue = ", ";
	}
	buf_puts(r->faults, count == 0 ? "must be one of no values" : i < count ? ", ..." : "");
	report_end(r, n, "enum");
	return false;
}

static bool
check_constant(struct run *r, const struct schema_node *n, const struct json_object *value, const struct place *at)
{
	if (!n->has_constant)
		return true;
	if (!run_spend(r, n->constant_size))
		return false;
	return json_equal(n->constant, value) || report_value(r, at, n, "const", "must be ", n->constant);
}

static bool
check_count(struct run *r, const struct schema_node *n, const struct place *at, const char *keyword, bool least,
    int64_t bound, size_t count, const char *unit)
{
	if (bound < 0 || (least ? count >= (uint64_t)bound : count <= (uint64_t)bound))
		return true;
	return report(r, at, n, keyword, "must have at %s %lld %s%s", least ? "least" : "most", (long long)bound, unit,
	    bound == 1 ? "" : unit[0] == 'p' ? "" : "s");
}

static bool
check_pattern(struct run *r, const struct schema_node *n, const char *text, size_t len, const struct place *at)
{
	enum mcp_err err;
	bool matches;

	if (!n->pattern)
		return true;
	err = pattern_match(n->pattern, text, len, &r->patterns, &matches);
	if (err)
		return run_stop(r, err, "a pattern takes too long");
	return matches || report(r, at, n, "pattern", "must match the pattern");
}

static bool
check_string(struct run *r, const struct schema_node *n, const struct json_object *value, const struct place *at)
{
	size_t len, i, points = 0;
	const char *text;
	bool good;

	if (json_as_string(value, &text, &len) != MCP_OK || !run_spend(r, len / 64))
		return r->err == MCP_OK;
	if (n->min_length >= 0 || n->max_length >= 0)
		for (i = 0; i < len; i++)
			if (((unsigned char)text[i] & 0xc0) != 0x80)
				points++;
	good = check_count(r, n, at, "minLength", true, n->min_length, points, "character");
	good = check_count(r, n, at, "maxLength", false, n->max_length, points, "character") && good;
	if (run_enough(r, good))
		return false;
	good = check_pattern(r, n, text, len, at) && good;
	errno = 0;
	if (!n->format || n->format(text, len))
		return good;
	if (errno == ENOMEM)
		return run_stop(r, MCP_ENOMEM, NULL);
	return report(r, at, n, "format", "must be of the format %.40s", n->format_name);
}

static bool
check_number(struct run *r, const struct schema_node *n, const struct json_object *value, const struct place *at)
{
	bool good = true;

	if (n->minimum && json_compare_numbers(value, n->minimum) < 0)
		good = report_value(r, at, n, "minimum", "must be at least ", n->minimum);
	if (n->maximum && json_compare_numbers(value, n->maximum) > 0)
		good = report_value(r, at, n, "maximum", "must be at most ", n->maximum);
	if (n->above && json_compare_numbers(value, n->above) <= 0)
		good = report_value(r, at, n, "exclusiveMinimum", "must be greater than ", n->above);
	if (n->below && json_compare_numbers(value, n->below) >= 0)
		good = report_value(r, at, n, "exclusiveMaximum", "must be less than ", n->below);
	if (n->multiple_of && !json_is_multiple(value, n->multiple_of))
		good = report_value(r, at, n, "multipleOf", "must be a multiple of ", n->multiple_of);
	return good;
}

bool
assert_value(struct run *r, const struct schema_node *n, const struct json_object *value, const struct place *at,
    bool *type_fits)
{
	size_t count;
	bool good;

	*type_fits = check_type(r, n, value, at);
	if (!*type_fits)
		return false;
	good = check_choices(r, n, value, at);
	good = check_constant(r, n, value, at) && good;
	if (run_enough(r, good))
		return false;
	switch (json_kind(value)) {
	case JSON_STRING:
		return check_string(r, n, value, at) && good;
	case JSON_INT:
	case JSON_DOUBLE:
		return check_number(r, n, value, at) && good;
	case JSON_ARRAY:
		count = json_count(value);
		good = check_count(r, n, at, "minItems", true, n->min_items, count, "item") && good;
		return check_count(r, n, at, "maxItems", false, n->max_items, count, "item") && good;
	case JSON_OBJECT:
		count = json_count(value);
		good = check_count(r, n, at, "minProperties", true, n->min_properties, count, "member") && good;
		return check_count(r, n, at, "maxProperties", false, n->max_properties, count, "member") && good;
	default:
		return good;
	}
}

struct item {
	uint64_t hash;
	const struct json_object *value;
};

static int
by_hash(const void *a, const void *b)
{
	const struct item *x = a, *y = b;

	return (x->hash > y->hash) - (x->hash < y->hash);
}

/* Whether two of the items are equal; those of one hash are compared with each other. */
static bool
has_twins(struct run *r, struct item *items, size_t n, bool hashed)
{
	if (hashed)
		qsort(items, n, sizeof(*items), by_hash);
	for (size_t i = 0; i < n; i++)
		for (size_t j = i + 1; j < n && items[j].hash == items[i].hash; j++) {
			if (!run_spend(r, 1))
				return false;
			if (json_equal(items[i].value, items[j].value))
				return true;
		}
	return false;
}

bool
assert_unique(struct run *r, const struct schema_node *n, const struct json_object *value, const struct place *at)
{
	size_t i, count = json_count(value), values = 0;
	struct item few[FEW], *items = few;
	bool twins;

	if (count > FEW) {
		items = malloc(count * sizeof(*items));
		if (!items)
			return run_stop(r, MCP_ENOMEM, NULL);
	}
	for (i = 0; i < count; i++) {
		items[i].value = json_at(value, i);
		items[i].hash = json_hash(items[i].value, &values);
	}
	twins = run_spend(r, values) && has_twins(r, items, count, true);
	if (items != few)
		free(items);
	return r->err == MCP_OK && (!twins || report(r, at, n, "uniqueItems", "must not have the same item twice"));
}
