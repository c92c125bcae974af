/* SPDX-License-Identifier: MIT */
#include "issuer/form.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "issuer/endpoint.h"
#include "tests/tap.h"

static enum mcp_err
parse(const char *text, const char *repeatable, struct form *f)
{
	return form_parse(text, strlen(text), repeatable, f);
}

int
main(void)
{
	char *many = malloc(FORM_BYTES_MAX + 2);
	struct form f;
	struct buf b;
	size_t n = 0;

	is_int(parse("a=1&b=two+words%21&c=&d&=e", NULL, &f), MCP_OK, "names, values, blanks and escapes are read");
	is_str(form_get(&f, "a"), "1", "a plain value");
	is_str(form_get(&f, "b"), "two words!", "+ is a blank, %%21 an exclamation mark");
	is_str(form_get(&f, "c"), NULL, "an empty value counts as absent");
	is_str(form_get(&f, "d"), NULL, "a name without = counts as absent");
	is_str(form_get(&f, "x"), NULL, "a name that is not there");
	form_clear(&f);
	is_int(parse("", NULL, &f), MCP_OK, "nothing is a form without fields");
	is_int((long long)f.n, 0, "and has none");
	form_clear(&f);
	is_int(parse("a=1&a=1", NULL, &f), MCP_EINVAL, "a name twice is refused");
	is_int((long long)f.n, 0, "and nothing is left of it");
	is_int(parse("a=1&%61=1", NULL, &f), MCP_EINVAL, "also when one is escaped");
	is_int(parse("s=1&a=2&s=3", "s", &f), MCP_OK, "but for the name that may repeat");
	form_clear(&f);
	is_int(parse("a=%", NULL, &f), MCP_ESYNTAX, "a lone percent sign");
	is_int(parse("a=%4", NULL, &f), MCP_ESYNTAX, "half an escape");
	is_int(parse("a=%4g", NULL, &f), MCP_ESYNTAX, "an escape that is no hexadecimal number");
	is_int(parse("a=%00", NULL, &f), MCP_ESYNTAX, "an escaped NUL");
	is_int(parse("a=%0d%0aSet-Cookie:x", NULL, &f), MCP_ESYNTAX, "an escaped line end");
	is_int(parse("a=%ff", NULL, &f), MCP_ESYNTAX, "a byte that is no UTF-8");
	is_int(parse("a=%c3%a9", NULL, &f), MCP_OK, "UTF-8");
	is_str(form_get(&f, "a"), "\xc3\xa9", "is kept");
	form_clear(&f);
	if (many) {
		memset(many, 'a', FORM_BYTES_MAX + 1);
		is_int(form_parse(many, FORM_BYTES_MAX + 1, NULL, &f), MCP_ELIMIT, "a byte too many");
		for (int i = 0; i <= FORM_FIELDS_MAX; i++)
			n += (size_t)snprintf(many + n, 16, "n%d=1&", i);
		is_int(form_parse(many, n, NULL, &f), MCP_ELIMIT, "a field too many");
	}
	if (many) {
		n = (size_t)snprintf(many, 64, "request=r&decision=allow");
		for (int i = 0; i < ENDPOINT_SCOPES_MAX; i++)
			n += (size_t)snprintf(many + n, 16, "&scope=s%d", i);
		is_int(form_parse(many, n, "scope", &f), MCP_OK, "a consent to as many scopes as there may be");
		is_int((long long)f.n, ENDPOINT_SCOPES_MAX + 2, "with all of them, the request and the decision");
		form_clear(&f);
	}
	free(many);
	buf_init(&b, 100);
	form_encode("http://127.0.0.1/a b?c=d&\xc3\xa9-._~", &b);
	is_str(b.data, "http%3A%2F%2F127.0.0.1%2Fa%20b%3Fc%3Dd%26%C3%A9-._~",
	    "only unreserved characters stay as they are");
	buf_clear(&b);
	return tap_done();
}
