/* SPDX-License-Identifier: MIT */
#include "tests/quotes.h"

#include <stdlib.h>
#include <string.h>

#include "tests/tap.h"

#define COPIES 8
#define COPY_MAX 32768

const char *
q(const char *text)
{
	static char copies[COPIES][COPY_MAX];
	static unsigned next;
	char *copy = copies[next++ % COPIES], *p;

	if (strlen(text) >= COPY_MAX) {
		diag("q: the text is too long");
		exit(99);
	}
	memcpy(copy, text, strlen(text) + 1);
	for (p = copy; (p = strchr(p, '\'')) != NULL; p++)
		*p = '"';
	return copy;
}
