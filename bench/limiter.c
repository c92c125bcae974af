/* SPDX-License-Identifier: MIT */
/*
 * What a charge of the rate limit costs: processes with threads that charge an address and a principal as fast as
 * they can (or with some work between two charges, as a responder has), against a bare loop of one upsert statement
 * for the same two keys. Prints one line a case.
 *
 *	bench/limiter [--seconds S] [--work-us U] [--dir DIR]
 */
#include <getopt.h>
#include <pthread.h>
#include <sched.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include <sqlite3.h>

#include "base/clock.h"
#include "limit/limiter.h"

#define PROCESSES_MAX 4
#define THREADS_MAX 64

/* Orders to the children and their results, in shared memory. */
struct outcome {
	_Atomic int ready;
	_Atomic bool go, measure, stop;
	struct {
		int64_t charges, uncounted;
		double cpu_s;
		long max_rss_kib;
	} process[PROCESSES_MAX];
};

struct scenario {
	const char *what;
	bool bare;
	int processes, threads;
	unsigned keys;
};

static struct outcome *shared;
static char dir[4000] = "";
static double seconds = 2, warm_up = 1.5;
static int64_t work_us;

static double
cpu_s(void)
{
	struct rusage r;

	getrusage(RUSAGE_SELF, &r);
	return (double)(r.ru_utime.tv_sec + r.ru_stime.tv_sec) +
	    (double)(r.ru_utime.tv_usec + r.ru_stime.tv_usec) / 1e6;
}

static int64_t
thread_cpu_ns(void)
{
	struct timespec t;

	clock_gettime(CLOCK_THREAD_CPUTIME_ID, &t);
	return (int64_t)t.tv_sec * 1000000000 + t.tv_nsec;
}

/* What a request costs besides. */
static void
work(void)
{
	int64_t end = thread_cpu_ns() + work_us * 1000;

	while (work_us && thread_cpu_ns() < end)
		;
}

static void
wait_for_go(void)
{
	atomic_fetch_add(&shared->ready, 1);
	while (!atomic_load(&shared->go))
		usleep(500);
}

/* One thread; its counters have a cache line of their own. */
struct worker {
	_Alignas(64) _Atomic int64_t charges;
	_Atomic int64_t uncounted;
	struct limiter *limiter;
	unsigned keys, random;
};

static void
count(struct worker *w, bool counted)
{
	atomic_fetch_add_explicit(&w->charges, 1, memory_order_relaxed);
	if (!counted)
		atomic_fetch_add_explicit(&w->uncounted, 1, memory_order_relaxed);
}

static void *
charge(void *ctx)
{
	struct worker *w = ctx;

	wait_for_go();
	while (!atomic_load_explicit(&shared->stop, memory_order_relaxed)) {
		struct limit_verdict v;
		char address[16], principal[64];
		unsigned k;

		w->random = w->random * 1664525 + 1013904223;
		k = (w->random >> 8) % w->keys;
		snprintf(address, sizeof address, "10.%u.%u.%u", k >> 16 & 255, k >> 8 & 255, k & 255);
		snprintf(principal, sizeof principal, "https://issuer.example\nuser-%u\nclient", k);
		limiter_peek(w->limiter, address, clock_now_s(), &v);
		limiter_charge(w->limiter, address, principal, clock_now_s(), &v);
		count(w, v.limited);
		work();
	}
	return NULL;
}

/* In the child's main thread: measure from the end of the warm-up to the stop. */
static void
measure(struct worker *workers, int threads, int process)
{
	struct rusage r;
	double before;

	while (!atomic_load(&shared->measure))
		usleep(500);
	before = cpu_s();
	for (int i = 0; i < threads; i++)
		shared->process[process].charges -= workers[i].charges;
	while (!atomic_load(&shared->stop))
		usleep(500);
	shared->process[process].cpu_s = cpu_s() - before;
	for (int i = 0; i < threads; i++) {
		shared->process[process].charges += workers[i].charges;
		shared->process[process].uncounted += workers[i].uncounted;
	}
	getrusage(RUSAGE_SELF, &r);
	shared->process[process].max_rss_kib = r.ru_maxrss;
}

