/* SPDX-License-Identifier: MIT */
#include "http/sse.h"

#include <inttypes.h>
#include <string.h>
#include <strings.h>

#include "base/text.h"

void
sse_render(const char *id, int64_t retry_ms, const char *data, size_t len, struct buf *out)
{
	const char *end = data ? data + len : NULL;

	if (id) {
		buf_puts(out, "id: ");
		buf_put(out, id, strcspn(id, "\r\n"));
		buf_putc(out, '\n');
	}
	if (retry_ms > 0)
		buf_printf(out, "retry: %" PRId64 "\n", retry_ms);
	do {
		const char *p = data;

		while (p < end && *p != '\n' && *p != '\r')
			p++;
		buf_puts(out, "data: ");
		if (data)
			buf_put(out, data, (size_t)(p - data));
		buf_putc(out, '\n');
		if (p < end && *p == '\r' && p + 1 < end && p[1] == '\n')
			p++;
		data = p < end ? p + 1 : NULL;
	} while (data);
	buf_putc(out, '\n');
}

/* Whether the parameters of a media range, from their first ";" on, give it the weight zero. */
static bool
is_refused(const char *parameters, size_t len)
{
	const char *end = parameters + len;

	while (parameters < end) {
		const char *next = memchr(parameters + 1, ';', (size_t)(end - parameters - 1));
		const char *text = parameters + 1;
		size_t n = (size_t)((next ? next : end) - text);

		text_trim(&text, &n);
		if (n >= 3 && strncasecmp(text, "q=0", 3) == 0)
			return strspn(text + 3, ".0") >= n - 3;
		parameters = next ? next : end;
	}
	return false;
}

bool
sse_is_accepted(const char *accept)
{
	while (accept && *accept) {
		size_t len = strcspn(accept, ","), type_len;
		const char *type = accept;

		type_len = strcspn(accept, ";,");
		text_trim(&type, &type_len);
		if (type_len == strlen(SSE_TYPE) && strncasecmp(type, SSE_TYPE, type_len) == 0) {
			size_t before = strcspn(accept, ";,");

			if (!is_refused(accept + before, len - before))
				return true;
		}
		accept += len;
		accept += *accept == ',';
	}
	return false;
}
