/* SPDX-License-Identifier: MIT */
/* Answers for: pairs whose lengths are true, and an Authorization that is too long to be kept whole. */
#include "server/fcgi_params.h"

#include <string.h>

/* Read a length of one or four bytes at *at. Returns false when it is cut off. */
static bool
read_length(const struct buf *params, size_t *at, size_t *length)
{
	const unsigned char *p = (const unsigned char *)params->data + *at;
	size_t left = params->len - *at;

	if (left >= 1 && p[0] < 0x80) {
		*length = p[0];
		*at += 1;
		return true;
	}
	if (left < 4)
		return false;
	*length = (size_t)(p[0] & 0x7f) << 24 | (size_t)p[1] << 16 | (size_t)p[2] << 8 | p[3];
	*at += 4;
	return true;
}

/* Write a length of four bytes. */
static void
write_length(char *at, size_t length)
{
	unsigned char bytes[4] = { (unsigned char)(0x80 | length >> 24), (unsigned char)(length >> 16),
	    (unsigned char)(length >> 8), (unsigned char)length };

	memcpy(at, bytes, sizeof(bytes));
}

bool
fcgi_params_check(const struct buf *params, size_t *count, bool *bad_bytes)
{
	size_t at = 0;

	*count = 0;
	*bad_bytes = false;
	while (at < params->len) {
		size_t name, value;
		const char *p;

		if (!read_length(params, &at, &name) || !read_length(params, &at, &value))
			return false;
		if (name > params->len - at || value > params->len - at - name)
			return false;
		p = params->data + at;
		if (name == 0 || memchr(p, '=', name) || memchr(p, '\0', name + value))
			*bad_bytes = true;
		at += name + value;
		++*count;
	}
	return true;
}

static bool
is_authorization(const char *name, size_t len)
{
	static const char plain[] = "HTTP_AUTHORIZATION", redirected[] = "REDIRECT_HTTP_AUTHORIZATION";

	return (len == sizeof(plain) - 1 && memcmp(name, plain, len) == 0)
	    || (len == sizeof(redirected) - 1 && memcmp(name, redirected, len) == 0);
}

/* Cut the value of "value" bytes at "at", of which "have" bytes of the buffer are left for it and what follows. */
static size_t
cut_value(struct buf *params, size_t at, size_t value, size_t have)
{
	size_t after = have > value ? have - value : 0;
	size_t end = at + FCGI_AUTHORIZATION_KEPT;

	memmove(params->data + end, params->data + params->len - after, after);
	params->len = end + after;
	params->data[params->len] = '\0';
	return value > have ? value - have : 0;
}

bool
fcgi_params_cut(struct buf *params, size_t *missing)
{
	size_t at = 0;

	while (at < params->len) {
		size_t name, value, value_length_at, have;

		if (!read_length(params, &at, &name))
			return false;
		value_length_at = at;
		if (!read_length(params, &at, &value) || name > params->len - at)
			return false;
		have = params->len - at - name;
		/* A length beyond 127 has four bytes, so the new one takes its place. */
		if (value > FCGI_AUTHORIZATION_KEPT && have >= FCGI_AUTHORIZATION_KEPT
		    && is_authorization(params->data + at, name)) {
			write_length(params->data + value_length_at, FCGI_AUTHORIZATION_KEPT);
			*missing = cut_value(params, at + name, value, have);
			return true;
		}
		if (value > have)
			return false;
		at += name + value;
	}
	return false;
}
