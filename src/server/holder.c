/* SPDX-License-Identifier: MIT */
/* Answers for: finding the process behind a socket, by its inode in /proc/net and the descriptors in /proc/PID/fd. */
#include "server/holder.h"

#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define TCP_LISTEN 0x0a

/* The inode of a socket that listens on "port", from a table of the form of /proc/net/tcp; 0 if none does. */
static unsigned long
find_port(const char *table, int port)
{
	FILE *f = fopen(table, "re");
	unsigned long inode = 0;
	char line[512];

	if (!f)
		return 0;
	while (inode == 0 && fgets(line, sizeof(line), f)) {
		unsigned local_port, state;
		unsigned long number;

		/* sl local_address rem_address st tx:rx tr:tm retrnsmt uid timeout inode */
		if (sscanf(line, " %*u: %*[0-9A-Fa-f]:%x %*[0-9A-Fa-f]:%*x %x %*s %*s %*s %*u %*u %lu",
		    &local_port, &state, &number) == 3
		    && state == TCP_LISTEN && local_port == (unsigned)port)
			inode = number;
	}
	fclose(f);
	return inode;
}

static unsigned long
find_path(const char *path)
{
	FILE *f = fopen("/proc/net/unix", "re");
	unsigned long inode = 0;
	char line[512];

	if (!f)
		return 0;
	while (inode == 0 && fgets(line, sizeof(line), f)) {
		unsigned long flags, number;
		int at = 0;

		/* Num RefCount Protocol Flags Type St Inode Path; 00010000 of the flags is "listens". */
		line[strcspn(line, "\n")] = '\0';
		if (sscanf(line, "%*x: %*x %*x %lx %*x %*x %lu %n", &flags, &number, &at) == 2 && at > 0
		    && (flags & 0x10000)
		    && strcmp(line + at, path) == 0)
			inode = number;
	}
	fclose(f);
	return inode;
}

/* Whether process "pid" has the socket among its descriptors. */
static bool
has_socket(const char *pid, const char *link)
{
	char path[300], target[64];
	struct dirent *entry;
	bool found = false;
	DIR *dir;

	snprintf(path, sizeof(path), "/proc/%s/fd", pid);
	dir = opendir(path);
	if (!dir)
		return false;
	while (!found && (entry = readdir(dir)) != NULL) {
		ssize_t n = readlinkat(dirfd(dir), entry->d_name, target, sizeof(target) - 1);

		if (n > 0) {
			target[n] = '\0';
			found = strcmp(target, link) == 0;
		}
	}
	closedir(dir);
	return found;
}

static void
read_name(const char *pid, struct holder *out)
{
	char path[300];
	FILE *f;

	out->pid = strtol(pid, NULL, 10);
	snprintf(out->name, sizeof(out->name), "?");
	snprintf(path, sizeof(path), "/proc/%s/comm", pid);
	f = fopen(path, "re");
	if (!f)
		return;
	if (fgets(out->name, sizeof(out->name), f))
		out->name[strcspn(out->name, "\n")] = '\0';
	fclose(f);
}

static bool
find_holder(unsigned long inode, struct holder *out)
{
	struct dirent *entry;
	bool found = false;
	char link[64];
	DIR *proc;

	proc = inode ? opendir("/proc") : NULL;
	if (!proc)
		return false;
	snprintf(link, sizeof(link), "socket:[%lu]", inode);
	while (!found && (entry = readdir(proc)) != NULL) {
		if (entry->d_name[0] < '1' || entry->d_name[0] > '9' || !has_socket(entry->d_name, link))
			continue;
		read_name(entry->d_name, out);
		found = true;
	}
	closedir(proc);
	return found;
}

bool
holder_of_port(int port, struct holder *out)
{
	unsigned long inode = find_port("/proc/net/tcp", port);

	return find_holder(inode ? inode : find_port("/proc/net/tcp6", port), out);
}

bool
holder_of_path(const char *path, struct holder *out)
{
	return find_holder(find_path(path), out);
}
