/* SPDX-License-Identifier: MIT */
/* The rate limit: S60, S82, exactness across threads and processes, windows, and a table that cannot be used. */
#include <fcntl.h>
#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <sqlite3.h>

#include "base/clock.h"
#include "base/log.h"
#include "limit/limiter.h"
#include "tests/tap.h"

#define T0 INT64_C(1700000000)

static char dir[64] = "/tmp/limiter-t-XXXXXX", path[96];
static int lines;
static char last_line[512];

static void
keep_line(void *ctx, enum log_level level, const char *text)
{
	(void)ctx;
	(void)level;
	lines++;
	snprintf(last_line, sizeof last_line, "%s", text);
}

/* What an operator deletes; the memory beside it stays, and must notice. */
static void
remove_table(void)
{
	static const char *const suffix[] = { "", "-wal", "-shm", "-journal" };
	char name[128];

	for (size_t i = 0; i < 4; i++) {
		snprintf(name, sizeof name, "%s%s", path, suffix[i]);
		unlink(name);
	}
	/* Two files made within one tick of the clock can have the same number and time of birth. */
	usleep(20000);
}

static void
remove_files(void)
{
	char name[128];

	remove_table();
	snprintf(name, sizeof name, "%s/limits.recall", dir);
	unlink(name);
}

static struct limiter *
make(const char *address, const char *principal, const char *exempt, int64_t rows)
{
	struct limit_settings settings = { .max_rows = rows };
	struct limiter *l = NULL;

	settings.rate_address = strdup(address);
	settings.rate_principal = strdup(principal);
	if (exempt && strlist_split(&settings.exempt, exempt, ", ", 10) != MCP_OK)
		diag("no exempt list");
	if (limiter_new(&settings, dir, &l) != MCP_OK)
		diag("no limiter of %s and %s", address, principal);
	free(settings.rate_address);
	free(settings.rate_principal);
	strlist_clear(&settings.exempt);
	return l;
}

static struct limit_verdict
charge(struct limiter *l, const char *address, const char *principal, int64_t now_s)
{
	struct limit_verdict v;

	limiter_charge(l, address, principal, now_s, &v);
	return v;
}

/* How many of "n" charges are admitted and counted. */
static int
admitted(struct limiter *l, const char *address, const char *principal, int64_t now_s, int n)
{
	int got = 0;

	for (int i = 0; i < n; i++) {
		struct limit_verdict v = charge(l, address, principal, now_s);

		got += v.admitted && v.limited;
	}
	return got;
}

static bool
peek(struct limiter *l, const char *address, int64_t now_s)
{
	struct limit_verdict v;

	limiter_peek(l, address, now_s, &v);
	return v.admitted;
}

/* A number from the file, by a connection of its own. */
static long long
ask(const char *sql)
{
	sqlite3_stmt *q = NULL;
	sqlite3 *db = NULL;
	long long got = -1;

	if (sqlite3_open(path, &db) == SQLITE_OK && sqlite3_prepare_v2(db, sql, -1, &q, NULL) == SQLITE_OK &&
	    sqlite3_step(q) == SQLITE_ROW)
		got = sqlite3_column_int64(q, 0);
	sqlite3_finalize(q);
	sqlite3_close(db);
	return got;
}

static void
test_rates(void)
{
	static const struct {
		const char *text;
		long long limit, window_s, multiple;
		const char *unit;
	} good[] = {
		{ "10/minute", 10, 60, 1, "minute" }, { "10 per 1 minute", 10, 60, 1, "minute" }, { "600/5minutes",
		    600, 300, 5, "minute" },
		{ "100/day", 100, 86400, 1, "day" }, { " 7 / 2 Hours ", 7, 7200, 2, "hour" }, { "1/second", 1, 1, 1,
		    "second" },
		{ "5 per second", 5, 1, 1, "second" }, { "1000000000/30 days", 1000000000, 2592000, 30, "day" },
		    { "OFF", 0, 0, 0, NULL },
		{ " off ", 0, 0, 0, NULL }
	};
	static const char *const bad[] = {
		"", "10", "10/", "/minute", "0/minute", "-1/minute", "10/0 minutes", "10/minutess", "10/fortnight",
		    "10/minute;20/hour",
		"1000000001/minute", "10/31 days", "10 perminute", "1e3/minute", "10/2592001 second", "offf",
		    "ten/minute",
		"99999999999999999999999/minute", "10/99999999999999999999 minutes", "10//minute", "+10/minute"
	};
	struct limit_rate rate;

	for (size_t i = 0; i < sizeof good / sizeof good[0]; i++) {
		ok(limit_rate_parse(good[i].text, &rate) == MCP_OK && rate.limit == good[i].limit &&
		    rate.window_s == good[i].window_s &&
		    rate.multiple == good[i].multiple, "\"%s\" is a rate", good[i].text);
		is_str(rate.unit, good[i].unit, "and its unit is known");
	}
	for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++)
		ok(limit_rate_parse(bad[i], &rate) == MCP_ESYNTAX && rate.limit == 0, "\"%s\" is none", bad[i]);
}

