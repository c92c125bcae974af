/* SPDX-License-Identifier: MIT */
/* A configuration that changes under a running process: read again, kept when the new one is bad, never half. */
#include <ftw.h>
#include <pthread.h>
#include <pwd.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "base/log.h"
#include "http/request.h"
#include "http/response.h"
#include "server/server.h"
#include "server/settings.h"
#include "store/bus.h"
#include "tests/tap.h"

#define LOADS 300
#define LOOK_AGAIN_MS 1050	/* the file is looked at once a second */

static char work[] = "/tmp/mcp-fcgi-slot.XXXXXX";
static char path[128], fresh[128];
static char *no_environment[] = { NULL };

/* Put a new file in the place of the old one, whose server has the name of a number; "bad" spoils it. */
static void
put_file(int number, const char *bad)
{
	FILE *f = fopen(fresh, "w");

	if (!f || chmod(fresh, 0600) != 0)
		exit(99);
	fprintf(f, "SK_ENV_URL=http://127.0.0.1:9\nEXPECTED_AUDIENCE=http://127.0.0.1:10/mcp\nSTATE_DIR=%s/state\n"
	    "PROTECTED_RESOURCE_METADATA=auto\nMCP_SERVER_NAME=s%d\n%s", work, number, bad);
	if (fclose(f) != 0 || rename(fresh, path) != 0)
		exit(99);
}

static void
pause_ms(long ms)
{
	struct timespec t = { ms / 1000, ms % 1000 * 1000000 };

	nanosleep(&t, NULL);
}

static ssize_t
read_nothing(void *ctx, void *to, size_t n, enum mcp_err *err)
{
	(void)ctx;
	(void)to;
	(void)n;
	*err = MCP_OK;
	return 0;
}

/* Have the slot answer a request, which is when it looks at the file; returns the status. */
static int
ask(struct server_slot *slot)
{
	static const char *const text[] = { "REQUEST_METHOD=GET", "SCRIPT_NAME=/health", "REMOTE_ADDR=127.0.0.1",
	    "HTTP_HOST=127.0.0.1" };
	char variable[4][64], *envp[5] = { NULL };
	struct http_body_source body = { read_nothing, NULL };
	struct http_response res;
	struct http_request req;
	int status;

	for (size_t i = 0; i < 4; i++)
		envp[i] = memcpy(variable[i], text[i], strlen(text[i]) + 1);
	http_request_init(&req, envp);
	http_response_init(&res);
	server_slot_handle(slot, &req, &body, &res);
	status = res.status;
	http_response_clear(&res);
	return status;
}

static bool
serves(struct server_slot *slot, const char *name)
{
	struct server *s = server_slot_get(slot);
	bool same = strcmp(server_settings(s)->server_name, name) == 0;

	if (!same)
		diag("serves %s", server_settings(s)->server_name);
	server_unref(s);
	return same;
}

static void
count_event(void *ctx, const struct bus_event *event)
{
	*(int *)ctx += event->kind == BUS_TOOLS_CHANGED ? 1 : 100;
}

/* How many events there were: 1 for the tools, 100 for others. */
static int
events(void)
{
	struct bus *bus;
	int64_t seq = 0;
	char dir[128];
	int n = 0;

	snprintf(dir, sizeof dir, "%s/state", work);
	if (bus_new(dir, &bus) || bus_read(bus, &seq, count_event, &n))
		n = -1;
	bus_free(bus);
	return n;
}

static void
test_reload(void)
{
	const struct server_process process = { "fastcgi", (int64_t)time(NULL) };
	struct report report = { 0 };
	struct server_slot *slot;

	put_file(1, "");
	if (server_slot_new(path, no_environment, &process, &report, &slot)) {
		ok(false, "a slot is made");
		return;
	}
	report_clear(&report);
	ok(ask(slot) == 200 && serves(slot, "s1"), "the configuration as it was at the start");
	put_file(2, "");
	pause_ms(LOOK_AGAIN_MS);
	ok(ask(slot) == 200 && serves(slot, "s2"), "a changed file is read again");
	put_file(3, "RATE_LIMIT=often\n");
	pause_ms(LOOK_AGAIN_MS);
	ok(ask(slot) == 200 && serves(slot, "s2"), "with a bad one the last good one stays in use");
	unlink(path);
	pause_ms(LOOK_AGAIN_MS);
	ok(ask(slot) == 200 && serves(slot, "s2"), "with none too");
	put_file(4, "");
	pause_ms(LOOK_AGAIN_MS);
	ok(ask(slot) == 200 && serves(slot, "s4"), "and the next good one is taken");
	is_int(events(), 0, "while the lists are the same nobody is told of changes");
	put_file(5, "TOOLS=greet_user\n");
	pause_ms(LOOK_AGAIN_MS);
	ok(ask(slot) == 200 && serves(slot, "s5"), "one with other tools");
	is_int(events(), 1, "is told to who listens, once");
	server_slot_free(slot);
}

