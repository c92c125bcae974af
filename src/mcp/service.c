/* SPDX-License-Identifier: MIT */
#include "mcp/service.h"

#include <string.h>

#include "base/json.h"

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

void
service_render_offer(const struct mcp_service *service, struct buf *out)
{
	buf_puts(out, ",\"capabilities\":{\"tools\":{}}");
	render_string("instructions", service->instructions, out);
}
