/* SPDX-License-Identifier: MIT */
/*
 * One HTTP request by libcurl, with every choice of libcurl's that matters set here and nothing taken from the
 * environment.
 *
 * Life of a request: 1. the URL is read by target.c, which refuses what could be read in two ways; 2. an idle handle
 * that has spoken to this origin is taken from the pool, or a new one made; 3. options are set; 4. each address is
 * judged before a socket for it exists, and once more before the request is sent, because a kept connection opens no
 * socket; 5. headers and body are taken under their bounds; 6. the handle goes back to the pool with its connection,
 * unless anything went wrong.
 */
#include "net/fetch.h"

#include "config.h"

#include <ctype.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/socket.h>

#include <curl/curl.h>

#include "base/clock.h"
#include "base/ending.h"
#include "base/text.h"
#include "net/fetch_pool.h"
#include "net/field.h"
#include "net/target.h"

#define HEADERS_MAX (64 * 1024)		/* bytes of an answer's header fields */
#define LOOK_MS 100			/* how often a transfer that waits asks whether anybody still wants it */

/* One transfer, as the callbacks see it. */
struct transfer {
	const struct fetch_request *req;
	struct fetch_response *res;
	struct target target;
	bool by_proxy;
	bool trusted;			/* the host may be anywhere: the operator named it */
	bool refused;			/* an address was not allowed */
	bool cancelled;
	bool too_large;			/* header fields over HEADERS_MAX */
	bool has_length;		/* Content-Length was there */
	const char *odd;		/* static: what in the head libcurl reads more kindly than we do; NULL */
	size_t header_bytes;
	struct buf cache_control;	/* all fields of that name, joined with commas */
	char retry_after[64];
	char error[CURL_ERROR_SIZE];
};

static pthread_once_t once = PTHREAD_ONCE_INIT;
static CURLcode global_init;

static void
init_once(void)
{
	struct sigaction action;

	/*
	 * libcurl leaves SIGPIPE alone when it may not use signals, and OpenSSL writes to sockets without MSG_NOSIGNAL.
	 */
	if (sigaction(SIGPIPE, NULL, &action) == 0 && action.sa_handler == SIG_DFL)
		signal(SIGPIPE, SIG_IGN);
	global_init = curl_global_init(CURL_GLOBAL_DEFAULT);
}

static bool
reach_allowed(const struct transfer *t, enum target_reach reach)
{
	if (!t->target.https && reach != TARGET_LOOPBACK)
		return false;
	return t->trusted || reach == TARGET_PUBLIC;
}

/* Before a connection: libcurl asks for a socket to one address. */
static curl_socket_t
on_socket(void *ctx, curlsocktype purpose, struct curl_sockaddr *address)
{
	struct transfer *t = ctx;

	if (purpose != CURLSOCKTYPE_IPCXN)
		return CURL_SOCKET_BAD;
	if (!t->by_proxy && !reach_allowed(t, target_reach_of(&address->addr))) {
		t->refused = true;
		return CURL_SOCKET_BAD;
	}
	return socket(address->family, address->socktype | SOCK_CLOEXEC, address->protocol);
}

/* Before the request is sent, also on a connection that was kept from an earlier one. */
static int
on_request(void *ctx, char *peer, char *local, int peer_port, int local_port)
{
	struct transfer *t = ctx;

	(void)local;
	(void)peer_port;
	(void)local_port;
	if (t->by_proxy || reach_allowed(t, target_reach_of_text(peer)))
		return CURL_PREREQFUNC_OK;
	t->refused = true;
	return CURL_PREREQFUNC_ABORT;
}

static size_t
on_body(char *data, size_t size, size_t n, void *ctx)
{
	struct transfer *t = ctx;

	buf_put(&t->res->body, data, size * n);
	return buf_status(&t->res->body) == MCP_OK ? size * n : 0;
}

/* Whether the header line "line" is field "name"; *value and *len are what follows the colon, trimmed. */
static bool
field_is(const char *line, size_t line_len, const char *name, const char **value, size_t *len)
{
	size_t n = strlen(name);

	if (line_len <= n || line[n] != ':' || strncasecmp(line, name, n) != 0)
		return false;
	*value = line + n + 1;
	*len = line_len - n - 1;
	while (*len > 0 && ((*value)[*len - 1] == '\r' || (*value)[*len - 1] == '\n'))
		(*len)--;
	text_trim(value, len);
	return true;
}

