/* SPDX-License-Identifier: MIT */
#include "tests/unit/validation.h"

#include <openssl/evp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "tests/unit/mint.h"
#include "oauth/keystore.h"
#include "tests/tap.h"

struct token_policy policy;
struct keystore keystore = {.lock = PTHREAD_MUTEX_INITIALIZER};
struct principal who;
struct buf seen;
EVP_PKEY *rsa, *rsa2, *p256, *p384, *p521, *ed25519;

enum keystore_answer
keystore_find(struct keystore *k, const char *kid, const char *alg, int64_t now_s, struct jwks **set)
{
	bool known;

	(void)now_s;
	atomic_fetch_add(&k->asked, 1);
	pthread_mutex_lock(&k->lock);
	*set = k->set ? jwks_ref(k->set) : NULL;
	pthread_mutex_unlock(&k->lock);
	if (!*set)
		return KEYSTORE_UNAVAILABLE;
	if (jwks_select(*set, kid, alg, &known) || known)
		return KEYSTORE_FOUND;
	jwks_unref(*set);
	*set = NULL;
	return KEYSTORE_UNKNOWN;
}

enum oauth_outcome
validate_token(const char *token, size_t len, int64_t now_s, struct principal *out, struct buf *said)
{
	struct issuer only = {.policy = policy, .keys = &keystore};
	const struct issuers trusted = {&only, 1};

	return token_validate(&trusted, token, len, now_s, out, said, NULL);
}

struct jwks *
keystore_swap(struct jwks *set)
{
	struct jwks *old;

	pthread_mutex_lock(&keystore.lock);
	old = keystore.set;
	keystore.set = set;
	pthread_mutex_unlock(&keystore.lock);
	return old;
}

char *
jwk_text(EVP_PKEY *key, const char *more)
{
	struct buf b;

	buf_init(&b, 65536);
	mint_jwk(key, NULL, more, &b);
	return buf_steal(&b, NULL);
}

struct jwks *
make_set(const char *jwk, ...)
{
	struct jwks *set = NULL;
	struct buf b;
	va_list ap;

	buf_init(&b, JWKS_BYTES_MAX);
	buf_puts(&b, "{\"keys\":[");
	va_start(ap, jwk);
	for (const char *text = jwk; text; text = va_arg(ap, const char *))
		buf_printf(&b, "%s%s", text == jwk ? "" : ",", text);
	va_end(ap);
	buf_puts(&b, "]}");
	if (jwks_parse(b.data, b.len, &set, NULL) != MCP_OK) {
		printf("Bail out! no key set of %s\n", b.data);
		exit(99);
	}
	buf_clear(&b);
	return set;
}

static void
split(struct strlist *l, const char *text)
{
	if (strlist_split(l, text, " ", 100) != MCP_OK)
		exit(99);
}

/* The usual keys, as they stand in a set. */
static char *jwk[6];

void
keystore_renew(void)
{
	jwks_unref(keystore_swap(make_set(jwk[0], jwk[1], jwk[2], jwk[3], jwk[4], jwk[5], (char *)NULL)));
}

void
validation_begin(void)
{
	rsa = mint_rsa(2048);
	rsa2 = mint_rsa(2048);
	p256 = mint_ec("P-256");
	p384 = mint_ec("P-384");
	p521 = mint_ec("P-521");
	ed25519 = mint_ed25519();
	jwk[0] = jwk_text(rsa, ",\"kid\":\"rsa\",\"use\":\"sig\",\"alg\":\"RS256\"");
	jwk[1] = jwk_text(rsa2, ",\"kid\":\"any\"");
	jwk[2] = jwk_text(p256, ",\"kid\":\"p256\"");
	jwk[3] = jwk_text(p384, ",\"kid\":\"p384\"");
	jwk[4] = jwk_text(p521, ",\"kid\":\"p521\"");
	jwk[5] = jwk_text(ed25519, ",\"kid\":\"ed25519\"");
	keystore_renew();
	split(&policy.issuers, ISSUER " " ISSUER "/resources/res_1");
	split(&policy.audiences, AUDIENCE " res_1");
	policy.resource = mint_text("%s", AUDIENCE);
	split(&policy.algorithms, "RS256 RS384 RS512 PS256 PS384 PS512 ES256 ES384 ES512 EdDSA Ed25519");
	split(&policy.types, "JWT at+jwt");
	split(&policy.scope_claims, "scope scopes scp");
	split(&policy.org_claims, "oid org_id");
	split(&policy.client_claims, "client_id azp");
	split(&policy.kinds, "access access_token access-token at+jwt Bearer DPoP JWT "
	    "urn:ietf:params:oauth:token-type:access_token");
	policy.leeway_s = 30;
	policy.max_bytes = 16384;
	buf_init(&seen, 65536);
}

