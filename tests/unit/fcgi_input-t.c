/* SPDX-License-Identifier: MIT */
/* Reading FastCGI records from a socket: what a front sends, in every cut; what nobody may send; silence. */
#include "server/fcgi_input.h"

#include <poll.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include <fastcgi.h>

#include "http/request.h"

#include "../tap.h"

static atomic_bool stopping;
static sigset_t no_signals;
/* Short for the tests of silence, long where a busy machine must not matter. */
static struct fcgi_patience patience = {
	.moment_ms = 10000, .between_bytes_ms = 10000,
	.total_ms = 20000, .stopping_ms = 20, .stopping = &stopping, .mask = &no_signals
};

/* One connection: "peer" writes, the rest reads. */
static struct {
	int peer;
	struct fcgi_input in;
	struct fcgi_buffer buffer;
	struct buf params;
	struct fcgi_head head;
	const char *why;
} t;

static void
connect_peer(void)
{
	int fd[2];

	if (socketpair(AF_UNIX, SOCK_STREAM, 0, fd) != 0)
		exit(1);
	memset(&t.in, 0, sizeof(t.in));
	t.peer = fd[0];
	t.in.fd = fd[1];
	t.buffer.start = t.buffer.end = 0;
	buf_init(&t.params, HTTP_PARAMS_BYTES_MAX);
}

static void
disconnect(void)
{
	close(t.peer);
	close(t.in.fd);
	fcgi_input_clear(&t.in);
	buf_clear(&t.params);
}

/* A child writes when it gets to it. */
static void
await_peer(void)
{
	struct pollfd pfd = { .fd = t.in.fd, .events = POLLIN };

	poll(&pfd, 1, 10000);
}

static enum mcp_err
read_head(void)
{
	return fcgi_input_head(&t.in, &t.buffer, &patience, false, &t.params, &t.head, &t.why);
}

/* Compose records; what was read of them. */
static struct buf out, seen;

static void
record(unsigned type, unsigned id, const void *content, size_t len, size_t padding)
{
	static const char zeros[255];
	unsigned char header[8] = { 1, (unsigned char)type, (unsigned char)(id >> 8), (unsigned char)id,
	    (unsigned char)(len >> 8), (unsigned char)len, (unsigned char)padding, 0 };

	buf_put(&out, header, sizeof(header));
	buf_put(&out, content, len);
	buf_put(&out, zeros, padding);
}

static void
begin(unsigned id, unsigned role, unsigned flags)
{
	unsigned char body[8] = { (unsigned char)(role >> 8), (unsigned char)role, (unsigned char)flags };

	record(FCGI_BEGIN_REQUEST, id, body, sizeof(body), 0);
}

static void
params(unsigned id, const void *content, size_t len)
{
	if (len > 0)
		record(FCGI_PARAMS, id, content, len, len % 8);
	record(FCGI_PARAMS, id, NULL, 0, 0);
}

static void
flush(void)
{
	if (write(t.peer, out.data, out.len) != (ssize_t)out.len)
		exit(1);
	buf_clear(&out);
}

#define PAIR "\004\003NAMEval"

static void
test_request(void)
{
	enum mcp_err err;
	char body[64];

	connect_peer();
	is_int(read_head(), MCP_ENOENT, "nothing is there yet: the connection can be put aside");
	begin(7, FCGI_RESPONDER, FCGI_KEEP_CONN);
	params(7, PAIR, 9);
	record(FCGI_STDIN, 7, "hello ", 6, 2);
	record(FCGI_STDIN, 7, "world", 5, 3);
	record(FCGI_STDIN, 7, NULL, 0, 0);
	flush();
	is_int(read_head(), MCP_OK, "a head");
	ok(t.in.request_id == 7 && t.in.keep && t.in.open && t.head.role == FCGI_RESPONDER,
	    "its id, its flag, its role");
	is_mem(t.params.data, t.params.len, PAIR, 9, "its parameters");
	is_int((long long)t.head.count, 1, "one of them");
	is_int(fcgi_input_body(&t.in, &t.buffer, &patience, body, sizeof(body), &err), 6, "the body's first record");
	is_int(fcgi_input_body(&t.in, &t.buffer, &patience, body, 2, &err), 2, "two bytes of the second");
	is_int(fcgi_input_body(&t.in, &t.buffer, &patience, body, sizeof(body), &err), 3, "the rest of it");
	is_mem(body, 3, "rld", 3, "in order");
	is_int(fcgi_input_body(&t.in, &t.buffer, &patience, body, sizeof(body), &err), 0, "the end");
	is_int(fcgi_input_body(&t.in, &t.buffer, &patience, body, sizeof(body), &err), 0, "which stays the end");
	is_int(fcgi_input_head(&t.in, &t.buffer, &patience, true, &t.params, &t.head, &t.why), MCP_ENOENT,
	    "no further request is there");
	disconnect();
}