static void
test_settings(void)
{
	struct limit_settings settings = { .max_rows = 1000, .rate_address = (char[]){ "never" } };
	struct limiter *l;
	size_t checked = 0;

	is_int(limiter_new(&settings, dir, &l), MCP_EINVAL, "a limiter of no rate is refused");
	ok(l == NULL, "and not made");
	settings.rate_address = NULL;
	is_int(limiter_new(&settings, dir, &l), MCP_OK, "an empty rate is the default");
	is_int(charge(l, "192.0.2.1", NULL, T0).rate.limit, 600, "and not \"off\"");
	limiter_free(l);
	limiter_free(NULL);
	if (strlist_add(&settings.exempt, "10.0.0.0/33", 11) == MCP_OK)
		is_int(limiter_new(&settings, dir, &l), MCP_EINVAL, "a network that is none is refused");
	strlist_clear(&settings.exempt);
	for (size_t i = 0; i < limit_setting_count; i++) {
		const struct setting *row = &limit_setting_rows[i];

		if (!row->check)
			continue;
		checked++;
		ok(row->check("!") != NULL && (!row->fallback || !row->check(row->fallback)),
		    "%s tells nonsense from its default", row->name);
	}
	is_int((long long)checked, 3, "three settings have a grammar");
	ok(limit_setting_rows[2].check("10.0.0.0/8, ::1 192.0.2.7") == NULL,
	    "networks are listed with commas or blanks");
	remove_files();
}

static void
test_window(void)
{
	struct limiter *l = make("10/minute", "off", NULL, 1000);
	struct limit_verdict v;

	for (int i = 0; i < 10; i++) {
		v = charge(l, "192.0.2.1", "somebody", T0 + i);
		if (!v.admitted || !v.limited || v.remaining != 9 - i || v.reset_s != 60 - i ||
		    v.policy != LIMIT_ADDRESS)
			break;
	}
	ok(v.admitted && v.remaining == 0, "S82: ten requests a minute are admitted, and each is told what is left");
	is_int(v.reset_s, 51, "and when the window ends, which began with the first");
	ok(!peek(l, "192.0.2.1", T0 + 10), "the next one can know that it will be refused");
	v = charge(l, "192.0.2.1", NULL, T0 + 30);
	ok(!v.admitted && v.limited && v.remaining == 0, "S82: the eleventh is refused");
	is_int(v.reset_s, 30, "and told to wait until the window ends");
	ok(v.rate.limit == 10 && v.rate.multiple == 1 && strcmp(v.rate.unit, "minute") == 0,
	    "with the words of the message");
	ok(!charge(l, "192.0.2.1", NULL, T0 + 59).admitted, "so it is in the window's last second");
	ok(charge(l, "192.0.2.2", NULL, T0 + 59).admitted, "another address is not concerned");
	ok(peek(l, "192.0.2.1", T0 + 60), "when the window is over there is something left");
	v = charge(l, "192.0.2.1", NULL, T0 + 60);
	ok(v.admitted && v.remaining == 9 && v.reset_s == 60, "and a new one begins with the next request");
	is_int(admitted(l, "192.0.2.1", NULL, T0 + 119, 20), 9, "the new window has the same budget");
	is_int(admitted(l, "192.0.2.1", NULL, T0 + 1000, 20), 10, "so has one after a pause");
	limiter_free(l);
	remove_files();
}

static void
test_keys(void)
{
	struct limiter *l = make("3/minute", "off", "198.51.100.0/24 2001:db8:ffff::/48", 1000);

	is_int(admitted(l, "2001:db8::1", NULL, T0, 2), 2, "an IPv6 address is counted");
	is_int(admitted(l, "2001:db8::ffff:2", NULL, T0, 3), 1, "together with its /64");
	is_int(admitted(l, "2001:db8:0:1::1", NULL, T0, 4), 3, "and not with the next one");
	is_int(admitted(l, "192.0.2.1", NULL, T0, 2), 2, "an IPv4 address is counted");
	is_int(admitted(l, "::ffff:192.0.2.1", NULL, T0, 3), 1, "in either form");
	is_int(admitted(l, "192.0.2.2", NULL, T0, 4), 3, "alone");
	is_int(admitted(l, NULL, NULL, T0, 2), 2, "requests without an address are counted");
	is_int(admitted(l, "unix:", NULL, T0, 4), 1, "together with unreadable ones");
	ok(!charge(l, "198.51.100.7", NULL, T0).limited && charge(l, "198.51.100.7", NULL, T0).admitted,
	    "an exempt IPv4 network is not limited");
	ok(!charge(l, "2001:db8:ffff:5::1", NULL, T0).limited, "nor an exempt IPv6 network");
	ok(peek(l, "198.51.100.7", T0), "nor refused early");
	limiter_free(l);
	remove_files();

	l = make("off", "off", NULL, 1000);
	ok(charge(l, "192.0.2.1", "p", T0).admitted && !charge(l, "192.0.2.1", "p", T0).limited && peek(l, "192.0.2.1",
	    T0),
	    "with both limits off nothing is limited");
	ok(access(path, F_OK) != 0, "and no file is made");
	limiter_free(l);

	l = make("off", "3/minute", "198.51.100.0/24", 1000);
	is_int(admitted(l, "192.0.2.1", "anna", T0, 2), 2, "S60: a principal is counted");
	is_int(admitted(l, "192.0.2.2", "anna", T0, 3), 1, "S60: wherever it comes from");
	is_int(admitted(l, "192.0.2.1", "otto", T0, 4), 3, "S60: alone");
	ok(!charge(l, "192.0.2.1", NULL, T0).limited, "without a principal nothing is counted then");
	ok(!charge(l, "198.51.100.9", "anna", T0).limited, "an exempt network lifts the principal's limit too");
	is_int(ask("SELECT count(*) FROM budget"), 2, "one key a principal is stored");
	limiter_free(l);
	remove_files();

	l = make("5/minute", "3/hour", NULL, 1000);
	is_int(admitted(l, "192.0.2.1", "anna", T0, 3), 3, "with two limits a request takes from both");
	{
		struct limit_verdict v = charge(l, "192.0.2.1", "anna", T0);

		ok(!v.admitted && v.policy == LIMIT_PRINCIPAL && v.reset_s == 3600 && v.rate.limit == 3,
		    "the one that is spent refuses, with its figures");
		v = charge(l, "192.0.2.1", "otto", T0);
		ok(v.admitted && v.policy == LIMIT_ADDRESS && v.remaining == 1,
		    "a request refused for its principal took nothing from its address, and the nearer limit is told");
		(void)charge(l, "192.0.2.1", "otto", T0);
		v = charge(l, "192.0.2.1", "otto", T0);
		ok(!v.admitted && v.policy == LIMIT_ADDRESS, "the address can refuse, too");
	}
	limiter_free(l);
	remove_files();
}

