/* SPDX-License-Identifier: MIT */
#include "mcp/jsonrpc.h"

#include <stdio.h>
#include <string.h>

#include "base/json.h"

static bool
refuse(struct jsonrpc_fault *fault, int code, const char *text)
{
	fault->code = code;
	snprintf(fault->text, sizeof(fault->text), "%s", text);
	return false;
}

static bool
refuse_text(struct jsonrpc_fault *fault, enum mcp_err err, const struct json_fault *where)
{
	if (err == MCP_ENOMEM)
		return refuse(fault, JSONRPC_INTERNAL_ERROR, "Internal error: out of memory");
	fault->code = JSONRPC_PARSE_ERROR;
	snprintf(fault->text, sizeof(fault->text), "Parse error: %s at byte %zu",
	    where->what ? where->what : "not JSON",
	    where->offset);
	return false;
}

/* Whether an id is one we may echo. */
static bool
is_id(const struct json_object *id)
{
	const char *text;
	size_t len;

	if (json_kind(id) == JSON_INT)
		return true;
	return json_as_string(id, &text, &len) == MCP_OK && len <= JSONRPC_ID_MAX;
}

static bool
read_response(const struct json_object *root, bool has_id, struct jsonrpc_fault *fault)
{
	struct json_object *value;
	bool has_result = json_get(root, "result", &value) == MCP_OK;
	bool has_error = json_get(root, "error", &value) == MCP_OK;
	const char *message;
	int64_t code;

	if (has_result == has_error)
		return refuse(fault, JSONRPC_INVALID_REQUEST, has_result ?
		    "Invalid Request: both \"result\" and \"error\"" :
		    "Invalid Request: \"method\" is missing");
	if (has_result) {
		if (!has_id)
			return refuse(fault, JSONRPC_INVALID_REQUEST, "Invalid Request: a result without \"id\"");
		if (json_get_object(root, "result", &value) != MCP_OK)
			return refuse(fault, JSONRPC_INVALID_REQUEST, "Invalid Request: \"result\" must be an object");
		return true;
	}
	if (json_get_int(value, "code", &code) != MCP_OK || json_get_string(value, "message", &message, NULL) != MCP_OK)
		return refuse(fault, JSONRPC_INVALID_REQUEST,
		    "Invalid Request: \"error\" must be an object with an integer \"code\" and a string \"message\"");
	return true;
}

static bool
read_call(struct jsonrpc_message *m, struct jsonrpc_fault *fault)
{
	struct json_object *value;
	enum mcp_err err;

	if (json_get(m->root, "result", &value) == MCP_OK || json_get(m->root, "error", &value) == MCP_OK)
		return refuse(fault, JSONRPC_INVALID_REQUEST, "Invalid Request: a call with \"result\" or \"error\"");
	if (json_get_string(m->root, "method", &m->method, &m->method_len) != MCP_OK)
		return refuse(fault, JSONRPC_INVALID_REQUEST, "Invalid Request: \"method\" must be a string");
	err = json_get_object(m->root, "params", &m->params);
	if (err == MCP_ETYPE)
		return refuse(fault, JSONRPC_INVALID_REQUEST, "Invalid Request: \"params\" must be an object");
	return true;
}

bool
jsonrpc_parse(const char *text, size_t len, struct jsonrpc_message *m, struct jsonrpc_fault *fault)
{
	const struct json_bounds bounds = { len, JSONRPC_DEPTH_MAX, JSONRPC_VALUES_MAX };
	struct json_fault where = { 0, NULL };
	struct json_object *id, *method;
	const char *version;
	bool has_id;
	enum mcp_err err;

	memset(m, 0, sizeof(*m));
	memset(fault, 0, sizeof(*fault));
	if (len == 0)
		return refuse(fault, JSONRPC_PARSE_ERROR, "Parse error: the body is empty");
	err = json_parse(text, len, &bounds, &m->root, &where);
	if (err)
		return refuse_text(fault, err, &where);
	if (json_kind(m->root) == JSON_ARRAY)
		return refuse(fault, JSONRPC_INVALID_REQUEST, "Invalid Request: batches are not supported");
	if (json_kind(m->root) != JSON_OBJECT)
		return refuse(fault, JSONRPC_INVALID_REQUEST, "Invalid Request: a message is an object");

	has_id = json_get(m->root, "id", &id) == MCP_OK;
	if (has_id && !is_id(id))
		return refuse(fault, JSONRPC_INVALID_REQUEST, "Invalid Request: \"id\" must be a string or an integer");
	if (has_id)
		m->id = id;
	if (json_get_string(m->root, "jsonrpc", &version, NULL) != MCP_OK || strcmp(version, "2.0") != 0)
		return refuse(fault, JSONRPC_INVALID_REQUEST, "Invalid Request: \"jsonrpc\" must be \"2.0\"");
	if (json_get(m->root, "method", &method) != MCP_OK) {
		m->kind = JSONRPC_RESPONSE;
		return read_response(m->root, has_id, fault);
	}
	m->kind = has_id ? JSONRPC_REQUEST : JSONRPC_NOTIFICATION;
	return read_call(m, fault);
}

void
jsonrpc_clear(struct jsonrpc_message *m)
{
	json_free(m->root);
	memset(m, 0, sizeof(*m));
}

void
jsonrpc_render_head(const struct json_object *id, struct buf *out)
{
	buf_puts(out, "{\"jsonrpc\":\"2.0\",");
	if (!id)
		return;
	buf_puts(out, "\"id\":");
	json_render(id, out);
	buf_putc(out, ',');
}

void
jsonrpc_render_error(const struct json_object *id, int code, const char *message, const struct json_object *data,
    struct buf *out)
{
	jsonrpc_render_head(id, out);
	buf_printf(out, "\"error\":{\"code\":%d,\"message\":", code);
	json_render_string(message, strlen(message), out);
	if (data) {
		buf_puts(out, ",\"data\":");
		json_render(data, out);
	}
	buf_puts(out, "}}");
}
