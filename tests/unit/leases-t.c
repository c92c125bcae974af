/* SPDX-License-Identifier: MIT */
/* Leases among processes, and what becomes of those of the dead. */
#include "store/leases.h"

#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/log.h"
#include "tests/tap.h"

#define ANN 1
#define BOB 2

static char dir[] = "/tmp/leases-t-XXXXXX";

/* A process that takes "n" leases of "max" and waits to be killed. Returns it when it has them. */
static pid_t
taker(size_t max, int n, int *taken)
{
	int fd[2];
	pid_t pid;

	if (pipe(fd) != 0)
		return -1;
	pid = fork();
	if (pid == 0) {
		struct leases *l;
		int count = 0;

		if (leases_new(dir, "streams", max, max, &l) != MCP_OK)
			_exit(1);
		while (count < n && leases_take(l, ANN) >= 0)
			count++;
		(void)!write(fd[1], &count, sizeof(count));
		for (;;)
			pause();
	}
	if (read(fd[0], taken, sizeof(*taken)) != sizeof(*taken))
		*taken = -1;
	close(fd[0]);
	close(fd[1]);
	return pid;
}

/* A holder that wants all of them. */
static void
test_holders(void)
{
	struct leases *l, *m;
	int last = -1, n;

	/* Two of the same file, as two processes have them. */
	if (leases_new(dir, "holders", 10, 3, &l) != MCP_OK || leases_new(dir, "holders", 10, 3, &m) != MCP_OK)
		return;
	for (n = 0; n < 10 && (last = leases_take(n % 2 ? m : l, ANN)) >= 0; n++)
		;
	is_int(n, 3, "one holder gets so many, from all processes together");
	ok(leases_take(l, ANN) < 0 && leases_take(m, ANN) < 0, "and no more");
	for (n = 0; n < 10 && leases_take(n % 2 ? m : l, BOB) >= 0; n++)
		;
	is_int(n, 3, "another one gets as many");
	leases_free(m);
	is_int(leases_take(l, ANN) >= 0, 1, "what was given back can be had again");
	ok(leases_take(l, ANN) < 0, "and no more than that");
	leases_free(l);
	if (leases_new("/proc/nowhere", "holders", 10, 2, &l) != MCP_OK)
		return;
	ok(leases_take(l, ANN) >= 0 && leases_take(l, ANN) >= 0 && leases_take(l, ANN) < 0 && leases_take(l, BOB) >= 0,
	    "without a place for the file holders are counted in the process");
	leases_free(l);
}

int
main(void)
{
	struct leases *l, *none, *alone;
	char path[200];
	int taken[5], there = -1;
	pid_t pid;

	if (!mkdtemp(dir) || leases_new(dir, "streams", 5, 5, &l) != MCP_OK ||
	    leases_new(dir, "none", 0, 1, &none) != MCP_OK)
		return 1;
	for (int i = 0; i < 5; i++)
		taken[i] = leases_take(l, ANN);
	ok(taken[0] >= 0 && taken[4] >= 0, "all leases can be taken");
	is_int(leases_take(l, ANN), -1, "and no more");
	leases_give(l, taken[2]);
	is_int(leases_take(l, ANN), taken[2], "one that is given back can be taken again");
	pid = taker(5, 1, &there);
	is_int(there, 0, "another process gets none of those");
	kill(pid, SIGKILL);
	waitpid(pid, NULL, 0);
	for (int i = 0; i < 3; i++)
		leases_give(l, taken[i]);
	pid = taker(5, 3, &there);
	is_int(there, 3, "but those that were given back");
	is_int(leases_take(l, ANN), -1, "which this one does not get then");
	kill(pid, SIGKILL);
	waitpid(pid, NULL, 0);
	ok(leases_take(l, ANN) >= 0, "until that one is killed");
	is_int(leases_take(none, ANN), -1, "of none there is none");
	leases_free(l);
	leases_free(none);
	(void)!log_open(LOG_LEVEL_ERROR, "stderr");
	test_holders();
	snprintf(path, sizeof(path), "%s/holders", dir);
	unlink(path);
	snprintf(path, sizeof(path), "%s/streams", dir);
	unlink(path);
	rmdir(dir);
	if (leases_new("/proc/nowhere", "streams", 2, 2, &alone) != MCP_OK)
		return 1;
	ok(leases_take(alone, ANN) >= 0 && leases_take(alone, ANN) >= 0 && leases_take(alone, ANN) < 0,
	    "without a place for the file a process counts for itself");
	leases_free(alone);
	return tap_done();
}
