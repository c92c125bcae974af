/* SPDX-License-Identifier: MIT */
#include "server/settings.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "../tap.h"

static char path[] = "/tmp/mcp-settings-t-XXXXXX";

/* Load "content" over "environment"; the report as text is the caller's. */
static char *
load(const char *content, char *const *environment, struct server_config **out)
{
	struct report report = { 0 };
	struct server_config *c = NULL;
	struct buf text;
	FILE *f = fopen(path, "w");

	if (!f || fputs(content, f) < 0 || fclose(f) != 0)
		abort();
	buf_init(&text, 100000);
	if (server_config_load(path, environment, &report, &c) != MCP_OK)
		buf_puts(&text, "failed");
	buf_puts(&text, report.failed ? "refuses\n" : "serves\n");
	report_render(&report, &text);
	report_clear(&report);
	if (out)
		*out = c;
	else
		server_config_free(c);
	return buf_steal(&text, NULL);
}

static void
expect(const char *content, const char *verdict, const char *line, const char *text)
{
	char *got = load(content, NULL, NULL);

	ok(strncmp(got, verdict, strlen(verdict)) == 0 && strstr(got, line), "%s", text);
	if (!strstr(got, line))
		diag("%s", got);
	free(got);
}

#define GOOD "SK_ENV_URL=https://a.scalekit.com\nEXPECTED_AUDIENCE=https://mcp.example.com/mcp\n"

int
main(void)
{
	char variable[] = "RESOURCE_IDENTIFIER=https://env.example.com/mcp", *environment[] = { variable, NULL };
	struct server_config *c;
	struct buf dir;
	int fd = mkstemp(path);
	char *report;

	if (fd < 0 || close(fd) != 0)
		abort();
	expect("EXPECTED_AUDIENCE=x\n", "refuses", "[FAIL] ENV-SK_ENV_URL not set",
	    "S19: without an issuer nothing is served");
	expect("EXPECTED_AUDIENCE=x\n", "refuses", "SCALEKIT_ENVIRONMENT_URL environment variable not set",
	    "W13: the other name is told");
	expect("SK_ENV_URL=https://a.example\n", "refuses", "[FAIL] ENV-EXPECTED_AUDIENCE not set",
	    "S21: without an audience nothing is served");
	expect("SK_ENV_URL=https://a.example\nEXPECTED_AUDIENCE=\n", "refuses",
	    "RESOURCE_IDENTIFIER environment variable not set",
	    "W14, S21: an empty audience never means any");
	expect("SK_ENV_URL=*\nEXPECTED_AUDIENCE=x\n", "refuses", "[FAIL] ISS-OFF",
	    "S50: the issuer check cannot be switched off");
	expect("SK_ENV_URL=https://a.example\nEXPECTED_AUDIENCE=*\n", "refuses", "[FAIL] AUD-OFF",
	    "S51: nor the audience check");
	expect("SK_ENV_URL=a.scalekit.com\nEXPECTED_AUDIENCE=x\n", "refuses",
	    "[FAIL] SK_ENV_URL \"a.scalekit.com\" has no https://",
	    "T35: a URL without scheme is told");
	expect("SK_ENV_URL=http://a.scalekit.com\nEXPECTED_AUDIENCE=x\n", "refuses", "is no usable URL",
	    "plain http beyond loopback is refused");
	expect("SK_ENV_URL=https://a.scalekit.com/\nEXPECTED_AUDIENCE=x\n", "serves", "[WARN] SK_ENV_URL",
	    "a slash at the end is left out and told");
	expect(GOOD "JWT_ALGORITHMS=HS256\n", "refuses", "JWT_ALGORITHMS names an algorithm",
	    "symmetric algorithms cannot be configured");
	expect(GOOD "JWT_ALGORITHMS=none\n", "refuses", "JWT_ALGORITHMS names an algorithm", "nor none");
	expect(GOOD "MCP_PATH=mcp\n", "refuses", "MCP_PATH is no absolute path", "a relative MCP_PATH is told");
	expect(GOOD "RATE_LIMIT=many\n", "refuses", "RATE_LIMIT", "a rate that does not parse is told");
	expect(GOOD "RESOURCE_IDENTIFIER=https://other.example\n", "refuses", "differ",
	    "T41: families of names that contradict each other are told");
	expect(GOOD "REQUIRED_CLAIMS='plan =eu'\n", "refuses", "REQUIRED_CLAIMS is no list",
	    "a required claim without a name is told");
	expect(GOOD "SOMETHING=1\n", "serves", "[WARN] CONFIG", "an unknown key is a warning with its line");

	report = load("SCALEKIT_ENVIRONMENT_URL=https://a.scalekit.com///\n", environment, &c);
	is_str(c->settings.issuer, "https://a.scalekit.com", "the slashes are gone");
	is_str(c->settings.audiences.v[0], "https://env.example.com/mcp",
	    "the environment sets what the file does not");
	is_str(server_public_url(&c->settings, NULL), "https://env.example.com/mcp",
	    "the first audience is the public URL");
	is_str(server_public_url(&c->settings, "https://from.metadata/x"), "https://from.metadata/x",
	    "unless the metadata names it");
	is_str(c->settings.mcp_path, "/mcp", "defaults are there");
	is_int(c->settings.body_max_bytes, 4194304, "in bytes");
	buf_init(&dir, 4096);
	ok(server_state_directory(&c->settings, &dir) == MCP_OK && dir.len > 0, "there is always a place for state");
	buf_clear(&dir);
	server_config_free(c);
	free(report);
	unlink(path);
	expect(GOOD, "serves", "serves", "a good file has nothing to say");
	unlink(path);
	return tap_done();
}
