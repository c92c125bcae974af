/* SPDX-License-Identifier: MIT */
#ifndef MCP_TESTS_FUZZ_H
#define MCP_TESTS_FUZZ_H

#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

/*
 * A fuzz target is one function, in fuzz-NAME.c. With --enable-fuzz libFuzzer calls it; otherwise replay.c does, with
 * each file of corpus/NAME. Returns 0.
 */
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* A claim that must hold whatever the input is; the process ends when it does not, so that the input is kept. */
#define FUZZ_CLAIM(condition) \
	do { \
		if (!(condition)) { \
			fprintf(stderr, "%s:%d: does not hold: %s\n", __FILE__, __LINE__, #condition); \
			abort(); \
		} \
	} while (0)

#endif
