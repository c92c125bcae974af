/* SPDX-License-Identifier: MIT */
/*
 * The formats of JSON Schema, by name, and those among them that are dates, pointers and other small grammars. Source:
 * JSON Schema 2020-12 validation, section 7.3.
 */
#include "schema/format.h"

#include <errno.h>
#include <string.h>

#include "schema/pattern.h"
#include "schema/schema.h"

/* A number of exactly "n" digits at *at, which moves behind it; -1 if they are not there. */
static int
digits(const char **at, size_t n)
{
	int value = 0;

	for (; n > 0; n--, (*at)++) {
		if (**at < '0' || **at > '9')
			return -1;
		value = value * 10 + (**at - '0');
	}
	return value;
}

static bool
pass(const char **at, char c)
{
	if (**at != c)
		return false;
	(*at)++;
	return true;
}

/* full-date. Source: RFC 3339 section 5.6, and appendix C for leap years. */
static bool
pass_date(const char **at)
{
	static const int days[] = { 31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31 };
	int year, month, day;

	year = digits(at, 4);
	if (year < 0 || !pass(at, '-'))
		return false;
	month = digits(at, 2);
	if (month < 1 || month > 12 || !pass(at, '-'))
		return false;
	day = digits(at, 2);
	if (month == 2 && day == 29)
		return year % 4 == 0 && (year % 100 != 0 || year % 400 == 0);
	return day >= 1 && day <= days[month - 1];
}

/* full-time: a leap second is the last one of a day in UTC. Source: RFC 3339 sections 5.6 and 5.7. */
static bool
pass_time(const char **at)
{
	int hour, minute, second, offset_hour = 0, offset_minute = 0, utc;
	bool behind;

	hour = digits(at, 2);
	if (hour < 0 || hour > 23 || !pass(at, ':'))
		return false;
	minute = digits(at, 2);
	if (minute < 0 || minute > 59 || !pass(at, ':'))
		return false;
	second = digits(at, 2);
	if (second < 0 || second > 60)
		return false;
	if (pass(at, '.')) {
		if (digits(at, 1) < 0)
			return false;
		while (**at >= '0' && **at <= '9')
			(*at)++;
	}
	behind = **at == '-';
	if (pass(at, '+') || pass(at, '-')) {
		offset_hour = digits(at, 2);
		if (offset_hour < 0 || offset_hour > 23 || !pass(at, ':'))
			return false;
		offset_minute = digits(at, 2);
		if (offset_minute < 0 || offset_minute > 59)
			return false;
	} else if (!pass(at, 'Z') && !pass(at, 'z')) {
		return false;
	}
	utc = hour * 60 + minute - (behind ? -1 : 1) * (offset_hour * 60 + offset_minute);
	return second < 60 || (utc + 24 * 60) % (24 * 60) == 23 * 60 + 59;
}

static bool
format_date(const char *text, size_t len)
{
	(void)len;
	return pass_date(&text) && *text == '\0';
}

static bool
format_time(const char *text, size_t len)
{
	(void)len;
	return pass_time(&text) && *text == '\0';
}

static bool
format_date_time(const char *text, size_t len)
{
	(void)len;
	return pass_date(&text) && (pass(&text, 'T') || pass(&text, 't')) && pass_time(&text) && *text == '\0';
}

/*
 * Numbers with units, at least one, each but the first behind the one before it in "units"; what follows the first
 * unit without a gap only. Source: RFC 3339 appendix A.
 */
static bool
pass_units(const char **at, const char *units)
{
	const char *unit = NULL;

	while (**at >= '0' && **at <= '9') {
		while (**at >= '0' && **at <= '9')
			(*at)++;
		if (**at == '\0')
			return false;
		if (!unit)
			unit = strchr(units, **at);
		else
			unit++;
		if (!unit || *unit != **at)
			return false;
		(*at)++;
	}
	return unit != NULL;
}

static bool
format_duration(const char *text, size_t len)
{
	const char *weeks = text;

	(void)len;
	if (!pass(&text, 'P'))
		return false;
	weeks = text;
	if (pass_units(&weeks, "W") && *weeks == '\0')
		return true;
	if (*text != 'T' && !pass_units(&text, "YMD"))
		return false;
	if (pass(&text, 'T') && !pass_units(&text, "HMS"))
		return false;
	return *text == '\0';
}

/* Source: RFC 4122 section 3, RFC 9562 section 4. */
static bool
format_uuid(const char *text, size_t len)
{
	static const char shape[] = "xxxxxxxx-xxxx-xxxx-xxxx-xxxxxxxxxxxx";

	if (len != sizeof(shape) - 1)
		return false;
	for (size_t i = 0; i < len; i++)
		if (shape[i] == '-' ? text[i] != '-' : !strchr("0123456789abcdefABCDEF", text[i]))
			return false;
	return true;
}

/* Source: RFC 6901 section 3. */
static bool
format_json_pointer(const char *text, size_t len)
{
	(void)len;
	if (*text != '/' && *text != '\0')
		return false;
	for (; *text; text++)
		if (*text == '~' && text[1] != '0' && text[1] != '1')
			return false;
	return true;
}

/* Source: draft-bhutton-relative-json-pointer-00 section 3. */
static bool
format_relative_json_pointer(const char *text, size_t len)
{
	(void)len;
	if (*text < '0' || *text > '9' || (*text == '0' && text[1] >= '0' && text[1] <= '9'))
		return false;
	while (*text >= '0' && *text <= '9')
		text++;
	return strcmp(text, "#") == 0 || format_json_pointer(text, strlen(text));
}

static bool
format_regex(const char *text, size_t len)
{
	struct pattern *p;
	const char *why;
	enum mcp_err err = pattern_compile(text, len, SCHEMA_PATTERN_MAX, &p, &why);

	pattern_free(p);
	if (err == MCP_ENOMEM)
		errno = ENOMEM;
	return err == MCP_OK;
}

static const struct {
	const char *name;
	format_check *check;
} formats[] = {
	{ "date", format_date }, { "date-time", format_date_time }, { "time", format_time },
	{ "duration", format_duration }, { "email", format_email }, { "idn-email", format_idn_email },
	{ "hostname", format_hostname }, { "idn-hostname", format_idn_hostname }, { "ipv4", format_ipv4 },
	{ "ipv6", format_ipv6 }, { "uri", format_uri }, { "uri-reference", format_uri_reference },
	{ "iri", format_iri }, { "iri-reference", format_iri_reference }, { "uuid", format_uuid },
	{ "uri-template", format_uri_template }, { "json-pointer", format_json_pointer },
	{ "relative-json-pointer", format_relative_json_pointer }, { "regex", format_regex }
};

format_check *
format_find(const char *name)
{
	for (size_t i = 0; i < sizeof(formats) / sizeof(formats[0]); i++)
		if (strcmp(name, formats[i].name) == 0)
			return formats[i].check;
	return NULL;
}
