/* SPDX-License-Identifier: MIT */
#include <stdlib.h>
#include <string.h>

#include "issuer-call.h"
#include "tests/tap.h"

#define PATH "/resources/res_dev/oauth/authorize"
#define PKCE "&code_challenge=" ISSUER_CHALLENGE "&code_challenge_method=S256"

static char *client;

static struct reply
authorize(struct fixture *f, const char *fmt_query)
{
	char *query = text_of("client_id=%s&%s", client, fmt_query);
	struct reply r = issuer_get(f, PATH, query);

	free(query);
	return r;
}

/* Claim that the reply sends the browser back with an error, state and issuer. */
static void
sends_back(struct reply r, const char *error, const char *text)
{
	char *location = reply_header(&r, "Location");
	char *got = location ? url_parameter(location, "error") : NULL;
	char *state = location ? url_parameter(location, "state") : NULL;
	char *iss = location ? url_parameter(location, "iss") : NULL;

	if (!ok(r.status == 302 && got && strcmp(got, error) == 0 && state && strcmp(state, "s t&1") == 0 && iss
		    && strcmp(iss, ISSUER_URL "/resources/res_dev") == 0,
		"%s is %s at the redirect URI, with state and iss", text, error))
		diag("%d %s", r.status, location ? location : r.body);
	free(location);
	free(got);
	free(state);
	free(iss);
	reply_clear(&r);
}

/* Claim that the fault is told on a page: nothing is sent anywhere. */
static void
stays(struct reply r, int status, const char *text)
{
	char *location = reply_header(&r, "Location");
	char *type = reply_header(&r, "Content-Type");

	if (!ok(r.status == status && !location && type && strncmp(type, "text/html", 9) == 0, "%s is told on a page",
		text))
		diag("%d %s", r.status, r.body);
	free(location);
	free(type);
	reply_clear(&r);
}

static void
test_faults(struct fixture *f)
{
	char *other, *query;

	stays(issuer_get(f, PATH, NULL), 400, "no parameter at all");
	stays(issuer_get(f, PATH, "client_id=m2m_nobody&redirect_uri=https://evil.example/"), 400, "an unknown client");
	stays(authorize(f, "response_type=code&redirect_uri=https://evil.example/" PKCE), 400,
	    "an unregistered redirect URI");
	stays(authorize(f, "response_type=code&redirect_uri=http://127.0.0.1:5000/callback/x" PKCE), 400,
	    "a longer path");
	stays(authorize(f, "response_type=code&redirect_uri=http://localhost:5000/callback" PKCE), 400,
	    "another loopback name");
	stays(authorize(f, "redirect_uri=" ISSUER_REDIRECT "&redirect_uri=https://evil.example/"), 400,
	    "a parameter twice");
	stays(authorize(f, "redirect_uri=%zz"), 400, "a bad escape");
#define GOOD "redirect_uri=" ISSUER_REDIRECT "&state=s+t%261"
	sends_back(authorize(f, GOOD PKCE), "invalid_request", "a missing response_type");
	sends_back(authorize(f, GOOD "&response_type=token" PKCE), "unsupported_response_type", "the implicit flow");
	sends_back(authorize(f, GOOD "&response_type=code"), "invalid_request", "a missing code_challenge");
	sends_back(authorize(f, GOOD "&response_type=code&code_challenge=" ISSUER_CHALLENGE), "invalid_request",
	    "a missing method");
	sends_back(
	    authorize(f, GOOD "&response_type=code&code_challenge=" ISSUER_CHALLENGE "&code_challenge_method=plain"),
	    "invalid_request", "the method plain");
	sends_back(authorize(f, GOOD "&response_type=code&code_challenge=short&code_challenge_method=S256"),
	    "invalid_request", "a short challenge");
	sends_back(authorize(f, GOOD "&response_type=code&resource=https://other.example/mcp" PKCE), "invalid_target",
	    "another resource");
	sends_back(authorize(f, GOOD "&response_type=code&scope=usr:read+root" PKCE), "invalid_scope",
	    "a scope that is not there");
	other = register_client(
	    f, "{\"grant_types\":[\"client_credentials\"],\"redirect_uris\":[\"" ISSUER_REDIRECT "\"]}", NULL);
	query = text_of("client_id=%s&response_type=code&%s", other, GOOD PKCE);
	sends_back(issuer_get(f, PATH, query), "unauthorized_client", "a client that registered another grant");
	free(query);
	free(other);
}

