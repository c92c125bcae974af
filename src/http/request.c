/* SPDX-License-Identifier: MIT */
/*
 * Answers for: what the front's CGI variables say, read once and strictly. Fronts disagree on how a header sent twice
 * arrives (joined, or as two variables of one name) and on which bytes they let through, so the array is walked whole:
 * a getenv() that takes the first match would let a second, different value pass unseen.
 */
#include "http/request.h"

#include <string.h>
#include <strings.h>

#include "base/text.h"

#define PATH_NORMALISED_MAX 1024	/* no route is nearly as long; a longer path matches none */
/* Mcp-* fields repeat what the body says; two of one name could say two things */
#define MIRRORED_PREFIX "HTTP_MCP_"

/* How the value of a variable is checked. */
enum variable_form {
	FORM_FIELD,	/* a header field: blanks at both ends cut, no control bytes but TAB */
	FORM_PATH,	/* compared or shown only: any bytes */
	FORM_LENGTH,
	FORM_METHOD
};

struct variable {
	const char *name;
	unsigned char len;
	unsigned char form;
	unsigned char slot;
};

/* Slots after the header fields, in one array while reading. */
enum {
	SLOT_AUTHORIZATION_REDIRECTED = HTTP_FIELD_COUNT,
	SLOT_CONTENT_LENGTH,
	SLOT_CONTENT_TYPE,
	SLOT_PATH_INFO,
	SLOT_QUERY_STRING,
	SLOT_REDIRECT_URL,
	SLOT_REMOTE_ADDR,
	SLOT_REQUEST_METHOD,
	SLOT_REQUEST_URI,
	SLOT_SCRIPT_NAME,
	SLOT_COUNT
};

#define VARIABLE(name, form, slot) { name, sizeof(name) - 1, form, slot }

/*
 * Everything that is read; CONTENT_* and the rest: RFC 3875 section 4.1. HTTP_PROXY is deliberately not here
 * (CVE-2016-5385).
 */
static const struct variable variables[] = {
	VARIABLE("HTTP_ACCEPT", FORM_FIELD, HTTP_ACCEPT),
	VARIABLE("HTTP_AUTHORIZATION", FORM_FIELD, HTTP_AUTHORIZATION),
	VARIABLE("REDIRECT_HTTP_AUTHORIZATION", FORM_FIELD, SLOT_AUTHORIZATION_REDIRECTED),
	VARIABLE("HTTP_HOST", FORM_FIELD, HTTP_HOST),
	VARIABLE("HTTP_LAST_EVENT_ID", FORM_FIELD, HTTP_LAST_EVENT_ID),
	VARIABLE("HTTP_MCP_METHOD", FORM_FIELD, HTTP_MCP_METHOD),
	VARIABLE("HTTP_MCP_NAME", FORM_FIELD, HTTP_MCP_NAME),
	VARIABLE("HTTP_MCP_PROTOCOL_VERSION", FORM_FIELD, HTTP_MCP_PROTOCOL_VERSION),
	VARIABLE("HTTP_MCP_SESSION_ID", FORM_FIELD, HTTP_MCP_SESSION_ID),
	VARIABLE("HTTP_ORIGIN", FORM_FIELD, HTTP_ORIGIN),
	VARIABLE("HTTP_ACCESS_CONTROL_REQUEST_HEADERS", FORM_FIELD, HTTP_REQUEST_HEADERS),
	VARIABLE("HTTP_ACCESS_CONTROL_REQUEST_METHOD", FORM_FIELD, HTTP_REQUEST_METHOD),
	VARIABLE("HTTP_TRACEPARENT", FORM_FIELD, HTTP_TRACEPARENT),
	VARIABLE("HTTP_USER_AGENT", FORM_FIELD, HTTP_USER_AGENT),
	VARIABLE("CONTENT_LENGTH", FORM_LENGTH, SLOT_CONTENT_LENGTH),
	VARIABLE("CONTENT_TYPE", FORM_FIELD, SLOT_CONTENT_TYPE),
	VARIABLE("PATH_INFO", FORM_PATH, SLOT_PATH_INFO),
	VARIABLE("QUERY_STRING", FORM_PATH, SLOT_QUERY_STRING),
	VARIABLE("REDIRECT_URL", FORM_PATH, SLOT_REDIRECT_URL),
	VARIABLE("REMOTE_ADDR", FORM_FIELD, SLOT_REMOTE_ADDR),
	VARIABLE("REQUEST_METHOD", FORM_METHOD, SLOT_REQUEST_METHOD),
	VARIABLE("REQUEST_URI", FORM_PATH, SLOT_REQUEST_URI),
	VARIABLE("SCRIPT_NAME", FORM_PATH, SLOT_SCRIPT_NAME),
};