static void
run_limiter(const struct scenario *s, int process)
{
	/*
	 * Exact: so wide that hardly anybody is refused, and not so wide that blocks are reserved. Wide: blocks of a
	 * million.
	 */
	static char exact[] = "1999/second", steady[] = "1000/minute", wide[] = "1000000000/day";
	char *rate = s->keys == 1 ? wide : s->keys < 1000 ? exact : steady;
	struct limit_settings settings = { .rate_address = rate, .rate_principal = rate, .max_rows = 1000000 };
	static struct worker worker[THREADS_MAX];
	pthread_t thread[THREADS_MAX];
	struct limiter *limiter;
	struct limiter_figures figures;

	if (limiter_new(&settings, dir, &limiter) != MCP_OK)
		_exit(1);
	limiter_figures(limiter, &figures);
	for (int i = 0; i < s->threads; i++) {
		worker[i].limiter = limiter;
		worker[i].keys = s->keys;
		worker[i].random = (unsigned)(process * 1000 + i) * 7919 + 1;
		pthread_create(&thread[i], NULL, charge, &worker[i]);
	}
	measure(worker, s->threads, process);
	for (int i = 0; i < s->threads; i++)
		pthread_join(thread[i], NULL);
	limiter_free(limiter);
}

static int
yield(void *ctx, int count)
{
	(void)ctx;
	if (count < 64)
		sched_yield();
	else
		usleep(200);
	return 1;
}

static sqlite3 *
open_bare(void)
{
	sqlite3 *db;
	char path[4096];

	snprintf(path, sizeof path, "%s/bare.db", dir);
	sqlite3_config(SQLITE_CONFIG_MEMSTATUS, 0);
	if (sqlite3_open_v2(path, &db, SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE | SQLITE_OPEN_NOMUTEX,
	    NULL) != SQLITE_OK)
		_exit(1);
	sqlite3_busy_handler(db, yield, NULL);
	sqlite3_exec(db, "PRAGMA journal_mode=WAL; PRAGMA synchronous=OFF; PRAGMA cache_size=-256;"
	    "CREATE TABLE IF NOT EXISTS budget (key BLOB PRIMARY KEY, ends_s INTEGER, used INTEGER) WITHOUT ROWID",
	    NULL, NULL, NULL);
	return db;
}

static void *
charge_bare(void *ctx)
{
	struct worker *w = ctx;
	sqlite3 *db = open_bare();
	sqlite3_stmt *q;

	if (sqlite3_prepare_v3(db, "INSERT INTO budget VALUES (?1, ?3, 1), (?2, ?3, 1) ON CONFLICT (key) DO UPDATE SET"
	    " used = CASE WHEN ends_s > ?4 THEN used + 1 ELSE 1 END,"
	    " ends_s = CASE WHEN ends_s > ?4 THEN ends_s ELSE excluded.ends_s END"
	    " RETURNING used, ends_s", -1, SQLITE_PREPARE_PERSISTENT, &q, NULL) != SQLITE_OK)
		_exit(1);
	wait_for_go();
	while (!atomic_load_explicit(&shared->stop, memory_order_relaxed)) {
		unsigned char address[16] = "4", principal[16] = "p";
		uint64_t h;
		unsigned k;

		w->random = w->random * 1664525 + 1013904223;
		k = (w->random >> 8) % w->keys;
		memcpy(address + 1, &k, sizeof k);
		h = (k + 1) * UINT64_C(0x9e3779b97f4a7c15);
		memcpy(principal + 1, &h, sizeof h);
		sqlite3_bind_blob(q, 1, address, sizeof address, SQLITE_STATIC);
		sqlite3_bind_blob(q, 2, principal, sizeof principal, SQLITE_STATIC);
		sqlite3_bind_int64(q, 3, clock_now_s() + 60);
		sqlite3_bind_int64(q, 4, clock_now_s());
		while (sqlite3_step(q) == SQLITE_ROW)
			;
		count(w, sqlite3_reset(q) == SQLITE_OK);
		work();
	}
	sqlite3_finalize(q);
	sqlite3_close(db);
	return NULL;
}

static void
run_bare(const struct scenario *s, int process)
{
	static struct worker worker;
	pthread_t thread;

	worker.keys = s->keys;
	worker.random = (unsigned)process * 7919 + 1;
	pthread_create(&thread, NULL, charge_bare, &worker);
	measure(&worker, 1, process);
	pthread_join(thread, NULL);
}

