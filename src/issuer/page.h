/* SPDX-License-Identifier: MIT */
#ifndef MCP_ISSUER_PAGE_H
#define MCP_ISSUER_PAGE_H

#include "base/strlist.h"
#include "http/response.h"

/* The two pages that a person sees. No script, no frame, nothing loaded; every text from outside is escaped. */

/* What the consent page says and sends back. */
struct page_consent {
	const char *action; /* URL the form is posted to */
	const char *handle; /* stands for the request; not to be guessed */
	const char *client_id;
	const char *client_name; /* NULL if it has none */
	const char *redirect_uri;
	const char *resource;
	const char *person;
	const struct strlist *scopes; /* one box each, ticked */
};

/* Set a 200 with the page and its policy headers. */
void page_consent(struct http_response *res, const struct page_consent *p);

/*
 * Set "status" with a page that says "what" went wrong (any text). For faults that must not be sent to the redirect
 * URI: RFC 6749 section 4.1.2.1.
 */
void page_error(struct http_response *res, int status, const char *what);

#endif
