/* SPDX-License-Identifier: MIT */
/*
 * The responder. Answers for the order of starting: descriptors 0 to 2, options, configuration, socket, then serve
 * until told to stop.
 * A configuration that is no good ends nothing here: a responder that exits takes all of lighttpd down and is started
 * for ever by mod_fcgid, so it stays and refuses every request.
 */
#include <config.h>

#include <errno.h>
#include <fcntl.h>
#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/buf.h"
#include "base/clock.h"
#include "base/log.h"
#include "server/fcgi.h"
#include "server/report.h"
#include "server/server.h"

enum exit_status {
	EXIT_OK = 0,
	EXIT_FAULT = 1,		/* -n found faults; or serving could not begin or did not end well */
	EXIT_USAGE = 2,
	EXIT_SOCKET = 3		/* no listening socket could be had */
};

#define REPORT_TEXT_MAX (256 * 1024)

struct options {
	const char *config;
	const char *listen;
	bool any_address;
	bool check;
};

/* What was found out of them. */
struct start {
	struct options options;
	struct report report;
	struct server_slot *slot;
	struct fcgi_options serve;
	bool cgi;
};

static const char usage[] =
"usage: mcp.fcgi [--config FILE] [--listen PATH | --listen HOST:PORT [--any-address]]\n"
"       mcp.fcgi -n [--config FILE]\n"
"\n"
"An MCP server behind FastCGI. Started by a web server it serves the socket it was given,\n"
"as a CGI program one request.\n"
"\n"
"  -c, --config FILE    read this configuration\n"
"  -l, --listen WHERE   make the socket itself: a path with a slash, or 127.0.0.1:PORT\n"
"                       (default: LISTEN_FDS of systemd, else descriptor 0)\n"
"      --any-address    allow a TCP address that is not loopback, given or of --listen\n"
"  -n, --check          say what is right and wrong with the configuration; exit 1 if requests would be refused\n"
"  -V, --version        print the version\n"
"  -h, --help           print this\n";

/* Whoever starts us may have closed what the C library takes for granted; a socket must not become stderr. */
static bool
ensure_standard_descriptors(void)
{
	for (int fd = 0; fd <= 2; fd++)
		if (fcntl(fd, F_GETFD) < 0 && open("/dev/null", fd == 0 ? O_RDONLY : O_WRONLY) != fd)
			return false;
	return true;
}

/* Returns -1 to go on, else the exit status. */
static int
parse_options(int argc, char **argv, struct options *o)
{
	static const struct option names[] = {
		{ "config", required_argument, NULL, 'c' },
		{ "listen", required_argument, NULL, 'l' },
		{ "any-address", no_argument, NULL, 'a' },
		{ "check", no_argument, NULL, 'n' },
		{ "version", no_argument, NULL, 'V' },
		{ "help", no_argument, NULL, 'h' },
		{ NULL, 0, NULL, 0 }
	};
	int c;

	while ((c = getopt_long(argc, argv, "c:l:nVh", names, NULL)) != -1) {
		switch (c) {
		case 'c':
			o->config = optarg;
			break;
		case 'l':
			o->listen = optarg;
			break;
		case 'a':
			o->any_address = true;
			break;
		case 'n':
			o->check = true;
			break;
		case 'V':
			puts(PACKAGE_STRING);
			return EXIT_OK;
		case 'h':
			fputs(usage, stdout);
			return EXIT_OK;
		default:
			fputs(usage, stderr);
			return EXIT_USAGE;
		}
	}
	if (optind < argc) {
		fprintf(stderr, "mcp.fcgi: \"%s\" is no option\n%s", argv[optind], usage);
		return EXIT_USAGE;
	}
	return -1;
}

static void
print_report(const struct report *report, FILE *out)
{
	struct buf text;

	buf_init(&text, REPORT_TEXT_MAX);
	report_render(report, &text);
	fputs(text.data, out);
	buf_clear(&text);
}

/* Load the configuration; also one with faults gives a server. */
static bool
load(struct start *st, const char *mode)
{
	const struct server_process process = { .mode = mode, .started_s = clock_now_s() };
	const struct server_settings *settings;
	struct server *server;

	if (server_slot_new(st->options.config, environ, &process, &st->report, &st->slot) != MCP_OK) {
		log_error("not enough memory to start");
		return false;
	}
	server = server_slot_get(st->slot);
	settings = server_settings(server);
	st->serve.workers = (unsigned)settings->workers;
	st->serve.max_requests = (unsigned long)settings->max_requests;
	st->serve.io_timeout_s = (int)settings->body_gap_s;
	st->serve.body_total_s = (int)settings->body_total_s;
	st->serve.stop_grace_s = (int)settings->stop_grace_s;
	server_unref(server);
	return true;
}