static void
test_sharing(void)
{
	struct limiter *l = make("4/minute", "off", NULL, 1000), *second = make("4/minute", "off", NULL, 1000);
	sqlite3 *db;
	sqlite3_stmt *q = NULL;
	long long before, after;

	is_int(admitted(l, "192.0.2.1", NULL, T0, 3), 3, "one limiter takes three of four");
	is_int(admitted(second, "192.0.2.1", NULL, T0, 3), 1, "another one on the same table gets the last");
	is_int(admitted(l, "192.0.2.9", NULL, T0, 4), 4, "one limiter spends a budget");
	ok(!peek(second, "192.0.2.9", T0), "another one that never met the address sees it when it looks");
	ok(sqlite3_open(path, &db) == SQLITE_OK && sqlite3_prepare_v2(db, "PRAGMA data_version", -1, &q,
	    NULL) == SQLITE_OK, "(watch the file)");
	before = sqlite3_step(q) == SQLITE_ROW ? sqlite3_column_int64(q, 0) : -1;
	sqlite3_reset(q);
	is_int(admitted(l, "192.0.2.1", "p", T0 + 1, 500) + admitted(second, "192.0.2.9", "p", T0 + 1, 500), 0,
	    "a flood on spent keys is refused");
	for (int i = 0; i < 500; i++)
		(void)peek(l, "192.0.2.9", T0 + 1);
	after = sqlite3_step(q) == SQLITE_ROW ? sqlite3_column_int64(q, 0) : -2;
	is_int(after, before, "and costs no write");
	sqlite3_finalize(q);
	sqlite3_close(db);
	limiter_free(l);
	limiter_free(second);
	l = make("4/minute", "off", NULL, 1000);
	ok(!charge(l, "192.0.2.1", NULL, T0 + 30).admitted, "what was counted outlives the processes");
	limiter_free(l);
	remove_files();
}

static void
test_clock(void)
{
	struct limiter *l = make("5/minute", "off", NULL, 1000);

	is_int(admitted(l, "192.0.2.1", NULL, T0 + 1, 3), 3, "three of five are taken");
	is_int(admitted(l, "192.0.2.1", NULL, T0, 1), 1, "a request that read the clock a second earlier");
	is_int(admitted(l, "192.0.2.1", NULL, T0 + 2, 5), 1, "does not begin the window anew");
	is_int(charge(l, "192.0.2.1", NULL, T0 - 9).reset_s, 60,
	    "a clock that is seconds behind is told a window at most");
	is_int(admitted(l, "192.0.2.1", NULL, T0 - 5000, 7), 5, "after a clock that jumped back, windows begin anew");
	ok(charge(l, "192.0.2.1", NULL, T0 - 5000).reset_s <= 60, "and nobody waits for the old end");
	is_int(admitted(l, "192.0.2.1", NULL, T0 + 900000, 7), 5, "after a clock that jumped forward too");
	limiter_free(l);
	remove_files();
}

