/* SPDX-License-Identifier: MIT */
/* Getting one key set from a URL, by the metadata, or from a file, with every doubt about it told in words. */
#include "oauth/keyfetch.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/clock.h"
#include "net/fetch.h"
#include "oauth/discovery.h"

#define CONNECT_MS 2000

/* jwks_parse() with its reason in words. */
static enum mcp_err
parse(const char *text, size_t len, struct jwks **set, char fault[KEYFETCH_FAULT_MAX])
{
	enum mcp_err err = jwks_parse(text, len, set, NULL);

	if (err == MCP_ENOENT)
		snprintf(fault, KEYFETCH_FAULT_MAX, "there is no usable key in the set");
	else if (err == MCP_ENOMEM)
		snprintf(fault, KEYFETCH_FAULT_MAX, "%s", mcp_strerror(err));
	else if (err)
		snprintf(fault, KEYFETCH_FAULT_MAX, "the document is not a key set: %s", mcp_strerror(err));
	return err;
}

/* Fetch and judge one set; "req" says from where, what is common to all is put into it. */
static enum mcp_err
fetch_set(struct fetch_request *req, const struct fetch_policy *policy, struct jwks **set, struct buf *text,
    int64_t *max_age_s, char fault[KEYFETCH_FAULT_MAX])
{
	static const char *const headers[] = { "Accept: application/json, application/jwk-set+json", NULL };
	struct fetch_response res;
	enum mcp_err err;

	req->method = "GET";
	req->headers = headers;
	req->connect_timeout_ms = CONNECT_MS;
	req->max_bytes = JWKS_BYTES_MAX;
	err = fetch(policy, req, &res);
	if (err) {
		snprintf(fault, KEYFETCH_FAULT_MAX, "%s", res.fault);
	} else if (res.status != 200) {
		snprintf(fault, KEYFETCH_FAULT_MAX, "the answer has status %d", res.status);
		err = MCP_EREMOTE;
	} else if (res.content_type && !fetch_response_is_json(&res)) {
		snprintf(fault, KEYFETCH_FAULT_MAX, "the answer is %.60s and not JSON", res.content_type);
		err = MCP_EREMOTE;
	} else {
		err = parse(res.body.data, res.body.len, set, fault);
		*max_age_s = res.max_age_s;
		buf_put(text, res.body.data, res.body.len);
	}
	fetch_response_clear(&res);
	return err;
}

enum mcp_err
keyfetch_url(const char *uri, const struct fetch_policy *policy, struct jwks **set, struct buf *text,
    int64_t *max_age_s, char fault[KEYFETCH_FAULT_MAX])
{
	struct fetch_request req = { .url = uri, .total_timeout_ms = KEYFETCH_TOTAL_MS };

	*set = NULL;
	*max_age_s = -1;
	fault[0] = '\0';
	return fetch_set(&req, policy, set, text, max_age_s, fault);
}

enum mcp_err
keyfetch_discovered(struct discovery *discovery, const struct fetch_policy *policy, int64_t now_s, struct jwks **set,
    struct buf *text, int64_t *max_age_s, char fault[KEYFETCH_FAULT_MAX])
{
	int64_t end_ms = clock_monotonic_ms() + KEYFETCH_TOTAL_MS;
	const struct discovery_document *document;
	struct fetch_request req = { .learnt = true, .origin_host = discovery_host(discovery) };
	enum mcp_err err;

	*set = NULL;
	*max_age_s = -1;
	fault[0] = '\0';
	err = discovery_get(discovery, now_s, true, &document);
	if (err) {
		snprintf(fault, KEYFETCH_FAULT_MAX, "%s", mcp_strerror(err));
		return err;
	}
	req.url = document->url[DISCOVERY_JWKS];
	req.total_timeout_ms = (long)(end_ms - clock_monotonic_ms());
	err = MCP_EREMOTE;
	if (document->status != 200)
		snprintf(fault, KEYFETCH_FAULT_MAX, "%s", document->fault);
	else if (!req.url)
		snprintf(fault, KEYFETCH_FAULT_MAX, "the metadata names no jwks_uri%s",
		    document->is_bad[DISCOVERY_JWKS] ? " that may be used" : "");
	else if (req.total_timeout_ms <= 0)
		snprintf(fault, KEYFETCH_FAULT_MAX, "the metadata took too long");
	else
		err = fetch_set(&req, policy, set, text, max_age_s, fault);
	discovery_release(document);
	return err;
}

