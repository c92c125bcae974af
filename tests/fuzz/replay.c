/* SPDX-License-Identifier: MIT */
/*
 * The main of a fuzz target that was built without libFuzzer: gives it each file of its corpus, which lies in
 * tests/fuzz/corpus/NAME for the program fuzz-NAME, or each file named as an argument. Speaks TAP; a fault ends the
 * program, and the last line names the file before.
 */
#include <dirent.h>
#include <string.h>

#include "tests/fuzz/fuzz.h"
#include "tests/tap.h"

#define INPUT_MAX (1 << 20)

/* The bytes are copied to memory of just their size, so that the sanitizer and valgrind see a read beyond them. */
static void
replay(const char *path, const char *name)
{
	static uint8_t input[INPUT_MAX];
	FILE *f = fopen(path, "rb");
	uint8_t *exact;
	size_t n;

	if (!f) {
		ok(false, "%s can be read", name);
		return;
	}
	n = fread(input, 1, sizeof(input), f);
	fclose(f);
	exact = malloc(n ? n : 1);
	if (!exact) {
		ok(false, "memory for %s", name);
		return;
	}
	memcpy(exact, input, n);
	ok(LLVMFuzzerTestOneInput(exact, n) == 0, "%s, %zu bytes", name, n);
	free(exact);
}

static int
is_input(const struct dirent *entry)
{
	return entry->d_name[0] != '.';
}

int
main(int argc, char **argv)
{
	const char *top = getenv("top_srcdir"), *name = strstr(argv[0], "fuzz-"), *next;
	struct dirent **inputs = NULL;
	char directory[2048], path[4096];
	int n;

	for (int i = 1; i < argc; i++)
		replay(argv[i], argv[i]);
	if (argc > 1)
		return tap_done();
	while (name && (next = strstr(name + 1, "fuzz-")))
		name = next;
	snprintf(directory, sizeof(directory), "%s/tests/fuzz/corpus/%s", top ? top : ".", name ? name + 5 : "");
	n = name ? scandir(directory, &inputs, is_input, alphasort) : -1;
	ok(n > 0, "the corpus of %s is there", name ? name : argv[0]);
	for (int i = 0; i < n; i++) {
		snprintf(path, sizeof(path), "%s/%s", directory, inputs[i]->d_name);
		replay(path, inputs[i]->d_name);
		free(inputs[i]);
	}
	free(inputs);
	return tap_done();
}