/* Every way to cut two requests on one connection into two writes. */
static void
test_cuts(void)
{
	struct buf whole;
	size_t good = 0;

	begin(1, FCGI_RESPONDER, FCGI_KEEP_CONN);
	params(1, PAIR, 9);
	record(FCGI_STDIN, 1, "abc", 3, 5);
	record(FCGI_STDIN, 1, NULL, 0, 0);
	begin(1, FCGI_RESPONDER, 0);
	params(1, PAIR, 9);
	record(FCGI_STDIN, 1, NULL, 0, 7);
	whole = out;
	buf_init(&out, 1 << 20);
	for (size_t cut = 1; cut < whole.len; cut++) {
		unsigned heads = 0;
		enum mcp_err err;

		connect_peer();
		if (fork() == 0) {
			_exit(write(t.peer, whole.data, cut) != (ssize_t)cut || poll(NULL, 0, 2) != 0
			    || write(t.peer, whole.data + cut, whole.len - cut) < 0);
		}
		do {
			if (t.buffer.start == t.buffer.end)
				await_peer();
			err = read_head();
			heads += err == MCP_OK;
		} while (heads < 2 && (err == MCP_OK || (err == MCP_ENOENT && t.buffer.start == t.buffer.end)));
		good += heads == 2;
		disconnect();
	}
	is_int((long long)good, (long long)whole.len - 1,
	    "two requests on one connection, cut anywhere in two writes, are two heads");
	buf_clear(&whole);
}

/* A head that comes in two parts, cut anywhere, and one that comes byte by byte, is the head. */
static void
test_parts(void)
{
	int right = 0, tried = 0, kept = 0;
	struct buf whole;

	patience.moment_ms = 0;
	buf_init(&whole, 4096);
	begin(9, FCGI_RESPONDER, FCGI_KEEP_CONN);
	record(FCGI_PARAMS, 9, PAIR, 4, 3);
	record(FCGI_PARAMS, 9, &PAIR[4], 5, 0);
	record(FCGI_PARAMS, 9, NULL, 0, 5);
	buf_put(&whole, out.data, out.len);
	buf_clear(&out);
	for (size_t cut = 0; cut < whole.len; cut++) {
		size_t step = cut ? whole.len : 1, sent = cut;
		enum mcp_err err = MCP_ENOENT;

		connect_peer();
		if (write(t.peer, whole.data, cut) == (ssize_t)cut && cut)
			err = read_head();
		kept += t.in.pending != NULL && t.params.len == 0 && t.buffer.start == t.buffer.end;
		for (; err == MCP_ENOENT && sent < whole.len; sent += step) {
			if (step > whole.len - sent)
				step = whole.len - sent;
			if (write(t.peer, whole.data + sent, step) == (ssize_t)step)
				err = read_head();
		}
		tried++;
		right += err == MCP_OK && t.in.request_id == 9 && t.in.keep && !t.in.pending && t.head.count == 1
		    && t.head.role == FCGI_RESPONDER && t.params.len == 9 && memcmp(t.params.data, PAIR, 9) == 0;
		disconnect();
	}
	is_int(right, tried, "a head that comes in parts, cut at any byte, is the head");
	/* The padding of the last record is nobody's concern. */
	is_int(kept, tried - 1 - 5, "and nothing but what is kept of it stands in the way of another connection");
	buf_clear(&whole);
	patience.moment_ms = 10000;
}

