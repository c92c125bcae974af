# SPDX-License-Identifier: MIT
# Who may include whom (src/README): a file includes only lower layers, inside a layer there are no cycles, and the
# header of a foreign library appears only in the module that wraps it. Includes are read from the sources, calls from
# the objects of this build. Speaks TAP. The checks are first tried on a small tree that breaks each rule.
. "${top_srcdir:=.}/tests/tap.sh"
: "${NM:=nm}"

# Lines "FILE LINE INCLUDED" of the tree at $1, FILE relative to it.
includes() {
	(cd "$1" && find src cgi-bin -name '*.[ch]' 2>/dev/null | sort | xargs awk '
		/^[ \t]*#[ \t]*include[ \t]*["<]/ {
			name = $0
			sub(/^[^"<]*["<]/, "", name)
			sub(/[">].*$/, "", name)
			print FILENAME, FNR, name
		}')
}

# Upward and sideways arrows. Layers in one string are of one height and do not see each other.
upward() {
	awk '
		BEGIN {
			n = split("base|store net|http|limit|oauth|schema|mcp|tools|server|issuer|cli|" \
			    "cgi-bin", height, "|")
			for (i = 1; i <= n; i++) {
				m = split(height[i], names, " ")
				for (j = 1; j <= m; j++)
					rank[names[j]] = i
			}
			# Heights alone would allow these.
			never["http", "store"] = never["http", "net"] = never["mcp", "http"] = never["mcp", "net"] = 1
			split("store net http limit oauth", names, " ")
			for (j in names)
				never["schema", names[j]] = 1
		}
		{
			split($1, parts, "/")
			own = parts[1] == "src" ? parts[2] : parts[1]
			if (parts[1] == "src" && parts[3] == "")
				print $1 ": lies in no layer"
			if (!(own in rank))
				print $1 ": layer " own " is unknown"
			if (split($3, into, "/") < 2 || !(into[1] in rank))
				next
			up = rank[into[1]] > rank[own]
			sideways = rank[into[1]] == rank[own] && into[1] != own
			if (up || sideways || (own, into[1]) in never)
				print $1 ":" $2 ": " own " includes " $3
		}' "$1"
}

# Cycles of headers that include each other.
header_cycles() {
	awk '
		{
			own = $1
			sub(/^src\//, "", own)
			if (own ~ /[.]h$/ && $3 ~ /\//)
				print own, $3
		}' "$1" | tsort 2>&1 >/dev/null | sed 's/^tsort: //; s/^-: //'
}

# Lines "CALLER CALLED KIND SYMBOL" of modules LAYER/NAME, from what nm prints of their objects. KIND T is a function.
calls() {
	awk '
		{
			sub(/[.]o:/, " ")
			own = $1
			sub(/^.*src\//, "", own)
			if ($(NF - 1) == "U") {
				user[++n] = own
				used[n] = $NF
			} else if ($(NF - 1) ~ /^[A-Z]$/) {
				home[$NF] = own
				kind[$NF] = $(NF - 1)
			}
		}
		END {
			for (i = 1; i <= n; i++)
				if (used[i] in home && home[used[i]] != user[i])
					print user[i], home[used[i]], kind[used[i]], used[i]
		}' "$1" | sort -u
}

# Cycles of modules of one layer that call each other. A table of functions is data: whoever runs through it does not
# depend on those who stand in it.
cycles() {
	calls "$1" | awk '
		{
			split($1, from, "/")
			split($2, to, "/")
			if (from[1] == to[1] && $3 == "T")
				print $1, $2
		}' | sort -u | tsort 2>&1 >/dev/null | sed 's/^tsort: //; s/^-: //'
}

foreign() {
	awk '
		function only(header, places) { h[++rows] = header; where[rows] = places }
		BEGIN {
			only("^sqlite3", "^src/((store|limit)/|issuer/database[.]h$)")
			only("^curl/", "^src/net/fetch[a-z_]*[.]c$")
			only("^(fcgiapp|fcgi_stdio|fcgios|fcgimisc|fastcgi)[.]h$", "^src/server/fcgi[a-z_]*[.][ch]$")
			only("^(json-c/|json[.]h$|json_[a-z_]*[.]h$)", "^src/base/json[a-z_]*[.]c$")
			only("^openssl/", "^src/(base/(digest|seal)[.]c|oauth/jw[ak][a-z_]*[.][ch]|issuer/keys[.]c)$")
			only("^pcre2", "^src/schema/pattern[.]c$")
			only("^idn2[.]h$", "^src/schema/format_host[.]c$")
			only("^jwt[.]h$", "^src/(issuer|cli)/")
		}
		{
			for (i = 1; i <= rows; i++)
				if ($3 ~ h[i] && $1 !~ where[i])
					print $1 ":" $2 ": includes " $3
		}' "$1"
}

# The checks see what they look for.
tree=$work/tree
mkdir -p "$tree/src/base" "$tree/src/http" "$tree/src/mcp" "$tree/src/odd"
echo '#include "http/b.h"' >"$tree/src/base/a.h"
echo ' #  include <json-c/json.h>' >"$tree/src/base/a.c"
echo '#include "http/c.h"' >"$tree/src/http/b.h"
printf '%s\n' '#include "net/fetch.h"' '#include "base/a.h"' >"$tree/src/http/b.c"
printf '%s\n' '#include "http/b.h"' '#include <sqlite3.h>' '#include <stdio.h>' >"$tree/src/http/c.h"
echo '#include "http/b.h"' >"$tree/src/http/b_more.c"
echo '#include "http/c.h"' >"$tree/src/mcp/d.c"
echo '#include "base/a.h"' >"$tree/src/odd/e.c"
includes "$tree" >"$work/tried"
seen() {	# seen TEXT PATTERN COMMAND...: the command's output has a line that matches
	text=$1 pattern=$2
	shift 2
	"$@" "$work/tried" >"$work/found"
	if grep -q "$pattern" "$work/found"; then
		: >"$work/found"
	else
		echo "not found: $pattern" >>"$work/found"
	fi
	none "$work/found" "$text"
}
seen "an upward include is seen" '^src/base/a.h:1: base includes http/b.h$' upward
seen "http that includes net is seen" '^src/http/b.c:1: http includes net/fetch.h$' upward
seen "mcp that includes http is seen" '^src/mcp/d.c:1: mcp includes http/c.h$' upward
seen "a folder that is no layer is seen" '^src/odd/e.c: layer odd is unknown$' upward
seen "headers that include each other are seen" '^http/b.h$' header_cycles
seen "a foreign header is seen" '^src/http/c.h:2: includes sqlite3.h$' foreign
seen "a foreign header beside the module that wraps it is seen" \
    '^src/base/a.c:1: includes json-c/json.h$' foreign
upward "$work/tried" |
    grep -v -e '^src/base/a.h:1' -e '^src/http/b.c:1' -e '^src/mcp/d.c:1' -e '^src/odd/' >"$work/found"
none "$work/found" "an arrow downward is none"
cat >"$work/tried" <<'END'
src/http/b.o:                 U c_do
src/http/b.o:0000000000000000 T b_do
src/http/c.o:                 U b_do
src/http/c.o:                 U d_table
src/http/c.o:0000000000000000 T c_do
src/http/d.o:0000000000000000 R d_table
src/http/d.o:                 U c_do
END
seen "modules that call each other are seen" '^http/b$' cycles
cycles "$work/tried" | grep '^http/d$' >"$work/found"
none "$work/found" "a table is no call"

# The real tree.
includes "$top_srcdir" >"$work/includes"
[ -s "$work/includes" ] && : >"$work/found" || echo "no sources below $top_srcdir" >"$work/found"
none "$work/found" "the sources are found"
upward "$work/includes" >"$work/found"
none "$work/found" "no file includes a higher layer"
header_cycles "$work/includes" >"$work/found"
none "$work/found" "no headers include each other"
(cd "$top_builddir" && find src -name '*.o' -exec "$NM" -A {} +) >"$work/symbols"
grep -q ' T buf_init$' "$work/symbols" && : >"$work/found" || echo "no objects below $top_builddir" >"$work/found"
none "$work/found" "the objects are found"
cycles "$work/symbols" >"$work/found"
none "$work/found" "no modules of one layer call each other in a circle"
foreign "$work/includes" >"$work/found"
none "$work/found" "each foreign library's header is included only by the module that wraps it"
finish
