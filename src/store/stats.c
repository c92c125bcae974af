/* SPDX-License-Identifier: MIT */
/*
 * Shared counters. The file is written whole under another name and then linked to its own, so that nobody ever maps
 * a part of one; and it is written, not only extended, so that a full disk is noticed here and not as a signal when a
 * counter is first touched.
 */
#include "store/stats.h"

#include <errno.h>
#include <fcntl.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/clock.h"
#include "store/sqlite.h"

#define PATH_BYTES 4096
#define MAGIC UINT64_C(0x31302d736d70636d)	/* changes with the layout */

/* What is mapped. Native byte order: the file never leaves its host. */
struct counters {
	uint64_t magic;
	int64_t since_s;
	_Atomic uint64_t slot[STATS_SLOTS];
};

struct stats {
	struct counters *counters;	/* mapped, or calloc()ed when not shared */
	int fd;				/* of the mapped file, -1 when not shared */
};

/* Map the file at "path" if it is fit; *file is its descriptor then. */
static struct counters *
map(const char *path, int *file)
{
	struct counters *counters = NULL;
	struct stat st;
	int fd = open(path, O_RDWR | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC);

	if (fd < 0)
		return NULL;
	if (fstat(fd, &st) == 0 && S_ISREG(st.st_mode) && st.st_uid == geteuid() &&
	    !(st.st_mode & (S_IWGRP | S_IWOTH)) &&
	    st.st_size == (off_t)sizeof *counters) {
		counters = mmap(NULL, sizeof *counters, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
		if (counters == MAP_FAILED)
			counters = NULL;
	}
	if (counters && counters->magic != MAGIC) {
		munmap(counters, sizeof *counters);
		counters = NULL;
	}
	if (counters)
		*file = fd;
	else
		close(fd);
	return counters;
}

static void
make_fresh(struct counters *fresh, int64_t now_s)
{
	memset(fresh, 0, sizeof *fresh);
	fresh->magic = MAGIC;
	fresh->since_s = now_s;
}

/*
 * Whether the counters may be touched: a mapped page that its file has no longer would end the process. A file that
 * was cut short is written anew, with all counters at 0.
 */
static bool
is_whole(const struct stats *s)
{
	struct counters fresh;
	struct stat st;

	if (s->fd < 0)
		return true;
	if (fstat(s->fd, &st) != 0)
		return false;
	if (st.st_size >= (off_t)sizeof fresh)
		return true;
	make_fresh(&fresh, clock_now_s());
	return pwrite(s->fd, &fresh, sizeof fresh, 0) == (ssize_t)sizeof fresh;
}

/* Write a new file to "temporary", whole or not at all. */
static bool
write_new(const char *temporary, int64_t now_s)
{
	struct counters fresh;
	ssize_t n;
	int fd;

	make_fresh(&fresh, now_s);
	if (unlink(temporary) != 0 && errno != ENOENT)
		return false;
	fd = open(temporary, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0600);
	if (fd < 0)
		return false;
	n = write(fd, &fresh, sizeof fresh);
	if (close(fd) != 0 || n != (ssize_t)sizeof fresh) {
		unlink(temporary);
		return false;
	}
	return true;
}

static struct counters *
map_or_make(const char *dir, int64_t now_s, int *file)
{
	char path[PATH_BYTES], temporary[PATH_BYTES];
	struct counters *counters;
	int n = snprintf(path, sizeof path, "%s/stats", dir);
	int m = snprintf(temporary, sizeof temporary, "%s/stats.%ld", dir, (long)getpid());

	if (n < 0 || n >= PATH_BYTES || m < 0 || m >= PATH_BYTES || store_directory(dir, NULL) != MCP_OK)
		return NULL;
	if ((counters = map(path, file)) != NULL || !write_new(temporary, now_s))
		return counters;
	/* Where nothing is, the first of several processes wins; an unfit file is replaced, and the last one wins. */
	if (link(temporary, path) != 0 && (counters = map(path, file)) == NULL)
		(void)rename(temporary, path);
	unlink(temporary);
	return counters ? counters : map(path, file);
}

enum mcp_err
stats_open(const char *dir, struct stats **out, int *shared)
{
	int64_t now_s = clock_now_s();
	struct stats *s = calloc(1, sizeof *s);

	*out = NULL;
	*shared = 0;
	if (!s)
		return MCP_ENOMEM;
	s->fd = -1;
	s->counters = map_or_make(dir, now_s, &s->fd);
	*shared = s->counters != NULL;
	if (!s->counters) {
		s->counters = calloc(1, sizeof *s->counters);
		if (!s->counters) {
			free(s);
			return MCP_ENOMEM;
		}
		s->counters->since_s = now_s;
	}
	*out = s;
	return MCP_OK;
}

void
stats_close(struct stats *s)
{
	if (!s)
		return;
	if (s->fd >= 0) {
		munmap(s->counters, sizeof *s->counters);
		close(s->fd);
	} else {
		free(s->counters);
	}
	free(s);
}

void
stats_add(struct stats *s, size_t slot, uint64_t n)
{
	if (s && slot < STATS_SLOTS && is_whole(s))
		atomic_fetch_add_explicit(&s->counters->slot[slot], n, memory_order_relaxed);
}

uint64_t
stats_get(const struct stats *s, size_t slot)
{
	if (!s || slot >= STATS_SLOTS || !is_whole(s))
		return 0;
	return atomic_load_explicit(&s->counters->slot[slot], memory_order_relaxed);
}

int64_t
stats_since_s(const struct stats *s)
{
	return s && is_whole(s) ? s->counters->since_s : 0;
}
