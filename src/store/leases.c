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
	size_t max;
	pthread_mutex_t lock;
	/* Under the lock: */
	bool opened;		/* it was tried */
	int fd;			/* -1: counted in this process only */
	size_t next;		/* where to look first */
	bool *taken;		/* by this process, max of them */
};

enum mcp_err
leases_new(const char *dir, const char *name, size_t max, struct leases **out)
{
	struct leases *l = calloc(1, sizeof(*l));
	char path[PATH_BYTES];

	*out = NULL;
	if (!l)
		return MCP_ENOMEM;
	pthread_mutex_init(&l->lock, NULL);
	l->fd = -1;
	l->max = max;
	/* Processes begin at different places, so that they seldom ask for a byte that another one has. */
	l->next = max ? (size_t)getpid() * 7919 % max : 0;
	if (snprintf(path, sizeof(path), "%s/%s", dir, name) < (int)sizeof(path))
		l->path = text_dup(path, strlen(path));
	l->dir = text_dup(dir, strlen(dir));
	l->taken = calloc(max ? max : 1, sizeof(*l->taken));
	if (!l->path || !l->dir || !l->taken) {
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

static void
open_file(struct leases *l)
{
	l->opened = true;
	if (store_directory(l->dir, NULL) == MCP_OK)
		l->fd = open(l->path, O_RDWR | O_CREAT | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC, 0600);
	if (l->fd < 0)
		log_warning("%s cannot be used (%s): its limit holds for each process alone", l->path, strerror(errno));
}

int
leases_take(struct leases *l)
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
	}
	pthread_mutex_unlock(&l->lock);
	return lease;
}

void
leases_give(struct leases *l, int lease)
{
	pthread_mutex_lock(&l->lock);
	l->taken[lease] = false;
	if (l->fd >= 0)
		(void)lock_byte(l, (size_t)lease, F_UNLCK);
	pthread_mutex_unlock(&l->lock);
}
