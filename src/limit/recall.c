/* SPDX-License-Identifier: MIT */
/*
 * The memory of keys: a header, then sets of a few entries, a key's set chosen by a hash. Read and written with
 * pread() and pwrite(), not mapped: a file that is cut short, or a full disk, is a short count here and not a signal.
 */
#include "limit/recall.h"

#include <fcntl.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <time.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/digest.h"
#include "base/text.h"
#include "store/sqlite.h"

#define PATH_BYTES 4096
#define MAGIC UINT64_C(0x31302d6c6c636572)	/* changes with the layout */
#define WAYS 4
#define SETS 16384		/* a power of two; 65,536 entries, 2 MiB once all are used */
#define ENTRIES_AT 4096		/* the first set */
#define LOCK_MS 2		/* the lock is held for microseconds; who holds it longer does not run */
#define LOCK_INSIST_MS 1000	/* until who holds it has run again, however busy the machine is */

/* Which table the memory is of; all zero: none yet. */
struct table {
	uint64_t device, inode;
	int64_t born_s;			/* inodes are used again; 0 where the file system does not tell */
	uint64_t born_ns;
};

/* Native byte order: the file never leaves its host. */
struct header {
	uint64_t magic;
	uint64_t seed[2];	/* so that nobody outside can choose keys that fall into one set */
	struct table table;
};

struct recall {
	char *dir;
	int fd;			/* -1: no memory */
	int64_t looked_s;	/* when the file, or its absence, was last looked at */
	uint64_t seed[2];
};

enum mcp_err
recall_new(const char *dir, struct recall **out)
{
	struct recall *r = calloc(1, sizeof *r);

	*out = NULL;
	if (!r)
		return MCP_ENOMEM;
	r->fd = -1;
	r->looked_s = INT64_MIN;
	r->dir = text_dup(dir, strlen(dir));
	if (!r->dir) {
		free(r);
		return MCP_ENOMEM;
	}
	*out = r;
	return MCP_OK;
}

static void
close_file(struct recall *r)
{
	if (r->fd >= 0)
		close(r->fd);
	r->fd = -1;
}

void
recall_free(struct recall *r)
{
	if (!r)
		return;
	close_file(r);
	free(r->dir);
	free(r);
}

static bool
path_of(const struct recall *r, const char *name, char path[PATH_BYTES])
{
	int n = snprintf(path, PATH_BYTES, "%s/%s", r->dir, name);

	return n > 0 && n < PATH_BYTES;
}

/* A regular file that is ours and nobody else's to write, and that still has its name. */
static bool
is_fit(int fd)
{
	struct stat st;

	return fstat(fd, &st) == 0 && S_ISREG(st.st_mode) && st.st_uid == geteuid() &&
	    !(st.st_mode & (S_IWGRP | S_IWOTH)) && st.st_nlink == 1;
}

/* Open or make the file; what stands there and is unfit is removed first. */
static void
open_file(struct recall *r)
{
	char path[PATH_BYTES];

	if (!path_of(r, "limits.recall", path) || store_directory(r->dir, NULL) != MCP_OK)
		return;
	for (int round = 0; round < 2 && r->fd < 0; round++) {
		r->fd = open(path, O_RDWR | O_CREAT | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC, 0600);
		if (r->fd >= 0 && is_fit(r->fd))
			return;
		close_file(r);
		(void)unlink(path);
	}
}

/* Take ("type" F_WRLCK) or give back (F_UNLCK) the lock, which belongs to the open file, not to the process. */
static bool
lock(const struct recall *r, short type, bool insist)
{
	static const struct timespec moment = { .tv_nsec = 1000000 };
	struct flock whole = { .l_type = type, .l_whence = SEEK_SET };
	int64_t begun_ms = 0, waited_ms = 0;

	while (fcntl(r->fd, F_OFD_SETLK, &whole) != 0) {
		if (!begun_ms)
			begun_ms = clock_monotonic_ms();
		/* To yield is a moment, or a time slice of each who is busy. */
		waited_ms = clock_monotonic_ms() - begun_ms;
		if (waited_ms >= (insist ? LOCK_INSIST_MS : LOCK_MS))
			return false;
		if (waited_ms < LOCK_MS)
			sched_yield();
		else
			nanosleep(&moment, NULL);
	}
	return true;
}

/* The table that is there now. */
static struct table
find_table(const struct recall *r)
{
	struct table table = { 0 };
	char path[PATH_BYTES];
	struct statx stx;

	if (path_of(r, "limits.db", path) &&
	    statx(AT_FDCWD, path, AT_SYMLINK_NOFOLLOW, STATX_INO | STATX_BTIME, &stx) == 0) {
		table.device = makedev(stx.stx_dev_major, stx.stx_dev_minor);
		table.inode = stx.stx_ino;
		if (stx.stx_mask & STATX_BTIME) {
			table.born_s = stx.stx_btime.tv_sec;
			table.born_ns = stx.stx_btime.tv_nsec;
		}
	}
	return table;
}

