/* SPDX-License-Identifier: MIT */
#include "tools/admin_tool.h"

#include <string.h>

#include "base/clock.h"
#include "base/json.h"
#include "tools/tools.h"

#define ISSUERS_SHOWN 64

/* An object under construction: the first failure sticks, and finish() gives NULL for it. */
struct builder {
	struct json_object *object;
	enum mcp_err err;
};

static struct builder
begin(void)
{
	struct builder b = { json_new_object(), MCP_OK };

	b.err = b.object ? MCP_OK : MCP_ENOMEM;
	return b;
}

static struct json_object *
finish(struct builder *b)
{
	if (!b->err)
		return b->object;
	json_free(b->object);
	return NULL;
}

/* "value" is stolen; NULL counts as memory that is short. */
static void
put(struct builder *b, const char *name, struct json_object *value)
{
	if (b->err)
		json_free(value);
	else
		b->err = json_set_new(b->object, name, value);
}

static void
put_int(struct builder *b, const char *name, int64_t n)
{
	put(b, name, json_new_int(n));
}

static void
put_string(struct builder *b, const char *name, const char *s)
{
	put(b, name, json_new_string(s, strlen(s)));
}

static void
put_time(struct builder *b, const char *name, int64_t at_s)
{
	char text[32];

	clock_format_utc(at_s, text);
	put_string(b, name, text);
}

static struct json_object *
describe_process(const struct admin_process *p, int64_t now_s)
{
	struct builder b = begin();

	put_string(&b, "version", p->version);
	put_string(&b, "mode", p->mode);
	put_int(&b, "pid", p->pid);
	put_time(&b, "startedAt", p->started_s);
	put_int(&b, "uptimeSeconds", now_s > p->started_s ? now_s - p->started_s : 0);
	put_int(&b, "workers", p->workers);
	put_int(&b, "requests", p->requests);
	return finish(&b);
}

static struct json_object *
describe_configuration(const struct admin_process *p)
{
	struct builder b = begin();

	put_int(&b, "generation", p->config_generation);
	put_time(&b, "loadedAt", p->config_loaded_s);
	return finish(&b);
}

static struct json_object *
describe_issuer(const char *issuer, const struct keystore_figures *f)
{
	struct builder b = begin();

	put_string(&b, "issuer", issuer);
	put(&b, "usable", json_new_bool(f->usable));
	put_int(&b, "keys", (int64_t)f->keys);
	if (f->age_s >= 0)
		put_int(&b, "ageSeconds", f->age_s);
	put_int(&b, "fetches", f->fetches);
	put_int(&b, "failures", f->failures);
	if (f->last_fault[0])
		put_string(&b, "lastFault", f->last_fault);
	return finish(&b);
}

static struct json_object *
describe_keys(const struct admin_source *source, int64_t now_s)
{
	struct json_object *list = json_new_array();
	enum mcp_err err = list ? MCP_OK : MCP_ENOMEM;
	struct keystore_figures figures;
	const char *issuer;
	size_t i;

	for (i = 0; i < ISSUERS_SHOWN && !err && source->keys(source->ctx, i, now_s, &issuer, &figures); i++)
		err = json_push_new(list, describe_issuer(issuer, &figures));
	if (!err)
		return list;
	json_free(list);
	return NULL;
}

static struct json_object *
describe_limiter(const struct admin_source *source)
{
	struct limiter_figures f = { 0 };
	struct builder b = begin();

	put(&b, "running", json_new_bool(source->limiter != NULL));
	if (source->limiter) {
		source->limiter(source->ctx, &f);
		put(&b, "usable", json_new_bool(f.usable));
		put_int(&b, "rows", f.rows);
		put_int(&b, "admitted", f.admitted);
		put_int(&b, "refused", f.refused);
		put_int(&b, "faults", f.faults);
	}
	return finish(&b);
}

static int64_t
clamped(uint64_t n)
{
	return n > INT64_MAX ? INT64_MAX : (int64_t)n;
}

