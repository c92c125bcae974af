/* SPDX-License-Identifier: MIT */
/* The parts of our HTTP client that need no peer: URLs, addresses, header values, refusals before anything is asked. */
#include "net/fetch.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <stdlib.h>
#include <string.h>

#include "net/field.h"
#include "net/target.h"
#include "../tap.h"

static void
test_urls(void)
{
	static const char *const good[] = {
		"https://example.com", "https://example.com/", "HTTPS://Example.COM/keys",
		"https://a-b.example.com:8443/x?y=z&w=%20",
		"https://xn--bcher-kva.example/", "https://[2001:db8::1]/", "https://[::1]:8443/x", "http://localhost/",
		"http://LOCALHOST:1/",
		"http://127.0.0.1:65535/x", "http://127.8.9.10", "http://[::1]:3000/keys", "http://[::ffff:127.0.0.1]/",
		"https://10.0.0.1/keys",
		"https://a_b.example/?q", "https://e.com/a:b@c;d=e,f!g~h*i'(j)",
	};
	static const char *const bad[] = {
		"", "https://", "https:///x", "http://example.com/", "http://127.0.0.1.example.com/",
		"http://localhost.example.com/",
		"http://10.0.0.1/", "http://0.0.0.0/", "http://[::]/", "ftp://localhost/", "file:///etc/passwd",
		"//example.com/", "example.com",
		"https://user@example.com/", "https://user:pw@example.com/", "https://example.com@127.0.0.1/",
		"https://example.com#f",
		"https://example.com/#f", "https://example.com\\@evil.example/", "https://example.com:0/",
		"https://example.com:65536/",
		"https://example.com:/", "https://example.com:80a/", "https://exa mple.com/", " https://example.com/",
		"https://example.com/a b",
		"https://example.com/\n", "https://example.com/%", "https://example.com/%zz", "https://example..com/",
		"https://.example.com/",
		"https://example.com./", "https://127.1/", "https://2130706433/", "https://0x7f000001/",
		"https://0177.0.0.1/",
		"https://127.0.0.256/", "https://1.2.3.4.5/", "https://[::1/", "https://[::1]x/",
		"https://[fe80::1%25eth0]/", "https://[127.0.0.1]/",
		"https://::1/", "https://ex\xc3\xa4mple.com/", "https://example.com/\x7f", "https://example.com/<x>",
		"https://example.com?[x]",
		"http://127.0.0.1\t/", "http:/127.0.0.1/", "http:127.0.0.1", "https://a@b@c/",
	};

	for (size_t i = 0; i < sizeof(good) / sizeof(good[0]); i++)
		ok(fetch_url_allowed(good[i]), "may be fetched: %s", good[i]);
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
		ok(!fetch_url_allowed(bad[i]), "F4 F15: may not be fetched: bad URL %zu", i);
	ok(!fetch_url_allowed(NULL), "no URL may not be fetched");
}

static void
test_url_lengths(void)
{
	char url[TARGET_URL_MAX + 2];
	char host[300];
	char *h;

	memset(url, 'a', sizeof(url));
	memcpy(url, "https://e.com/", 14);
	url[TARGET_URL_MAX] = '\0';
	ok(fetch_url_allowed(url), "a URL of TARGET_URL_MAX bytes may be fetched");
	url[TARGET_URL_MAX] = 'a';
	url[TARGET_URL_MAX + 1] = '\0';
	ok(!fetch_url_allowed(url), "one byte more may not");

	memcpy(host, "https://", 8);
	for (size_t i = 0; i < 253; i++)
		host[8 + i] = i % 50 == 49 ? '.' : 'b';
	host[8 + 253] = '\0';
	ok(fetch_url_allowed(host), "a host of 253 bytes is one");
	memcpy(host + 8 + 253, "b", 2);
	ok(!fetch_url_allowed(host), "one of 254 is not");
	memcpy(host, "https://", 8);
	memset(host + 8, 'c', 64);
	host[8 + 64] = '\0';
	ok(!fetch_url_allowed(host), "a label of 64 bytes is none");

	h = fetch_url_host("https://Keys.Example.com:444/x");
	is_str(h, "keys.example.com", "the host of a URL is told in lower case without port");
	free(h);
	h = fetch_url_host("https://[2001:DB8::1]:444/x");
	is_str(h, "2001:db8::1", "an IPv6 host without brackets");
	free(h);
	h = fetch_url_host("nonsense");
	is_str(h, NULL, "no host without a URL");
}

