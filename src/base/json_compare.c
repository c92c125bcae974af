/* SPDX-License-Identifier: MIT */
/*
 * Comparison of values. Numbers are compared as the decimals that were written, not as the doubles nearest to them:
 * a number that is no JSON_INT is taken by its text, digit for digit.
 */
#include "base/json.h"

#include <string.h>

#define EXPONENT_MAX 1000000000		/* what is beyond has no other meaning than this */
#define DIVISOR_DIGITS 18		/* so that ten times a remainder fits 64 bits */
#define DIVISOR_EXPONENT_MIN (-400)	/* of the last digit; bounds the work of a division */

/* The number is 0.DIGITS times ten to the "top", DIGITS having a zero at neither end. */
struct decimal {
	bool negative;
	const char *digits;	/* a point may stand between them */
	size_t n;		/* how many; 0: the number is zero */
	int64_t top;
	char scratch[JSON_NUMBER_BYTES];
};

static int64_t
read_exponent(const char *text)
{
	bool negative = *text == '-';
	int64_t n = 0;

	if (*text == '-' || *text == '+')
		text++;
	for (; *text >= '0' && *text <= '9'; text++)
		if (n < EXPONENT_MAX)
			n = n * 10 + (*text - '0');
	return negative ? -n : n;
}

static void
read_decimal(const struct json_object *v, struct decimal *d)
{
	const char *text = json_number_text(v, d->scratch);
	int64_t before = 0, at = 0, first = 0, last = -1;
	bool point = false;

	d->negative = *text == '-';
	d->digits = text;
	for (text += d->negative; *text && *text != 'e' && *text != 'E'; text++) {
		if (*text == '.') {
			point = true;
			continue;
		}
		if (*text != '0') {
			if (last < 0) {
				first = at;
				d->digits = text;
			}
			last = at;
		}
		at++;
		if (!point)
			before++;
	}
	d->n = last < 0 ? 0 : (size_t)(last - first + 1);
	d->top = last < 0 ? 0 : before - first + (*text ? read_exponent(text + 1) : 0);
	if (last < 0)
		d->negative = false;
}

static unsigned
next_digit(const char **at)
{
	if (**at == '.')
		(*at)++;
	return (unsigned)(*(*at)++ - '0');
}

static int
compare_magnitudes(const struct decimal *a, const struct decimal *b)
{
	const char *x = a->digits, *y = b->digits;
	size_t i, n = a->n < b->n ? a->n : b->n;

	if (a->n == 0 || b->n == 0)
		return (a->n > 0) - (b->n > 0);
	if (a->top != b->top)
		return a->top < b->top ? -1 : 1;
	for (i = 0; i < n; i++) {
		unsigned p = next_digit(&x), q = next_digit(&y);

		if (p != q)
			return p < q ? -1 : 1;
	}
	return (a->n > b->n) - (a->n < b->n);
}

int
json_compare_numbers(const struct json_object *a, const struct json_object *b)
{
	int64_t i = 0, j = 0;
	struct decimal x, y;

	if (json_as_int(a, &i) == MCP_OK && json_as_int(b, &j) == MCP_OK)
		return (i > j) - (i < j);
	read_decimal(a, &x);
	read_decimal(b, &y);
	if (x.negative != y.negative)
		return x.negative ? -1 : 1;
	return x.negative ? compare_magnitudes(&y, &x) : compare_magnitudes(&x, &y);
}

bool
json_is_whole(const struct json_object *v)
{
	struct decimal d;

	if (json_kind(v) != JSON_DOUBLE)
		return json_kind(v) == JSON_INT;
	read_decimal(v, &d);
	return d.n == 0 || (d.top >= 0 && (uint64_t)d.top >= d.n);
}

bool
json_is_divisor(const struct json_object *v)
{
	struct decimal d;

	if (json_kind(v) != JSON_INT && json_kind(v) != JSON_DOUBLE)
		return false;
	read_decimal(v, &d);
	return !d.negative && d.n > 0 && d.n <= DIVISOR_DIGITS && d.top - (int64_t)d.n >= DIVISOR_EXPONENT_MIN;
}

