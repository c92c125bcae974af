/* SPDX-License-Identifier: MIT */
/* The bus: events, mail and notes between processes; waking; files that are damaged, locked, full or gone. */
#include <fcntl.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include <sqlite3.h>

#include "base/clock.h"
#include "base/log.h"
#include "store/bus.h"
#include "store/wake.h"
#include "tests/tap.h"

#define NOW INT64_C(1800000000)
#define PROCESSES 4
#define EVENTS 100

static char dir[64] = "/tmp/bus-t-XXXXXX", path[96];
static atomic_int lines;
static const unsigned char box[DIGEST_SHA256_LEN] = "a box", other[DIGEST_SHA256_LEN] = "another box";
static const unsigned char ann[DIGEST_SHA256_LEN] = "a principal", bob[DIGEST_SHA256_LEN] = "another principal";

static void
count_line(void *ctx, enum log_level level, const char *text)
{
	(void)ctx;
	(void)level;
	lines++;
	diag("logged: %s", text);
}

static struct bus *
open_bus(void)
{
	struct bus *b;

	return bus_new(dir, &b) == MCP_OK ? b : NULL;
}

/* Events that were read. */
struct seen {
	int n, bad;
	int of[PROCESSES];		/* how many of each process, in its order */
	int64_t last;
	char uri[64];
};

static void
note(void *ctx, const struct bus_event *event)
{
	struct seen *seen = ctx;
	unsigned who, number;

	seen->n++;
	seen->bad += event->seq <= seen->last;
	seen->last = event->seq;
	snprintf(seen->uri, sizeof seen->uri, "%s", event->uri);
	if (sscanf(event->uri, "test://%u/%u", &who, &number) == 2 && who < PROCESSES)
		seen->bad += (int)number != seen->of[who]++;
}

static void
publish(struct bus *b, unsigned who, unsigned number)
{
	char uri[64];

	snprintf(uri, sizeof uri, "test://%u/%u", who, number);
	for (int tries = 0; bus_publish(b, NOW, BUS_RESOURCE_UPDATED, uri) != MCP_OK; tries++)
		if (tries == 60)
			_exit(9);
}

static void
test_events(void)
{
	struct bus *b = open_bus();
	struct seen seen = { .n = 0 };
	char uri[BUS_URI_MAX + 2];
	struct stat st;
	int64_t seq = 0, before;

	is_int(bus_cursor(b, &seq), MCP_OK, "the file is made by the first use");
	is_int(stat(path, &st) == 0 ? st.st_mode & 0777 : 0, 0600, "for its owner only");
	before = seq;
	is_int(bus_publish(b, NOW, BUS_TOOLS_CHANGED, NULL), MCP_OK, "an event is published");
	is_int(bus_publish(b, NOW, BUS_RESOURCE_UPDATED, "test://a"), MCP_OK, "and one about a resource");
	is_int(bus_read(b, &seq, note, &seen), MCP_OK, "both are read");
	ok(seen.n == 2 && !seen.bad, "in their order");
	is_str(seen.uri, "test://a", "with the URI");
	is_int(bus_read(b, &seq, note, &seen), MCP_OK, "the cursor has moved");
	is_int(seen.n, 2, "so that each is read once");
	seen = (struct seen){ .n = 0 };
	is_int(bus_publish(b, NOW + BUS_EVENTS_S + 1, BUS_PROMPTS_CHANGED, NULL), MCP_OK, "later comes another");
	seq = before;
	is_int(bus_read(b, &seq, note, &seen), MCP_OK, "who comes late");
	is_int(seen.n, 1, "finds those only that are not too old");
	for (int i = 0; i < BUS_EVENTS_MAX + 10; i++)
		publish(b, PROCESSES, 0);
	seq = before;
	seen = (struct seen){ .n = 0 };
	is_int(bus_read(b, &seq, note, &seen), MCP_OK, "of very many");
	is_int(seen.n, BUS_EVENTS_MAX, "the last are kept");
	memset(uri, 'u', sizeof uri);
	uri[BUS_URI_MAX + 1] = '\0';
	is_int(bus_publish(b, NOW, BUS_RESOURCE_UPDATED, uri), MCP_ELIMIT, "a very long URI is refused");
	bus_free(b);
	bus_free(NULL);
}

