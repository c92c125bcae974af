/* SPDX-License-Identifier: MIT */
/* The settings of the rate limit. */
#include "limit/settings.h"

#include "http/address.h"
#include "limit/rate.h"

#define NETWORKS_MAX 256

static const char *
check_rate(const char *value)
{
	struct limit_rate rate;

	if (limit_rate_parse(value, &rate) != MCP_OK)
		return "is no rate; write COUNT/UNIT, e.g. 10/minute or 600/5minutes (second, minute, hour, day; up to"
		    " 30 days), or off";
	return NULL;
}

static const char *
check_networks(const char *value)
{
	struct strlist list = { NULL, 0 };
	struct network network;
	const char *wrong = NULL;

	switch (strlist_split(&list, value, ", \t\r\n", NETWORKS_MAX)) {
	case MCP_OK: break;
	case MCP_ELIMIT: wrong = "lists more than 256 networks"; break;
	default: wrong = "could not be read, memory is short"; break;
	}
	for (size_t i = 0; !wrong && i < list.n; i++)
		if (network_parse(list.v[i], &network) != MCP_OK)
			wrong = "holds something that is no network; write ADDRESS or ADDRESS/BITS, e.g. 10.0.0.0/8";
	strlist_clear(&list);
	return wrong;
}

const struct setting limit_setting_rows[] = {
	{ .name = "RATE_LIMIT", .type = SETTING_STRING, .offset = offsetof(struct limit_settings, rate_address),
	    .fallback = LIMIT_RATE_ADDRESS_DEFAULT, .check = check_rate,
	    .help = "How many requests a client address (IPv6: one /64) may make, e.g. 10/minute; off: no limit." },
	{ .name = "RATE_LIMIT_PRINCIPAL", .type = SETTING_STRING, .offset = offsetof(struct limit_settings,
	    rate_principal),
	    .fallback = LIMIT_RATE_PRINCIPAL_DEFAULT, .check = check_rate,
	    .help = "How many requests a principal (a token's issuer, subject and client) may make; off: no limit." },
	{ .name = "RATE_LIMIT_EXEMPT", .type = SETTING_LIST, .offset = offsetof(struct limit_settings, exempt),
	    .check = check_networks,
	    .help = "Networks whose requests are neither counted nor refused, e.g. 10.0.0.0/8, ::1." },
	{ .name = "RATE_LIMIT_ROWS", .type = SETTING_INT, .offset = offsetof(struct limit_settings, max_rows),
	    .fallback = "1000000", .min = 1000, .max = 100000000,
	    .help = "How many addresses and principals the table counts at most; then the least used are forgotten." }
};
const size_t limit_setting_count = sizeof limit_setting_rows / sizeof limit_setting_rows[0];
