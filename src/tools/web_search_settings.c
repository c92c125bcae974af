/* SPDX-License-Identifier: MIT */
#include "tools/web_search.h"

#include "net/fetch.h"

static const char *
check_url(const char *value)
{
	return fetch_url_allowed(value) ? NULL : "is no https:// URL (http:// only to loopback), without user and fragment";
}

#define AT(name) offsetof(struct web_search_settings, name)

const struct setting web_search_setting_rows[] = {
	{ .name = "TAVILY_API_KEY",
	    .type = SETTING_STRING,
	    .flags = SETTING_SECRET,
	    .offset = AT(api_key),
	    .help = "Key for Tavily; web_search is listed when it is set." },
	{ .name = "TAVILY_API_URL",
	    .type = SETTING_STRING,
	    .offset = AT(api_url),
	    .fallback = "https://api.tavily.com",
	    .check = check_url,
	    .help = "Where Tavily's API is." },
	{ .name = "TAVILY_PROJECT",
	    .type = SETTING_STRING,
	    .offset = AT(project),
	    .help = "Project that Tavily accounts searches to." },
	{ .name = "TAVILY_KEYLESS",
	    .type = SETTING_BOOL,
	    .offset = AT(keyless),
	    .fallback = "off",
	    .help = "Search without a key, within what Tavily allows to strangers." },
	{ .name = "TAVILY_TIMEOUT_S",
	    .type = SETTING_INT,
	    .offset = AT(timeout_s),
	    .fallback = "30",
	    .min = 1,
	    .max = 120,
	    .help = "Seconds that one search may take, a second try included." },
};
const size_t web_search_setting_count = sizeof web_search_setting_rows / sizeof web_search_setting_rows[0];

bool
web_search_enabled(const struct web_search_settings *settings)
{
	return settings->api_key || settings->keyless;
}