static void
forget_fields(struct transfer *t)
{
	t->has_length = false;
	buf_reset(&t->cache_control);
	t->retry_after[0] = '\0';
	free(t->res->content_type);
	t->res->content_type = NULL;
	t->res->date_s = -1;
}

/* Whether a status line has three digits and nothing behind them but a reason. Source: RFC 9112 section 4. */
static bool
is_status_line(const char *line, size_t n)
{
	const char *p = memchr(line, ' ', n), *end = line + n;

	return p && end - p > 4 && isdigit((unsigned char)p[1]) && isdigit((unsigned char)p[2]) &&
	    isdigit((unsigned char)p[3]) && (p[4] == ' ' || p[4] == '\r' || p[4] == '\n');
}

static size_t
on_header(char *line, size_t size, size_t n, void *ctx)
{
	struct transfer *t = ctx;
	const char *value;
	size_t len;

	n *= size;
	t->header_bytes += n;
	if (t->header_bytes > HEADERS_MAX) {
		t->too_large = true;
		return 0;
	}
	if (n >= 5 && memcmp(line, "HTTP/", 5) == 0) {
		forget_fields(t);	/* what an interim answer (1xx) said does not count */
		if (!is_status_line(line, n))
			t->odd = "the status is no number of three digits";
	} else if (field_is(line, n, "Cache-Control", &value, &len)) {
		if (t->cache_control.len)
			buf_putc(&t->cache_control, ',');
		buf_put(&t->cache_control, value, len);
	} else if (field_is(line, n, "Retry-After", &value, &len)) {
		snprintf(t->retry_after, sizeof(t->retry_after), "%.*s", len < 60 ? (int)len : 0, value);
	} else if (field_is(line, n, "Date", &value, &len)) {
		t->res->date_s = field_date(value, len);
	} else if (field_is(line, n, "Content-Type", &value, &len) && !t->res->content_type) {
		t->res->content_type = text_dup(value, len);
		if (!t->res->content_type)
			return 0;
	} else if (field_is(line, n, "Content-Length", &value, &len)) {
		/* libcurl believes the last; which bytes are the answer is not for the peer to leave open */
		if (t->has_length)
			t->odd = "the answer has two lengths (RFC 9110 section 8.6)";
		t->has_length = true;
	}
	return t->odd ? 0 : n;
}

/* Everything that could make libcurl do more than one plain request. Returns whether all was accepted. */
static bool
set_policy(CURL *easy, const struct fetch_policy *policy, const struct transfer *t)
{
	int rc = 0;

	rc |= (int)curl_easy_setopt(easy, CURLOPT_PROTOCOLS_STR, "http,https");
	rc |= (int)curl_easy_setopt(easy, CURLOPT_FOLLOWLOCATION, 0L);
	rc |= (int)curl_easy_setopt(easy, CURLOPT_HTTP_VERSION, (long)CURL_HTTP_VERSION_1_1);
	rc |= (int)curl_easy_setopt(easy, CURLOPT_HTTP09_ALLOWED, 0L);
	rc |= (int)curl_easy_setopt(easy, CURLOPT_NETRC, (long)CURL_NETRC_IGNORED);
	rc |= (int)curl_easy_setopt(easy, CURLOPT_PROXY, t->by_proxy ? policy->proxy : "");
	rc |= (int)curl_easy_setopt(easy, CURLOPT_NOPROXY, "");
	rc |= (int)curl_easy_setopt(easy, CURLOPT_SUPPRESS_CONNECT_HEADERS, 1L);
	rc |= (int)curl_easy_setopt(easy, CURLOPT_NOSIGNAL, 1L);
	/*
	 * A name server that hangs must not hold a thread past the deadline; the look-up's own thread ends by itself.
	 */
	rc |= (int)curl_easy_setopt(easy, CURLOPT_QUICK_EXIT, 1L);
	rc |= (int)curl_easy_setopt(easy, CURLOPT_USERAGENT, PACKAGE_NAME "/" PACKAGE_VERSION);
	rc |= (int)curl_easy_setopt(easy, CURLOPT_SSLVERSION, (long)CURL_SSLVERSION_TLSv1_2);
	rc |= (int)curl_easy_setopt(easy, CURLOPT_SSL_VERIFYPEER, 1L);
	rc |= (int)curl_easy_setopt(easy, CURLOPT_SSL_VERIFYHOST, 2L);
	if (policy->ca_file) {
		rc |= (int)curl_easy_setopt(easy, CURLOPT_CAINFO, policy->ca_file);
		rc |= (int)curl_easy_setopt(easy, CURLOPT_CAPATH, NULL);
	}
	return rc == 0;
}

