#!/bin/sh
# SPDX-License-Identifier: MIT
# The manual says what the programs do: every setting with its default, bounds and names, every option, every
# subcommand, every start-up line and every reason of a refusal; and mandoc finds nothing wrong with the pages.
. "${top_srcdir:=.}/tests/tap.sh"
man=$top_srcdir/man
conf=$man/mcp-fcgi.conf.5
responder=$top_builddir/cgi-bin/mcp.fcgi
command=$top_builddir/mcp-fcgi
# Settings of whoever runs this must not be in force.
clean="env -i PATH=$PATH HOME=$work MCP_FCGI_CONF=$work/none"
# An empty section, so that the settings of sections are shown with their defaults.
echo '[issuer x]' >"$work/none"

# same FILE FILE TEXT: the same lines; differences are shown.
same() {
	diff "$1" "$2" >"$work/diff"
	ok $? "$3"
	sed 's/^/# /' "$work/diff"
}

for page in mcp.fcgi.8 mcp-fcgi.1 mcp-fcgi.conf.5; do
	if command -v mandoc >/dev/null; then
		mandoc -T lint -W warning "$man/$page" >"$work/lint" 2>&1
		none "$work/lint" "mandoc has no warning for $page"
	else
		skip "mandoc has no warning for $page" "there is no mandoc"
	fi
done

# What the code says: "NAME=default", secrets marked. A default is shown as it would be written.
$clean "$command" config show | sed -n -e 's/^\([A-Z][A-Z0-9_]*\)=(not set)  # default$/\1 secret/p' \
	-e 's/^\([A-Z][A-Z0-9_]*\)=\(.*\)  # default$/\1=\2/p' | sort -u >"$work/code"
# What the page says.
awk '/^\.It Ev [A-Z0-9_]+ Pq / { if (name) print name "=" value; name = $3; value = ""; secret = /, secret/
		if (secret) { print name " secret"; name = "" } }
	/^\.El/ && name { print name "=" value; name = "" }
	after && /^\.Ql / { value = substr($0, 5); sub(/ \.$/, "", value) }
	{ after = /^The default is$/ }' "$conf" | sort >"$work/page"
[ "$(wc -l <"$work/code")" -gt 30 ]
ok $? "the command shows all settings ($(wc -l <"$work/code" | tr -d ' '))"
same "$work/code" "$work/page" \
    "mcp-fcgi.conf.5 has every setting of the code and no other, with its default, secrets marked"

# Rows of the tables in the sources: "NAME [at start] names...".
grep -lE 'struct setting [a-z_]+\[\] =' "$top_srcdir"/src/*/*.c | xargs cat | tr '\n' ' ' |
    awk 'BEGIN { RS = "[{][ \t]*[.]name = " }
	NR > 1 { split($0, part, "\""); line = part[2] ($0 ~ /SETTING_STARTUP/ ? " at-start" : "")
		if (match($0, /[.]aliases = "[^"]*"/)) line = line " " substr($0, RSTART + 12, RLENGTH - 13)
		print line }' | sort >"$work/rows"
awk 'function out() { if (name) print name start names }
	/^\.It Ev [A-Z0-9_]+ Pq / { out(); name = $3; start = /, at start/ ? " at-start" : ""; names = "" }
	/^\.El/ { out(); name = "" }
	/^Other names:$/ { list = 1; next }
	list && /^\.Ev / { names = names " " $2; list = / ,$/ }' "$conf" | sort >"$work/names"
same "$work/rows" "$work/names" "every other name of a setting is in the page, and what counts at start"

# Bounds, tried: a value at each end is taken, one beyond is not.
awk '/^\.It Ev [A-Z0-9_]+ Pq number/ { name = $3 }
	name && match($0, /from [0-9]+ to [0-9]+/) {
		split(substr($0, RSTART), w, " ")
		sub(/[^0-9].*/, "", w[4])
		print name, w[2], w[4]
		name = ""
	}' \
	"$conf" >"$work/bounds"
while read -r name low high; do
	for value in "$low" "$high"; do
		$clean "$name=$value" "$command" config check | grep -F " $name " >>"$work/bounds-wrong"
	done
	for value in $((low - 1)) $((high + 1)); do
		$clean "$name=$value" "$command" config check | grep -qF "$name is no whole number" ||
			echo "$name=$value is taken" >>"$work/bounds-wrong"
	done
done <"$work/bounds"
: >>"$work/bounds-wrong"
[ "$(wc -l <"$work/bounds")" -ge 12 ]
ok $? "the page has bounds ($(wc -l <"$work/bounds" | tr -d ' '))"
none "$work/bounds-wrong" "and they are those of the code"

# options_of PAGE < help: the options of a help text that the page does not have.
missing_options() {
	grep -oE -e '(^|[ [|])--?[a-zA-Z][a-z-]*' | sed -e 's/^[ [|]*-//' | sort -u | while read -r option; do
		grep -qE -e "Fl (.* Fl )?$option( |\$)" "$1" || echo "-$option"
	done
}
$responder --help | missing_options "$man/mcp.fcgi.8" >"$work/options"
none "$work/options" "every option of mcp.fcgi is in mcp.fcgi.8"

$command --help | sed -n 's/^  \([a-z][a-z]*\)  .*/\1/p' >"$work/commands"
[ -s "$work/commands" ]
ok $? "mcp-fcgi lists its subcommands"
while read -r name; do
	{
		grep -q "^\\.Ss mcp-fcgi $name\$" "$man/mcp-fcgi.1" || echo "no section for $name"
		$command "$name" --help >"$work/help"
		missing_options "$man/mcp-fcgi.1" <"$work/help"
		# Its actions: words at the beginning of lines of details.
		sed -n 's/^  \([a-z][a-z]*\) .*/\1/p' "$work/help" | while read -r action; do
			grep -q "^\\.It Cm $action" "$man/mcp-fcgi.1" || echo "no $action"
		done
	} >"$work/lacking"
	none "$work/lacking" "mcp-fcgi $name is in mcp-fcgi.1 with all that its help names"
done <"$work/commands"
sed -n 's/^\.Ss mcp-fcgi //p' "$man/mcp-fcgi.1" | sort >"$work/sections"
sort "$work/commands" >"$work/sorted"
same "$work/sorted" "$work/sections" "mcp-fcgi.1 has no other subcommand"

# First words of start-up lines, and reasons of refusals.
cat "$top_srcdir"/src/server/*.c | tr '\n\t' '  ' | grep -oE 'report_add\([^;]*;' |
	grep -oE '"[A-Z][A-Z_]+(-[A-Z_]+)*( |")' | tr -d '" ' | sort -u | while read -r code; do
	grep -qE "^\\.It Li \\[(OK|WARN|FAIL)\\] (.* )?$code( |\$)" "$man/mcp.fcgi.8" || echo "$code"
done >"$work/codes"
none "$work/codes" "every start-up line is explained in mcp.fcgi.8"
sed -n 's/.*"\([a-z_]*\)", [0-9]*, [0-9]*},$/\1/p' "$top_srcdir/src/oauth/outcome.c" |
	grep -v '^ok$' | while read -r word; do
	grep -qE "(^|[ ,])$word( |,|\$)" "$man/mcp.fcgi.8" || echo "$word"
done >"$work/words"
[ "$(grep -c '", [0-9]*, [0-9]*},$' "$top_srcdir/src/oauth/outcome.c")" -gt 20 ]
ok $? "the table of outcomes was found"
none "$work/words" "and every reason of a refusal"

finish
