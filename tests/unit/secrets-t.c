/* SPDX-License-Identifier: MIT */
/* Sealing keys: made once by whoever is first, shared by processes, changed by age, forgotten on demand. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "base/log.h"
#include "base/text.h"
#include "store/secrets.h"
#include "store/state.h"
#include "tests/tap.h"

#define NOW INT64_C(1800000000)

static char dir[64] = "/tmp/secrets-t-XXXXXX";
static const struct seal_part alice[] = { { "alice", 5 } }, bob[] = { { "bob", 3 } };
static int lines;

static void
count_line(void *ctx, enum log_level level, const char *text)
{
	(void)ctx;
	(void)level;
	lines++;
	diag("logged: %s", text);
}

/* A process's view: its own connection and its own copy of the ring. */
struct view {
	struct state *state;
	struct secrets *secrets;
};

static bool
view_open(struct view *v)
{
	const char *why = "";

	v->secrets = NULL;
	if (state_open(dir, &v->state, &why) != MCP_OK || secrets_new(v->state, &v->secrets) != MCP_OK) {
		diag("not opened: %s", why);
		return false;
	}
	return true;
}

static void
view_close(struct view *v)
{
	secrets_free(v->secrets);
	state_close(v->state);
}

static enum mcp_err
seal_at(struct view *v, int64_t now_s, char text[256])
{
	struct buf out;
	enum mcp_err err;

	buf_init(&out, 255);
	err = secrets_seal(v->secrets, now_s, "test", alice, 1, "hello", 5, &out);
	snprintf(text, 256, "%s", out.data);
	buf_clear(&out);
	return err;
}

static enum mcp_err
open_as(struct view *v, int64_t now_s, const char *purpose, const struct seal_part *who, const char *text)
{
	struct buf plain;
	enum mcp_err err;

	buf_init(&plain, 64);
	err = secrets_open(v->secrets, now_s, purpose, who, 1, text, strlen(text), &plain);
	if (!err && strcmp(plain.data, "hello") != 0)
		ok(false, "it opens as \"%s\"", plain.data);
	buf_clear(&plain);
	return err;
}

static enum mcp_err
open_at(struct view *v, int64_t now_s, const char *text)
{
	return open_as(v, now_s, "test", alice, text);
}

/* The number of the key that sealed "text". */
static int
number_of(const char *text)
{
	int number = -1;
	struct buf raw;

	buf_init(&raw, 256);
	if (text_base64url_decode(text, strlen(text), &raw) == MCP_OK && raw.len > 4)
		number = (unsigned char)raw.data[2] << 8 | (unsigned char)raw.data[3];
	buf_clear(&raw);
	return number;
}

static void
test_binding(void)
{
	struct view v;
	char text[256];

	ok(view_open(&v), "there is a place for keys");
	is_int(seal_at(&v, NOW, text), MCP_OK, "the first use makes a key");
	is_int(open_at(&v, NOW, text), MCP_OK, "and opens with it");
	is_int(open_as(&v, NOW, "test", bob, text), MCP_EINVAL, "another principal's does not open");
	is_int(open_as(&v, NOW, "cursor", alice, text), MCP_EINVAL, "nor as something else");
	is_int(open_at(&v, NOW, "AAAABwAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA"), MCP_EINVAL,
	    "a text of a key that nobody has does not open");
	view_close(&v);
}

static void
test_rotation(void)
{
	struct view one, two;
	char first[256], second[256], third[256];
	const int64_t day = SECRETS_AGE_S;

	if (!ok(view_open(&one) && view_open(&two), "two processes"))
		return;
	is_int(seal_at(&one, NOW, first), MCP_OK, "one seals");
	is_int(open_at(&two, NOW, first), MCP_OK, "the other opens");
	is_int(seal_at(&two, NOW + day, second), MCP_OK, "a day later the other makes a new key");
	is_int(number_of(second), number_of(first) + 1, "which has the next number");
	is_int(open_at(&one, NOW + day - 1, second), MCP_OK, "the first one, whose clock is behind, opens at once "
	    "what it sealed");
	is_int(open_at(&one, NOW + day, first), MCP_OK, "and what the key before it sealed");
	is_int(seal_at(&one, NOW + day + 5, third), MCP_OK, "it seals on");
	is_int(number_of(third), number_of(second), "with the new key");
	is_int(seal_at(&one, NOW + 2 * day, third), MCP_OK, "a further day, a further key");
	is_int(open_at(&two, NOW + 2 * day, second), MCP_OK, "the last but one opens");
	is_int(open_at(&two, NOW + 2 * day, third), MCP_OK, "the last one too");
	is_int(open_at(&two, NOW + 2 * day, first), MCP_EINVAL, "the one before does not");
	is_int(seal_at(&one, NOW - 5 * day, third), MCP_OK, "a clock that was set back seals");
	is_int(open_at(&two, NOW - 5 * day, third), MCP_OK, "and opens");
	view_close(&one);
	view_close(&two);
}