/*
 * What has been read so far: the value of each slot, and whether its variable was there at all (an empty one counts for
 * "twice").
 */
struct reading {
	const char *value[SLOT_COUNT];
	bool seen[SLOT_COUNT];
	enum http_fault fault;
};

/* The first fault is the one that is told. */
static void
fault(struct reading *r, enum http_fault f)
{
	if (r->fault == HTTP_FAULT_NONE)
		r->fault = f;
}

static const struct variable *
find_variable(const char *name, size_t len)
{
	for (size_t i = 0; i < sizeof(variables) / sizeof(variables[0]); i++)
		if (variables[i].len == len && memcmp(variables[i].name, name, len) == 0)
			return &variables[i];
	return NULL;
}

static bool
is_blank(char c)
{
	return c == ' ' || c == '\t';
}

static bool
has_control(const char *s)
{
	for (; *s; s++)
		if (((unsigned char)*s < 0x20 && *s != '\t') || *s == 0x7f)
			return true;
	return false;
}

/* Cut blanks at both ends, the right end in place. */
static char *
trim(char *s)
{
	size_t len;

	while (is_blank(*s))
		s++;
	len = strlen(s);
	while (len > 0 && is_blank(s[len - 1]))
		len--;
	s[len] = '\0';
	return s;
}

static void
read_variable(struct reading *r, const struct variable *v, char *value)
{
	if (r->seen[v->slot]) {
		/* Neither of two is to be believed. */
		r->value[v->slot] = NULL;
		fault(r, HTTP_FAULT_TWICE);
		return;
	}
	r->seen[v->slot] = true;
	if (v->form != FORM_PATH) {
		value = trim(value);
		if (has_control(value)) {
			fault(r, HTTP_FAULT_BYTES);
			return;
		}
	}
	r->value[v->slot] = *value ? value : NULL;
}

/* Whether an entry before "entry" has the same name of "len" bytes. */
static bool
is_repeated(char *const *envp, char *const *entry, size_t len)
{
	for (char *const *p = envp; p < entry; p++)
		if (strncmp(*p, *entry, len + 1) == 0)
			return true;
	return false;
}

static void
read_all(struct reading *r, char **envp)
{
	size_t count = 0, bytes = 0;

	for (char **p = envp; *p; p++) {
		const char *equals = strchr(*p, '=');
		const struct variable *v;
		size_t len;

		bytes += strlen(*p) + 1;
		if (++count > HTTP_PARAMS_MAX || bytes > HTTP_PARAMS_BYTES_MAX) {
			fault(r, HTTP_FAULT_TOO_MANY);
			return;
		}
		if (!equals)
			continue;
		len = (size_t)(equals - *p);
		v = find_variable(*p, len);
		if (v) {
			read_variable(r, v, *p + len + 1);
		} else if (strncmp(*p, MIRRORED_PREFIX, sizeof(MIRRORED_PREFIX) - 1) == 0) {
			if (is_repeated(envp, p, len))
				fault(r, HTTP_FAULT_TWICE);
			if (has_control(trim(*p + len + 1)))
				fault(r, HTTP_FAULT_BYTES);
		}
	}
}

static void
read_length(struct http_request *req, struct reading *r)
{
	const char *text = r->value[SLOT_CONTENT_LENGTH];

	req->content_length = -1;
	if (!text)
		return;
	/* text_parse_int() alone would take "-0". */
	if (*text == '-' || text_parse_int(text, 0, INT64_MAX, &req->content_length) != MCP_OK) {
		req->content_length = -1;
		fault(r, HTTP_FAULT_LENGTH);
	}
}

void
http_request_init(struct http_request *req, char **envp)
{
	struct reading r = { .fault = HTTP_FAULT_NONE };

	memset(req, 0, sizeof(*req));
	req->envp = envp;
	read_all(&r, envp);

	for (size_t i = 0; i < HTTP_FIELD_COUNT; i++)
		req->field[i] = r.value[i];
	/* A rewrite in .htaccess renames what the front had set; a client's header can create neither name. */
	if (!req->field[HTTP_AUTHORIZATION] && r.fault == HTTP_FAULT_NONE)
		req->field[HTTP_AUTHORIZATION] = r.value[SLOT_AUTHORIZATION_REDIRECTED];
	req->content_type = r.value[SLOT_CONTENT_TYPE];
	req->query = r.value[SLOT_QUERY_STRING];
	req->remote_addr = r.value[SLOT_REMOTE_ADDR];
	req->script_name = r.value[SLOT_SCRIPT_NAME];
	req->path_info = r.value[SLOT_PATH_INFO];
	req->redirect_url = r.value[SLOT_REDIRECT_URL];
	req->request_uri = r.value[SLOT_REQUEST_URI];
	read_length(req, &r);
	req->method = r.value[SLOT_REQUEST_METHOD];
	if (!req->method || !text_is_tchar_token(req->method, strlen(req->method))) {
		req->method = NULL;
		fault(&r, HTTP_FAULT_METHOD);
	}
	req->fault = r.fault;
}

