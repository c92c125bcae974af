/* SPDX-License-Identifier: MIT */
/*
 * A responder for tests of the front's side alone: says what arrived, one line a fact. The query string commands it,
 * words joined by "&":
 *   sleep=MS  wait before answering      unread    do not read the body       read=N  stop reading the body after N
 * bytes
 *   size=N    answer with N more bytes   status=N  answer with this status    fail    compose an answer that fails
 *   log       write one line to stderr when the request begins (for "nothing ran")
 * Usage: fcgi-echo [-w WORKERS] [-m MAX_REQUESTS] [-t IO_TIMEOUT_S] [-T TOTAL_S] [-g GRACE_S] [-l ADDRESS]
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "base/log.h"
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
	sleep_ms(command(req, "sleep", 0));
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
