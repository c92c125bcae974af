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
#include <stdlib.h>
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
	FILL_MOMENT,	/* wait until "moment_ms", then as FILL_TRY; while stopping as FILL_WAIT */
	FILL_WAIT	/* wait as patience allows */
};

struct reader {
	struct fcgi_input *in;
	struct fcgi_buffer *buffer;
	const struct fcgi_patience *patience;
	int64_t deadline_ms;	/* for FILL_WAIT, and of a head */
	int64_t moment_ms;
	enum fill_mode mode;
	const char *why;
	size_t params_total;	/* bytes of parameters that came */
	size_t cut;		/* bytes of a parameter's value that are still to come and thrown away */
};

/* A head of which the rest is to come. */
struct fcgi_pending {
	struct buf params;
	struct fcgi_head head;
	bool begun;
	size_t params_total, cut;
	int64_t deadline_ms;
	size_t rest_len;	/* the beginning of a record's header or of BEGIN_REQUEST's body */
	unsigned char rest[FCGI_HEADER_LEN];
};

static enum mcp_err
syntax(struct reader *r, const char *why)
{
	r->in->broken = true;
	r->why = why;
	return MCP_ESYNTAX;
}

/* Wait until the socket is readable. MCP_OK, MCP_ETIMEOUT, MCP_EIO; MCP_ENOENT when the moment is over. */
static enum mcp_err
wait_readable(const struct reader *r)
{
	const struct fcgi_patience *p = r->patience;
	int64_t since_ms = clock_monotonic_ms();

	for (;;) {
		struct pollfd pfd = { .fd = r->in->fd, .events = POLLIN };
		int64_t now_ms = clock_monotonic_ms();
		int64_t until_ms = since_ms + p->between_bytes_ms;
		bool moment = r->mode == FILL_MOMENT && !atomic_load(p->stopping);
		struct timespec ts;
		int n;

		if (atomic_load(p->stopping) && until_ms > since_ms + p->stopping_ms)
			until_ms = since_ms + p->stopping_ms;
		if (until_ms > r->deadline_ms)
			until_ms = r->deadline_ms;
		if (now_ms >= until_ms)
			return MCP_ETIMEOUT;
		if (moment && now_ms >= r->moment_ms)
			return MCP_ENOENT;
		if (moment && until_ms > r->moment_ms)
			until_ms = r->moment_ms;
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
 * Go to the next record and read its header. A header that has begun to arrive is waited for a moment in every mode but
 * a drain's.
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
			r->mode = mode == FILL_WAIT ? FILL_WAIT : FILL_MOMENT;
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
		r->mode = FILL_MOMENT;
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

/* One record of a request that has begun, or what is left of it. */
static enum mcp_err
record_of_head(struct reader *r, struct buf *params, struct fcgi_head *head, bool *complete)
{
	struct fcgi_input *in = r->in;

	if (in->id != in->request_id || in->type == FCGI_BEGIN_REQUEST)
		return syntax(r, "a second request at a time");
	if (in->type == FCGI_ABORT_REQUEST)
		return MCP_ECLOSED;
	if (in->type != FCGI_PARAMS)
		return syntax(r, "a record of a wrong type among the parameters");
	if (in->content == 0) {
		*complete = true;
		return MCP_OK;
	}
	r->params_total += in->content;
	if (r->params_total > PARAMS_TOTAL_MAX)
		return syntax(r, "too many parameters");
	return read_params(r, params, head);
}

/* Keep what has come of a head until more comes; "params" and the buffer are empty then. MCP_ENOENT, MCP_ENOMEM. */
static enum mcp_err
keep(struct reader *r, bool begun, struct buf *params, const struct fcgi_head *head)
{
	struct fcgi_buffer *b = r->buffer;
	struct fcgi_pending *p = calloc(1, sizeof(*p));

	if (!p)
		return MCP_ENOMEM;
	*p = (struct fcgi_pending){ .head = *head, .begun = begun, .params_total = r->params_total, .cut = r->cut,
	    .deadline_ms = r->deadline_ms, .rest_len = b->end - b->start };
	memcpy(p->rest, b->data + b->start, p->rest_len);
	b->start = b->end = 0;
	p->params = *params;
	buf_init(params, p->params.max);
	r->in->pending = p;
	return MCP_ENOENT;
}

/* Go on where keep() stopped: in the middle of a record, or between two. */
static enum mcp_err
resume(struct reader *r, bool *begun, struct buf *params, struct fcgi_head *head)
{
	struct fcgi_input *in = r->in;
	struct fcgi_pending *p = in->pending;

	in->pending = NULL;
	buf_clear(params);
	*params = p->params;
	*head = p->head;
	*begun = p->begun;
	r->params_total = p->params_total;
	r->cut = p->cut;
	r->deadline_ms = p->deadline_ms;
	memcpy(r->buffer->data, p->rest, p->rest_len);
	r->buffer->start = 0;
	r->buffer->end = p->rest_len;
	free(p);
	r->mode = FILL_MOMENT;
	r->moment_ms = 0;	/* it had its moment */
	if (clock_monotonic_ms() >= r->deadline_ms)
		return MCP_ETIMEOUT;
	if (*begun && in->type == FCGI_BEGIN_REQUEST && in->content > 0)
		return read_begin(r, head);
	return *begun && in->type == FCGI_PARAMS && in->content > 0 ? read_params(r, params, head) : MCP_OK;
}

enum mcp_err
fcgi_input_head(struct fcgi_input *in, struct fcgi_buffer *buffer, const struct fcgi_patience *patience,
    bool buffered_only, struct buf *params, struct fcgi_head *head, const char **why)
{
	struct reader r = { .in = in, .buffer = buffer, .patience = patience,
	    .mode = buffered_only ? FILL_NEVER : FILL_TRY };
	bool begun = false, complete = false;
	enum mcp_err err = MCP_OK;

	*why = NULL;
	memset(head, 0, sizeof(*head));
	buf_reset(params);
	/* For a header of which only a part is there. */
	r.deadline_ms = clock_monotonic_ms() + patience->total_ms;
	r.moment_ms = clock_monotonic_ms() + patience->moment_ms;
	if (in->pending)
		err = resume(&r, &begun, params, head);
	while (!err && !complete) {
		err = next_record(&r);
		if (!err)
			err = begun ? record_of_head(&r, params, head, &complete) : record_between(&r, head, &begun);
	}
	if (err)
		goto out;
	in->discarded = 0;
	if (!head->too_large && (r.cut > 0 || !fcgi_params_check(params, &head->count, &head->bad_bytes)))
		err = syntax(&r, "parameters whose lengths do not fit");
out:
	if (err == MCP_ENOENT && (begun || buffer->start < buffer->end))
		err = keep(&r, begun, params, head);
	if (err && err != MCP_ENOENT)
		in->broken = true;
	*why = r.why;
	return err;
}

int64_t
fcgi_input_patience_ms(const struct fcgi_input *in, const struct fcgi_patience *patience)
{
	int64_t left_ms = in->pending ? in->pending->deadline_ms - clock_monotonic_ms() : 0;

	return left_ms < 0 ? 0 : left_ms < patience->between_bytes_ms ? left_ms : patience->between_bytes_ms;
}

void
fcgi_input_clear(struct fcgi_input *in)
{
	if (in->pending)
		buf_clear(&in->pending->params);
	free(in->pending);
	in->pending = NULL;
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
