/* SPDX-License-Identifier: MIT */
#ifndef MCP_ISSUER_FORM_H
#define MCP_ISSUER_FORM_H

#include <stddef.h>

#include "base/buf.h"
#include "base/err.h"

/*
 * Names and values in application/x-www-form-urlencoded, as OAuth sends them in query strings and bodies. Source: RFC
 * 6749 appendix B.
 */
#define FORM_FIELDS_MAX 80	/* ENDPOINT_SCOPES_MAX, one a field, and what goes with them */
#define FORM_BYTES_MAX (64 * 1024)

struct form_field {
	char *name, *value; /* owned, UTF-8 without control bytes */
};
struct form {
	struct form_field *v;
	size_t n;
};

/*
 * Read "len" bytes (at most FORM_BYTES_MAX, FORM_FIELDS_MAX fields). A name may be there once only, but for
 * "repeatable" (NULL: none). Returns MCP_OK with *out to release with form_clear(); MCP_ESYNTAX (bad percent escape,
 * control byte, not UTF-8), MCP_EINVAL (a name twice), MCP_ELIMIT, MCP_ENOMEM with *out empty. Source: RFC 6749
 * section 3.1.
 */
enum mcp_err form_parse(const char *text, size_t len, const char *repeatable, struct form *out) MCP_MUST_CHECK;

/* Free the fields; values are overwritten. It is empty afterwards. */
void form_clear(struct form *f);

/* The value of "name", borrowed; NULL when it is absent or empty (RFC 6749 section 3.1 treats both alike). */
const char *form_get(const struct form *f, const char *name);

/* Append "text" so that it is one value: unreserved characters stay, all else becomes %XX. */
void form_encode(const char *text, struct buf *out);

/* Append what one value says, decoded. Returns MCP_OK, MCP_ESYNTAX ("out" is undefined then), or the failure of "out".
 */
enum mcp_err form_decode(const char *text, size_t len, struct buf *out) MCP_MUST_CHECK;

#endif
