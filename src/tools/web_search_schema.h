/* SPDX-License-Identifier: MIT */
#ifndef MCP_TOOLS_WEB_SEARCH_SCHEMA_H
#define MCP_TOOLS_WEB_SEARCH_SCHEMA_H

/* JSON Schemas of web_search: the arguments and bounds of Tavily's /search, and what comes back. Source: docs.tavily.com, POST /search. */
extern const char web_search_input_schema[];
extern const char web_search_output_schema[];

#endif
