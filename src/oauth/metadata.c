/* SPDX-License-Identifier: MIT */
#include "oauth/metadata.h"

#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "base/text.h"

#define WELL_KNOWN "/.well-known/oauth-protected-resource"

/* The two answers that operators know from the servers before this one. */
#define BODY_MISSING "{\"error\": \"PROTECTED_RESOURCE_METADATA config missing\"}"
#define BODY_INVALID "{\"error\": \"Invalid JSON in PROTECTED_RESOURCE_METADATA\"}"

#define DOCUMENT_MAX (256 * 1024)

static enum mcp_err
answer_fault(struct metadata *out, const char *body)
{
	out->status = 500;
	out->body = text_dup(body, strlen(body));
	return out->body ? MCP_OK : MCP_ENOMEM;
}

static enum mcp_err
string_array(const struct strlist *l, struct json_object **out)
{
	enum mcp_err err = MCP_ENOMEM;

	*out = json_new_array();
	if (!*out)
		return err;
	for (size_t i = 0; i < l->n; i++) {
		err = json_push_new(*out, json_new_string(l->v[i], strlen(l->v[i])));
		if (err) {
			json_free(*out);
			*out = NULL;
			return err;
		}
	}
	return MCP_OK;
}

/* Set "name" to an array of the strings. */
static enum mcp_err
set_strings(struct json_object *document, const char *name, const struct strlist *l)
{
	struct json_object *array;
	enum mcp_err err = string_array(l, &array);

	return err ? err : json_set(document, name, array);
}

/* The members that Scalekit's dashboard prints, in its order. Source: RFC 9728 section 2. */
static enum mcp_err
compose(const char *resource, const struct strlist *servers, const struct strlist *scopes, struct json_object **out)
{
	char header[] = "header", *methods[] = {header};
	struct strlist bearer = {methods, 1};
	struct json_object *document = json_new_object();
	enum mcp_err err = MCP_ENOMEM;

	*out = NULL;
	if (!document)
		return err;
	err = set_strings(document, "authorization_servers", servers);
	if (!err)
		err = set_strings(document, "bearer_methods_supported", &bearer);
	if (!err)
		err = json_set_new(document, "resource", json_new_string(resource, strlen(resource)));
	if (!err && scopes && scopes->n > 0)
		err = set_strings(document, "scopes_supported", scopes);
	if (err)
		json_free(document);
	else
		*out = document;
	return err;
}

/* Copy a string; NULL stays NULL. */
static enum mcp_err
copy(const char *s, char **out)
{
	if (!s)
		return MCP_OK;
	*out = text_dup(s, strlen(s));
	return *out ? MCP_OK : MCP_ENOMEM;
}

static enum mcp_err
answer_document(struct metadata *out, const struct json_object *document)
{
	const char *resource = NULL;
	struct buf body;
	enum mcp_err err;

	buf_init(&body, 4 * DOCUMENT_MAX);
	json_render_indented(document, 2, &body);
	err = buf_status(&body);
	if (!err && (out->body = buf_steal(&body, NULL)) == NULL)
		err = MCP_ENOMEM;
	if (!err && json_get_string(document, "resource", &resource, NULL) == MCP_OK)
		err = copy(resource, &out->resource);
	out->status = 200;
	buf_clear(&body);
	return err;
}

enum mcp_err
metadata_build(const char *text, const char *resource, const struct strlist *authorization_servers,
    const struct strlist *scopes, struct metadata *out, struct json_fault *fault)
{
	static const struct json_bounds bounds = {DOCUMENT_MAX, 32, DOCUMENT_MAX};
	struct json_fault ignored;
	struct json_object *document = NULL;
	enum mcp_err err;

	memset(out, 0, sizeof(*out));
	if (!fault)
		fault = &ignored;
	memset(fault, 0, sizeof(*fault));
	if (text && strcmp(text, "auto") == 0) {
		if (!resource || !authorization_servers || authorization_servers->n == 0)
			return answer_fault(out, BODY_MISSING);
		err = compose(resource, authorization_servers, scopes, &document);
	} else if (!text || !*text) {
		return answer_fault(out, BODY_MISSING);
	} else {
		err = json_parse(text, strlen(text), &bounds, &document, fault);
		if (!err && json_kind(document) != JSON_OBJECT) {
			err = MCP_ETYPE;
			fault->what = "not a JSON object";
		}
	}
	if (!err)
		err = answer_document(out, document);
	else if (err != MCP_ENOMEM)
		err = answer_fault(out, BODY_INVALID);
	json_free(document);
	if (err)
		metadata_clear(out);
	return err;
}

void
metadata_clear(struct metadata *m)
{
	if (!m)
		return;
	free(m->body);
	free(m->resource);
	memset(m, 0, sizeof(*m));
}

/* Printable ASCII that a URI may hold (RFC 3986 section 2), so that it can stand in a header field too. */
static bool
is_uri_text(const char *s)
{
	for (; *s; s++)
		if (*s <= 0x20 || *s >= 0x7f || strchr("\"<>\\^`{|}", *s))
			return false;
	return true;
}

enum mcp_err
metadata_url(const char *resource, bool root, struct buf *out)
{
	const char *host, *rest;

	if (strncasecmp(resource, "https://", 8) == 0)
		host = resource + 8;
	else if (strncasecmp(resource, "http://", 7) == 0)
		host = resource + 7;
	else
		return MCP_ESYNTAX;
	rest = host + strcspn(host, "/?#");
	if (rest == host || memchr(host, '@', (size_t)(rest - host)) || strchr(resource, '#') || !is_uri_text(resource))
		return MCP_ESYNTAX;
	buf_put(out, resource, (size_t)(rest - resource));
	buf_puts(out, WELL_KNOWN);
	/* A slash behind the host goes when nothing of a path follows; every other byte of the path stays. */
	if (!root)
		buf_puts(out, rest[0] == '/' && (rest[1] == '\0' || rest[1] == '?') ? rest + 1 : rest);
	return buf_status(out);
}
