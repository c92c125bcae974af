/* SPDX-License-Identifier: MIT */
/* The organisation is the token's and no argument can name another: that is the whole isolation. */
#include "tools/tools.h"

#include <stdlib.h>
#include <string.h>

#include "base/json.h"
#include "store/state.h"

#define DATA_MAX (512 * 1024)	/* bytes of keys and values in one answer */

struct collection {
	struct json_object *data;
	size_t bytes;
	enum mcp_err err;
};

static bool
collect(void *ctx, const char *key, const char *value)
{
	struct collection *c = ctx;

	c->bytes += strlen(key) + strlen(value);
	c->err = c->bytes > DATA_MAX ? MCP_ELIMIT : json_set_new(c->data, key, json_new_string(value, strlen(value)));
	return c->err == MCP_OK;
}

/* Everything, or one key: an unknown one is no data, not a fault. */
static enum mcp_err
read_data(struct state *state, const char *organisation, const char *key, struct collection *c)
{
	enum mcp_err err;
	char *value;

	if (!key) {
		err = state_org_each(state, organisation, collect, c);
		return err ? err : c->err;
	}
	err = state_org_get(state, organisation, key, &value);
	if (err == MCP_ENOENT || err == MCP_EINVAL || err == MCP_ELIMIT)
		return MCP_OK;
	if (err)
		return err;
	collect(c, key, value);
	free(value);
	return c->err;
}

static enum mcp_err
get_org_data(struct tool_call *call)
{
	const char *organisation = call->organisation, *key = NULL;
	struct collection c = { json_new_object(), 0, MCP_OK };
	struct json_object *result = json_new_object();
	enum mcp_err err;

	if (json_get_string(call->arguments, "key", &key, NULL) != MCP_OK)
		key = NULL;
	err = c.data && result ? read_data(call->context, organisation, key, &c) : MCP_ENOMEM;
	if (err == MCP_ELIMIT) {
		err = tool_error(call, "The organisation has more data than fits in one answer. Ask for one key at a "
		    "time.");
		goto out;
	}
	if (!err)
		err = json_set_new(result, "organization", json_new_string(organisation, strlen(organisation)));
	if (!err) {
		err = json_set(result, "data", c.data);
		c.data = NULL;
	}
	if (!err) {
		err = tool_structured(call, result);
		result = NULL;
	}
out:
	json_free(c.data);
	json_free(result);
	return err;
}

void
tool_get_org_data(struct tool *out, struct state *state)
{
	*out = (struct tool) {
		.name = "get_org_data",
		.title = "Organisation data",
		.description = "Returns the data that is kept for the caller's organisation, as keys and values.",
		.input_schema =
		    "{\"type\":\"object\","
		    "\"properties\":{\"key\":{\"type\":\"string\",\"description\":\"Return only this key.\","
		    "\"minLength\":1,\"maxLength\":256}},"
		    "\"additionalProperties\":false}",
		.output_schema =
		    "{\"type\":\"object\","
		    "\"properties\":{\"organization\":{\"type\":\"string\"},"
		    "\"data\":{\"type\":\"object\",\"additionalProperties\":{\"type\":\"string\"}}},"
		    "\"required\":[\"organization\",\"data\"],\"additionalProperties\":false}",
		.annotations = "{\"readOnlyHint\":true,\"openWorldHint\":false}",
		.needs_organisation = true,
		.call = get_org_data,
		.context = state
	};
}