/* What this one request is. */
static bool
set_request(CURL *easy, struct transfer *t, struct curl_slist *headers, int64_t left_ms)
{
	const struct fetch_request *req = t->req;
	int rc = 0;

	rc |= (int)curl_easy_setopt(easy, CURLOPT_URL, req->url);
	rc |= (int)curl_easy_setopt(easy, CURLOPT_HTTPHEADER, headers);
	if (strcmp(req->method, "POST") == 0) {
		rc |= (int)curl_easy_setopt(easy, CURLOPT_POST, 1L);
		rc |= (int)curl_easy_setopt(easy, CURLOPT_POSTFIELDS, req->body ? req->body : "");
		rc |= (int)curl_easy_setopt(easy, CURLOPT_POSTFIELDSIZE_LARGE,
		    (curl_off_t)(req->body ? req->body_len : 0));
	}
	rc |= (int)curl_easy_setopt(easy, CURLOPT_CONNECTTIMEOUT_MS, req->connect_timeout_ms);
	rc |= (int)curl_easy_setopt(easy, CURLOPT_TIMEOUT_MS, (long)left_ms);
	rc |= (int)curl_easy_setopt(easy, CURLOPT_MAXFILESIZE_LARGE, (curl_off_t)req->max_bytes);
	rc |= (int)curl_easy_setopt(easy, CURLOPT_OPENSOCKETFUNCTION, on_socket);
	rc |= (int)curl_easy_setopt(easy, CURLOPT_OPENSOCKETDATA, t);
	rc |= (int)curl_easy_setopt(easy, CURLOPT_PREREQFUNCTION, on_request);
	rc |= (int)curl_easy_setopt(easy, CURLOPT_PREREQDATA, t);
	rc |= (int)curl_easy_setopt(easy, CURLOPT_WRITEFUNCTION, on_body);
	rc |= (int)curl_easy_setopt(easy, CURLOPT_WRITEDATA, t);
	rc |= (int)curl_easy_setopt(easy, CURLOPT_HEADERFUNCTION, on_header);
	rc |= (int)curl_easy_setopt(easy, CURLOPT_HEADERDATA, t);
	rc |= (int)curl_easy_setopt(easy, CURLOPT_ERRORBUFFER, t->error);
	return rc == 0;
}

/* Our headers as libcurl wants them, and those taken away that libcurl would add. NULL when memory is short. */
static struct curl_slist *
make_headers(const struct fetch_request *req)
{
	struct curl_slist *list = curl_slist_append(NULL, "Expect:");

	for (size_t i = 0; list && req->headers && req->headers[i]; i++) {
		struct curl_slist *longer = curl_slist_append(list, req->headers[i]);

		if (!longer)
			curl_slist_free_all(list);
		list = longer;
	}
	return list;
}

/* libcurl's result in our words; what no row names is a fault of the network. */
static enum mcp_err
error_of(CURLcode rc, const struct transfer *t)
{
	static const struct {
		CURLcode code;
		enum mcp_err err;
	} rows[] = {
		{ CURLE_OK, MCP_OK },
		{ CURLE_OUT_OF_MEMORY, MCP_ENOMEM },
		{ CURLE_OPERATION_TIMEDOUT, MCP_ETIMEOUT },
		{ CURLE_FILESIZE_EXCEEDED, MCP_ELIMIT },
		{ CURLE_URL_MALFORMAT, MCP_EPERM },
		{ CURLE_UNSUPPORTED_PROTOCOL, MCP_EREMOTE },	/* an answer without a status line */
		{ CURLE_WEIRD_SERVER_REPLY, MCP_EREMOTE },
		{ CURLE_GOT_NOTHING, MCP_EREMOTE },
		{ CURLE_PARTIAL_FILE, MCP_EREMOTE },
		{ CURLE_RECV_ERROR, MCP_EREMOTE },
		{ CURLE_BAD_CONTENT_ENCODING, MCP_EREMOTE },
#if LIBCURL_VERSION_NUM >= 0x080600
		{ CURLE_TOO_LARGE, MCP_ELIMIT },	/* a header field of 100 KiB */
#endif
	};

	if (t->cancelled)
		return MCP_ECLOSED;
	if (rc != CURLE_OK && t->refused && (rc == CURLE_COULDNT_CONNECT || rc == CURLE_ABORTED_BY_CALLBACK))
		return MCP_EPERM;
	if (t->too_large)
		return MCP_ELIMIT;
	if (t->odd)
		return MCP_EREMOTE;
	if (rc == CURLE_WRITE_ERROR) {
		enum mcp_err err = buf_status(&t->res->body);

		return err ? err : MCP_ENOMEM;
	}
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		if (rows[i].code == rc)
			return rows[i].err;
	}
	return MCP_ENET;
}

