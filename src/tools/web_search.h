/* SPDX-License-Identifier: MIT */
#ifndef MCP_TOOLS_WEB_SEARCH_H
#define MCP_TOOLS_WEB_SEARCH_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/settings.h"
#include "mcp/tool.h"

struct fetch_policy;

#define WEB_SEARCH_DEFAULTS_MAX 16384	/* bytes of DEFAULT_PARAMETERS */

/* Web search through Tavily's /search. Source: docs.tavily.com, API reference. */
struct web_search_settings {
	char *api_key;		/* TAVILY_API_KEY */
	char *api_url;		/* TAVILY_API_URL */
	char *project;		/* TAVILY_PROJECT */
	char *defaults;		/* DEFAULT_PARAMETERS: a JSON object of arguments, for those that a call leaves out */
	bool keyless;		/* TAVILY_KEYLESS: ask without a key, with Tavily's own limits */
	int64_t timeout_s;	/* TAVILY_TIMEOUT_S: of one search, retries included */
};
extern const struct setting web_search_setting_rows[];
extern const size_t web_search_setting_count;

/* Whether searching is possible: a key is set, or keyless mode was asked for. Otherwise the tool is not listed. */
bool web_search_enabled(const struct web_search_settings *settings);

/* What the tool borrows; fill it and keep it as long as the tool. */
struct web_search {
	const struct web_search_settings *settings;
	const struct fetch_policy *fetch;
};

/*
 * The row of the tool; "context" is borrowed. As the other constructors of tools.h. What goes wrong at Tavily is a tool
 * error with a sentence for the reader, and a log line; the HTTP status never tells it, since a client would take a 401
 * of Tavily's for ours and sign in again.
 */
void tool_web_search(struct tool *out, const struct web_search *context);

#endif
