/* SPDX-License-Identifier: MIT */
/* Events as text, and who wants them. */
#include "http/sse.h"

#include <string.h>

#include "tests/tap.h"

static void
renders(const char *id, int64_t retry_ms, const char *data, const char *want, const char *text)
{
	struct buf out;

	buf_init(&out, 1000);
	sse_render(id, retry_ms, data, data ? strlen(data) : 0, &out);
	is_str(out.data, want, "%s", text);
	buf_clear(&out);
}

int
main(void)
{
	static const struct {
		const char *accept;
		bool accepted;
	} rows[] = {
		{ NULL, false },
		{ "application/json", false },
		{ "*/*", false },
		{ "text/*", false },
		{ "text/event-stream", true },
		{ "application/json, text/event-stream", true },
		{ "text/event-stream, application/json", true },
		{ "application/json,text/event-stream", true },
		{ "TEXT/Event-Stream", true },
		{ "text/event-stream;q=0.5", true },
		{ "text/event-stream; charset=utf-8 ; q=1", true },
		{ "text/event-stream;q=0", false },
		{ "text/event-stream; Q=0.000", false },
		{ "text/event-stream;q=0.001", true },
		{ "text/event-stream;q=0, text/event-stream", true },
		{ "text/event-streams", false },
		{ "text/event-strea", false },
		{ "application/json;x=text/event-stream", false },
		{ ",,;,text/event-stream", true },
		{ "", false },
		{ ";q=0", false },
	};

	renders(NULL, 0, "{\"a\":1}", "data: {\"a\":1}\n\n", "a message is one line of data");
	renders("7-1", 0, "x", "id: 7-1\ndata: x\n\n", "with an id");
	renders("7-0", 500, NULL, "id: 7-0\nretry: 500\ndata: \n\n", "an event that primes a client");
	renders(NULL, 0, "a\nb\r\nc\rd", "data: a\ndata: b\ndata: c\ndata: d\n\n", "lines of data stay data");
	renders(NULL, 0, "a\n", "data: a\ndata: \n\n", "so does an empty last one");
	renders("1\ndata: x", 0, "y", "id: 1\ndata: y\n\n", "an id ends with its line");
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++)
		ok(sse_is_accepted(rows[i].accept) == rows[i].accepted, "Accept %s: %s", rows[i].accept ?
		    rows[i].accept : "is absent", rows[i].accepted ? "events" : "none");
	return tap_done();
}