/* Reasons that never happened are left out. */
static struct json_object *
describe_refusals(const struct admin_source *source)
{
	struct builder b = begin(), reasons = begin();
	int64_t since_s = 0;
	uint64_t n;
	int i;

	for (i = OAUTH_OK + 1; i < OAUTH_OUTCOME_COUNT; i++) {
		n = source->refusals(source->ctx, (enum oauth_outcome)i, &since_s);
		if (n > 0)
			put_int(&reasons, oauth_outcome_row((enum oauth_outcome)i)->word, clamped(n));
	}
	n = source->rate_limited(source->ctx);
	if (n > 0)
		put_int(&reasons, "rate_limited", clamped(n));
	put_time(&b, "since", since_s);
	put(&b, "byReason", finish(&reasons));
	return finish(&b);
}

static enum mcp_err
admin_tool(struct tool_call *call)
{
	const struct admin_source *source = call->context;
	struct admin_process process = { 0 };
	struct builder b = begin();
	struct json_object *result;

	source->process(source->ctx, &process);
	put(&b, "server", describe_process(&process, call->now_s));
	put(&b, "configuration", describe_configuration(&process));
	put(&b, "keys", describe_keys(source, call->now_s));
	put(&b, "limiter", describe_limiter(source));
	put(&b, "refusals", describe_refusals(source));
	result = finish(&b);
	return result ? tool_structured(call, result) : MCP_ENOMEM;
}

#define INTEGER "{\"type\":\"integer\"}"
#define STRING "{\"type\":\"string\"}"
#define BOOLEAN "{\"type\":\"boolean\"}"

void
tool_admin_tool(struct tool *out, const struct admin_source *source)
{
	*out = (struct tool) {
		.name = "admin_tool",
		.title = "Server state",
		.description = "Returns the state of the server: version, uptime, workers, the age of each issuer's "
		    "keys, figures of the rate limiter, and refusals by reason. For administrators.",
		.input_schema = "{\"type\":\"object\",\"additionalProperties\":false}",
		.output_schema =
		    "{\"type\":\"object\",\"properties\":{"
		    "\"server\":{\"type\":\"object\",\"properties\":{\"version\":" STRING ",\"mode\":" STRING ","
		    "\"pid\":" INTEGER ",\"startedAt\":" STRING ",\"uptimeSeconds\":" INTEGER ","
		    "\"workers\":" INTEGER ",\"requests\":" INTEGER "}},"
		    "\"configuration\":{\"type\":\"object\",\"properties\":{\"generation\":" INTEGER ","
		    "\"loadedAt\":" STRING "}},"
		    "\"keys\":{\"type\":\"array\",\"items\":{\"type\":\"object\",\"properties\":{\"issuer\":" STRING ","
		    "\"usable\":" BOOLEAN ",\"keys\":" INTEGER ",\"ageSeconds\":" INTEGER ",\"fetches\":" INTEGER ","
		    "\"failures\":" INTEGER ",\"lastFault\":" STRING "}}},"
		    "\"limiter\":{\"type\":\"object\",\"properties\":{\"running\":" BOOLEAN ",\"usable\":" BOOLEAN ","
		    "\"rows\":" INTEGER ",\"admitted\":" INTEGER ",\"refused\":" INTEGER ",\"faults\":" INTEGER "}},"
		    "\"refusals\":{\"type\":\"object\",\"properties\":{\"since\":" STRING ","
		    "\"byReason\":{\"type\":\"object\",\"additionalProperties\":" INTEGER "}}}},"
		    "\"required\":[\"server\",\"configuration\",\"keys\",\"limiter\",\"refusals\"]}",
		.annotations = "{\"readOnlyHint\":true,\"openWorldHint\":false}",
		.call = admin_tool,
		/* The source is only read; "context" has no const for tools that need none. */
		.context = (void *)(uintptr_t)source
	};
}
