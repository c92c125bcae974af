/* SPDX-License-Identifier: MIT */
/* Answers for: what a thread that serves may do to the whole loop. */
#include "server/fcgi_loop.h"

#include <unistd.h>

#include "base/clock.h"

#define FAULT_LOG_S 10

void
fcgi_loop_request_stop(struct fcgi_loop *loop)
{
	pthread_kill(loop->main_thread, SIGUSR1);
}

void
fcgi_loop_wake(struct fcgi_loop *loop)
{
	/* When the process stops, their threads are joined before the keeper's. */
	for (unsigned i = 0; atomic_load(&loop->running) > 0 && i < loop->started; i++)
		pthread_kill(loop->workers[i]->thread, FCGI_WAKE_SIGNAL);
}

void
fcgi_loop_wake_keeper(struct fcgi_loop *loop)
{
	const uint64_t one = 1;

	(void)!write(loop->keeper.event_fd, &one, sizeof(one));
}

void
fcgi_loop_log_fault(struct fcgi_loop *loop, const char *why)
{
	unsigned long held = 0;
	bool open;

	pthread_mutex_lock(&loop->lock);
	open = log_throttle_open(&loop->peer_fault, clock_now_s(), FAULT_LOG_S, &held);
	pthread_mutex_unlock(&loop->lock);
	if (open)
		log_warning("a FastCGI connection was closed: %s (%lu more since the last such line)", why, held);
}
