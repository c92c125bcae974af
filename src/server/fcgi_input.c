/* SPDX-License-Identifier: MIT */
/*
 * Answers for: turning a front's bytes into heads and bodies. The life of a connection's input:
 *   1 head: records up to the empty PARAMS record; what is left of an earlier body is skipped on the way
 *   2 body: contents of STDIN records up to the empty one, as far as somebody wants them
 *   3 back to 1, or drain and close
 */
#include "server/fcgi_input.h"

#include <errno.h>
#include <poll.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>

#include <fastcgi.h>

#include "base/clock.h"
#include "http/request.h"
#include "server/fcgi_params.h"

/* Larger heads than this are not even thrown away: every front refuses them long before. */
#define PARAMS_TOTAL_MAX (16 * 1024 * 1024)

/* What to do when the buffer is empty. */
enum fill_mode {
	FILL_NEVER,	/* say MCP_ENOENT */
	FILL_TRY,	/* take what the socket has, else MCP_ENOENT */
	FILL_WAIT	/* wait as patience allows */
};

struct reader {
	struct fcgi_input *in;
	struct fcgi_buffer *buffer;
	const struct fcgi_patience *patience;
	int64_t deadline_ms;	/* for FILL_WAIT */
	enum fill_mode mode;
	const char *why;
	size_t params_total;	/* bytes of parameters that came */
	size_t cut;		/* bytes of a parameter's value that are still to come and thrown away */
};

static enum mcp_err
syntax(struct reader *r, const char *why)
{
	r->in->broken = true;
	r->why = why;
	return MCP_ESYNTAX;
}

/* Wait until the socket is readable. MCP_OK, MCP_ETIMEOUT, MCP_EIO. */
static enum mcp_err
wait_readable(const struct reader *r)
{
	const struct fcgi_patience *p = r->patience;
	int64_t since_ms = clock_monotonic_ms();

	for (;;) {
		struct pollfd pfd = { .fd = r->in->fd, .events = POLLIN };
		int64_t now_ms = clock_monotonic_ms();
		int64_t until_ms = since_ms + p->between_bytes_ms;
		struct timespec ts;
		int n;

		if (atomic_load(p->stopping) && until_ms > since_ms + p->stopping_ms)
			until_ms = since_ms + p->stopping_ms;
		if (until_ms > r->deadline_ms)
			until_ms = r->deadline_ms;
		if (now_ms >= until_ms)
			return MCP_ETIMEOUT;
		ts.tv_sec = (until_ms - now_ms) / 1000;
		ts.tv_nsec = (until_ms - now_ms) % 1000 * 1000000;
		n = ppoll(&pfd, 1, &ts, p->mask);
		if (n > 0)
			return MCP_OK;
		if (n < 0 && errno != EINTR)
			return MCP_EIO;
	}
}

/*
 * Receive at least one byte into "to". MCP_OK with *got, MCP_ENOENT (not FILL_WAIT), MCP_ETIMEOUT, MCP_ECLOSED,
 * MCP_EIO.
 */
static enum mcp_err
receive(const struct reader *r, void *to, size_t n, size_t *got)
{
	*got = 0;
	if (r->mode == FILL_NEVER)
		return MCP_ENOENT;
	for (;;) {
		ssize_t count = recv(r->in->fd, to, n, MSG_DONTWAIT);
		enum mcp_err err;

		if (count > 0) {
			*got = (size_t)count;
			return MCP_OK;
		}
		if (count == 0 || errno == ECONNRESET)
			return MCP_ECLOSED;
		if (errno == EINTR)
			continue;
		if (errno != EAGAIN)
			return MCP_EIO;
		if (r->mode == FILL_TRY)
			return MCP_ENOENT;
		err = wait_readable(r);
		if (err)
			return err;
	}
}

/* Make sure that "need" bytes (at most a few) stand in the buffer. */
static enum mcp_err
fill(const struct reader *r, size_t need)
{
	struct fcgi_buffer *b = r->buffer;

	if (b->start == b->end)
		b->start = b->end = 0;
	if (FCGI_BUFFER_SIZE - b->start < need) {
		memmove(b->data, b->data + b->start, b->end - b->start);
		b->end -= b->start;
		b->start = 0;
	}
	while (b->end - b->start < need) {
		size_t got;
		enum mcp_err err = receive(r, b->data + b->end, FCGI_BUFFER_SIZE - b->end, &got);

		if (err)
			return err;
		b->end += got;
	}
	return MCP_OK;
}

