/* SPDX-License-Identifier: MIT */
#include "mcp/cursor.h"

#include <string.h>

#include "base/json.h"
#include "mcp/rpc.h"
#include "mcp/uri_template.h"
#include "store/secrets.h"

#define PURPOSE "cursor"
#define NAME_MAX_BYTES URI_MAX		/* the longest name of an entry */

/* What a cursor is bound to: the list. */
static struct seal_part
bound_to(enum registry_kind kind)
{
	static const char *const lists[] = { "tools", "prompts", "resources", "templates" };

	return (struct seal_part){ lists[kind], strlen(lists[kind]) };
}

enum mcp_err
cursor_read(struct rpc *x, enum registry_kind kind, const struct json_object *cursor, size_t *next)
{
	const struct registry *registry = x->service->registry;
	struct seal_part part = bound_to(kind);
	enum mcp_err err = MCP_EINVAL;
	const char *text;
	struct buf name;
	size_t len;

	if (json_as_string(cursor, &text, &len) != MCP_OK || !x->service->secrets)
		return MCP_EINVAL;
	buf_init(&name, NAME_MAX_BYTES);
	err = secrets_open(x->service->secrets, x->message->now_s, PURPOSE, &part, 1, text, len, &name);
	if (!err) {
		for (*next = 0; *next < registry_count(registry, kind); ++*next)
			if (strcmp(registry_at(registry, kind, *next)->name, name.data) == 0)
				break;
		err = *next < registry_count(registry, kind) ? MCP_OK : MCP_EINVAL;
		++*next;
	}
	buf_clear(&name);
	return err;
}

enum mcp_err
cursor_write(struct rpc *x, const struct registry_entry *e, struct buf *out)
{
	struct seal_part part = bound_to(e->kind);

	return secrets_seal(x->service->secrets, x->message->now_s, PURPOSE, &part, 1, e->name, strlen(e->name), out);
}