static void
test_blocks(void)
{
	struct limiter *l = make("3000/minute", "off", NULL, 1000), *second = make("3000/minute", "off", NULL, 1000);
	struct limit_verdict v = charge(l, "192.0.2.1", NULL, T0);
	int got;

	is_int(v.remaining, 2999, "a tenth of the limit is reserved, and what is left counts it as ours");
	is_int(ask("SELECT used FROM budget"), 300, "the table counts the reservation");
	is_int(admitted(l, "192.0.2.1", NULL, T0, 200), 200, "what is taken from the reservation");
	v = charge(second, "192.0.2.1", NULL, T0 + 1);
	is_int(ask("SELECT used FROM budget"), 301,
	    "costs no write, but for the first request in a second of a process");
	is_int(v.remaining, 2798, "another process knows what is left");
	is_int(admitted(second, "192.0.2.1", NULL, T0 + 1, 50), 50, "and takes from the same reservation,");
	is_int(ask("SELECT used FROM budget"), 301, "without a write");
	limiter_free(l);
	l = make("3000/minute", "off", NULL, 1000);
	got = 252 + admitted(l, "192.0.2.1", NULL, T0 + 1, 49);
	is_int(ask("SELECT used FROM budget"), 302, "which outlives the process that reserved it");
	got += admitted(second, "192.0.2.1", NULL, T0 + 1, 1500);
	got += admitted(l, "192.0.2.1", NULL, T0 + 2, 4000) + admitted(second, "192.0.2.1", NULL, T0 + 2, 4000);
	is_int(got, 3000, "reservations never add up to more than the limit, nor to less");
	is_int(admitted(l, "192.0.2.1", NULL, T0 + 60, 3001), 3000,
	    "the next window has the whole budget for one that takes it alone");
	limiter_free(l);
	l = make("100/minute", "off", NULL, 1000);
	(void)charge(l, "192.0.2.7", NULL, T0 + 60);
	limiter_free(l);
	l = make("5/minute", "off", NULL, 1000);
	is_int(admitted(l, "192.0.2.7", NULL, T0 + 60, 30), 4,
	    "a limit that was lowered binds what was reserved before");
	limiter_free(l);
	limiter_free(second);
	remove_files();
	l = make("3000/minute", "off", NULL, 1000);
	(void)charge(l, "192.0.2.1", NULL, T0);
	is_int(charge(l, "192.0.2.1", NULL, T0).remaining, 2998, "something is reserved");
	remove_table();
	is_int(charge(l, "192.0.2.1", NULL, T0 + 1).remaining, 2999,
	    "a table that was deleted takes the memory with it");
	limiter_free(l);
	remove_files();
	l = make("19/minute", "off", NULL, 1000);
	(void)charge(l, "192.0.2.1", NULL, T0);
	is_int(ask("SELECT used FROM budget"), 1, "of a limit of 19 nothing is reserved");
	limiter_free(l);
	remove_files();
}

static void
write_text(const char *name, const char *text)
{
	int fd = open(name, O_WRONLY | O_CREAT | O_TRUNC, 0600);

	if (fd < 0 || write(fd, text, strlen(text)) < 0)
		diag("%s cannot be written", name);
	close(fd);
}

/* The limit is exact and nobody waits, whatever is wrong with the memory beside the table. */
static void
check_forgetful(const char *what)
{
	struct limiter *l = make("30/minute", "20/minute", NULL, 1000);
	struct limiter *second = make("30/minute", "20/minute", NULL, 1000);
	int64_t begun_ms = clock_monotonic_ms();
	int got = admitted(l, "192.0.2.1", "anna", T0, 9) + admitted(second, "192.0.2.1", "anna", T0 + 1, 9);

	got += admitted(l, "192.0.2.1", "anna", T0 + 1, 9);
	is_int(got, 20, "%s: the limit is exact", what);
	/* Who waits for another's lock on it waits for a second. */
	ok(clock_monotonic_ms() - begun_ms < 15000, "%s: and nobody waits", what);
	limiter_free(l);
	limiter_free(second);
	remove_table();
}

static void
test_memory(void)
{
	struct flock whole = { .l_type = F_WRLCK, .l_whence = SEEK_SET };
	char name[96], garbage[9000];
	struct limiter *l;
	struct stat st;
	int fd, got;

	snprintf(name, sizeof name, "%s/limits.recall", dir);
	memset(garbage, 0x41, sizeof garbage - 1);
	garbage[sizeof garbage - 1] = '\0';
	write_text(name, garbage);
	check_forgetful("a memory of garbage");
	unlink(name);
	ok(symlink("/etc/passwd", name) == 0, "(a symbolic link instead)");
	check_forgetful("a symbolic link is replaced");
	ok(lstat(name, &st) == 0 && S_ISREG(st.st_mode) && (st.st_mode & 07777) == 0600, "by a file of ours alone");
	unlink(name);
	ok(mkdir(name, 0700) == 0, "(a directory instead)");
	check_forgetful("a directory cannot be replaced");
	rmdir(name);
	l = make("30/minute", "off", NULL, 1000);
	got = admitted(l, "192.0.2.1", NULL, T0, 5);
	ok(truncate(name, 100) == 0, "(cut short)");
	got += admitted(l, "192.0.2.1", NULL, T0, 5);
	unlink(name);
	got += admitted(l, "192.0.2.1", NULL, T0 + 1, 5);
	ok(got == 15 && access(name, F_OK) == 0, "a memory that is cut short, or deleted, is begun again");
	limiter_free(l);
	remove_table();
	fd = open(name, O_RDWR | O_CREAT | O_CLOEXEC, 0600);
	ok(fcntl(fd, F_OFD_SETLK, &whole) == 0, "(locked for good)");
	check_forgetful("a memory that somebody holds");
	close(fd);
	remove_files();
}