/* Skip what is left of the record being read. */
static enum mcp_err
skip_record(const struct reader *r)
{
	struct fcgi_input *in = r->in;

	while (in->content + in->padding > 0) {
		size_t have, n;
		enum mcp_err err = fill(r, 1);

		if (err)
			return err;
		have = r->buffer->end - r->buffer->start;
		n = have < in->content ? have : in->content;
		in->content -= n;
		in->discarded += (int64_t)n;
		r->buffer->start += n;
		have -= n;
		n = have < in->padding ? have : in->padding;
		in->padding -= n;
		r->buffer->start += n;
		if (in->discarded > FCGI_DISCARD_MAX)
			return MCP_ELIMIT;
	}
	return MCP_OK;
}

/*
 * Go to the next record and read its header. A header that has begun to arrive is waited for in every mode, because the
 * buffer must be empty when a connection is put aside.
 */
static enum mcp_err
next_record(struct reader *r)
{
	enum fill_mode mode = r->mode;
	const unsigned char *h;
	enum mcp_err err;

	err = skip_record(r);
	if (!err)
		err = fill(r, 1);
	if (!err && r->buffer->end - r->buffer->start < FCGI_HEADER_LEN) {
		if (r->patience)
			r->mode = FILL_WAIT;
		err = fill(r, FCGI_HEADER_LEN);
		r->mode = mode;
	}
	if (err == MCP_ELIMIT)
		return syntax(r, "too much of a body that nobody wanted");
	if (err)
		return err;
	h = r->buffer->data + r->buffer->start;
	r->buffer->start += FCGI_HEADER_LEN;
	if (h[0] != FCGI_VERSION_1)
		return syntax(r, "not FastCGI 1");
	r->in->type = h[1];
	r->in->id = (unsigned)h[2] << 8 | h[3];
	r->in->content = (size_t)h[4] << 8 | h[5];
	r->in->padding = h[6];
	if (r->in->id == FCGI_NULL_REQUEST_ID)
		return syntax(r, "a management record");
	return MCP_OK;
}

/* Take up to "n" bytes of the current record's content. MCP_OK with *got > 0. */
static enum mcp_err
take(const struct reader *r, void *to, size_t n, size_t *got)
{
	struct fcgi_input *in = r->in;
	struct fcgi_buffer *b = r->buffer;
	enum mcp_err err;

	if (n > in->content)
		n = in->content;
	if (b->start == b->end) {
		/* Large bodies go where they are wanted at once. */
		if (n >= FCGI_BUFFER_SIZE / 2) {
			err = receive(r, to, n, got);
			if (!err)
				in->content -= *got;
			return err;
		}
		err = fill(r, 1);
		if (err)
			return err;
	}
	if (n > b->end - b->start)
		n = b->end - b->start;
	memcpy(to, b->data + b->start, n);
	b->start += n;
	in->content -= n;
	*got = n;
	return MCP_OK;
}

static enum mcp_err
read_begin(struct reader *r, struct fcgi_head *head)
{
	struct fcgi_input *in = r->in;
	const unsigned char *body;
	enum mcp_err err;

	if (in->content != sizeof(FCGI_BeginRequestBody))
		return syntax(r, "BEGIN_REQUEST of a wrong length");
	err = fill(r, sizeof(FCGI_BeginRequestBody));
	if (err)
		return err;
	body = r->buffer->data + r->buffer->start;
	r->buffer->start += sizeof(FCGI_BeginRequestBody);
	in->content = 0;
	in->request_id = in->id;
	in->open = true;
	in->keep = body[2] & FCGI_KEEP_CONN;
	in->discarded = 0;
	in->body_deadline_ms = 0;
	head->role = (unsigned)body[0] << 8 | body[1];
	return MCP_OK;
}

/* Throw away what is to be cut off of the value that the record goes on with. */
static enum mcp_err
skip_cut(struct reader *r)
{
	struct fcgi_input *in = r->in;
	char trash[4096];
	enum mcp_err err;
	size_t got;

	while (r->cut > 0 && in->content > 0) {
		err = take(r, trash, r->cut < sizeof(trash) ? r->cut : sizeof(trash), &got);
		if (err)
			return err;
		r->cut -= got;
	}
	return MCP_OK;
}

/* Append the current PARAMS record, or begin to throw the parameters away. */
static enum mcp_err
read_params(struct reader *r, struct buf *params, struct fcgi_head *head)
{
	struct fcgi_input *in = r->in;
	enum mcp_err err;

	r->params_total += in->content;
	if (r->params_total > PARAMS_TOTAL_MAX)
		return syntax(r, "too many parameters");
	for (;;) {
		err = skip_cut(r);
		if (err || head->too_large)
			return err;
		if (in->content <= params->max - params->len)
			break;
		if (!fcgi_params_cut(params, &r->cut)) {
			head->too_large = true;
			buf_clear(params);
			return MCP_OK;
		}
	}
	if (buf_reserve(params, in->content))
		return buf_status(params);
	while (in->content > 0) {
		size_t got;

		err = take(r, params->data + params->len, in->content, &got);
		if (err)
			return err;
		params->len += got;
	}
	params->data[params->len] = '\0';
	return MCP_OK;
}

