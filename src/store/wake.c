/* SPDX-License-Identifier: MIT */
/*
 * Answers for: the thread that learns of changes. What tells of one is the file's times (utimensat(2), seen as
 * IN_ATTRIB), not its contents: SQLite writes a commit in several steps, and the last of them, into shared memory, is
 * no event of inotify at all.
 */
#include "store/wake.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/inotify.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/log.h"
#include "base/text.h"

#define STACK_SIZE (512 * 1024)	/* the look is SQLite's and the renderer's */

struct wake {
	char *path;
	pthread_mutex_t lock;
	pthread_cond_t changed;		/* on CLOCK_MONOTONIC */
	/* Under the lock: */
	pthread_t thread;
	bool started, stopping, blind, looking;
	bool news;			/* somebody of this process says so */
	int event_fd, inotify_fd;	/* -1: not to be had */
	unsigned waiting;
	uint64_t number;
	void (*look)(void *ctx);
	void *ctx;
};

enum mcp_err
wake_new(const char *path, struct wake **out)
{
	struct wake *w = calloc(1, sizeof *w);
	pthread_condattr_t attr;

	*out = NULL;
	if (!w || !(w->path = text_dup(path, strlen(path)))) {
		free(w);
		return MCP_ENOMEM;
	}
	w->event_fd = w->inotify_fd = -1;
	pthread_mutex_init(&w->lock, NULL);
	pthread_condattr_init(&attr);
	pthread_condattr_setclock(&attr, CLOCK_MONOTONIC);
	pthread_cond_init(&w->changed, &attr);
	pthread_condattr_destroy(&attr);
	*out = w;
	return MCP_OK;
}

static void
signal_thread(struct wake *w)
{
	const uint64_t one = 1;

	if (w->event_fd >= 0 && write(w->event_fd, &one, sizeof one) < 0)
		log_debug("bus: its thread is awake");
}

void
wake_free(struct wake *w)
{
	if (!w)
		return;
	if (w->started) {
		pthread_mutex_lock(&w->lock);
		w->stopping = true;
		signal_thread(w);
		pthread_mutex_unlock(&w->lock);
		pthread_join(w->thread, NULL);
	}
	if (w->event_fd >= 0)
		close(w->event_fd);
	if (w->inotify_fd >= 0)
		close(w->inotify_fd);
	pthread_cond_destroy(&w->changed);
	pthread_mutex_destroy(&w->lock);
	free(w->path);
	free(w);
}

void
wake_is_blind(struct wake *w)
{
	pthread_mutex_lock(&w->lock);
	w->blind = true;
	signal_thread(w);
	pthread_mutex_unlock(&w->lock);
}

void
wake_touch(struct wake *w)
{
	/* Never by opening it: closing it would throw SQLite's locks away (store/sqlite.h). */
	(void)utimensat(AT_FDCWD, w->path, NULL, AT_SYMLINK_NOFOLLOW);
	wake_here(w);
}

void
wake_here(struct wake *w)
{
	pthread_mutex_lock(&w->lock);
	w->news = true;
	if (w->started)
		signal_thread(w);
	pthread_mutex_unlock(&w->lock);
}

/* Watch whatever file has the name now; the same one again changes nothing. Returns false if that cannot be. */
static bool
watch(struct wake *w)
{
	return w->inotify_fd >= 0 && inotify_add_watch(w->inotify_fd, w->path,
	    IN_ATTRIB | IN_MOVE_SELF | IN_DELETE_SELF | IN_DONT_FOLLOW) >= 0;
}

/* Sleep until something may have changed, or somebody has begun or ceased to wait. Returns whether it may have. */
static bool
sleep_until_change(struct wake *w, bool blind, bool idle)
{
	struct pollfd fds[2] = { { .fd = w->event_fd, .events = POLLIN }, { .fd = w->inotify_fd, .events = POLLIN } };
	char events[4096];
	uint64_t count;
	bool changed;

	changed = poll(fds, 2, idle ? -1 : blind ? WAKE_BLIND_MS : WAKE_LOOK_MS) == 0;
	while (read(w->event_fd, &count, sizeof count) > 0)
		;
	while (w->inotify_fd >= 0 && read(w->inotify_fd, events, sizeof events) > 0)
		changed = true;
	return changed;
}

