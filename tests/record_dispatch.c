/* SPDX-License-Identifier: MIT */
/*
 * In place of mcp_dispatch(), for tests that are linked with --wrap=mcp_dispatch: does the same and records what the
 * client gets, the events of its stream too.
 */
#include "mcp/dispatch.h"
#include "mcp/stream.h"
#include "tests/record.h"

void __real_mcp_dispatch(const struct mcp_service *service, const struct mcp_message *message,
    struct mcp_reply *reply);
void __wrap_mcp_dispatch(const struct mcp_service *service, const struct mcp_message *message,
    struct mcp_reply *reply);

static void
record(const struct mcp_message *message, int status, const char *body, size_t len)
{
	record_response(&(struct record){ message->text, message->len, message->protocol_version, status,
	    "application/json", body, len });
}

static enum mcp_err
send_event(void *ctx, const struct mcp_event *event)
{
	const struct mcp_message *message = ctx;

	if (event->json)
		record(message, 200, event->json, event->len);
	return message->stream->send(message->stream->ctx, event);
}

static enum mcp_err
keep(void *ctx, const struct mcp_kept_owner *owner, struct mcp_kept **out)
{
	const struct mcp_message *message = ctx;

	return message->stream->keep(message->stream->ctx, owner, out);
}

void
__wrap_mcp_dispatch(const struct mcp_service *service, const struct mcp_message *message, struct mcp_reply *reply)
{
	struct mcp_message original = *message, seen = *message;
	struct mcp_stream stream;

	if (message->stream) {
		stream = *message->stream;
		stream.send = send_event;
		stream.keep = message->stream->keep ? keep : NULL;
		stream.ctx = &original;
		seen.stream = &stream;
	}
	__real_mcp_dispatch(service, &seen, reply);
	if (reply->body.len)
		record(&original, reply->status, reply->body.data, reply->body.len);
}
