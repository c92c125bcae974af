#!/bin/sh
# SPDX-License-Identifier: MIT
# Which lines the tests run that need no web server ("make coverage"): unit tests, the conversations of tests/cases,
# replayed fuzz corpora, and the live tests that drive parts of the library. Builds everything again with gcc's
# --coverage in ./coverage and prints lines and share of each folder of src/, with COVERAGE_FILES=yes of each file too.
# Exits 1 when a test fails or src/oauth or src/base is below 90 %.
set -eu
: "${top_srcdir:=.}" "${MAKE:=make}"
top_srcdir=$(cd "$top_srcdir" && pwd)
mkdir -p coverage && cd coverage
# Counters of threads add up only with atomic updates.
[ -f Makefile ] || CC=gcc CFLAGS='-O0 -g --coverage -fprofile-update=atomic' "$top_srcdir/configure" -q >/dev/null
find . -name '*.gcda' -exec rm -f {} +
$MAKE -s Makefile >/dev/null
tests=$(printf 'print:\n\t@echo $(unit_tests) $(replayed) $(library_live_tests)\n' | $MAKE -s -f Makefile -f - print)
$MAKE -s "${COVERAGE_JOBS:--j2}" check TESTS="$tests" >check.out 2>&1 || { grep -E '^(FAIL|ERROR)' check.out; exit 1; }
grep '^# PASS' check.out
find src -name '*.gcda' | sort | while read -r data; do
	gcov -n -o "${data%/*}" "$data" 2>/dev/null
done | awk -v src="$top_srcdir/src/" -v files="${COVERAGE_FILES:-}" '
	/^File / { name = substr($0, 7, length($0) - 7); sub(/^.*\/src\//, "src/", name); next }
	/^Lines executed:/ && name ~ /^src\/.*\.c$/ {
		split($0, part, /[:%]| of /)
		# "Lines executed:85.71% of 35": gcov knows the number and prints the share
		all[name] = part[4] + 0
		run[name] = int(part[2] * part[4] / 100 + 0.5)
		name = ""
	}
	END {
		for (name in all) {
			folder = name
			sub(/\/[^\/]*$/, "", folder)
			total[folder] += all[name]
			hit[folder] += run[name]
			if (files)
				printf "%-36s %5d of %5d lines %6.1f %%\n", name, run[name], all[name], \
				    100 * run[name] / all[name] | "sort"
		}
		if (files)
			close("sort")
		for (folder in total)
			printf "%-36s %5d of %5d lines %6.1f %%\n", folder, hit[folder], total[folder], \
			    100 * hit[folder] / total[folder] | "sort"
		close("sort")
		exit (hit["src/oauth"] < 0.9 * total["src/oauth"] || hit["src/base"] < 0.9 * total["src/base"])
	}'
