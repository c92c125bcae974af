/* SPDX-License-Identifier: MIT */
/*
 * A responder for tests of the front's side alone: says what arrived, one line a fact. The query string commands it,
 * words joined by "&":
 *   sleep=MS  wait before answering      unread    do not read the body       read=N  stop reading the body after N
 * bytes
 *   size=N    answer with N more bytes   status=N  answer with this status    fail    compose an answer that fails
 *   log       write one line to stderr when the request begins (for "nothing ran")
 *   stream=N  answer in pieces, N times "piece I" and size bytes, with sleep=MS after each and a pulse "~" after
 *             pulse=MS, for life=MS at most; keep: by a thread of its own once the request was handled, until leave
 *             (then it leaves the end to whom it is told by); say on stderr how it ended
 *   watch     sleep only until the client has left; say on stderr whether it did
 * Usage: fcgi-echo [-w WORKERS] [-m MAX_REQUESTS] [-t IO_TIMEOUT_S] [-T TOTAL_S] [-g GRACE_S] [-l ADDRESS]
 */
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "base/log.h"
#include "http/channel.h"
#include "server/fcgi.h"
#include "server/report.h"

static long
command(const struct http_request *req, const char *word, long fallback)
{
	const char *p = req->query ? strstr(req->query, word) : NULL;

	if (!p)
		return fallback;
	p += strlen(word);
	return *p == '=' ? strtol(p + 1, NULL, 10) : 1;
}

static void
sleep_ms(long ms)
{
	struct timespec ts = { .tv_sec = ms / 1000, .tv_nsec = ms % 1000 * 1000000 };

	while (ms > 0 && nanosleep(&ts, &ts) != 0)
		;
}

/* An answer in pieces. */
struct pieces {
	struct http_channel *channel;
	long n, size, sleep_ms;
	bool leave;		/* do not end it before being told */
	atomic_int told;	/* 1: its life was over, 2: its client had left */
	atomic_int released;	/* 1: not all was delivered, 2: it was */
};

/* Write the pieces, until it fails. Returns how many were written. */
static long
write_pieces(struct pieces *p)
{
	struct buf text;
	long i;

	buf_init(&text, 32 * 1024 * 1024);
	for (i = 0; i < p->n; i++) {
		buf_reset(&text);
		buf_printf(&text, "piece %ld %*s\n", i, (int)p->size, "");
		if (p->channel->ops->write(p->channel, text.data, text.len) != MCP_OK)
			break;
		for (long left = p->sleep_ms; left > 0 && !p->channel->ops->is_gone(p->channel); left -= 10)
			sleep_ms(left < 10 ? left : 10);
	}
	buf_clear(&text);
	return i;
}

static void
on_over(void *ctx, bool gone)
{
	struct pieces *p = ctx;

	atomic_store(&p->told, gone ? 2 : 1);
}

static void
on_released(void *ctx, bool delivered)
{
	struct pieces *p = ctx;

	atomic_store(&p->released, delivered ? 2 : 1);
}

static void *
run_kept(void *arg)
{
	static const char *const told[] = { "not told", "told that it is over", "told that the client has left" };
	struct pieces *p = arg;
	long written = write_pieces(p);

	while (p->leave && !atomic_load(&p->told))
		sleep_ms(5);
	(void)p->channel->ops->write(p->channel, "the end\n", 8);
	p->channel->ops->end(p->channel);
	while (!atomic_load(&p->released))
		sleep_ms(5);
	fprintf(stderr, "kept: %ld written, %s, %s\n", written, told[atomic_load(&p->told)],
	    atomic_load(&p->released) == 2 ? "delivered" : "lost");
	free(p);
	return NULL;
}

/* Answer in pieces. Returns false when the answer is to leave whole. */
static bool
answer_in_pieces(const struct http_request *req, struct http_response *res)
{
	const struct http_channel_terms terms = { .pulse = "~", .pulse_ms = command(req, "pulse", 60000),
	    .life_ms = command(req, "life", 600000) };
	struct pieces *p = calloc(1, sizeof(*p));
	struct http_channel_owner owner = { .over = on_over, .released = on_released, .ctx = p };
	pthread_t thread;
	enum mcp_err err;
	long written;

	if (!p)
		return false;
	*p = (struct pieces){ .channel = res->channel, .n = command(req, "stream", 1),
	    .size = command(req, "size", 0), .sleep_ms = command(req, "sleep", 0), .leave = command(req, "leave", 0) };
	err = p->channel->ops->begin(p->channel, res, &terms);
	if (!err && command(req, "keep", 0)) {
		err = p->channel->ops->keep(p->channel, &owner, &p->channel);
		if (!err && pthread_create(&thread, NULL, run_kept, p) == 0) {
			pthread_detach(thread);
			return true;
		}
	}
	if (err) {
		fprintf(stderr, "not begun: %s\n", mcp_strerror(err));
	} else {
		written = write_pieces(p);
		fprintf(stderr, "streamed: %ld written, the client %s\n", written,
		    p->channel->ops->is_gone(p->channel) ? "has left" : "is there");
	}
	free(p);
	return !err;
}

