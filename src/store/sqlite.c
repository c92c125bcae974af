/* SPDX-License-Identifier: MIT */
/*
 * Opening SQLite files. The life of one:
 *
 * 1. store_directory() makes the directory ours.
 * 2. store_open() takes an advisory lock on the directory, so that making, opening and discarding a file never
 *    overlap between processes; makes the file empty with mode 0600 if there is none (SQLite gives the mode to its
 *    -wal and -shm files); opens it; sets the journal.
 * 3. store_moved() notices that the file was deleted or replaced. SQLite does not: it would go on writing to the file
 *    without a name. (It does notice when it closes, and then leaves the -wal and -shm files of the path alone, which
 *    belong to the new file.)
 * 4. store_discard() removes a file that turned out to be damaged.
 */
#include "store/sqlite.h"

#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <sched.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <sys/vfs.h>
#include <time.h>
#include <unistd.h>

#include "base/clock.h"

#define PATH_BYTES 4096		/* PATH_MAX of Linux */
/* Tries before a wait for a lock begins to sleep: a commit takes some 20 us, a yield with nobody waiting under 1 us. */
#define YIELDS 64
#define SLEEP_MAX_US 1000

/*
 * File systems on which processes of several hosts may meet; the shared memory of WAL works on one host only.
 * Numbers: statfs(2).
 */
static const long network_file_systems[] = {
	0x6969,			/* NFS */
	0x517b, 0xff534d42L, 0xfe534d42L,	/* SMB, CIFS, SMB 2 */
	0x5346414f,		/* AFS */
	0x73757245,		/* Coda */
	0x00c36400,		/* Ceph */
	0x01021997		/* 9P */
};

static enum mcp_err
fail(enum mcp_err err, const char **why, const char *phrase)
{
	if (why)
		*why = phrase;
	return err;
}

/* Why a system call failed, as a phrase that lives for ever. */
static const char *
errno_phrase(void)
{
	switch (errno) {
	case EACCES:
	case EPERM: return "permission denied";
	case ENOENT: return "no such file or directory";
	case ENOTDIR: return "a part of the path is no directory";
	case EROFS: return "the file system is read-only";
	case ENOSPC:
	case EDQUOT: return "no space left";
	case ENAMETOOLONG: return "the path is too long";
	case ELOOP: return "too many symbolic links";
	default: return "a system call failed";
	}
}

/* Write "dir/name" and a suffix into "path". False when it does not fit. */
static bool
path_of(const struct store_file *file, const char *suffix, char path[PATH_BYTES])
{
	int n = snprintf(path, PATH_BYTES, "%s/%s%s", file->dir, file->name, suffix);

	return n > 0 && n < PATH_BYTES;
}

static void
sleep_us(long us)
{
	struct timespec t = { .tv_nsec = us * 1000 };

	nanosleep(&t, NULL);
}

/* Wait a little before try number "count" (from 0). */
static void
wait_a_little(int count)
{
	if (count < YIELDS)
		sched_yield();
	else
		sleep_us(count < YIELDS + 20 ? 50 * (1 + count - YIELDS) : SLEEP_MAX_US);
}

/*
 * SQLite's busy handler; "bound" carries milliseconds. The start of a wait is per thread, since a connection is used
 * by one at a time.
 */
static int
on_busy(void *bound, int count)
{
	static _Thread_local int64_t begun_ms;
	int64_t now_ms = clock_monotonic_ms();

	if (count == 0)
		begun_ms = now_ms;
	if (now_ms - begun_ms >= (intptr_t)bound)
		return 0;
	wait_a_little(count);
	return 1;
}

static void
configure_sqlite(void)
{
	/*
	 * Nobody reads SQLite's memory statistics; without them its allocator needs no lock. Fails harmlessly if
	 * SQLite runs already.
	 */
	(void)sqlite3_config(SQLITE_CONFIG_MEMSTATUS, 0);
}

/* mkdir for every directory of "dir" that is missing. */
static int
make_directories(const char *dir)
{
	char path[PATH_BYTES];
	size_t len = strlen(dir);

	if (len >= sizeof path) {
		errno = ENAMETOOLONG;
		return -1;
	}
	memcpy(path, dir, len + 1);
	for (size_t i = 1; i < len; i++) {
		if (path[i] != '/')
			continue;
		path[i] = '\0';
		if (mkdir(path, 0700) != 0 && errno != EEXIST && errno != EROFS && errno != EACCES)
			return -1;
		path[i] = '/';
	}
	return mkdir(path, 0700) != 0 && errno != EEXIST ? -1 : 0;
}

