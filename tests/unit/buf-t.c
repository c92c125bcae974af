/* SPDX-License-Identifier: MIT */
#include "base/buf.h"

#include <stdlib.h>
#include <string.h>

#include "../tap.h"

int
main(void)
{
	struct buf b;
	size_t len;
	char *s;

	buf_init(&b, 8);
	is_str(b.data, "", "an empty buffer is an empty string");
	buf_puts(&b, "1234");
	buf_putc(&b, '5');
	buf_printf(&b, "%d", 678);
	is_str(b.data, "12345678", "appends follow each other up to the bound");
	is_int(buf_status(&b), MCP_OK, "a full buffer has not failed");
	buf_putc(&b, '9');
	is_int(buf_status(&b), MCP_ELIMIT, "one byte more than the bound fails");
	is_str(b.data, "12345678", "a failed append leaves what was there");
	buf_puts(&b, "");
	is_int(buf_status(&b), MCP_ELIMIT, "the failure sticks");
	ok(buf_steal(&b, &len) == NULL, "a failed buffer hands nothing over");
	buf_reset(&b);
	buf_printf(&b, "%s", "123456789");
	is_int(buf_status(&b), MCP_ELIMIT, "formatted text is bounded too");
	buf_reset(&b);
	buf_puts(&b, "abc");
	s = buf_steal(&b, &len);
	is_str(s, "abc", "stolen bytes are a string");
	is_int((long long)len, 3, "with their length");
	free(s);
	s = buf_steal(&b, NULL);
	is_str(s, "", "an empty buffer hands over an empty string");
	free(s);
	buf_init(&b, (size_t)1 << 20);
	for (int i = 0; i < 1000; i++)
		buf_printf(&b, "%d,", i);
	is_int((long long)b.len, 3890, "growth over many reallocations loses nothing");
	buf_clear_secret(&b);
	is_int((long long)b.len, 0, "a cleared buffer is empty");
	buf_clear(NULL);
	return tap_done();
}
