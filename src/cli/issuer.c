/* SPDX-License-Identifier: MIT */
/* mcp-fcgi issuer: runs the development issuer as a FastCGI responder, and works on its keys. */
#include "cli/cli.h"

#include <getopt.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/log.h"
#include "base/text.h"
#include "issuer/database.h"
#include "issuer/issuer.h"
#include "issuer/keys.h"
#include "server/fcgi.h"
#include "server/report.h"

#define WORKERS 4
#define IO_TIMEOUT_S 10
#define BODY_TOTAL_S 30
#define STOP_GRACE_S 5

static const char details[] =
    "An OAuth 2.1 authorization server for development: discovery, registration, consent, tokens.\n"
    "It serves loopback only, and gives a token to whoever asks there. The web server in front\n"
    "sends every path of the issuer's own port to SOCKET (PATH or HOST:PORT); without --listen\n"
    "the socket is file descriptor 0, as web servers pass it.\n"
    "\n"
    "  --listen SOCKET      where to accept FastCGI\n"
    "  --url URL            the issuer's own URL, scheme, host and port: http://127.0.0.1:3003\n"
    "  --resource URL       the MCP server's URL, audience of the tokens\n"
    "  --resource-id ID     its id, second audience and part of the issuer's path [" ISSUER_DEFAULT_RESOURCE_ID "]\n"
    "  --scopes \"S ...\"     scopes that can be granted [" ISSUER_DEFAULT_SCOPES "]\n"
    "  --token-ttl SECONDS  lifetime of access tokens [3600]\n"
    "  --auto-consent       grant every request without a page, for scripts\n"
    "  --state-dir DIR      keys, clients and tokens are kept in DIR/issuer\n"
    "  --config FILE        configuration that names the state directory\n"
    "\n"
    "  rotate               make a new signing key; the old one stays in the key set for a day\n"
    "    --alg ALG          RS256 or ES256 [RS256]\n"
    "    --forget           take the old keys out of the key set at once\n"
    "  keys                 print the key set, as for JWKS_FILE\n";

struct arguments {
	struct issuer_options issuer;
	const char *listen, *config, *state_dir, *alg;
	bool forget;
};

enum {
	OPT_LISTEN = 256,
	OPT_URL,
	OPT_RESOURCE,
	OPT_RESOURCE_ID,
	OPT_SCOPES,
	OPT_TTL,
	OPT_AUTO,
	OPT_STATE,
	OPT_CONFIG,
	OPT_ALG,
	OPT_FORGET,
	OPT_HELP
};

static const struct option options[] = { { "listen", required_argument, NULL, OPT_LISTEN },
	{ "url", required_argument, NULL, OPT_URL }, { "resource", required_argument, NULL, OPT_RESOURCE },
	{ "resource-id", required_argument, NULL, OPT_RESOURCE_ID }, { "scopes", required_argument, NULL, OPT_SCOPES },
	{ "token-ttl", required_argument, NULL, OPT_TTL }, { "auto-consent", no_argument, NULL, OPT_AUTO },
	{ "state-dir", required_argument, NULL, OPT_STATE }, { "config", required_argument, NULL, OPT_CONFIG },
	{ "alg", required_argument, NULL, OPT_ALG }, { "forget", no_argument, NULL, OPT_FORGET },
	{ "help", no_argument, NULL, OPT_HELP }, { NULL, 0, NULL, 0 } };

/* Returns CLI_OK, CLI_USAGE, or -1 when help was asked for. */
static int
read_arguments(int argc, char **argv, struct arguments *a)
{
	int c;

	while ((c = getopt_long(argc, argv, "", options, NULL)) != -1) {
		switch (c) {
		case OPT_LISTEN:
			a->listen = optarg;
			break;
		case OPT_URL:
			a->issuer.url = optarg;
			break;
		case OPT_RESOURCE:
			a->issuer.resource = optarg;
			break;
		case OPT_RESOURCE_ID:
			a->issuer.resource_id = optarg;
			break;
		case OPT_SCOPES:
			a->issuer.scopes = optarg;
			break;
		case OPT_TTL:
			if (text_parse_int(optarg, 1, 86400, &a->issuer.token_ttl_s))
				return cli_usage(
				    "issuer", "--token-ttl: \"%s\" is no number of seconds from 1 to 86400", optarg);
			break;
		case OPT_AUTO:
			a->issuer.auto_consent = true;
			break;
		case OPT_STATE:
			a->state_dir = optarg;
			break;
		case OPT_CONFIG:
			a->config = optarg;
			break;
		case OPT_ALG:
			a->alg = optarg;
			break;
		case OPT_FORGET:
			a->forget = true;
			break;
		case OPT_HELP:
			return -1;
		default:
			return cli_usage("issuer", NULL);
		}
	}
	return CLI_OK;
}

static void
handle(void *ctx, struct http_request *req, struct http_body_source *body, struct http_response *res)
{
	issuer_handle(ctx, req, body, res, clock_now_s());
}

