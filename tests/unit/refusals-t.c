/* SPDX-License-Identifier: MIT */
/*
 * Every way an authorization can end, provoked through the whole chain, and what comes of it compared with the table
 * of outcomes: status, challenge, body, line of the log, counter. And that what a caller may not see does not exist.
 */
#include <ftw.h>
#include <openssl/evp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "base/log.h"
#include "http/request.h"
#include "http/response.h"
#include "oauth/outcome.h"
#include "server/exchange.h"
#include "server/server.h"
#include "store/stats.h"
#include "tests/quotes.h"
#include "tests/tap.h"
#include "tests/unit/mint.h"

#define ISSUER "https://env.example.com"
#define AUDIENCE "https://mcp.example.com/mcp"
#define CHALLENGE "Bearer realm=\"OAuth\", resource_metadata=\"" \
	"https://mcp.example.com/.well-known/oauth-protected-resource\""
#define SECRET "s3cret"		/* in every token, and in no line of the log */

static char work[] = "/tmp/mcp-fcgi-refusals.XXXXXX";
static EVP_PKEY *key, *other_key;
static unsigned servers;

static void
need(bool good, const char *what)
{
	if (good)
		return;
	diag("cannot go on: %s", what);
	exit(99);
}

/* ---- the log */

static struct buf lines;

static void
keep_line(void *ctx, enum log_level level, const char *text)
{
	(void)ctx;
	if (level != LOG_LEVEL_DEBUG)
		buf_printf(&lines, "%s\n", text);
}

/* ---- servers */

struct site {
	struct server *server;
	struct stats *stats;	/* the shared counters, opened as another process would */
};

static void
write_file(const char *path, const char *text)
{
	FILE *f = fopen(path, "w");

	need(f && fputs(text, f) >= 0 && fclose(f) == 0 && chmod(path, 0600) == 0, path);
}

static struct site
make_site(const char *settings)
{
	const struct server_process process = { "fastcgi", (int64_t)time(NULL) };
	static char *no_environment[] = { NULL };
	char *path = mint_text("%s/%u.conf", work, servers), *state = mint_text("%s/%u", work, servers);
	char *text = mint_text("SK_ENV_URL=" ISSUER "\nEXPECTED_AUDIENCE=" AUDIENCE "\n"
	    "PROTECTED_RESOURCE_METADATA=auto\nSTATE_DIR=%s\n%s", state, settings);
	struct report report = { 0 };
	struct server_config *config;
	struct site site;
	int shared;

	servers++;
	need(mkdir(state, 0700) == 0, state);
	write_file(path, text);
	need(server_config_load(path, no_environment, &report, &config) == MCP_OK, "configuration");
	need(server_new(config, &process, &report, &site.server) == MCP_OK && !report.failed, "server");
	need(stats_open(state, &site.stats, &shared) == MCP_OK && shared, "counters");
	report_clear(&report);
	free(path);
	free(state);
	free(text);
	return site;
}

static void
end_site(struct site *s)
{
	server_unref(s->server);
	stats_close(s->stats);
}

static ssize_t
read_body(void *ctx, void *to, size_t n, enum mcp_err *err)
{
	const char **at = ctx;

	*err = MCP_OK;
	if (n > strlen(*at))
		n = strlen(*at);
	memcpy(to, *at, n);
	*at += n;
	return (ssize_t)n;
}

enum era { LEGACY, MODERN };

/* Call a tool with this Authorization (NULL: none). The answer is to be cleared. */
static void
ask(struct server *s, const char *authorization, enum era era, const char *tool, struct http_response *res)
{
	static const char meta[] = "'_meta':{'io.modelcontextprotocol/protocolVersion':'2026-07-28',"
	    "'io.modelcontextprotocol/clientCapabilities':{}},";
	char *body = mint_text("{'jsonrpc':'2.0','id':1,'method':'tools/call','params':{%s'name':'%s'}}",
	    era == MODERN ? meta : "", tool);
	const char *at = q(body);
	char *envp[] = {
		mint_text("REQUEST_METHOD=POST"), mint_text("SCRIPT_NAME=/mcp"), mint_text("REMOTE_ADDR=192.0.2.7"),
		mint_text("HTTP_HOST=mcp.example.com"), mint_text("CONTENT_TYPE=application/json"),
		mint_text("CONTENT_LENGTH=%zu", strlen(body)),
		mint_text("HTTP_MCP_PROTOCOL_VERSION=%s", era == MODERN ? "2026-07-28" : "2025-11-25"),
		mint_text("HTTP_MCP_METHOD=tools/call"), mint_text("HTTP_MCP_NAME=%s", tool),
		authorization ? mint_text("HTTP_AUTHORIZATION=%s", authorization) : NULL, NULL
	};
	struct http_body_source source = { read_body, &at };
	struct http_request req;

	http_request_init(&req, envp);
	http_response_init(res);
	server_handle(s, &req, &source, res);
	for (size_t i = 0; envp[i]; i++)
		free(envp[i]);
	free(body);
}

