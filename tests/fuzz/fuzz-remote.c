/* SPDX-License-Identifier: MIT */
/*
 * What remote servers say in URLs and header fields. Input: the first byte chooses. "u" and a URL: what our reader
 * accepts, libcurl, which will connect, reads as the same place. "f" and a field value: a number in its range or -1.
 */
#include <arpa/inet.h>
#include <string.h>
#include <strings.h>

#include <curl/curl.h>

#include "base/text.h"
#include "net/fetch.h"
#include "net/field.h"
#include "net/target.h"
#include "oauth/metadata.h"
#include "tests/fuzz/fuzz.h"

#define NOW_S INT64_C(1700000000)

/* Whether two spellings name one host. */
static bool
same_host(const char *ours, char *theirs)
{
	struct in6_addr a, b;
	size_t len = strlen(theirs);

	if (theirs[0] == '[' && theirs[len - 1] == ']') {
		theirs[len - 1] = '\0';
		theirs++;
		return inet_pton(AF_INET6, ours, &a) == 1 && inet_pton(AF_INET6, theirs, &b) == 1
		    && memcmp(&a, &b, sizeof(a)) == 0;
	}
	return strcasecmp(ours, theirs) == 0;
}

static void
as_curl(const char *url, const struct target *t)
{
	CURLU *u = curl_url();
	char *scheme = NULL, *host = NULL, *port = NULL, *user = NULL;

	if (!u)
		return;
	FUZZ_CLAIM(curl_url_set(u, CURLUPART_URL, url, 0) == CURLUE_OK);
	FUZZ_CLAIM(curl_url_get(u, CURLUPART_SCHEME, &scheme, 0) == CURLUE_OK);
	FUZZ_CLAIM(curl_url_get(u, CURLUPART_HOST, &host, 0) == CURLUE_OK);
	FUZZ_CLAIM(curl_url_get(u, CURLUPART_PORT, &port, CURLU_DEFAULT_PORT) == CURLUE_OK);
	FUZZ_CLAIM(curl_url_get(u, CURLUPART_USER, &user, 0) == CURLUE_NO_USER);
	FUZZ_CLAIM(strcmp(scheme, t->https ? "https" : "http") == 0);
	FUZZ_CLAIM(same_host(t->host, host));
	FUZZ_CLAIM(strtol(port, NULL, 10) == t->port);
	curl_free(scheme);
	curl_free(host);
	curl_free(port);
	curl_free(user);
	curl_url_cleanup(u);
}

static void
url(const char *text)
{
	static const struct target none;
	struct target t;
	struct buf out;
	char *host = fetch_url_host(text);
	bool good = target_parse(text, &t);

	FUZZ_CLAIM(good || memcmp(&t, &none, sizeof(t)) == 0);
	FUZZ_CLAIM(good == (host != NULL));
	FUZZ_CLAIM(good || !fetch_url_allowed(text));
	if (good) {
		FUZZ_CLAIM(t.host[0] && t.port && strcmp(host, t.host) == 0);
		FUZZ_CLAIM(t.literal || target_reach_of_text(t.host) == TARGET_PRIVATE);
		as_curl(text, &t);
	}
	free(host);
	buf_init(&out, 1 << 16);
	if (metadata_url(text, false, &out) == MCP_OK) {
		buf_putc(&out, '\0');
		FUZZ_CLAIM(strstr(out.data, "/.well-known/oauth-protected-resource"));
	}
	buf_clear(&out);
}

static void
field(const char *text, size_t len)
{
	int64_t age = field_max_age(text, len), date = field_date(text, len),
	    retry = field_retry_after(text, len, NOW_S);

	FUZZ_CLAIM(age >= -1 && age <= FIELD_SECONDS_MAX);
	FUZZ_CLAIM(retry >= -1 && retry <= FIELD_SECONDS_MAX);
	FUZZ_CLAIM(date >= -INT64_C(62200000000) && date < INT64_C(253402300800) + 86400);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	char *text;

	if (size == 0)
		return 0;
	text = text_dup((const char *)data + 1, size - 1);
	if (!text)
		return 0;
	if (data[0] == 'u')
		url(text);
	else
		field((const char *)data + 1, size - 1);
	free(text);
	return 0;
}
