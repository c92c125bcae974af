/* SPDX-License-Identifier: MIT */
#include "mcp/trace.h"

#include <string.h>

#include "base/json.h"

#define STATE_MAX 512		/* bytes of a tracestate; W3C Trace Context section 3.3.1.5 */
#define BAGGAGE_MAX 8192	/* bytes of a baggage; W3C Baggage section 3.3.2 */
#define PARENT_LEN 55		/* of version 00 */

/* Whether "len" bytes are lower-case hexadecimal digits, and whether one is not 0. */
static bool
is_hex(const char *s, size_t len, bool *nonzero)
{
	*nonzero = strspn(s, "0") < len;
	return strspn(s, "0123456789abcdef") >= len;
}

bool
trace_is_parent(const char *text)
{
	bool nonzero, trace, parent;
	size_t len = strlen(text);

	if (len < PARENT_LEN || text[2] != '-' || text[35] != '-' || text[52] != '-')
		return false;
	if (!is_hex(text, 2, &nonzero) || memcmp(text, "ff", 2) == 0 ||
	    !is_hex(text + TRACE_ID_AT, TRACE_ID_LEN, &trace) || !is_hex(text + 36, 16, &parent) ||
	    !is_hex(text + 53, 2, &nonzero) || !trace || !parent)
		return false;
	return len == PARENT_LEN || (memcmp(text, "00", 2) != 0 && text[PARENT_LEN] == '-');
}

/* Whether all bytes may stand in a header field: both lists are read by whoever passes them on. */
static bool
is_list(const char *text, size_t max)
{
	size_t len = strlen(text);

	for (size_t i = 0; i < len; i++)
		if ((text[i] < ' ' || text[i] > '~') && text[i] != '\t')
			return false;
	return len > 0 && len <= max && strchr(text, '=');
}

void
trace_read(const struct json_object *params, struct tool_trace *out)
{
	struct json_object *meta;
	const char *text;

	memset(out, 0, sizeof *out);
	if (json_get_object(params, "_meta", &meta) != MCP_OK)
		return;
	if (json_get_string(meta, "traceparent", &text, NULL) == MCP_OK && trace_is_parent(text))
		out->parent = text;
	if (out->parent && json_get_string(meta, "tracestate", &text, NULL) == MCP_OK && is_list(text, STATE_MAX))
		out->state = text;
	if (json_get_string(meta, "baggage", &text, NULL) == MCP_OK && is_list(text, BAGGAGE_MAX))
		out->baggage = text;
}
