/* SPDX-License-Identifier: MIT */
/*
 * mcp-fcgi token: mints an access token with the development issuer's key, for scripts and tests. Prints the token and
 * nothing else.
 */
#include "cli/cli.h"

#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/json.h"
#include "base/strlist.h"
#include "base/text.h"
#include "issuer/database.h"
#include "issuer/issuer.h"
#include "issuer/mint.h"

#define TTL_MAX_S (366 * 86400)

static const char details[] = "What is not given is as a running issuer with the same state directory left it.\n"
			      "\n"
			      "  --scope SCOPES     scopes, with blanks between [all that the issuer grants]\n"
			      "  --org ORG          organisation, claim oid; empty: none [" ISSUER_ORGANISATION "]\n"
			      "  --subject SUB      claim sub [" ISSUER_SUBJECT "]\n"
			      "  --client ID        claim client_id [skc_dev]\n"
			      "  --resource URL     audience; may be the URL of any MCP server\n"
			      "  --resource-id ID   second audience\n"
			      "  --issuer URL       claim iss\n"
			      "  --ttl SECONDS      lifetime; negative: expired already [3600]\n"
			      "  --claim NAME=JSON  one more claim, or another value for one; NAME= leaves it out\n"
			      "  --state-dir DIR    state of the issuer\n"
			      "  --config FILE      configuration that names the state directory\n";

struct arguments {
	const char *scope, *org, *subject, *client, *resource, *resource_id, *issuer, *state_dir, *config;
	int64_t ttl_s;
	struct json_object *claims; /* owned */
	struct strlist without;
};

static void
arguments_clear(struct arguments *a)
{
	json_free(a->claims);
	strlist_clear(&a->without);
}

static int
add_claim(struct arguments *a, const char *text)
{
	static const struct json_bounds bounds = { 16 * 1024, 32, 2048 };
	const char *equals = strchr(text, '=');
	struct json_object *value;
	enum mcp_err err;
	char *name;

	if (!equals || equals == text || !text_is_utf8(text, (size_t)(equals - text)))
		return cli_usage("token", "--claim: \"%s\" is not NAME=JSON", text);
	name = text_dup(text, (size_t)(equals - text));
	if (!name)
		return cli_fail("token", "%s", mcp_strerror(MCP_ENOMEM));
	if (!equals[1]) {
		err = strlist_add_unique(&a->without, name, strlen(name));
	} else {
		err = json_parse(equals + 1, strlen(equals + 1), &bounds, &value, NULL);
		if (!err)
			err = json_set(a->claims, name, value);
	}
	free(name);
	if (err == MCP_ESYNTAX || err == MCP_ELIMIT)
		return cli_usage("token", "--claim: the value of \"%s\" is no JSON (texts need double quotes)", text);
	return err ? cli_fail("token", "%s", mcp_strerror(err)) : CLI_OK;
}

static const struct option options[] = { { "scope", required_argument, NULL, 's' },
	{ "org", required_argument, NULL, 'o' }, { "subject", required_argument, NULL, 'u' },
	{ "client", required_argument, NULL, 'c' }, { "resource", required_argument, NULL, 'r' },
	{ "resource-id", required_argument, NULL, 'i' }, { "issuer", required_argument, NULL, 'I' },
	{ "ttl", required_argument, NULL, 't' }, { "claim", required_argument, NULL, 'C' },
	{ "state-dir", required_argument, NULL, 'd' }, { "config", required_argument, NULL, 'f' },
	{ "help", no_argument, NULL, 'h' }, { NULL, 0, NULL, 0 } };

