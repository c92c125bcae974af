/* SPDX-License-Identifier: MIT */
#include "mcp/module.h"

#include "mcp/module_host.h"

/* Tell the server what became of a row. */
static enum mcp_err
added(struct module *m, enum registry_kind kind, const char *name, enum mcp_err err, const char *why)
{
	m->added(m->ctx, kind, name ? name : "(without a name)", err, why);
	return err;
}

static const struct strlist *
scopes_of(struct module *m, const char *name)
{
	return name ? m->scopes(m->ctx, name) : NULL;
}

enum mcp_err
module_add_tool(struct module *m, const struct tool *tool)
{
	const char *why = NULL;
	enum mcp_err err = registry_add(m->registry, tool, scopes_of(m, tool->name), &why);

	return added(m, REGISTRY_TOOL, tool->name, err, why);
}

enum mcp_err
module_add_prompt(struct module *m, const struct prompt *prompt)
{
	const char *why = NULL;
	enum mcp_err err = registry_add_prompt(m->registry, prompt, scopes_of(m, prompt->name), &why);

	return added(m, REGISTRY_PROMPT, prompt->name, err, why);
}

enum mcp_err
module_add_resource(struct module *m, const struct resource *resource)
{
	const char *why = NULL;
	enum mcp_err err = registry_add_resource(m->registry, resource, scopes_of(m, resource->uri), &why);

	return added(m, REGISTRY_RESOURCE, resource->uri, err, why);
}

enum mcp_err
module_add_template(struct module *m, const struct resource_template *template)
{
	const char *why = NULL;
	enum mcp_err err = registry_add_template(m->registry, template, scopes_of(m, template->uri_template), &why);

	return added(m, REGISTRY_TEMPLATE, template->uri_template, err, why);
}

const char *
module_setting(const struct module *m, const char *key)
{
	return m->setting(m->ctx, key);
}
