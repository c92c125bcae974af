/* SPDX-License-Identifier: MIT */
/*
 * What a FastCGI peer sends on one connection. Input: a byte of choices, then the bytes; the peer closes after them.
 * Choices: 1: bodies are read in large pieces; 2: bodies are left unread; 4: the connection is drained after the first
 * request.
 */
#include <signal.h>
#include <stdatomic.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "http/request.h"
#include "server/fcgi_input.h"
#include "tests/fuzz/fuzz.h"

#define INPUT_MAX (64 * 1024)	/* less than a socket holds, so that writing never blocks */

static atomic_bool stopping;
static sigset_t mask;
static const struct fcgi_patience patience = {
	.between_bytes_ms = 1000, .total_ms = 1000, .stopping_ms = 1000, .stopping = &stopping, .mask = &mask
};

static size_t
read_length(const unsigned char **p)
{
	size_t n = *(*p)++;

	if (n & 0x80) {
		n = (n & 0x7f) << 24 | (size_t)(*p)[0] << 16 | (size_t)(*p)[1] << 8 | (*p)[2];
		*p += 3;
	}
	return n;
}

/* libfcgi gets these without a further check: every pair must lie within what was sent. */
static void
examine_params(const struct buf *params, const struct fcgi_head *head)
{
	const unsigned char *p = (const unsigned char *)params->data, *end = p + params->len;
	size_t count = 0;

	while (p < end) {
		size_t name = read_length(&p), value = read_length(&p);

		FUZZ_CLAIM(p <= end && name <= (size_t)(end - p) && value <= (size_t)(end - p) - name);
		if (!head->bad_bytes)
			FUZZ_CLAIM(name > 0 && !memchr(p, '=', name) && !memchr(p, 0, name + value));
		p += name + value;
		count++;
	}
	FUZZ_CLAIM(p == end && count == head->count);
}

static void
read_body(struct fcgi_input *in, struct fcgi_buffer *buffer, size_t piece)
{
	static char to[FCGI_BUFFER_SIZE];
	size_t total = 0;
	enum mcp_err err;
	ssize_t n;

	while ((n = fcgi_input_body(in, buffer, &patience, to, piece, &err)) > 0) {
		FUZZ_CLAIM((size_t)n <= piece);
		total += (size_t)n;
	}
	FUZZ_CLAIM(total <= INPUT_MAX);
	FUZZ_CLAIM(n == 0 ? !in->open : in->broken && (err == MCP_ECLOSED || err == MCP_EIO));
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static struct fcgi_buffer buffer;
	struct fcgi_input in = { 0 };
	struct fcgi_head head;
	const char *why;
	struct buf params;
	enum mcp_err err;
	size_t sent;
	int fd[2];

	if (size < 1 || size > INPUT_MAX)
		return 0;
	FUZZ_CLAIM(socketpair(AF_UNIX, SOCK_STREAM, 0, fd) == 0);
	in.fd = fd[1];
	buffer.start = buffer.end = 0;
	buf_init(&params, HTTP_PARAMS_BYTES_MAX);
	/* The first head in pieces, all that follows at once. */
	sent = 1;
	err = MCP_ENOENT;
	for (size_t step = 1 + (data[0] >> 4); data[0] & 8 && err == MCP_ENOENT && sent < size; sent += step) {
		if (step > size - sent)
			step = size - sent;
		FUZZ_CLAIM(write(fd[0], data + sent, step) == (ssize_t)step);
		err = fcgi_input_head(&in, &buffer, &patience, false, &params, &head, &why);
		FUZZ_CLAIM(err != MCP_ENOENT || (buffer.start == buffer.end && params.len == 0));
	}
	FUZZ_CLAIM(write(fd[0], data + sent, size - sent) == (ssize_t)(size - sent));
	close(fd[0]);
	if (err == MCP_ENOENT)
		err = fcgi_input_head(&in, &buffer, &patience, false, &params, &head, &why);
	for (; err == MCP_OK; err = fcgi_input_head(&in, &buffer, &patience, false, &params, &head, &why)) {
		FUZZ_CLAIM(in.request_id > 0 && in.request_id <= 0xffff && !head.too_large);
		examine_params(&params, &head);
		if (data[0] & 4) {
			err = fcgi_input_drain(&in, &buffer);
			break;
		}
		if (!(data[0] & 2))
			read_body(&in, &buffer, data[0] & 1 ? FCGI_BUFFER_SIZE : 7);
		if (in.broken)
			break;
	}
	FUZZ_CLAIM(err != MCP_ESYNTAX || (why && in.broken) || data[0] & 4);
	FUZZ_CLAIM(err != MCP_ENOENT || buffer.start == buffer.end || data[0] & 4);
	FUZZ_CLAIM(err != MCP_ETIMEOUT);
	fcgi_input_clear(&in);
	buf_clear(&params);
	close(fd[1]);
	return 0;
}
