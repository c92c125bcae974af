# SPDX-License-Identifier: MIT
# What can be checked of the form of the sources: licence line, width, functions that are not used here, comments above
# what headers declare. Speaks TAP. The checks are first tried on a small tree that breaks each rule.
. "${top_srcdir:=.}/tests/tap.sh"

# Names of the sources of the tree at $1 that match the patterns after it.
sources() {
	(
		cd "$1" || exit
		shift
		for pattern; do
			find src cgi-bin tests bench examples -name node_modules -prune -o \
			    -type f -name "$pattern" -print 2>/dev/null
		done | sort
	)
}

no_licence() {
	sources "$1" '*.[ch]' '*.sh' '*.py' '*.mjs' '*.js' | while read -r file; do
		head -n 2 "$1/$file" | grep -q 'SPDX-License-Identifier: MIT' || echo "$file: no SPDX line"
	done
}

too_wide() {
	sources "$1" '*.[ch]' '*.sh' | while read -r file; do
		expand -t 8 "$1/$file" |
		    awk -v file="$file" 'length($0) > 120 { print file ":" NR ": " length($0) " columns" }'
	done
}

# Calls of functions that have no bound or no way to tell a fault; comments and strings do not count.
forbidden() {
	(cd "$1" && sources . '*.[ch]' | xargs awk '
		FNR == 1 { inside = 0 }
		{
			line = $0
			gsub(/\\./, "", line)
			gsub(/"[^"]*"/, "\"\"", line)
			code = ""
			while (line != "") {
				if (inside) {
					end = index(line, "*/")
					if (!end)
						break
					line = substr(line, end + 2)
					inside = 0
				}
				begin = index(line, "/*")
				if (!begin) {
					code = code line
					break
				}
				code = code substr(line, 1, begin - 1) " "
				line = substr(line, begin + 2)
				inside = 1
			}
			if (match(code, /(^|[^A-Za-z0-9_])(v?sprintf|strcpy|strcat|gets|ato[ilf]|strtok)[ \t]*[(]/))
				print FILENAME ":" FNR ": " substr(code, RSTART, RLENGTH) ")"
		}')
}

# Declarations of functions in headers of src/ without a comment above them in the same paragraph.
bare() {
	(cd "$1" && sources . '*.h' | grep '^src/' | xargs awk '
		FNR == 1 { commented = inside = depth = 0 }
		!inside && !depth && /^[ \t]*$/ { commented = 0 }
		/\/\*/ && !/^[^\/]*;[^;]*\/\*/ { commented = 1 }
		{
			if (!inside && !depth && !commented && /^[a-z].*[a-z0-9_][(]/ && !/^(typedef|extern)/)
				print FILENAME ":" FNR ": " $0
			if (/\/\*/ && !/\*\//)
				inside = 1
			else if (/\*\//)
				inside = 0
			if (!inside && !/^#/)
				depth += gsub(/{/, "{") - gsub(/}/, "}")
		}')
}

# The checks see what they look for.
tree=$work/tree
mkdir -p "$tree/src" "$tree/tests"
cat >"$tree/src/good.h" <<'END'
/* SPDX-License-Identifier: MIT */
/* Does this. */
int good_this(int a);
int good_that(int a);

struct good {
	int (*call)(void);	/* a member needs none */

	int (*other)(void);
};

/*
 * Never sprintf() here.
 */
const char *good_more(const char *s,
    int n);
END
cat >"$tree/src/bad.h" <<'END'
/* SPDX-License-Identifier: MIT */
/* Does this. */
int bad_this(int a);

int bad_that(int a);
END
cat >"$tree/src/bad.c" <<'END'
int
bad_this(int a)
{
	const char *s = "strcpy(a, b)"; /* atoi(s) */
	return sprintf(s, "%d", a);	/* strcat(
	*/
}
END
printf "%0121d\n" 1 >>"$tree/src/bad.c"
seen() {	# seen TEXT WANTED COMMAND: the command finds this and nothing else
	printf '%s\n' "$2" >"$work/wanted"
	"$3" "$tree" >"$work/found" 2>&1
	cmp -s "$work/wanted" "$work/found" && : >"$work/found"
	none "$work/found" "$1"
}
seen "a file without a licence line is seen" 'src/bad.c: no SPDX line' no_licence
seen "a wide line is seen" 'src/bad.c:8: 121 columns' too_wide
seen "a call of a forbidden function is seen, and none in a comment or string" \
    'src/bad.c:5:  sprintf()' forbidden
seen "a declaration without a comment is seen, and none in a group or a struct" \
    'src/bad.h:5: int bad_that(int a);' bare

# The real tree.
sources "$top_srcdir" '*.[ch]' | grep -q '^src/' && : >"$work/found" ||
    echo "no sources below $top_srcdir" >"$work/found"
none "$work/found" "the sources are found"
no_licence "$top_srcdir" >"$work/found"
none "$work/found" "each source names its licence"
too_wide "$top_srcdir" >"$work/found"
none "$work/found" "no line is wider than 120 columns"
forbidden "$top_srcdir" >"$work/found"
none "$work/found" "no function without a bound is called (sprintf, strcpy, strcat, gets, atoi, strtok and their kind)"
bare "$top_srcdir" >"$work/found"
none "$work/found" "each function that a header declares has a comment above it"
finish
