/* SPDX-License-Identifier: MIT */
#include "oauth/verified.h"

#include <string.h>

#include "../tap.h"

static void
digest_of(unsigned i, uint8_t digest[DIGEST_SHA256_LEN])
{
	if (digest_sha256(&i, sizeof i, digest))
		memset(digest, 0, DIGEST_SHA256_LEN);
}

int
main(void)
{
	uint8_t digest[DIGEST_SHA256_LEN];
	struct verified *v, *other;
	unsigned kept = 0;

	if (verified_new(&v) || verified_new(&other))
		return 1;
	digest_of(0, digest);
	ok(!verified_has(v, digest), "an empty memory knows nothing");
	verified_add(v, digest);
	ok(verified_has(v, digest), "what was added is known");
	ok(!verified_has(other, digest), "G2: another key set's memory does not know it");
	digest[DIGEST_SHA256_LEN - 1] ^= 1;
	ok(!verified_has(v, digest), "G3: a digest that differs in one bit is another one");
	memset(digest, 0, sizeof digest);
	ok(!verified_has(v, digest), "an empty place is no entry");
	for (unsigned i = 0; i < 4 * VERIFIED_MAX; i++) {
		digest_of(i, digest);
		verified_add(v, digest);
		verified_add(v, digest);
	}
	for (unsigned i = 0; i < 4 * VERIFIED_MAX; i++) {
		digest_of(i, digest);
		kept += verified_has(v, digest);
	}
	ok(kept <= VERIFIED_MAX && kept > VERIFIED_MAX / 2, "it is bounded and forgets the old (%u kept)", kept);
	digest_of(4 * VERIFIED_MAX - 1, digest);
	ok(verified_has(v, digest), "the newest is still known");
	verified_free(v);
	verified_free(other);
	verified_free(NULL);
	return tap_done();
}