/* The value of a field of the answer in "out"; returns how often it is there. */
static unsigned
field(const struct http_response *res, const char *name, char out[1024])
{
	size_t len = strlen(name);
	unsigned n = 0;

	out[0] = '\0';
	for (const char *p = res->headers.data; *p; p += strcspn(p, "\n") + (strchr(p, '\n') != NULL))
		if (strncasecmp(p, name, len) == 0 && p[len] == ':' && n++ == 0)
			snprintf(out, 1024, "%.*s", (int)strcspn(p + len + 2, "\r\n"), p + len + 2);
	return n;
}

/* ---- tokens */

/* A token with these claims (JSON members, single quotes) over the usual ones, and this header. */
static char *
token(EVP_PKEY *by, const char *header, const char *fmt, ...) __attribute__((format(printf, 3, 4)));

static char *
token(EVP_PKEY *by, const char *header, const char *fmt, ...)
{
	char claims[512], *payload, *jws, *all;
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(claims, sizeof claims, fmt, ap);
	va_end(ap);
	payload = mint_text("{'jti':'" SECRET "',%s}", claims);
	jws = mint(by, "EdDSA", header ? q(header) : q("{'alg':'EdDSA','typ':'at+jwt','kid':'k1'}"), q(payload));
	all = mint_text("Bearer %s", jws);
	free(payload);
	free(jws);
	return all;
}

#define IDENTITY "'iss':'" ISSUER "','sub':'usr_1'"
#define AUD "'aud':'" AUDIENCE "'"
#define TIMES(exp, iat) "'exp':%lld,'iat':%lld", (long long)time(NULL) + (exp), (long long)time(NULL) + (iat)
#define GOOD IDENTITY "," AUD "," TIMES(600, -10)

/* A way to be refused. The Authorization is made by hand where no token with these claims is meant. */
static char *
authorization_for(enum oauth_outcome outcome)
{
	char *text, *huge;

	switch (outcome) {
	case OAUTH_NO_CREDENTIALS:
		return NULL;
	case OAUTH_OTHER_SCHEME:
		return mint_text("Basic " SECRET);
	case OAUTH_BAD_HEADER:
		return mint_text("Bearer " SECRET " " SECRET);
	case OAUTH_TOO_LONG:
		huge = malloc(20001);
		need(huge != NULL, "memory");
		memset(huge, 'a', 20000);
		huge[20000] = '\0';
		text = mint_text("Bearer " SECRET "%s", huge);
		free(huge);
		return text;
	case OAUTH_NOT_JWT:
		return mint_text("Bearer " SECRET);
	case OAUTH_BAD_HEADER_JOSE:
		return token(key, "{'alg':'EdDSA','kid':'k1','crit':['exp']}", GOOD);
	case OAUTH_BAD_TYPE:
		return token(key, "{'alg':'EdDSA','kid':'k1','typ':'logout+jwt'}", GOOD);
	case OAUTH_BAD_ALGORITHM:
		return token(key, "{'alg':'HS256','kid':'k1'}", GOOD);
	case OAUTH_UNKNOWN_KEY:
		return token(other_key, "{'alg':'EdDSA','kid':'k2'}", GOOD);
	case OAUTH_BAD_SIGNATURE:
		return token(other_key, NULL, GOOD);
	case OAUTH_BAD_CLAIMS:
		return token(key, NULL, "'iss':'" ISSUER "'," AUD "," TIMES(600, -10));
	case OAUTH_EXPIRED:
		return token(key, NULL, IDENTITY "," AUD "," TIMES(-600, -900));
	case OAUTH_NOT_YET_VALID:
		return token(key, NULL, IDENTITY "," AUD "," TIMES(600, 300));
	case OAUTH_WRONG_ISSUER:
		return token(key, NULL, "'iss':'https://evil.example','sub':'u'," AUD "," TIMES(600, -10));
	case OAUTH_WRONG_AUDIENCE:
		return token(key, NULL, IDENTITY ",'aud':'https://other.example'," TIMES(600, -10));
	case OAUTH_WRONG_RESOURCE:
		return token(key, NULL, "'resource':'https://other.example'," GOOD);
	case OAUTH_NOT_ACCESS_TOKEN:
		return token(key, NULL, "'token_use':'id'," GOOD);
	case OAUTH_SENDER_CONSTRAINED:
		return token(key, NULL, "'cnf':{'jkt':'x'}," GOOD);
	case OAUTH_WRONG_ORGANISATION:
		return token(key, NULL, "'scope':'admin'," GOOD);
	default:
		return token(key, NULL, GOOD);
	}
}