/* Try what requests will need; what is found goes to the report. */
static void
try_server(struct start *st)
{
	struct server *server = server_slot_get(st->slot);

	server_try(server, &st->report);
	server_unref(server);
}

static int
check(struct start *st)
{
	if (!load(st, "fastcgi"))
		return EXIT_FAULT;
	try_server(st);
	print_report(&st->report, stdout);
	return st->report.failed ? EXIT_FAULT : EXIT_OK;
}

/* One request; its log is the web server's error log, so only what keeps it from being served goes there. */
static int
serve_cgi(struct start *st)
{
	const struct fcgi_handler handler = { server_slot_handle, server_slot_after, st->slot };

	for (size_t i = 0; i < st->report.n; i++)
		if (st->report.v[i].level == REPORT_FAIL)
			log_error("[FAIL] %s", st->report.v[i].text);
	return fcgi_serve_cgi(&st->serve, &handler) == MCP_OK ? EXIT_OK : EXIT_FAULT;
}

/* Remove the socket file that we made, unless it is another one by now. */
static void
remove_socket(const char *path, const struct stat *made)
{
	struct stat now;

	if (lstat(path, &now) == 0 && now.st_dev == made->st_dev && now.st_ino == made->st_ino)
		unlink(path);
}

/* For a socket that strangers can connect to: it stays, so that the front is not taken down, and refuses. */
static void
refuse(void *ctx, struct http_request *req, struct http_body_source *body, struct http_response *res)
{
	(void)ctx;
	(void)req;
	(void)body;
	http_response_json(res, 503, "{\"error\": \"server misconfigured\"}");
	http_response_header(res, "Retry-After", "30");
}

static int
serve_fastcgi(struct start *st)
{
	struct fcgi_handler handler = { server_slot_handle, server_slot_after, st->slot };
	const char *path = st->options.listen && strchr(st->options.listen, '/') ? st->options.listen : NULL;
	struct stat made = { 0 };
	enum mcp_err err;

	if (path && lstat(path, &made) != 0)
		path = NULL;
	if (fcgi_listen_check(st->serve.listen_fd, st->options.any_address, &st->report) != MCP_OK)
		handler = (struct fcgi_handler){ .handle = refuse };
	try_server(st);
	report_log(&st->report);
	log_info("%s serves %s with %u threads", PACKAGE_STRING,
	    st->options.listen ? st->options.listen : "the socket it was given", st->serve.workers);
	err = fcgi_serve(&st->serve, &handler);
	if (path)
		remove_socket(path, &made);
	switch (err) {
	case MCP_OK:
		log_info("shutdown: clean");
		return EXIT_OK;
	case MCP_ETIMEOUT:
		log_warning("shutdown: %d s are over, requests still running are given up", st->serve.stop_grace_s);
		/* Threads go on; nothing may be freed and no exit handler may run beside them. */
		_exit(EXIT_FAULT);
	case MCP_EIO:
		log_error("cannot serve: %s", strerror(errno));
		return EXIT_FAULT;
	default:
		log_error("cannot serve: %s", mcp_strerror(err));
		return EXIT_FAULT;
	}
}

/* Find the listening socket, or that this is CGI. Returns -1 to go on, else the exit status. */
static int
find_socket(struct start *st)
{
	int inherited = fcgi_listen_inherited();

	if (fcgi_peers_read(getenv("FCGI_WEB_SERVER_ADDRS"), &st->serve.peers, &st->report) != MCP_OK) {
		print_report(&st->report, stderr);
		return EXIT_SOCKET;
	}
	if (st->options.listen) {
		if (fcgi_listen(st->options.listen, st->options.any_address, &st->serve.listen_fd,
		    &st->report) != MCP_OK) {
			print_report(&st->report, stderr);
			return EXIT_SOCKET;
		}
		return -1;
	}
	st->serve.listen_fd = inherited >= 0 ? inherited : STDIN_FILENO;
	st->cgi = inherited < 0 && fcgi_is_cgi();
	if (st->cgi && !getenv("REQUEST_METHOD")) {
		fprintf(stderr, "mcp.fcgi: started neither by a web server nor with a socket: "
		    "see --listen, or -n to check the configuration\n%s", usage);
		return EXIT_USAGE;
	}
	return -1;
}

int
main(int argc, char **argv)
{
	struct start st = { .serve = { .listen_fd = -1 } };
	int status;

	if (!ensure_standard_descriptors())
		return EXIT_FAULT;
	umask(077);
	status = parse_options(argc, argv, &st.options);
	if (status >= 0)
		return status;
	if (st.options.check)
		status = check(&st);
	else
		status = find_socket(&st);
	if (status < 0)
		status = !load(&st, st.cgi ? "cgi" : "fastcgi") ? EXIT_FAULT
		    : st.cgi ? serve_cgi(&st) : serve_fastcgi(&st);
	server_slot_free(st.slot);
	report_clear(&st.report);
	return status;
}
