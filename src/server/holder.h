/* SPDX-License-Identifier: MIT */
#ifndef MCP_SERVER_HOLDER_H
#define MCP_SERVER_HOLDER_H

#include <stdbool.h>

/*
 * Which process has a listening socket, for messages; as far as /proc tells us (other users' processes only to
 * root).
 */
struct holder {
	long pid;
	char name[32];	/* the command's name */
};

/* Who listens on a TCP port, on any address. Returns false when that cannot be found out. */
bool holder_of_port(int port, struct holder *out);

/* Who listens on the socket file "path", named as that process named it. */
bool holder_of_path(const char *path, struct holder *out);

#endif
