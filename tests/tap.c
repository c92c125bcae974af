/* SPDX-License-Identifier: MIT */
#include "tap.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

static unsigned run, failed;

static bool claim(bool condition, const char *text, va_list ap) __attribute__((format(printf, 2, 0)));

static bool
claim(bool condition, const char *text, va_list ap)
{
	printf("%s %u - ", condition ? "ok" : "not ok", ++run);
	vprintf(text, ap);
	putchar('\n');
	if (!condition)
		failed++;
	fflush(stdout);
	return condition;
}

bool
ok(bool condition, const char *text, ...)
{
	va_list ap;

	va_start(ap, text);
	claim(condition, text, ap);
	va_end(ap);
	return condition;
}

bool
is_int(long long got, long long want, const char *text, ...)
{
	va_list ap;

	va_start(ap, text);
	if (!claim(got == want, text, ap))
		diag("got %lld, want %lld", got, want);
	va_end(ap);
	return got == want;
}

bool
is_str(const char *got, const char *want, const char *text, ...)
{
	bool same = got == want || (got && want && strcmp(got, want) == 0);
	va_list ap;

	va_start(ap, text);
	if (!claim(same, text, ap)) {
		diag("got  %s", got ? got : "(null)");
		diag("want %s", want ? want : "(null)");
	}
	va_end(ap);
	return same;
}

bool
is_mem(const void *got, size_t got_len, const void *want, size_t want_len, const char *text, ...)
{
	bool same = got_len == want_len && (got_len == 0 || memcmp(got, want, got_len) == 0);
	va_list ap;

	va_start(ap, text);
	if (!claim(same, text, ap))
		diag("got %zu bytes, want %zu, or they differ", got_len, want_len);
	va_end(ap);
	return same;
}

void
diag(const char *text, ...)
{
	va_list ap;

	va_start(ap, text);
	printf("# ");
	vprintf(text, ap);
	putchar('\n');
	va_end(ap);
	fflush(stdout);
}

void
skip(const char *why, ...)
{
	va_list ap;

	va_start(ap, why);
	printf("ok %u # SKIP ", ++run);
	vprintf(why, ap);
	putchar('\n');
	va_end(ap);
}

int
tap_done(void)
{
	printf("1..%u\n", run);
	return failed ? 1 : 0;
}
