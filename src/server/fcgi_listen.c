/* SPDX-License-Identifier: MIT */
/*
 * Answers for: the listening socket, and who may connect to it. Whoever connects is believed as the front is: the
 * client's address, its token, everything comes from
 * there. So a socket file is for owner and group only, and TCP is for loopback.
 */
#include "server/fcgi.h"

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <pwd.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include "base/text.h"
#include "http/address.h"
#include "server/holder.h"
#include "server/report.h"

#define BACKLOG 1024
#define SYSTEMD_FIRST_FD 3
#define FIX_SOCKET "choose another path, or stop that process"

/* Say who has the socket file; the answer depends on whether the process may be looked at. */
static enum mcp_err
report_live(const char *path, struct report *report)
{
	struct holder who;

	if (holder_of_path(path, &who))
		report_add(report, REPORT_FAIL, FIX_SOCKET, "SOCKET %s exists and is live: pid %ld (%s) listens on it",
		    path, who.pid, who.name);
	else
		report_add(report, REPORT_FAIL, FIX_SOCKET, "SOCKET %s exists and is live: a process listens on it",
		    path);
	return MCP_EINVAL;
}

static enum mcp_err
report_errno(const char *what, const char *where, struct report *report)
{
	int saved = errno;

	report_add(report, REPORT_FAIL, NULL, "%s %s: %s", what, where, strerror(saved));
	errno = saved;
	return MCP_EIO;
}

/* Remove a socket file that nobody listens on, if it is ours. MCP_OK also when there was none. */
static enum mcp_err
remove_stale(const struct sockaddr_un *address, struct report *report)
{
	const char *path = address->sun_path;
	enum mcp_err err = MCP_OK;
	struct stat st;
	int probe;

	if (lstat(path, &st) != 0)
		return errno == ENOENT ? MCP_OK : report_errno("SOCKET", path, report);
	if (!S_ISSOCK(st.st_mode)) {
		report_add(report, REPORT_FAIL, "choose another path", "SOCKET %s exists and is no socket", path);
		return MCP_EPERM;
	}
	if (st.st_uid != geteuid()) {
		const struct passwd *owner = getpwuid(st.st_uid);

		report_add(report, REPORT_FAIL, "remove the file, or run as its owner",
		    "SOCKET %s exists and is of the wrong owner: %s (uid %lu)", path,
		    owner ? owner->pw_name : "?", (unsigned long)st.st_uid);
		return MCP_EPERM;
	}
	probe = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	if (probe < 0)
		return report_errno("SOCKET", path, report);
	/* EAGAIN: its queue is full, so somebody listens. */
	if (connect(probe, (const struct sockaddr *)address, sizeof(*address)) == 0 || errno == EAGAIN)
		err = report_live(path, report);
	else if (errno != ECONNREFUSED)
		err = report_errno("SOCKET", path, report);
	else if (unlink(path) != 0)
		err = report_errno("SOCKET exists, is stale and cannot be removed:", path, report);
	else
		report_add(report, REPORT_OK, NULL, "SOCKET %s was stale and is replaced", path);
	close(probe);
	return err;
}

/*
 * The directory of the socket file: whoever may rename there can put a socket of their own in its place, and get every
 * token. In one like /tmp everybody may make files, but not replace ours.
 */
static enum mcp_err
check_directory(const char *path, struct report *report)
{
	const char *slash = strrchr(path, '/');
	char dir[sizeof(((struct sockaddr_un *)NULL)->sun_path)];
	size_t len = (size_t)(slash - path) + (slash == path);
	struct stat st;

	memcpy(dir, path, len);
	dir[len] = '\0';
	if (stat(dir, &st) != 0)
		return report_errno("SOCKET", path, report);
	if ((st.st_mode & S_IWOTH) && !(st.st_mode & S_ISVTX)) {
		report_add(report, REPORT_FAIL, "choose a directory that only you and root may write",
		    "SOCKET %s is in a directory that everybody may write: anybody can replace it", path);
		return MCP_EPERM;
	}
	if (st.st_mode & S_IWOTH)
		report_add(report, REPORT_WARN, "choose a directory that only you and root may write",
		    "SOCKET %s is where everybody may make files: while nobody listens anybody can take its name",
		    path);
	return MCP_OK;
}

