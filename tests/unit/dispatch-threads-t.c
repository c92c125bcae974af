/* SPDX-License-Identifier: MIT */
/* One service, many threads: each gets the answer to its own message. What threads share is read only (for TSan). */
#include <pthread.h>
#include <stdio.h>
#include <string.h>

#include "mcp/dispatch.h"
#include "mcp/registry.h"
#include "tests/tap.h"
#include "tools/tools.h"

#define THREADS 4
#define ROUNDS 500

static enum mcp_err
call_pick(struct tool_call *call)
{
	return tool_textf(call, "picked");
}

/* Constants of every kind are compared and shown. */
static const struct tool pick = { .name = "pick", .description = "d", .call = call_pick,
	.input_schema = "{\"type\":\"object\",\"properties\":{\"kind\":{\"enum\":[\"a\",1,2.5,null,[1],{\"x\":[true]}]}"
	    ","
	    "\"n\":{\"type\":\"number\",\"minimum\":0.5,\"maximum\":99}},\"required\":[\"kind\"]}" };
static struct tool greet;
static struct mcp_service service = { .name = "srv", .version = "1", .list_ttl_ms = 1, .tool_timeout_ms = 1000 };
static const struct strlist no_scopes;
static const struct principal caller;

/* Whether the answer to "text" has "part" in it. */
static bool
answers(const char *text, const char *part)
{
	const struct mcp_message message = { .text = text, .len = strlen(text), .principal = &caller,
	    .request_id = "r" };
	struct mcp_reply reply = { 0 };
	bool good;

	buf_init(&reply.body, 65536);
	mcp_dispatch(&service, &message, &reply);
	good = strstr(reply.body.data, part) != NULL;
	buf_clear(&reply.body);
	mcp_reply_clear(&reply);
	return good;
}

static void *
work(void *arg)
{
	unsigned *wrong = arg, i;
	char text[256], part[64];

	for (i = 0; i < ROUNDS; i++) {
		snprintf(text, sizeof(text), "{\"jsonrpc\":\"2.0\",\"id\":\"%p-%u\",\"method\":\"tools/call\","
		    "\"params\":"
		    "{\"name\":\"greet_user\",\"arguments\":{\"name\":\"%p\"}}}", arg, i, arg);
		snprintf(part, sizeof(part), "Hi %p, welcome", arg);
		*wrong += !answers(text, part);
		snprintf(text, sizeof(text), "{\"jsonrpc\":\"2.0\",\"id\":%u,\"method\":\"tools/call\",\"params\":"
		    "{\"name\":\"pick\",\"arguments\":{\"kind\":%s,\"n\":%u}}}", i, i % 2 ? "{\"x\":[true]}" : "\"b\"",
		    i % 3);
		*wrong += !answers(text, i % 2 == 0 ? "/kind: must be one of " : i % 3 ? "picked" : "/n: must be at "
		    "least 0.5");
		*wrong += !answers("{\"jsonrpc\":\"2.0\",\"id\":1,\"method\":\"tools/list\"}", "\"name\":\"pick\"");
	}
	return NULL;
}

int
main(void)
{
	unsigned wrong[THREADS] = { 0 }, i, sum = 0;
	pthread_t threads[THREADS];
	struct registry *r = NULL;

	tool_greet_user(&greet);
	ok(registry_new(&r) == MCP_OK && registry_add(r, &greet, &no_scopes, NULL) == MCP_OK &&
	    registry_add(r, &pick, &no_scopes, NULL) == MCP_OK && registry_seal(r) == MCP_OK, "a registry");
	service.registry = r;
	for (i = 0; i < THREADS; i++)
		if (pthread_create(&threads[i], NULL, work, &wrong[i]) != 0)
			return 99;
	for (i = 0; i < THREADS; i++) {
		pthread_join(threads[i], NULL);
		sum += wrong[i];
	}
	is_int(sum, 0, "%d threads get the answers to their own messages, %d times three", THREADS, ROUNDS);
	registry_free(r);
	return tap_done();
}