static void
has(const struct reply *r, const char *part, bool wanted, const char *text)
{
	if (!ok((strstr(r->body, part) != NULL) == wanted, "%s", text))
		diag("%s", r->body);
}

/* The hidden field of the page and the cookie, ready to be sent back. */
static void
read_page(const struct reply *r, char **handle, char **cookie)
{
	const char *at = strstr(r->body, "name=\"request\" value=\"");
	char *set = reply_header(r, "Set-Cookie");

	*handle = at ? text_of("%.43s", at + 22) : text_of("none");
	*cookie = set ? text_of("HTTP_COOKIE=other=1; %.*s", (int)strcspn(set, ";"), set) : text_of("HTTP_COOKIE=none");
	free(set);
}

static void
test_page(struct fixture *f)
{
	char *named = register_client(f,
	    "{\"client_name\":\"<script>alert('x')</script>\\\"&\",\"redirect_uris\":[\"" ISSUER_REDIRECT "\"]}", NULL);
	char *query = text_of(
	    "client_id=%s&response_type=code&scope=usr:read+admin&state=%%3Cb%%3E&resource=" ISSUER_RESOURCE PKCE,
	    named);
	struct reply r = issuer_get(f, PATH, query);
	char *policy = reply_header(&r, "Content-Security-Policy");
	char *frame = reply_header(&r, "X-Frame-Options");
	char *cache = reply_header(&r, "Cache-Control");
	char *cookie = reply_header(&r, "Set-Cookie");

	is_int(r.status, 200, "a good request shows the page");
	has(&r, "<script", false, "a script in the client's name is not in the page");
	has(&r, "&lt;script&gt;alert(&#39;x&#39;)&lt;/script&gt;&quot;&amp;", true, "it is escaped");
	has(&r, "<b>", false, "the state is not in the page");
	has(&r, "127.0.0.1:5000", true, "the target of the answer is shown");
	has(&r, "a program on this computer", true, "with a word about loopback");
	has(&r, "value=\"usr:read\" checked", true, "a box for one scope");
	has(&r, "value=\"admin\" checked", true, "and one for the other");
	has(&r, ISSUER_RESOURCE, true, "the resource is shown");
	ok(policy && strstr(policy, "default-src 'none'") && strstr(policy, "frame-ancestors 'none'")
		&& strstr(policy, "form-action 'self' http://127.0.0.1:5000;") && !strstr(policy, "unsafe"),
	    "the policy allows no script and no frame");
	is_str(frame, "DENY", "nor do old browsers get a frame");
	is_str(cache, "no-store", "the page is not stored");
	ok(cookie && strstr(cookie, "HttpOnly") && strstr(cookie, "SameSite=Lax"),
	    "the cookie is out of reach for scripts and other sites");
	free(policy);
	free(frame);
	free(cache);
	free(cookie);
	free(query);
	free(named);
	reply_clear(&r);
}

static char *
decision(const char *handle, const char *rest)
{
	return text_of("request=%s&%s", handle, rest);
}