/* One record while no request has begun: the first of a new one, or a rest of the last. */
static enum mcp_err
record_between(struct reader *r, struct fcgi_head *head, bool *begun)
{
	struct fcgi_input *in = r->in;

	if (in->type == FCGI_BEGIN_REQUEST) {
		*begun = true;
		r->mode = FILL_WAIT;
		r->deadline_ms = clock_monotonic_ms() + r->patience->total_ms;
		return read_begin(r, head);
	}
	if (in->request_id == 0 || in->id != in->request_id)
		return syntax(r, "a record before any request");
	if (in->type != FCGI_STDIN && in->type != FCGI_DATA && in->type != FCGI_ABORT_REQUEST)
		return syntax(r, "a record of a wrong type between requests");
	if (in->type == FCGI_STDIN && in->content == 0)
		in->open = false;
	return MCP_OK;
}

enum mcp_err
fcgi_input_head(struct fcgi_input *in, struct fcgi_buffer *buffer, const struct fcgi_patience *patience,
    bool buffered_only, struct buf *params, struct fcgi_head *head, const char **why)
{
	struct reader r = { .in = in, .buffer = buffer, .patience = patience,
	    .mode = buffered_only ? FILL_NEVER : FILL_TRY };
	bool begun = false, complete = false;
	enum mcp_err err;

	*why = NULL;
	memset(head, 0, sizeof(*head));
	buf_reset(params);
	/* For a header of which only a part is there. */
	r.deadline_ms = clock_monotonic_ms() + patience->total_ms;
	while (!complete) {
		err = next_record(&r);
		if (err)
			goto out;
		if (!begun)
			err = record_between(&r, head, &begun);
		else if (in->id != in->request_id || in->type == FCGI_BEGIN_REQUEST)
			err = syntax(&r, "a second request at a time");
		else if (in->type == FCGI_ABORT_REQUEST)
			err = MCP_ECLOSED;
		else if (in->type != FCGI_PARAMS)
			err = syntax(&r, "a record of a wrong type among the parameters");
		else if (in->content == 0)
			complete = true;
		else
			err = read_params(&r, params, head);
		if (err)
			goto out;
	}
	in->discarded = 0;
	if (!head->too_large && (r.cut > 0 || !fcgi_params_check(params, &head->count, &head->bad_bytes)))
		err = syntax(&r, "parameters whose lengths do not fit");
out:
	if (err && err != MCP_ENOENT)
		in->broken = true;
	*why = r.why;
	return err;
}

ssize_t
fcgi_input_body(struct fcgi_input *in, struct fcgi_buffer *buffer, const struct fcgi_patience *patience,
    void *to, size_t n, enum mcp_err *err)
{
	struct reader r = { .in = in, .buffer = buffer, .patience = patience, .mode = FILL_WAIT };
	size_t got = 0;

	*err = MCP_OK;
	if (n == 0 || (!in->open && !in->broken))
		return 0;
	if (in->broken) {
		*err = MCP_ECLOSED;
		return -1;
	}
	if (in->body_deadline_ms == 0)
		in->body_deadline_ms = clock_monotonic_ms() + patience->total_ms;
	r.deadline_ms = in->body_deadline_ms;
	while (*err == MCP_OK) {
		if (in->type == FCGI_STDIN && in->content > 0) {
			*err = take(&r, to, n, &got);
			if (*err == MCP_OK)
				return (ssize_t)got;
			break;
		}
		*err = next_record(&r);
		if (*err == MCP_OK && (in->id != in->request_id || (in->type != FCGI_STDIN && in->type != FCGI_DATA)))
			*err = MCP_ECLOSED;
		if (*err == MCP_OK && in->type == FCGI_STDIN && in->content == 0) {
			in->open = false;
			return 0;
		}
	}
	if (*err != MCP_ETIMEOUT && *err != MCP_EIO)
		*err = MCP_ECLOSED;
	in->broken = true;
	return -1;
}

enum mcp_err
fcgi_input_drain(struct fcgi_input *in, struct fcgi_buffer *buffer)
{
	struct reader r = { .in = in, .buffer = buffer, .mode = FILL_TRY };
	enum mcp_err err = MCP_OK;

	while (in->open && !err) {
		err = next_record(&r);
		if (!err && (in->id != in->request_id || (in->type != FCGI_STDIN && in->type != FCGI_DATA)))
			err = MCP_ECLOSED;
		if (!err && in->type == FCGI_STDIN && in->content == 0)
			in->open = false;
	}
	if (err)
		return err == MCP_ENOENT ? MCP_ENOENT : MCP_ECLOSED;
	return buffer->start == buffer->end ? MCP_OK : MCP_ENOENT;
}
