/* SPDX-License-Identifier: MIT */
/* state.db: keys of issuers, organisations' data (S80, S81), versions, damage, owners and modes. */
#include <fcntl.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <sqlite3.h>

#include "base/clock.h"
#include "base/log.h"
#include "store/state.h"
#include "tests/tap.h"

static char top[64] = "/tmp/state-t-XXXXXX", dir[96], path[128];
static int lines;

static void
count_line(void *ctx, enum log_level level, const char *text)
{
	(void)ctx;
	(void)level;
	lines++;
	diag("logged: %s", text);
}

static void
remove_files(void)
{
	char name[160];

	unlink(path);
	snprintf(name, sizeof name, "%s-wal", path);
	unlink(name);
	snprintf(name, sizeof name, "%s-shm", path);
	unlink(name);
}

static struct state *
open_state(void)
{
	struct state *s;
	const char *why = "";
	enum mcp_err err = state_open(dir, &s, &why);

	if (err)
		diag("state_open: %s (%s)", mcp_strerror(err), why);
	return s;
}

/* Run SQL on the file with nobody else there. */
static void
tamper(const char *sql)
{
	char *wrong = NULL;
	sqlite3 *db;

	if (sqlite3_open(path, &db) != SQLITE_OK || sqlite3_exec(db, sql, NULL, NULL, &wrong) != SQLITE_OK)
		diag("%s: %s", sql, wrong ? wrong : "not opened");
	sqlite3_free(wrong);
	sqlite3_close(db);
}

static void
test_open(void)
{
	struct state *s;
	const char *why = NULL;
	struct stat st;

	s = open_state();
	ok(s != NULL, "a state directory and its file are made where nothing is, parents too");
	is_int(stat(dir, &st) == 0 ? st.st_mode & 0777 : 0, 0700, "the directory is its owner's only");
	is_int(stat(path, &st) == 0 ? st.st_mode & 0777 : 0, 0600, "so is the file");
	state_close(s);
	state_close(NULL);

	tamper("DROP TABLE sealing_key; PRAGMA user_version=1");
	s = open_state();
	ok(s != NULL && state_secrets_forget(s) == MCP_OK, "a file of an older version gets what it lacks");
	state_close(s);
	tamper("PRAGMA user_version=99");
	is_int(state_open(dir, &s, &why), MCP_EDB, "a file of a newer version is refused");
	is_str(why, "the database is of a newer version of this program", "and the reason says so");
	ok(s == NULL, "nothing is handed out then");
	remove_files();
	tamper("CREATE TABLE theirs (a); PRAGMA user_version=1");
	is_int(state_open(dir, &s, &why), MCP_EDB, "another program's database is refused");
	is_str(why, "it is another program's database", "and the reason says so");
	remove_files();
}

static void
test_unsafe(void)
{
	struct state *s;
	const char *why = NULL;
	char other[160];
	int fd;

	fd = open(path, O_WRONLY | O_CREAT, 0600);
	if (fd < 0 || write(fd, "this is not a database, this is not a database", 46) != 46)
		diag("no garbage");
	close(fd);
	is_int(state_open(dir, &s, &why), MCP_EDB, "garbage is refused (%s)", why);
	ok(access(path, F_OK) == 0, "and not deleted");
	remove_files();
	snprintf(other, sizeof other, "%s/elsewhere", top);
	if (symlink(other, path) != 0)
		diag("no symbolic link");
	is_int(state_open(dir, &s, &why), MCP_EPERM, "a symbolic link is refused");
	is_str(why, "it is a symbolic link", "and called what it is");
	ok(access(other, F_OK) != 0, "and what it names is not made");
	unlink(path);
	state_close(open_state());
	chmod(path, 0620);
	is_int(state_open(dir, &s, &why), MCP_EPERM, "a file that others may write is refused (%s)", why);
	chmod(path, 0600);
	chmod(dir, 0770);
	is_int(state_open(dir, &s, &why), MCP_EPERM, "a directory that others may write is refused (%s)", why);
	chmod(dir, 0700);
	is_int(state_open("relative/dir", &s, &why), MCP_EPERM, "a relative path is refused (%s)", why);
	is_int(state_open(path, &s, &why), MCP_EPERM, "a file in the place of the directory is refused (%s)", why);
	snprintf(other, sizeof other, "%s/link", top);
	if (symlink(dir, other) != 0)
		diag("no symbolic link");
	is_int(state_open(other, &s, &why), MCP_EPERM, "a symbolic link in the place of the directory is refused (%s)",
	    why);
	unlink(other);
	if (geteuid() == 0) {
		if (chown(dir, 65534, 65534) != 0)
			diag("no chown");
		is_int(state_open(dir, &s, &why), MCP_EPERM, "another user's directory is refused, even to root (%s)",
		    why);
		if (chown(dir, 0, 0) != 0 || chown(path, 65534, 65534) != 0)
			diag("no chown");
		is_int(state_open(dir, &s, &why), MCP_EPERM, "another user's file too (%s)", why);
	} else
		skip("not root: owners cannot be changed");
	remove_files();
}

