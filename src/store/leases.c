/* SPDX-License-Identifier: MIT */
#include "store/leases.h"

#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/log.h"
#include "base/text.h"
#include "store/sqlite.h"

#define PATH_BYTES 4096

struct leases {
	char *path;
	char *dir;
	size_t max, max_of_one;
	pthread_mutex_t lock;
	/* Under the lock: */
	bool opened;		/* it was tried */
	int fd;			/* -1: counted in this process only */
	size_t next;		/* where to look first */
	bool *taken;		/* by this process, max of them */
	uint64_t *holders;	/* of all that were taken, max of them; others' as they were last read */
};

enum mcp_err
leases_new(const char *dir, const char *name, size_t max, size_t max_of_one, struct leases **out)
{
	struct leases *l = calloc(1, sizeof(*l));
	char path[PATH_BYTES];

	*out = NULL;
	if (!l)
		return MCP_ENOMEM;
	pthread_mutex_init(&l->lock, NULL);
	l->fd = -1;
	l->max = max;
	l->max_of_one = max_of_one;
	/* Processes begin at different places, so that they seldom ask for a byte that another one has. */
	l->next = max ? (size_t)getpid() * 7919 % max : 0;
	if (snprintf(path, sizeof(path), "%s/%s", dir, name) < (int)sizeof(path))
		l->path = text_dup(path, strlen(path));
	l->dir = text_dup(dir, strlen(dir));
	l->taken = calloc(max ? max : 1, sizeof(*l->taken));
	l->holders = calloc(max ? max : 1, sizeof(*l->holders));
	if (!l->path || !l->dir || !l->taken || !l->holders) {
		leases_free(l);
		return MCP_ENOMEM;
	}
	*out = l;
	return MCP_OK;
}

void
leases_free(struct leases *l)
{
	if (!l)
		return;
	if (l->fd >= 0)
		close(l->fd);
	pthread_mutex_destroy(&l->lock);
	free(l->taken);
	free(l->holders);
	free(l->path);
	free(l->dir);
	free(l);
}

/* Lock ("type" F_WRLCK) or unlock (F_UNLCK) a byte, for the open file and not for the process. */
static bool
lock_byte(const struct leases *l, size_t i, short type)
{
	struct flock byte = { .l_type = type, .l_whence = SEEK_SET, .l_start = (off_t)i, .l_len = 1 };

	return fcntl(l->fd, F_OFD_SETLK, &byte) == 0;
}

/* Whether somebody else has the lock on the byte. */
static bool
is_locked(const struct leases *l, size_t i)
{
	struct flock byte = { .l_type = F_WRLCK, .l_whence = SEEK_SET, .l_start = (off_t)i, .l_len = 1 };

	return fcntl(l->fd, F_OFD_GETLK, &byte) == 0 && byte.l_type != F_UNLCK;
}

/* Write down whose the lease is. The record's place has nothing to do with the byte that is locked. */
static void
sign(struct leases *l, size_t i, uint64_t holder)
{
	l->holders[i] = holder;
	if (l->fd >= 0 && pwrite(l->fd, &holder, sizeof(holder), (off_t)(i * sizeof(holder))) != sizeof(holder))
		log_debug("%s: whose a lease is cannot be written", l->path);
}

/* Read whose the others' are. What cannot be read stays as it was. */
static void
read_holders(struct leases *l)
{
	size_t at = 0, len = l->max * sizeof(*l->holders);
	ssize_t n;

	while (l->fd >= 0 && at < len &&
	    (n = pread(l->fd, (char *)l->holders + at, len - at, (off_t)at)) > 0)
		at += (size_t)n;
}

/* Whether the holder has more than it may. Those of the dead are not locked. */
static bool
has_too_many(struct leases *l, uint64_t holder)
{
	size_t n = 0;

	read_holders(l);
	for (size_t i = 0; i < l->max && n <= l->max_of_one; i++)
		n += l->holders[i] == holder && (l->taken[i] || (l->fd >= 0 && is_locked(l, i)));
	return n > l->max_of_one;
}

static void
open_file(struct leases *l)
{
	l->opened = true;
	if (store_directory(l->dir, NULL) == MCP_OK)
		l->fd = open(l->path, O_RDWR | O_CREAT | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC, 0600);
	if (l->fd < 0)
		log_warning("%s cannot be used (%s): its limit holds for each process alone", l->path, strerror(errno));
}

static void
give(struct leases *l, size_t lease)
{
	l->taken[lease] = false;
	if (l->fd >= 0)
		(void)lock_byte(l, lease, F_UNLCK);
}

int
leases_take(struct leases *l, uint64_t holder)
{
	int lease = -1;

	pthread_mutex_lock(&l->lock);
	if (!l->opened)
		open_file(l);
	for (size_t n = 0; n < l->max && lease < 0; n++) {
		size_t i = (l->next + n) % l->max;

		if (l->taken[i] || (l->fd >= 0 && !lock_byte(l, i, F_WRLCK)))
			continue;
		l->taken[i] = true;
		l->next = i;
		lease = (int)i;
		sign(l, i, holder);
	}
	/* Counted with the new one, so that processes which take at the same moment do not miss each other's. */
	if (lease >= 0 && l->max_of_one < l->max && has_too_many(l, holder)) {
		give(l, (size_t)lease);
		lease = -1;
	}
	pthread_mutex_unlock(&l->lock);
	return lease;
}

void
leases_give(struct leases *l, int lease)
{
	pthread_mutex_lock(&l->lock);
	give(l, (size_t)lease);
	pthread_mutex_unlock(&l->lock);
}