static void
tell_fault(struct transfer *t, enum mcp_err err, CURLcode rc)
{
	const char *what = t->error[0] ? t->error : curl_easy_strerror(rc);

	if (err == MCP_EPERM)
		what = t->target.https ? "the host has an address that is not allowed here"
		    : "plain http, and the host is not loopback";
	else if (err == MCP_ELIMIT)
		what = "the answer is too large";
	else if (err == MCP_ECLOSED)
		what = clock_monotonic_ms() >= ending_ms() ? "this process ends" : "cancelled";
	else if (t->odd)
		what = t->odd;
	snprintf(t->res->fault, sizeof(t->res->fault), "%.95s", what);
}

/* Whether nobody wants the answer any more, or this process has no time left for it. */
static bool
is_cancelled(const struct fetch_request *req)
{
	return clock_monotonic_ms() >= ending_ms() || (req->is_cancelled && req->is_cancelled(req->cancel_ctx));
}

/*
 * Drive the one transfer of a handle to its end, or until it is cancelled. Not curl_easy_perform(): that one looks
 * up only once a second while a peer is silent.
 */
static CURLcode
run(struct transfer *t, struct fetch_handle h)
{
	CURLcode rc = CURLE_OUT_OF_MEMORY;
	CURLMcode mc = curl_multi_add_handle(h.multi, h.easy);
	CURLMsg *message;
	int running = 1, left;

	while (mc == CURLM_OK && running && !t->cancelled) {
		mc = curl_multi_perform(h.multi, &running);
		if (mc == CURLM_OK && running)
			mc = curl_multi_poll(h.multi, NULL, 0, LOOK_MS, NULL);
		t->cancelled = running && is_cancelled(t->req);
	}
	while ((message = curl_multi_info_read(h.multi, &left)))
		if (message->msg == CURLMSG_DONE)
			rc = message->data.result;
	curl_multi_remove_handle(h.multi, h.easy);
	return rc;
}

/* One try. *again is set when the connection broke in a way that a second try may mend. */
static enum mcp_err
perform(const struct fetch_policy *policy, struct transfer *t, struct curl_slist *headers, int64_t left_ms, bool *again)
{
	char origin[FETCH_ORIGIN_MAX];
	CURLcode rc = CURLE_OUT_OF_MEMORY;
	enum mcp_err err;
	long status = 0;
	struct fetch_handle h;

	snprintf(origin, sizeof(origin), "%d %s %u", t->target.https, t->target.host, t->target.port);
	if (!fetch_pool_take(origin, &h))
		return MCP_ENOMEM;
	if (set_policy(h.easy, policy, t) && set_request(h.easy, t, headers, left_ms))
		rc = run(t, h);
	if (rc != CURLE_OK && curl_easy_getinfo(h.easy, CURLINFO_HTTP_CONNECTCODE, &status) == CURLE_OK
	    && status >= 300)
		/* the proxy refused the tunnel; libcurl's own code for that differs between versions */
		rc = CURLE_COULDNT_CONNECT;
	err = error_of(rc, t);
	if (err == MCP_OK) {
		curl_easy_getinfo(h.easy, CURLINFO_RESPONSE_CODE, &status);
		t->res->status = (int)status;
	} else {
		tell_fault(t, err, rc);
	}
	*again = rc == CURLE_GOT_NOTHING || rc == CURLE_PARTIAL_FILE || rc == CURLE_RECV_ERROR
	    || rc == CURLE_SEND_ERROR;
	fetch_pool_give(h, origin, err == MCP_OK);
	return err;
}

