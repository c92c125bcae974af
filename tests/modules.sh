# SPDX-License-Identifier: MIT
# What the author of a module has: the headers that are installed are enough, and each function that they declare is
# visible in the programs that load modules. Speaks TAP.
set -u
: "${top_srcdir:=.}" "${top_builddir:=.}" "${NM:=nm}" "${CC:=cc}"
LC_ALL=C
export LC_ALL
work=$(mktemp -d) || exit 99
trap 'rm -rf "$work"' EXIT
trap 'exit 99' HUP INT TERM
n=0
status=0

claim() {	# claim TEXT FILE: holds when FILE is empty; what is in it is shown
	n=$((n + 1))
	if [ -s "$2" ]; then
		echo "not ok $n - $1"
		sed 's/^/# /' "$2"
		status=1
	else
		echo "ok $n - $1"
	fi
}

# The headers as they are installed.
sed -n 's/^module[a-z]*include_HEADERS = //p' "$top_srcdir/Makefile.am" | tr ' ' '\n' | sort >"$work/headers"
while read -r header; do
	mkdir -p "$work/include/$(dirname "${header#src/}")"
	cp "$top_srcdir/$header" "$work/include/${header#src/}" || exit 99
done <"$work/headers"

# The functions that they declare: names before "(" at the beginning of a line that is no comment.
while read -r header; do
	sed -e '/^#/d' -e '/^typedef/d' "$top_srcdir/$header" |
	    awk '/\/\*/ { inside = 1 } !inside && /^[a-z].*\(/ { print } /\*\// { inside = 0 }' |
	    sed -n 's/^[a-z][^(]*[ *]\([a-z][a-z0-9_]*\)(.*/\1/p'
done <"$work/headers" | sort >"$work/declared"
sed -n 's/^	\([a-z0-9_]*\);$/\1/p' "$top_builddir/src/mcp/module.syms" | sort >"$work/listed"
[ "$(wc -l <"$work/declared")" -gt 50 ] && : >"$work/found" || echo "too few" >"$work/found"
claim "the functions of the headers are found" "$work/found"
diff "$work/declared" "$work/listed" >"$work/found"
claim "module.syms lists the functions of the installed headers, as module.awk found them" "$work/found"
for program in cgi-bin/mcp.fcgi mcp-fcgi; do
	"$NM" -D --defined-only "$top_builddir/$program" | sed 's/^.* //' | sort >"$work/visible"
	comm -23 "$work/listed" "$work/visible" >"$work/found"
	claim "all of them are visible in $program" "$work/found"
done

for header in $(sed 's|^src/||' "$work/headers"); do
	printf '#include <%s>\nint nothing;\n' "$header" >"$work/alone.c"
	"$CC" -std=c11 -Wall -Werror -fsyntax-only -I "$work/include" "$work/alone.c" >"$work/found" 2>&1
	claim "$header needs nothing but what is installed" "$work/found"
done
"$CC" -std=gnu11 -Wall -Wextra -Werror -shared -fPIC -I "$work/include" -o "$work/hello.so" \
    "$top_srcdir/examples/hello.c" >"$work/found" 2>&1
claim "so does the example, as its first lines say to build it" "$work/found"
echo "1..$n"
exit $status
