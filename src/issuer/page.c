/* SPDX-License-Identifier: MIT */
/* Answers for the HTML of the issuer and the headers that keep it harmless. */
#include "issuer/page.h"

#include <string.h>

#include "base/digest.h"
#include "base/text.h"
#include "issuer/redirect.h"

static const char style[] =
    "body{font:16px/1.5 system-ui,sans-serif;max-width:36em;margin:3em auto;padding:0 1em;color:#222;background:#fff}"
    "h1{font-size:1.3em}code{background:#eee;padding:0 .2em;overflow-wrap:anywhere}"
    "fieldset{border:1px solid #bbb;margin:1em 0}"
    "label{display:block}button{font:inherit;padding:.4em 1.2em;margin-right:.6em}.note{color:#555;font-size:.9em}";

/* Text and attribute values alike. Source: HTML Living Standard, 13.3 (escaping a string). */
static void
put_escaped(const char *text, struct buf *out)
{
	for (; *text; text++) {
		switch (*text) {
		case '&':
			buf_puts(out, "&amp;");
			break;
		case '<':
			buf_puts(out, "&lt;");
			break;
		case '>':
			buf_puts(out, "&gt;");
			break;
		case '"':
			buf_puts(out, "&quot;");
			break;
		case '\'':
			buf_puts(out, "&#39;");
			break;
		default:
			buf_putc(out, *text);
		}
	}
}

/*
 * Form-action must name where the answer will be redirected to: browsers apply it to the redirect after the form as
 * well. Source: Content Security Policy Level 3, sections 6.4.1 and 6.4.2.
 */
static void
put_headers(struct http_response *res, const char *redirect_uri)
{
	uint8_t hash[DIGEST_SHA256_LEN];
	struct buf policy;

	buf_init(&policy, 8192);
	buf_puts(&policy, "default-src 'none'; base-uri 'none'; frame-ancestors 'none'; form-action 'self'");
	if (redirect_uri) {
		buf_putc(&policy, ' ');
		redirect_source(redirect_uri, &policy);
	}
	if (digest_sha256(style, sizeof style - 1, hash) == MCP_OK) {
		buf_puts(&policy, "; style-src 'sha256-");
		text_base64_encode(hash, sizeof hash, &policy);
		buf_putc(&policy, '\'');
	}
	http_response_header(res, "Content-Type", "text/html; charset=utf-8");
	http_response_header(res, "Content-Security-Policy",
	    buf_status(&policy) ? "default-src 'none'; frame-ancestors 'none'" : policy.data);
	http_response_header(res, "X-Frame-Options", "DENY");
	http_response_header(res, "X-Content-Type-Options", "nosniff");
	http_response_header(res, "Referrer-Policy", "same-origin");
	http_response_header(res, "Cache-Control", "no-store");
	buf_clear(&policy);
}

static void
begin(struct buf *b, const char *title)
{
	buf_printf(b,
	    "<!DOCTYPE html>\n<html lang=\"en\"><head><meta charset=\"utf-8\">"
	    "<meta name=\"viewport\" content=\"width=device-width\"><title>%s</title><style>%s</style></head>"
	    "<body>\n"
	    "<h1>%s</h1>\n",
	    title, style, title);
}

static void
end(struct buf *b)
{
	buf_puts(b,
	    "<p class=\"note\">This is the development issuer of mcp-fcgi."
	    " It signs in whoever opens it; never use it where it matters.</p>\n</body></html>\n");
}

static void
put_row(struct buf *b, const char *before, const char *value, const char *after)
{
	buf_puts(b, before);
	put_escaped(value, b);
	buf_puts(b, after);
}

static void
put_target(struct buf *b, const char *redirect_uri)
{
	struct buf target;

	buf_init(&target, REDIRECT_URI_MAX + 1);
	redirect_target(redirect_uri, &target);
	put_row(b, "<p>The answer goes to <strong>", target.data, "</strong>");
	if (redirect_is_loopback(redirect_uri))
		buf_puts(
		    b, ", a program on this computer. Allow it only if you have just started that program yourself");
	put_row(b, ". <span class=\"note\">(<code>", redirect_uri, "</code>)</span></p>\n");
	buf_clear(&target);
}

void
page_consent(struct http_response *res, const struct page_consent *p)
{
	struct buf *b = &res->body;

	res->status = 200;
	put_headers(res, p->redirect_uri);
	begin(b, "Allow access?");
	put_row(b, "<p><strong>", p->client_name ? p->client_name : "A client without a name", "</strong>");
	put_row(b, " (<code>", p->client_id, "</code>)");
	put_row(b, " asks for access to <code>", p->resource, "</code>");
	put_row(b, " in the name of <code>", p->person, "</code>.</p>\n");
	put_target(b, p->redirect_uri);
	put_row(b, "<form method=\"post\" action=\"", p->action, "\">\n");
	put_row(b, "<input type=\"hidden\" name=\"request\" value=\"", p->handle, "\">\n");
	buf_puts(b, "<fieldset><legend>It may use</legend>\n");
	for (size_t i = 0; i < p->scopes->n; i++) {
		put_row(b, "<label><input type=\"checkbox\" name=\"scope\" value=\"", p->scopes->v[i], "\" checked> ");
		put_row(b, "<code>", p->scopes->v[i], "</code></label>\n");
	}
	buf_puts(b,
	    "</fieldset>\n<button name=\"decision\" value=\"allow\">Allow</button>"
	    "<button name=\"decision\" value=\"deny\">Deny</button>\n</form>\n");
	end(b);
}

void
page_error(struct http_response *res, int status, const char *what)
{
	res->status = status;
	put_headers(res, NULL);
	begin(&res->body, "This cannot go on");
	put_row(&res->body, "<p>", what, "</p>\n");
	end(&res->body);
}