static enum mcp_err
listen_path(const char *path, int *fd, struct report *report)
{
	struct sockaddr_un address = { .sun_family = AF_UNIX };
	enum mcp_err err;
	mode_t mask;
	int s, rc;

	if (strlen(path) >= sizeof(address.sun_path)) {
		report_add(report, REPORT_FAIL, "choose a shorter path", "SOCKET %s is longer than %zu bytes", path,
		    sizeof(address.sun_path) - 1);
		return MCP_ESYNTAX;
	}
	memcpy(address.sun_path, path, strlen(path) + 1);
	err = check_directory(path, report);
	if (!err)
		err = remove_stale(&address, report);
	if (err)
		return err;
	s = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
	if (s < 0)
		return report_errno("SOCKET", path, report);
	/* The mode it is born with: a chmod() would come too late for who is quick. */
	mask = umask(0117);
	rc = bind(s, (const struct sockaddr *)&address, sizeof(address));
	umask(mask);
	if (rc != 0 || listen(s, BACKLOG) != 0) {
		err = errno == EADDRINUSE ? report_live(path, report) : report_errno("SOCKET", path, report);
		close(s);
		return err;
	}
	*fd = s;
	return MCP_OK;
}

/* Split HOST:PORT; HOST is numeric. */
static enum mcp_err
parse_host_port(const char *text, struct sockaddr_storage *out, socklen_t *len, int *port, struct address *host)
{
	const char *colon = strrchr(text, ':');
	struct sockaddr_in6 *six = (struct sockaddr_in6 *)out;
	struct sockaddr_in *four = (struct sockaddr_in *)out;
	char name[64];
	int64_t number;
	size_t n;

	memset(out, 0, sizeof(*out));
	if (!colon || text_parse_int(colon + 1, 1, 65535, &number) != MCP_OK)
		return MCP_ESYNTAX;
	n = (size_t)(colon - text);
	if (n >= 2 && text[0] == '[' && text[n - 1] == ']') {
		text++;
		n -= 2;
	}
	if (n == 0 || n >= sizeof(name))
		return MCP_ESYNTAX;
	memcpy(name, text, n);
	name[n] = '\0';
	*port = (int)number;
	if (inet_pton(AF_INET, name, &four->sin_addr) == 1) {
		four->sin_family = AF_INET;
		four->sin_port = htons((uint16_t)number);
		*len = sizeof(*four);
	} else if (inet_pton(AF_INET6, name, &six->sin6_addr) == 1) {
		six->sin6_family = AF_INET6;
		six->sin6_port = htons((uint16_t)number);
		*len = sizeof(*six);
	} else {
		return MCP_ESYNTAX;
	}
	return address_parse(name, n, host);
}

static enum mcp_err
report_port_in_use(int port, struct report *report)
{
	struct holder who;

	if (holder_of_port(port, &who))
		report_add(report, REPORT_FAIL, "choose another port or stop that process",
		    "PORT %d already in use by pid %ld (%s)", port, who.pid, who.name);
	else
		report_add(report, REPORT_FAIL, "choose another port or stop that process", "PORT %d already in use",
		    port);
	return MCP_EINVAL;
}

static enum mcp_err
listen_port(const char *text, bool any_address, int *fd, struct report *report)
{
	struct sockaddr_storage address;
	struct address host;
	enum mcp_err err;
	socklen_t len;
	int port, s, on = 1;

	if (parse_host_port(text, &address, &len, &port, &host) != MCP_OK) {
		report_add(report, REPORT_FAIL, "give /PATH or 127.0.0.1:PORT",
		    "LISTEN \"%s\" is neither a path with a slash nor a numeric HOST:PORT", text);
		return MCP_ESYNTAX;
	}
	if (!any_address && !address_is_loopback(&host)) {
		report_add(report, REPORT_FAIL,
		    "use a socket file or 127.0.0.1; --any-address if a firewall keeps others out",
		    "LISTEN %s is not loopback: whoever can connect there can claim to be any client", text);
		return MCP_EPERM;
	}
	s = socket(address.ss_family, SOCK_STREAM | SOCK_CLOEXEC, 0);
	if (s < 0)
		return report_errno("LISTEN", text, report);
	setsockopt(s, SOL_SOCKET, SO_REUSEADDR, &on, sizeof(on));
	if (bind(s, (const struct sockaddr *)&address, len) != 0 || listen(s, BACKLOG) != 0) {
		err = errno == EADDRINUSE ? report_port_in_use(port, report) : report_errno("LISTEN", text, report);
		close(s);
		return err;
	}
	*fd = s;
	return MCP_OK;
}

