/* SPDX-License-Identifier: MIT */
/* Counters that processes share. */
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/clock.h"
#include "store/stats.h"
#include "tests/tap.h"

#define HASTE 400000	/* additions a process; long enough that processes meet */

static char dir[64] = "/tmp/stats-t-XXXXXX", path[96];

static void
write_file(const char *name, const char *text, mode_t mode)
{
	int fd = open(name, O_WRONLY | O_CREAT | O_TRUNC, mode);

	if (fd < 0 || write(fd, text, strlen(text)) < 0)
		diag("%s could not be written", name);
	fchmod(fd, mode);
	close(fd);
}

static struct stats *
reopen(struct stats *s, int *shared)
{
	struct stats *out;

	stats_close(s);
	if (stats_open(dir, &out, shared) != MCP_OK)
		return NULL;
	return out;
}

static void
wait_until(int64_t ms)
{
	while (clock_monotonic_ms() < ms)
		;
}

static void
test_sharing(void)
{
	int64_t begin_ms;
	struct stats *s, *second;
	int shared;
	struct stat st;

	is_int(stats_open(dir, &s, &shared), MCP_OK, "counters can be opened where nothing is");
	ok(shared, "they are shared");
	is_int(stat(path, &st) == 0 ? st.st_mode & 0777 : 0, 0600, "the file is its owner's only");
	stats_add(s, 0, 1);
	stats_add(s, STATS_SLOTS - 1, 5);
	stats_add(s, STATS_SLOTS, 5);
	is_int((long long)stats_get(s, STATS_SLOTS), 0, "a slot that is none counts nothing");
	is_int(stats_open(dir, &second, &shared), MCP_OK, "a second one opens the same file");
	is_int((long long)stats_get(second, STATS_SLOTS - 1), 5, "and sees the counts");
	ok(stats_since_s(second) == stats_since_s(s) && stats_since_s(s) > 1700000000, "and when they were begun");
	begin_ms = clock_monotonic_ms() + 50;
	for (int i = 0; i < 4; i++) {
		if (fork() == 0) {
			struct stats *mine;
			int mine_shared;

			if (stats_open(dir, &mine, &mine_shared) == MCP_OK) {
				wait_until(begin_ms);
				for (int j = 0; j < HASTE; j++)
					stats_add(mine, 7, 1);
			}
			_exit(0);
		}
	}
	while (wait(NULL) > 0)
		;
	is_int((long long)stats_get(s, 7), 4 * HASTE, "four processes that count at once lose nothing");
	stats_close(second);
	s = reopen(s, &shared);
	is_int((long long)stats_get(s, 7), 4 * HASTE, "counts outlive their processes");
	stats_close(s);
	stats_add(NULL, 0, 1);
	is_int((long long)stats_get(NULL, 0), 0, "no counters at all is fine");
}

static void
test_first_race(void)
{
	struct stats *s;
	int shared, wrong = 0;

	for (int round = 0; round < 10; round++) {
		int64_t begin_ms = clock_monotonic_ms() + 10;

		unlink(path);
		for (int i = 0; i < 8; i++) {
			if (fork() == 0) {
				wait_until(begin_ms);
				if (stats_open(dir, &s, &shared) == MCP_OK && shared)
					stats_add(s, 3, 1);
				_exit(0);
			}
		}
		while (wait(NULL) > 0)
			;
		s = reopen(NULL, &shared);
		wrong += stats_get(s, 3) != 8;
		stats_close(s);
	}
	is_int(wrong, 0, "processes that make the file at once share it");
}

/* Touching a mapped page that its file has no longer would be the end of the process. */
static void
test_cut_short(void)
{
	struct stats *s = NULL, *second = NULL;
	int shared;

	unlink(path);
	if (stats_open(dir, &s, &shared) || stats_open(dir, &second, &shared))
		return;
	stats_add(s, 3, 9);
	is_int(truncate(path, 0), 0, "the file is cut short while it is in use");
	stats_add(s, 3, 2);
	is_int((long long)stats_get(s, 3), 2, "counting begins anew");
	is_int((long long)stats_get(second, 3), 2, "for everybody");
	is_int(truncate(path, 8), 0, "and cut short again");
	ok(stats_get(second, 3) == 0 && stats_since_s(second) > 1700000000, "what is read is 0, and dated anew");
	stats_close(second);
	s = reopen(s, &shared);
	ok(shared && stats_since_s(s) > 1700000000, "the file is fit for whoever opens it next");
	stats_close(s);
}

static void
test_unfit(void)
{
	char elsewhere[128];
	struct stats *s;
	int shared;

	write_file(path, "short", 0600);
	s = reopen(NULL, &shared);
	ok(shared && stats_get(s, 3) == 0, "a file of the wrong size is replaced");
	ok(stats_since_s(s) > 1700000000, "and dated anew");
	stats_add(s, 3, 9);
	chmod(path, 0622);
	s = reopen(s, &shared);
	ok(shared && stats_get(s, 3) == 0, "a file that others may write is replaced");
	stats_close(s);
	s = reopen(NULL, &shared);
	stats_add(s, 3, 9);
	snprintf(elsewhere, sizeof elsewhere, "%s/elsewhere", dir);
	if (rename(path, elsewhere) != 0 || symlink(elsewhere, path) != 0)
		diag("no symbolic link");
	s = reopen(s, &shared);
	ok(shared && stats_get(s, 3) == 0, "a symbolic link is replaced, not followed, even to a fit file");
	unlink(elsewhere);
	unlink(path);
	stats_add(s, 4, 2);
	is_int((long long)stats_get(s, 4), 2, "a file that is deleted goes on counting");
	stats_close(s);
	mkdir(path, 0700);
	s = reopen(NULL, &shared);
	ok(s && !shared, "where the file cannot be had, the counters are private");
	stats_add(s, 4, 2);
	is_int((long long)stats_get(s, 4), 2, "and count");
	stats_close(s);
	rmdir(path);
	chmod(dir, 0777);
	s = reopen(NULL, &shared);
	ok(s && !shared, "a directory that others may write is not used");
	stats_close(s);
	chmod(dir, 0700);
}

int
main(void)
{
	if (!mkdtemp(dir))
		return 1;
	snprintf(path, sizeof path, "%s/stats", dir);
	test_sharing();
	test_first_race();
	test_cut_short();
	test_unfit();
	unlink(path);
	is_int(rmdir(dir), 0, "nothing else is left in the directory");
	return tap_done();
}