/* Judge what can be judged before anything is asked. */
static enum mcp_err
prepare(const struct fetch_policy *policy, struct transfer *t)
{
	const struct fetch_request *req = t->req;
	const char *host = t->target.host;
	const char *fault = NULL;
	enum mcp_err err = MCP_EPERM;

	if (!target_parse(req->url, &t->target))
		fault = "the URL is not one that may be fetched";
	else if (!t->target.https && !target_is_loopback(host))
		fault = "plain http, and the host is not loopback";
	t->trusted = !req->learnt || (req->origin_host && strcasecmp(host, req->origin_host) == 0);
	for (size_t i = 0; i < policy->allow.n && !t->trusted; i++)
		t->trusted = strcasecmp(host, policy->allow.v[i]) == 0;
	t->by_proxy = policy->proxy && !target_is_loopback(host);
	if (!fault && !t->trusted
	    && (target_is_loopback(host) || (t->target.literal && target_reach_of_text(host) != TARGET_PUBLIC)))
		fault = "the host has an address that is not allowed here";
	if (!fault && strcmp(req->method, "GET") != 0 && strcmp(req->method, "POST") != 0) {
		fault = "the method is neither GET nor POST";
		err = MCP_EINVAL;
	}
	for (size_t i = 0; !fault && req->headers && req->headers[i]; i++) {
		if (req->headers[i][strcspn(req->headers[i], "\r\n")]) {
			fault = "a header field has a line end in it";
			err = MCP_EINVAL;
		}
	}
	if (!fault)
		return MCP_OK;
	snprintf(t->res->fault, sizeof(t->res->fault), "%s", fault);
	return err;
}

static void
forget_answer(struct transfer *t)
{
	forget_fields(t);
	buf_reset(&t->res->body);
	t->header_bytes = 0;
	t->odd = NULL;
	t->error[0] = '\0';
	t->refused = false;
}

static void
read_fields(struct transfer *t)
{
	struct fetch_response *res = t->res;

	if (t->cache_control.len && buf_status(&t->cache_control) == MCP_OK)
		res->max_age_s = field_max_age(t->cache_control.data, t->cache_control.len);
	if (t->retry_after[0])
		res->retry_after_s = field_retry_after(t->retry_after, strlen(t->retry_after),
		    res->date_s >= 0 ? res->date_s : clock_now_s());
}

enum mcp_err
fetch(const struct fetch_policy *policy, const struct fetch_request *req, struct fetch_response *res)
{
	struct transfer t = { .req = req, .res = res };
	int64_t end_ms = clock_monotonic_ms() + req->total_timeout_ms;
	struct curl_slist *headers = NULL;
	bool again = false;
	enum mcp_err err;

	memset(res, 0, sizeof(*res));
	res->max_age_s = res->retry_after_s = res->date_s = -1;
	buf_init(&res->body, req->max_bytes);
	buf_init(&t.cache_control, 4096);

	err = prepare(policy, &t);
	if (err)
		goto out;
	pthread_once(&once, init_once);
	err = global_init == CURLE_OK ? MCP_OK : MCP_ENET;
	if (err) {
		snprintf(res->fault, sizeof(res->fault), "libcurl cannot be used: %s", curl_easy_strerror(global_init));
		goto out;
	}
	headers = make_headers(req);
	err = headers ? perform(policy, &t, headers, req->total_timeout_ms, &again) : MCP_ENOMEM;
	if (err && again && !t.cancelled && strcmp(req->method, "GET") == 0) {
		int64_t left_ms = end_ms - clock_monotonic_ms();

		if (left_ms > 0) {
			forget_answer(&t);
			err = perform(policy, &t, headers, left_ms, &again);
		}
	}
	if (!err) {
		res->fault[0] = '\0';
		read_fields(&t);
	}
out:
	if (err == MCP_ENOMEM)
		snprintf(res->fault, sizeof(res->fault), "%s", mcp_strerror(err));
	curl_slist_free_all(headers);
	buf_clear(&t.cache_control);
	return err;
}

void
fetch_response_clear(struct fetch_response *res)
{
	if (!res)
		return;
	free(res->content_type);
	res->content_type = NULL;
	buf_clear_secret(&res->body);
}