enum mcp_err
fcgi_listen(const char *address, bool any_address, int *fd, struct report *report)
{
	*fd = -1;
	if (strchr(address, '/'))
		return listen_path(address, fd, report);
	return listen_port(address, any_address, fd, report);
}

int
fcgi_listen_inherited(void)
{
	const char *pid = getenv("LISTEN_PID"), *fds = getenv("LISTEN_FDS");
	int64_t number = 0, count = 0;
	bool ours = pid && fds && text_parse_int(pid, 1, INT64_MAX, &number) == MCP_OK && number == (int64_t)getpid()
	    && text_parse_int(fds, 1, 1024, &count) == MCP_OK;

	unsetenv("LISTEN_PID");
	unsetenv("LISTEN_FDS");
	unsetenv("LISTEN_FDNAMES");
	if (!ours)
		return -1;
	fcntl(SYSTEMD_FIRST_FD, F_SETFD, FD_CLOEXEC);
	return SYSTEMD_FIRST_FD;
}

enum mcp_err
fcgi_peers_read(const char *text, struct fcgi_peers *out, struct report *report)
{
	*out = (struct fcgi_peers){ .limited = text != NULL };
	while (text && *text) {
		size_t len = strcspn(text, ",");

		if (out->n == FCGI_PEERS_MAX || address_parse(text, len, &out->v[out->n]) != MCP_OK) {
			report_add(report, REPORT_FAIL, NULL,
			    "FCGI_WEB_SERVER_ADDRS is no list of at most %d numeric addresses", FCGI_PEERS_MAX);
			return out->n == FCGI_PEERS_MAX ? MCP_ELIMIT : MCP_ESYNTAX;
		}
		out->n++;
		text += len + (text[len] == ',');
	}
	return MCP_OK;
}

enum mcp_err
fcgi_listen_check(int fd, bool any_address, struct report *report)
{
	union {
		struct sockaddr any;
		struct sockaddr_in four;
		struct sockaddr_in6 six;
		struct sockaddr_un path;
		struct sockaddr_storage storage;
	} address = { .storage = { 0 } };
	socklen_t len = sizeof(address) - 1;
	char text[INET6_ADDRSTRLEN] = "";
	struct address host;
	struct stat st;

	if (getsockname(fd, &address.any, &len) != 0)
		return MCP_OK;
	if (address.any.sa_family == AF_UNIX) {
		if (address.path.sun_path[0] && stat(address.path.sun_path, &st) == 0 && (st.st_mode & S_IWOTH))
			report_add(report, REPORT_WARN, "chmod 0660",
			    "SOCKET %s can be written by everybody: every local user can claim to be any client",
			    address.path.sun_path);
		return MCP_OK;
	}
	if (address.any.sa_family == AF_INET)
		inet_ntop(AF_INET, &address.four.sin_addr, text, sizeof(text));
	else if (address.any.sa_family == AF_INET6)
		inet_ntop(AF_INET6, &address.six.sin6_addr, text, sizeof(text));
	if (!text[0] || address_parse(text, strlen(text), &host) != MCP_OK || address_is_loopback(&host))
		return MCP_OK;
	report_add(report, any_address ? REPORT_WARN : REPORT_FAIL,
	    any_address ? "listen on a socket file or on 127.0.0.1" : "a socket file or 127.0.0.1; else --any-address",
	    "LISTEN %s is not loopback: whoever can connect there can claim to be any client", text);
	return any_address ? MCP_OK : MCP_EPERM;
}
