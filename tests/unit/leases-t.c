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

		if (leases_new(dir, "streams", max, &l) != MCP_OK)
			_exit(1);
		while (count < n && leases_take(l) >= 0)
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

int
main(void)
{
	struct leases *l, *none, *alone;
	char path[200];
	int taken[5], there = -1;
	pid_t pid;

	if (!mkdtemp(dir) || leases_new(dir, "streams", 5, &l) != MCP_OK || leases_new(dir, "none", 0, &none) != MCP_OK)
		return 1;
	for (int i = 0; i < 5; i++)
		taken[i] = leases_take(l);
	ok(taken[0] >= 0 && taken[4] >= 0, "all leases can be taken");
	is_int(leases_take(l), -1, "and no more");
	leases_give(l, taken[2]);
	is_int(leases_take(l), taken[2], "one that is given back can be taken again");
	pid = taker(5, 1, &there);
	is_int(there, 0, "another process gets none of those");
	kill(pid, SIGKILL);
	waitpid(pid, NULL, 0);
	for (int i = 0; i < 3; i++)
		leases_give(l, taken[i]);
	pid = taker(5, 3, &there);
	is_int(there, 3, "but those that were given back");
	is_int(leases_take(l), -1, "which this one does not get then");
	kill(pid, SIGKILL);
	waitpid(pid, NULL, 0);
	ok(leases_take(l) >= 0, "until that one is killed");
	is_int(leases_take(none), -1, "of none there is none");
	leases_free(l);
	leases_free(none);
	snprintf(path, sizeof(path), "%s/streams", dir);
	unlink(path);
	rmdir(dir);
	(void)!log_open(LOG_LEVEL_ERROR, "stderr");
	if (leases_new("/proc/nowhere", "streams", 2, &alone) != MCP_OK)
		return 1;
	ok(leases_take(alone) >= 0 && leases_take(alone) >= 0 && leases_take(alone) < 0,
	    "without a place for the file a process counts for itself");
	leases_free(alone);
	return tap_done();
}