/* One of the processes: publishes its own events and reads everybody's as they come. */
static int
converse(unsigned who, int ready, int go)
{
	struct bus *b = open_bus();
	struct seen seen = { .n = 0 };
	int64_t seq, until_ms = clock_monotonic_ms() + 30000;
	char byte;

	/* What waits for a lock for too long tries again, as its client would. */
	while (bus_cursor(b, &seq) != MCP_OK && clock_monotonic_ms() < until_ms)
		usleep(10000);
	if (write(ready, "", 1) != 1 || read(go, &byte, 1) != 1 || clock_monotonic_ms() >= until_ms)
		return 2;
	until_ms = clock_monotonic_ms() + 60000;
	for (unsigned i = 0; i < EVENTS; i++)
		publish(b, who, i);
	while (seen.n < PROCESSES * EVENTS && clock_monotonic_ms() < until_ms) {
		uint64_t number = wake_now(bus_wake(b));

		if (bus_read(b, &seq, note, &seen) != MCP_OK)
			return 4;
		if (seen.n < PROCESSES * EVENTS)
			(void)wake_wait(bus_wake(b), number, until_ms);
	}
	bus_free(b);
	return seen.n == PROCESSES * EVENTS && !seen.bad ? 0 : 5;
}

static void
test_processes(void)
{
	int ready[2], go[2], good = 0, status;
	char bytes[PROCESSES];

	if (pipe(ready) != 0 || pipe(go) != 0)
		return;
	for (unsigned i = 0; i < PROCESSES; i++)
		if (fork() == 0)
			_exit(converse(i, ready[1], go[0]));
	/* All have their cursors before the first speaks. */
	for (unsigned i = 0; i < PROCESSES; i++)
		if (read(ready[0], bytes, 1) != 1)
			diag("a process is missing");
	if (write(go[1], bytes, PROCESSES) != PROCESSES)
		diag("nobody was told");
	while (wait(&status) > 0)
		good += WIFEXITED(status) && WEXITSTATUS(status) == 0;
	for (int i = 0; i < 2; i++) {
		close(ready[i]);
		close(go[i]);
	}
	is_int(good, PROCESSES, "%d processes that speak at once hear all of each other, in order", PROCESSES);
}

/* Milliseconds from an event of another process to the end of the wait here; INT64_MAX: it did not come. */
static int64_t
time_to_wake(struct bus *b, bool replace)
{
	struct seen seen = { .n = 0 };
	int64_t seq, begun_ms = 0, woken_ms = 0, until_ms;
	uint64_t number;
	int tell[2];

	if (bus_cursor(b, &seq) != MCP_OK || pipe(tell) != 0)
		return INT64_MAX;
	number = wake_now(bus_wake(b));
	if (fork() == 0) {
		struct bus *mine = open_bus();
		struct timespec moment = { .tv_nsec = 50000000 };

		nanosleep(&moment, NULL);
		if (replace)
			unlink(path);
		begun_ms = clock_monotonic_ms();
		if (write(tell[1], &begun_ms, sizeof begun_ms) != (ssize_t)sizeof begun_ms)
			_exit(1);
		_exit(bus_publish(mine, NOW, BUS_TOOLS_CHANGED, NULL) != MCP_OK);
	}
	until_ms = clock_monotonic_ms() + 30000;
	while (seen.n == 0 && clock_monotonic_ms() < until_ms) {
		(void)wake_wait(bus_wake(b), number, until_ms);
		number = wake_now(bus_wake(b));
		woken_ms = clock_monotonic_ms();
		if (bus_read(b, &seq, note, &seen) != MCP_OK)
			break;
	}
	while (wait(NULL) > 0)
		;
	close(tell[1]);
	if (read(tell[0], &begun_ms, sizeof begun_ms) != (ssize_t)sizeof begun_ms)
		seen.n = 0;
	close(tell[0]);
	return seen.n ? woken_ms - begun_ms : INT64_MAX;
}

