/* SPDX-License-Identifier: MIT */
/* A key set from an authorization server: a set of keys that can be asked and used, or a refusal. */
#include <string.h>

#include "base/log.h"
#include "oauth/jwks.h"
#include "tests/fuzz/fuzz.h"

static void
swallow(void *ctx, enum log_level level, const char *text)
{
	(void)ctx;
	(void)level;
	for (; *text; text++)
		FUZZ_CLAIM(*text >= 0x20 && *text < 0x7f);
}

/* No signature of zeros is good, whatever the key is. */
static void
use(const struct jwks *set, const struct jwk *key)
{
	static const char *const algorithms[] = { "RS256", "PS384", "ES256", "ES384", "ES512", "EdDSA", "HS256", "none",
		"" };
	static const char zeros[1024];
	static const size_t lengths[] = { 64, 96, 132, 256, 0 };
	const char *kid = jwk_kid(key);
	bool known;

	FUZZ_CLAIM(!kid || strlen(kid) <= JWK_KID_MAX);
	for (size_t i = 0; i < sizeof(algorithms) / sizeof(algorithms[0]); i++) {
		bool can = jwk_can(key, algorithms[i]);
		const struct jwk *selected = jwks_select(set, kid, algorithms[i], &known);

		FUZZ_CLAIM(!can || jwk_algorithm_known(algorithms[i]));
		FUZZ_CLAIM(!can || !kid || (selected && known));
		FUZZ_CLAIM(!selected || jwk_can(selected, algorithms[i]));
		for (size_t j = 0; j < sizeof(lengths) / sizeof(lengths[0]); j++)
			FUZZ_CLAIM(jwk_verify(key, algorithms[i], "data", 4, zeros, lengths[j]) == MCP_EINVAL);
	}
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct jwks *set;
	size_t skipped = 0;
	enum mcp_err err;

	log_capture(swallow, NULL);
	err = jwks_parse((const char *)data, size, &set, &skipped);
	FUZZ_CLAIM((err == MCP_OK) == (set != NULL));
	FUZZ_CLAIM(err == MCP_OK || err == MCP_ESYNTAX || err == MCP_ETYPE || err == MCP_ELIMIT || err == MCP_ENOENT);
	if (!set)
		return 0;
	FUZZ_CLAIM(jwks_count(set) >= 1 && jwks_count(set) <= JWKS_KEYS_MAX);
	for (size_t i = 0; i < jwks_count(set) && i < 8; i++)
		use(set, jwks_at(set, i));
	FUZZ_CLAIM(jwks_ref(set) == set);
	jwks_unref(set);
	jwks_unref(set);
	return 0;
}