/* What the log says to have seen and to have expected, where it says so. */
static const char *
told_for(enum oauth_outcome outcome)
{
	switch (outcome) {
	case OAUTH_NO_CREDENTIALS:
		return "no Authorization field arrived";
	case OAUTH_BAD_TYPE:
		return "seen 'logout+jwt'";
	case OAUTH_BAD_ALGORITHM:
		return "seen 'HS256'";
	case OAUTH_UNKNOWN_KEY:
		return "seen 'k2'";
	case OAUTH_BAD_CLAIMS:
		return "bad_claims, seen no good 'sub'";
	case OAUTH_EXPIRED:
		return "expired, seen 20";
	case OAUTH_NOT_YET_VALID:
		return "not_yet_valid, seen 20";
	case OAUTH_WRONG_ISSUER:
		return "seen 'https://evil.example', expected '" ISSUER "'";
	case OAUTH_WRONG_AUDIENCE:
		return "seen 'https://other.example', expected '" AUDIENCE "'";
	case OAUTH_WRONG_RESOURCE:
		return "seen 'https://other.example', expected '" AUDIENCE "'";
	case OAUTH_INSUFFICIENT_SCOPE:
		return "call of admin_tool refused: insufficient_scope, seen '', expected 'admin'";
	case OAUTH_WRONG_ORGANISATION:
		return "call of get_org_data refused: wrong_organisation, seen '', expected 'one'";
	default:
		return NULL;
	}
}

static bool
is_denial(enum oauth_outcome outcome)
{
	return outcome == OAUTH_INSUFFICIENT_SCOPE || outcome == OAUTH_WRONG_ORGANISATION;
}

static void
check_challenge(const struct oauth_outcome_row *row, enum oauth_outcome outcome, const struct http_response *res)
{
	const char *scope = outcome == OAUTH_INSUFFICIENT_SCOPE ? "admin" : "usr:read";
	char got[1024], want[1024], part[512] = "", scopes[64] = "";
	unsigned n = field(res, "WWW-Authenticate", got);

	if (res->status == 200 || res->status >= 500) {
		is_int(n, 0, "J5: %s: no challenge", row->word);
		return;
	}
	is_int(n, 1, "J1: %s: one challenge", row->word);
	if (row->error)
		snprintf(part, sizeof part, ", error=\"%s\", error_description=\"%s\"", row->error, row->description);
	if (outcome != OAUTH_WRONG_ORGANISATION && outcome != OAUTH_WRONG_CLIENT)
		snprintf(scopes, sizeof scopes, ", scope=\"%s\"", scope);
	snprintf(want, sizeof want, CHALLENGE "%s%s", part, scopes);
	is_str(got, want, "%s: the challenge is the table's", row->word);
}

static void
check_log(const struct oauth_outcome_row *row, enum oauth_outcome outcome)
{
	char *end = mint_text(", %s", row->word), *told = mint_text("refused: %s", row->word);
	const char *more = told_for(outcome);

	ok(strstr(lines.data, end), "S62: %s: the request's line has the word", row->word);
	ok(strstr(lines.data, outcome == OAUTH_NO_CREDENTIALS ? q(more) : told), "%s: and a line says more", row->word);
	if (more)
		ok(strstr(lines.data, q(more)), "%s: with what was seen and expected", row->word);
	ok(!strstr(lines.data, SECRET) && !strstr(lines.data, "eyJ"), "S55: %s: no line has the token", row->word);
	free(end);
	free(told);
}