static int
compare_ms(const void *a, const void *b)
{
	int64_t x = *(const int64_t *)a, y = *(const int64_t *)b;

	return (x > y) - (x < y);
}

/* The median of five. */
static int64_t
usual_time_to_wake(struct bus *b)
{
	int64_t ms[5];

	for (size_t i = 0; i < 5; i++)
		ms[i] = time_to_wake(b, false);
	qsort(ms, 5, sizeof ms[0], compare_ms);
	return ms[2];
}

static void
test_waking(void)
{
	struct bus *b = open_bus();
	int64_t ms = INT64_MAX;
	uint64_t number;
	bool news = true;

	/* Who only looks now and then is late half of the time, or each time; a busy machine is late for a while. */
	for (int i = 0; i < 4 && ms >= WAKE_LOOK_MS / 10; i++)
		ms = usual_time_to_wake(b);
	ok(ms < WAKE_LOOK_MS / 10, "an event of another process wakes who waits, at once (%lld ms)", (long long)ms);
	ms = time_to_wake(b, true);
	ok(ms < 10 * WAKE_LOOK_MS, "so does one in a file that took the place of ours (%lld ms)",
	    (long long)ms);
	/* The thread looks now and then although nobody told it to (WAKE_LOOK_MS), and what was told may come late. */
	for (int i = 0; i < 20 && news; i++) {
		number = wake_now(bus_wake(b));
		ms = clock_monotonic_ms();
		news = wake_wait(bus_wake(b), number, ms + 300);
	}
	ok(!news, "without news a wait lasts until its deadline");
	ok(clock_monotonic_ms() - ms >= 290, "and no shorter");
	bus_free(b);
}

/* What wake_attend() calls. */
static void
count_look(void *ctx)
{
	atomic_fetch_add((atomic_int *)ctx, 1);
}

static bool
reaches(atomic_int *looks, int n)
{
	for (int i = 0; i < 2000 && atomic_load(looks) < n; i++)
		usleep(10000);
	return atomic_load(looks) >= n;
}

static void
test_attending(void)
{
	struct bus *b = open_bus();
	atomic_int looks;
	int before;

	atomic_init(&looks, 0);
	is_int(wake_attend(bus_wake(b), count_look, &looks), MCP_OK, "somebody attends");
	ok(reaches(&looks, 1), "and is called, to begin with");
	before = atomic_load(&looks);
	publish(b, 0, 0);
	ok(reaches(&looks, before + 1), "and when there is an event");
	before = atomic_load(&looks);
	ok(reaches(&looks, before + 1), "and without one, should a touch have been lost");
	wake_rest(bus_wake(b));
	before = atomic_load(&looks);
	publish(b, 0, 1);
	usleep(100000);
	is_int(atomic_load(&looks), before, "who rests is not called any more");
	is_int(wake_attend(bus_wake(b), count_look, &looks), MCP_OK, "somebody attends anew");
	ok(reaches(&looks, before + 1), "and is called");
	bus_free(b);
}

