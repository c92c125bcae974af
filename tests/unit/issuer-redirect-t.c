/* SPDX-License-Identifier: MIT */
#include "issuer/redirect.h"

#include <string.h>

#include "tests/tap.h"

static const struct {
	const char *uri;
	bool good;
} uris[] = {
	{ "http://127.0.0.1/callback", true },
	{ "http://127.0.0.1:5000/callback?x=1", true },
	{ "http://[::1]:5000/callback", true },
	{ "http://localhost:6274/oauth/callback", true },
	{ "https://app.example.com/callback", true },
	{ "https://app.example.com", true },
	{ "com.example.app:/callback", true },
	{ "cursor://anysphere.cursor-retrieval/oauth/callback", true },
	{ "http://app.example.com/callback", false },
	{ "http://127.0.0.1.example.com/", false },
	{ "http://127.0.0.1@example.com/", false },
	{ "https://user@app.example.com/", false },
	{ "https://app.example.com/#fragment", false },
	{ "https://app.example.com/#", false },
	{ "https://app.example.com/a b", false },
	{ "https://app.example.com/\r\nX: y", false },
	{ "https://app.example.com\\@example.org/", false },
	{ "https://app.example.com:port/", false },
	{ "https://app.example.com:/", false },
	{ "https:///callback", false },
	{ "https:app.example.com", false },
	{ "http:127.0.0.1", false },
	{ "javascript:alert(1)", false },
	{ "JavaScript:alert(1)", false },
	{ "data:text/html,x", false },
	{ "file:///etc/passwd", false },
	{ "//app.example.com/", false },
	{ "/callback", false },
	{ "callback", false },
	{ "", false },
	{ "1x:/y", false },
	{ "https://app.example.com/\"onload=", false },
	{ "https://app.example.com/<b>", false },
};

static const struct {
	const char *registered, *given;
	bool same;
} pairs[] = {
	{ "https://app.example.com/cb", "https://app.example.com/cb", true },
	{ "http://127.0.0.1/cb", "http://127.0.0.1:49152/cb", true },
	{ "http://127.0.0.1:1/cb?a=b", "http://127.0.0.1:2/cb?a=b", true },
	{ "http://localhost:1/cb", "http://localhost:2/cb", true },
	{ "http://[::1]/cb", "http://[::1]:2/cb", true },
	{ "http://127.0.0.1/cb", "http://localhost/cb", false },
	{ "http://127.0.0.1/cb", "http://127.0.0.1/cb/", false },
	{ "http://127.0.0.1/cb", "http://127.0.0.1/cb?x", false },
	{ "http://127.0.0.1/cb", "http://127.0.0.1:80@example.com/cb", false },
	{ "http://127.0.0.1/cb", "https://127.0.0.1/cb", false },
	{ "http://127.0.0.1/cb", "http://127.0.0.1:1/cb#x", false },
	{ "https://app.example.com/cb", "https://app.example.com:8443/cb", false },
	{ "https://localhost/cb", "https://localhost:8443/cb", false },
	{ "https://app.example.com/cb", "https://app.example.com/CB", false },
	{ "https://app.example.com/cb", "https://app.example.com/cb/../x", false },
	{ "com.example.app:/cb", "com.example.app:/other", false },
};

static void
shows(void (*write)(const char *, struct buf *), const char *uri, const char *want)
{
	struct buf b;

	buf_init(&b, 4096);
	write(uri, &b);
	is_str(b.data, want, "%s", uri);
	buf_clear(&b);
}

int
main(void)
{
	char longest[REDIRECT_URI_MAX + 2];

	for (size_t i = 0; i < sizeof uris / sizeof uris[0]; i++)
		if (!ok((redirect_fault(uris[i].uri) == NULL) == uris[i].good, "URI %zu may%s be registered", i,
			uris[i].good ? "" : " not"))
			diag("%s", uris[i].uri);
	for (size_t i = 0; i < sizeof pairs / sizeof pairs[0]; i++)
		ok(redirect_matches(pairs[i].registered, pairs[i].given) == pairs[i].same, "%s %s %s", pairs[i].given,
		    pairs[i].same ? "is" : "is not", pairs[i].registered);
	memset(longest, 'a', sizeof longest);
	memcpy(longest, "https://a/", 10);
	longest[REDIRECT_URI_MAX] = '\0';
	ok(redirect_fault(longest) == NULL, "the longest URI");
	longest[REDIRECT_URI_MAX] = 'a';
	longest[REDIRECT_URI_MAX + 1] = '\0';
	ok(redirect_fault(longest) != NULL, "a byte more");
	ok(redirect_is_loopback("http://localhost:1/"), "localhost is this computer");
	ok(!redirect_is_loopback("https://localhost.example.com/"), "a name that begins like it is not");
	diag("what a person sees");
	shows(redirect_target, "https://app.example.com:8443/cb", "app.example.com:8443");
	shows(redirect_target, "cursor://anysphere/cb", "cursor:");
	diag("what the policy names");
	shows(redirect_source, "https://app.example.com:8443/cb?x", "https://app.example.com:8443");
	shows(redirect_source, "http://[::1]:5/cb", "http:");
	shows(redirect_source, "com.example.app:/cb", "com.example.app:");
	return tap_done();
}
