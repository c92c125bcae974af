/* SPDX-License-Identifier: MIT */
/*
 * G11: eight threads validate while the key set is swapped under them; meant for ThreadSanitizer, and for the address
 * sanitizer, which sees a set that is freed too early.
 */
#include <openssl/evp.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>

#include "tests/tap.h"
#include "tests/unit/mint.h"
#include "tests/unit/validation.h"

#define THREADS 8
#define ROUNDS 300

static char *tokens[3], *forged;

/* What one thread has seen. */
struct tally {
	pthread_t thread;
	unsigned accepted, unknown, wrong;
};

/* All tokens in turn; every other set lacks the key of the first, which then is unknown. */
static void *
run(void *ctx)
{
	struct tally *t = ctx;

	for (unsigned i = 0; i < ROUNDS; i++) {
		struct principal p;
		const char *token = i % 4 == 3 ? forged : tokens[i % 4];
		enum oauth_outcome outcome = validate_token(token, strlen(token), NOW, &p, NULL);

		if (outcome == OAUTH_OK && i % 4 != 3)
			t->accepted++;
		else if (outcome == OAUTH_UNKNOWN_KEY && i % 4 == 0)
			t->unknown++;
		else if (outcome != OAUTH_BAD_SIGNATURE || i % 4 != 3)
			t->wrong++;
		principal_clear(&p);
	}
	return NULL;
}

int
main(void)
{
	char *payload = claims(NULL, NULL);
	struct tally t[THREADS];
	unsigned accepted_n = 0, unknown = 0, wrong = 0, swaps = 0;
	char *jwk[3], *dot;

	validation_begin();
	tokens[0] = with_header("{\"alg\":\"RS256\",\"kid\":\"rsa\"}");
	tokens[1] = mint(p256, "ES256", "{\"alg\":\"ES256\",\"kid\":\"p256\"}", payload);
	tokens[2] = mint(ed25519, "EdDSA", "{\"alg\":\"EdDSA\",\"kid\":\"ed25519\"}", payload);
	forged = mint(p256, "ES256", "{\"alg\":\"ES256\",\"kid\":\"p256\"}", payload);
	dot = strrchr(forged, '.');
	dot[9] = dot[9] == 'A' ? 'B' : 'A';
	jwk[0] = jwk_text(p256, ",\"kid\":\"p256\"");
	jwk[1] = jwk_text(ed25519, ",\"kid\":\"ed25519\"");
	jwk[2] = jwk_text(rsa, ",\"kid\":\"rsa\"");
	memset(t, 0, sizeof(t));
	for (size_t i = 0; i < THREADS; i++)
		if (pthread_create(&t[i].thread, NULL, run, &t[i]) != 0)
			return 99;
	for (; swaps < 500; swaps++)
		jwks_unref(keystore_swap(make_set(jwk[0], jwk[1], swaps % 2 ? jwk[2] : NULL, (char *)NULL)));
	for (size_t i = 0; i < THREADS; i++) {
		pthread_join(t[i].thread, NULL);
		accepted_n += t[i].accepted;
		unknown += t[i].unknown;
		wrong += t[i].wrong;
	}
	diag("accepted %u, unknown key %u, %u swaps", accepted_n, unknown, swaps);
	is_int(wrong, 0, "G11: every token got its verdict while sets came and went");
	is_int(accepted_n + unknown, THREADS * ROUNDS * 3 / 4, "G11: and none got lost");
	for (size_t i = 0; i < 3; i++)
		free(tokens[i]);
	for (size_t i = 0; i < 3; i++)
		free(jwk[i]);
	free(forged);
	free(payload);
	validation_end();
	return tap_done();
}
