# SPDX-License-Identifier: MIT
# Run test programs under valgrind: sh tests/valgrind.sh PROGRAM... ("make check-valgrind" gives it all unit tests and
# replayed fuzz targets). Speaks TAP; a leak, a read beyond memory or a jump on an unset value fails the program's line.
set -u
: "${top_srcdir:=.}" "${VALGRIND:=valgrind}" "${sanitizers:=no}"
if ! command -v "$VALGRIND" >/dev/null; then
	echo "1..0 # SKIP valgrind is not installed"
	exit 0
fi
if [ "$sanitizers" != no ]; then
	echo "1..0 # SKIP sanitizers and valgrind do not go together: configure without --enable-sanitizers"
	exit 0
fi
work=$(mktemp -d) || exit 99
trap 'rm -rf "$work"' EXIT
trap 'exit 99' HUP INT TERM
n=0
status=0
for program; do
	# Making RSA keys takes valgrind minutes, and so does failing each allocation in turn: those are left to the
	# sanitizers, unless VALGRIND_ALL=yes.
	case $program${VALGRIND_ALL:+ all} in
	# A child that opens stores of its own has lost those it inherited, and is not blamed for it.
	*/session-t) continue ;;
	*-nomem-t | */claims-t | */jwk-t | */token-t | */token-threads-t | */issuer-keys-t) continue ;;
	esac
	n=$((n + 1))
	# Not "possible": SQLite points into its pages, which a child of a test that ends by _exit() still has.
	"$VALGRIND" --quiet --error-exitcode=99 --leak-check=full --show-leak-kinds=definite,indirect \
	    --errors-for-leak-kinds=definite,indirect --num-callers=20 --log-file="$work/log" "./$program" \
	    >"$work/out" 2>&1
	code=$?
	if [ $code -eq 0 ]; then
		echo "ok $n - $program: $(grep -c '^ok' "$work/out") claims, nothing found"
		continue
	fi
	status=1
	echo "not ok $n - $program: status $code"
	grep '^not ok' "$work/out" | sed 's/^/# /'
	head -n 60 "$work/log" | sed 's/^/# /'
done
echo "1..$n"
exit $status
