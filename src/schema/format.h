/* SPDX-License-Identifier: MIT */
#ifndef MCP_SCHEMA_FORMAT_H
#define MCP_SCHEMA_FORMAT_H

#include <stdbool.h>
#include <stddef.h>

/*
 * Whether a text, NUL-terminated and without a NUL in its "len" bytes of UTF-8, follows a format. False with errno
 * ENOMEM: memory is short, so it is not known; the caller clears errno before.
 */
typedef bool format_check(const char *text, size_t len);

/* The check of a format by its name; NULL for a name that the draft does not define. */
format_check *format_find(const char *name);

/* The checks that are not in format.c. Source: RFC 3986, 3987 (URIs, IRIs, references), 6570, 6901, 5890 (IDNA). */
format_check format_uri, format_uri_reference, format_iri, format_iri_reference, format_uri_template;
format_check format_hostname, format_idn_hostname, format_email, format_idn_email, format_ipv4, format_ipv6;

#endif