static void
test_addresses(void)
{
	static const struct {
		const char *text;
		enum target_reach reach;
	} rows[] = {
		{ "127.0.0.1", TARGET_LOOPBACK }, { "127.255.255.255", TARGET_LOOPBACK }, { "::1", TARGET_LOOPBACK },
		{ "::ffff:127.0.0.1", TARGET_LOOPBACK }, { "64:ff9b::7f00:1", TARGET_LOOPBACK },
		{ "2002:7f00:1::", TARGET_LOOPBACK },
		{ "0.0.0.0", TARGET_PRIVATE }, { "0.1.2.3", TARGET_PRIVATE }, { "10.0.0.1", TARGET_PRIVATE },
		{ "10.255.255.255", TARGET_PRIVATE },
		{ "100.64.0.1", TARGET_PRIVATE }, { "100.127.255.255", TARGET_PRIVATE },
		{ "169.254.169.254", TARGET_PRIVATE },
		{ "172.16.0.1", TARGET_PRIVATE }, { "172.31.255.255", TARGET_PRIVATE }, { "192.0.0.8", TARGET_PRIVATE },
		{ "192.0.2.1", TARGET_PRIVATE },
		{ "192.168.1.1", TARGET_PRIVATE }, { "198.18.0.1", TARGET_PRIVATE },
		{ "198.19.255.255", TARGET_PRIVATE },
		{ "198.51.100.1", TARGET_PRIVATE }, { "203.0.113.9", TARGET_PRIVATE }, { "224.0.0.1", TARGET_PRIVATE },
		{ "255.255.255.255", TARGET_PRIVATE }, { "::", TARGET_PRIVATE }, { "::2", TARGET_PRIVATE },
		{ "::ffff:10.1.1.1", TARGET_PRIVATE },
		{ "::ffff:169.254.169.254", TARGET_PRIVATE }, { "64:ff9b::a00:1", TARGET_PRIVATE },
		{ "64:ff9b:1::1", TARGET_PRIVATE },
		{ "100::1", TARGET_PRIVATE }, { "2001::1", TARGET_PRIVATE }, { "2001:db8::1", TARGET_PRIVATE },
		{ "2002:a00:1::1", TARGET_PRIVATE },
		{ "2002:a9fe:a9fe::", TARGET_PRIVATE }, { "3fff::1", TARGET_PRIVATE }, { "fc00::1", TARGET_PRIVATE },
		{ "fd12:3456::1", TARGET_PRIVATE },
		{ "fe80::1", TARGET_PRIVATE }, { "fe80::1%eth0", TARGET_PRIVATE }, { "fec0::1", TARGET_PRIVATE },
		{ "ff02::1", TARGET_PRIVATE },
		{ "", TARGET_PRIVATE }, { "example.com", TARGET_PRIVATE }, { "1.2.3", TARGET_PRIVATE },
		{ "1.1.1.1", TARGET_PUBLIC }, { "9.255.255.255", TARGET_PUBLIC }, { "11.0.0.0", TARGET_PUBLIC },
		{ "100.63.255.255", TARGET_PUBLIC },
		{ "100.128.0.0", TARGET_PUBLIC }, { "126.255.255.255", TARGET_PUBLIC }, { "128.0.0.1", TARGET_PUBLIC },
		{ "172.15.255.255", TARGET_PUBLIC },
		{ "172.32.0.0", TARGET_PUBLIC }, { "192.167.255.255", TARGET_PUBLIC }, { "198.20.0.0", TARGET_PUBLIC },
		{ "223.255.255.255", TARGET_PUBLIC },
		{ "2606:4700::1111", TARGET_PUBLIC }, { "2001:200::1", TARGET_PUBLIC },
		{ "::ffff:1.1.1.1", TARGET_PUBLIC }, { "2002:101:101::", TARGET_PUBLIC },
	};
	struct sockaddr_in6 in6 = { .sin6_family = AF_INET6 };
	struct sockaddr_in in = { .sin_family = AF_INET };
	struct sockaddr other = { .sa_family = AF_UNIX };

	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++)
		is_int(target_reach_of_text(rows[i].text), rows[i].reach, "F16: how far %s reaches", rows[i].text);
	if (inet_pton(AF_INET, "169.254.169.254", &in.sin_addr) == 1)
		is_int(target_reach_of((const struct sockaddr *)&in), TARGET_PRIVATE,
		    "the same of an IPv4 socket address");
	if (inet_pton(AF_INET6, "2606:4700::1111", &in6.sin6_addr) == 1)
		is_int(target_reach_of((const struct sockaddr *)&in6), TARGET_PUBLIC,
		    "the same of an IPv6 socket address");
	is_int(target_reach_of(&other), TARGET_PRIVATE, "an address of another family is not public");
}