static int
find_path(const char *const *paths, size_t n, const char *head, const char *tail)
{
	size_t head_len = strlen(head);

	for (size_t i = 0; i < n; i++)
		if (strncmp(paths[i], head, head_len) == 0 && strcmp(paths[i] + head_len, tail) == 0)
			return (int)i;
	return -1;
}

/*
 * The next byte of a path at *p, percent-decoded once. Returns 0 at the end of the path (end of text, "?" or "#"), -1
 * for a bad escape and for %00, else the byte.
 */
static int
next_byte(const char **p)
{
	int high, low;

	if (**p == '\0' || **p == '?' || **p == '#')
		return 0;
	if (**p != '%')
		return (unsigned char)*(*p)++;
	high = text_hex_value((*p)[1]);
	low = high < 0 ? -1 : text_hex_value((*p)[2]);
	if (low < 0 || (high == 0 && low == 0))
		return -1;
	*p += 3;
	return high * 16 + low;
}

/*
 * The segment out[*len..] is complete: drop "." and resolve "..". "out" ends with the slash before it. Source: RFC 3986
 * section 5.2.4.
 */
static size_t
close_segment(const char *out, size_t start, size_t len)
{
	size_t size = len - start;

	if (size == 1 && out[start] == '.')
		return start;
	if (size != 2 || out[start] != '.' || out[start + 1] != '.')
		return len;
	if (start <= 1)
		return start;
	for (start--; out[start - 1] != '/'; )
		start--;
	return start;
}

/*
 * Where the path of a request target begins: an absolute form loses its scheme and authority. Source: RFC 9112 section
 * 3.2.
 */
static const char *
skip_authority(const char *uri)
{
	const char *colon;

	if (*uri == '/')
		return uri;
	colon = strstr(uri, "://");
	if (!colon || strcspn(uri, "/?#") < (size_t)(colon - uri))
		return NULL;
	return colon + 3 + strcspn(colon + 3, "/?#");
}

/* Write the normalised path of REQUEST_URI. Returns false when it has none that could be a route. */
static bool
normalise(const char *uri, char out[PATH_NORMALISED_MAX])
{
	const char *p = skip_authority(uri);
	size_t len = 0, start;
	int c;

	if (!p)
		return false;
	out[len++] = '/';
	start = len;
	while ((c = next_byte(&p)) > 0) {
		if (c == '/') {
			size_t kept = close_segment(out, start, len);

			/* An empty segment is a doubled slash; a dropped one left its slash there already. */
			if (kept == len && len > start)
				out[len++] = '/';
			else
				len = kept;
			start = len;
		} else {
			out[len++] = (char)c;
		}
		if (len >= PATH_NORMALISED_MAX - 1)
			return false;
	}
	if (c < 0)
		return false;
	len = close_segment(out, start, len);
	out[len] = '\0';
	return true;
}

int
http_request_path(const struct http_request *req, const char *const *paths, size_t n, const char **shown)
{
	char normalised[PATH_NORMALISED_MAX];
	int found = -1;

	if (shown) {
		const char *const candidates[] = { req->request_uri, req->redirect_url, req->path_info,
		    req->script_name, "" };

		for (size_t i = 0; i < sizeof(candidates) / sizeof(candidates[0]); i++) {
			*shown = candidates[i];
			if (*shown)
				break;
		}
	}
	if (req->script_name || req->path_info)
		found = find_path(paths, n, req->script_name ? req->script_name : "",
		    req->path_info ? req->path_info : "");
	if (found < 0 && req->path_info)
		found = find_path(paths, n, req->path_info, "");
	if (found < 0 && req->redirect_url)
		found = find_path(paths, n, req->redirect_url, "");
	if (found < 0 && req->request_uri && normalise(req->request_uri, normalised))
		found = find_path(paths, n, normalised, "");
	return found;
}

const char *
http_request_variable(const struct http_request *req, const char *name)
{
	size_t len = strlen(name);
	const char *value = NULL;

	if (!req->envp)
		return NULL;
	for (char *const *p = req->envp; *p; p++) {
		if (strncmp(*p, name, len) != 0 || (*p)[len] != '=')
			continue;
		if (value)
			return NULL;
		value = *p + len + 1;
	}
	return value && *value ? value : NULL;
}

bool
http_request_is_type(const struct http_request *req, const char *type)
{
	const char *text = req->content_type;
	size_t len;

	if (!text)
		return false;
	len = strcspn(text, ";");
	text_trim(&text, &len);
	return len == strlen(type) && strncasecmp(text, type, len) == 0;
}