static void
check_counters(const struct oauth_outcome_row *row, const struct stats *stats, const uint64_t *before)
{
	for (unsigned i = 0; i <= OAUTH_COUNTER_MAX; i++) {
		uint64_t now = stats_get(stats, COUNTER_OUTCOME + i);

		if (i == row->counter)
			is_int((long long)(now - before[i]), 1, "S62: %s: another process sees it counted", row->word);
		else if (now != before[i])
			ok(false, "%s: counter %u was not to change", row->word, i);
	}
}

/* Provoke one outcome and compare everything. "by_result": the server tells denials as results. */
static void
provoke(struct site *site, enum oauth_outcome outcome, bool by_result, enum era era)
{
	const struct oauth_outcome_row *row = oauth_outcome_row(outcome);
	char *authorization = authorization_for(outcome), *want, got[1024];
	int status = is_denial(outcome) && by_result ? 200 : row->status;
	uint64_t before[OAUTH_COUNTER_MAX + 1];
	struct http_response res;

	for (unsigned i = 0; i <= OAUTH_COUNTER_MAX; i++)
		before[i] = stats_get(site->stats, COUNTER_OUTCOME + i);
	buf_reset(&lines);
	ask(site->server, authorization, era, outcome == OAUTH_WRONG_ORGANISATION ? "get_org_data" : "admin_tool",
	    &res);
	is_int(res.status, status, "%s: status", row->word);
	check_challenge(row, outcome, &res);
	if (!is_denial(outcome)) {
		want = mint_text("{\"error\": \"%s\"}", row->body);
		is_str(res.body.data, want, "%s: body", row->word);
		free(want);
	} else {
		ok(strstr(res.body.data, by_result ? "\"isError\":true" : "\"error\":{\"code\":403"),
		    "%s: body is JSON-RPC", row->word);
	}
	ok(field(&res, "Cache-Control", got) == 1 && strcmp(got, "no-store") == 0, "J4: %s: not stored", row->word);
	is_int(field(&res, "Retry-After", got), row->status >= 500, "J5: %s: Retry-After with 5xx only", row->word);
	if (row->retry_after_s)
		is_int(strtol(got, NULL, 10), row->retry_after_s, "%s: the table's", row->word);
	check_log(row, outcome);
	check_counters(row, site->stats, before);
	http_response_clear(&res);
	free(authorization);
}

/* Whether the outcome needs another server or another kind of fault than a request can bring. */
static bool
is_elsewhere(enum oauth_outcome outcome)
{
	return outcome == OAUTH_KEYS_UNAVAILABLE ||	/* below */
	    outcome == OAUTH_WRONG_CLIENT ||
	    outcome == OAUTH_INTROSPECTION_UNAVAILABLE ||
	    outcome == OAUTH_INACTIVE ||		/* live/introspection.py, which has somebody to ask */
	    outcome == OAUTH_OUT_OF_RESOURCES;		/* token-nomem-t */
}

