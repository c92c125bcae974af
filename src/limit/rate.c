/* SPDX-License-Identifier: MIT */
/* The grammar of rates. */
#include "limit/rate.h"

#include <ctype.h>
#include <stdbool.h>
#include <stddef.h>
#include <string.h>
#include <strings.h>

#include "base/text.h"

static const struct {
	const char *name;
	int64_t seconds;
} units[] = {
	{ "second", 1 }, { "minute", 60 }, { "hour", 3600 }, { "day", 86400 }
};

static const char *
skip_blanks(const char *p)
{
	return p + strspn(p, " \t");
}

/* Read digits as a number of at most "max"; "p" moves behind them. False when there are none or they say more. */
static bool
number(const char **p, int64_t max, int64_t *out)
{
	int64_t value = 0;

	if (!isdigit((unsigned char)**p))
		return false;
	for (; isdigit((unsigned char)**p); ++*p) {
		value = value * 10 + (**p - '0');
		if (value > max)
			return false;
	}
	*out = value;
	return true;
}

/* Read a unit that ends the text, blanks aside. */
static bool
unit(const char *p, struct limit_rate *rate, int64_t *seconds)
{
	for (size_t i = 0; i < sizeof units / sizeof units[0]; i++) {
		size_t len = strlen(units[i].name);

		if (strncasecmp(p, units[i].name, len) != 0)
			continue;
		p += len;
		if (*p == 's' || *p == 'S')
			p++;
		rate->unit = units[i].name;
		*seconds = units[i].seconds;
		return *skip_blanks(p) == '\0';
	}
	return false;
}

enum mcp_err
limit_rate_parse(const char *text, struct limit_rate *out)
{
	struct limit_rate rate = { .multiple = 1 };
	const char *p = skip_blanks(text);
	int64_t seconds = 0;

	memset(out, 0, sizeof *out);
	if (strncasecmp(p, "off", 3) == 0 && *skip_blanks(p + 3) == '\0')
		return MCP_OK;
	if (!number(&p, LIMIT_MAX, &rate.limit) || rate.limit == 0)
		return MCP_ESYNTAX;
	p = skip_blanks(p);
	if (*p == '/')
		p++;
	else if (strncasecmp(p, "per", 3) == 0 && (p[3] == ' ' || p[3] == '\t'))
		p += 3;
	else
		return MCP_ESYNTAX;
	p = skip_blanks(p);
	if (isdigit((unsigned char)*p) && !number(&p, LIMIT_WINDOW_MAX_S, &rate.multiple))
		return MCP_ESYNTAX;
	if (rate.multiple == 0 || !unit(skip_blanks(p), &rate, &seconds) ||
	    rate.multiple > LIMIT_WINDOW_MAX_S / seconds)
		return MCP_ESYNTAX;
	rate.window_s = rate.multiple * seconds;
	*out = rate;
	return MCP_OK;
}
