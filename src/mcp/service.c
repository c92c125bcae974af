/* SPDX-License-Identifier: MIT */
#include "mcp/service.h"

#include <string.h>

#include "base/json.h"
#include "mcp/registry.h"

static void
render_string(const char *name, const char *value, struct buf *out)
{
	if (!value)
		return;
	buf_printf(out, ",\"%s\":", name);
	json_render_string(value, strlen(value), out);
}

void
service_render_info(const struct mcp_service *service, struct buf *out)
{
	buf_puts(out, "{\"name\":");
	json_render_string(service->name, strlen(service->name), out);
	render_string("title", service->title, out);
	render_string("version", service->version, out);
	buf_putc(out, '}');
}

bool
service_has_prompts(const struct mcp_service *service)
{
	return registry_count(service->registry, REGISTRY_PROMPT) > 0;
}

bool
service_has_resources(const struct mcp_service *service)
{
	return registry_count(service->registry, REGISTRY_RESOURCE) > 0 ||
	    registry_count(service->registry, REGISTRY_TEMPLATE) > 0;
}

bool
service_has_completions(const struct mcp_service *service)
{
	return registry_completes(service->registry);
}

bool
service_has_streams(const struct mcp_service *service)
{
	return service->listeners != NULL;
}

void
service_render_offer(const struct mcp_service *service, bool listens, struct buf *out)
{
	const bool told = listens && service_has_streams(service);
	const char *changes = told ? "\"listChanged\":true" : "";

	buf_printf(out, ",\"capabilities\":{\"tools\":{%s}", changes);
	if (service_has_prompts(service))
		buf_printf(out, ",\"prompts\":{%s}", changes);
	if (service_has_resources(service))
		buf_printf(out, ",\"resources\":{%s%s}", changes, told ? ",\"subscribe\":true" : "");
	if (service_has_completions(service))
		buf_puts(out, ",\"completions\":{}");
	buf_puts(out, ",\"logging\":{}}");
	render_string("instructions", service->instructions, out);
}
