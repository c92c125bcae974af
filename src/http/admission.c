/* SPDX-License-Identifier: MIT */
/* Which origins and hosts are let in, and the CORS fields that tell a browser so. */
#include "http/admission.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/text.h"
#include "http/address.h"

#define ORIGIN_MAX 320		/* scheme, the longest host name, port */

/* Request header fields that clients of ours send; browsers ask for each. Mcp-Param-* are added as asked for. */
static const char allowed_fields[] =
    "Authorization, Content-Type, Accept, Mcp-Protocol-Version, Mcp-Session-Id, Mcp-Method, "
    "Mcp-Name, Last-Event-ID, traceparent, tracestate, baggage";
static const char exposed_fields[] = "WWW-Authenticate, Mcp-Session-Id, Retry-After, RateLimit, RateLimit-Policy";
static const char preflight_max_age[] = "86400";

/* An origin or the head of a URL, taken apart. */
struct authority {
	const char *scheme, *host;	/* "host" with its brackets */
	size_t scheme_len, host_len;
	int port;			/* -1: none */
};

/* Take "scheme://host[:port]" off the front of "text"; *rest is what follows. */
static bool
parse_authority(const char *text, struct authority *a, const char **rest)
{
	const char *p = strstr(text, "://"), *end;
	int64_t port;
	char digits[6];

	if (!p || p == text)
		return false;
	a->scheme = text;
	a->scheme_len = (size_t)(p - text);
	a->host = p + 3;
	end = a->host + strcspn(a->host, "/?#");
	*rest = end;
	p = *a->host == '[' ? memchr(a->host, ']', (size_t)(end - a->host)) : NULL;
	if (*a->host == '[' && !p)
		return false;
	p = p ? p + 1 : a->host;
	while (p < end && *p != ':')
		p++;
	a->host_len = (size_t)(p - a->host);
	a->port = -1;
	if (a->host_len == 0 || memchr(a->host, '@', (size_t)(end - a->host)))
		return false;
	if (p == end)
		return true;
	if ((size_t)(end - p) - 1 == 0 || (size_t)(end - p) - 1 >= sizeof digits)
		return false;
	memcpy(digits, p + 1, (size_t)(end - p) - 1);
	digits[end - p - 1] = '\0';
	if (text_parse_int(digits, 1, 65535, &port))
		return false;
	a->port = (int)port;
	return true;
}

static bool
host_is_loopback(const char *host, size_t len)
{
	struct address a;
	char name[16];

	if (address_parse(host, len, &a) == MCP_OK)
		return address_is_loopback(&a);
	if (len >= sizeof name)
		return false;
	memcpy(name, host, len);
	name[len] = '\0';
	return text_equal_nocase(name, "localhost");
}

/* The origin in the form browsers serialise it: lower case, the default port left out. */
static void
render_origin(const struct authority *a, struct buf *out)
{
	size_t start = out->len;
	bool is_https;

	buf_printf(out, "%.*s://%.*s", (int)a->scheme_len, a->scheme, (int)a->host_len, a->host);
	for (size_t i = start; i < out->len; i++)
		if (out->data[i] >= 'A' && out->data[i] <= 'Z')
			out->data[i] = (char)(out->data[i] | 0x20);
	is_https = strncmp(out->data + start, "https:", 6) == 0;
	if (a->port >= 0 && a->port != (is_https ? 443 : 80))
		buf_printf(out, ":%d", a->port);
}

static enum mcp_err
copy_list(struct strlist *to, const struct strlist *from)
{
	enum mcp_err err = MCP_OK;

	for (size_t i = 0; i < from->n && !err; i++)
		err = strlist_add(to, from->v[i], strlen(from->v[i]));
	return err;
}