enum mcp_err
store_directory(const char *dir, const char **why)
{
	struct stat st;

	if (dir[0] != '/')
		return fail(MCP_EPERM, why, "the path of the directory is not absolute");
	if (lstat(dir, &st) != 0) {
		if (errno != ENOENT)
			return fail(MCP_EIO, why, errno_phrase());
		if (make_directories(dir) != 0 || lstat(dir, &st) != 0)
			return fail(MCP_EIO, why, errno_phrase());
	}
	if (!S_ISDIR(st.st_mode))
		return fail(MCP_EPERM, why, "it is no directory");
	if (st.st_uid != geteuid())
		return fail(MCP_EPERM, why, "the directory belongs to another user");
	if (st.st_mode & (S_IWGRP | S_IWOTH))
		return fail(MCP_EPERM, why, "others may write to the directory");
	return MCP_OK;
}

/*
 * Lock the directory against other processes that open, make or discard. Returns a descriptor to close, or -1: no
 * lock, which is how it goes where directories cannot be locked or somebody holds the lock for too long; what it
 * prevents is unlikely and heals.
 */
static int
lock_directory(const struct store_file *file)
{
	int64_t begun_ms = clock_monotonic_ms();
	int fd = open(file->dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC);

	if (fd < 0)
		return -1;
	for (int count = 0; flock(fd, LOCK_EX | LOCK_NB) != 0; count++) {
		if ((errno != EWOULDBLOCK && errno != EINTR) || clock_monotonic_ms() - begun_ms >= file->busy_ms) {
			close(fd);
			return -1;
		}
		wait_a_little(count);
	}
	return fd;
}

/* Remove the file's companions. */
static int
remove_companions(const struct store_file *file)
{
	static const char *const suffix[] = { "-wal", "-shm", "-journal" };
	char path[PATH_BYTES];

	for (size_t i = 0; i < sizeof suffix / sizeof suffix[0]; i++)
		if (path_of(file, suffix[i], path) && unlink(path) != 0 && errno != ENOENT)
			return -1;
	return 0;
}

/* Check the file at "path", or make an empty one. */
static enum mcp_err
check_or_make(struct store *s, const struct store_file *file, const char *path, const char **why)
{
	struct stat st;

	if (lstat(path, &st) != 0) {
		int fd;

		if (errno != ENOENT || remove_companions(file) != 0)
			return fail(MCP_EIO, why, errno_phrase());
		fd = open(path, O_RDWR | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0600);
		/* EEXIST: the lock could not be had and somebody was faster; then it is checked like any other. */
		if (fd < 0 && errno != EEXIST)
			return fail(MCP_EIO, why, errno_phrase());
		if (fd >= 0)
			close(fd);
		if (lstat(path, &st) != 0)
			return fail(MCP_EIO, why, errno_phrase());
	}
	if (S_ISLNK(st.st_mode))
		return fail(MCP_EPERM, why, "it is a symbolic link");
	if (!S_ISREG(st.st_mode))
		return fail(MCP_EPERM, why, "it is no regular file");
	if (st.st_uid != geteuid())
		return fail(MCP_EPERM, why, "the file belongs to another user");
	if (st.st_mode & (S_IWGRP | S_IWOTH))
		return fail(MCP_EPERM, why, "others may write to the file");
	s->device = st.st_dev;
	s->inode = st.st_ino;
	return MCP_OK;
}

static bool
is_on_network(const char *dir)
{
	struct statfs fs;

	if (statfs(dir, &fs) != 0)
		return false;
	for (size_t i = 0; i < sizeof network_file_systems / sizeof network_file_systems[0]; i++)
		if ((uint32_t)fs.f_type == (uint32_t)network_file_systems[i])
			return true;
	return false;
}

/* Run a PRAGMA and tell whether its answer is "want". Returns SQLite's code. */
static int
pragma_is(sqlite3 *db, const char *sql, const char *want, bool *is)
{
	sqlite3_stmt *statement = NULL;
	const char *text;
	int rc = sqlite3_prepare_v2(db, sql, -1, &statement, NULL);

	*is = false;
	if (rc == SQLITE_OK) {
		rc = sqlite3_step(statement);
		if (rc == SQLITE_ROW) {
			text = (const char *)sqlite3_column_text(statement, 0);
			*is = text && strcmp(text, want) == 0;
			rc = SQLITE_OK;
		} else if (rc == SQLITE_DONE)
			rc = SQLITE_OK;
	}
	sqlite3_finalize(statement);
	return rc;
}

/*
 * Choose the journal: WAL, or a rollback journal where WAL cannot be. SQLite does not always call the busy handler
 * for this, hence the loop.
 */
static int
set_journal(struct store *s, const struct store_file *file)
{
	int64_t begun_ms = clock_monotonic_ms();
	bool want_wal = !is_on_network(file->dir), is = false;
	int rc;

	for (int count = 0;; count++) {
		rc = want_wal ? pragma_is(s->db, "PRAGMA journal_mode=WAL", "wal", &is)
		    : pragma_is(s->db, "PRAGMA journal_mode=TRUNCATE", "truncate", &is);
		if ((rc & 0xff) != SQLITE_BUSY || clock_monotonic_ms() - begun_ms >= file->busy_ms)
			break;
		wait_a_little(count);
	}
	if (rc != SQLITE_OK)
		return rc;
	s->wal = want_wal && is;
	if (want_wal && !is)
		rc = pragma_is(s->db, "PRAGMA journal_mode=TRUNCATE", "truncate", &is);
	return rc;
}

