/* SPDX-License-Identifier: MIT */
#include "mcp/describe.h"

#include <string.h>

#include "base/buf.h"
#include "base/json.h"
#include "base/text.h"
#include "mcp/resource.h"
#include "schema/schema.h"

#define OBJECT_MAX (2 * 1024 * 1024)	/* bytes of one description, which has a few texts of an author in it */
#define DEPTH_MAX 64

static void
fail(struct describe *d, enum mcp_err err, const char *why)
{
	if (d->err)
		return;
	d->err = err;
	d->why = why;
}

void
describe_value(struct describe *d, const char *name, struct json_object *value)
{
	if (!d->err && !d->object)
		d->object = json_new_object();
	if (d->err)
		json_free(value);
	else if (json_set_new(d->object, name, value) != MCP_OK)
		fail(d, MCP_ENOMEM, "memory is short");
}

void
describe_string(struct describe *d, const char *name, const char *text)
{
	if (!text)
		return;
	if (strlen(text) > DESCRIBE_TEXT_MAX || !text_is_utf8(text, strlen(text)))
		fail(d, MCP_EINVAL, "a text is too long or not UTF-8");
	else
		describe_value(d, name, json_new_string(text, strlen(text)));
}

void
describe_int(struct describe *d, const char *name, int64_t value)
{
	describe_value(d, name, json_new_int(value));
}

enum mcp_err
describe_parse(const char *text, int kind, struct json_object **out, const char **why)
{
	const struct json_bounds bounds = { DESCRIBE_TEXT_MAX, DEPTH_MAX, DESCRIBE_TEXT_MAX };
	enum mcp_err err = json_parse(text, strlen(text), &bounds, out, NULL);

	*why = "memory is short";
	if (err == MCP_ENOMEM)
		return err;
	*why = "a schema, annotations, icons or _meta are not JSON";
	if (err)
		return MCP_EINVAL;
	if ((int)json_kind(*out) == kind)
		return MCP_OK;
	*why = "a schema, annotations, icons or _meta are not of the right JSON type";
	json_free(*out);
	*out = NULL;
	return MCP_EINVAL;
}

static void
parsed(struct describe *d, const char *name, const char *text, int kind)
{
	struct json_object *value;
	const char *why;
	enum mcp_err err;

	if (!text)
		return;
	err = describe_parse(text, kind, &value, &why);
	if (err)
		fail(d, err, why);
	else
		describe_value(d, name, value);
}

void
describe_object(struct describe *d, const char *name, const char *text)
{
	parsed(d, name, text, JSON_OBJECT);
}

/* The same for a text that must satisfy a schema, which is one of ours. */
static void
judged(struct describe *d, const char *name, const char *text, int kind, const char *rules)
{
	struct json_object *source = NULL, *value = NULL;
	struct schema *schema = NULL;
	const char *why = "memory is short";
	enum mcp_err err;
	struct buf faults;

	if (!text)
		return;
	buf_init(&faults, 0);	/* that there are some is enough */
	err = describe_parse(text, kind, &value, &why);
	if (!err)
		err = describe_parse(rules, JSON_OBJECT, &source, &why);
	if (!err)
		err = schema_compile(source, 0, &schema, &why, NULL);
	if (!err && !schema_validate(schema, value, &faults)) {
		why = "annotations or icons are not as the schema of the protocol has them";
		err = MCP_EINVAL;
	}
	if (err)
		fail(d, err, why);
	else
		describe_value(d, name, json_ref(value));
	buf_clear(&faults);
	schema_free(schema);
	json_free(source);
	json_free(value);
}

void
describe_icons(struct describe *d, const char *text)
{
	judged(d, "icons", text, JSON_ARRAY, "{\"items\":{\"type\":\"object\",\"required\":[\"src\"],\"properties\":{"
	    "\"src\":{\"type\":\"string\"},\"mimeType\":{\"type\":\"string\"},"
	    "\"sizes\":{\"type\":\"array\",\"items\":{\"type\":\"string\"}},"
	    "\"theme\":{\"enum\":[\"dark\",\"light\"]}}}}");
}

void
describe_annotations(struct describe *d, const char *text)
{
	judged(d, "annotations", text, JSON_OBJECT, "{\"properties\":{"
	    "\"audience\":{\"type\":\"array\",\"items\":{\"enum\":[\"assistant\",\"user\"]}},"
	    "\"priority\":{\"type\":\"number\",\"minimum\":0,\"maximum\":1},"
	    "\"lastModified\":{\"type\":\"string\"}}}");
}

void
describe_tool_annotations(struct describe *d, const char *text)
{
	judged(d, "annotations", text, JSON_OBJECT, "{\"properties\":{\"title\":{\"type\":\"string\"},"
	    "\"readOnlyHint\":{\"type\":\"boolean\"},\"destructiveHint\":{\"type\":\"boolean\"},"
	    "\"idempotentHint\":{\"type\":\"boolean\"},\"openWorldHint\":{\"type\":\"boolean\"}}}");
}

void
describe_resource(struct describe *d, const struct resource *resource)
{
	describe_string(d, "uri", resource->uri);
	describe_string(d, "name", resource->name);
	describe_string(d, "title", resource->title);
	describe_string(d, "description", resource->description);
	describe_string(d, "mimeType", resource->mime_type);
	describe_annotations(d, resource->annotations);
	if (resource->size > 0)
		describe_int(d, "size", resource->size);
	describe_icons(d, resource->icons);
	describe_object(d, "_meta", resource->meta);
}

enum mcp_err
describe_finish(struct describe *d, char **text, size_t *len)
{
	enum mcp_err err = d->err;
	struct buf b;

	*text = NULL;
	buf_init(&b, OBJECT_MAX);
	if (!err) {
		if (d->object)
			json_render(d->object, &b);
		else
			buf_puts(&b, "{}");
		*text = buf_steal(&b, len);
		err = *text ? MCP_OK : MCP_ENOMEM;
		if (err)
			d->why = "memory is short";
	}
	buf_clear(&b);
	json_free(d->object);
	d->object = NULL;
	d->err = MCP_OK;
	return err;
}
