# SPDX-License-Identifier: MIT
# What tests written in shell share: TAP, and a private directory $work that goes when they end. For
#     . "${top_srcdir:=.}/tests/tap.sh"
# before anything else; "finish" ends the test.
set -u
: "${top_srcdir:=.}" "${top_builddir:=.}"
LC_ALL=C
export LC_ALL
n=0
failed=0
work=$(mktemp -d "${TMPDIR:-/tmp}/mcp-fcgi-test.XXXXXX") || exit 99
trap 'rm -rf "$work"' EXIT
trap 'exit 99' HUP INT TERM

ok() { # ok STATUS TEXT
	n=$((n + 1))
	[ "$1" -eq 0 ] || { failed=1 && printf 'not '; }
	printf 'ok %d - %s\n' "$n" "$2"
}

none() { # none FILE TEXT: the file is empty; what is in it is shown
	[ ! -s "$1" ]
	ok $? "$2"
	sed 's/^/# /' "$1"
}

skip() { # skip TEXT WHY
	n=$((n + 1))
	printf 'ok %d - %s # SKIP %s\n' "$n" "$1" "$2"
}

finish() {
	echo "1..$n"
	exit "$failed"
}