static void
test_rows(void)
{
	struct limiter *l = make("10/minute", "off", NULL, 1000);
	struct limiter_figures figures;
	char address[32];

	is_int(admitted(l, "10.200.0.1", NULL, T0, 10), 10, "one address spends its budget");
	for (int i = 0; i < 4000; i++) {
		snprintf(address, sizeof address, "10.1.%d.%d", i / 250, i % 250);
		(void)charge(l, address, NULL, T0 + 1);
	}
	limiter_figures(l, &figures);
	ok(figures.usable && figures.rows == 1000, "the table holds RATE_LIMIT_ROWS keys at most (%lld)",
	    (long long)figures.rows);
	is_int(ask("SELECT count(*) FROM budget"), figures.rows, "and knows how many it holds");
	is_int(ask("SELECT used FROM budget WHERE used = 10"), 10, "the least used are forgotten first");
	is_int(figures.admitted, 4010, "admitted requests are counted");
	is_int(figures.refused, 0, "refused ones too");
	limiter_free(l);
	l = make("10/minute", "off", NULL, 1000);
	for (int i = 0; i < 300; i++) {
		snprintf(address, sizeof address, "10.2.%d.%d", i / 250, i % 250);
		(void)charge(l, address, NULL, T0 + 1000);
	}
	limiter_figures(l, &figures);
	is_int(figures.rows, 300, "expired rows are pruned as others are written");
	is_int(ask("SELECT count(*) FROM budget"), 300, "all of them");
	limiter_free(l);
	remove_files();
}

/* What must hold while the table cannot be used, and after. */
static void
check_unusable(struct limiter *l, const char *what)
{
	struct limit_verdict v;
	struct limiter_figures figures;
	int wrong = 0;
	int64_t begun_ms = clock_monotonic_ms();

	lines = 0;
	log_capture(keep_line, NULL);
	for (int i = 0; i < 20; i++) {
		v = charge(l, "192.0.2.1", "anna", T0);
		wrong += !v.admitted || v.limited;
	}
	wrong += !peek(l, "192.0.2.1", T0);
	for (int i = 0; i < 20; i++)
		wrong += !charge(l, "192.0.2.1", "anna", T0 + 3 + i).admitted;
	log_capture(NULL, NULL);
	is_int(wrong, 0, "%s: requests are admitted", what);
	is_int(lines, 1, "%s: the log says so once: %s", what, last_line);
	/* Half a second each would be twenty. */
	ok(clock_monotonic_ms() - begun_ms < 10000, "%s: nobody waits long", what);
	limiter_figures(l, &figures);
	ok(!figures.usable && figures.faults > 0, "%s: the figures tell", what);
}

static void
check_healed(struct limiter *l, const char *what)
{
	lines = 0;
	log_capture(keep_line, NULL);
	is_int(admitted(l, "192.0.2.1", "anna", T0 + 100, 12), 10, "%s: afterwards it heals by itself", what);
	log_capture(NULL, NULL);
	ok(lines == 1 && strstr(last_line, "can be used again"), "%s: and the log says so", what);
	limiter_free(l);
	remove_files();
}

static void
run_sql(const char *sql)
{
	char *wrong = NULL;
	sqlite3 *db;

	if (sqlite3_open(path, &db) != SQLITE_OK || sqlite3_exec(db, sql, NULL, NULL, &wrong) != SQLITE_OK)
		diag("%s: %s", sql, wrong ? wrong : "not opened");
	sqlite3_free(wrong);
	sqlite3_close(db);
}

/* A file that is unfit is replaced without a request going uncounted. */
static void
check_replaced(const char *what)
{
	struct limiter *l = make("10/minute", "off", NULL, 1000);

	chmod(path, 0600);
	lines = 0;
	log_capture(keep_line, NULL);
	is_int(admitted(l, "192.0.2.1", NULL, T0, 12), 10, "%s is replaced and counts from the first request on", what);
	log_capture(NULL, NULL);
	is_int(lines, 1, "and the log says so: %s", last_line);
	limiter_free(l);
	remove_files();
}

static void
test_damaged(void)
{
	struct limiter *l;
	char wal[128];

	write_text(path,
	    "garbage garbage garbage garbage garbage garbage garbage garbage garbage garbage garbage");
	check_replaced("a file of garbage");
	write_text(path, "short");
	check_replaced("a short file");
	run_sql("CREATE TABLE theirs (a); PRAGMA user_version=7");
	check_replaced("another program's database");
	run_sql("CREATE TABLE budget (k, v)");
	check_replaced("an older schema");
	run_sql("CREATE TABLE budget (key BLOB PRIMARY KEY, ends_s TEXT, used INTEGER CHECK (used > 5)) WITHOUT ROWID;"
	    "CREATE TABLE total (id INTEGER PRIMARY KEY, rows); INSERT INTO total VALUES (0, 0)");
	check_replaced("a schema that refuses what we write");

	l = make("10/minute", "off", NULL, 100000);
	for (int i = 0; i < 3000; i++) {
		char address[32];

		snprintf(address, sizeof address, "10.1.%d.%d", i / 250, i % 250);
		(void)charge(l, address, NULL, T0);
	}
	limiter_free(l);
	if (truncate(path, 5000) != 0)
		diag("not truncated");
	l = make("10/minute", "off", NULL, 100000);
	log_capture(keep_line, NULL);
	is_int(admitted(l, "10.1.5.5", NULL, T0, 12), 10, "a truncated file is replaced, too");
	log_capture(NULL, NULL);
	limiter_free(l);
	remove_files();

	l = make("10/minute", "off", NULL, 1000);
	is_int(admitted(l, "192.0.2.1", NULL, T0, 5), 5, "half of a budget is taken");
	remove_table();
	is_int(admitted(l, "192.0.2.1", NULL, T0 + 1, 12), 10,
	    "when the file is deleted under us, a new one is begun within a second");
	ok(access(path, F_OK) == 0, "in its place");
	{
		struct limiter *second = make("10/minute", "off", NULL, 1000);

		ok(!charge(second, "192.0.2.1", NULL, T0 + 1).admitted, "which other processes share");
		snprintf(wal, sizeof wal, "%s-wal", path);
		remove_table();
		is_int(admitted(second, "192.0.2.1", NULL, T0 + 62, 4), 4,
		    "if two had the deleted file open, one makes the new one");
		is_int(admitted(l, "192.0.2.1", NULL, T0 + 62, 12), 6, "and the other one finds it");
		remove_table();
		is_int(admitted(second, "192.0.2.1", NULL, T0 + 130, 4), 4, "if it is deleted once more");
		limiter_free(l);
		ok(access(wal, F_OK) == 0, "who closes the deleted one leaves the log of the new one");
		limiter_free(second);
	}
	remove_files();
}