static void
test_mail(void)
{
	struct bus *b = open_bus(), *c = open_bus();
	struct buf out;

	buf_init(&out, 64);
	is_int(bus_mail_put(c, box, NOW, "x", 1), MCP_ENOENT, "an answer nobody waits for is not kept");
	is_int(bus_mail_take(b, box, &out), MCP_ENOENT, "nor is there anything to take");
	is_int(bus_mail_open(b, box, ann, NOW, NOW + 10), MCP_OK, "a box is opened");
	is_int(bus_mail_take(b, box, &out), MCP_EAGAIN, "and is empty");
	is_int(bus_mail_put(c, other, NOW, "x", 1), MCP_ENOENT, "an answer for another box does not fit");
	is_int(bus_mail_put(c, box, NOW, "answer", 6), MCP_OK, "another process's connection puts one in");
	is_int(bus_mail_put(c, box, NOW, "forged", 6), MCP_ENOENT, "once");
	is_int(bus_mail_take(b, box, &out), MCP_OK, "it is taken");
	is_str(out.data, "answer", "as it was put in");
	is_int(bus_mail_take(b, box, &out), MCP_ENOENT, "once, too");
	is_int(bus_mail_open(b, box, ann, NOW, NOW + 10), MCP_OK, "another one is opened");
	is_int(bus_mail_put(c, box, NOW + 11, "late", 4), MCP_ENOENT, "what comes too late is not kept");
	is_int(bus_mail_close(b, box), MCP_OK, "it is closed");
	is_int(bus_mail_put(c, box, NOW, "x", 1), MCP_ENOENT, "and takes nothing any more");
	buf_clear(&out);
	bus_free(b);
	bus_free(c);
}

static void
number_key(unsigned char key[DIGEST_SHA256_LEN], int n)
{
	memset(key, 0, DIGEST_SHA256_LEN);
	memcpy(key + 8, &n, sizeof n);
}

/* Boxes of principals who want more than is there. */
static void
test_mail_bounds(void)
{
	unsigned char key[DIGEST_SHA256_LEN], who[DIGEST_SHA256_LEN] = "one of many";
	struct bus *b = open_bus();
	char *large = calloc(1, 16 * 1024 * 1024);
	enum mcp_err err = MCP_OK;
	struct buf out;
	int n;

	buf_init(&out, 64);
	for (n = 0; n <= BUS_MAIL_OF_ONE_MAX && !err; n++) {
		number_key(key, n);
		err = bus_mail_open(b, key, ann, NOW, NOW + 10);
	}
	ok(err == MCP_ELIMIT && n == BUS_MAIL_OF_ONE_MAX + 1, "one principal may have so many boxes (%d)", n - 1);
	is_int(bus_mail_open(b, box, bob, NOW, NOW + 10), MCP_OK, "others have theirs");
	number_key(key, 7);
	err = bus_mail_put(b, key, NOW, "x", 1);
	number_key(key, BUS_MAIL_OF_ONE_MAX);
	ok(!err && bus_mail_open(b, key, ann, NOW, NOW + 10) == MCP_OK,
	    "where an answer lies that nobody came for, there is room");
	number_key(key, 7);
	is_int(bus_mail_take(b, key, &out), MCP_ENOENT, "which is gone then");
	for (n = 0, err = MCP_OK; large && n < 4 && !err; n++) {
		number_key(key, n);
		err = bus_mail_put(b, key, NOW, large, 16 * 1024 * 1024);
	}
	ok(err == MCP_ENOENT && n == 3, "one principal's answers may hold so many bytes and no more");
	is_int(bus_mail_put(b, box, NOW, large, 16 * 1024 * 1024), MCP_OK, "others' are taken");
	number_key(key, 0);
	is_int(bus_mail_close(b, key), MCP_OK, "when one is taken away");
	number_key(key, 5);
	is_int(bus_mail_put(b, key, NOW, large, 16 * 1024 * 1024), MCP_OK, "there is room for the next");
	for (n = 0; n < 8; n++) {
		number_key(who, n + 100);
		number_key(key, n + 1000);
		if (bus_mail_open(b, key, who, NOW, NOW + 10) ||
		    (err = bus_mail_put(b, key, NOW, large, 16 * 1024 * 1024)))
			break;
	}
	ok(err == MCP_ENOENT && n == 5, "and all together so many (%d)", n);
	for (n = 0, err = MCP_OK; n <= BUS_MAIL_MAX && !err; n++) {
		number_key(key, n + 2000);
		number_key(who, n);
		err = bus_mail_open(b, key, who, NOW, NOW + 10);
	}
	ok(err == MCP_ELIMIT && n > BUS_MAIL_MAX - BUS_MAIL_OF_ONE_MAX - 20, "so many boxes there are in all (%d)", n);
	is_int(bus_mail_open(b, key, ann, NOW + 11, NOW + 20), MCP_OK, "those that are over make room");
	free(large);
	buf_clear(&out);
	bus_free(b);
}

