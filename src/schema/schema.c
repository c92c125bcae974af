/* SPDX-License-Identifier: MIT */
/*
 * Answers for making a schema: its document is scanned, then each node is finished, while references bring further
 * nodes: places that no keyword leads to, and the meta-schemas.
 */
#include "schema/schema.h"

#include <stdlib.h>
#include <string.h>

#include "base/json.h"
#include "schema/compile.h"
#include "schema/metaschema.h"
#include "schema/uri.h"
#include "schema/validate.h"

#define URI_MAX 4096

struct schema {
	struct schema_document d;
	struct schema_node *root;
};

static enum mcp_err
add_document(struct schema_document *d, const char *uri, struct json_object *source, struct schema_node **out)
{
	struct schema_node at = { .index = SIZE_MAX };
	enum mcp_err err = document_add_resource(d, NULL, uri, &at.resource);

	if (err)
		return document_fail(d, err, NULL, NULL, "memory is short");
	return compile_scan(d, &at, source, out);
}

/* The resource with a URI; *out is NULL if nobody has it. */
static enum mcp_err
find_resource(struct schema_document *d, const char *uri, struct schema_resource **out)
{
	static const struct json_bounds bounds = { 65536, 64, 4096 };
	const char *text = metaschema_text(uri);
	struct json_object *source;
	struct schema_node *root;
	enum mcp_err err;

	*out = document_resource(d, uri);
	if (*out || !text)
		return MCP_OK;
	err = json_parse(text, strlen(text), &bounds, &source, NULL);
	if (!err)
		err = document_own(d, NULL, source);
	if (err)
		return document_fail(d, err, NULL, NULL, "memory is short");
	err = add_document(d, uri, source, &root);
	if (!err)
		*out = root->resource;
	return err;
}

struct vocabulary_visit {
	unsigned found;
	bool unknown;		/* one that is required */
};

static bool
read_vocabulary(void *ctx, const char *uri, struct json_object *value)
{
	static const struct {
		const char *name;
		unsigned bits;
	} known[] = {
		{ "core", SCHEMA_CORE }, { "applicator", SCHEMA_APPLICATOR }, { "unevaluated", SCHEMA_UNEVALUATED },
		{ "validation", SCHEMA_VALIDATION }, { "meta-data", 0 }, { "format-annotation", 0 },
		{ "format-assertion", SCHEMA_FORMAT }, { "content", 0 }
	};
	static const char prefix[] = "https://json-schema.org/draft/2020-12/vocab/";
	struct vocabulary_visit *visit = ctx;
	bool required = false;

	for (size_t i = 0; i < sizeof(known) / sizeof(known[0]); i++)
		if (strncmp(uri, prefix, sizeof(prefix) - 1) == 0 &&
		    strcmp(uri + sizeof(prefix) - 1, known[i].name) == 0) {
			visit->found |= known[i].bits;
			return true;
		}
	if (json_as_bool(value, &required) != MCP_OK || required)
		visit->unknown = true;
	return true;
}

/* Which vocabularies the dialect of a resource has. Source: JSON Schema 2020-12 core, section 8.1. */
static enum mcp_err
decide_vocabularies(struct schema_document *d, struct schema_resource *r)
{
	struct vocabulary_visit visit = { SCHEMA_CORE, false };
	struct json_object *vocabulary;
	struct schema_resource *said = r, *meta;
	enum mcp_err err;

	while (!said->dialect && said->outer)
		said = said->outer;
	if (!said->dialect || strcmp(said->dialect, METASCHEMA_URI) == 0) {
		visit.found |= SCHEMA_APPLICATOR | SCHEMA_UNEVALUATED | SCHEMA_VALIDATION;
	} else {
		err = find_resource(d, said->dialect, &meta);
		if (err)
			return err;
		if (!meta || !meta->root || json_get_object(meta->root->source, "$vocabulary", &vocabulary) != MCP_OK)
			return document_fail(d, MCP_EINVAL, said->root, "$schema", "names a dialect other than "
			    METASCHEMA_URI);
		json_each(vocabulary, read_vocabulary, &visit);
		if (visit.unknown)
			return document_fail(d, MCP_EINVAL, said->root, "$schema",
			    "needs a vocabulary that is not known");
	}
	r->vocabularies = visit.found | (d->flags & SCHEMA_ASSERT_FORMATS ? SCHEMA_FORMAT : 0);
	return MCP_OK;
}

/* Append what a fragment means, %XX being decoded. Returns false if it cannot be. Source: RFC 3986 section 2.1. */
static bool
decode_fragment(const char *text, struct buf *out)
{
	static const char digits[] = "0123456789abcdef0123456789ABCDEF";

	for (; *text; text++) {
		const char *high, *low;

		if (*text != '%') {
			buf_putc(out, *text);
			continue;
		}
		high = text[1] ? strchr(digits, text[1]) : NULL;
		low = high && text[2] ? strchr(digits, text[2]) : NULL;
		if (!low)
			low = high && text[2] ? strchr(digits + 16, text[2]) : NULL;
		if (high == NULL && text[1])
			high = strchr(digits + 16, text[1]);
		if (!high || !low)
			return false;
		buf_putc(out, (char)((high - digits) % 16 * 16 + (low - digits) % 16));
		text += 2;
	}
	return true;
}

