/* SPDX-License-Identifier: MIT */
/* mcp-fcgi config: shows and checks the settings, without starting anything. */
#include "cli/cli.h"

#include <getopt.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/settings.h"
#include "server/report.h"
#include "server/sections.h"
#include "server/settings.h"

static const char details[] =
    "  show            every setting with its value and the file and line, or the environment, that gave it;\n"
    "                  secrets are shown as (set) or (not set)\n"
    "  check           the faults that were found; exit status 1 if the server would refuse to work with them\n"
    "  --config FILE   the configuration; otherwise it is searched for as the server does\n";

static const struct option options[] = { { "config", required_argument, NULL, 'c' }, { "help", no_argument, NULL, 'h' },
	{ NULL, 0, NULL, 0 } };

static int
show(const struct server_config *c, const struct report *report, struct buf *out)
{
	size_t n;
	const struct setting_group *groups = server_setting_groups(&n);

	(void)report;
	buf_printf(out, "# configuration: %s\n\n", c->path ? c->path : "(no file)");
	settings_show(c->source, groups, n, out);
	server_sections_show(c->source, &c->settings, out);
	return CLI_OK;
}

static int
check(const struct server_config *c, const struct report *report, struct buf *out)
{
	buf_printf(out, "configuration: %s\n", c->path ? c->path : "(no file)");
	report_render(report, out);
	return report->failed ? CLI_FAILED : CLI_OK;
}

static int
run(int (*action)(const struct server_config *, const struct report *, struct buf *), const char *path)
{
	struct server_config *c = NULL;
	struct report report = { 0 };
	enum mcp_err err = server_config_load(path, environ, &report, &c);
	int status = CLI_FAILED;
	struct buf out;

	buf_init(&out, 1024 * 1024);
	if (!err) {
		status = action(c, &report, &out);
		err = buf_status(&out);
	}
	if (err)
		status = cli_fail("config", "%s", mcp_strerror(err));
	else
		fputs(out.data, stdout);
	buf_clear(&out);
	report_clear(&report);
	server_config_free(c);
	return status;
}

int
cli_config(int argc, char **argv)
{
	const char *path = NULL;
	int c;

	while ((c = getopt_long(argc, argv, "", options, NULL)) != -1) {
		if (c == 'h')
			return cli_help("config", details);
		if (c != 'c')
			return cli_usage("config", NULL);
		path = optarg;
	}
	if (optind + 1 == argc && strcmp(argv[optind], "show") == 0)
		return run(show, path);
	if (optind + 1 == argc && strcmp(argv[optind], "check") == 0)
		return run(check, path);
	return cli_usage("config", "show or check?");
}
