/* SPDX-License-Identifier: MIT */
/* Whose identity the command works under. */
#include "cli/identity.h"

#include <errno.h>
#include <grp.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/types.h>
#include <unistd.h>

/* Give up root for the owner of a directory. All ids and groups, so that there is no way back. */
static enum mcp_err
become(const struct stat *dir, const char **why)
{
	if (dir->st_uid == 0)
		return MCP_OK;
	if (setgroups(1, &dir->st_gid) != 0 || setgid(dir->st_gid) != 0 || setuid(dir->st_uid) != 0 || setuid(0) == 0) {
		*why = "the identity of the directory's owner cannot be taken";
		return MCP_EPERM;
	}
	return MCP_OK;
}

enum mcp_err
identity_of_state(const struct server_settings *settings, const char *state_dir, struct buf *out, const char **why)
{
	const char *dir = state_dir ? state_dir : settings->state_dir;
	enum mcp_err err = MCP_OK;
	struct stat st;

	*why = "out of memory";
	if (geteuid() == 0) {
		/* What server_state_directory() will choose once we are its owner. */
		if (lstat(dir ? dir : MCP_LOCALSTATEDIR "/lib/mcp-fcgi", &st) == 0) {
			if (!S_ISDIR(st.st_mode)) {
				*why = "it is no directory";
				return MCP_EPERM;
			}
			err = become(&st, why);
		} else if (dir) {
			*why = "there is no such directory, and the server could not use one that root makes;"
			    " make it and give it to the server's user";
			return errno == ENOENT ? MCP_ENOENT : MCP_EIO;
		}
	}
	if (err)
		return err;
	if (state_dir) {
		buf_puts(out, state_dir);
		return buf_status(out);
	}
	err = server_state_directory(settings, out);
	if (err == MCP_ENOENT)
		*why = "STATE_DIR is not set, and there is no home directory";
	return err;
}