bool
json_is_multiple(const struct json_object *v, const struct json_object *divisor)
{
	int64_t i, j, zeros;
	uint64_t by = 0, left = 0;
	struct decimal a, b;
	const char *at;
	size_t k;

	if (json_as_int(v, &i) == MCP_OK && json_as_int(divisor, &j) == MCP_OK)
		return i % j == 0;
	read_decimal(v, &a);
	read_decimal(divisor, &b);
	zeros = (a.top - (int64_t)a.n) - (b.top - (int64_t)b.n);
	if (a.n == 0 || zeros < 0)
		return a.n == 0;	/* its last digit is not 0, so nothing with more zeros divides it */
	for (k = 0, at = b.digits; k < b.n; k++)
		by = by * 10 + next_digit(&at);
	for (k = 0, at = a.digits; k < a.n; k++)
		left = (left * 10 + next_digit(&at)) % by;
	for (; zeros > 0 && left > 0; zeros--)
		left = left * 10 % by;
	return left == 0;
}

struct comparison {
	const struct json_object *other;
};

static bool
equal_member(void *ctx, const char *name, struct json_object *value)
{
	const struct comparison *c = ctx;
	struct json_object *other;

	return json_get(c->other, name, &other) == MCP_OK && json_equal(value, other);
}

static bool
equal_scalars(const struct json_object *a, const struct json_object *b)
{
	const char *s = "", *t = "";
	bool p = false, q = false;
	size_t n = 0, m = 0;

	if (json_as_bool(a, &p) == MCP_OK && json_as_bool(b, &q) == MCP_OK)
		return p == q;
	if (json_as_string(a, &s, &n) == MCP_OK && json_as_string(b, &t, &m) == MCP_OK)
		return n == m && memcmp(s, t, n) == 0;
	return true;
}

bool
json_equal(const struct json_object *a, const struct json_object *b)
{
	enum json_kind kind = json_kind(a), other = json_kind(b);
	struct comparison c = { b };

	if ((kind == JSON_INT || kind == JSON_DOUBLE) && (other == JSON_INT || other == JSON_DOUBLE))
		return json_compare_numbers(a, b) == 0;
	if (kind != other || json_count(a) != json_count(b))
		return false;
	if (kind == JSON_OBJECT)
		return json_each(a, equal_member, &c);
	if (kind != JSON_ARRAY)
		return equal_scalars(a, b);
	for (size_t i = 0, n = json_count(a); i < n; i++)
		if (!json_equal(json_at(a, i), json_at(b, i)))
			return false;
	return true;
}

#define HASH_BEGIN 0xcbf29ce484222325u

/* FNV-1a. */
static uint64_t
hash_bytes(uint64_t hash, const void *data, size_t len)
{
	const unsigned char *bytes = data;

	for (size_t i = 0; i < len; i++)
		hash = (hash ^ bytes[i]) * 0x100000001b3u;
	return hash;
}

static uint64_t
hash_number(uint64_t hash, const struct json_object *v)
{
	struct decimal d;
	const char *at;

	read_decimal(v, &d);
	hash = hash_bytes(hash, &d.top, sizeof(d.top));
	hash = hash_bytes(hash, d.negative ? "-" : "+", 1);
	at = d.digits;
	for (size_t i = 0; i < d.n; i++) {
		unsigned char digit = (unsigned char)next_digit(&at);

		hash = hash_bytes(hash, &digit, 1);
	}
	return hash;
}

struct hashing {
	uint64_t sum;
	size_t *values;
};

/* Members count in any order, so their hashes are added up. */
static bool
hash_member(void *ctx, const char *name, struct json_object *value)
{
	struct hashing *h = ctx;
	uint64_t inner = json_hash(value, h->values);

	h->sum += hash_bytes(hash_bytes(HASH_BEGIN, name, strlen(name) + 1), &inner, sizeof(inner));
	return true;
}

uint64_t
json_hash(const struct json_object *v, size_t *values)
{
	enum json_kind kind = json_kind(v);
	unsigned char tag = kind == JSON_DOUBLE ? (unsigned char)JSON_INT : (unsigned char)kind;
	uint64_t hash = hash_bytes(HASH_BEGIN, &tag, 1), inner;
	struct hashing members = { 0, values };
	const char *text;
	size_t len;
	bool truth;

	++*values;
	if (kind == JSON_INT || kind == JSON_DOUBLE)
		return hash_number(hash, v);
	if (json_as_string(v, &text, &len) == MCP_OK)
		return hash_bytes(hash, text, len);
	if (json_as_bool(v, &truth) == MCP_OK)
		return hash_bytes(hash, truth ? "1" : "0", 1);
	for (size_t i = 0, n = json_count(v); kind == JSON_ARRAY && i < n; i++) {
		inner = json_hash(json_at(v, i), values);
		hash = hash_bytes(hash, &inner, sizeof(inner));
	}
	json_each(v, hash_member, &members);
	return kind == JSON_OBJECT ? hash_bytes(hash, &members.sum, sizeof(members.sum)) : hash;
}
