/* SPDX-License-Identifier: MIT */
/* Answers for what clients read before they begin: metadata and keys. */
#include "issuer/endpoint.h"

#include <string.h>

#include "issuer/keys.h"

static void
put_list(const struct strlist *items, struct buf *out)
{
	buf_putc(out, '[');
	for (size_t i = 0; i < items->n; i++) {
		if (i)
			buf_putc(out, ',');
		json_render_string(items->v[i], strlen(items->v[i]), out);
	}
	buf_putc(out, ']');
}

/* Endpoint URLs are made of the issuer's URL, which has been checked to hold no byte that JSON would have to escape. */
static void
put_document(const struct call *c, const char *more, struct buf *out)
{
	static const char methods[] = "[\"none\",\"client_secret_post\",\"client_secret_basic\"]";
	const struct issuer *is = c->issuer;
	const char *url = c->issuer_url;

	buf_printf(out,
	    "{\"issuer\":\"%s\",\"authorization_endpoint\":\"%s/oauth/authorize\","
	    "\"token_endpoint\":\"%s/oauth/token\",\"jwks_uri\":\"%s/keys\"",
	    url, url, url, is->url);
	buf_printf(
	    out, ",\"registration_endpoint\":\"%s/api/v1/resources/%s/clients:register\"", is->url, is->resource_id);
	buf_printf(out,
	    ",\"introspection_endpoint\":\"%s/oauth/introspect\",\"revocation_endpoint\":\"%s/oauth/revoke\","
	    "\"scopes_supported\":",
	    is->url, is->url);
	put_list(&is->scopes, out);
	buf_puts(out, ",\"response_types_supported\":[\"code\"],\"response_modes_supported\":[\"query\"]");
	buf_puts(out, ",\"grant_types_supported\":[\"authorization_code\",\"client_credentials\",\"refresh_token\"]");
	buf_printf(out,
	    ",\"token_endpoint_auth_methods_supported\":%s,\"revocation_endpoint_auth_methods_supported\":%s", methods,
	    methods);
	buf_puts(
	    out, ",\"introspection_endpoint_auth_methods_supported\":[\"client_secret_post\",\"client_secret_basic\"]");
	buf_printf(out,
	    ",\"code_challenge_methods_supported\":[\"S256\"],"
	    "\"authorization_response_iss_parameter_supported\":true%s}",
	    more);
}

static void
answer_document(struct call *c, const char *more)
{
	struct buf text;

	buf_init(&text, HTTP_RESPONSE_BODY_MAX);
	put_document(c, more, &text);
	if (buf_status(&text)) {
		endpoint_failure(c, buf_status(&text));
	} else {
		http_response_json(c->res, 200, text.data);
		http_response_header(c->res, "Cache-Control", "no-cache");
	}
	buf_clear(&text);
}

void
endpoint_metadata(struct call *c)
{
	answer_document(c, "");
}

void
endpoint_openid(struct call *c)
{
	/*
	 * No scope here gives an ID token; the two members are there because their absence makes the document
	 * unreadable to strict clients.
	 */
	answer_document(
	    c, ",\"subject_types_supported\":[\"public\"],\"id_token_signing_alg_values_supported\":[\"RS256\"]");
}

void
endpoint_keys(struct call *c)
{
	struct buf text;
	enum mcp_err err;

	buf_init(&text, HTTP_RESPONSE_BODY_MAX);
	err = keys_jwks(c->issuer->db, &text);
	if (err) {
		endpoint_failure(c, err);
	} else {
		http_response_json(c->res, 200, text.data);
		/* Short, so that a rotation is seen soon; a resource server has its own lower bound. */
		http_response_header(c->res, "Cache-Control", "public, max-age=60");
	}
	buf_clear(&text);
}
