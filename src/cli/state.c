/* SPDX-License-Identifier: MIT */
/* Answers for where a subcommand finds the state; as whom it touches it is the business of identity.c. */
#include "cli/cli.h"

#include <errno.h>
#include <stdbool.h>
#include <string.h>
#include <unistd.h>

#include "cli/identity.h"
#include "server/report.h"
#include "server/settings.h"

#define PATH_BYTES_MAX 4096

/*
 * Complain about what makes the configuration unreadable: STATE_DIR may be another one than we think then. Other
 * faults do not concern us.
 */
static bool
complain(const char *command, const struct report *report)
{
	bool found = false;

	for (size_t i = 0; i < report->n; i++) {
		if (report->v[i].level == REPORT_FAIL && strncmp(report->v[i].text, "CONFIG ", 7) == 0) {
			cli_fail(command, "%s", report->v[i].text + 7);
			found = true;
		}
	}
	return found;
}

/* What --state-dir said, made absolute. */
static int
make_absolute(const char *command, const char *dir, struct buf *out)
{
	char here[PATH_BYTES_MAX];

	if (*dir != '/') {
		if (!getcwd(here, sizeof here))
			return cli_fail(command, "%s: %s", dir, strerror(errno));
		buf_printf(out, "%s/", here);
	}
	buf_puts(out, dir);
	return buf_status(out) ? cli_fail(command, "%s: %s", dir, mcp_strerror(buf_status(out))) : CLI_OK;
}

/* The directory of "settings", or the one that was given, as the user whose it is. */
static int
take_identity(const char *command, const struct server_settings *settings, const char *given, struct buf *out)
{
	const char *why = NULL, *dir = given ? given : settings->state_dir;
	enum mcp_err err = identity_of_state(settings, given, out, &why);

	if (!err)
		return CLI_OK;
	return cli_fail(command, "%s: %s", dir ? dir : "STATE_DIR", why ? why : mcp_strerror(err));
}

int
cli_state_directory(const char *command, const char *dir, const char *config, struct buf *out)
{
	struct server_config *c = NULL;
	struct report report = { 0 };
	int status = CLI_OK;
	struct buf given;
	enum mcp_err err;

	buf_init(&given, PATH_BYTES_MAX);
	err = server_config_load(config, environ, &report, &c);
	if (err)
		status = cli_fail(command, "%s", mcp_strerror(err));
	else if (dir)
		status = make_absolute(command, dir, &given);
	else if (complain(command, &report))
		status = CLI_FAILED;
	if (status == CLI_OK)
		status = take_identity(command, &c->settings, dir ? given.data : NULL, out);
	buf_clear(&given);
	report_clear(&report);
	server_config_free(c);
	return status;
}
