/* SPDX-License-Identifier: MIT */
#include "schema/uri.h"

#include <stdbool.h>
#include <string.h>

struct span {
	const char *at;		/* NULL: absent */
	size_t len;
};

/* A URI reference in its parts. Source: RFC 3986 appendix B. */
struct parts {
	struct span scheme, authority, path, query;
};

static void
take_apart(const char *uri, struct parts *p)
{
	size_t n = strcspn(uri, ":/?#");

	memset(p, 0, sizeof(*p));
	if (n > 0 && uri[n] == ':') {
		p->scheme = (struct span){ uri, n };
		uri += n + 1;
	}
	if (strncmp(uri, "//", 2) == 0) {
		uri += 2;
		p->authority = (struct span){ uri, strcspn(uri, "/?#") };
		uri += p->authority.len;
	}
	p->path = (struct span){ uri, strcspn(uri, "?#") };
	uri += p->path.len;
	if (*uri == '?')
		p->query = (struct span){ uri + 1, strcspn(uri + 1, "#") };
}

/* Append a path without the segments "." and "..", which never reach above "floor" bytes of "out". */
static void
put_path(const char *path, size_t len, struct buf *out)
{
	size_t floor = out->len, n;
	bool last;

	while (len > 0) {
		n = *path == '/';
		while (n < len && path[n] != '/')
			n++;
		last = n == len;
		if ((n == 2 && memcmp(path, "/.", 2) == 0) || (n == 1 && *path == '.') ||
		    (n == 3 && memcmp(path, "/..", 3) == 0) || (n == 2 && memcmp(path, "..", 2) == 0)) {
			bool up = n == 3 || memcmp(path, "..", 2) == 0;

			while (up && out->len > floor && out->data[--out->len] != '/')
				;
			if (out->cap)
				out->data[out->len] = '\0';
			if (last && *path == '/')
				buf_putc(out, '/');
		} else {
			buf_put(out, path, n);
		}
		path += n;
		len -= n;
	}
}

/* The path of "ref" where it is relative to "base". Source: RFC 3986 section 5.2.3. */
static void
put_merged(const struct parts *base, const struct parts *ref, struct buf *out)
{
	struct buf merged;
	size_t n = base->path.len;

	buf_init(&merged, out->max);
	if (base->authority.at && n == 0)
		buf_putc(&merged, '/');
	while (n > 0 && base->path.at[n - 1] != '/')
		n--;
	buf_put(&merged, base->path.at, n);
	buf_put(&merged, ref->path.at, ref->path.len);
	if (buf_status(&merged) == MCP_OK)
		put_path(merged.data, merged.len, out);
	else if (out->status == MCP_OK)
		out->status = buf_status(&merged);
	buf_clear(&merged);
}

void
uri_resolve(const char *base, const char *ref, struct buf *out)
{
	const struct span *query;
	struct parts b, r;

	take_apart(base, &b);
	take_apart(ref, &r);
	query = r.scheme.at || r.authority.at || r.path.len > 0 || r.query.at ? &r.query : &b.query;
	if (r.scheme.at)
		b.scheme = r.scheme;
	if (b.scheme.at) {
		buf_put(out, b.scheme.at, b.scheme.len);
		buf_putc(out, ':');
	}
	if (r.authority.at || r.scheme.at)
		b.authority = r.authority;
	if (b.authority.at) {
		buf_puts(out, "//");
		buf_put(out, b.authority.at, b.authority.len);
	}
	if (r.scheme.at || r.authority.at || (r.path.len > 0 && *r.path.at == '/'))
		put_path(r.path.at, r.path.len, out);
	else if (r.path.len == 0)
		buf_put(out, b.path.at, b.path.len);
	else
		put_merged(&b, &r, out);
	if (query->at) {
		buf_putc(out, '?');
		buf_put(out, query->at, query->len);
	}
}

const char *
uri_fragment(const char *ref)
{
	const char *at = strchr(ref, '#');

	return at ? at + 1 : NULL;
}