static void
test_unread_body(void)
{
	static char big[60000];
	enum mcp_err err;
	char body[16];

	/* Records inside the body are the body's bytes: the trap of libfcgi, which takes them for requests. */
	connect_peer();
	begin(1, FCGI_RESPONDER, FCGI_KEEP_CONN);
	params(1, PAIR, 9);
	flush();
	is_int(read_head(), MCP_OK, "a head whose body comes later");
	begin(1, FCGI_RESPONDER, 0);
	params(1, "\021\013HTTP_AUTHORIZATION", 20);
	memcpy(big, out.data, out.len);
	buf_clear(&out);
	record(FCGI_STDIN, 1, big, sizeof(big), 0);
	record(FCGI_STDIN, 1, NULL, 0, 0);
	flush();
	is_int(read_head(), MCP_ENOENT, "records in an unread body are no request");
	ok(!t.in.open, "the body is over then");
	begin(2, FCGI_RESPONDER, 0);
	params(2, "", 0);
	record(FCGI_STDIN, 2, "x", 1, 0);
	flush();
	is_int(read_head(), MCP_OK, "the next request is the next BEGIN_REQUEST");
	is_int(t.in.request_id, 2, "with its id");
	is_int(fcgi_input_drain(&t.in, &t.buffer), MCP_ENOENT, "drained: the body is not over");
	record(FCGI_STDIN, 2, NULL, 0, 0);
	flush();
	is_int(fcgi_input_drain(&t.in, &t.buffer), MCP_OK, "drained: now it is");
	disconnect();

	connect_peer();
	begin(1, FCGI_RESPONDER, FCGI_KEEP_CONN);
	params(1, PAIR, 9);
	record(FCGI_STDIN, 1, "abc", 3, 0);
	begin(2, FCGI_RESPONDER, 0);
	flush();
	is_int(read_head(), MCP_OK, "a head");
	is_int(fcgi_input_body(&t.in, &t.buffer, &patience, body, sizeof(body), &err), 3, "its body");
	is_int(fcgi_input_body(&t.in, &t.buffer, &patience, body, sizeof(body), &err), -1,
	    "a second request before the body's end");
	is_int(err, MCP_ECLOSED, "cuts the body off");
	ok(t.in.broken, "and ends the connection");
	disconnect();
}