static void
test_decision(struct fixture *f)
{
	char *handle, *cookie, *form, *location, *text;
	struct reply r = authorize(f, "response_type=code&scope=usr:read+admin&state=s+t%261" PKCE);

	is_int(r.status, 200, "the only redirect URI need not be named");
	read_page(&r, &handle, &cookie);
	reply_clear(&r);
	form = decision(handle, "decision=allow&scope=usr:read&scope=root");
	stays(issuer_post(f, PATH, form), 403, "a decision without the cookie");
	f->variables[0] = "HTTP_COOKIE=mcp_fcgi_issuer=AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA";
	stays(issuer_post(f, PATH, form), 403, "a decision with another browser's cookie");
	f->variables[0] = cookie;
	f->variables[1] = "HTTP_ORIGIN=http://evil.example";
	stays(issuer_post(f, PATH, form), 403, "a decision from another origin");
	f->variables[1] = "HTTP_ORIGIN=http://localhost:9999";
	stays(issuer_post(f, PATH, form), 403, "also from another one on this computer");
	f->variables[1] = "HTTP_ORIGIN=" ISSUER_URL;
	r = issuer_post(f, PATH, form);
	location = reply_header(&r, "Location");
	is_int(r.status, 303, "the person's own decision leads back");
	ok(location && strncmp(location, ISSUER_REDIRECT "?code=", strlen(ISSUER_REDIRECT "?code=")) == 0,
	    "with a code");
	text = location ? url_parameter(location, "state") : NULL;
	is_str(text, "s t&1", "the state");
	free(text);
	text = location ? url_parameter(location, "iss") : NULL;
	is_str(text, ISSUER_URL "/resources/res_dev", "and the issuer (RFC 9207)");
	free(text);
	reply_clear(&r);
	stays(issuer_post(f, PATH, form), 403, "the same decision again");
	free(form);

	text = location ? url_parameter(location, "code") : text_of("none");
	form =
	    text_of("grant_type=authorization_code&client_id=%s&code=%s&code_verifier=" ISSUER_VERIFIER, client, text);
	free(text);
	r = issuer_post(f, "/resources/res_dev/oauth/token", form);
	text = reply_member(&r, "scope");
	is_str(text, "usr:read", "only ticked scopes that were asked for are granted");
	reply_clear(&r);
	free(text);
	free(form);
	free(location);
	free(handle);
	f->variables[1] = NULL;

	r = authorize(f, "response_type=code&state=s+t%261" PKCE);
	text = reply_header(&r, "Set-Cookie");
	ok(text && strncmp(text, cookie + strlen("HTTP_COOKIE=other=1; "), 16 + 43) == 0,
	    "a second page keeps the browser's cookie");
	free(text);
	free(cookie);
	read_page(&r, &handle, &cookie);
	reply_clear(&r);
	f->variables[0] = cookie;
	form = decision(handle, "decision=deny&scope=usr:read");
	r = issuer_post(f, PATH, form);
	location = reply_header(&r, "Location");
	ok(r.status == 303 && location && strstr(location, "error=access_denied")
		&& strstr(location, "state=s%20t%261"),
	    "no leads to access_denied");
	free(location);
	reply_clear(&r);
	free(form);
	free(handle);

	r = authorize(f, "response_type=code" PKCE);
	free(cookie);
	read_page(&r, &handle, &cookie);
	reply_clear(&r);
	f->variables[0] = cookie;
	f->now_s += 601;
	form = decision(handle, "decision=allow");
	stays(issuer_post(f, PATH, form), 403, "a page that was left open too long");
	f->variables[0] = NULL;
	free(form);
	free(handle);
	free(cookie);
}

static void
test_port(struct fixture *f)
{
	struct reply r = authorize(f, "response_type=code&redirect_uri=http://127.0.0.1:49999/callback" PKCE);

	is_int(r.status, 200, "the port of a loopback redirect URI is free");
	has(&r, "127.0.0.1:49999", true, "and shown as it was asked for");
	reply_clear(&r);
	r = authorize(f, "response_type=code&resource=" ISSUER_RESOURCE "/" PKCE);
	is_int(r.status, 200, "a slash at the end of the resource does no harm");
	reply_clear(&r);
}

int
main(void)
{
	struct fixture f;

	fixture_open(&f, false);
	client = register_client(
	    &f, "{\"redirect_uris\":[\"" ISSUER_REDIRECT "\"],\"token_endpoint_auth_method\":\"none\"}", NULL);
	test_faults(&f);
	test_page(&f);
	test_decision(&f);
	test_port(&f);
	free(client);
	fixture_close(&f);
	return tap_done();
}