static void
test_keys(void)
{
	struct state *s = open_state();
	struct state_keys k;
	bool mine;

	is_int(state_keys_get(s, "a", &k), MCP_OK, "keys of an unknown issuer can be asked for");
	ok(!k.jwks && !k.attempt_s && !k.generation, "and are none");
	is_int(state_keys_begin(s, "a", 1000, 30, &mine), MCP_OK, "a fetch can be begun");
	ok(mine, "by the first who asks");
	is_int(state_keys_begin(s, "a", 1029, 30, &mine), MCP_OK, "inside the cooldown");
	ok(!mine, "nobody else may");
	is_int(state_keys_begin(s, "b", 1029, 30, &mine), MCP_OK, "another issuer");
	ok(mine, "has its own cooldown");
	is_int(state_keys_end(s, "a", NULL, 1001, 0), MCP_OK, "the fetch fails");
	is_int(state_keys_get(s, "a", &k), MCP_OK, "and that");
	ok(k.attempt_failed && k.attempt_s == 1000 && !k.jwks, "is told, with the time of the attempt");
	is_int(state_keys_begin(s, "a", 1030, 30, &mine), MCP_OK, "after the cooldown");
	ok(mine, "the next may");
	is_int(state_keys_end(s, "a", "{\"keys\":[]}", 1031, 600), MCP_OK, "it succeeds");
	is_int(state_keys_get(s, "a", &k), MCP_OK, "and the set");
	is_str(k.jwks, "{\"keys\":[]}", "is kept");
	ok(k.fetched_s == 1031 && k.soft_ttl_s == 600 && k.attempt_s == 1030 && !k.attempt_failed && k.generation == 1,
	    "with its figures");
	state_keys_clear(&k);
	state_keys_clear(&k);
	is_int(state_keys_begin(s, "a", 1100, 30, &mine), MCP_OK, "a later fetch");
	is_int(state_keys_end(s, "a", NULL, 1101, 0), MCP_OK, "that fails");
	is_int(state_keys_get(s, "a", &k), MCP_OK, "leaves the set");
	ok(k.jwks && k.generation == 1 && k.attempt_failed, "as it was");
	state_keys_clear(&k);
	is_int(state_keys_end(s, "a", "{}", 1200, 600), MCP_OK, "a new set");
	is_int(state_keys_get(s, "a", &k), MCP_OK, "has");
	is_int(k.generation, 2, "the next generation");
	state_keys_clear(&k);
	is_int(state_keys_begin(s, "a", 1099, 30, &mine), MCP_OK, "a clock that is a second behind");
	ok(!mine, "does not end the cooldown");
	is_int(state_keys_begin(s, "a", 500, 30, &mine), MCP_OK, "a clock that jumped back");
	ok(mine, "does not block for ever");
	is_int(state_keys_end(s, "new", "{}", 5, 6), MCP_OK, "a set nobody began");
	is_int(state_keys_get(s, "new", &k), MCP_OK, "can be kept");
	ok(k.jwks && k.generation == 1 && k.attempt_s == 0, "too");
	state_keys_clear(&k);
	state_close(s);
}

