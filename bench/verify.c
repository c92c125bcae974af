/* SPDX-License-Identifier: MIT */
/*
 * What token_validate() costs, by algorithm, for a token of the usual size, in processor time: again and again, which
 * is what clients do and a key set remembers, alone and with several threads; and with a forged signature, which is
 * really verified each time. A token's first use costs as much as the forged one, and its claims besides.
 *
 *	bench/verify [SECONDS per figure, 1 by default]
 */
#include <openssl/evp.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "base/clock.h"
#include "tests/unit/mint.h"
#include "tests/unit/validation.h"

#define THREADS 4

static double seconds = 1;

/* One thread's work: the token again and again until the time is over. */
struct work {
	pthread_t thread;
	const char *token;
	enum oauth_outcome want;
	unsigned long count;
};

static void *
run(void *ctx)
{
	struct work *w = ctx;
	size_t len = strlen(w->token);
	int64_t end = clock_monotonic_ms() + (int64_t)(seconds * 1000);

	while (clock_monotonic_ms() < end)
		for (int i = 0; i < 50; i++, w->count++) {
			struct principal p;

			if (validate_token(w->token, len, NOW, &p, NULL) != w->want)
				exit(1);
			principal_clear(&p);
		}
	return NULL;
}

static double
cpu_us(void)
{
	struct timespec t;

	clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &t);
	return (double)t.tv_sec * 1e6 + (double)t.tv_nsec / 1e3;
}

/* Microseconds of processor time a token with "n" threads at it; more than alone is what they cost each other. */
static double
cost_us(const char *token, enum oauth_outcome want, size_t n)
{
	struct work w[THREADS];
	unsigned long count = 0;
	double start = cpu_us();

	memset(w, 0, sizeof(w));
	for (size_t i = 0; i < n; i++) {
		w[i].token = token;
		w[i].want = want;
		if (pthread_create(&w[i].thread, NULL, run, &w[i]) != 0)
			exit(1);
	}
	for (size_t i = 0; i < n; i++) {
		pthread_join(w[i].thread, NULL);
		count += w[i].count;
	}
	return (cpu_us() - start) / (double)count;
}

int
main(int argc, char **argv)
{
	char *payload = claims("jti", "\"tkn_0123456789\"");

	if (argc > 1)
		seconds = strtod(argv[1], NULL);
	validation_begin();
	const struct {
		const char *alg, *kid;
		EVP_PKEY *key;
	} rows[] = {
		{"RS256", "rsa", rsa}, {"PS256", "any", rsa2}, {"ES256", "p256", p256}, {"ES384", "p384", p384},
		{"EdDSA", "ed25519", ed25519},
	};

	printf("%-8s %8s %12s %14s %14s\n", "alg", "bytes", "us, again", "us, 4 threads", "us, forged");
	for (size_t i = 0; i < sizeof(rows) / sizeof(*rows); i++) {
		char *header = mint_text("{\"alg\":\"%s\",\"kid\":\"%s\",\"typ\":\"JWT\"}", rows[i].alg, rows[i].kid);
		char *token = mint(rows[i].key, rows[i].alg, header, payload), *forged = mint_text("%s", token);
		char *digit = strrchr(forged, '.') + 9;

		*digit = *digit == 'A' ? 'B' : 'A';
		printf("%-8s %8zu %12.1f %14.1f %14.1f\n", rows[i].alg, strlen(token), cost_us(token, OAUTH_OK, 1),
		    cost_us(token, OAUTH_OK, THREADS), cost_us(forged, OAUTH_BAD_SIGNATURE, 1));
		free(header);
		free(token);
		free(forged);
	}
	free(payload);
	validation_end();
	return 0;
}
