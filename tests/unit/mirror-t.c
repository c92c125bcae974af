/* SPDX-License-Identifier: MIT */
/* Where x-mcp-header may stand; what it repeats is shown by offers-t. */
#include "mcp/mirror.h"

#include <string.h>

#include "base/json.h"
#include "tests/quotes.h"
#include "tests/tap.h"

static const struct {
	const char *schema, *why;	/* NULL: good */
} schemas[] = {
	{ "{'properties':{'a':{'type':'string','x-mcp-header':'A'}}}", NULL },
	{ "{'properties':{'a':{'type':'integer','x-mcp-header':'A-1'},'b':{'type':'boolean','x-mcp-header':'B'}}}",
	    NULL },
	{ "{'properties':{'a':{'properties':{'b':{'properties':{'c':{'type':'string','x-mcp-header':'A'}}}}}}}", NULL },
	{ "{'properties':{'x-mcp-header':{'type':'number'}}}", NULL },
	{ "{'default':{'x-mcp-header':1},'enum':[{'x-mcp-header':1}],'const':{'x-mcp-header':1}}", NULL },
	{ "{'properties':{'a':{'type':'string','x-mcp-header':''}}}", "x-mcp-header is 1 to 64 letters, digits and -" },
	{ "{'properties':{'a':{'type':'string','x-mcp-header':'A B'}}}",
	    "x-mcp-header is 1 to 64 letters, digits and -" },
	{ "{'properties':{'a':{'type':'string','x-mcp-header':'A\\r\\nB: c'}}}",
	    "x-mcp-header is 1 to 64 letters, digits and -" },
	{ "{'properties':{'a':{'type':'string','x-mcp-header':'A_B'}}}",
	    "x-mcp-header is 1 to 64 letters, digits and -" },
	{ "{'properties':{'a':{'type':'string','x-mcp-header':7}}}", "x-mcp-header must be a string" },
	{ "{'properties':{'a':{'type':'number','x-mcp-header':'A'}}}",
	    "x-mcp-header is for string, integer and boolean only" },
	{ "{'properties':{'a':{'type':['string','null'],'x-mcp-header':'A'}}}",
	    "x-mcp-header is for string, integer and boolean only" },
	{ "{'properties':{'a':{'x-mcp-header':'A'}}}", "x-mcp-header is for string, integer and boolean only" },
	{ "{'properties':{'a':{'type':'object','x-mcp-header':'A'}}}",
	    "x-mcp-header is for string, integer and boolean only" },
	{ "{'properties':{'a':{'type':'string','x-mcp-header':'Aa'},'b':{'type':'string','x-mcp-header':'aA'}}}",
	    "x-mcp-header has one name twice" },
	{ "{'type':'string','x-mcp-header':'A'}", "x-mcp-header stands where no chain of properties leads" },
	{ "{'properties':{'a':{'items':{'type':'string','x-mcp-header':'A'}}}}",
	    "x-mcp-header stands where no chain of properties leads" },
	{ "{'properties':{'a':{'items':{'properties':{'b':{'type':'string','x-mcp-header':'A'}}}}}}",
	    "x-mcp-header stands where no chain of properties leads" },
	{ "{'allOf':[{'properties':{'a':{'type':'string','x-mcp-header':'A'}}}]}",
	    "x-mcp-header stands where no chain of properties leads" },
	{ "{'if':{'properties':{'a':{'type':'string','x-mcp-header':'A'}}}}",
	    "x-mcp-header stands where no chain of properties leads" },
	{ "{'$defs':{'a':{'type':'string','x-mcp-header':'A'}}}",
	    "x-mcp-header stands where no chain of properties leads" },
	{ "{'patternProperties':{'a':{'type':'string','x-mcp-header':'A'}}}",
	    "x-mcp-header stands where no chain of properties leads" },
	{ "{'additionalProperties':{'type':'string','x-mcp-header':'A'}}",
	    "x-mcp-header stands where no chain of properties leads" }
};

int
main(void)
{
	const struct json_bounds bounds = { 4096, 64, 1000 };
	struct json_object *schema;
	struct mirror *m;
	const char *why;

	for (size_t i = 0; i < sizeof schemas / sizeof schemas[0]; i++) {
		const char *text = q(schemas[i].schema);
		bool good = !schemas[i].why;

		ok(json_parse(text, strlen(text), &bounds, &schema, NULL) == MCP_OK, "%s", schemas[i].schema);
		is_int(mirror_new(schema, &m, &why), good ? MCP_OK : MCP_EINVAL, "... is %s",
		    good ? "good" : "refused");
		is_str(why, schemas[i].why, "... and says why");
		mirror_free(m);
		json_free(schema);
	}
	return tap_done();
}
