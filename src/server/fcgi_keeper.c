/* SPDX-License-Identifier: MIT */
/*
 * Answers for: what streams need while nobody writes to them, and connections of streams that hold no thread. One
 * thread; owners are called with no lock held, and only this thread frees what is kept, so what it has in its lists
 * stays.
 */
#include <errno.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/clock.h"
#include "server/fcgi_loop.h"

#define EVENTS_AT_ONCE 64
#define LOOK_MS 250		/* how often busy workers are looked at */
#define SHORTEST_WAIT_MS 20	/* streams whose pulses are due one after the other are served together */
#define LONGEST_WAIT_MS 60000
#define STOP_MS 2000		/* how long kept streams may take to end when the process stops */

/* What a look at all streams found. */
struct findings {
	struct fcgi_stream *tell;	/* owners to be told, linked by "then" */
	struct fcgi_stream *done;	/* ended, and not in the keeper's list any more */
	int64_t due_ms;			/* when to look again */
	bool any_kept;
};

static void
link_stream(struct fcgi_keeper *k, struct fcgi_stream *s)
{
	s->prev = NULL;
	s->next = k->first;
	if (k->first)
		k->first->prev = s;
	k->first = s;
}

static void
unlink_stream(struct fcgi_keeper *k, struct fcgi_stream *s)
{
	*(s->prev ? &s->prev->next : &k->first) = s->next;
	if (s->next)
		s->next->prev = s->prev;
}

void
fcgi_keeper_add(struct fcgi_stream *s)
{
	struct fcgi_keeper *k = &s->loop->keeper;
	int64_t due_ms = clock_monotonic_ms() + s->terms.pulse_ms;
	bool late;

	pthread_mutex_lock(&k->lock);
	link_stream(k, s);
	late = due_ms < k->due_ms;
	/* Usually it looks in time anyway. */
	if (late)
		k->due_ms = due_ms;
	pthread_mutex_unlock(&k->lock);
	if (late)
		fcgi_loop_wake_keeper(s->loop);
}

void
fcgi_keeper_remove(struct fcgi_stream *s)
{
	struct fcgi_keeper *k = &s->loop->keeper;

	pthread_mutex_lock(&k->lock);
	unlink_stream(k, s);
	pthread_mutex_unlock(&k->lock);
}

void
fcgi_keeper_take(struct fcgi_stream *s)
{
	struct fcgi_loop *loop = s->loop;
	struct epoll_event event = { .events = EPOLLIN | EPOLLOUT | EPOLLRDHUP | EPOLLET, .data.ptr = s };

	pthread_mutex_lock(&s->lock);
	if (epoll_ctl(loop->keeper.epoll_fd, EPOLL_CTL_ADD, s->connection->input.fd, &event) != 0)
		atomic_store(&s->gone, true);
	atomic_store(&s->handed, true);
	pthread_mutex_unlock(&s->lock);
	/* It may be freed by now. */
	fcgi_loop_wake_keeper(loop);
}

static void
earlier(int64_t *due_ms, int64_t at_ms)
{
	if (at_ms < *due_ms)
		*due_ms = at_ms;
}

/* One stream that the thread which answers still has: its pulse, and its life. */
static void
look_at_running(struct fcgi_stream *s, int64_t now_ms, struct findings *f)
{
	int64_t pulse_ms = s->terms.pulse_ms;

	if (atomic_load(&s->asked) && s->terms.probe_ms < pulse_ms)
		pulse_ms = s->terms.probe_ms;
	if (now_ms >= s->over_ms)
		atomic_store(&s->gone, true);
	else
		earlier(&f->due_ms, s->over_ms);
	/* Who holds the lock is writing, and may wait for the client: never for that here. */
	if (pthread_mutex_trylock(&s->lock) != 0) {
		earlier(&f->due_ms, now_ms + pulse_ms);
		return;
	}
	fcgi_stream_flush(s);
	fcgi_stream_pulse(s, now_ms, pulse_ms);
	/* One that is gone, or has a pulse waiting, has had its look. */
	if (!atomic_load(&s->gone))
		earlier(&f->due_ms, (s->sent < s->queue.len ? now_ms : s->moved_ms) + pulse_ms);
	pthread_mutex_unlock(&s->lock);
}

/* One that is kept. */
static void
look_at_kept(struct fcgi_keeper *k, struct fcgi_stream *s, int64_t now_ms, struct findings *f)
{
	bool done, gone;

	pthread_mutex_lock(&s->lock);
	fcgi_stream_flush(s);
	fcgi_stream_pulse(s, now_ms, s->terms.pulse_ms);
	if (fcgi_stream_is_stuck(s, now_ms))
		atomic_store(&s->gone, true);
	gone = atomic_load(&s->gone);
	done = s->ended && (gone || s->sent == s->queue.len);
	if (s->sent < s->queue.len)
		earlier(&f->due_ms, s->moved_ms + s->loop->patience.between_bytes_ms);
	else if (!s->ended)
		earlier(&f->due_ms, s->moved_ms + s->terms.pulse_ms);
	pthread_mutex_unlock(&s->lock);
	f->any_kept = true;
	if (done) {
		unlink_stream(k, s);
		s->then = f->done;
		f->done = s;
	} else if (!s->told && (gone || now_ms >= s->over_ms || atomic_load(&k->stopping))) {
		s->told = true;
		s->then = f->tell;
		f->tell = s;
	} else if (!s->told) {
		earlier(&f->due_ms, s->over_ms);
	}
}

