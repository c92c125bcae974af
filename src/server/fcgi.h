/* SPDX-License-Identifier: MIT */
#ifndef MCP_SERVER_FCGI_H
#define MCP_SERVER_FCGI_H

#include <stdbool.h>

#include "base/err.h"
#include "http/address.h"
#include "http/request.h"
#include "http/response.h"

/*
 * The front's side of the server, and the only user of fcgiapp.h: accepts FastCGI requests in several threads, or is
 * one CGI request. Knows nothing of what is served.
 */

struct report;

/*
 * Answers one request: reads as much of "body" as it wants and leaves a whole answer in "res" (a status of 0 becomes
 * 500). Called from several threads at once. "ctx" is
 * fcgi_handler.ctx. after() (may be NULL) is called in the same thread once the answer has left and the connection is
 * closed or put aside, for work that must not delay it.
 */
struct fcgi_handler {
	void (*handle)(void *ctx, struct http_request *req, struct http_body_source *body, struct http_response *res);
	void (*after)(void *ctx);
	void *ctx;
};

/* Which hosts may connect. */
#define FCGI_PEERS_MAX 32
struct fcgi_peers {
	bool limited;		/* only the "n" in "v", by TCP */
	struct address v[FCGI_PEERS_MAX];
	size_t n;
};

struct fcgi_options {
	int listen_fd;		/* a listening socket; 0 as the web servers pass it. It is made non-blocking */
	unsigned workers;	/* threads, 1 to 256 */
	unsigned long max_requests;	/* stop in good order after so many; 0: never */
	int io_timeout_s;	/* a peer silent for so long inside a request loses its connection; 1 to 3600 */
	int body_total_s;	/* a head or a body that takes longer in all ends with MCP_ETIMEOUT; 1 to 3600 */
	/*
	 * After a stop signal running requests have so long before fcgi_serve() returns anyway; a second less (half of
	 * it when it is short) is ending_ms().
	 */
	int stop_grace_s;
	struct fcgi_peers peers;
};

/* Whether fd 0 is no listening socket, i.e. this process is a plain CGI program. No side effects. */
bool fcgi_is_cgi(void);

/*
 * Answer the one CGI request of the environment on fd 0 and fd 1. Of the options only the two times are used. Returns
 * MCP_OK, or MCP_EIO when the answer could not be written.
 */
enum mcp_err fcgi_serve_cgi(const struct fcgi_options *options, const struct fcgi_handler *handler) MCP_MUST_CHECK;

/*
 * Serve until SIGTERM, SIGINT, SIGUSR1 or max_requests: then accept no more, answer what was begun, return. Blocks
 * those signals and SIGUSR2 (its own) in all threads, so call it from the main
 * thread before any other thread exists; they stay blocked. SIGHUP and SIGPIPE are ignored. Connections that a front
 * keeps cost no thread while they are idle. Returns MCP_OK after a stop in good order;
 * MCP_ETIMEOUT when stop_grace_s passed with requests still running (threads are left, the caller should _exit());
 * MCP_EIO (errno), MCP_ENOMEM when it could not begin.
 */
enum mcp_err fcgi_serve(const struct fcgi_options *options, const struct fcgi_handler *handler) MCP_MUST_CHECK;

/*
 * Make a listening socket: "PATH" (anything with a slash; AF_UNIX, mode 0660, not where everybody may replace it; a
 * socket file of ours that nobody listens on is replaced) or "HOST:PORT" (HOST a numeric loopback address, with
 * "any_address" any numeric one; IPv6 in brackets). Backlog 1024. Returns MCP_OK with *fd; MCP_EINVAL (in use),
 * MCP_EPERM (not ours, not loopback, such a directory), MCP_ESYNTAX or MCP_EIO, each with a line in "report".
 */
enum mcp_err fcgi_listen(const char *address, bool any_address, int *fd, struct report *report) MCP_MUST_CHECK;

/*
 * The socket that systemd passes (sd_listen_fds(3)): returns its descriptor, 3, when LISTEN_PID is this process and
 * LISTEN_FDS at least 1, else -1. The variables are removed from the environment.
 */
int fcgi_listen_inherited(void);

/*
 * Whether the listening socket "fd", whoever made it, is for the front alone. Returns MCP_EPERM, with a line in
 * "report", for a TCP address that is not loopback unless "any_address" (then a warning is added); MCP_OK otherwise. A
 * socket file that everybody may write is warned of.
 */
enum mcp_err fcgi_listen_check(int fd, bool any_address, struct report *report) MCP_MUST_CHECK;

/*
 * Read FCGI_WEB_SERVER_ADDRS, numeric addresses with commas between; NULL: not set, so anybody. Returns MCP_OK;
 * MCP_ESYNTAX, MCP_ELIMIT (more than FCGI_PEERS_MAX) with a line in "report". Source: FastCGI Specification 1.0,
 * section 3.2.
 */
enum mcp_err fcgi_peers_read(const char *text, struct fcgi_peers *out, struct report *report) MCP_MUST_CHECK;

#endif