/* Hold a write lock in another process until the pipe is closed. Returns its pid. */
static pid_t
hold_lock(int *to_close)
{
	int go[2], ready[2];
	pid_t pid;
	char c;

	if (pipe(go) != 0 || pipe(ready) != 0)
		return -1;
	pid = fork();
	if (pid == 0) {
		sqlite3 *db;

		close(go[1]);
		if (sqlite3_open(path, &db) == SQLITE_OK && sqlite3_exec(db, "BEGIN IMMEDIATE; DELETE FROM budget",
		    NULL, NULL, NULL) == SQLITE_OK &&
		    write(ready[1], "x", 1) == 1)
			(void)!read(go[0], &c, 1);
		_exit(0);
	}
	close(go[0]);
	close(ready[1]);
	if (read(ready[0], &c, 1) != 1)
		diag("the lock could not be taken");
	close(ready[0]);
	*to_close = go[1];
	return pid;
}

/* Make the table with one counted request, and close it: no connection may live across a fork. */
static void
make_table(void)
{
	struct limiter *l = make("10/minute", "off", NULL, 1000);

	(void)charge(l, "192.0.2.7", NULL, T0);
	limiter_free(l);
}

static void
test_locked(void)
{
	struct limiter *l;
	struct limit_verdict v;
	int64_t begun_ms, waited_ms;
	int fd;
	pid_t pid;

	make_table();
	pid = hold_lock(&fd);
	l = make("10/minute", "off", NULL, 1000);
	log_capture(keep_line, NULL);
	begun_ms = clock_monotonic_ms();
	v = charge(l, "192.0.2.8", NULL, T0);
	waited_ms = clock_monotonic_ms() - begun_ms;
	ok(v.admitted && !v.limited && waited_ms >= 200 && waited_ms < 8000,
	    "a locked table is waited for, but not long (%d ms)", (int)waited_ms);
	begun_ms = clock_monotonic_ms();
	for (int i = 0; i < 50; i++)
		(void)charge(l, "192.0.2.8", NULL, T0);
	ok(clock_monotonic_ms() - begun_ms < 10000, "and from then on hardly at all: 50 times not half a second");
	log_capture(NULL, NULL);
	ok(peek(l, "192.0.2.7", T0 + 2), "looking does not need the lock");
	limiter_free(l);
	l = make("10/minute", "off", NULL, 1000);
	check_unusable(l, "locked by another process");
	close(fd);
	waitpid(pid, NULL, 0);
	log_capture(keep_line, NULL);
	ok(charge(l, "192.0.2.8", NULL, T0 + 22).limited, "once it is released, the next request is counted");
	limiter_free(l);
	l = make("10/minute", "off", NULL, 1000);
	is_int(admitted(l, "192.0.2.8", NULL, T0 + 22, 12), 9, "and those after it");
	log_capture(NULL, NULL);
	limiter_free(l);
	remove_files();

	make_table();
	pid = hold_lock(&fd);
	l = make("10/minute", "off", NULL, 1000);
	check_unusable(l, "locked by a process");
	kill(pid, SIGKILL);
	close(fd);
	waitpid(pid, NULL, 0);
	check_healed(l, "when that was killed");
}

/*
 * Run "body" as a user without rights, in a process of its own, where the claims of this file do not count; returns
 * its exit status.
 */
static int
as_nobody(int (*body)(void))
{
	pid_t pid = fork();
	int status = 0;

	if (pid == 0) {
		if (geteuid() == 0 && (setgid(65534) != 0 || setuid(65534) != 0))
			_exit(99);
		_exit(body());
	}
	waitpid(pid, &status, 0);
	return WIFEXITED(status) ? WEXITSTATUS(status) : 100;
}

