#!/bin/sh
# SPDX-License-Identifier: MIT
# docs/acceptance.md and docs/attacks.md have every row once, and each row's tests exist, name it, and are run.
. "${top_srcdir:=.}/tests/tap.sh"
# What this release may leave for later, and nothing else.
later='S7 S26 S74 W52 W53 W54 T15 T29 T36 T42 T43 T44 T45 T46 X1 X2 X3 X4 X8 X9
H1 H2 H3 H4 H6 H7 H8 H9'
# Numbers that no attack has.
unused='B8|C12|C16|D9|D12|E6|E15|F2|F5|F17|G6|H5'

# rows LETTER COUNT
rows() {
	i=1
	while [ "$i" -le "$2" ]; do
		echo "$1$i"
		i=$((i + 1))
	done
}

# judge TABLE: the rows owed are in $work/owed.
judge() {
	table=$top_srcdir/docs/$1
	rm -f "$work/gone" "$work/unnamed"
	sort "$work/owed" >"$work/sorted"
	sed -n 's/^| \([A-Z][0-9][0-9]*\) |.*/\1/p' "$table" | sort >"$work/rows"
	diff "$work/sorted" "$work/rows" >"$work/diff"
	none "$work/diff" "$1: every row is there once ($(wc -l <"$work/rows" | tr -d ' '))"

	sed -n 's/^| \([A-Z][0-9][0-9]*\) |.*| later |$/\1/p' "$table" | sort >"$work/later"
	echo "$later" | tr ' ' '\n' | sort >"$work/may"
	comm -23 "$work/later" "$work/may" >"$work/postponed"
	none "$work/postponed" "$1: only what another release owes is left for later"

	# "ID FILE" for each test that a row names; a row without one is told.
	awk -F ' *[|] *' '/^[|] [A-Z][0-9]+ [|]/ && $4 != "later" { k = split($4, file, ", "); shown = 0
			for (j = 1; j <= k; j++) if (file[j] ~ /^`[^`]+`$/) { gsub(/`/, "", file[j]); print $2, \
				file[j]; shown++ }
			if (shown != k || k == 0) print $2, "?" }' "$table" >"$work/shown"
	while read -r id file; do
		if [ ! -f "$top_srcdir/tests/$file" ]; then
			echo "$id: there is no tests/$file" >>"$work/gone"
		elif ! grep -qE "(^|[^A-Za-z0-9])$id([^A-Za-z0-9]|\$)" "$top_srcdir/tests/$file"; then
			echo "$id: tests/$file does not name it" >>"$work/unnamed"
		fi
	done <"$work/shown"
	: >>"$work/gone"
	: >>"$work/unnamed"
	none "$work/gone" "$1: every test that a row names exists"
	none "$work/unnamed" "$1: and names the row"

	cut -d ' ' -f 2 "$work/shown" | sort -u | while read -r file; do
		case $file in
		unit/*.c) grep -qxF "unit_tests += tests/${file%.c}" "$top_srcdir/Makefile.am" ;;
		clients/* | differential/* | quickstart/*)
			grep -qF "tests/${file%/*}/" "$top_srcdir/quickstart" ;;
		*) grep -qE "^(dist_check_SCRIPTS \\+= |	)tests/$file\$" "$top_srcdir/Makefile.am" ;;
		esac || echo "tests/$file"
	done >"$work/idle"
	none "$work/idle" "$1: and is run by make check or by quickstart check"
}

{
	rows S 88
	rows W 57
	rows T 50
	rows X 16
} >"$work/owed"
judge acceptance.md

{
	rows A 12
	rows B 13
	rows C 19
	rows D 15
	rows E 22
	rows F 20
	rows G 12
	rows H 9
	rows I 7
	rows J 8
	rows L 1
	rows M 11
} | grep -vxE "$unused" >"$work/owed"
judge attacks.md

# The threat model names tests in its text.
grep -oE '`(cases|clients|fuzz|live|unit)/[^`]+`' "$top_srcdir/docs/security.md" | tr -d '`' | sort -u \
	| while read -r file; do
	[ -e "$top_srcdir/tests/$file" ] || echo "$file"
done >"$work/gone"
none "$work/gone" 'security.md: every test that it names exists'

finish