/* The socket to accept on, -1 after a complaint. */
static int
open_socket(const char *address)
{
	struct report report = { 0 };
	struct buf text;
	int fd = -1;

	if (!address && !fcgi_is_cgi())
		return STDIN_FILENO;
	if (!address) {
		cli_usage("issuer", "--listen is missing");
		return -1;
	}
	if (fcgi_listen(address, false, &fd, &report) != MCP_OK) {
		buf_init(&text, 64 * 1024);
		report_render(&report, &text);
		fputs(text.data, stderr);
		cli_fail("issuer", "cannot listen on %s", address);
		buf_clear(&text);
		fd = -1;
	}
	report_clear(&report);
	return fd;
}

static int
serve(const struct arguments *a)
{
	struct fcgi_options fcgi = { .workers = WORKERS,
		.io_timeout_s = IO_TIMEOUT_S,
		.body_total_s = BODY_TOTAL_S,
		.stop_grace_s = STOP_GRACE_S };
	struct fcgi_handler handler = { .handle = handle };
	struct issuer *is = NULL;
	const char *why;
	enum mcp_err err;

	if (!a->issuer.url || !a->issuer.resource)
		return cli_usage("issuer", "--url and --resource are required");
	why = issuer_options_fault(&a->issuer);
	if (why)
		return cli_usage("issuer", "%s", why);
	err = issuer_new(&a->issuer, clock_now_s(), &is, &why);
	if (err)
		return cli_fail("issuer", "%s: %s", a->issuer.state_dir, why ? why : mcp_strerror(err));
	fcgi.listen_fd = open_socket(a->listen);
	if (fcgi.listen_fd < 0) {
		issuer_free(is);
		return CLI_FAILED;
	}
	log_info("development issuer at %s for %s%s", a->issuer.url, a->issuer.resource,
	    a->issuer.auto_consent ? ", consent is automatic" : "");
	handler.ctx = is;
	err = fcgi_serve(&fcgi, &handler);
	/* Threads that did not end in time still use the issuer. */
	if (err == MCP_ETIMEOUT)
		_exit(CLI_FAILED);
	if (a->listen && strchr(a->listen, '/'))
		unlink(a->listen);
	issuer_free(is);
	return err ? cli_fail("issuer", "%s", mcp_strerror(err)) : CLI_OK;
}

static int
rotate(const struct arguments *a, struct database *d)
{
	struct signing_key key;
	enum mcp_err err;

	if (!keys_alg_known(a->alg))
		return cli_usage("issuer", "--alg: \"%s\" is neither RS256 nor ES256", a->alg);
	err = keys_rotate(d, a->alg, a->forget, clock_now_s(), &key);
	if (err)
		return cli_fail("issuer", "the key could not be rotated: %s", mcp_strerror(err));
	printf("%s %s\n", key.kid, key.alg);
	signing_key_clear(&key);
	return CLI_OK;
}

static int
print_keys(const struct arguments *a, struct database *d)
{
	struct signing_key key;
	struct buf text;
	enum mcp_err err;

	(void)a;
	buf_init(&text, 1024 * 1024);
	/* The first use makes a key. */
	err = keys_current(d, clock_now_s(), &key);
	signing_key_clear(&key);
	if (!err)
		err = keys_jwks(d, &text);
	if (!err)
		puts(text.data);
	buf_clear(&text);
	return err ? cli_fail("issuer", "the keys cannot be read: %s", mcp_strerror(err)) : CLI_OK;
}

static int
with_database(const struct arguments *a, int (*run)(const struct arguments *, struct database *))
{
	struct database *d;
	const char *why;
	int status;

	if (database_open(a->issuer.state_dir, &d, &why))
		return cli_fail("issuer", "%s: %s", a->issuer.state_dir, why);
	status = run(a, d);
	database_close(d);
	return status;
}

int
cli_issuer(int argc, char **argv)
{
	struct arguments a = { .alg = "RS256",
		.issuer = { .resource_id = ISSUER_DEFAULT_RESOURCE_ID,
		    .scopes = ISSUER_DEFAULT_SCOPES,
		    .token_ttl_s = ISSUER_DEFAULT_TTL_S } };
	struct buf dir;
	int status = read_arguments(argc, argv, &a);

	if (status)
		return status < 0 ? cli_help("issuer", details) : status;
	if (optind + 1 < argc
	    || (optind < argc && strcmp(argv[optind], "rotate") != 0 && strcmp(argv[optind], "keys") != 0))
		return cli_usage("issuer", "\"%s\" is not understood", argv[argc - 1]);
	buf_init(&dir, 4096);
	status = cli_state_directory("issuer", a.state_dir, a.config, &dir);
	a.issuer.state_dir = dir.data;
	if (status == CLI_OK) {
		if (optind == argc)
			status = serve(&a);
		else
			status = with_database(&a, strcmp(argv[optind], "rotate") == 0 ? rotate : print_keys);
	}
	buf_clear(&dir);
	return status;
}