/* One step of a pointer: *at becomes the member or element that the reference token (decoded in place) names. */
static bool
step(struct json_object **at, char *token)
{
	char *to = token, *end;
	unsigned long i;

	for (const char *from = token; *from; from++) {
		if (*from == '~')
			*to++ = *++from == '1' ? '/' : '~';
		else
			*to++ = *from;
		if (!*from)
			return false;
	}
	*to = '\0';
	if (json_kind(*at) == JSON_OBJECT)
		return json_get(*at, token, at) == MCP_OK;
	if (*token < '0' || *token > '9' || (*token == '0' && token[1]))
		return false;
	i = strtoul(token, &end, 10);
	if (*end || i >= json_count(*at))
		return false;
	*at = json_at(*at, i);
	return true;
}

/* Follow a JSON Pointer from the root of a resource. *out is NULL if it leads nowhere. Source: RFC 6901 section 4. */
static enum mcp_err
follow_pointer(struct schema_document *d, struct schema_resource *r, const char *fragment, struct schema_node **out)
{
	struct json_object *at = r->root->source;
	struct schema_node place = { .parent = r->root, .index = SIZE_MAX };
	struct buf pointer;
	enum mcp_err err = MCP_OK;
	char *token, *next;
	bool good;

	*out = NULL;
	buf_init(&pointer, URI_MAX);
	good = decode_fragment(fragment, &pointer);
	if (pointer.len > 0)	/* it begins with a slash */
		place.keyword = document_text(d, pointer.data + 1, pointer.len - 1);
	if (buf_status(&pointer) == MCP_ENOMEM || !place.keyword) {
		buf_clear(&pointer);
		return document_fail(d, MCP_ENOMEM, NULL, NULL, "memory is short");
	}
	good = good && buf_status(&pointer) == MCP_OK;
	for (token = pointer.data + 1; good && token; token = next) {
		next = strchr(token, '/');
		if (next)
			*next++ = '\0';
		good = step(&at, token);
		*out = good ? document_find(d, at) : NULL;
		if (*out)
			r = (*out)->resource;
	}
	buf_clear(&pointer);
	if (good && !*out && (json_kind(at) == JSON_OBJECT || json_kind(at) == JSON_BOOL)) {
		place.resource = r;
		err = compile_scan(d, &place, at, out);
	}
	return err;
}

/* Where "$ref" or "$dynamicRef" of a node leads. *anchor is the dynamic anchor that it names, or NULL. */
static enum mcp_err
resolve(struct schema_document *d, const struct schema_node *n, const char *keyword, struct schema_node **out,
    const char **anchor)
{
	struct schema_resource *r = NULL;
	const char *ref = NULL, *fragment;
	struct json_object *value;
	enum mcp_err err;
	struct buf uri;

	*out = NULL;
	*anchor = NULL;
	if (json_get(n->source, keyword, &value) != MCP_OK)
		return MCP_OK;
	if (json_as_string(value, &ref, NULL) != MCP_OK)
		return document_fail(d, MCP_EINVAL, n, keyword, "must be a string");
	buf_init(&uri, URI_MAX);
	uri_resolve(n->resource->uri, ref, &uri);
	err = buf_status(&uri);
	if (err)
		document_fail(d, err, n, keyword, err == MCP_ENOMEM ? "memory is short" : "is too long");
	else
		err = find_resource(d, uri.data, &r);
	buf_clear(&uri);
	if (err)
		return err;
	fragment = uri_fragment(ref);
	if (r && r->root && (!fragment || !*fragment))
		*out = r->root;
	else if (r && r->root && *fragment == '/')
		err = follow_pointer(d, r, fragment, out);
	for (struct schema_anchor *a = r && fragment ? r->anchors : NULL; a && !*out; a = a->next)
		if (strcmp(a->name, fragment) == 0) {
			*out = a->node;
			*anchor = a->dynamic ? a->name : NULL;
		}
	if (err || *out)
		return err;
	return document_fail(d, MCP_EINVAL, n, keyword, "leads nowhere in the document, and nothing is fetched");
}

static enum mcp_err
finish(struct schema_document *d, struct schema_node *n)
{
	const char *ignored;
	enum mcp_err err = MCP_OK;

	if (!n->resource->vocabularies)
		err = decide_vocabularies(d, n->resource);
	if (!err)
		err = compile_assertions(d, n);
	if (!err)
		err = resolve(d, n, "$ref", &n->a.ref, &ignored);
	if (!err)
		err = resolve(d, n, "$dynamicRef", &n->a.dynamic_ref, &n->a.dynamic_anchor);
	if (n->a.ref || n->a.dynamic_ref)
		n->in_place = true;
	return err;
}

enum mcp_err
schema_compile(struct json_object *source, unsigned flags, struct schema **out, const char **why, struct buf *where)
{
	struct schema *s = calloc(1, sizeof(*s));
	enum mcp_err err;

	*out = NULL;
	*why = "memory is short";
	if (!s)
		return MCP_ENOMEM;
	s->d.flags = flags;
	err = document_own(&s->d, NULL, json_ref(source));
	if (!err)
		err = add_document(&s->d, "", source, &s->root);
	for (size_t i = 0; !err && i < s->d.n_nodes; i++)
		err = finish(&s->d, s->d.nodes[i]);
	if (!err) {
		document_finish(&s->d);
		*why = NULL;
		*out = s;
		return MCP_OK;
	}
	*why = s->d.why ? s->d.why : "memory is short";
	if (where && s->d.where)
		schema_put_location(s->d.where, s->d.where_keyword, where);
	schema_free(s);
	return err;
}

void
schema_free(struct schema *s)
{
	if (!s)
		return;
	document_clear(&s->d);
	free(s);
}

bool
schema_validate(const struct schema *s, const struct json_object *value, struct buf *faults)
{
	return validate(s->root, value, faults);
}