/*
 * Have a header that fits the table, forgetting all if it was of another one. A memory of no table yet is of the one
 * that has come since. Locked.
 */
static bool
bring_up_to_date(struct recall *r)
{
	struct table table = find_table(r), none = { 0 };
	struct header h;
	bool is_ours = pread(r->fd, &h, sizeof h, 0) == (ssize_t)sizeof h && h.magic == MAGIC;

	if (is_ours)
		memcpy(r->seed, h.seed, sizeof r->seed);
	if (is_ours && memcmp(&h.table, &table, sizeof table) == 0)
		return true;
	if (!is_ours || memcmp(&h.table, &none, sizeof none) != 0) {
		if (ftruncate(r->fd, 0) != 0)
			return false;
		memset(&h, 0, sizeof h);
		h.magic = MAGIC;
		/* Without random numbers sets may be filled on purpose, which costs questions and nothing else. */
		if (!is_ours && digest_random(r->seed, sizeof r->seed) != MCP_OK)
			memset(r->seed, 0, sizeof r->seed);
		memcpy(h.seed, r->seed, sizeof h.seed);
	}
	h.table = table;
	return pwrite(r->fd, &h, sizeof h, 0) == (ssize_t)sizeof h;
}

bool
recall_lock(struct recall *r, int64_t now_s, bool insist)
{
	bool is_due = now_s != r->looked_s;

	r->looked_s = now_s;
	if (is_due && r->fd >= 0 && !is_fit(r->fd))
		close_file(r);
	if (is_due && r->fd < 0)
		open_file(r);
	if (r->fd < 0 || !lock(r, F_WRLCK, insist))
		return false;
	if (!is_due || bring_up_to_date(r))
		return true;
	close_file(r);		/* which ends the lock */
	return false;
}

void
recall_unlock(struct recall *r)
{
	if (r->fd >= 0)
		(void)lock(r, F_UNLCK, true);
}

static int64_t
set_of(const struct recall *r, const struct budget_key *key)
{
	uint64_t word[2], h;

	memcpy(word, key->bytes, sizeof word);
	/* Multiplication by odd constants of the golden ratio and a fold, for each half. */
	h = (word[0] ^ r->seed[0]) * UINT64_C(0x9e3779b97f4a7c15);
	h = (h ^ h >> 32 ^ word[1] ^ r->seed[1]) * UINT64_C(0xbf58476d1ce4e5b9);
	h ^= h >> 31;
	return (int64_t)(h & (SETS - 1));
}

/* How dear an entry is to us; the least is forgotten first, and a reservation never. */
enum worth { WORTH_NOTHING, WORTH_A_QUESTION, WORTH_A_RESERVATION };

static enum worth
worth(const struct recall_entry *e, int64_t now_s)
{
	if (e->ends_s <= now_s)
		return WORTH_NOTHING;
	return e->reserved > 0 ? WORTH_A_RESERVATION : WORTH_A_QUESTION;
}

void
recall_look(struct recall *r, const struct budget_key *key, int64_t window_s, int64_t now_s,
    struct recall_place *place)
{
	struct recall_entry set[WAYS];
	int64_t set_at = ENTRIES_AT + set_of(r, key) * (int64_t)sizeof set;
	ssize_t n = pread(r->fd, set, sizeof set, set_at);
	bool is_room;
	int best = 0;

	if (n < 0)
		n = 0;
	memset((char *)set + n, 0, sizeof set - (size_t)n);
	memset(place, 0, sizeof *place);
	for (int i = 0; i < WAYS; i++) {
		const struct recall_entry *e = &set[i];
		enum worth a = worth(e, now_s), b = worth(&set[best], now_s);

		if (e->ends_s && memcmp(&e->key, key, sizeof *key) == 0) {
			best = i;
			break;
		}
		if (a < b || (a == b && e->ends_s < set[best].ends_s))
			best = i;
	}
	is_room = worth(&set[best], now_s) != WORTH_A_RESERVATION;
	if (set[best].ends_s && memcmp(&set[best].key, key, sizeof *key) == 0) {
		is_room = true;
		if (budget_is_running(set[best].ends_s, window_s, now_s))
			place->entry = set[best];
	}
	place->at = is_room ? set_at + best * (int64_t)sizeof *set : -1;
	place->entry.key = *key;
}

void
recall_write(struct recall *r, const struct recall_place *place)
{
	if (place->at >= 0 && pwrite(r->fd, &place->entry, sizeof place->entry, place->at) !=
	    (ssize_t)sizeof place->entry)
		close_file(r);		/* looked at again in a second */
}