/* 0: all as it should be; else the number of the claim that failed. */
static int
read_only_directory(void)
{
	struct limiter *l = make("10/minute", "off", NULL, 1000);
	struct limit_verdict v;

	log_capture(keep_line, NULL);
	lines = 0;
	if (chmod(dir, 0500) != 0)
		return 1;
	for (int i = 0; i < 30; i++) {
		v = charge(l, "192.0.2.1", NULL, T0 + i / 10);
		if (!v.admitted || v.limited)
			return 2;
	}
	if (lines != 1)
		return 3;
	if (chmod(dir, 0700) != 0)
		return 4;
	if (admitted(l, "192.0.2.1", NULL, T0 + 10, 12) != 10)
		return 5;
	/* A file that cannot be written any more. */
	if (chmod(path, 0400) != 0)
		return 6;
	limiter_free(l);
	l = make("10/minute", "off", NULL, 1000);
	v = charge(l, "192.0.2.2", NULL, T0);
	if (!v.admitted || v.limited)
		return 7;
	if (chmod(path, 0600) != 0)
		return 8;
	if (admitted(l, "192.0.2.2", NULL, T0 + 10, 12) != 10)
		return 9;
	limiter_free(l);
	return 0;
}

static int
full_disk(void)
{
	struct rlimit old, none;
	struct limiter *l = make("10/minute", "off", NULL, 100000);
	struct limit_verdict v = { 0 };
	char address[32];
	int uncounted = 0;

	log_capture(keep_line, NULL);
	lines = 0;
	signal(SIGXFSZ, SIG_IGN);
	if (getrlimit(RLIMIT_FSIZE, &old) != 0)
		return 1;
	none = old;
	none.rlim_cur = 64 * 1024;	/* what the file system gives; our files reach it soon */
	if (setrlimit(RLIMIT_FSIZE, &none) != 0)
		return 2;
	for (int i = 0; i < 2000; i++) {
		snprintf(address, sizeof address, "10.1.%d.%d", i / 250, i % 250);
		v = charge(l, address, NULL, T0 + i / 200);
		if (!v.admitted)
			return 3;
		uncounted += !v.limited;
	}
	if (uncounted < 100)
		return 4;
	if (lines < 1 || lines > 8)	/* one a fault with a minute between them, and one for each time it healed */
		return 5;
	if (setrlimit(RLIMIT_FSIZE, &old) != 0)
		return 6;
	if (admitted(l, "192.0.2.2", NULL, T0 + 100, 12) != 10)
		return 7;
	limiter_free(l);
	return 0;
}

static void
test_read_only_and_full(void)
{
	if (geteuid() == 0 && chown(dir, 65534, 65534) != 0)
		diag("no chown");
	is_int(as_nobody(read_only_directory), 0,
	    "a read-only directory, or file: requests are admitted, one line is logged, it heals");
	remove_files();
	is_int(as_nobody(full_disk), 0, "a full disk: requests are admitted, it heals");
	remove_files();
	if (geteuid() == 0) {
		struct limiter *l = make("10/minute", "off", NULL, 1000);

		check_unusable(l, "another user's directory");
		if (chown(dir, 0, 0) != 0)
			diag("no chown");
		check_healed(l, "given back");
	} else
		skip("not root: owners cannot be changed");
}

/* Threads and processes on one table. */
struct crowd {
	_Atomic int ready, admitted[64], uncounted;
	_Atomic bool go;
};
static struct crowd *crowd;

struct member {
	struct limiter *limiter;
	int keys, charges, number;
};

static void *
take_part(void *ctx)
{
	struct member *m = ctx;

	atomic_fetch_add(&crowd->ready, 1);
	while (!atomic_load(&crowd->go))
		usleep(200);
	for (int i = 0; i < m->charges; i++) {
		struct limit_verdict v;
		char address[32];
		int key = (i + m->number) % m->keys;

		snprintf(address, sizeof address, "10.0.0.%d", key);
		limiter_peek(m->limiter, address, T0, &v);
		limiter_charge(m->limiter, address, NULL, T0, &v);
		if (v.admitted)
			atomic_fetch_add(v.limited ? &crowd->admitted[key] : &crowd->uncounted, 1);
	}
	return NULL;
}

static void
run_member_process(const char *rate, int threads, int keys, int charges, int process)
{
	struct member member[16];
	pthread_t thread[16];
	struct limiter *l = make(rate, "off", NULL, 1000);

	for (int i = 0; i < threads; i++) {
		member[i] = (struct member){ l, keys, charges, process * threads + i };
		pthread_create(&thread[i], NULL, take_part, &member[i]);
	}
	for (int i = 0; i < threads; i++)
		pthread_join(thread[i], NULL);
	limiter_free(l);
	_exit(0);
}

