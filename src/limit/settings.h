/* SPDX-License-Identifier: MIT */
#ifndef MCP_LIMIT_SETTINGS_H
#define MCP_LIMIT_SETTINGS_H

#include <stddef.h>
#include <stdint.h>

#include "base/settings.h"
#include "base/strlist.h"

#define LIMIT_RATE_ADDRESS_DEFAULT "600/minute"
#define LIMIT_RATE_PRINCIPAL_DEFAULT "120/minute"

/*
 * What an operator says about the rate limit. A rate that is NULL (an empty value in a file) is the default, not
 * "off".
 */
struct limit_settings {
	char *rate_address;		/* RATE_LIMIT */
	char *rate_principal;		/* RATE_LIMIT_PRINCIPAL */
	struct strlist exempt;		/* RATE_LIMIT_EXEMPT, networks whose requests are neither counted nor refused */
	int64_t max_rows;		/* RATE_LIMIT_ROWS */
};
extern const struct setting limit_setting_rows[];
extern const size_t limit_setting_count;

#endif
