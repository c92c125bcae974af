/* SPDX-License-Identifier: MIT */
/* What the operator decides about web_search. */
#include "tools/web_search.h"

#include <string.h>

#include "base/buf.h"
#include "base/json.h"
#include "net/fetch.h"
#include "schema/schema.h"
#include "tools/web_search_schema.h"

static const char *
check_header_value(const char *value)
{
	for (; *value; value++) {
		if (*value < 0x21 || *value > 0x7e)
			return "has a blank, a control byte or a letter outside ASCII in it";
	}
	return NULL;
}

static const char *
check_api_url(const char *value)
{
	return fetch_url_allowed(value) ? NULL
	    : "is no https:// URL (http:// only to loopback), without user and fragment";
}

static const struct json_bounds defaults_bounds = { WEB_SEARCH_DEFAULTS_MAX, 8, 1000 };

/* Defaults must be arguments that the tool would take. */
static const char *
check_defaults(const char *value)
{
	struct json_object *defaults = NULL, *source = NULL;
	const char *wrong = "is no JSON object of arguments of web_search";
	struct schema *schema = NULL;
	struct buf faults;
	const char *why;

	buf_init(&faults, 1024);
	if (json_parse(value, strlen(value), &defaults_bounds, &defaults, NULL) == MCP_OK &&
	    json_set_new(defaults, "query", json_new_string("x", 1)) == MCP_OK &&
	    json_parse(web_search_input_schema, strlen(web_search_input_schema), &defaults_bounds, &source,
	    NULL) == MCP_OK &&
	    schema_compile(source, 0, &schema, &why, NULL) == MCP_OK && schema_validate(schema, defaults, &faults))
		wrong = NULL;
	schema_free(schema);
	json_free(source);
	json_free(defaults);
	buf_clear(&faults);
	return wrong;
}

#define FIELD(name) offsetof(struct web_search_settings, name)

const struct setting web_search_setting_rows[] = {
	{ .name = "TAVILY_API_KEY", .type = SETTING_STRING, .flags = SETTING_SECRET, .offset = FIELD(api_key),
	  .check = check_header_value, .help = "Key for web_search; without it the tool is not listed." },
	{ .name = "TAVILY_API_URL", .type = SETTING_STRING, .offset = FIELD(api_url),
	  .fallback = "https://api.tavily.com",
	  .check = check_api_url, .help = "Where Tavily's interface is." },
	{ .name = "TAVILY_KEYLESS", .type = SETTING_BOOL, .offset = FIELD(keyless), .fallback = "off",
	  .help = "Search without a key, within the limits that Tavily sets for that." },
	{ .name = "TAVILY_PROJECT", .type = SETTING_STRING, .offset = FIELD(project), .check = check_header_value,
	  .help = "Project id that Tavily accounts searches to." },
	{ .name = "TAVILY_TIMEOUT_S", .type = SETTING_INT, .offset = FIELD(timeout_s), .fallback = "30", .min = 1,
	  .max = 120,
	  .help = "Seconds that one search may take, a second try included." },
	{ .name = "DEFAULT_PARAMETERS", .type = SETTING_STRING, .offset = FIELD(defaults), .check = check_defaults,
	  .help = "A JSON object of arguments for searches that do not give them." },
};
const size_t web_search_setting_count = sizeof(web_search_setting_rows) / sizeof(web_search_setting_rows[0]);

bool
web_search_enabled(const struct web_search_settings *settings)
{
	return settings->api_key || settings->keyless;
}