void
validation_end(void)
{
	EVP_PKEY *keys[] = {rsa, rsa2, p256, p384, p521, ed25519};

	for (size_t i = 0; i < sizeof(keys) / sizeof(*keys); i++)
		EVP_PKEY_free(keys[i]);
	for (size_t i = 0; i < sizeof(jwk) / sizeof(*jwk); i++)
		free(jwk[i]);
	jwks_unref(keystore.set);
	token_policy_clear(&policy);
	principal_clear(&who);
	buf_clear(&seen);
}

char *
claims(const char *name, const char *value)
{
	static const struct {
		const char *name, *value;
	} usual[] = {
		{"iss", "\"" ISSUER "\""},
		{"sub", "\"usr_1\""},
		{"aud", "[\"" AUDIENCE "\",\"res_1\"]"},
		{"exp", "1800000600"},
		{"iat", "1799990000"},
		{"client_id", "\"skc_1\""},
		{"scope", "\"usr:read openid\""},
		{"oid", "\"org_1\""},
	};
	const char *comma = "";
	bool done = false;
	struct buf b;

	buf_init(&b, 32 * 1024 * 1024);
	buf_putc(&b, '{');
	for (size_t i = 0; i < sizeof(usual) / sizeof(*usual); i++) {
		bool this = name && strcmp(usual[i].name, name) == 0;
		const char *v = this ? value : usual[i].value;

		done = done || this;
		if (!v)
			continue;
		buf_printf(&b, "%s\"%s\":%s", comma, usual[i].name, v);
		comma = ",";
	}
	if (name && !done)
		buf_printf(&b, ",\"%s\":%s", name, value);
	buf_putc(&b, '}');
	return buf_steal(&b, NULL);
}

char *
with_payload(char *payload)
{
	char *token = mint(rsa, "RS256", "{\"alg\":\"RS256\",\"kid\":\"rsa\",\"typ\":\"JWT\"}", payload);

	free(payload);
	return token;
}

char *
with_claim(const char *name, const char *value)
{
	return with_payload(claims(name, value));
}

char *
with_header(const char *header)
{
	char *payload = claims(NULL, NULL), *token = mint(rsa, "RS256", header, payload);

	free(payload);
	return token;
}

static enum oauth_outcome
validate(char *token)
{
	enum oauth_outcome outcome;

	principal_clear(&who);
	buf_reset(&seen);
	outcome = validate_token(token, strlen(token), NOW, &who, &seen);
	free(token);
	return outcome;
}

bool
accepted(char *token, const char *text, ...)
{
	enum oauth_outcome outcome = validate(token);
	char line[300];
	va_list ap;

	va_start(ap, text);
	vsnprintf(line, sizeof(line), text, ap);
	va_end(ap);
	if (!outcome && (!who.issuer || !who.subject || !who.claims || !who.expires_at_s))
		return ok(false, "%s (and the principal is whole)", line);
	return is_str(oauth_outcome_row(outcome)->word, "ok", "%s", line);
}

bool
refused(const char *word, char *token, const char *text, ...)
{
	static const struct principal nobody;
	enum oauth_outcome outcome = validate(token);
	char line[300];
	va_list ap;

	va_start(ap, text);
	vsnprintf(line, sizeof(line), text, ap);
	va_end(ap);
	if (memcmp(&who, &nobody, sizeof(who)) != 0)
		return ok(false, "%s (and no principal is left)", line);
	return is_str(oauth_outcome_row(outcome)->word, word, "%s", line);
}