static int visits;
static char seen[256];

static bool
visit(void *ctx, const char *key, const char *value)
{
	visits++;
	snprintf(seen + strlen(seen), sizeof seen - strlen(seen), "%s=%s;", key, value);
	return !ctx || visits < *(int *)ctx;
}

static void
test_organisations(void)
{
	struct state *s = open_state();
	static char big[STATE_VALUE_MAX + 2], name[STATE_NAME_MAX + 2];
	char *value;
	int one = 1;

	memset(big, 'v', STATE_VALUE_MAX + 1);
	memset(name, 'n', STATE_NAME_MAX + 1);
	is_int(state_org_get(s, "org_A", "plan", &value), MCP_ENOENT, "what was not set is not there");
	is_int(state_org_set(s, "org_A", "plan", "gold"), MCP_OK, "a value can be set");
	is_int(state_org_set(s, "org_A", "plan", "silver"), MCP_OK, "and replaced");
	is_int(state_org_set(s, "org_A", "contact", ""), MCP_OK, "and be empty");
	is_int(state_org_set(s, "org_B", "plan", "lead"), MCP_OK, "another organisation has its own");
	is_int(state_org_get(s, "org_A", "plan", &value), MCP_OK, "what was set");
	is_str(value, "silver", "is read back");
	free(value);
	is_int(state_org_get(s, "org_C", "plan", &value), MCP_ENOENT, "a third organisation sees neither");
	is_int(state_org_each(s, "org_A", visit, NULL), MCP_OK, "an organisation's data");
	is_str(seen, "contact=;plan=silver;", "is visited in the order of the keys, nobody else's with it");
	*seen = '\0';
	is_int(state_org_each(s, NULL, visit, NULL), MCP_OK, "the organisations");
	is_str(seen, "org_A=2;org_B=1;", "are visited with the number of their keys");
	visits = 0;
	is_int(state_org_each(s, NULL, visit, &one), MCP_OK, "a visitor");
	is_int(visits, 1, "may stop early");
	big[STATE_VALUE_MAX] = '\0';
	is_int(state_org_set(s, "org_A", "big", big), MCP_OK, "a value of 64 KiB fits");
	big[STATE_VALUE_MAX] = 'v';
	is_int(state_org_set(s, "org_A", "big", big), MCP_ELIMIT, "a byte more does not");
	is_int(state_org_set(s, "org_A", name, "x"), MCP_ELIMIT, "a key of 257 bytes does not");
	is_int(state_org_set(s, name, "k", "x"), MCP_ELIMIT, "nor such an organisation");
	name[STATE_NAME_MAX] = '\0';
	is_int(state_org_set(s, "org_A", name, "x"), MCP_OK, "256 bytes do");
	is_int(state_org_set(s, "", "k", "x"), MCP_EINVAL, "no name is no organisation");
	is_int(state_org_set(s, "org_A", "", "x"), MCP_EINVAL, "no name is no key");
	is_int(state_org_set(s, "org_A", "\xff", "x"), MCP_EINVAL, "a key is UTF-8");
	is_int(state_org_set(s, "org_A", "k", "\xc3"), MCP_EINVAL, "so is a value");
	is_int(state_org_set(s, "org_A'; DROP TABLE organisation_data; --", "k", "x"), MCP_OK,
	    "quotes are no more than bytes");
	is_int(state_org_delete(s, "org_A", "plan"), MCP_OK, "a key can be deleted");
	is_int(state_org_delete(s, "org_A", "plan"), MCP_ENOENT, "once");
	is_int(state_org_delete(s, "org_A", NULL), MCP_OK, "a whole organisation can");
	is_int(state_org_delete(s, "org_A", NULL), MCP_ENOENT, "once");
	is_int(state_org_get(s, "org_B", "plan", &value), MCP_OK, "the other one's data stays");
	free(value);
	state_close(s);
}

