/* SPDX-License-Identifier: MIT */
#include "mcp/completion.h"

#include <string.h>

#include "base/json.h"
#include "mcp/call.h"
#include "mcp/denied.h"
#include "mcp/registry.h"
#include "mcp/rpc.h"
#include "mcp/uri_template.h"

/* What is completed. */
struct subject {
	const struct registry_entry *entry;
	const char *argument, *value;	/* its name; what was typed so far */
	completion_fn *complete;	/* NULL: nothing is offered */
	void *context;
};

static int
invalid(struct rpc *x, const char *what)
{
	return rpc_error(x, JSONRPC_INVALID_PARAMS, "Invalid params: %s", what);
}

/* The entry that "ref" names. Returns 0, or -1 after an answer. */
static int
find_entry(struct rpc *x, struct subject *s)
{
	struct json_object *ref;
	const char *type, *name;

	if (json_get_object(x->in.params, "ref", &ref) != MCP_OK ||
	    json_get_string(ref, "type", &type, NULL) != MCP_OK)
		return invalid(x, "\"ref\" must be an object with a \"type\"");
	if (strcmp(type, "ref/prompt") == 0) {
		if (json_get_string(ref, "name", &name, NULL) != MCP_OK)
			return invalid(x, "the \"name\" of \"ref\" must be a string");
		s->entry = call_find(x, REGISTRY_PROMPT, name);
		return s->entry ? 0 : invalid(x, "there is no prompt of that name");
	}
	if (strcmp(type, "ref/resource") != 0)
		return invalid(x, "the \"type\" of \"ref\" is neither \"ref/prompt\" nor \"ref/resource\"");
	if (json_get_string(ref, "uri", &name, NULL) != MCP_OK)
		return invalid(x, "the \"uri\" of \"ref\" must be a string");
	s->entry = call_find(x, REGISTRY_TEMPLATE, name);
	if (!s->entry)
		s->entry = call_find(x, REGISTRY_RESOURCE, name);
	return s->entry ? 0 : invalid(x, "there is no resource template of that URI");
}

/* The function for the argument. Returns 0, or -1 after an answer: the entry has no such argument. */
static int
find_function(struct rpc *x, struct subject *s)
{
	const struct registry_entry *e = s->entry;

	if (e->kind == REGISTRY_PROMPT) {
		s->context = e->prompt->context;
		for (const struct prompt_argument *a = e->prompt->arguments; a && a->name; a++)
			if (strcmp(a->name, s->argument) == 0) {
				s->complete = a->complete;
				return 0;
			}
		return invalid(x, "the prompt has no argument of that name");
	}
	if (e->kind == REGISTRY_RESOURCE || !uri_template_has(e->pattern, s->argument))
		return invalid(x, "the resource has no variable of that name");
	s->context = e->template->context;
	for (const struct template_variable *v = e->template->variables; v && v->name; v++)
		if (strcmp(v->name, s->argument) == 0)
			s->complete = v->complete;
	return 0;
}

static bool
is_string(void *ctx, const char *name, struct json_object *value)
{
	(void)ctx;
	(void)name;
	return json_kind(value) == JSON_STRING;
}

/* What is known of the other arguments: *known borrowed, or *own new. Returns 0, or -1 after an answer. */
static int
read_context(struct rpc *x, struct json_object **known, struct json_object **own)
{
	struct json_object *context = NULL;
	enum mcp_err err = json_get_object(x->in.params, "context", &context);

	if (!err)
		err = json_get_object(context, "arguments", known);
	if (err == MCP_ETYPE || (!err && !json_each(*known, is_string, NULL)))
		return invalid(x, "\"arguments\" of \"context\" must be an object of strings");
	if (err)
		*known = *own = json_new_object();
	return *known ? 0 : rpc_error(x, JSONRPC_INTERNAL_ERROR, "Internal error: out of memory");
}

static int
answer(struct rpc *x, const struct tool_call *call)
{
	size_t total = json_count(call->content);
	struct buf *out = &x->reply->body;

	rpc_result_begin(x);
	buf_puts(out, "\"completion\":{\"values\":[");
	for (size_t i = 0; i < total && i < COMPLETION_MAX; i++) {
		if (i > 0)
			buf_putc(out, ',');
		json_render(json_at(call->content, i), out);
	}
	buf_printf(out, "],\"total\":%zu,\"hasMore\":%s}", total, total > COMPLETION_MAX ? "true" : "false");
	return rpc_result_end(x);
}

static int
run(struct rpc *x, const struct subject *s)
{
	struct json_object *known = NULL, *own = NULL;
	struct tool_call call;

	if (read_context(x, &known, &own) == 0) {
		if (call_begin(x, known, s->context, &call) == 0 &&
		    call_end(x, &call, s->complete ? s->complete(&call, s->value) : MCP_OK, "completion of",
		    s->entry->name) == 0)
			answer(x, &call);
		call_clear(&call);
	}
	json_free(own);
	return -1;
}

int
completion_complete(struct rpc *x)
{
	struct subject s = { 0 };
	struct json_object *argument;

	if (find_entry(x, &s) < 0)
		return -1;
	if (json_get_object(x->in.params, "argument", &argument) != MCP_OK ||
	    json_get_string(argument, "name", &s.argument, NULL) != MCP_OK ||
	    json_get_string(argument, "value", &s.value, NULL) != MCP_OK)
		return invalid(x, "\"argument\" must be an object with the strings \"name\" and \"value\"");
	x->reply->outcome = registry_judge(s.entry, x->message->principal);
	if (x->reply->outcome)
		return denied(x, s.entry);
	if (find_function(x, &s) < 0)
		return -1;
	return run(x, &s);
}