static void
test_every_outcome(const char *keys)
{
	char *settings = mint_text("JWKS_FILE=%s\nRATE_LIMIT=off\nRATE_LIMIT_PRINCIPAL=off\n", keys);
	char *by_result = mint_text("%sSTEP_UP=result\n", settings), *by_client;
	struct site site = make_site(settings);

	for (int i = OAUTH_OK + 1; i < OAUTH_OUTCOME_COUNT; i++)
		if (!is_elsewhere((enum oauth_outcome)i))
			provoke(&site, (enum oauth_outcome)i, false, i % 2 ? LEGACY : MODERN);
	end_site(&site);
	site = make_site(by_result);
	for (int i = OAUTH_OK + 1; i < OAUTH_OUTCOME_COUNT; i++)
		if (is_denial((enum oauth_outcome)i)) {
			provoke(&site, (enum oauth_outcome)i, true, LEGACY);
			end_site(&site);
			site = make_site(by_result);
			provoke(&site, (enum oauth_outcome)i, true, MODERN);
		}
	end_site(&site);
	by_client = mint_text("%sALLOWED_CLIENTS=skc_9\n", settings);
	site = make_site(by_client);
	provoke(&site, OAUTH_WRONG_CLIENT, false, MODERN);
	end_site(&site);
	free(by_client);
	site = make_site("JWKS_FILE=/nonexistent/keys\nRATE_LIMIT=off\nRATE_LIMIT_PRINCIPAL=off\n");
	provoke(&site, OAUTH_KEYS_UNAVAILABLE, false, MODERN);
	end_site(&site);
	site = make_site("VALIDATION=introspect\nINTROSPECTION_ENDPOINT=http://127.0.0.1:1/\nSK_CLIENT_ID=c\n"
	    "SK_CLIENT_SECRET=" SECRET "\nRATE_LIMIT=off\nRATE_LIMIT_PRINCIPAL=off\n");
	provoke(&site, OAUTH_INTROSPECTION_UNAVAILABLE, false, LEGACY);
	end_site(&site);
	free(settings);
	free(by_result);
}

/* The whole answer but for the seconds that are left of the limit's window. */
static char *
flat(const struct http_response *res)
{
	char *text = mint_text("%d\n%s\n%s", res->status, res->headers.data, res->body.data), *t = strstr(text, ";t=");

	if (t)
		memset(t, '-', strcspn(t, "\r\n"));
	return text;
}

/* What a server has and does not show, against one that does not have it: the same bytes at the same price. */
static void
test_hidden(const char *keys, enum era era)
{
	static const char base[] = "JWKS_FILE=%s\nFILTER_LISTS=on\nRATE_LIMIT=off\nRATE_LIMIT_PRINCIPAL=100/minute\n%s";
	char *hides = mint_text(base, keys, "TOOLS=greet_user admin_tool get_org_data\n");
	char *lacks = mint_text(base, keys, "TOOLS=greet_user\n");
	char *authorization = token(key, NULL, GOOD), *a, *b;
	struct site one = make_site(hides), two = make_site(lacks);
	const char *const names[] = { "admin_tool", "get_org_data" };
	struct http_response res;

	for (int i = 0; i < 2; i++) {
		ask(one.server, authorization, era, names[i], &res);
		a = flat(&res);
		http_response_clear(&res);
		ask(two.server, authorization, era, names[i], &res);
		b = flat(&res);
		http_response_clear(&res);
		ok(strstr(a, "RateLimit: ") && strstr(a, "Unknown tool: "), "%s is unknown to who may not call it",
		    names[i]);
		is_str(a, b, "%s: hidden and absent are the same bytes at the same price", names[i]);
		free(a);
		free(b);
	}
	for (unsigned i = 0; i <= OAUTH_COUNTER_MAX; i++)
		if (stats_get(one.stats, COUNTER_OUTCOME + i))
			ok(false, "and nothing was refused by authorization");
	end_site(&one);
	end_site(&two);
	free(authorization);
	free(hides);
	free(lacks);
}

static int
remove_entry(const char *path, const struct stat *st, int type, struct FTW *ftw)
{
	(void)st;
	(void)type;
	(void)ftw;
	return remove(path);
}

int
main(void)
{
	struct buf jwks;
	char *keys;

	buf_init(&lines, 1024 * 1024);
	log_capture(keep_line, NULL);
	need(mkdtemp(work) != NULL, work);
	key = mint_ed25519();
	other_key = mint_ed25519();
	buf_init(&jwks, 65536);
	buf_puts(&jwks, "{\"keys\":[");
	mint_jwk(key, NULL, ",\"kid\":\"k1\",\"alg\":\"EdDSA\",\"use\":\"sig\"", &jwks);
	buf_puts(&jwks, "]}");
	keys = mint_text("%s/jwks.json", work);
	write_file(keys, jwks.data);
	test_every_outcome(keys);
	test_hidden(keys, MODERN);
	test_hidden(keys, LEGACY);
	log_capture(NULL, NULL);
	free(keys);
	buf_clear(&jwks);
	buf_clear(&lines);
	EVP_PKEY_free(key);
	EVP_PKEY_free(other_key);
	nftw(work, remove_entry, 16, FTW_DEPTH | FTW_PHYS);
	return tap_done();
}