static void *
begin_many(void *ctx)
{
	struct state *s = ctx;
	long won = 0;

	for (int i = 0; i < 200; i++) {
		char issuer[32];
		bool mine;

		snprintf(issuer, sizeof issuer, "race-%d", i);
		if (state_keys_begin(s, issuer, 1000, 30, &mine) == MCP_OK && mine)
			won++;
	}
	return (void *)won;
}

static void
test_race(void)
{
	long won = 0;
	int fds[2];

	if (pipe(fds) != 0)
		return;
	for (int p = 0; p < 3; p++) {
		if (fork() == 0) {
			struct state *s = open_state();
			pthread_t thread[3];
			void *result;
			long mine = 0;

			for (int i = 0; i < 3; i++)
				pthread_create(&thread[i], NULL, begin_many, s);
			for (int i = 0; i < 3; i++) {
				pthread_join(thread[i], &result);
				mine += (long)result;
			}
			state_close(s);
			_exit(write(fds[1], &mine, sizeof mine) != sizeof mine);
		}
	}
	for (int p = 0; p < 3; p++) {
		long mine = 0;

		if (read(fds[0], &mine, sizeof mine) == sizeof mine)
			won += mine;
	}
	while (wait(NULL) > 0)
		;
	close(fds[0]);
	close(fds[1]);
	is_int(won, 200, "of three processes with three threads exactly one begins each fetch");
}

static void
test_deleted(void)
{
	struct state *s = open_state(), *second;
	char *value;

	is_int(state_org_set(s, "org_D", "k", "old"), MCP_OK, "a value is set");
	remove_files();
	log_capture(count_line, NULL);
	lines = 0;
	is_int(state_org_get(s, "org_D", "k", &value), MCP_ENOENT, "when the file was deleted, a new one is begun");
	is_int(lines, 1, "and the log says so");
	log_capture(NULL, NULL);
	second = open_state();
	is_int(state_org_set(second, "org_D", "k", "new"), MCP_OK, "who opens it later");
	is_int(state_org_get(s, "org_D", "k", &value), MCP_OK, "shares it");
	is_str(value, "new", "with who was there before");
	free(value);
	state_close(s);
	state_close(second);
	second = open_state();
	is_int(state_org_get(second, "org_D", "k", &value), MCP_OK, "closing loses nothing");
	free(value);
	state_close(second);
}

/* On a slow disk the others hold the file for longer than a process waits for it: who waited in vain waits again. */
static bool
set_in_time(void)
{
	int64_t begun_ms;
	bool good;
	int left = 30;

	do {
		struct state *s;

		begun_ms = clock_monotonic_ms();
		s = open_state();
		good = s && state_org_set(s, "org", "key", "value") == MCP_OK;
		state_close(s);
	} while (!good && --left > 0 && clock_monotonic_ms() - begun_ms >= 900);
	return good;
}

static void
test_migrated_once(void)
{
	int failed = 0, status;

	remove_files();
	for (int i = 0; i < 12; i++) {
		if (fork() == 0)
			_exit(!set_in_time());
	}
	while (wait(&status) > 0)
		failed += status != 0;
	is_int(failed, 0, "twelve processes that make the file at once all succeed");
}

int
main(void)
{
	if (!mkdtemp(top))
		return 1;
	snprintf(dir, sizeof dir, "%s/local/state", top);
	snprintf(path, sizeof path, "%s/state.db", dir);
	test_open();
	test_unsafe();
	test_keys();
	test_organisations();
	test_race();
	test_deleted();
	test_migrated_once();
	remove_files();
	is_int(rmdir(dir), 0, "nothing else is left in the directory");
	snprintf(dir, sizeof dir, "%s/local", top);
	rmdir(dir);
	rmdir(top);
	return tap_done();
}