/* Notes of a principal who fills what there is. */
static void
test_note_bounds(void)
{
	unsigned char session[DIGEST_SHA256_LEN];
	struct bus *b = open_bus();
	sqlite3 *db = NULL;
	enum mcp_err err;
	char name[32];
	int bad = 0;

	err = bus_note_set(b, box, ann, "ended", "", NOW, NOW + 10);
	for (int n = 0; n < 3 * BUS_NOTES_OF_PRINCIPAL_MAX && !err; n++) {
		number_key(session, n / 200);
		snprintf(name, sizeof name, "n%d", n);
		err = bus_note_set(b, session, bob, name, "", NOW, NOW + 10);
	}
	is_int(err, MCP_OK, "a principal makes notes in many sessions");
	number_key(session, 0);
	is_int(bus_note_get(b, session, "n0", NOW, NULL), MCP_ENOENT, "its first ones are gone");
	for (int n = 2 * BUS_NOTES_OF_PRINCIPAL_MAX; n < 3 * BUS_NOTES_OF_PRINCIPAL_MAX; n++) {
		number_key(session, n / 200);
		snprintf(name, sizeof name, "n%d", n);
		bad += bus_note_get(b, session, name, NOW, NULL) != MCP_OK;
	}
	is_int(bad, 0, "its last ones are there");
	is_int(bus_note_get(b, box, "ended", NOW, NULL), MCP_OK, "and so is the note of another one");
	/* As if very many had come and gone. */
	if (sqlite3_open(path, &db) == SQLITE_OK)
		sqlite3_exec(db, "UPDATE sqlite_sequence SET seq = seq + 1000000 WHERE name = 'note'", NULL, NULL,
		    NULL);
	sqlite3_close(db);
	is_int(bus_note_set(b, session, bob, "again", "", NOW, NOW + 10), MCP_OK, "however many have come and gone");
	is_int(bus_note_get(b, box, "ended", NOW, NULL), MCP_OK, "it is there still");
	bus_free(b);
}

