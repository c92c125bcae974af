/* SPDX-License-Identifier: MIT */
/*
 * The terms on which we fetch: the operator's settings, which URLs may be asked, which answers are JSON. No network
 * here.
 */
#include "net/fetch.h"

#include <string.h>
#include <strings.h>

#include "base/text.h"
#include "net/target.h"

static const char *
check_proxy(const char *value)
{
	static const char *const schemes[] = { "http://", "https://", "socks5://", "socks5h://" };

	for (size_t i = 0; i < sizeof(schemes) / sizeof(schemes[0]); i++) {
		if (strncasecmp(value, schemes[i], strlen(schemes[i])) == 0 && value[strlen(schemes[i])])
			return NULL;
	}
	return "must begin with http://, https://, socks5:// or socks5h://";
}

const struct setting fetch_setting_rows[] = {
	{ .name = "CA_FILE", .type = SETTING_STRING, .offset = offsetof(struct fetch_policy, ca_file),
	  .help = "PEM file of certificate authorities to trust, instead of the system's." },
	{ .name = "FETCH_PROXY", .type = SETTING_STRING, .flags = SETTING_SECRET,
	  .offset = offsetof(struct fetch_policy, proxy),
	  .check = check_proxy,
	  .help = "Proxy for our own requests to other hosts (the variables http_proxy and the like are not read)." },
	{ .name = "FETCH_ALLOW", .type = SETTING_LIST, .offset = offsetof(struct fetch_policy, allow),
	  .help = "Hosts that may have private addresses although their URL was learnt from metadata." },
};
const size_t fetch_setting_count = sizeof(fetch_setting_rows) / sizeof(fetch_setting_rows[0]);

bool
fetch_response_is_json(const struct fetch_response *res)
{
	const char *type = res->content_type;
	size_t len = type ? strcspn(type, "; \t") : 0;

	if (len == strlen("application/json") && strncasecmp(type, "application/json", len) == 0)
		return true;
	return len > strlen("application/+json") && strncasecmp(type, "application/", strlen("application/")) == 0 &&
	    strncasecmp(type + len - strlen("+json"), "+json", strlen("+json")) == 0;
}

bool
fetch_url_allowed(const char *url)
{
	struct target t;

	return target_parse(url, &t) && (t.https || target_is_loopback(t.host));
}

char *
fetch_url_host(const char *url)
{
	struct target t;

	return target_parse(url, &t) ? text_dup(t.host, strlen(t.host)) : NULL;
}
