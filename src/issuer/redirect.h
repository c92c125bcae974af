/* SPDX-License-Identifier: MIT */
#ifndef MCP_ISSUER_REDIRECT_H
#define MCP_ISSUER_REDIRECT_H

#include <stdbool.h>

#include "base/buf.h"

/* The rules for redirect URIs: where an authorization code may be sent. */
#define REDIRECT_URI_MAX 2048

/*
 * Whether "uri" may be registered: NULL if it may, else a static phrase saying why not. It may be an http URL of a
 * loopback host, an https URL, or a private-use scheme; absolute, without fragment, user name, or bytes that a URI
 * cannot have. Source: RFC 6749 section 3.1.2, RFC 8252 section 7, RFC 9700 section 2.1.
 */
const char *redirect_fault(const char *uri);

/*
 * Whether a request may use "given" when "registered" is: equal byte for byte, except that the port of an http URL of a
 * loopback host is free. Source: RFC 8252 section 7.3, RFC 9700 section 4.1.3.
 */
bool redirect_matches(const char *registered, const char *given);

/* Whether the host is loopback: then a program on this computer gets the answer. */
bool redirect_is_loopback(const char *uri);

/* Append what a person should see of the URI's target: the host and port, or "SCHEME:" of a private-use scheme. */
void redirect_target(const char *uri, struct buf *out);

/* Append the URI's source expression for a Content-Security-Policy: "https://host:port" or "SCHEME:". */
void redirect_source(const char *uri, struct buf *out);

#endif