static void
watch(const struct http_request *req, struct http_channel *c)
{
	long left = command(req, "sleep", 0);

	for (; left > 0 && !c->ops->is_gone(c); left -= 10)
		sleep_ms(10);
	fprintf(stderr, "watched: the client %s\n", left > 0 ? "has left" : "is there");
}

static void
echo(void *ctx, struct http_request *req, struct http_body_source *body, struct http_response *res)
{
	const char *token = req->field[HTTP_AUTHORIZATION];
	enum mcp_err err = MCP_OK;
	long wanted = command(req, "read", -1);
	unsigned long sum = 0;
	char chunk[20000];
	long total = 0;
	ssize_t n = 0;

	(void)ctx;
	if (command(req, "log", 0))
		fprintf(stderr, "ran %s from %s\n", req->method ? req->method : "-",
		    req->remote_addr ? req->remote_addr : "-");
	if (!command(req, "unread", 0))
		while ((wanted < 0 || total < wanted) && (n = body->read(body->ctx, chunk, sizeof(chunk), &err)) > 0) {
			for (ssize_t i = 0; i < n; i++)
				sum = sum * 31 + (unsigned char)chunk[i];
			total += n;
		}
	if (command(req, "stream", 0)) {
		res->status = (int)command(req, "status", 200);
		http_response_header(res, "Content-Type", "text/plain");
		if (answer_in_pieces(req, res))
			return;
		http_response_reset(res);
	} else if (command(req, "watch", 0)) {
		watch(req, res->channel);
	} else {
		sleep_ms(command(req, "sleep", 0));
	}
	res->status = (int)command(req, "status", 200);
	http_response_header(res, "Content-Type", "text/plain");
	buf_printf(&res->body, "fault %d\nmethod %s\nfrom %s\nauthorization %zu\n"
	    "length %lld\nbody %ld\nsum %lu\nerror %s\npid %ld\n", (int)req->fault,
	    req->method ? req->method : "-", req->remote_addr ? req->remote_addr : "-", token ? strlen(token) : 0,
	    (long long)req->content_length, total, sum, n < 0 ? mcp_strerror(err) : "none", (long)getpid());
	memset(chunk, 'x', sizeof(chunk));
	for (long left = command(req, "size", 0); left > 0; left -= (long)sizeof(chunk))
		buf_put(&res->body, chunk, left < (long)sizeof(chunk) ? (size_t)left : sizeof(chunk));
	if (command(req, "fail", 0))
		res->body.status = MCP_ENOMEM;
	res->no_body = req->method && strcmp(req->method, "HEAD") == 0;
}

int
main(int argc, char **argv)
{
	struct fcgi_options options = { .workers = 4, .io_timeout_s = 10, .body_total_s = 30, .stop_grace_s = 5 };
	struct fcgi_handler handler = { .handle = echo };
	struct report report = { 0 };
	enum mcp_err err = MCP_OK;
	const char *address = NULL;
	struct buf text;
	int option;

	while ((option = getopt(argc, argv, "w:m:t:T:g:l:")) != -1) {
		switch (option) {
		case 'w': options.workers = (unsigned)strtoul(optarg, NULL, 10); break;
		case 'm': options.max_requests = strtoul(optarg, NULL, 10); break;
		case 't': options.io_timeout_s = (int)strtol(optarg, NULL, 10); break;
		case 'T': options.body_total_s = (int)strtol(optarg, NULL, 10); break;
		case 'g': options.stop_grace_s = (int)strtol(optarg, NULL, 10); break;
		case 'l': address = optarg; break;
		default: return 2;
		}
	}
	if (address)
		err = fcgi_listen(address, false, &options.listen_fd, &report);
	buf_init(&text, 4096);
	report_render(&report, &text);
	fputs(text.data, stderr);
	buf_clear(&text);
	report_clear(&report);
	if (err)
		return 3;
	if (!address && fcgi_is_cgi())
		return fcgi_serve_cgi(&options, &handler) == MCP_OK ? 0 : 1;
	err = fcgi_serve(&options, &handler);
	if (err == MCP_ETIMEOUT)
		_exit(4);
	return err ? 1 : 0;
}