void
store_set_patience(struct store *s, int busy_ms)
{
	(void)sqlite3_busy_handler(s->db, on_busy, (void *)(intptr_t)busy_ms);
}

static int
configure(struct store *s, const struct store_file *file)
{
	char sql[160];
	int rc;

	store_set_patience(s, file->busy_ms);
	/* A file that somebody prepared must not run functions from its schema. */
	(void)sqlite3_db_config(s->db, SQLITE_DBCONFIG_TRUSTED_SCHEMA, 0, (int *)NULL);
	snprintf(sql, sizeof sql,
	    "PRAGMA page_size=%d; PRAGMA cache_size=-%d; PRAGMA synchronous=%s; PRAGMA temp_store=MEMORY",
	    file->page_bytes, file->cache_kib, file->sync == STORE_SYNC_OFF ? "OFF" : "NORMAL");
	if ((rc = sqlite3_exec(s->db, sql, NULL, NULL, NULL)) != SQLITE_OK)
		return rc;
	if ((rc = sqlite3_wal_autocheckpoint(s->db, file->checkpoint_pages)) != SQLITE_OK)
		return rc;
	return set_journal(s, file);
}

enum mcp_err
store_open(struct store *s, const struct store_file *file, const char **why)
{
	static pthread_once_t once = PTHREAD_ONCE_INIT;
	char path[PATH_BYTES];
	enum mcp_err err;
	int rc, lock;

	memset(s, 0, sizeof *s);
	pthread_once(&once, configure_sqlite);
	if (!path_of(file, "", path))
		return fail(MCP_EIO, why, "the path is too long");
	lock = lock_directory(file);
	if ((err = check_or_make(s, file, path, why)) != MCP_OK)
		goto out;
	rc = sqlite3_open_v2(path, &s->db, SQLITE_OPEN_READWRITE | SQLITE_OPEN_NOMUTEX | SQLITE_OPEN_EXRESCODE, NULL);
	if (rc == SQLITE_OK && sqlite3_db_readonly(s->db, "main") == 1)
		rc = SQLITE_READONLY;	/* SQLite falls back to that without a word */
	if (rc == SQLITE_OK)
		rc = configure(s, file);
	if (rc != SQLITE_OK)
		err = fail(store_error(rc), why, sqlite3_errstr(rc));
out:
	if (err)
		store_close(s);
	if (lock >= 0)
		close(lock);
	return err;
}

bool
store_moved(const struct store *s, const struct store_file *file)
{
	char path[PATH_BYTES];
	struct stat st;

	return !path_of(file, "", path) || lstat(path, &st) != 0 || st.st_ino != s->inode || st.st_dev != s->device;
}

void
store_close(struct store *s)
{
	(void)sqlite3_close_v2(s->db);
	s->db = NULL;
}

enum mcp_err
store_discard(const struct store *s, const struct store_file *file)
{
	enum mcp_err err = MCP_OK;
	char path[PATH_BYTES];
	int lock = lock_directory(file);

	if (s->inode && !store_moved(s, file) && path_of(file, "", path))
		/* The companions first: without its main file a -wal is nobody's. */
		if (remove_companions(file) != 0 || (unlink(path) != 0 && errno != ENOENT))
			err = MCP_EIO;
	if (lock >= 0)
		close(lock);
	return err;
}

enum mcp_err
store_error(int sqlite_code)
{
	switch (sqlite_code & 0xff) {
	case SQLITE_OK:
	case SQLITE_ROW:
	case SQLITE_DONE: return MCP_OK;
	case SQLITE_NOMEM: return MCP_ENOMEM;
	case SQLITE_CORRUPT:
	case SQLITE_NOTADB:
	case SQLITE_FORMAT: return MCP_ESYNTAX;
	default: return MCP_EDB;
	}
}

enum mcp_err
store_exec(struct store *s, const char *sql)
{
	return store_error(sqlite3_exec(s->db, sql, NULL, NULL, NULL));
}

enum mcp_err
store_prepare(struct store *s, const char *const *sql, size_t n, sqlite3_stmt **out)
{
	int rc;

	for (size_t i = 0; i < n; i++)
		out[i] = NULL;
	for (size_t i = 0; i < n; i++) {
		rc = sqlite3_prepare_v3(s->db, sql[i], -1, SQLITE_PREPARE_PERSISTENT, &out[i], NULL);
		if (rc != SQLITE_OK) {
			store_finalize(out, n);
			return store_error(rc);
		}
	}
	return MCP_OK;
}

void
store_finalize(sqlite3_stmt **statements, size_t n)
{
	for (size_t i = 0; i < n; i++) {
		sqlite3_finalize(statements[i]);
		statements[i] = NULL;
	}
}

enum mcp_err
store_run(sqlite3_stmt *statement)
{
	int rc = sqlite3_step(statement);

	sqlite3_reset(statement);
	return store_error(rc);
}