/* Whatever a front never sends. */
static void
test_refused(void)
{
	static const struct {
		const char *text;
		const char *bytes;
		size_t len;
	} rows[] = {
		{ "a version 2", "\002\001\000\001\000\010\000\000", 8 },
		{ "HTTP instead of FastCGI", "GET / HTTP/1.1\r\n\r\n", 18 },
		{ "GET_VALUES", "\001\011\000\000\000\021\000\000\016\001FCGI_MAX_CONNS", 25 },
		{ "an unknown management record", "\001\143\000\000\000\000\000\000", 8 },
		{ "PARAMS before BEGIN_REQUEST", "\001\004\000\001\000\000\000\000", 8 },
		{ "STDIN before BEGIN_REQUEST", "\001\005\000\001\000\000\000\000", 8 },
		{ "BEGIN_REQUEST with id 0", "\001\001\000\000\000\010\000\000\000\001\000\000\000\000\000\000", 16 },
		{ "BEGIN_REQUEST of 7 bytes", "\001\001\000\001\000\007\000\000\000\001\000\000\000\000\000", 15 },
		{ "BEGIN_REQUEST of 65535 bytes", "\001\001\000\001\377\377\000\000", 8 },
		{ "an answer's record", "\001\006\000\001\000\000\000\000", 8 },
	};
	static const struct {
		const char *text;
		const char *bytes;
		size_t len;
		bool too_large, bad_bytes;
		enum mcp_err want;
	} pairs[] = {
		{ "an empty parameter list", "", 0, false, false, MCP_OK },
		{ "an empty value", "\001\000A", 3, false, false, MCP_OK },
		{ "four-byte lengths", "\200\000\000\001\200\000\000\001AB", 10, false, false, MCP_OK },
		{ "a name without a value's length", "\001", 1, false, false, MCP_ESYNTAX },
		{ "a four-byte length cut off", "\200\000\000", 3, false, false, MCP_ESYNTAX },
		{ "a name longer than what was sent", "\005\000AB", 4, false, false, MCP_ESYNTAX },
		{ "a value longer than what was sent", "\001\005AB", 4, false, false, MCP_ESYNTAX },
		{ "both lengths 2^30", "\300\000\000\000\300\000\000\000AB", 10, false, false, MCP_ESYNTAX },
		{ "both lengths 2^31 - 1", "\377\377\377\377\377\377\377\377AB", 10, false, false, MCP_ESYNTAX },
		{ "one byte too many", "\001\001ABC", 5, false, false, MCP_ESYNTAX },
		{ "a NUL in a value", "\001\003Aa\000b", 6, false, true, MCP_OK },
		{ "a NUL in a name", "\002\001A\000b", 5, false, true, MCP_OK },
		{ "\"=\" in a name", "\003\001A=Bc", 6, false, true, MCP_OK },
		{ "an empty name", "\000\001b", 3, false, true, MCP_OK },
	};

	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		connect_peer();
		buf_put(&out, rows[i].bytes, rows[i].len);
		flush();
		is_int(read_head(), MCP_ESYNTAX, "refused: %s", rows[i].text);
		ok(t.why && t.in.broken, "and told why (%s)", t.why ? t.why : "");
		disconnect();
	}
	for (size_t i = 0; i < sizeof(pairs) / sizeof(pairs[0]); i++) {
		connect_peer();
		begin(1, FCGI_RESPONDER, 0);
		params(1, pairs[i].bytes, pairs[i].len);
		flush();
		is_int(read_head(), pairs[i].want, "parameters: %s", pairs[i].text);
		if (pairs[i].want == MCP_OK)
			ok(t.head.bad_bytes == pairs[i].bad_bytes, "parameters: %s: told as %s", pairs[i].text,
			    pairs[i].bad_bytes ? "bad" : "good");
		disconnect();
	}
}

static void
test_among_params(void)
{
	static const struct {
		const char *text;
		unsigned type, id;
		enum mcp_err want;
	} rows[] = {
		{ "STDIN", FCGI_STDIN, 1, MCP_ESYNTAX },
		{ "a second BEGIN_REQUEST", FCGI_BEGIN_REQUEST, 1, MCP_ESYNTAX },
		{ "another request's record", FCGI_PARAMS, 2, MCP_ESYNTAX },
		{ "GET_VALUES", FCGI_GET_VALUES, 0, MCP_ESYNTAX },
		{ "ABORT_REQUEST", FCGI_ABORT_REQUEST, 1, MCP_ECLOSED },
	};

	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		connect_peer();
		begin(1, FCGI_RESPONDER, 0);
		record(FCGI_PARAMS, 1, PAIR, 9, 0);
		record(rows[i].type, rows[i].id, PAIR, 8, 0);
		flush();
		is_int(read_head(), rows[i].want, "among the parameters: %s ends the connection", rows[i].text);
		disconnect();
	}
}

/* Write "total" bytes of parameters in records of 65,000 bytes from a child, so that this side can read meanwhile. */
static enum mcp_err
read_params_of(size_t total)
{
	size_t left = total;
	enum mcp_err err;
	char *content = calloc(1, 65000);
	pid_t child;

	connect_peer();
	child = fork();
	if (child == 0) {
		close(t.in.fd);
		signal(SIGPIPE, SIG_IGN);
		begin(1, FCGI_RESPONDER, 0);
		while (left > 0) {
			size_t n = left < 65000 ? left : 65000;

			record(FCGI_PARAMS, 1, content, n, 0);
			left -= n;
		}
		record(FCGI_PARAMS, 1, NULL, 0, 0);
		for (size_t at = 0; at < out.len; ) {
			ssize_t n = write(t.peer, out.data + at, out.len - at);

			if (n <= 0)
				break;
			at += (size_t)n;
		}
		_exit(0);
	}
	free(content);
	await_peer();
	err = read_head();
	disconnect();
	return err;
}