static void
remove_files(void)
{
	static const char *const name[] = { "limits.db", "limits.db-wal", "limits.db-shm", "bare.db", "bare.db-wal",
	    "bare.db-shm" };
	char path[4096];

	for (size_t i = 0; i < sizeof name / sizeof name[0]; i++) {
		snprintf(path, sizeof path, "%s/%s", dir, name[i]);
		unlink(path);
	}
}

static void
run(const struct scenario *s)
{
	int64_t charges = 0, uncounted = 0, begun;
	double cpu = 0, wall;
	long rss = 0;

	remove_files();
	memset(shared, 0, sizeof *shared);
	sqlite3_close(open_bare());
	for (int i = 0; i < s->processes; i++) {
		if (fork() == 0) {
			if (s->bare)
				run_bare(s, i);
			else
				run_limiter(s, i);
			_exit(0);
		}
	}
	while (atomic_load(&shared->ready) < s->processes * s->threads)
		usleep(1000);
	atomic_store(&shared->go, true);
	usleep((useconds_t)(warm_up * 1e6));
	atomic_store(&shared->measure, true);
	begun = clock_monotonic_ms();
	usleep((useconds_t)(seconds * 1e6));
	atomic_store(&shared->stop, true);
	wall = (double)(clock_monotonic_ms() - begun) / 1000;
	while (wait(NULL) > 0)
		;
	for (int i = 0; i < s->processes; i++) {
		charges += shared->process[i].charges;
		uncounted += shared->process[i].uncounted;
		cpu += shared->process[i].cpu_s;
		if (shared->process[i].max_rss_kib > rss)
			rss = shared->process[i].max_rss_kib;
	}
	printf("%-8s %d x %-2d  %6u  %9.0f/s  %6.1f us CPU  %6ld KiB  %lld uncounted\n", s->what, s->processes,
	    s->threads, s->keys,
	    (double)charges / wall, cpu / (double)(charges ? charges : 1) * 1e6 - (double)work_us, rss,
	    (long long)uncounted);
	fflush(stdout);
}

int
main(int argc, char **argv)
{
	static const struct option options[] = {
		{ "seconds", required_argument, NULL, 's' }, { "work-us", required_argument, NULL, 'w' },
		{ "dir", required_argument, NULL, 'd' }, { NULL, 0, NULL, 0 }
	};
	static const struct scenario scenarios[] = {
		{ "bare", true, 1, 1, 1 }, { "bare", true, 1, 1, 10000 }, { "bare", true, 2, 1, 1 }, { "bare", true, 2,
		    1, 10000 },
		{ "limiter", false, 1, 1, 1 }, { "limiter", false, 1, 1, 64 }, { "limiter", false, 1, 1, 10000 },
		{ "limiter", false, 2, 1, 64 }, { "limiter", false, 2, 1, 10000 }, { "limiter", false, 1, 8, 64 },
		{ "limiter", false, 1, 8, 10000 }, { "limiter", false, 2, 8, 1 }, { "limiter", false, 2, 8, 64 },
		{ "limiter", false, 2, 8, 10000 }
	};
	int c;

	while ((c = getopt_long(argc, argv, "", options, NULL)) != -1) {
		if (c == 's')
			seconds = strtod(optarg, NULL);
		else if (c == 'w')
			work_us = strtol(optarg, NULL, 10);
		else if (c == 'd')
			snprintf(dir, sizeof dir, "%s", optarg);
		else
			return 2;
	}
	if (!*dir) {
		snprintf(dir, sizeof dir, "%s/limiter-bench-XXXXXX", getenv("TMPDIR") ? getenv("TMPDIR") : "/tmp");
		if (!mkdtemp(dir))
			return 1;
	}
	shared = mmap(NULL, sizeof *shared, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	if (shared == MAP_FAILED)
		return 1;
	puts("what     procs x threads, keys, charges a second, CPU a charge, memory of the largest process");
	for (size_t i = 0; i < sizeof scenarios / sizeof scenarios[0]; i++)
		run(&scenarios[i]);
	remove_files();
	(void)rmdir(dir);
	return 0;
}
