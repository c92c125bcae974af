/* SPDX-License-Identifier: MIT */
#ifndef MCP_SCHEMA_VALIDATE_H
#define MCP_SCHEMA_VALIDATE_H

#include "schema/node.h"

/* What schema_validate() says, for the root of a compiled schema. */
bool validate(const struct schema_node *root, const struct json_object *value, struct buf *faults);

#endif