static void
test_max_age(void)
{
	static const struct {
		const char *value;
		long long age;
	} rows[] = {
		{ "max-age=600", 600 }, { "public, max-age=600", 600 }, { "MAX-AGE=600", 600 },
		{ "max-age=\"600\"", 600 }, { "max-age=0", 0 },
		{ "no-store", 0 }, { "no-cache", 0 }, { "no-cache=\"Set-Cookie\"", 0 }, { "max-age=600, no-store", 0 },
		{ "no-store, max-age=x", 0 },
		{ "max-age=99999999999", FIELD_SECONDS_MAX },
		{ "max-age=99999999999999999999999999", FIELD_SECONDS_MAX },
		{ "max-age=2147483647", FIELD_SECONDS_MAX }, { "max-age=2147483648", FIELD_SECONDS_MAX },
		{ "max-age=600,max-age=60", 60 }, { "max-age=60,max-age=600", 60 },
		{ "max-age=-1", -1 }, { "max-age=", -1 }, { "max-age", -1 }, { "max-age=1.5", -1 },
		{ "max-age=0x10", -1 }, { "max-age= 5", -1 },
		{ "max-age=5 5", -1 }, { "max-age=60, max-age=x", -1 }, { "max-age='60'", -1 }, { "max-age=\"60", -1 },
		{ "", -1 }, { ",", -1 }, { "garbage", -1 }, { "s-maxage=60", -1 }, { "xmax-age=60", -1 },
		{ ", , max-age=7 ,", 7 },
		{ "x=\"max-age=9\", max-age=8", 8 }, { "x=\"a\\\",b\", max-age=8", 8 },
		{ "x=\"no-store\", max-age=8", 8 },
		{ "immutable, max-age=31536000, public", 31536000 },
	};

	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++)
		is_int(field_max_age(rows[i].value, strlen(rows[i].value)), rows[i].age, "F9: Cache-Control: %s",
		    rows[i].value);
}

static void
test_dates(void)
{
	static const struct {
		const char *value;
		long long s;
	} rows[] = {
		{ "Sun, 06 Nov 1994 08:49:37 GMT", 784111777 }, { "Sunday, 06-Nov-94 08:49:37 GMT", 784111777 },
		{ "Sun Nov  6 08:49:37 1994", 784111777 },
		{ "Thu, 01 Jan 1970 00:00:00 GMT", 0 }, { "Tue, 29 Feb 2000 12:00:00 GMT", 951825600 },
		{ "Wed, 01 Mar 2000 00:00:00 GMT", 951868800 },
		{ "Fri, 31 Dec 2027 23:59:59 GMT", 1830297599 }, { "Sat, 29 Feb 2048 00:00:00 GMT", 2466547200 },
		{ "Mon, 01 Mar 2100 00:00:00 GMT", 4107542400 },
		{ "Sun, 06 Nov 1994 08:49:37 CET", -1 }, { "Sun, 6 Nov 1994 08:49:37 GMT", -1 },
		{ "Sun, 06 nov 1994 08:49:37 GMT", -1 },
		{ "Sun, 06 Nov 1994 24:49:37 GMT", -1 }, { "Sun, 06 Nov 1994 08:60:37 GMT", -1 },
		{ "Sun, 32 Nov 1994 08:49:37 GMT", -1 },
		{ "Sun, 00 Nov 1994 08:49:37 GMT", -1 }, { "Sun, 06 Nov 1969 08:49:37 GMT", -1 },
		{ "Sun, 06 Nov 1994 08:49:37 GMT ", -1 },
		{ "Sun, 06 Nov 1994 08:49:37", -1 }, { "1994-11-06T08:49:37Z", -1 }, { "", -1 }, { "Sun", -1 },
		{ "784111777", -1 },
	};
	const char *later = "Sun, 06 Nov 1994 08:50:37 GMT";

	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++)
		is_int(field_date(rows[i].value, strlen(rows[i].value)), rows[i].s, "Date: %s", rows[i].value);
	is_int(field_retry_after("120", 3, 0), 120, "Retry-After in seconds");
	is_int(field_retry_after("0", 1, 0), 0, "Retry-After of zero");
	is_int(field_retry_after("99999999999", 11, 0), FIELD_SECONDS_MAX, "a very long Retry-After is cut");
	is_int(field_retry_after(later, strlen(later), 784111777), 60, "Retry-After as a date");
	is_int(field_retry_after(later, strlen(later), 784119999), 0, "Retry-After in the past");
	is_int(field_retry_after("-5", 2, 0), -1, "a negative Retry-After is not readable");
	is_int(field_retry_after("soon", 4, 0), -1, "nor is a word");
}

