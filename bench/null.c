/* SPDX-License-Identifier: MIT */
/*
 * The least that a FastCGI responder can do, to measure against: threads that accept, read the body and say hello. What
 * mcp.fcgi takes longer than this is its own.
 */
#include <pthread.h>
#include <signal.h>
#include <stdlib.h>

#include <fcgiapp.h>

#define DEFAULT_THREADS 8

static void *
serve(void *unused)
{
	FCGX_Request r;
	char body[4096];

	(void)unused;
	FCGX_InitRequest(&r, 0, 0);
	while (FCGX_Accept_r(&r) == 0) {
		while (FCGX_GetStr(body, sizeof body, r.in) > 0)
			;
		FCGX_PutS("Content-Type: application/json\r\nContent-Length: 20\r\n\r\n{\"status\":\"healthy\"}",
		    r.out);
		FCGX_Finish_r(&r);
	}
	return NULL;
}

int
main(void)
{
	const char *threads = getenv("NULL_THREADS");
	pthread_t last;

	FCGX_Init();
	signal(SIGTERM, SIG_DFL);	/* libfcgi's own handler would wake one thread of all */
	for (int i = 0; i < (threads ? (int)strtol(threads, NULL, 10) : DEFAULT_THREADS); i++)
		pthread_create(&last, NULL, serve, NULL);
	pthread_join(last, NULL);
	return 0;
}