static void
test_notes(void)
{
	struct bus *b = open_bus(), *c = open_bus();
	enum mcp_err err = MCP_OK;
	char name[32];
	struct buf out;
	int n;

	buf_init(&out, 64);
	is_int(bus_note_get(b, box, "level", NOW, &out), MCP_ENOENT, "there is no note yet");
	is_int(bus_note_set(b, box, ann, "level", "info", NOW, NOW + 10), MCP_OK, "one is made");
	is_int(bus_note_set(b, box, ann, "level", "debug", NOW, NOW + 20), MCP_OK, "and made anew");
	is_int(bus_note_get(c, box, "level", NOW + 15, &out), MCP_OK, "another process's connection has it");
	is_str(out.data, "debug", "the last one");
	is_int(bus_note_get(c, other, "level", NOW, NULL), MCP_ENOENT, "of this owner only");
	is_int(bus_note_get(c, box, "ended", NOW, NULL), MCP_ENOENT, "and of this name");
	is_int(bus_note_get(c, box, "level", NOW + 21, NULL), MCP_ENOENT, "until it is over");
	is_int(bus_note_delete(c, box, "level"), MCP_OK, "it is deleted");
	is_int(bus_note_delete(c, box, "level"), MCP_OK, "twice");
	is_int(bus_note_get(b, box, "level", NOW, NULL), MCP_ENOENT, "and gone");
	for (n = 0; n <= BUS_NOTES_OF_ONE_MAX && !err; n++) {
		snprintf(name, sizeof name, "n %d", n);
		err = bus_note_set(b, other, ann, name, "", NOW, NOW + 10);
	}
	ok(err == MCP_ELIMIT && n == BUS_NOTES_OF_ONE_MAX + 1, "one owner has so many of a kind and no more");
	is_int(bus_note_set(b, other, ann, "n 7", "x", NOW, NOW + 10), MCP_OK, "but may change one");
	is_int(bus_note_set(b, other, ann, "m", "x", NOW, NOW + 10), MCP_OK, "and have one of another kind");
	is_int(bus_note_set(b, box, ann, "x", "", NOW, NOW), MCP_OK, "and others are not kept from theirs");
	is_int(bus_note_last(b, other, ann, "last", NOW, NOW + 10), MCP_OK, "a last one is always taken");
	ok(bus_note_get(c, other, "last", NOW, NULL) == MCP_OK &&
	    bus_note_get(c, other, "n 7", NOW, NULL) == MCP_ENOENT && bus_note_get(c, box, "x", NOW, NULL) == MCP_OK,
	    "in the place of all that the owner had");
	buf_clear(&out);
	bus_free(b);
	bus_free(c);
}

/* Processes that publish until they are killed. Returns how many were begun. */
static void
test_killed(void)
{
	struct bus *b = open_bus();
	struct seen seen = { .n = 0 };
	int64_t seq = 0;
	int bad = 0;

	if (bus_cursor(b, &seq) != MCP_OK)
		bad++;
	for (int i = 0; i < 20; i++) {
		pid_t pid = fork();

		if (pid == 0) {
			struct bus *mine = open_bus();

			for (unsigned n = 0;; n++)
				publish(mine, (unsigned)PROCESSES, n);
		}
		usleep(5000 + 2000 * (unsigned)i);
		kill(pid, SIGKILL);
		waitpid(pid, NULL, 0);
		bad += bus_read(b, &seq, note, &seen) != MCP_OK;
		bad += bus_publish(b, NOW, BUS_TOOLS_CHANGED, NULL) != MCP_OK;
	}
	ok(bad == 0 && seen.n > 0 && !seen.bad, "publishers that are killed leave the file whole (%d events)", seen.n);
	bus_free(b);
}

/* Run SQL over a connection of its own; it stays open. */
static sqlite3 *
tamper(const char *statement)
{
	sqlite3 *db;

	if (sqlite3_open(path, &db) != SQLITE_OK || sqlite3_exec(db, statement, NULL, NULL, NULL) != SQLITE_OK)
		diag("not done: %s", statement);
	return db;
}

static void
overwrite(const char *name)
{
	int fd = open(name, O_WRONLY | O_TRUNC);
	char rubbish[8192];

	memset(rubbish, 0xa5, sizeof rubbish);
	if (fd < 0 || write(fd, rubbish, sizeof rubbish) < 0)
		diag("%s: not overwritten", name);
	close(fd);
}

static void
remove_files(void)
{
	static const char *const suffix[] = { "", "-wal", "-shm" };
	char name[128];

	for (int i = 0; i < 3; i++) {
		snprintf(name, sizeof name, "%s%s", path, suffix[i]);
		unlink(name);
	}
}

