/* SPDX-License-Identifier: MIT */
#ifndef MCP_SCHEMA_METASCHEMA_H
#define MCP_SCHEMA_METASCHEMA_H

/* The URI of the draft's own meta-schema, which is also the name of its dialect. */
#define METASCHEMA_URI "https://json-schema.org/draft/2020-12/schema"

/* The text of a meta-schema of draft 2020-12 by its URI without a fragment; NULL if it is none of them. Static. */
const char *metaschema_text(const char *uri);

#endif