/* Returns CLI_OK, another status after a complaint, or -1 when help was asked for. */
static int
read_arguments(int argc, char **argv, struct arguments *a)
{
	const struct {
		int option;
		const char **to;
	} texts[] = { { 's', &a->scope }, { 'o', &a->org }, { 'u', &a->subject }, { 'c', &a->client },
		{ 'r', &a->resource }, { 'i', &a->resource_id }, { 'I', &a->issuer }, { 'd', &a->state_dir },
		{ 'f', &a->config } };
	int c, status = CLI_OK;

	while (status == CLI_OK && (c = getopt_long(argc, argv, "", options, NULL)) != -1) {
		if (c == 'h')
			return -1;
		if (c == '?')
			return cli_usage("token", NULL);
		if (c == 't' && text_parse_int(optarg, -TTL_MAX_S, TTL_MAX_S, &a->ttl_s))
			return cli_usage("token", "--ttl: \"%s\" is no number of seconds", optarg);
		if (c == 'C')
			status = add_claim(a, optarg);
		for (size_t i = 0; i < sizeof texts / sizeof texts[0]; i++)
			if (texts[i].option == c)
				*texts[i].to = optarg;
	}
	if (status == CLI_OK && optind < argc)
		return cli_usage("token", "\"%s\" is not understood", argv[optind]);
	return status;
}

/* What the issuer left under "name", unless "given". *owned gets what has to be freed. */
static enum mcp_err
or_setting(struct database *d, const char *name, const char **given, char **owned)
{
	enum mcp_err err;

	*owned = NULL;
	if (*given)
		return MCP_OK;
	err = database_setting_get(d, name, owned);
	*given = *owned;
	return err == MCP_ENOENT ? MCP_OK : err;
}

static int
mint(const struct arguments *given, struct database *d)
{
	char *issuer = NULL, *resource = NULL, *resource_id = NULL, *scope = NULL;
	struct arguments a = *given;
	int status = CLI_FAILED;
	struct buf token;
	enum mcp_err err;

	buf_init(&token, MINT_TOKEN_MAX);
	err = or_setting(d, ISSUER_SETTING_URL, &a.issuer, &issuer);
	if (!err)
		err = or_setting(d, ISSUER_SETTING_RESOURCE, &a.resource, &resource);
	if (!err)
		err = or_setting(d, ISSUER_SETTING_RESOURCE_ID, &a.resource_id, &resource_id);
	if (!err)
		err = or_setting(d, ISSUER_SETTING_SCOPES, &a.scope, &scope);
	if (!err && (!a.issuer || !a.resource)) {
		status = cli_fail(
		    "token", "no issuer has run with the state in %s: give --issuer and --resource", a.state_dir);
		goto out;
	}
	if (!err)
		err = mint_access_token(d,
		    &(struct mint){ .issuer = a.issuer,
			.resource = a.resource,
			.resource_id = a.resource_id,
			.subject = a.subject,
			.client_id = a.client,
			.organisation = *a.org ? a.org : NULL,
			.scope = a.scope ? a.scope : "",
			.ttl_s = a.ttl_s,
			.claims = a.claims,
			.without = &a.without },
		    clock_now_s(), &token);
	if (err) {
		status = cli_fail("token", "the token could not be made: %s", mcp_strerror(err));
		goto out;
	}
	puts(token.data);
	status = CLI_OK;
out:
	free(issuer);
	free(resource);
	free(resource_id);
	free(scope);
	buf_clear_secret(&token);
	return status;
}

/* Find the state and mint. */
static int
run(struct arguments *a)
{
	struct database *d;
	struct buf dir;
	const char *why;
	int status;

	buf_init(&dir, 4096);
	status = cli_state_directory("token", a->state_dir, a->config, &dir);
	a->state_dir = dir.data;
	if (status == CLI_OK && database_open(dir.data, &d, &why)) {
		status = cli_fail("token", "%s: %s", dir.data, why);
	} else if (status == CLI_OK) {
		status = mint(a, d);
		database_close(d);
	}
	buf_clear(&dir);
	return status;
}

int
cli_token(int argc, char **argv)
{
	struct arguments a = { .org = ISSUER_ORGANISATION,
		.subject = ISSUER_SUBJECT,
		.client = "skc_dev",
		.ttl_s = ISSUER_DEFAULT_TTL_S,
		.claims = json_new_object() };
	int status = a.claims ? read_arguments(argc, argv, &a) : cli_fail("token", "%s", mcp_strerror(MCP_ENOMEM));

	if (status < 0)
		status = cli_help("token", details);
	else if (status == CLI_OK)
		status = run(&a);
	arguments_clear(&a);
	return status;
}