/* Whether the open file "fd" is one that may be trusted; fills "st". */
static enum mcp_err
check_file(int fd, struct stat *st, char fault[KEYFETCH_FAULT_MAX])
{
	if (fstat(fd, st) < 0) {
		snprintf(fault, KEYFETCH_FAULT_MAX, "%.90s", strerror(errno));
		return MCP_EIO;
	}
	if (!S_ISREG(st->st_mode)) {
		snprintf(fault, KEYFETCH_FAULT_MAX, "it is not a regular file");
		return MCP_EPERM;
	}
	if (st->st_uid != 0 && st->st_uid != geteuid()) {
		snprintf(fault, KEYFETCH_FAULT_MAX, "it belongs to another user (uid %lu)", (unsigned long)st->st_uid);
		return MCP_EPERM;
	}
	if (st->st_mode & (S_IWGRP | S_IWOTH)) {
		snprintf(fault, KEYFETCH_FAULT_MAX, "group or others may write to it (mode %03o)", st->st_mode & 0777u);
		return MCP_EPERM;
	}
	return MCP_OK;
}

static enum mcp_err
read_all(int fd, struct buf *text, char fault[KEYFETCH_FAULT_MAX])
{
	char block[8192];
	ssize_t n;

	while ((n = read(fd, block, sizeof(block))) != 0) {
		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0) {
			snprintf(fault, KEYFETCH_FAULT_MAX, "%.90s", strerror(errno));
			return MCP_EIO;
		}
		buf_put(text, block, (size_t)n);
		if (buf_status(text)) {
			snprintf(fault, KEYFETCH_FAULT_MAX, "it is too large");
			return buf_status(text);
		}
	}
	return MCP_OK;
}

static bool
is_same(const struct keyfetch_stamp *a, const struct keyfetch_stamp *b)
{
	return a->device == b->device && a->inode == b->inode && a->size == b->size &&
	    a->modified.tv_sec == b->modified.tv_sec && a->modified.tv_nsec == b->modified.tv_nsec;
}

enum mcp_err
keyfetch_file(const char *path, struct keyfetch_stamp *stamp, struct jwks **set, char fault[KEYFETCH_FAULT_MAX])
{
	struct keyfetch_stamp now = { 0 };
	struct stat st;
	enum mcp_err err;
	struct buf text;
	int fd;

	*set = NULL;
	fault[0] = '\0';
	buf_init(&text, JWKS_BYTES_MAX);
	/* Non-blocking, so that a FIFO put there cannot hold us. */
	fd = open(path, O_RDONLY | O_CLOEXEC | O_NOCTTY | O_NONBLOCK);
	if (fd < 0) {
		snprintf(fault, KEYFETCH_FAULT_MAX, "%.90s", strerror(errno));
		err = MCP_EIO;
		goto out;
	}
	err = check_file(fd, &st, fault);
	if (err)
		goto out;
	now = (struct keyfetch_stamp){ st.st_dev, st.st_ino, st.st_size, st.st_mtim };
	if (is_same(&now, stamp))
		goto out;
	err = read_all(fd, &text, fault);
	if (!err)
		err = parse(text.data, text.len, set, fault);
out:
	/* What failed for want of memory is no fault of the file: it is read again. */
	if (err != MCP_ENOMEM && err != MCP_ECRYPTO)
		*stamp = now;
	buf_clear(&text);
	if (fd >= 0)
		close(fd);
	return err;
}
