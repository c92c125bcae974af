/* SPDX-License-Identifier: MIT */
/* Answers for content: blocks of a result, messages of a prompt, contents of a resource, values of a completion. */
#include "mcp/tool.h"

#include <stdarg.h>
#include <string.h>

#include "base/buf.h"
#include "base/json.h"
#include "base/text.h"
#include "mcp/describe.h"
#include "mcp/resource.h"
#include "mcp/rpc.h"

#define FORMATTED_MAX (1024 * 1024)	/* bytes of one formatted text block */
#define COMPLETIONS_SEEN_MAX 100000	/* beyond this a completion is only counted as "more" */

/* Put what was described at the end of call->content. */
static enum mcp_err
append(struct tool_call *call, struct describe *d)
{
	if (!d->err && !call->content && !(call->content = json_new_array()))
		d->err = MCP_ENOMEM;
	if (d->err) {
		json_free(d->object);
		return d->err;
	}
	return json_push_new(call->content, d->object) ? MCP_ENOMEM : MCP_OK;
}

/* The same for a content block, which in a prompt is the content of a message. */
static enum mcp_err
append_block(struct tool_call *call, struct describe *d)
{
	struct describe message = { 0 };

	if (d->err || !call->role)
		return append(call, d);
	describe_string(&message, "role", call->role == TOOL_ASSISTANT ? "assistant" : "user");
	describe_value(&message, "content", d->object);
	return append(call, &message);
}

static void
describe_text(struct describe *d, const char *name, const char *text, size_t len)
{
	describe_value(d, name, json_new_string(text, len));
}

/* Bytes, in base64. */
static void
describe_bytes(struct describe *d, const char *name, const void *bytes, size_t len)
{
	struct buf b;

	if (len > TOOL_BYTES_MAX) {
		d->err = d->err ? d->err : MCP_ELIMIT;
		return;
	}
	buf_init(&b, 4 * (TOOL_BYTES_MAX / 3 + 1));
	text_base64_encode(bytes, len, &b);
	describe_value(d, name, buf_status(&b) ? NULL : json_new_string(b.data, b.len));
	buf_clear(&b);
}

enum mcp_err
tool_text(struct tool_call *call, const char *text, size_t len)
{
	struct describe d = { 0 };

	describe_string(&d, "type", "text");
	describe_text(&d, "text", text, len);
	return append_block(call, &d);
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

static enum mcp_err
append_media(struct tool_call *call, const char *type, const void *bytes, size_t len, const char *mime_type)
{
	struct describe d = { 0 };

	if (!mime_type || !strchr(mime_type, '/'))
		return MCP_EINVAL;
	describe_string(&d, "type", type);
	describe_bytes(&d, "data", bytes, len);
	describe_string(&d, "mimeType", mime_type);
	return append_block(call, &d);
}

enum mcp_err
tool_image(struct tool_call *call, const void *bytes, size_t len, const char *mime_type)
{
	return append_media(call, "image", bytes, len, mime_type);
}

enum mcp_err
tool_audio(struct tool_call *call, const void *bytes, size_t len, const char *mime_type)
{
	return append_media(call, "audio", bytes, len, mime_type);
}

enum mcp_err
tool_resource_link(struct tool_call *call, const struct resource *resource)
{
	struct describe d = { 0 };

	/* Versions are dates: before 2025-06-18 this block was not known. */
	if (call->rpc && call->rpc->version && strcmp(call->rpc->version, "2025-06-18") < 0)
		return tool_textf(call, "%s: %s", resource->name, resource->uri);
	describe_string(&d, "type", "resource_link");
	describe_resource(&d, resource);
	return append_block(call, &d);
}

/* The beginning of a ResourceContents object; the text or the bytes follow. */
static void
describe_contents(struct describe *d, const char *uri, const char *mime_type)
{
	describe_string(d, "uri", uri);
	describe_string(d, "mimeType", mime_type);
}

static enum mcp_err
append_embedded(struct tool_call *call, struct describe *contents)
{
	struct describe d = { 0 };

	if (contents->err)
		return append(call, contents);
	describe_string(&d, "type", "resource");
	describe_value(&d, "resource", contents->object);
	return append_block(call, &d);
}

enum mcp_err
tool_embedded_text(struct tool_call *call, const char *uri, const char *mime_type, const char *text, size_t len)
{
	struct describe d = { 0 };

	describe_contents(&d, uri, mime_type);
	describe_text(&d, "text", text, len);
	return append_embedded(call, &d);
}

enum mcp_err
tool_embedded_blob(struct tool_call *call, const char *uri, const char *mime_type, const void *bytes, size_t len)
{
	struct describe d = { 0 };

	describe_contents(&d, uri, mime_type);
	describe_bytes(&d, "blob", bytes, len);
	return append_embedded(call, &d);
}

enum mcp_err
resource_text(struct tool_call *call, const char *uri, const char *mime_type, const char *text, size_t len)
{
	struct describe d = { 0 };

	describe_contents(&d, uri ? uri : call->uri, mime_type);
	describe_text(&d, "text", text, len);
	return append(call, &d);
}

enum mcp_err
resource_blob(struct tool_call *call, const char *uri, const char *mime_type, const void *bytes, size_t len)
{
	struct describe d = { 0 };

	describe_contents(&d, uri ? uri : call->uri, mime_type);
	describe_bytes(&d, "blob", bytes, len);
	return append(call, &d);
}

/* An array of the roles in "audience". */
static struct json_object *
roles(unsigned audience)
{
	static const char *const names[] = { "user", "assistant" };
	struct json_object *list = json_new_array();

	for (unsigned i = 0; i < 2 && list; i++)
		if ((audience & 1u << i) && json_push_new(list, json_new_string(names[i], strlen(names[i])))) {
			json_free(list);
			list = NULL;
		}
	return list;
}

enum mcp_err
tool_annotate(struct tool_call *call, unsigned audience, double priority, const char *last_modified)
{
	size_t n = json_count(call->content);
	struct json_object *block = n ? json_at(call->content, n - 1) : NULL;
	struct describe d = { 0 };

	if (call->role && (!block || json_get(block, "content", &block)))
		block = NULL;
	if (!block)
		return MCP_ENOENT;
	if (audience & (TOOL_USER | TOOL_ASSISTANT))
		describe_value(&d, "audience", roles(audience));
	if (priority >= 0)
		describe_value(&d, "priority", json_new_double(priority > 1 ? 1 : priority));
	describe_string(&d, "lastModified", last_modified);
	if (d.err) {
		json_free(d.object);
		return d.err;
	}
	return d.object ? json_set(block, "annotations", d.object) : MCP_OK;
}

enum mcp_err
tool_structured(struct tool_call *call, struct json_object *value)
{
	enum mcp_err err;
	struct buf b;

	json_free(call->structured);
	call->structured = value;
	call->has_structured = true;
	buf_init(&b, FORMATTED_MAX);
	json_render(value, &b);
	err = buf_status(&b) ? MCP_ENOMEM : tool_text(call, b.data, b.len);
	buf_clear(&b);
	return err;
}

void
tool_role(struct tool_call *call, enum tool_role role)
{
	if (call->role)
		call->role = role;
}

enum mcp_err
completion_add(struct tool_call *call, const char *value)
{
	if (!call->content && !(call->content = json_new_array()))
		return MCP_ENOMEM;
	if (json_count(call->content) >= COMPLETIONS_SEEN_MAX)
		return MCP_OK;
	return json_push_new(call->content, json_new_string(value, strlen(value)));
}
