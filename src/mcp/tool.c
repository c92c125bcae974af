/* SPDX-License-Identifier: MIT */
#include "mcp/tool.h"

#include <stdarg.h>
#include <string.h>

#include "base/buf.h"
#include "base/json.h"

#define FORMATTED_MAX (1024 * 1024)	/* bytes of one formatted text block */

enum mcp_err
tool_text(struct tool_call *call, const char *text, size_t len)
{
	struct json_object *block = json_new_object();
	enum mcp_err err = MCP_ENOMEM;

	if (!block)
		goto out;
	if (!call->content)
		call->content = json_new_array();
	if (!call->content)
		goto out;
	err = json_set_new(block, "type", json_new_string("text", 4));
	if (err)
		goto out;
	err = json_set_new(block, "text", json_new_string(text, len));
	if (err)
		goto out;
	err = json_push(call->content, block);
	block = NULL;
out:
	json_free(block);
	return err ? MCP_ENOMEM : MCP_OK;
}

static enum mcp_err text_format(struct tool_call *call, const char *fmt, va_list ap) MCP_PRINTF(2, 0);

static enum mcp_err
text_format(struct tool_call *call, const char *fmt, va_list ap)
{
	enum mcp_err err;
	struct buf b;

	buf_init(&b, FORMATTED_MAX);
	buf_vprintf(&b, fmt, ap);
	err = buf_status(&b) ? MCP_ENOMEM : tool_text(call, b.data, b.len);
	buf_clear(&b);
	return err;
}

enum mcp_err
tool_textf(struct tool_call *call, const char *fmt, ...)
{
	enum mcp_err err;
	va_list ap;

	va_start(ap, fmt);
	err = text_format(call, fmt, ap);
	va_end(ap);
	return err;
}

enum mcp_err
tool_error(struct tool_call *call, const char *fmt, ...)
{
	enum mcp_err err;
	va_list ap;

	call->is_error = true;
	va_start(ap, fmt);
	err = text_format(call, fmt, ap);
	va_end(ap);
	return err;
}

enum mcp_err
tool_structured(struct tool_call *call, struct json_object *value)
{
	enum mcp_err err;
	struct buf b;

	json_free(call->structured);
	call->structured = value;
	buf_init(&b, FORMATTED_MAX);
	json_render(value, &b);
	err = buf_status(&b) ? MCP_ENOMEM : tool_text(call, b.data, b.len);
	buf_clear(&b);
	return err;
}
