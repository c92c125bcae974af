/* SPDX-License-Identifier: MIT */
/* Reading Cache-Control, Date and Retry-After of other servers' answers. */
#include "net/field.h"

#include <stdbool.h>
#include <string.h>
#include <strings.h>

#include "base/text.h"

static bool
is_digit(char c)
{
	return c >= '0' && c <= '9';
}

/* 1*DIGIT as seconds, -1 for anything else. */
static int64_t
seconds(const char *s, size_t len)
{
	int64_t n = 0;

	if (len == 0)
		return -1;
	for (size_t i = 0; i < len; i++) {
		if (!is_digit(s[i]))
			return -1;
		if (n < FIELD_SECONDS_MAX)
			n = n * 10 + (s[i] - '0');
	}
	return n < FIELD_SECONDS_MAX ? n : FIELD_SECONDS_MAX;
}

/* The length of the list element that begins at "s": up to a comma outside quotes. -1 when a quote stays open. */
static long
element_length(const char *s, size_t len)
{
	bool quoted = false;
	size_t i;

	for (i = 0; i < len && (quoted || s[i] != ','); i++) {
		if (s[i] == '"')
			quoted = !quoted;
		else if (quoted && s[i] == '\\' && i + 1 < len)
			i++;
	}
	return quoted ? -1 : (long)i;
}

static bool
name_is(const char *s, size_t len, const char *name)
{
	return len == strlen(name) && strncasecmp(s, name, len) == 0;
}

/* One directive; false when it is max-age with an unreadable value. */
static bool
directive(const char *s, size_t len, bool *forbidden, int64_t *age)
{
	const char *equals = len ? memchr(s, '=', len) : NULL;
	size_t name_len = equals ? (size_t)(equals - s) : len;
	const char *value = equals ? equals + 1 : NULL;
	size_t value_len = equals ? len - name_len - 1 : 0;
	int64_t n;

	if (name_is(s, name_len, "no-store") || name_is(s, name_len, "no-cache")) {
		*forbidden = true;
		return true;
	}
	if (!name_is(s, name_len, "max-age"))
		return true;
	if (value_len >= 2 && value[0] == '"' && value[value_len - 1] == '"') {
		value++;
		value_len -= 2;
	}
	n = value ? seconds(value, value_len) : -1;
	if (n < 0)
		return false;
	if (*age < 0 || n < *age)
		*age = n;
	return true;
}

int64_t
field_max_age(const char *value, size_t len)
{
	bool forbidden = false;
	bool good = true;
	int64_t age = -1;

	while (good && len > 0) {
		long n = element_length(value, len);
		const char *s = value;
		size_t s_len = (size_t)n;

		if (n < 0) {
			good = false;
			break;
		}
		text_trim(&s, &s_len);
		good = directive(s, s_len, &forbidden, &age);
		if ((size_t)n == len)
			break;
		value += n + 1;
		len -= (size_t)n + 1;
	}
	/* "Do not keep" is obeyed even when the rest is garbage. */
	if (forbidden)
		return 0;
	return good ? age : -1;
}

/* Days from 1970-01-01 to a date of the Gregorian calendar, by counting leap days; years from 1970. */
static int64_t
days_since_epoch(int year, int month, int day)
{
	static const int before[] = { 0, 31, 59, 90, 120, 151, 181, 212, 243, 273, 304, 334 };
	int64_t past = year - 1;
	int64_t days =
	    (year - 1970) * INT64_C(365) + (past / 4 - past / 100 + past / 400) - (1969 / 4 - 1969 / 100 + 1969 / 400);
	bool leap = year % 4 == 0 && (year % 100 != 0 || year % 400 == 0);

	return days + before[month] + (month > 1 && leap) + day - 1;
}

struct date {
	int year, month, day, hour, minute, second;
};

/* Take "n" digits. */
static bool
digits(const char **s, const char *end, int n, int *out)
{
	*out = 0;
	if (end - *s < n)
		return false;
	for (; n > 0; n--, (*s)++) {
		if (!is_digit(**s))
			return false;
		*out = *out * 10 + (**s - '0');
	}
	return true;
}

/*
 * Take one of the words in "words" ("n" of them), the first "short_len" letters or, with 0, whole; returns its number
 * or -1.
 */
static int
word(const char **s, const char *end, const char *const *words, int n, size_t short_len)
{
	for (int i = 0; i < n; i++) {
		size_t len = short_len ? short_len : strlen(words[i]);

		if ((size_t)(end - *s) >= len && memcmp(*s, words[i], len) == 0) {
			*s += len;
			return i;
		}
	}
	return -1;
}

/* Take one part of a date: a letter of the patterns below. */
static bool
date_part(char what, const char **s, const char *end, struct date *d)
{
	static const char *const day_names[] = { "Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday",
	    "Sunday" };
	static const char *const months[] = { "Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct",
	    "Nov", "Dec" };

	switch (what) {
	case 'w':
		return word(s, end, day_names, 7, 3) >= 0;
	case 'W':
		return word(s, end, day_names, 7, 0) >= 0;
	case 'm':
		d->month = word(s, end, months, 12, 3);
		return d->month >= 0;
	case 'e':
		if (*s < end && **s == ' ') {
			(*s)++;
			return digits(s, end, 1, &d->day);
		}
		return digits(s, end, 2, &d->day);
	case 'd':
		return digits(s, end, 2, &d->day);
	case 'h':
		return digits(s, end, 2, &d->hour);
	case 'i':
		return digits(s, end, 2, &d->minute);
	case 's':
		return digits(s, end, 2, &d->second);
	case 'Y':
		return digits(s, end, 4, &d->year);
	case 'y':
		if (!digits(s, end, 2, &d->year))
			return false;
		d->year += d->year < 70 ? 2000 : 1900;
		return true;
	default:
		return *s < end && *(*s)++ == what;
	}
}

int64_t
field_date(const char *value, size_t len)
{
	/* IMF-fixdate, RFC 850, asctime(); upper-case letters that no part uses (G M T) stand for themselves. */
	static const char *const patterns[] = { "w, d m Y h:i:s GMT", "W, d-m-y h:i:s GMT", "w m e h:i:s Y" };

	for (size_t i = 0; i < sizeof(patterns) / sizeof(patterns[0]); i++) {
		struct date d = { 0 };
		const char *s = value;
		const char *end = value + len;
		const char *p = patterns[i];

		while (*p && date_part(*p, &s, end, &d))
			p++;
		if (*p || s != end)
			continue;
		if (d.year < 1970 || d.day < 1 || d.day > 31 || d.hour > 23 || d.minute > 59 || d.second > 60)
			return -1;
		return days_since_epoch(d.year, d.month, d.day) * 86400 + d.hour * 3600 + d.minute * 60 + d.second;
	}
	return -1;
}

int64_t
field_retry_after(const char *value, size_t len, int64_t now_s)
{
	int64_t n = seconds(value, len);

	if (n >= 0)
		return n;
	n = field_date(value, len);
	if (n < 0)
		return -1;
	if (n <= now_s)
		return 0;
	return n - now_s < FIELD_SECONDS_MAX ? n - now_s : FIELD_SECONDS_MAX;
}
