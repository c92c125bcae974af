/* SPDX-License-Identifier: MIT */
#ifndef MCP_SERVER_FCGI_INPUT_H
#define MCP_SERVER_FCGI_INPUT_H

#include <signal.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include "base/buf.h"
#include "base/err.h"

/*
 * Reading FastCGI records from one connection, under bounds and deadlines. libfcgi has neither: it stores as many
 * parameters as come, waits for a silent peer for ever, aborts on two
 * kinds of record, and after a request whose body was not read it takes the rest of the body for the next request. So
 * it never reads from a peer here; it gets heads that were checked (fcgi.c).
 *
 * Nobody but a front sends to us, so whatever a front never sends ends the connection: management records, a second
 * request while one is being read, records of other requests, wrong lengths.
 * Source: FastCGI Specification 1.0, sections 3.3, 3.4, 4, 5 and 6.
 */

#define FCGI_BUFFER_SIZE (32 * 1024)	/* bytes read at once */
/* Bytes of a body nobody wanted that are thrown away before the connection is closed instead. */
#define FCGI_DISCARD_MAX (64LL * 1024 * 1024)

/*
 * Bytes that came and were not looked at yet. One a thread: whoever serves a connection lends it; it is empty
 * whenever the connection is put aside.
 */
struct fcgi_buffer {
	size_t start, end;
	unsigned char data[FCGI_BUFFER_SIZE];
};

/* How long to wait for a peer. */
struct fcgi_patience {
	int moment_ms;			/* for the rest of a head, once, before its connection is put aside */
	int between_bytes_ms;		/* silence that ends a request */
	int total_ms;			/* for a head, and for a body, in all */
	int stopping_ms;		/* silence that ends a request while *stopping */
	const atomic_bool *stopping;
	/* signal mask while waiting, so that a signal makes the wait look at *stopping again */
	const sigset_t *mask;
};

struct fcgi_pending;	/* a head that has come in part; fcgi_input.c */

/* Where a connection stands between two records. All zero but "fd" is a new one; fcgi_input_clear() releases it. */
struct fcgi_input {
	int fd;			/* borrowed */
	unsigned request_id;	/* of the request begun last, 0: none yet */
	bool keep;		/* its front wants to use the connection again */
	bool open;		/* its body is not at its end yet */
	bool broken;		/* nothing that follows can be trusted: no further request from here */
	/* The record being read: what is left of it. */
	unsigned type, id;
	size_t content, padding;
	int64_t discarded;	/* bytes thrown away since the last head */
	int64_t body_deadline_ms;	/* 0 until the body is first asked for */
	struct fcgi_pending *pending;	/* owned, NULL: none */
};

/*
 * What BEGIN_REQUEST and PARAMS said. Of an Authorization that alone is too large the first 80 KiB are kept, more than
 * any token may have (fcgi_params.h), so that it is refused as a token and not as a request.
 */
struct fcgi_head {
	unsigned role;		/* 1: RESPONDER */
	bool too_large;		/* the parameters are more than "params" holds; they were thrown away */
	/* a NUL, an empty name, or "=" in a name: C strings would say something else than was sent */
	bool bad_bytes;
	size_t count;		/* parameters */
};

/*
 * Read the next request's head. Unread bytes of an earlier body are thrown away first. "params" is reset and gets the
 * content of the PARAMS records, whose lengths are consistent on success. Does not wait for the first byte of a
 * request, and with "buffered_only" does not even ask the socket for it; for the rest of a head that has begun it
 * waits for a moment once. Returns MCP_OK; MCP_ENOENT when no head is complete ("buffer" is empty then: the connection
 * can be put aside until it is readable, and what has come of a head is in in->pending); MCP_ECLOSED (the peer has
 * closed); MCP_ETIMEOUT; MCP_ESYNTAX with *why, a static phrase; MCP_ENOMEM; MCP_EIO (errno).
 */
enum mcp_err fcgi_input_head(struct fcgi_input *in, struct fcgi_buffer *buffer, const struct fcgi_patience *patience,
    bool buffered_only, struct buf *params, struct fcgi_head *head, const char **why) MCP_MUST_CHECK;

/* How long a head that has come in part may still take, from now: 0 when there is none. */
int64_t fcgi_input_patience_ms(const struct fcgi_input *in, const struct fcgi_patience *patience);

/* Free what is kept of a head. */
void fcgi_input_clear(struct fcgi_input *in);

/*
 * Read up to "n" bytes of the body into "to". Returns their number, 0 at the end, or -1 with *err: MCP_ETIMEOUT,
 * MCP_ECLOSED (closed, aborted, or not FastCGI any more), MCP_EIO. After -1 in->broken is set.
 */
ssize_t fcgi_input_body(struct fcgi_input *in, struct fcgi_buffer *buffer, const struct fcgi_patience *patience,
    void *to, size_t n, enum mcp_err *err);

/*
 * Throw away what has arrived of the rest of the body, without waiting. Returns MCP_OK when the body's end was reached
 * and nothing follows it, MCP_ENOENT when more is to come, or MCP_ECLOSED when the
 * peer has closed or sent something else. Used before a connection is closed, so that closing it resets nothing the
 * peer has yet to read.
 */
enum mcp_err fcgi_input_drain(struct fcgi_input *in, struct fcgi_buffer *buffer) MCP_MUST_CHECK;

#endif