/* Returns how many of "keys" were admitted not exactly "limit" times. */
static int
run_crowd(const char *rate, int limit, int processes, int threads, int keys, int charges, int kill_after_us)
{
	pid_t pid[8];
	int wrong = 0;

	memset(crowd, 0, sizeof *crowd);
	for (int p = 0; p < processes; p++)
		if ((pid[p] = fork()) == 0)
			run_member_process(rate, threads, keys, charges, p);
	while (atomic_load(&crowd->ready) < processes * threads)
		usleep(500);
	atomic_store(&crowd->go, true);
	if (kill_after_us) {
		usleep((useconds_t)kill_after_us);
		kill(pid[0], SIGKILL);
	}
	for (int p = 0; p < processes; p++)
		waitpid(pid[p], NULL, 0);
	for (int k = 0; k < keys; k++) {
		/*
		 * What a killed process was granted and did not tell us is missing, and the tenth that it may have
		 * just reserved; more than the limit must never be.
		 */
		if (kill_after_us ? crowd->admitted[k] > limit ||
		    crowd->admitted[k] < limit - threads - limit / 10 : crowd->admitted[k] != limit) {
			wrong++;
			diag("key %d: %d admitted of %d", k, crowd->admitted[k], limit);
		}
	}
	if (crowd->uncounted)
		diag("%d admitted uncounted: the machine is slow", crowd->uncounted);
	remove_files();
	return wrong;
}

static void
test_crowd(void)
{
	crowd = mmap(NULL, sizeof *crowd, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	if (crowd == MAP_FAILED) {
		skip("no shared memory");
		return;
	}
	is_int(run_crowd("10/minute", 10, 4, 8, 1, 40, 0), 0,
	    "S82: four processes with eight threads admit exactly 10 of 1280");
	is_int(run_crowd("500/minute", 500, 4, 8, 1, 100, 0), 0, "and exactly 500 of 3200");
	is_int(run_crowd("1000/minute", 1000, 4, 8, 1, 100, 0), 0, "and exactly 1000 of 3200");
	is_int(run_crowd("20/minute", 20, 4, 8, 50, 100, 0), 0, "and for each of 50 keys exactly 20 of 64");
	is_int(run_crowd("500/minute", 500, 4, 8, 1, 200, 3000), 0,
	    "when one of them is killed at work, no more than 500, and the others go on");
	is_int(run_crowd("20/minute", 20, 4, 8, 50, 100, 8000), 0, "the same with 50 keys");
}

#define NEWCOMERS 32
#define ARRIVALS 150
#define SHARE 100	/* what each may have */

/* Keys that come for the first time, many at the same moment. */
struct arrivals {
	struct limiter *limiter;
	int64_t now_s;
	pthread_barrier_t gate;
};

struct newcomer {
	struct arrivals *all;
	int number;
	pthread_t thread;
};

static bool
admits(struct arrivals *a, int arrival, int number)
{
	char key[64];

	snprintf(key, sizeof key, "newcomer-%d-%d", arrival, number);
	return charge(a->limiter, NULL, key, a->now_s).admitted;
}

static void *
arrive(void *arg)
{
	struct newcomer *n = arg;

	for (int i = 0; i < ARRIVALS; i++) {
		pthread_barrier_wait(&n->all->gate);
		(void)admits(n->all, i, n->number);
		pthread_barrier_wait(&n->all->gate);
	}
	return NULL;
}

/* How many keys get less than their share. */
static int
count_short(struct arrivals *a)
{
	int n = 0;

	for (int i = 0; i < ARRIVALS; i++)
		for (int j = 0; j < NEWCOMERS; j++) {
			int admitted = 1;

			while (admitted <= SHARE && admits(a, i, j))
				admitted++;
			n += admitted < SHARE;
		}
	return n;
}

static void
test_newcomers(void)
{
	struct newcomer newcomer[NEWCOMERS];
	struct arrivals a;
	sqlite3 *db = NULL;

	a.now_s = clock_now_s();
	a.limiter = make("off", "100/hour", NULL, 1000000);
	pthread_barrier_init(&a.gate, NULL, NEWCOMERS + 1);
	(void)admits(&a, -1, 0);
	if (sqlite3_open(path, &db) != SQLITE_OK)
		diag("the table cannot be opened");
	for (int i = 0; i < NEWCOMERS; i++) {
		newcomer[i] = (struct newcomer){ .all = &a, .number = i };
		pthread_create(&newcomer[i].thread, NULL, arrive, &newcomer[i]);
	}
	for (int i = 0; i < ARRIVALS; i++) {
		/* While the table is locked they queue, and are charged together after that. */
		sqlite3_exec(db, "BEGIN IMMEDIATE", NULL, NULL, NULL);
		pthread_barrier_wait(&a.gate);
		usleep(8000);
		sqlite3_exec(db, "COMMIT", NULL, NULL, NULL);
		pthread_barrier_wait(&a.gate);
	}
	for (int i = 0; i < NEWCOMERS; i++)
		pthread_join(newcomer[i].thread, NULL);
	is_int(count_short(&a), 0, "none of %d keys that come %d at a time gets less than its share",
	    ARRIVALS * NEWCOMERS, NEWCOMERS);
	sqlite3_close(db);
	pthread_barrier_destroy(&a.gate);
	limiter_free(a.limiter);
	remove_files();
}

int
main(void)
{
	if (!mkdtemp(dir))
		return 1;
	snprintf(path, sizeof path, "%s/limits.db", dir);
	test_rates();
	test_settings();
	test_window();
	test_keys();
	test_sharing();
	test_clock();
	test_blocks();
	test_memory();
	test_rows();
	test_damaged();
	test_locked();
	test_read_only_and_full();
	test_crowd();
	test_newcomers();
	remove_files();
	is_int(rmdir(dir), 0, "nothing else is left in the directory");
	return tap_done();
}