/* The home directory, in which a configuration is looked for. */
int
getpwuid_r(uid_t uid, struct passwd *entry, char *space, size_t len, struct passwd **found)
{
	memset(entry, 0, sizeof *entry);
	entry->pw_uid = uid;
	snprintf(space, len, "%s", work);
	entry->pw_dir = space;
	*found = entry;
	return 0;
}

/* One that is found by looking, while the environment alone would do too. */
static void
test_found(void)
{
	static const char place[] = "/.config/mcp-fcgi/mcp-fcgi.conf";
	const struct server_process process = { "fastcgi", (int64_t)time(NULL) };
	char state[160], name[sizeof work + sizeof place], aside[sizeof name + 8];
	char url[] = "SK_ENV_URL=http://127.0.0.1:9", audience[] = "EXPECTED_AUDIENCE=http://127.0.0.1:10/mcp",
	    metadata[] = "PROTECTED_RESOURCE_METADATA=auto";
	char *const environment[] = { url, audience, metadata, state, NULL };
	struct report report = { 0 };
	struct server_slot *slot;

	snprintf(state, sizeof state, "STATE_DIR=%s/state", work);
	snprintf(name, sizeof name, "%s/.config", work);
	mkdir(name, 0700);
	snprintf(name, sizeof name, "%s/.config/mcp-fcgi", work);
	mkdir(name, 0700);
	snprintf(name, sizeof name, "%s%s", work, place);
	snprintf(aside, sizeof aside, "%s.old", name);
	put_file(6, "");
	if (rename(path, name) != 0 || server_slot_new(NULL, environment, &process, &report, &slot)) {
		ok(false, "a slot is made");
		return;
	}
	report_clear(&report);
	ok(ask(slot) == 200 && serves(slot, "s6"), "a configuration that was found by looking");
	rename(name, aside);
	pause_ms(LOOK_AGAIN_MS);
	ok(ask(slot) == 200 && serves(slot, "s6"), "stays in use while its file is not there");
	put_file(7, "");
	rename(path, name);
	pause_ms(LOOK_AGAIN_MS);
	ok(ask(slot) == 200 && serves(slot, "s7"), "and the next one in its place is taken");
	server_slot_free(slot);
}

static atomic_bool enough;

/* Replace the file all the time; its size tells the number in it. */
static void *
replace_often(void *unused)
{
	char filler[4096];

	(void)unused;
	for (int n = 1000; !atomic_load(&enough); n++) {
		size_t len = (size_t)(n - 1000) % 4000;

		memset(filler, '#', sizeof filler);
		filler[len] = '\n';
		filler[len + 1] = '\0';
		put_file(1000 + (int)len, filler);
	}
	return NULL;
}

/*
 * What is remembered as the version of the file must be what it was before it was read: otherwise a change in between
 * is never noticed, and what was read, perhaps the half of a file being written, stays in use for ever.
 */
static void
test_version_is_older_than_content(void)
{
	int too_new = 0, differ = 0, base;
	pthread_t writer;

	put_file(1000, "\n");
	base = (int)server_config_version(path).size - 1;	/* without the filler */
	if (pthread_create(&writer, NULL, replace_often, NULL) != 0)
		exit(99);
	for (int i = 0; i < LOADS; i++) {
		struct report report = { 0 };
		struct server_config *c;

		if (server_config_load(path, no_environment, &report, &c) == MCP_OK) {
			int content = (int)strtol(c->settings.server_name + 1, NULL, 10) - 1000;
			int seen = (int)c->version.size - base - 1;

			differ += content != seen;
			/* The numbers go round: a little ahead is newer, far ahead is older. */
			too_new += (seen - content + 4000) % 4000 != 0 && (seen - content + 4000) % 4000 < 2000;
			server_config_free(c);
		}
		report_clear(&report);
	}
	atomic_store(&enough, true);
	pthread_join(writer, NULL);
	diag("the file changed during %d of %d loads", differ, LOADS);
	is_int(too_new, 0, "the version that is remembered is never newer than what was read");
}

static int
remove_entry(const char *name, const struct stat *st, int type, struct FTW *ftw)
{
	(void)st;
	(void)type;
	(void)ftw;
	return remove(name);
}

static void
drop_line(void *ctx, enum log_level level, const char *text)
{
	(void)ctx;
	(void)level;
	(void)text;
}

int
main(void)
{
	log_capture(drop_line, NULL);
	if (!mkdtemp(work))
		exit(99);
	snprintf(path, sizeof path, "%s/conf", work);
	snprintf(fresh, sizeof fresh, "%s/fresh", work);
	test_reload();
	test_found();
	test_version_is_older_than_content();
	nftw(work, remove_entry, 16, FTW_DEPTH | FTW_PHYS);
	return tap_done();
}