static void
test_damage(void)
{
	struct bus *b = open_bus(), *c;
	struct seen seen = { .n = 0 };
	int64_t seq = 0;

	is_int(bus_cursor(b, &seq), MCP_OK, "a cursor is taken");
	bus_free(b);
	remove_files();
	sqlite3_close(tamper("CREATE TABLE theirs (x); PRAGMA user_version=7"));
	b = open_bus();
	is_int(bus_publish(b, NOW, BUS_TOOLS_CHANGED, NULL), MCP_OK, "what is not ours is replaced");
	is_int(bus_read(b, &seq, note, &seen), MCP_OK, "the old cursor is good");
	is_int(seen.n, 1, "in the new file");
	bus_free(b);
	overwrite(path);
	lines = 0;
	b = open_bus();
	is_int(bus_publish(b, NOW, BUS_TOOLS_CHANGED, NULL), MCP_OK, "so is one that is rubbish");
	is_int(lines, 1, "and the log says so");
	c = open_bus();
	is_int(bus_cursor(c, &seq), MCP_OK, "a second process has it open");
	sqlite3_close(tamper("DROP TABLE event"));
	is_int(bus_publish(b, NOW, BUS_TOOLS_CHANGED, NULL), MCP_OK, "one that loses a table in use is replaced");
	seen.n = 0;
	is_int(bus_read(c, &seq, note, &seen), MCP_OK, "and the other one reads");
	is_int(seen.n, 1, "the new one");
	bus_free(b);
	bus_free(c);
}

static void
test_locked(void)
{
	struct bus *b = open_bus();
	int64_t seq = 0, begun_ms;
	sqlite3 *db;

	is_int(bus_cursor(b, &seq), MCP_OK, "the file is open");
	db = tamper("BEGIN IMMEDIATE");
	begun_ms = clock_monotonic_ms();
	is_int(bus_publish(b, NOW, BUS_TOOLS_CHANGED, NULL), MCP_EDB,
	    "while somebody holds the lock nothing is written");
	ok(clock_monotonic_ms() - begun_ms < 15000, "which is not waited for long");
	is_int(bus_cursor(b, &seq), MCP_OK, "but read");
	sqlite3_close(db);
	is_int(bus_publish(b, NOW, BUS_TOOLS_CHANGED, NULL), MCP_OK, "afterwards it is");
	bus_free(b);
}

static void
test_full(void)
{
	struct bus *b = open_bus();
	struct rlimit old, none;
	struct seen seen = { .n = 0 };
	enum mcp_err err;
	int64_t seq = 0;

	is_int(bus_cursor(b, &seq), MCP_OK, "the file is open");
	signal(SIGXFSZ, SIG_IGN);
	if (getrlimit(RLIMIT_FSIZE, &old) != 0)
		return;
	none = old;
	none.rlim_cur = 1;
	if (setrlimit(RLIMIT_FSIZE, &none) != 0)
		return;
	err = bus_publish(b, NOW, BUS_TOOLS_CHANGED, NULL);
	if (setrlimit(RLIMIT_FSIZE, &old) != 0)
		return;
	is_int(err, MCP_EDB, "without room nothing is written");
	is_int(bus_publish(b, NOW, BUS_PROMPTS_CHANGED, NULL), MCP_OK, "with room again it is");
	is_int(bus_read(b, &seq, note, &seen), MCP_OK, "and what is read");
	is_int(seen.n, 1, "is what was written");
	bus_free(b);
	if (chmod(dir, 0777) == 0) {
		b = open_bus();
		is_int(bus_publish(b, NOW, BUS_TOOLS_CHANGED, NULL), MCP_EPERM,
		    "a directory that others may write to is not used");
		bus_free(b);
		if (chmod(dir, 0700) != 0)
			diag("chmod");
	}
}

int
main(void)
{
	log_capture(count_line, NULL);
	if (!mkdtemp(dir))
		return 99;
	snprintf(path, sizeof path, "%s/bus.db", dir);
	test_processes();
	test_events();
	test_waking();
	test_attending();
	test_mail();
	test_mail_bounds();
	test_notes();
	test_note_bounds();
	test_killed();
	test_damage();
	test_locked();
	test_full();
	remove_files();
	if (rmdir(dir) != 0)
		diag("files are left");
	return tap_done();
}