static void
test_large(void)
{
	is_int(read_params_of(HTTP_PARAMS_BYTES_MAX), MCP_OK, "parameters up to the bound are kept");
	ok(!t.head.too_large, "and not called too large");
	is_int(read_params_of(HTTP_PARAMS_BYTES_MAX + 1), MCP_OK,
	    "a byte more is read to its end, so that the request can be refused");
	ok(t.head.too_large, "and called too large");
}

static void
put_length(struct buf *b, size_t n)
{
	const unsigned char bytes[4] = { (unsigned char)(0x80 | n >> 24), (unsigned char)(n >> 16),
	    (unsigned char)(n >> 8), (unsigned char)n };

	buf_put(b, bytes, sizeof(bytes));
}

static void
put_pair(struct buf *b, const char *name, char fill, size_t n)
{
	put_length(b, strlen(name));
	put_length(b, n);
	buf_puts(b, name);
	for (size_t i = 0; i < n; i++)
		buf_putc(b, fill);
}

/* Send the pairs in records of "size" bytes from a child, read them here. */
static enum mcp_err
read_pairs(const struct buf *b, size_t size)
{
	enum mcp_err err;

	connect_peer();
	if (fork() == 0) {
		close(t.in.fd);
		signal(SIGPIPE, SIG_IGN);
		begin(1, FCGI_RESPONDER, 0);
		flush();
		for (size_t at = 0; at < b->len; at += size) {
			record(FCGI_PARAMS, 1, b->data + at, b->len - at < size ? b->len - at : size, at % 7);
			flush();
		}
		record(FCGI_PARAMS, 1, NULL, 0, 0);
		flush();
		_exit(0);
	}
	await_peer();
	err = read_head();
	buf_reset(&seen);
	buf_put(&seen, t.params.data, t.params.len);
	disconnect();
	return err;
}

/* An Authorization of any length, among other parameters in any order, in records of any size. */
static void
test_authorization(void)
{
	static const size_t sizes[] = { 70000, 81919, 81920, 81921, 150000, 190000, 196608, 250000, 700000 };
	static const size_t records[] = { 65535, 8192, 50001 };
	struct buf sent, want;
	unsigned right = 0, tried = 0;

	buf_init(&sent, 4 << 20);
	buf_init(&want, 4 << 20);
	for (size_t i = 0; i < sizeof(sizes) / sizeof(sizes[0]) * 9; i++) {
		size_t size = sizes[i / 9], before = i / 3 % 3 * 10000 + 1, after = 20001 - before / 2;
		bool fits = size + before + after + 3 * 8 + 2 + strlen("HTTP_AUTHORIZATION") <= HTTP_PARAMS_BYTES_MAX;

		buf_reset(&sent);
		buf_reset(&want);
		put_pair(&sent, "A", 'a', before);
		put_pair(&sent, "HTTP_AUTHORIZATION", 't', size);
		put_pair(&sent, "B", 'b', after);
		put_pair(&want, "A", 'a', before);
		put_pair(&want, "HTTP_AUTHORIZATION", 't', fits || size < 80 * 1024 ? size : 80 * 1024);
		put_pair(&want, "B", 'b', after);
		tried++;
		if (read_pairs(&sent, records[i % 3]) == MCP_OK && !t.head.too_large && t.head.count == 3
		    && seen.len == want.len && memcmp(seen.data, want.data, want.len) == 0)
			right++;
		else
			diag("size %zu, before %zu, records of %zu: %zu bytes, want %zu", size, before, records[i % 3],
			    seen.len, want.len);
	}
	is_int(right, tried, "an Authorization that does not fit is cut to 80 KiB, everything beside it is kept");
	buf_clear(&sent);
	buf_clear(&want);
}