enum mcp_err
admission_init(struct admission *a, const char *public_url, const struct strlist *origins, const struct strlist *hosts)
{
	struct authority authority;
	enum mcp_err err;
	const char *rest;
	struct buf b;

	memset(a, 0, sizeof *a);
	if (!parse_authority(public_url, &authority, &rest))
		return MCP_ESYNTAX;
	buf_init(&b, ORIGIN_MAX);
	render_origin(&authority, &b);
	a->origin = buf_steal(&b, NULL);
	a->loopback = host_is_loopback(authority.host, authority.host_len);
	a->any_origin = strlist_has(origins, "*");
	err = a->origin ? copy_list(&a->origins, origins) : MCP_ENOMEM;
	if (!err)
		err = copy_list(&a->hosts, hosts);
	if (err)
		admission_clear(a);
	return err;
}

void
admission_clear(struct admission *a)
{
	free(a->origin);
	strlist_clear(&a->origins);
	strlist_clear(&a->hosts);
	memset(a, 0, sizeof *a);
}

bool
admission_origin_allowed(const struct admission *a, const struct http_request *req)
{
	const char *origin = req->field[HTTP_ORIGIN], *rest;
	struct authority authority;
	bool allowed = false;
	struct buf b;

	if (!origin || a->any_origin || strlist_has(&a->origins, origin))
		return true;
	if (!parse_authority(origin, &authority, &rest) || *rest)
		return false;
	if (a->loopback && host_is_loopback(authority.host, authority.host_len))
		return true;
	buf_init(&b, ORIGIN_MAX);
	render_origin(&authority, &b);
	if (buf_status(&b) == MCP_OK)
		allowed = strcmp(b.data, a->origin) == 0;
	buf_clear(&b);
	return allowed;
}

bool
admission_host_allowed(const struct admission *a, const struct http_request *req)
{
	const char *host = req->field[HTTP_HOST], *colon;
	size_t len;

	if (!a->loopback || !host || strlist_has(&a->hosts, host))
		return true;
	len = strlen(host);
	colon = strrchr(host, ':');
	if (colon && (*host != '[' || colon[-1] == ']')) {
		if (colon[1 + strspn(colon + 1, "0123456789")])
			return false;
		len = (size_t)(colon - host);
	}
	return host_is_loopback(host, len);
}

/* Append the fields that a preflight asks for and that begin with Mcp-Param-: each names a tool's parameter. */
static void
append_param_fields(const char *asked, struct buf *out)
{
	static const char prefix[] = "mcp-param-";

	while (asked && *asked) {
		size_t len = strcspn(asked, ",");
		const char *name = asked;
		size_t name_len = len;
		char head[sizeof prefix];

		text_trim(&name, &name_len);
		if (name_len > sizeof prefix - 1 && text_is_tchar_token(name, name_len)) {
			memcpy(head, name, sizeof prefix - 1);
			head[sizeof prefix - 1] = '\0';
			if (text_equal_nocase(head, prefix))
				buf_printf(out, ", %.*s", (int)name_len, name);
		}
		asked += len;
		if (*asked)
			asked++;
	}
}

void
admission_cors(const struct admission *a, const struct http_request *req, bool public_document, bool preflight,
    struct http_response *res)
{
	const char *origin = req->field[HTTP_ORIGIN];
	struct buf fields;

	if (public_document || a->any_origin) {
		http_response_header(res, "Access-Control-Allow-Origin", "*");
	} else {
		http_response_header(res, "Vary", "Origin");
		if (!origin || !admission_origin_allowed(a, req))
			return;
		http_response_header(res, "Access-Control-Allow-Origin", origin);
	}
	http_response_header(res, "Access-Control-Expose-Headers", exposed_fields);
	if (!preflight)
		return;
	buf_init(&fields, 4096);
	buf_puts(&fields, allowed_fields);
	append_param_fields(req->field[HTTP_REQUEST_HEADERS], &fields);
	http_response_header(res, "Access-Control-Allow-Methods", "GET, POST, DELETE, OPTIONS");
	http_response_header(res, "Access-Control-Allow-Headers",
	    buf_status(&fields) == MCP_OK ? fields.data : allowed_fields);
	http_response_header(res, "Access-Control-Max-Age", preflight_max_age);
	buf_clear(&fields);
}