static void *
run(void *arg)
{
	struct wake *w = arg;
	bool blind, idle, changed;
	void (*look)(void *ctx);
	void *ctx;

	pthread_mutex_lock(&w->lock);
	while (!w->stopping) {
		blind = !watch(w) || w->blind;
		idle = !w->look && w->waiting == 0;
		pthread_mutex_unlock(&w->lock);
		changed = sleep_until_change(w, blind, idle);
		pthread_mutex_lock(&w->lock);
		if (!changed && !w->news)
			continue;
		w->news = false;
		/* A file that has taken the place of the one before is looked at once it is watched. */
		(void)watch(w);
		w->number++;
		pthread_cond_broadcast(&w->changed);
		look = w->look;
		ctx = w->ctx;
		if (look) {
			w->looking = true;
			pthread_mutex_unlock(&w->lock);
			look(ctx);
			pthread_mutex_lock(&w->lock);
			w->looking = false;
			pthread_cond_broadcast(&w->changed);
		}
	}
	pthread_mutex_unlock(&w->lock);
	return NULL;
}

/* Start the thread unless it runs. Locked. Returns whether it does. */
static bool
start(struct wake *w)
{
	pthread_attr_t attr;

	if (w->started)
		return true;
	if (w->event_fd < 0)
		w->event_fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
	if (w->event_fd < 0)
		return false;
	if (w->inotify_fd < 0)
		w->inotify_fd = inotify_init1(IN_CLOEXEC | IN_NONBLOCK);
	if (w->inotify_fd < 0)
		log_warning("bus: no inotify (%s): other processes' news is looked for every %d ms", strerror(errno),
		    WAKE_BLIND_MS);
	pthread_attr_init(&attr);
	pthread_attr_setstacksize(&attr, STACK_SIZE);
	w->started = pthread_create(&w->thread, &attr, run, w) == 0;
	pthread_attr_destroy(&attr);
	return w->started;
}

uint64_t
wake_now(struct wake *w)
{
	uint64_t number;

	pthread_mutex_lock(&w->lock);
	/* Somebody is about to look, and wants to know what changes after that. */
	if (start(w))
		(void)watch(w);
	number = w->number;
	pthread_mutex_unlock(&w->lock);
	return number;
}

static struct timespec
time_of(int64_t ms)
{
	return (struct timespec){ .tv_sec = ms / 1000, .tv_nsec = ms % 1000 * 1000000 };
}

bool
wake_wait(struct wake *w, uint64_t since, int64_t deadline_ms)
{
	int64_t blind_ms = clock_monotonic_ms() + WAKE_BLIND_MS;
	struct timespec until;
	bool changed;

	pthread_mutex_lock(&w->lock);
	if (!w->started && deadline_ms > blind_ms)
		deadline_ms = blind_ms;
	until = time_of(deadline_ms);
	if (w->waiting++ == 0 && w->started)
		signal_thread(w);
	while (w->number == since && pthread_cond_timedwait(&w->changed, &w->lock, &until) == 0)
		;
	w->waiting--;
	changed = w->number != since || !w->started;
	pthread_mutex_unlock(&w->lock);
	return changed;
}

enum mcp_err
wake_attend(struct wake *w, void (*look)(void *ctx), void *ctx)
{
	enum mcp_err err = MCP_OK;

	pthread_mutex_lock(&w->lock);
	if (!start(w)) {
		err = MCP_ENOMEM;
	} else {
		w->look = look;
		w->ctx = ctx;
		w->news = true;
		signal_thread(w);
	}
	pthread_mutex_unlock(&w->lock);
	return err;
}

void
wake_rest(struct wake *w)
{
	pthread_mutex_lock(&w->lock);
	w->look = NULL;
	while (w->looking && !pthread_equal(pthread_self(), w->thread))
		pthread_cond_wait(&w->changed, &w->lock);
	pthread_mutex_unlock(&w->lock);
}
