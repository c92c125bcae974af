/* SPDX-License-Identifier: MIT */
#ifndef MCP_TOOLS_WEB_SEARCH_SCHEMA_H
#define MCP_TOOLS_WEB_SEARCH_SCHEMA_H

/*
 * The texts that describe web_search to clients, as JSON Schema 2020-12. Source: Tavily's API reference, POST /search.
 */

/* Arguments. Rules between two arguments, which the schema cannot say, are checked by the tool. */
extern const char web_search_input_schema[];

/* The structured result. */
extern const char web_search_output_schema[];

#endif