static void
test_silence(void)
{
	enum mcp_err err;
	char body[16];

	/* However late this wakes, silence has not lasted for too long. */
	patience.moment_ms = 10;
	patience.between_bytes_ms = 20000;
	patience.total_ms = 30000;
	connect_peer();
	begin(1, FCGI_RESPONDER, 0);
	flush();
	is_int(read_head(), MCP_ENOENT, "silence among the parameters: the connection can be put aside");
	ok(fcgi_input_patience_ms(&t.in, &patience) <= 20000, "not for longer than silence may last");
	disconnect();

	patience.moment_ms = 0;
	patience.total_ms = 1000;
	connect_peer();
	begin(1, FCGI_RESPONDER, 0);
	flush();
	is_int(read_head(), MCP_ENOENT, "another one");
	poll(NULL, 0, 1010);
	is_int(fcgi_input_patience_ms(&t.in, &patience), 0, "when the whole time is over there is no patience left");
	is_int(read_head(), MCP_ETIMEOUT, "and it ends");
	disconnect();

	patience.moment_ms = 10;
	patience.between_bytes_ms = 80;
	patience.total_ms = 300;
	connect_peer();
	begin(1, FCGI_RESPONDER, 0);
	params(1, PAIR, 9);
	record(FCGI_STDIN, 1, "abc", 3, 0);
	flush();
	is_int(read_head(), MCP_OK, "a head");
	is_int(fcgi_input_body(&t.in, &t.buffer, &patience, body, sizeof(body), &err), 3, "a part of its body");
	is_int(fcgi_input_body(&t.in, &t.buffer, &patience, body, sizeof(body), &err), -1, "silence in the body ends");
	is_int(err, MCP_ETIMEOUT, "as a timeout");
	ok(t.in.broken, "after which the connection is not used again");
	disconnect();

	/* One byte at a time, each in time, for longer than the whole may last. */
	connect_peer();
	if (fork() == 0) {
		static const unsigned char byte = 1;

		close(t.in.fd);
		signal(SIGPIPE, SIG_IGN);
		begin(1, FCGI_RESPONDER, 0);
		flush();
		for (int i = 0; i < 40; i++) {
			poll(NULL, 0, 20);
			if (write(t.peer, &byte, 1) != 1)
				break;
		}
		_exit(0);
	}
	do {
		await_peer();
		err = read_head();
	} while (err == MCP_ENOENT);
	ok(err == MCP_ETIMEOUT || err == MCP_ESYNTAX, "a slow drip ends");
	disconnect();

	connect_peer();
	close(t.peer);
	t.peer = -1;
	is_int(read_head(), MCP_ECLOSED, "a peer that closes between requests");
	disconnect();

	connect_peer();
	begin(1, FCGI_RESPONDER, 0);
	params(1, PAIR, 9);
	record(FCGI_STDIN, 1, "abc", 3, 0);
	flush();
	close(t.peer);
	t.peer = -1;
	is_int(read_head(), MCP_OK, "a head of a peer that has closed");
	is_int(fcgi_input_body(&t.in, &t.buffer, &patience, body, sizeof(body), &err), 3, "what it sent of the body");
	is_int(fcgi_input_body(&t.in, &t.buffer, &patience, body, sizeof(body), &err), -1,
	    "a body cut off is no whole body");
	is_int(err, MCP_ECLOSED, "and told so");
	disconnect();
}

int
main(void)
{
	signal(SIGCHLD, SIG_IGN);
	sigemptyset(&no_signals);
	buf_init(&out, 4 << 20);
	buf_init(&seen, 4 << 20);
	test_request();
	test_cuts();
	test_parts();
	test_unread_body();
	test_refused();
	test_among_params();
	test_large();
	test_authorization();
	test_silence();
	buf_clear(&out);
	buf_clear(&seen);
	return tap_done();
}