static enum mcp_err
try_fetch(const struct fetch_request *base, const struct fetch_policy *policy, char fault[96])
{
	struct fetch_request req = *base;
	struct fetch_response res;
	enum mcp_err err;

	if (!req.method)
		req.method = "GET";
	req.connect_timeout_ms = 20000;
	req.total_timeout_ms = 20000;
	req.max_bytes = 1000;
	err = fetch(policy, &req, &res);
	memcpy(fault, res.fault, 96);
	fetch_response_clear(&res);
	return err;
}

/* All of these are refused without a packet. */
static void
test_refusals(void)
{
	static const char *const bad_header[] = { "X: a\r\nHost: b", NULL };
	static const char *const learnt[] = {
		"https://127.0.0.1:1/", "https://localhost:1/", "https://[::1]:1/", "https://10.0.0.1/",
		"https://169.254.169.254/latest/", "https://[fd00::1]/",
		"https://[::ffff:10.0.0.1]/", "http://127.0.0.1:1/",
	};
	struct fetch_policy policy = { 0 };
	struct fetch_request req = { 0 };
	char fault[96];

	req.url = "http://example.com/";
	is_int(try_fetch(&req, &policy, fault), MCP_EPERM, "plain http to another host is refused");
	is_str(fault, "plain http, and the host is not loopback", "and says so");
	req.url = "https://u:p@example.com/";
	is_int(try_fetch(&req, &policy, fault), MCP_EPERM, "a URL with userinfo is refused");
	req.learnt = true;
	for (size_t i = 0; i < sizeof(learnt) / sizeof(learnt[0]); i++) {
		req.url = learnt[i];
		is_int(try_fetch(&req, &policy, fault), MCP_EPERM, "F16: a learnt URL may not be %s", learnt[i]);
	}
	policy.proxy = (char *)(uintptr_t)"http://127.0.0.1:1";
	req.url = "https://10.0.0.1/";
	is_int(try_fetch(&req, &policy, fault), MCP_EPERM, "F16: nor is it when a proxy would do the work");
	policy.proxy = NULL;
	req.url = "https://127.0.0.1:1/";
	req.origin_host = "127.0.0.1";
	is_int(try_fetch(&req, &policy, fault), MCP_ENET, "a learnt URL on its origin's own host is asked for");
	req.origin_host = "127.0.0.2";
	is_int(try_fetch(&req, &policy, fault), MCP_EPERM, "one on another host is not");
	if (strlist_add(&policy.allow, "127.0.0.1", 9) == MCP_OK)
		is_int(try_fetch(&req, &policy, fault), MCP_ENET, "unless FETCH_ALLOW names the host");
	strlist_clear(&policy.allow);
	req = (struct fetch_request){ .url = "http://127.0.0.1:1/", .method = "DELETE" };
	is_int(try_fetch(&req, &policy, fault), MCP_EINVAL, "only GET and POST are sent");
	req = (struct fetch_request){ .url = "http://127.0.0.1:1/", .headers = bad_header };
	is_int(try_fetch(&req, &policy, fault), MCP_EINVAL, "a header with a line end is not sent");
	req = (struct fetch_request){ .url = "http://127.0.0.1:1/" };
	is_int(try_fetch(&req, &policy, fault), MCP_ENET, "F1: a refused connection is a fault of the network");
	ok(fault[0] != '\0', "and says what went wrong: %s", fault);
}

static void
test_types(void)
{
	static const struct {
		const char *type;
		bool is_json;
	} rows[] = {
		{ "application/json", true }, { "Application/JSON; charset=utf-8", true },
		{ "application/json;charset=utf-8", true },
		{ "application/jwk-set+json", true }, { "application/+json", false }, { "text/json", false },
		{ "text/html", false },
		{ "application/jsonx", false }, { "application/jwk-set", false }, { "image/svg+json", false },
		{ "", false }, { NULL, false },
	};

	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct fetch_response res = { .content_type = (char *)(uintptr_t)rows[i].type };

		is_int(fetch_response_is_json(&res), rows[i].is_json, "whether this type is JSON: %s",
		    rows[i].type ? rows[i].type : "(none)");
	}
}

int
main(void)
{
	test_urls();
	test_url_lengths();
	test_addresses();
	test_max_age();
	test_dates();
	test_types();
	test_refusals();
	return tap_done();
}