static void
test_forgetting(void)
{
	struct timespec second = { 1, 100000000 };
	char before[256], after[256];
	struct view one, two;

	if (!ok(view_open(&one) && view_open(&two), "two processes"))
		return;
	is_int(seal_at(&one, NOW, before), MCP_OK, "one seals");
	is_int(open_at(&two, NOW, before), MCP_OK, "the other has seen the key");
	is_int(state_secrets_forget(one.state), MCP_OK, "the keys are forgotten");
	nanosleep(&second, NULL);
	is_int(open_at(&two, NOW, before), MCP_EINVAL, "a second later the other does not open with them either");
	is_int(seal_at(&one, NOW, after), MCP_OK, "a new one is made");
	is_int(open_at(&two, NOW, after), MCP_OK, "and used");
	is_int(open_at(&one, NOW, before), MCP_EINVAL, "the old one is not");
	view_close(&one);
	view_close(&two);
}

/* Several processes begin at the same moment on an empty directory; what each seals, all open. */
static void
test_processes(void)
{
	enum { PROCESSES = 4 };
	char path[128], text[PROCESSES][256];
	int to[2], failed = 0, status;
	struct view v;

	if (!ok(view_open(&v) && state_secrets_forget(v.state) == MCP_OK && pipe(to) == 0, "no key at all"))
		return;
	view_close(&v);
	for (int i = 0; i < PROCESSES; i++)
		if (fork() == 0) {
			struct view mine;
			char sealed[256] = "";

			if (!view_open(&mine))
				_exit(1);
			for (int tries = 0; seal_at(&mine, NOW, sealed) != MCP_OK; tries++)
				if (tries == 30)	/* a second each, on a busy machine */
					_exit(2);
			if (write(to[1], sealed, 256) != 256)
				_exit(3);
			view_close(&mine);
			_exit(0);
		}
	for (int i = 0; i < PROCESSES; i++)
		failed += wait(&status) < 0 || status != 0;
	is_int(failed, 0, "four processes seal at the same moment");
	close(to[1]);
	failed = !view_open(&v);
	for (int i = 0; i < PROCESSES && !failed; i++)
		failed += read(to[0], text[i], 256) != 256 || open_at(&v, NOW, text[i]) != MCP_OK ||
		    number_of(text[0]) != number_of(text[i]);
	is_int(failed, 0, "with one key, and a fifth opens it all");
	view_close(&v);
	close(to[0]);
	snprintf(path, sizeof path, "%s/state.db", dir);
	{
		struct stat st;

		is_int(stat(path, &st) == 0 ? st.st_mode & 0777 : 0, 0600, "the file is its owner's only");
	}
}

/* state.db that does not answer: the keys at hand go on, and a process without any says so. */
static void
test_no_database(void)
{
	struct timespec second = { 1, 100000000 };
	char text[256], again[256], path[128];
	struct view v;

	if (!ok(view_open(&v), "a process"))
		return;
	is_int(seal_at(&v, NOW, text), MCP_OK, "that has a key");
	ok(chmod(dir, 0777) == 0, "its directory is made unsafe");
	snprintf(path, sizeof path, "%s/state.db", dir);
	unlink(path);
	nanosleep(&second, NULL);
	lines = 0;
	is_int(seal_at(&v, NOW, again), MCP_OK, "seals on with the key at hand");
	is_int(open_at(&v, NOW, text), MCP_OK, "and opens");
	ok(lines > 0, "and says so in the log");
	secrets_free(v.secrets);
	if (secrets_new(v.state, &v.secrets) == MCP_OK)
		is_int(seal_at(&v, NOW, text), MCP_EPERM, "without a key at hand nothing is sealed");
	chmod(dir, 0700);
	is_int(seal_at(&v, NOW, text), MCP_OK, "when the directory is fit again a key is made");
	view_close(&v);
}

int
main(void)
{
	char command[96];

	log_capture(count_line, NULL);
	if (!mkdtemp(dir))
		return 99;
	test_binding();
	test_rotation();
	test_forgetting();
	test_processes();
	test_no_database();
	snprintf(command, sizeof command, "rm -rf %s", dir);
	if (system(command) != 0)
		diag("%s was not removed", dir);
	return tap_done();
}