/* Give a connection back that a stream has ended on. */
static void
let_go(struct fcgi_stream *s)
{
	struct fcgi_loop *loop = s->loop;
	struct fcgi_connection *c = s->connection;

	epoll_ctl(loop->keeper.epoll_fd, EPOLL_CTL_DEL, c->input.fd, NULL);
	if (atomic_load(&s->gone))
		fcgi_connection_close(loop, c);
	else
		fcgi_connection_let_go(loop, c);
}

/* Look at all streams, and do what is due. Returns when to look again; *any_kept tells whether one is kept. */
static int64_t
look(struct fcgi_loop *loop, int64_t now_ms, bool *any_kept)
{
	struct fcgi_keeper *k = &loop->keeper;
	struct findings f = { .due_ms = INT64_MAX };
	struct fcgi_stream *s, *next;

	pthread_mutex_lock(&k->lock);
	for (s = k->first; s; s = next) {
		next = s->next;
		if (atomic_load(&s->handed))
			look_at_kept(k, s, now_ms, &f);
		else
			look_at_running(s, now_ms, &f);
	}
	k->due_ms = f.due_ms;
	pthread_mutex_unlock(&k->lock);
	for (s = f.tell; s; s = next) {
		next = s->then;
		s->owner.over(s->owner.ctx, atomic_load(&s->gone));
	}
	for (s = f.done; s; s = next) {
		next = s->then;
		let_go(s);
		s->owner.released(s->owner.ctx, !atomic_load(&s->gone));
		fcgi_stream_free(s);
	}
	*any_kept = f.any_kept;
	return f.due_ms;
}

/* Something happened on a kept stream's connection: it can be written again, or the client has left. */
static bool
on_event(struct fcgi_stream *s)
{
	bool gone;

	pthread_mutex_lock(&s->lock);
	fcgi_stream_flush(s);
	if (fcgi_peer_has_left(s->connection->input.fd))
		atomic_store(&s->gone, true);
	gone = atomic_load(&s->gone) || s->ended;
	pthread_mutex_unlock(&s->lock);
	return gone;
}

/* Wait for something to do. Returns whether all streams must be looked at now. */
static bool
wait_for_events(struct fcgi_keeper *k, int64_t due_ms)
{
	struct epoll_event events[EVENTS_AT_ONCE];
	int64_t wait_ms = due_ms - clock_monotonic_ms();
	uint64_t count;
	bool all = false;
	int n;

	if (wait_ms < SHORTEST_WAIT_MS)
		wait_ms = SHORTEST_WAIT_MS;
	n = epoll_wait(k->epoll_fd, events, EVENTS_AT_ONCE, due_ms == INT64_MAX ? -1
	    : wait_ms > LONGEST_WAIT_MS ? LONGEST_WAIT_MS : (int)wait_ms);
	for (int i = 0; i < n; i++) {
		if (events[i].data.ptr)
			all = on_event(events[i].data.ptr) || all;
		else
			all = read(k->event_fd, &count, sizeof(count)) > 0 || all;
	}
	return all || clock_monotonic_ms() >= due_ms;
}

static void *
keep(void *arg)
{
	struct fcgi_loop *loop = arg;
	struct fcgi_keeper *k = &loop->keeper;
	int64_t due_ms = INT64_MAX, stop_ms = INT64_MAX;
	bool any_kept = false;

	for (;;) {
		bool all = wait_for_events(k, due_ms);
		int64_t now_ms = clock_monotonic_ms();

		if (all)
			due_ms = look(loop, now_ms, &any_kept);
		if (atomic_load(&k->leaving)) {
			if (stop_ms == INT64_MAX)
				stop_ms = now_ms + STOP_MS;
			if ((all && !any_kept) || now_ms >= stop_ms)
				return NULL;
			earlier(&due_ms, now_ms + SHORTEST_WAIT_MS);
		}
		if (atomic_load(&k->watching) && fcgi_loop_look_at_workers(loop))
			earlier(&due_ms, now_ms + LOOK_MS);
	}
}

bool
fcgi_keeper_start(struct fcgi_loop *loop)
{
	struct fcgi_keeper *k = &loop->keeper;
	struct epoll_event event = { .events = EPOLLIN, .data.ptr = NULL };

	k->due_ms = INT64_MAX;
	k->epoll_fd = epoll_create1(EPOLL_CLOEXEC);
	k->event_fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
	if (k->epoll_fd < 0 || k->event_fd < 0
	    || epoll_ctl(k->epoll_fd, EPOLL_CTL_ADD, k->event_fd, &event) != 0)
		return false;
	errno = fcgi_thread_create(&k->thread, keep, loop);
	k->started = errno == 0;
	return k->started;
}

void
fcgi_keeper_begin_stop(struct fcgi_loop *loop)
{
	atomic_store(&loop->keeper.stopping, true);
	fcgi_loop_wake_keeper(loop);
}

void
fcgi_keeper_stop(struct fcgi_loop *loop)
{
	struct fcgi_keeper *k = &loop->keeper;

	if (k->started) {
		atomic_store(&k->leaving, true);
		fcgi_loop_wake_keeper(loop);
		pthread_join(k->thread, NULL);
	}
	if (k->epoll_fd >= 0)
		close(k->epoll_fd);
	if (k->event_fd >= 0)
		close(k->event_fd);
}
